"""What a visitor does, for the tests and the benchmark of the pages."""

import base64
import math
import re
import time
from collections.abc import Callable

import numpy as np
from playwright.sync_api import Locator, Page, expect

from mnist_core.drawing import Pixels
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.summary import Table
from tests.browser.conftest import Server

Points = list[tuple[int, int]]
ONE: Points = [(140, 40), (138, 140), (135, 240)]
ZERO: Points = [(140, 40), (95, 70), (75, 140), (95, 210), (140, 240), (185, 210), (205, 140), (185, 70), (140, 40)]
SEVEN: Points = [(70, 60), (200, 60), (120, 240)]
BAR: Points = [(95, 150), (190, 145)]
FOUR: list[Points] = [[(95, 45), (80, 150)], [(80, 150), (205, 150)], [(170, 60), (165, 245)]]


def loop(x: int, y: int, half_width: int, half_height: int) -> Points:
    """A loop around (x, y), from its top on to the left and round."""
    turns = [math.tau * part / 16 for part in range(17)]
    return [(round(x - half_width * math.sin(turn)), round(y - half_height * math.cos(turn))) for turn in turns]


# Digits in forms that people write, among them those that MNIST's writers did not.
WRITTEN: dict[str, tuple[str, list[Points]]] = {
    "0 with a slash": ("0", [loop(140, 140, 65, 95), [(195, 50), (85, 230)]]),
    "0 with a bar": ("0", [loop(140, 140, 65, 95), [(70, 160), (210, 125)]]),
    "1 with a flag": ("1", [[(85, 100), (145, 45), (145, 240)]]),
    "1 with a foot": ("1", [[(140, 45), (140, 238)], [(85, 240), (195, 240)]]),
    "1 with a flag and a foot": ("1", [[(95, 95), (145, 45), (145, 235)], [(90, 240), (200, 240)]]),
    "2": ("2", [[(80, 90), (110, 50), (165, 50), (190, 90), (165, 140), (75, 235), (205, 235)]]),
    "3": (
        "3",
        [[(85, 55), (150, 45), (185, 85), (160, 125), (120, 135), (175, 150), (195, 195), (150, 240), (80, 225)]],
    ),
    "4, open": ("4", [[(95, 45), (80, 150), (205, 150)], [(170, 60), (165, 245)]]),
    "5": ("5", [[(190, 50), (100, 50), (90, 130), (150, 120), (190, 160), (180, 215), (130, 240), (80, 220)]]),
    "6": ("6", [[(170, 45), (110, 110), (90, 180), (115, 235), (165, 230), (185, 185), (150, 155), (100, 175)]]),
    "7 with a bar": ("7", [SEVEN, BAR]),
    "8 of two loops": ("8", [loop(140, 90, 42, 45), loop(140, 188, 52, 52)]),
    "9": ("9", [[*loop(135, 95, 50, 50), (135, 45), (185, 95), (180, 160), (165, 245)]]),
}
LETTER_K: list[Points] = [[(90, 40), (90, 240)], [(190, 40), (92, 145), (195, 240)]]


def draw(page: Page, points: Points) -> None:
    """A stroke on the canvas with the mouse; points on one of 280 x 280 pixels."""
    x, y, scale = corner_and_scale(page)
    (first_x, first_y), *others = points
    page.mouse.move(x + first_x * scale, y + first_y * scale)
    page.mouse.down()
    for other_x, other_y in others:
        page.mouse.move(x + other_x * scale, y + other_y * scale, steps=2)
    page.mouse.up()


def corner_and_scale(page: Page) -> tuple[float, float, float]:
    """Where the canvas begins, and how many pixels on the screen are one of 280."""
    canvas = page.locator("canvas.upper-canvas")
    expect(canvas).to_be_visible()
    canvas.scroll_into_view_if_needed()
    page.wait_for_function(LAID_OUT)
    box = canvas.bounding_box()
    assert box
    return box["x"], box["y"], box["width"] / 280


# Whether the canvas has taken the width of its place
LAID_OUT = """() => {
    for (const { shadowRoot } of document.querySelectorAll('[data-testid=stBidiComponentIsolated]')) {
        const container = shadowRoot?.querySelector('.dc-container')
        if (container) return shadowRoot.querySelector('style[data-lab]') && container.clientWidth > 200
    }
}"""


RED = """container => {
    const all = new OffscreenCanvas(420, 420).getContext('2d')
    for (const canvas of container.querySelectorAll('canvas')) all.drawImage(canvas, 0, 0)
    const red = all.getImageData(0, 0, 420, 420).data.filter((value, index) => index % 4 === 0)
    return btoa(Array.from(red, (value) => String.fromCharCode(value)).join(''))
}"""


def picture(page: Page) -> Pixels:
    """How much ink each pixel has on the canvas and behind it, where what was drawn before it was mounted is shown.

    (420, 420), uint8.
    """
    text = page.locator(".dc-container").evaluate(RED)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(420, 420)


def ink(page: Page) -> int:
    """How many pixels are white on the canvas."""
    return int((picture(page) > 200).sum())


def answer(page: Page) -> Locator:
    """The digit that the page shows as its answer, "?" for none; the newer one while a script moves it on the page."""
    return page.get_by_test_id("live-digit").first


def at_rest(page: Page) -> None:
    """Wait until no script runs: a canvas that is still being set up loses its first stroke."""
    expect(page.locator("[data-testid=stMain] h1")).to_be_visible(timeout=60_000)
    expect(page.locator("[data-testid=stApp]")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=60_000
    )


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} [data-testid=stButton] button").click()


def switch_to(page: Page, title: str) -> None:
    page.get_by_role("link", name=title, exact=True).first.click()
    expect(page.locator("[data-testid=stMain] h1")).to_contain_text(title)
    at_rest(page)
    if title in ("Draw", "Train"):
        # The canvas reports once after it appears. Streamlit 1.67 blanks the app when a report of a page's fragment
        # meets the click that leaves the page.
        expect(page.locator("canvas.upper-canvas")).to_be_visible()
        page.wait_for_timeout(500)
        at_rest(page)


def visit(page: Page, address: str) -> None:
    """Open a page with a canvas and wait until that has reported, as in `switch_to`."""
    page.goto(address)
    at_rest(page)
    expect(page.locator("canvas.upper-canvas")).to_be_visible()
    page.wait_for_timeout(500)
    at_rest(page)


def kept(page: Page) -> None:
    """Wait until the server has what was drawn last: the canvas sends it a while after the pen is up."""
    page.wait_for_timeout(400)
    at_rest(page)


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option).first.click()


def title_of(server: Server, run_id: str) -> str:
    """What the app calls the run."""
    return next(row.title for row in Table(RunStore(server.runs_dir)).rows() if row.run == run_id)


def fill(page: Page, label: str, value: str) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")
    at_rest(page)


def status(page: Page) -> Locator:
    """The status of the run shown, the newer one while a script moves it down or up the page."""
    return page.locator(".st-key-run-status").first


def step(page: Page) -> int:
    """The step that the run shown has reached."""
    bar = page.get_by_test_id("stProgress")
    expect(bar).to_contain_text(re.compile(r"step [1-9]"), timeout=60_000)
    return int(re.findall(r"step ([\d,]+) of", bar.inner_text())[0].replace(",", ""))


def wait_for_steps(page: Page) -> None:
    """Until the run that is shown is further than now."""
    before = step(page)
    wait_until(page, lambda: step(page) > before)


def wait_until(page: Page, condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        page.wait_for_timeout(100)

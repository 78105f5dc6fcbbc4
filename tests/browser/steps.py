"""What a visitor does, for the tests and the benchmark of the pages."""

import re
import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

Points = list[tuple[int, int]]
ONE: Points = [(140, 40), (138, 140), (135, 240)]
ZERO: Points = [(140, 40), (95, 70), (75, 140), (95, 210), (140, 240), (185, 210), (205, 140), (185, 70), (140, 40)]
SEVEN: Points = [(70, 60), (200, 60), (120, 240)]
BAR: Points = [(95, 150), (190, 145)]


def draw(page: Page, points: Points) -> None:
    """A stroke on the canvas with the mouse; points in pixels from its corner."""
    canvas = page.locator("canvas.upper-canvas")
    expect(canvas).to_be_visible()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    (x, y), *others = points
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.down()
    for x, y in others:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
    page.mouse.up()


def ink(page: Page) -> int:
    """How many pixels of the canvas are white."""
    count: int = page.locator("canvas.dc-canvas.lower-canvas").evaluate(
        "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data"
        ".filter((value, index) => index % 4 === 0 && value > 200).length"
    )
    return count


def answer(page: Page) -> Locator:
    return page.locator(".st-key-answer [data-testid=stMetricValue]")


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


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option).first.click()


def fill(page: Page, label: str, value: str) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")
    at_rest(page)


def status(page: Page) -> Locator:
    return page.locator(".st-key-run-status")


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

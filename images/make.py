"""Makes the README's moving picture and its screenshots, from the app in a real headless Chromium.

And the app's icon, which browsers show beside its name.

`python -m images.make`, from the project's folder. Needs MNIST, playwright and an installed Chromium.
"""

import io
import itertools
import pathlib
import tempfile
import time

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, Server, serving, visiting
from tests.browser.steps import (
    BAR,
    SEVEN,
    answer,
    at_rest,
    corner_and_scale,
    draw,
    kept,
    press,
    status,
    visit,
    wait_until,
)

FOLDER = pathlib.Path(__file__).parent
SEED = 3  # whose blank network takes this 7 for another digit
WIDTH, HEIGHT = 1280, 720
SHOWN = (960, 540)  # pixels of the moving picture
AFTER = 3.0  # seconds that it goes on once the digit is read
LAST = 2_500  # milliseconds of its last frame
ICON = 64  # pixels


class Film:
    """Screenshots of a page with the moments at which they were taken."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: list[tuple[float, Image.Image]] = []

    def take(self) -> None:
        content = self._page.screenshot()
        frame = Image.open(io.BytesIO(content)).convert("RGB").resize(SHOWN, Image.Resampling.LANCZOS)
        self._frames.append((time.monotonic(), frame))

    def save(self, path: pathlib.Path) -> None:
        moments = [moment for moment, _ in self._frames]
        durations = [round(1000 * (after - before)) for before, after in itertools.pairwise(moments)]
        (_, first), *others = self._frames
        first.save(
            path,
            save_all=True,
            append_images=[frame for _, frame in others],
            duration=[*durations, LAST],
            loop=0,
            quality=60,
            method=4,
        )


def moment(browser: Browser, server: Server) -> None:
    """A 7 is drawn, Start pressed, and a blank network learns to read it."""
    with visiting(browser, server, width=WIDTH, height=HEIGHT) as page:
        visit(page, f"/train?model=mlp&seed={SEED}")
        page.wait_for_timeout(8_000)  # a process gets ready
        film = Film(page)
        film.take()
        x, y, scale = corner_and_scale(page)
        page.mouse.move(x + SEVEN[0][0] * scale, y + SEVEN[0][1] * scale)
        page.mouse.down()
        for to_x, to_y in SEVEN[1:]:
            from_x, from_y = SEVEN[SEVEN.index((to_x, to_y)) - 1]
            for part in range(1, 7):
                at_x, at_y = from_x + (to_x - from_x) * part / 6, from_y + (to_y - from_y) * part / 6
                page.mouse.move(x + at_x * scale, y + at_y * scale)
                film.take()
        page.mouse.up()
        kept(page)
        film.take()
        press(page, "train-start")
        read = None
        while read is None or time.monotonic() - read < AFTER:
            film.take()
            if (
                read is None
                and answer(page).inner_text() == "7"
                and "99" in page.get_by_test_id("live-words").inner_text()
            ):
                read = time.monotonic()
        film.save(FOLDER / "moment.webp")
        expect(status(page)).to_contain_text("finished", timeout=120_000)
        keep(page, "train")


def keep(page: Page, name: str) -> None:
    """A screenshot of the page, once nothing moves."""
    at_rest(page)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.wait_for_timeout(1_500)
    with Image.open(io.BytesIO(page.screenshot())) as shot:
        shot.convert("RGB").quantize(256).save(FOLDER / f"{name}.png", optimize=True)


def drawn(browser: Browser, server: Server) -> None:
    """What is drawn on Draw, and the reasons for the answer on Inside."""
    with visiting(browser, server, width=WIDTH, height=HEIGHT) as page:
        visit(page, "/")
        draw(page, SEVEN)
        draw(page, BAR)
        wait_until(page, lambda: answer(page).inner_text() == "7")
        kept(page)
        keep(page, "draw")
        page.get_by_role("button", name="Why a 7?").click()
        page.get_by_role("radio", name="Why this digit").click()
        expect(page.locator(".st-key-why-not img")).to_be_visible(timeout=60_000)
        keep(page, "inside")


def looked_at(browser: Browser, server: Server) -> None:
    """The mistakes on Browse, and the course's trainings with and without ReLU on Learn and compared on Runs."""
    with visiting(browser, server, width=WIDTH, height=HEIGHT) as page:
        page.goto("/browse?model=mlp")
        at_rest(page)
        expect(page.locator(".st-key-gallery img").first).to_be_visible(timeout=60_000)
        keep(page, "browse")
        page.goto("/learn?step=4&done=1,2,3&guesses=hidden.0")
        at_rest(page)
        press(page, "learn-train-hidden")
        expect(page.locator(".st-key-learn-train-hidden")).to_contain_text("again", timeout=120_000)
        expect(page.locator(".st-key-learn-units .bars path").first).to_be_visible(timeout=60_000)
        page.mouse.move(WIDTH - 1, HEIGHT - 1)
        keep(page, "learn")
        press(page, "learn-to-runs")
        expect(page.locator(".st-key-compare-chart .scatterlayer path").first).to_be_visible(timeout=60_000)
        keep(page, "runs")


def icon() -> None:
    """A 7 in white on the app's blue."""
    times = 8  # drawn larger, so that its edges are smooth
    image = Image.new("RGBA", (ICON * times, ICON * times))
    drawn = ImageDraw.Draw(image)
    drawn.rounded_rectangle((0, 0, *image.size), radius=13 * times, fill="#1a5fb4")
    points = [(17 * times, 18 * times), (46 * times, 18 * times), (28 * times, 50 * times)]
    drawn.line(points, fill="white", width=8 * times, joint="curve")
    for point in points:
        drawn.circle(point, 4 * times, fill="white")
    image.resize((ICON, ICON), Image.Resampling.LANCZOS).quantize(32).save(FOLDER / "icon.png", optimize=True)


def main() -> None:
    icon()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        with serving(pathlib.Path(scratch)) as server:
            moment(browser, server)
            drawn(browser, server)
            looked_at(browser, server)


if __name__ == "__main__":
    main()

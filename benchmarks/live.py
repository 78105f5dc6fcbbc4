"""What a network in the browser takes to answer a moving pen, in a real headless Chromium: medians, 95th percentiles.

moved to bars      from a pointer event on Draw's canvas to the frame's new bars
frames a second    that the page paints meanwhile

Each idle and beside busy processes, of which a training is one. Needs playwright and an installed Chromium.
"""

import contextlib
import pathlib
import statistics
import tempfile

from playwright.sync_api import Page, sync_playwright

from benchmarks import busy
from benchmarks.report import parser, print_figures, run
from tests.browser.conftest import CHROMIUM, FLAGS, serving, visiting
from tests.browser.steps import at_rest, choose, corner_and_scale, loop, press

MODELS = ("mlp", "cnn")
# Notes how long after the first pointer event that it answers each answer stands there, and counts the frames.
WATCH = """() => {
    window.taken = []; window.frames = 0; window.begin = performance.now()
    let moved = null
    document.addEventListener('pointermove', () => { moved ??= performance.now() }, true)
    const live = document.querySelector('[data-testid=live-answer]')
    new MutationObserver(() => {
        if (moved !== null) taken.push(performance.now() - moved)
        moved = null
    }).observe(live, { attributeFilter: ['data-count'] })
    const paint = () => { frames += 1; requestAnimationFrame(paint) }
    requestAnimationFrame(paint)
}"""
READ = "() => ({ taken, rate: 1000 * frames / (performance.now() - begin) })"


def drawing(page: Page, model: str, rounds: int) -> dict[str, float]:
    """Milliseconds from pointer to bars, and frames a second, while eights are drawn."""
    page.goto("/")
    at_rest(page)
    choose(page, "Model", model)
    at_rest(page)
    page.wait_for_timeout(1_000)
    page.evaluate(WATCH)
    x, y, scale = corner_and_scale(page)
    for _ in range(rounds):
        for half in (loop(140, 90, 42, 45), loop(140, 188, 52, 52)):
            page.mouse.move(x + half[0][0] * scale, y + half[0][1] * scale)
            page.mouse.down()
            for to_x, to_y in half[1:]:
                page.mouse.move(x + to_x * scale, y + to_y * scale, steps=3)
                page.wait_for_timeout(16)
            page.mouse.up()
        press(page, "clear")
        page.wait_for_timeout(300)
    found = page.evaluate(READ)
    taken = sorted(found["taken"])
    return {
        "median": statistics.median(taken),
        "p95": taken[int(len(taken) * 0.95)],
        "frames a second": found["rate"],
    }


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--rounds", type=int, default=6, help="digits drawn for each figure; default 6")
    args = arguments.parse_args()
    figures: dict[str, float | str] = {}
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        with serving(pathlib.Path(scratch)) as server, visiting(browser, server, height=720) as page:
            for count in (0, *busy.COUNTS):
                with busy.beside(count) if count else contextlib.nullcontext():
                    for model in MODELS:
                        found = drawing(page, model, args.rounds)
                        where = busy.COUNTS.get(count, "idle")
                        figures[f"{model}, {where}: moved to bars, ms"] = (
                            f"{found['median']:.1f}, p95 {found['p95']:.1f}"
                        )
                        figures[f"{model}, {where}: frames a second"] = round(found["frames a second"], 1)
    print_figures(figures, args.json)


if __name__ == "__main__":
    run(main)

"""How soon the Inside page shows each of its pictures, in a real headless Chromium: `python -m benchmarks.inside`.

For each shipped model and each section, the median milliseconds from a click on the section to its picture, on a test
image, once model and section have been seen. What is worked out in the background is not waited for.

Needs playwright and an installed Chromium; Linux or macOS.
"""

import pathlib
import statistics
import sys
import tempfile

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.report import parser, print_figures, run
from mnist_core.reading import catalog
from tests.browser.conftest import CHROMIUM, FLAGS, Server, serving, visiting
from tests.browser.steps import at_rest

# What a section has when it is there: its name on the page, and an element that no other section has.
SECTIONS = {
    "From ink to input": ".st-key-ink-steps img",
    "Through the layers": ".st-key-layers-softmax .bars path",
    "One unit's arithmetic": ".st-key-unit-sum",
    "Weights": ".st-key-weights img",
    "Why this digit": ".st-key-why img",
    "The space": ".st-key-space-map .scatterlayer path",
    "Break it": ".st-key-damage-probabilities .bars path",
}
CLICKS = 7  # on each section
# Clicks, and gives the milliseconds until the element is on the page.
CLICK = """(button, wanted) => new Promise(done => {
    const begin = performance.now();
    new MutationObserver((_, observer) => {
        if (document.querySelector(wanted)) { observer.disconnect(); done(performance.now() - begin); }
    }).observe(document.body, {subtree: true, childList: true, attributes: true});
    button.click();
})"""


def main() -> None:
    args = parser(__doc__).parse_args()
    if not CHROMIUM:
        print("no Chromium is installed", file=sys.stderr)
        sys.exit(2)
    figures: dict[str, float | str] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        with serving(pathlib.Path(folder)) as server:
            for model in catalog.shipped():
                figures |= {f"{model}: {title}": value for title, value in _look(browser, server, model).items()}
        browser.close()
    print_figures(figures, args.json)


def _look(browser: Browser, server: Server, model: str) -> dict[str, float]:
    """The median milliseconds of each section."""
    taken: dict[str, list[float]] = {title: [] for title in SECTIONS}
    with visiting(browser, server) as page:
        page.goto(f"/inside?section=damage&model={model}&image=0")
        at_rest(page)
        for turn in range(CLICKS + 1):
            for title, wanted in SECTIONS.items():
                milliseconds = page.get_by_role("radio", name=title).evaluate(CLICK, wanted)
                _rest(page)
                if turn:
                    taken[title].append(milliseconds)
    return {title: statistics.median(values) for title, values in taken.items()}


def _rest(page: Page) -> None:
    """Until the page has settled, and what goes on behind a section that is left has been dropped."""
    at_rest(page)
    page.wait_for_timeout(500)


if __name__ == "__main__":
    run(main)

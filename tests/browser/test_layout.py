"""What holds for every page with all that it can have: it fits, wide and narrow, is themed, and can be used by all."""

import contextlib
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from mnist_core import mnist_files
from mnist_core.config import TrainConfig
from mnist_core.course import trainings
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.training import train_run
from mnist_core.search import space
from mnist_core.search.driver import drive
from mnist_core.search.settings import SearchConfig
from mnist_core.search.study import SearchStore
from tests.browser.conftest import PHONE, opened, serving
from tests.browser.steps import at_rest, wait_until
from tests.search.conftest import Here

WIDE: ViewportSize = {"width": 1280, "height": 900}
BACKGROUNDS: dict[Literal["light", "dark"], str] = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 23, 29)"}
SCREENS = 3.5 if mnist_files.missing() else 3  # of a phone, that a page may be long; the sample is spoken of everywhere

# Rows of images that scroll on a phone: a container of Streamlit's takes no tabindex, and most browsers need none.
SCROLLING = ("st-key-judged", "st-key-only-right")


class Full(NamedTuple):
    """A visit to an app with the runs of the course and a search that has ended."""

    page: Page
    classic: str
    convolutions: str
    course: str  # all of its runs, as its address has them


@pytest.fixture(scope="module")
def full(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    with (
        serving(tmp_path_factory.mktemp("full")) as server,
        contextlib.closing(browser.new_context(base_url=server.address)) as visitor,
        pytest.MonkeyPatch.context() as patch,
    ):
        runs, ids = RunStore(server.runs_dir), {}
        data = "sample" if mnist_files.missing() else "mnist"
        for step in ("linear", "hidden", "classic", "convolution"):
            for name, trained in trainings.trainings(step, data).items():
                run = runs.create(trained)
                list(train_run(run))
                ids[name] = run.id
        patch.setattr("mnist_core.search.driver.POLL", 0)
        varied = tuple(map(space.parse_dimension, ("lr=0.001..0.1", "batch_size=16..128", "hidden=8..32")))
        around = TrainConfig(data="sample", hidden=(8,), epochs=2, device="cpu")
        search = SearchStore(runs).create("one", SearchConfig(around, varied, trials=12))
        list(drive(search, Here()))
        with opened(visitor) as page:
            yield Full(page, ids["the classic"], ids["convolutions"], ",".join(ids.values()))


# By the address of a page: what is seen of it last.
PAGES = {
    "/": "[data-testid=live-digit]",
    "/handwriting": "[data-testid=live-digit]",
    "/learn": "canvas.upper-canvas",
    "/train": ".st-key-train-start button",
    "/search": "h1",
    "/browse": ".st-key-gallery img",
    "/runs": "h1",
    "/inside?section=network&model=cnn&image=12": ".lab-answer",
}
# And of pages with all that they can have.
WITH_RUNS = {
    "/train?run={classic}": ".st-key-judged img",
    "/search?search=one": ".st-key-search-trials [data-testid=stDataFrame] canvas",
    "/runs": "[data-testid=stDataFrame] canvas",
    "/runs?compare={classic},{convolutions}": ".st-key-compared-images img",
    "/runs?run={classic}": ".st-key-accuracy-curves canvas",
    **{f"/learn?step={step}&runs={{course}}": "h2" for step in (2, 5, 6, 7, 9, 10, 12)},
    **{f"/learn?step={step}&runs={{course}}": "[data-testid=stImage] img" for step in (3, 4, 8)},
    "/learn?step=11&runs={course}": ".st-key-learn-accuracies canvas",
    "/learn?step=13&runs={course}": ".st-key-learn-keep-network",
    "/inside?section=ink&model=cnn&image=12": ".st-key-ink-worth .bars path",
    "/inside?section=layers&model=cnn&image=12": ".st-key-layers-softmax .bars path",
    "/inside?section=unit&model=cnn&image=12": ".st-key-unit-pictures img",
    "/inside?section=weights&model=cnn&image=12": ".st-key-weights img",
    "/inside?section=why&model=cnn&image=12": ".st-key-inside-answer",
    "/inside?section=space&model=cnn&image=12": ".st-key-space-nearest img",
    "/inside?section=damage&model=cnn&image=12": ".st-key-inside-answer",
}


@pytest.mark.parametrize("address", PAGES)
def test_a_page_fits_is_themed_and_can_be_used_by_all(page: Page, address: str) -> None:
    check(page, address, PAGES[address])


@pytest.mark.slow
@pytest.mark.parametrize("address", WITH_RUNS)
def test_a_full_page_fits_is_themed_and_can_be_used_by_all(full: Full, address: str) -> None:
    check(full.page, address.format(**full._asdict()), WITH_RUNS[address])


def check(page: Page, address: str, last: str) -> None:
    """On a wide screen and on a phone, in both themes, each time once the `last` of the page is there."""
    look(page, "light", WIDE)
    page.goto(address)
    for scheme, background in BACKGROUNDS.items():
        for screen in (WIDE, PHONE):
            look(page, scheme, screen)
            rest(page, last)
            assert theme(page) == background
            assert lasting(page) == []
            wait_until(page, lambda screen=screen: size(page)[0] <= screen["width"])  # type: ignore[misc]
    assert size(page)[1] <= SCREENS * PHONE["height"]
    assert page.locator("[data-testid=stMain] :is(img:not([alt]), img[alt=''])").count() == 0


def look(page: Page, scheme: Literal["light", "dark"], screen: ViewportSize) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(screen)


def rest(page: Page, last: str) -> None:
    at_rest(page)
    expect(page.locator(last).first).to_be_attached(timeout=60_000)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    at_rest(page)


def theme(page: Page) -> str:
    return str(page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).backgroundColor"))


def size(page: Page) -> tuple[int, int]:
    """Width and height of all that can be scrolled to, in pixels."""
    width, height = page.get_by_test_id("stMain").evaluate("main => [main.scrollWidth, main.scrollHeight]")
    return width, height


def lasting(page: Page) -> list[str]:
    """What is serious and stays: while a page is put up, texts fade in, and a canvas is not as wide as its place."""
    for _ in range(10):
        problems = serious(page)
        if not problems:
            break
        page.wait_for_timeout(1_000)
    return problems


def serious(page: Page) -> list[str]:
    """What axe-core finds on the page that keeps somebody from using it."""
    response: dict[str, Any] = Axe().run(page).response
    return [
        f"{violation['id']}: {node['html']}"
        for violation in response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
        if not (violation["id"] == "scrollable-region-focusable" and any(key in node["html"] for key in SCROLLING))
    ]

"""All pages as a visitor finds them, in a real browser."""

import contextlib
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from mnist_core import config, mnist_files
from mnist_core.config import TrainConfig
from mnist_core.course import trainings
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.training import train_run
from mnist_core.search import space
from mnist_core.search.driver import drive
from mnist_core.search.settings import SearchConfig
from mnist_core.search.study import SearchStore
from tests.browser.conftest import PHONE, Server, opened, serving, visiting
from tests.browser.steps import (
    ONE,
    ZERO,
    answer,
    at_rest,
    draw,
    fill,
    press,
    status,
    switch_to,
    wait_until,
)
from tests.search.conftest import Here

PAGES = {
    "/": "Draw a digit",
    "/learn": "Learn",
    "/train": "Train a network",
    "/browse": "Browse the images",
    "/inside": "Inside the network",
    "/runs": "Runs",
}


def test_two_visitors_do_not_mix(browser: Browser, server: Server) -> None:
    with visiting(browser, server) as one, visiting(browser, server) as other:
        for page in (one, other):
            page.goto("/")
            at_rest(page)
        draw(one, ONE)
        expect(answer(one)).to_have_text("1")
        expect(answer(other)).to_have_text("")
        draw(other, ZERO)
        expect(answer(other)).to_have_text("0")
        switch_to(one, "Train")
        switch_to(other, "Train")
        fill(one, "Epochs (passes)", "7")
        expect(one).to_have_url(re.compile("epochs=7"))
        other.get_by_text("More", exact=True).click()
        fill(other, "Seed", "3")
        expect(other).to_have_url(re.compile(r"\?(?!.*epochs).*seed=3"))


def test_a_click_on_a_confusion_cell_shows_its_images_beside_it(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto("/browse")
    at_rest(page)
    expect(page.locator(".st-key-gallery")).to_be_visible(timeout=60_000)
    at_rest(page)
    box = page.locator(".st-key-confusion .nsewdrag").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.35, box["y"] + box["height"] * 0.35)  # a true 3, read as 3
    expect(page.get_by_label("True digit", exact=True)).to_have_value("3")
    expect(page.get_by_label("Read as", exact=True)).to_have_value("3")
    expect(page.locator(".st-key-confusion .shapelayer path")).to_have_count(1)
    at_rest(page)
    expect(page.locator(".st-key-confusion .shapelayer path")).to_be_in_viewport()
    pictures = page.locator(".st-key-gallery img")
    expect(pictures.first).to_be_in_viewport(ratio=1)
    pictures.first.click()
    large = page.locator(".st-key-large")
    expect(large).to_contain_text("a true 3")
    at_rest(page)  # a key that comes while a script runs is lost
    first = large.inner_text()
    page.keyboard.press("ArrowRight")
    wait_until(page, lambda: large.inner_text() != first)
    at_rest(page)
    page.keyboard.press("ArrowLeft")
    wait_until(page, lambda: large.inner_text() == first)
    expect(page).to_have_url(re.compile(r"outcome=any&true=3&read=3&image=\d+$"))
    page.reload()
    at_rest(page)
    wait_until(page, lambda: large.inner_text() == first)
    press(page, "open-in-draw")
    expect(page.get_by_text("a true 3; draw to replace it")).to_be_visible()
    expect(answer(page)).not_to_have_text("")


def test_without_mnist_the_pages_work_on_the_sample(browser: Browser, tmp_path) -> None:
    with serving(tmp_path, MNIST_ROOT=str(tmp_path / "nothing")) as served, visiting(browser, served) as page:
        page.goto("/browse")
        at_rest(page)
        expect(page.get_by_text("MNIST is not on this machine")).to_be_visible()
        expect(page.get_by_text(f"images of {config.SAMPLE_IN_WORDS}")).to_be_visible(timeout=60_000)
        expect(page.locator(".st-key-gallery")).to_be_visible()
        switch_to(page, "Train")
        expect(page.locator(".st-key-download button")).to_be_visible()
        press(page, "train-start")
        expect(status(page)).to_contain_text("finished", timeout=60_000)
        expect(page.get_by_text(config.SAMPLE_IN_WORDS).first).to_be_visible()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes(page: Page, path: str, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(path)
    at_rest(page)
    expect(page.get_by_role("heading", name=PAGES[path])).to_be_visible()
    color = page.locator("[data-testid=stApp]").evaluate("app => getComputedStyle(app).backgroundColor")
    assert color == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 23, 29)"}[scheme]


@pytest.mark.parametrize("path", PAGES)
def test_a_phone_shows_all_without_scrolling_sideways(phone: Page, path: str) -> None:
    phone.goto(path)
    at_rest(phone)
    expect(phone.get_by_role("heading", name=PAGES[path])).to_be_visible()
    main = phone.locator("[data-testid=stMain]")
    assert main.evaluate("main => main.scrollWidth") <= 390
    if path == "/":
        draw(phone, ONE)
        expect(answer(phone)).to_have_text("1")
        expect(answer(phone)).to_be_visible()


class Full(NamedTuple):
    """A served app with the runs of the course and a search that has ended, as a visitor with a phone sees it."""

    phone: BrowserContext
    classic: str
    convolutions: str
    course: str  # all of its runs, as its address has them


@pytest.fixture(scope="module")
def full(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    data = "sample" if mnist_files.missing() else "mnist"
    with (
        serving(tmp_path_factory.mktemp("full")) as server,
        contextlib.closing(browser.new_context(base_url=server.address, viewport=PHONE)) as phone,
        pytest.MonkeyPatch.context() as patch,
    ):
        runs, ids = RunStore(server.runs_dir), {}
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
        yield Full(phone, ids["the classic"], ids["convolutions"], ",".join(ids.values()))


# By the address of a page with all that it can have: what is seen of it last.
LAST = {
    "/": "[data-testid=live-digit]",
    "/handwriting": "[data-testid=live-digit]",
    "/train": ".st-key-train-start button",
    "/train?run={classic}": ".st-key-judged img",
    "/search?search=one": ".st-key-search-trials [data-testid=stDataFrame] canvas",
    "/browse": ".st-key-gallery img",
    "/runs": "[data-testid=stDataFrame] canvas",
    "/runs?compare={classic},{convolutions}": ".st-key-compared-images img",
    "/runs?run={classic}": ".st-key-accuracy-curves canvas",
    **{f"/learn?step={step}&runs={{course}}": "[data-testid=stImage] img" for step in (3, 4, 8)},
    "/learn?step=11&runs={course}": ".st-key-learn-accuracies canvas",
    "/learn?step=13&runs={course}": ".st-key-learn-keep-network",
    "/inside?section=ink&model=cnn&image=12": ".st-key-ink-worth .bars path",
    "/inside?section=layers&model=cnn&image=12": ".st-key-layers-softmax .bars path",
    "/inside?section=unit&model=cnn&image=12": ".st-key-unit-pictures img",
    "/inside?section=space&model=cnn&image=12": ".st-key-space-nearest img",
}


@pytest.mark.parametrize("address", LAST)
def test_no_page_is_long_on_a_phone(full: Full, address: str) -> None:
    with opened(full.phone) as page:
        page.goto(address.format(**full._asdict()))
        at_rest(page)
        expect(page.locator(LAST[address]).first).to_be_attached(timeout=60_000)
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
        at_rest(page)
        assert page.locator("[data-testid=stMain]").evaluate("main => main.scrollHeight") <= 2_500

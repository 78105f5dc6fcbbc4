"""What holds for all pages: the way between them on a phone, their controls there, and what the browser asks for."""

import contextlib
import re
import urllib.parse

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, visiting
from tests.browser.steps import SEVEN, at_rest, draw, fill, kept, visit, wait_until
from tests.conftest import needs_mnist

TITLES = ("Draw", "Handwriting", "Learn", "Train", "Search", "Browse", "Runs", "Inside")
PATHS = ("/", *(f"/{title.lower()}" for title in TITLES[1:]))


@pytest.mark.slow
def test_a_phone_has_all_pages_in_a_bar(browser: Browser, server: Server) -> None:
    with visiting(browser, server, width=390, height=844, has_touch=True) as page:
        page.goto("/train")
        at_rest(page)
        bar = page.locator(".st-key-phone-navigation")
        expect(bar.get_by_role("link")).to_have_count(len(TITLES))
        expect(page.get_by_role("button", name="Expand sidebar")).to_have_count(0)
        for title in TITLES:
            box = bar.get_by_role("link", name=title, exact=True).bounding_box()
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
            assert box["y"] + box["height"] <= 844
        for title in ("Runs", "Browse", "Search"):  # none has a canvas, whose first report may lose a tap
            bar.get_by_role("link", name=title, exact=True).tap()
            expect(page.locator("[data-testid=stMain] h1")).to_contain_text(title)
            at_rest(page)
            assert is_uncovered(page, "[data-testid=stMain] h1")
            page.reload()
            at_rest(page)
            assert is_uncovered(page, "[data-testid=stMain] h1")


def test_visitors_who_open_a_new_server_together_all_come_to_the_app(browser: Browser, fresh_server: Server) -> None:
    with contextlib.ExitStack() as visitors:
        pages = [visitors.enter_context(visiting(browser, fresh_server)) for _ in range(3)]
        for page, path in zip(pages, ("/train", "/inside", "/runs"), strict=True):
            page.goto(path, wait_until="commit")
        for page in pages:
            expect(page.get_by_test_id("stTopNavLink")).to_have_count(len(TITLES), timeout=60_000)


def is_uncovered(page: Page, selector: str) -> bool:
    """Whether nothing lies over the element."""
    return bool(
        page.locator(selector).evaluate(
            """element => {
                const { left, top, width, height } = element.getBoundingClientRect()
                return element.contains(document.elementFromPoint(left + width / 2, top + height / 2))
            }"""
        )
    )


def test_on_a_phone_the_hyperparameters_are_behind_settings(browser: Browser, server: Server) -> None:
    with visiting(browser, server, width=390, height=844, has_touch=True) as page:
        visit(page, "/train?data=sample")
        rate = page.get_by_label("Learning rate", exact=True)
        expect(rate).not_to_be_in_viewport()
        page.get_by_role("button", name="Settings").tap()
        expect(rate).to_be_in_viewport()
        fill(page, "Learning rate", "0.02")
        page.get_by_role("button", name="Collapse sidebar").tap()
        expect(rate).not_to_be_in_viewport()
        expect(page).to_have_url(re.compile(r"lr=0\.02"))
        expect(page.locator(".st-key-train-start button")).to_be_in_viewport()


def test_a_hyperparameter_behind_more_can_be_set_and_is_said(page: Page) -> None:
    visit(page, "/train?data=sample")
    expect(page.get_by_label("Batch size (images)", exact=True)).to_be_hidden()
    page.get_by_text("More", exact=True).click()
    fill(page, "Batch size (images)", "64")
    expect(page.get_by_text("Set in More: Batch size 64.")).to_be_visible()
    expect(page).to_have_url(re.compile("batch_size=64"))


@pytest.mark.slow
@needs_mnist
def test_no_request_leaves_the_machine_and_none_fails(browser: Browser, server: Server) -> None:
    with visiting(browser, server) as page:
        elsewhere, failed, said = [], [], []
        host = urllib.parse.urlsplit(server.address).netloc
        page.on("request", lambda request: is_elsewhere(request.url, host) and elsewhere.append(request.url))
        page.on("response", lambda response: response.status >= 400 and failed.append(response.url))
        page.on("console", lambda message: message.type == "error" and said.append(message.location["url"]))
        for path in PATHS:
            page.goto(path)
            at_rest(page)
        visit(page, "/")
        draw(page, SEVEN)
        kept(page)
        page.reload()
        at_rest(page)
        wait_until(page, lambda: bool(page.evaluate("document.fonts.status === 'loaded'")))
        assert elsewhere == []
        assert failed + said == []


def is_elsewhere(url: str, host: str) -> bool:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != host

"""All pages as a visitor finds them, in a real browser."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from mnist_core import config
from tests.browser.conftest import Server, serving, visiting
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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

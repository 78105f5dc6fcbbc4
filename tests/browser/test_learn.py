"""The course as a visitor takes it, in a real browser."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import SEVEN, at_rest, draw, kept, press, visit

STEPS = 13


def go(page: Page, step: int) -> None:
    page.get_by_label("Step", exact=True).click()
    page.get_by_role("option").filter(has_text=re.compile(rf"(^|\s){step}\. ")).click()
    expect(heading(page)).to_contain_text(f"{step}. ")
    at_rest(page)


def go_on(page: Page, step: int) -> None:
    """Press Next, which leads to that step."""
    press(page, "learn-next")
    expect(heading(page)).to_contain_text(f"{step}. ")
    at_rest(page)


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=2).first


def point(page: Page, row: int, column: int, *, drag_to: tuple[int, int] | None = None) -> None:
    """Point at a pixel of the image that can be pointed at, and drag from there."""
    image = page.locator("canvas.lab-pixels")
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    assert box
    size = box["width"] / 28
    page.mouse.move(box["x"] + (column + 0.5) * size, box["y"] + (row + 0.5) * size)
    page.mouse.down()
    if drag_to:
        page.mouse.move(box["x"] + (drag_to[1] + 0.5) * size, box["y"] + (drag_to[0] + 0.5) * size, steps=8)
    page.mouse.up()


def test_the_course_from_ones_own_digit_to_what_is_kept(page: Page) -> None:
    visit(page, "/learn")
    draw(page, SEVEN)
    kept(page)
    page.get_by_role("radiogroup", name="Which digit").get_by_text("7", exact=True).click()
    expect(page).to_have_url(re.compile(r"digit=7\."))
    expect(page.get_by_test_id("stMain")).to_contain_text("Your 7 as a network sees it")
    go_on(page, 2)
    point(page, 9, 13)
    expect(page.get_by_test_id("stMain")).to_contain_text("is number 265 of the line")
    page.locator("canvas.lab-pixels").press("ArrowRight")
    expect(page.get_by_test_id("stMain")).to_contain_text("is number 266 of the line")
    go_on(page, 3)
    expect(page.locator(".st-key-learn-train-linear button")).to_be_disabled()
    page.locator(".st-key-learn-guess-linear").get_by_text("90 to 95 %").click()
    press(page, "learn-train-linear")
    expect(page.locator(".st-key-learn-accuracies canvas")).to_be_visible(timeout=60_000)
    expect(page.locator(".st-key-learn-train-linear")).to_contain_text("Train again", timeout=120_000)
    expect(page.get_by_test_id("stMain")).to_contain_text("784 pixels: your 7")
    expect(page).to_have_url(re.compile(r"step=3&done=1%2C2&runs=[\w-]+&guesses=linear\.1&digit=7\."))
    page.reload()
    at_rest(page)
    expect(heading(page)).to_contain_text("3. ")
    expect(page.locator(".st-key-learn-train-linear")).to_contain_text("Train again")
    expect(page.get_by_test_id("stMain")).to_contain_text("784 pixels: your 7")
    go(page, STEPS)
    expect(page.get_by_role("table").last).to_contain_text("Reads in your 7")
    with page.expect_download() as download:
        page.locator(".st-key-learn-keep-network button").click()
    assert download.value.suggested_filename == "my-network.html"
    assert "<canvas" in download.value.path().read_text(encoding="utf-8")


def test_next_at_once_after_the_last_stroke_takes_the_drawing_along(page: Page) -> None:
    visit(page, "/learn")
    draw(page, SEVEN)
    page.locator(".st-key-learn-next button").click()
    expect(heading(page)).to_contain_text("2. ")
    expect(page).to_have_url(re.compile(r"step=2&done=1&digit=\."))


@pytest.mark.slow
def test_a_kernel_is_dragged_over_the_image(page: Page) -> None:
    visit(page, "/learn")
    draw(page, SEVEN)
    kept(page)
    go(page, 11)
    page.get_by_role("radiogroup", name="Kernel").get_by_text("blur", exact=True).click()  # ink adds up to more than 0
    at_rest(page)
    total = page.get_by_test_id("stMetricValue").first
    expect(total).not_to_have_text("0.00")
    kept(page)  # until nothing moves under the mouse
    point(page, 3, 3)
    expect(total).to_have_text("0.00")  # nothing is written in the corner
    kept(page)
    point(page, 3, 3, drag_to=(9, 15))
    expect(total).not_to_have_text("0.00")


def test_the_last_test_is_another_drawing(page: Page) -> None:
    visit(page, "/learn?step=12")
    draw(page, SEVEN)
    expect(page.locator(".st-key-learn-answers [data-testid=stMetricValue]").first).to_have_text("7")


def test_the_next_step_is_seen_from_its_top(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 700})
    page.goto("/learn?step=5&guesses=loss.0")
    at_rest(page)
    press(page, "learn-seed-next")
    at_rest(page)
    expect(heading(page)).not_to_be_in_viewport()  # what is done on the page leaves it where it is
    go_on(page, 6)
    expect(heading(page)).to_be_in_viewport()

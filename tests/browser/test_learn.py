"""The course as a visitor takes it, in a real browser."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, visiting
from tests.browser.steps import SEVEN, at_rest, draw, fill, press

STEPS = 13


def go(page: Page, step: int) -> None:
    page.get_by_label("Step", exact=True).click()
    page.get_by_role("option").filter(has_text=re.compile(rf"(^|\s){step}\. ")).click()
    expect(page.get_by_role("heading", level=2).first).to_contain_text(f"{step}. ")
    at_rest(page)


def done(page: Page) -> str:
    return page.get_by_test_id("stProgress").first.inner_text()


def test_the_course_from_pixels_to_ones_own_digit(page: Page) -> None:
    page.goto("/learn")
    at_rest(page)
    page.get_by_role("radiogroup", name="Digit").get_by_text("3", exact=True).click()
    expect(page).to_have_url(re.compile(r"done=1$"))
    press(page, "learn-next")
    expect(page.get_by_role("heading", level=2).first).to_contain_text("2. ")
    at_rest(page)
    fill(page, "Row", "9")
    expect(page).to_have_url(re.compile(r"step=2&done=1%2C2$"))
    go(page, 3)
    press(page, "learn-train-linear")
    expect(page.locator(".st-key-learn-accuracies canvas")).to_be_visible(timeout=60_000)
    expect(page.locator(".st-key-learn-train-linear")).to_contain_text("Train again", timeout=120_000)
    expect(page.get_by_test_id("stMetricLabel")).to_contain_text("Test accuracy, linear")
    expect(page).to_have_url(re.compile(r"done=1%2C2%2C3$"))
    page.reload()
    at_rest(page)
    expect(page.get_by_role("heading", level=2).first).to_contain_text("3. ")
    expect(page.get_by_test_id("stProgress").first).to_contain_text(f"3 of {STEPS} done")
    expect(page.locator(".st-key-learn-train-linear")).to_contain_text("Train again")
    go(page, 12)
    draw(page, SEVEN)
    expect(page.locator(".st-key-learn-answers [data-testid=stMetricValue]").first).to_have_text("7")
    expect(page.get_by_test_id("stProgress").first).to_contain_text(f"4 of {STEPS} done")


def test_the_next_step_is_seen_from_its_top(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 700})
    page.goto("/learn?step=5")
    at_rest(page)
    heading = page.get_by_role("heading", level=2).first
    press(page, "learn-seed-next")
    expect(page).to_have_url(re.compile(r"done=5$"))
    at_rest(page)
    expect(heading).not_to_be_in_viewport()  # what is done on the page leaves it where it is
    press(page, "learn-next")
    expect(heading).to_contain_text("6. ")
    at_rest(page)
    expect(heading).to_be_in_viewport()


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_each_step_fits_a_phone(browser: Browser, server: Server, step: int) -> None:
    with visiting(browser, server, width=390, height=844) as page:
        page.goto(f"/learn?step={step}")
        at_rest(page)
        expect(page.get_by_role("heading", level=2).first).to_contain_text(f"{step}. ")
        sideways = "document.querySelector('[data-testid=stMain]')"
        assert page.evaluate(f"{sideways}.scrollWidth <= {sideways}.clientWidth")

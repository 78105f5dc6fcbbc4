"""The app as a visitor uses it, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from mnist_core import mnist_files

Points = list[tuple[int, int]]
ONE: Points = [(140, 40), (138, 140), (135, 240)]
ZERO: Points = [(140, 40), (95, 70), (75, 140), (95, 210), (140, 240), (185, 210), (205, 140), (185, 70), (140, 40)]


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


def answer(page: Page):
    return page.locator(".st-key-answer [data-testid=stMetricValue]")


def at_rest(page: Page) -> None:
    """Wait until no script runs: a canvas that is still being set up loses its first stroke."""
    expect(page.locator(".st-key-answer")).to_be_visible(timeout=60_000)
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")


@pytest.mark.parametrize(("points", "digit"), [(ONE, "1"), (ZERO, "0")])
def test_a_drawn_digit_is_read(page: Page, points: Points, digit: str) -> None:
    page.goto("/")
    at_rest(page)
    expect(page.locator(".st-key-answer")).to_contain_text("Draw a digit.")
    draw(page, points)
    expect(answer(page)).to_have_text(digit, timeout=60_000)
    expect(page.locator(".st-key-seen img")).to_be_visible()
    expect(page.locator(".st-key-probabilities .bars path")).to_have_count(10)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".st-key-answer")).to_contain_text("Draw a digit.")


def test_a_training_is_started_and_its_curve_grows(page: Page) -> None:
    page.goto("/train")
    page.get_by_label("Data", exact=True).wait_for()
    choose(page, "Model", "cnn")
    choose(page, "Data", "sample" if mnist_files.missing() else "mnist")
    fill(page, "Epochs (passes)", "200")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".st-key-run-status")).to_contain_text("running", timeout=60_000)
    expect(page).to_have_url(re.compile(r"run=\d{8}-\d{6}-cnn-"))
    expect(page.locator(".st-key-curves canvas")).to_be_visible()
    first = steps_done(page)
    page.wait_for_function(
        "before => parseFloat(document.querySelector('[role=progressbar]').ariaValueNow) > before", arg=first
    )
    page.reload()
    expect(page.locator(".st-key-run-status")).to_contain_text("running")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".st-key-run-status")).to_contain_text("stopped")
    expect(page.get_by_role("button", name="Start")).to_be_enabled()


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option).click()


def fill(page: Page, label: str, value: str) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")


def steps_done(page: Page) -> float:
    bar = page.get_by_role("progressbar")
    expect(bar).to_be_visible(timeout=60_000)
    return float(bar.get_attribute("aria-valuenow") or 0)

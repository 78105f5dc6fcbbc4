"""Drawing as a visitor does it, in a real browser."""

import pathlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Server, opened, visiting
from tests.browser.steps import (
    BAR,
    FOUR,
    LETTER_K,
    ONE,
    SEVEN,
    WRITTEN,
    ZERO,
    Points,
    answer,
    at_rest,
    draw,
    ink,
    press,
    switch_to,
    wait_until,
)


@pytest.mark.parametrize(("points", "digit"), [(ONE, "1"), (ZERO, "0")])
def test_a_drawn_digit_is_read(page: Page, points: Points, digit: str) -> None:
    page.goto("/")
    at_rest(page)
    expect(page.locator(".st-key-answer")).to_contain_text("Draw a digit.")
    draw(page, points)
    expect(answer(page)).to_have_text(digit, timeout=60_000)
    expect(page.locator(".st-key-answer")).not_to_contain_text("Not sure this is a digit")
    expect(page.locator(".st-key-seen img")).to_be_visible()
    expect(page.locator(".st-key-probabilities .bars path")).to_have_count(10)
    press(page, "clear")
    expect(page.locator(".st-key-answer")).to_contain_text("Draw a digit.")


@pytest.fixture(scope="module")
def at_the_canvas(visitor: BrowserContext) -> Iterator[Page]:
    """Draw, opened once for tests that only draw and look at the answer."""
    with opened(visitor) as page:
        page.goto("/")
        at_rest(page)
        yield page


@pytest.mark.parametrize("form", WRITTEN)
def test_digits_are_read_in_every_form(at_the_canvas: Page, form: str) -> None:
    digit, strokes = WRITTEN[form]
    draw_anew(at_the_canvas, strokes)
    expect(answer(at_the_canvas)).to_have_text(digit, timeout=60_000)


def test_a_letter_is_doubted(at_the_canvas: Page) -> None:
    draw_anew(at_the_canvas, LETTER_K)
    expect(at_the_canvas.locator(".st-key-answer")).to_contain_text("Not sure this is a digit", timeout=60_000)
    expect(at_the_canvas.locator(".st-key-probabilities .bars path")).to_have_count(10)


def draw_anew(page: Page, strokes: list[Points]) -> None:
    """Clear the canvas, then draw."""
    if answer(page).count():
        press(page, "clear")
        expect(page.locator(".st-key-seen img")).to_have_count(0)
    for points in strokes:
        draw(page, points)
        at_rest(page)


@pytest.mark.parametrize("switched", [False, True], ids=["", "after a switch of the page"])
@pytest.mark.parametrize("button", ["clear", "undo"])
def test_strokes_drawn_at_once_after_clear_or_undo_are_kept(page: Page, button: str, switched: bool) -> None:
    page.goto("/")
    at_rest(page)
    seen = page.locator(".st-key-seen img")
    for points in FOUR:
        draw(page, points)
    expect(answer(page)).to_have_text("4", timeout=60_000)
    four = seen.get_attribute("src") or ""
    press(page, "clear")
    expect(seen).to_have_count(0)
    for pause in [0] if switched else [0, 50, 100, 200, 300, 500]:  # milliseconds
        if button == "undo":
            draw(page, FOUR[0])
            expect(answer(page)).to_be_visible()
        before = seen.get_attribute("src") if button == "undo" else None
        draw(page, BAR)
        expect(answer(page)).to_be_visible()
        if before:
            expect(seen).not_to_have_attribute("src", before)
        at_rest(page)
        if switched:
            switch_to(page, "Browse")
            switch_to(page, "Draw")
        press(page, button)
        page.wait_for_timeout(pause)
        for points in FOUR[1 if button == "undo" else 0 :]:
            draw(page, points)
        expect(seen).to_have_attribute("src", four)
        press(page, "clear")
        expect(seen).to_have_count(0)


def test_a_stroke_is_taken_back(page: Page) -> None:
    page.goto("/")
    at_rest(page)
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("7")
    before = ink(page)
    draw(page, BAR)
    page.wait_for_function("document.querySelectorAll('.st-key-undo button:not([disabled])').length")
    at_rest(page)
    page.wait_for_timeout(500)  # the canvas sends a while after the pen is up
    at_rest(page)
    assert ink(page) > before
    press(page, "undo")
    wait_until(page, lambda: abs(ink(page) - before) < before / 50)
    expect(answer(page)).to_have_text("7")
    press(page, "undo")
    expect(page.locator(".st-key-answer")).to_contain_text("Draw a digit.")
    draw(page, ONE)
    expect(answer(page)).to_have_text("1")


def test_a_drawing_survives_a_switch_of_the_page(page: Page) -> None:
    page.goto("/")
    at_rest(page)
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("7")
    before = ink(page)
    switch_to(page, "Browse")
    switch_to(page, "Draw")
    expect(answer(page)).to_have_text("7")
    wait_until(page, lambda: abs(ink(page) - before) < before / 50)
    draw(page, BAR)
    wait_until(page, lambda: ink(page) > before * 1.1)
    expect(answer(page)).to_have_text("7")
    page.get_by_text("Compare all").click()
    expect(page.locator(".st-key-compared [data-testid=stMetricValue]").first).to_have_text("7")


def test_several_digits_are_read_as_a_number(at_the_canvas: Page) -> None:
    draw_anew(at_the_canvas, [[(40, 80), (110, 80), (70, 220)], [(200, 80), (200, 220)]])
    expect(answer(at_the_canvas)).to_have_text("71")
    expect(at_the_canvas.get_by_alt_text("The drawing, each digit in a frame")).to_be_visible()


def test_an_uploaded_photo_is_read_on_a_phone(browser: Browser, server: Server, tmp_path: pathlib.Path) -> None:
    page_of_paper = Image.new("L", (1200, 900), 230)
    pen = ImageDraw.Draw(page_of_paper)
    for y in range(60, 900, 90):
        pen.line([(0, y), (1200, y)], fill=190, width=2)
    pen.line([(300, 340), (420, 340), (350, 540)], fill=50, width=14, joint="curve")
    pen.line([(600, 340), (600, 540)], fill=50, width=14)
    light = np.asarray(page_of_paper, np.float32) * np.linspace(1, 0.6, 1200) + np.random.default_rng(0).normal(0, 3)
    Image.fromarray(np.clip(light, 0, 255).astype(np.uint8)).save(tmp_path / "photo.jpg", quality=85)
    (tmp_path / "none.png").write_bytes(b"no image")
    with visiting(browser, server, width=390, height=844) as page:
        page.goto("/")
        at_rest(page)
        page.get_by_test_id("stSegmentedControl").or_(page.get_by_test_id("stButtonGroup")).get_by_text(
            "Upload"
        ).click()
        upload = page.get_by_test_id("stFileUploaderDropzoneInput")
        upload.set_input_files(tmp_path / "none.png")
        expect(page.get_by_text("none.png is not an image of a kind that can be read").first).to_be_visible()
        at_rest(page)
        expect(upload).to_have_count(1)
        upload.set_input_files(tmp_path / "photo.jpg")
        expect(answer(page)).to_have_text("71", timeout=60_000)
        assert page.locator("[data-testid=stMain]").evaluate("main => main.scrollWidth") <= 390

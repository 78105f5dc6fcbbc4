"""Drawing as a visitor does it, in a real browser."""

import base64
import io
import pathlib
import re
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser, BrowserContext, Page, expect

from mnist_core import drawing
from mnist_core.drawing import Pixels
from mnist_core.reading import predictor
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
    choose,
    corner_and_scale,
    draw,
    ink,
    kept,
    picture,
    press,
    switch_to,
    visit,
    wait_until,
)

MINUS = "\N{MINUS SIGN}"


def test_a_drawn_digit_is_read(page: Page) -> None:
    page.goto("/")
    at_rest(page)
    expect(page.get_by_test_id("live-words")).to_have_text("Draw a digit.")
    for points, digit in ((ONE, "1"), (ZERO, "0")):
        expect(answer(page)).to_have_text("")
        draw(page, points)
        expect(answer(page)).to_have_text(digit)
        expect(page.get_by_test_id("live-words")).to_contain_text("% sure")
        expect(page.get_by_test_id("live-network")).to_be_visible()
        press(page, "clear")
    expect(answer(page)).to_have_text("")


def test_the_answer_changes_while_the_pen_is_down(at_the_canvas: Page) -> None:
    page = at_the_canvas
    press(page, "clear")
    x, y, scale = corner_and_scale(page)
    live = page.get_by_test_id("live-answer")
    page.mouse.move(x + 80 * scale, y + 60 * scale)
    page.mouse.down()
    counts = []
    for to_x, to_y in ((200, 60), (160, 150), (120, 240)):
        before = int(live.get_attribute("data-count") or 0)
        page.mouse.move(x + to_x * scale, y + to_y * scale, steps=6)
        wait_until(page, lambda before=before: int(live.get_attribute("data-count") or 0) > before)  # type: ignore[misc]
        counts.append(int(live.get_attribute("data-count") or 0))
    assert counts == sorted(set(counts))
    expect(live).to_have_attribute("data-digit", "7")
    page.mouse.up()


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
    expect(answer(at_the_canvas)).to_have_text(digit)


def test_a_letter_is_said_to_be_no_digit_first(at_the_canvas: Page) -> None:
    draw_anew(at_the_canvas, LETTER_K)
    expect(answer(at_the_canvas)).to_have_text("?")
    expect(at_the_canvas.get_by_test_id("live-answer")).to_have_attribute("data-digit", "?")
    expect(at_the_canvas.get_by_test_id("live-words")).to_contain_text("This looks like no digit (if it were one:")
    expect(at_the_canvas.locator(".lab-is-answer")).to_have_count(0)


def draw_anew(page: Page, strokes: list[Points]) -> None:
    """Clear the canvas, then draw."""
    press(page, "clear")
    expect(answer(page)).to_have_text("")
    for points in strokes:
        draw(page, points)


def test_several_digits_are_read_as_a_number(at_the_canvas: Page) -> None:
    draw_anew(at_the_canvas, [[(40, 80), (110, 80), (70, 220)], [(200, 80), (200, 220)]])
    expect(answer(at_the_canvas)).to_have_text("71", timeout=60_000)
    expect(at_the_canvas.get_by_test_id("framed").locator(".digit span")).to_have_text(["7", "1"])
    press(at_the_canvas, "clear")
    expect(answer(at_the_canvas)).to_have_text("")
    draw(at_the_canvas, ONE)
    expect(answer(at_the_canvas)).to_have_text("1")


def test_the_arithmetic_of_what_is_clicked_is_torchs(at_the_canvas: Page) -> None:
    """The sum that is shown for an output is the logit that torch gives for the same image."""
    page = at_the_canvas
    choose(page, "Model", "mlp")
    draw_anew(page, [SEVEN])
    expect(answer(page)).to_have_text("7")
    kept(page)
    network = page.get_by_test_id("live-network")
    box = network.bounding_box()
    assert box
    network.click(position={"x": box["width"] - 17, "y": box["height"] * 0.75})  # output 7
    words = page.get_by_test_id("live-arithmetic")
    expect(words).to_contain_text("Output 7")
    expect(words).to_contain_text("Speaks for it")
    found = re.search(rf"sum ({MINUS}?[\d.]+)", words.inner_text())
    assert found
    image = drawing.to_mnist(picture(page))
    logits = predictor.load("mlp").logits(torch.from_numpy(image)[None])
    assert float(found[1].replace(MINUS, "-")) == pytest.approx(float(logits[0, 7]), abs=0.06)
    network.click(position={"x": box["width"] - 17, "y": box["height"] * 0.75})
    expect(words).not_to_contain_text("Output 7")
    choose(page, "Model", "cnn")
    expect(answer(page)).to_have_text("7")


def test_all_models_answer_live_by_their_names(at_the_canvas: Page) -> None:
    page = at_the_canvas
    page.get_by_text("Compare all").click()
    compared = page.get_by_test_id("live-compared").locator("> div")
    expect(compared.first).to_contain_text("cnn")
    draw_anew(page, [ONE])
    expect(compared.locator("strong").first).to_have_text("1")
    expect(compared.locator("strong").nth(2)).to_have_text("1")
    page.get_by_text("Compare all").click()
    expect(compared).to_have_count(0)


def test_a_test_image_is_placed_by_keyboard_and_drawn_over(at_the_canvas: Page) -> None:
    page = at_the_canvas
    press(page, "clear")
    expect(answer(page)).to_have_text("")
    button = page.locator(".st-key-draw-test-image [data-testid=stButton] button")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("draw to replace it")).to_be_visible(timeout=60_000)
    expect(answer(page)).not_to_have_text("")
    draw(page, ONE)
    expect(answer(page)).to_have_text("1")
    press(page, "clear")
    expect(answer(page)).to_have_text("")


@pytest.mark.parametrize(
    ("way", "title", "found"),
    [("Why a 7?", "Inside the network", "Your drawing"), ("Train your own", "Train a network", "Start")],
)
def test_ways_lead_on_from_an_answer(page: Page, way: str, title: str, found: str) -> None:
    page.goto("/")
    at_rest(page)
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("7")
    kept(page)
    page.locator(".lab-ways button").filter(has_text=way).click()
    expect(page.locator("[data-testid=stMain] h1")).to_contain_text(title)
    expect(page.get_by_text(found).first).to_be_visible(timeout=60_000)


def test_a_wrong_answer_leads_to_the_images_that_mislead_in_the_same_way(page: Page) -> None:
    page.goto("/")
    at_rest(page)
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("7")
    kept(page)
    page.get_by_role("button", name="It was wrong").click()
    press(page, "draw-alike")
    expect(page.locator("[data-testid=stMain] h1")).to_contain_text("Browse")
    expect(page.get_by_label("Read as", exact=True)).to_have_value("7", timeout=60_000)


@pytest.mark.slow
@pytest.mark.parametrize("switched", [False, True], ids=["", "after a switch of the page"])
@pytest.mark.parametrize("button", ["clear", "undo"])
def test_strokes_drawn_at_once_after_clear_or_undo_are_kept(page: Page, button: str, switched: bool) -> None:
    page.goto("/")
    at_rest(page)
    for points in FOUR:
        draw(page, points)
    expect(answer(page)).to_have_text("4")
    four = picture(page)
    press(page, "clear")
    wait_until(page, lambda: ink(page) == 0)
    for pause in [0] if switched else [0, 100, 300]:  # milliseconds
        if button == "undo":
            draw(page, FOUR[0])
            kept(page)
        draw(page, BAR)
        kept(page)
        if switched:
            switch_to(page, "Browse")
            switch_to(page, "Draw")
        press(page, button)
        page.wait_for_timeout(pause)
        for points in FOUR[1 if button == "undo" else 0 :]:
            draw(page, points)
        wait_until(page, lambda: is_like(picture(page), four))
        kept(page)
        if pause == 0:  # what the server has is the same
            switch_to(page, "Browse")
            switch_to(page, "Draw")
            wait_until(page, lambda: is_like(picture(page), four))
        press(page, "clear")
        wait_until(page, lambda: ink(page) == 0)
        kept(page)


def is_like(one: Pixels, other: Pixels) -> bool:
    """Whether two pictures of the canvas show the same but for the edges of strokes that were painted twice."""
    different = (np.abs(one.astype(int) - other) > 100).sum()
    return bool(different < (other > 200).sum() / 100)


def test_a_stroke_is_taken_back(page: Page) -> None:
    page.goto("/")
    at_rest(page)
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("7")
    kept(page)
    before = ink(page)
    draw(page, BAR)
    kept(page)
    assert ink(page) > before
    press(page, "undo")
    wait_until(page, lambda: abs(ink(page) - before) < before / 50)
    expect(answer(page)).to_have_text("7")
    press(page, "undo")
    expect(answer(page)).to_have_text("")
    draw(page, ONE)
    expect(answer(page)).to_have_text("1")


@pytest.mark.slow
def test_a_drawing_survives_a_switch_of_the_page(page: Page) -> None:
    page.goto("/")
    at_rest(page)
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("7")
    kept(page)
    before = ink(page)
    for other in ("Train", "Browse"):  # one with a canvas of its own, one without
        switch_to(page, other)
        if other == "Train":
            expect(page.get_by_test_id("live-answer")).not_to_have_attribute("data-digit", "", timeout=60_000)
        switch_to(page, "Draw")
        expect(answer(page)).to_have_text("7")
        wait_until(page, lambda: abs(ink(page) - before) < before / 50)
    draw(page, BAR)
    wait_until(page, lambda: ink(page) > before * 1.1)
    expect(answer(page)).to_have_text("7")


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
def test_canvas_answer_and_network_are_above_the_fold(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto("/")
    at_rest(page)
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("7")
    seen = ("canvas.upper-canvas", "[data-testid=live-answer]", "[data-testid=live-network]")
    boxes = [page.locator(selector).bounding_box() for selector in seen]
    assert all(boxes)
    ends = [box["y"] + box["height"] for box in boxes if box]
    canvas = boxes[0]
    assert canvas
    if width > 1000:
        assert canvas["width"] >= 420
        assert max(ends) <= height
    else:
        assert canvas["width"] >= 350
        assert ends[1] <= height
    assert page.locator("[data-testid=stMain]").evaluate("main => main.scrollWidth") <= width


def test_a_number_is_written_on_a_wide_canvas(page: Page) -> None:
    visit(page, "/")
    page.locator(".st-key-draw-wide label").click()
    expect(page.locator("[class*=st-key-canvas-wide] canvas.upper-canvas")).to_be_visible()
    kept(page)  # it reports once after it appears
    assert corner_and_scale(page)[2] == pytest.approx(3)  # 840 pixels
    visible = page.locator("canvas.upper-canvas").bounding_box()
    assert visible
    assert visible["height"] == pytest.approx(320, abs=2)
    for left in (5, 80):
        draw(page, [(left + x // 4, 5 + 3 * y // 8) for x, y in SEVEN])
    expect(page.locator(NUMBER)).to_have_text("77", timeout=60_000)
    expect(page.get_by_test_id("framed").locator(".digit span")).to_have_text(["7", "7"])
    expect(page.get_by_test_id("framed").locator(".digit small").first).to_contain_text("%")
    press(page, "undo")
    expect(page.locator(NUMBER)).to_have_text("7")


NUMBER = ".st-key-answer [data-testid=stMetricValue]"


def test_a_photo_of_lined_paper_is_read_on_a_phone_and_a_finger_chooses_a_part(
    browser: Browser, server: Server, tmp_path: pathlib.Path
) -> None:
    phone_photo("2026").save(tmp_path / "photo.jpg", quality=85)
    (tmp_path / "none.png").write_bytes(b"no image")
    with visiting(browser, server, width=390, height=844, has_touch=True, is_mobile=True) as page:
        visit(page, "/")
        source(page, "Upload")
        upload = page.get_by_test_id("stFileUploaderDropzoneInput")
        upload.set_input_files(tmp_path / "none.png")
        expect(page.get_by_text("none.png is not an image of a kind that can be read").first).to_be_visible()
        at_rest(page)
        expect(upload).to_have_count(1)
        upload.set_input_files(tmp_path / "photo.jpg")
        expect(page.locator(NUMBER)).to_have_text("2026", timeout=60_000)
        framed = page.get_by_test_id("framed")
        expect(framed.locator(".digit span")).to_have_text(list("2026"))
        expect(framed.locator(".digit small").first).to_contain_text("%")
        assert page.locator("[data-testid=stMain]").evaluate("main => main.scrollWidth") <= 390
        last = framed.locator(".digit").last
        last.scroll_into_view_if_needed()
        at_rest(page)
        box = last.bounding_box()
        assert box
        swipe(page, (box["x"] - 8, box["y"] - 12), (box["x"] + box["width"] + 12, box["y"] + box["height"] + 12))
        expect(page.locator(NUMBER)).to_have_text("6", timeout=60_000)
        press(page, "draw-whole")
        expect(page.locator(NUMBER)).to_have_text("2026", timeout=60_000)


def test_a_photo_from_the_camera_is_read(page: Page, camera: pathlib.Path) -> None:
    frame = io.BytesIO()
    phone_photo("2026").crop((0, 300, 1200, 1200)).resize((640, 480)).save(frame, "JPEG", quality=90)
    camera.write_bytes(frame.getvalue() * 30)
    page.context.grant_permissions(["camera"])
    visit(page, "/")
    source(page, "Camera")
    page.wait_for_function("document.querySelector('video')?.currentTime > 0.2")  # it is black before its first frame
    page.get_by_role("button", name="Take Photo").click()
    expect(page.locator(NUMBER)).to_have_text("2026", timeout=60_000)


def test_a_part_of_a_photo_leads_to_inside_with_what_was_dropped(page: Page, tmp_path: pathlib.Path) -> None:
    phone_photo("7").save(tmp_path / "photo.jpg", quality=85)
    visit(page, "/")
    source(page, "Upload")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(tmp_path / "photo.jpg")
    expect(page.locator(NUMBER)).to_have_text("7", timeout=60_000)
    at_rest(page)
    press(page, "draw-photo-inside")
    expect(page.locator("[data-testid=stMain] h1")).to_contain_text("Inside the network")
    at_rest(page)
    page.get_by_text("From ink to input").first.click()
    expect(page.get_by_alt_text("The photo, its ink in orange and what was dropped in blue")).to_be_visible()


def test_an_image_is_pasted(page: Page, tmp_path: pathlib.Path) -> None:
    content = io.BytesIO()
    phone_photo("71").save(content, "PNG")
    visit(page, "/")
    source(page, "Upload")
    expect(page.get_by_test_id("stFileUploaderDropzoneInput")).to_have_count(1)
    page.evaluate(
        """async (address) => {
            const blob = await (await fetch(address)).blob()
            const clipboardData = new DataTransfer()
            clipboardData.items.add(new File([blob], "image.png", { type: "image/png" }))
            document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))
        }""",
        "data:image/png;base64," + base64.b64encode(content.getvalue()).decode(),
    )
    expect(page.locator(NUMBER)).to_have_text("71", timeout=60_000)


def source(page: Page, name: str) -> None:
    """Choose where digits come from."""
    page.get_by_test_id("stSegmentedControl").or_(page.get_by_test_id("stButtonGroup")).get_by_text(name).click()
    at_rest(page)


def swipe(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A finger from one place on the screen to another."""
    touch = page.context.new_cdp_session(page)
    for part in range(9):
        x, y = (one + (other - one) * part / 8 for one, other in zip(start, end, strict=True))
        touch.send(
            "Input.dispatchTouchEvent",
            {"type": "touchMove" if part else "touchStart", "touchPoints": [{"x": x, "y": y}]},
        )
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def phone_photo(number: str) -> Image.Image:
    """Lined paper with a number on it, lying on a table, not straight, in light that falls off, as a phone sees it."""
    size = 1200, 1600
    paper = Image.new("RGB", size, (236, 233, 222))
    pen = ImageDraw.Draw(paper)
    for y in range(90, size[1], 78):
        pen.line([(0, y), (size[0], y)], fill=(150, 175, 215), width=3)
    pen.line([(110, 0), (110, size[1])], fill=(220, 130, 130), width=3)
    for place, digit in enumerate(number):
        strokes = next(strokes for read, strokes in WRITTEN.values() if read == digit)
        for points in strokes:
            moved = [(230 + 170 * place + 0.75 * x, 620 + 0.75 * y) for x, y in points]
            pen.line(moved, fill=(40, 45, 90), width=13, joint="curve")
    photo, sheet = Image.new("RGB", size, (96, 70, 50)), paper.resize((1020, 1360), Image.Resampling.LANCZOS)
    outline = Image.new("L", sheet.size, 255).rotate(2, expand=True)
    photo.paste(sheet.rotate(2, Image.Resampling.BICUBIC, expand=True), (110, 90), outline)
    across, down = np.linspace(1, 0.55, size[0])[None, :, None], np.linspace(1, 0.85, size[1])[:, None, None]
    noise = np.random.default_rng(0).normal(0, 4, (size[1], size[0], 3))
    return Image.fromarray(
        np.clip(np.asarray(photo.filter(ImageFilter.GaussianBlur(1.2))) * across * down + noise, 0, 255).astype(
            np.uint8
        )
    )

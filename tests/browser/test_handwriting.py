"""Teaching one's own handwriting as a visitor does it, in a real browser."""

import pathlib

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect

from mnist_core.drawing import Pixels
from mnist_core.own_digits.digit_store import DigitStore
from mnist_core.runs.run_store import RunStore
from tests.browser.conftest import Server, opened
from tests.browser.steps import (
    FOUR,
    WRITTEN,
    ZERO,
    Points,
    answer,
    at_rest,
    draw,
    ink,
    kept,
    press,
    visit,
    wait_until,
)
from tests.conftest import needs_mnist
from tests.exchange.test_digit_sheet import photographed, written

ROOF: Points = [(40, 90), (190, 50), (130, 240)]  # a 1 with a long flag, which looks like a 7
FLAG: Points = [(55, 110), (190, 50), (130, 240)]  # one with a shorter flag, a little less like a 7
FORMS: dict[int, list[Points]] = {
    **{0: [ZERO], 1: [FLAG], 4: FOUR, 7: WRITTEN["7 with a bar"][1], 8: WRITTEN["8 of two loops"][1]},
    **{digit: WRITTEN[str(digit)][1] for digit in (2, 3, 5, 6, 9)},
}


def asked(page: Page) -> int:
    return int(page.locator("[data-testid=stMain] h2").first.inner_text().split()[2])


def sets_of(server: Server) -> DigitStore:
    return DigitStore(server.runs_dir.parent / "digits")


def write(page: Page, digit: int, from_keyboard: bool = False) -> None:
    """Write the digit and keep it."""
    for points in FORMS[digit]:
        draw(page, points)
    kept(page)
    if from_keyboard:
        page.keyboard.press("Enter")
    else:
        press(page, "clear-keep")
    wait_until(page, lambda: ink(page) == 0)
    at_rest(page)


def written_before(digit: int, turn: int) -> Pixels:
    """The ink of the digit, (420, 420), a little further down the canvas each time."""
    image = Image.new("L", (420, 420))
    for points in FORMS[digit]:
        line = [(1.5 * x, 1.5 * y + 5 * turn) for x, y in points]
        ImageDraw.Draw(image).line(line, fill=255, width=30, joint="curve")
    return np.asarray(image)


@pytest.mark.slow
@needs_mnist
def test_a_newcomer_corrects_writes_teaches_and_takes_it_along(
    browser: Browser, fresh_server: Server, tmp_path: pathlib.Path
) -> None:
    context = browser.new_context(base_url=fresh_server.address, accept_downloads=True)
    with opened(context) as page:
        sets = sets_of(fresh_server)
        visit(page, "/")
        draw(page, FLAG)
        expect(answer(page)).to_have_text("7")
        kept(page)
        page.get_by_role("button", name="It was right").click()
        expect(page.locator(".st-key-kept")).to_contain_text("Kept as a 7")
        press(page, "kept-undo")
        wait_until(page, lambda: not sets.open("me").files())
        page.get_by_role("button", name="It was wrong").click()
        press(page, "truth-1")
        expect(page.locator(".st-key-kept")).to_contain_text("Kept as a 1")
        assert sets.open("me").counts()[1] == 1
        press(page, "kept-more")
        expect(page.locator("[data-testid=stMain] h1")).to_contain_text("handwriting")
        at_rest(page)
        page.wait_for_timeout(500)
        for turn in range(8):
            write(page, asked(page), from_keyboard=turn % 2 == 1)
        mine, last = sets.open("me"), asked(page)
        for digit, count in enumerate(mine.counts()):
            for turn in range(count, 2 if digit == last else 3):
                mine.add(digit, written_before(digit, turn))
        write(page, last)
        assert mine.counts() == [3] * 10
        expect(page.get_by_text("30 in the set")).to_be_visible()
        press(page, "teach")
        taught = page.locator(".st-key-taught")
        expect(taught).to_contain_text("Yours, held back", timeout=120_000)
        expect(taught).to_contain_text("Read right now: 7 → 1")
        (run,) = RunStore(fresh_server.runs_dir).runs()
        end = run.end()
        assert end
        assert end["own_accuracy"] > end["own_accuracy_before"]
        expect(taught).to_contain_text(f"{end['test_accuracy']:.2%}")
        with page.expect_download() as download:
            page.locator(".st-key-own-page button").click()
        download.value.save_as(tmp_path / "me.html")
        press(page, "own-draw")
        expect(page.locator("[data-testid=stMain] h1")).to_contain_text("Draw a digit")
        expect(page.get_by_label("Model", exact=True)).to_have_value("cnn taught me", timeout=60_000)
        at_rest(page)
        page.wait_for_timeout(500)
        draw(page, FLAG)
        expect(answer(page)).to_have_text("1")
        page.goto((tmp_path / "me.html").as_uri())
        expect(page.get_by_text("trained by me")).to_be_visible()
        pad = page.get_by_test_id("pad").bounding_box()
        assert pad
        page.mouse.move(pad["x"] + FLAG[0][0] * pad["width"] / 280, pad["y"] + FLAG[0][1] * pad["height"] / 280)
        page.mouse.down()
        for x, y in FLAG[1:]:
            page.mouse.move(pad["x"] + x * pad["width"] / 280, pad["y"] + y * pad["height"] / 280, steps=4)
        page.mouse.up()
        expect(answer(page)).to_have_text("1")


@pytest.mark.slow
@needs_mnist
def test_one_drawing_is_taught_and_untaught(browser: Browser, fresh_server: Server) -> None:
    with opened(browser.new_context(base_url=fresh_server.address)) as page:
        visit(page, "/")
        draw(page, ROOF)
        expect(answer(page)).to_have_text("7")
        kept(page)
        page.get_by_role("button", name="It was wrong").click()
        press(page, "truth-1")
        press(page, "teach-one")
        taught = page.locator(".st-key-taught")
        for _ in range(4):
            expect(taught).to_contain_text("Of the test images", timeout=60_000)
            at_rest(page)
            if "Your 1 is read right now." in taught.inner_text():
                break
            press(page, "teach-again")
            expect(taught).to_contain_text("Learning this drawing", timeout=60_000)
        expect(answer(page)).to_have_text("1")
        press(page, "taught-undo")
        expect(answer(page)).to_have_text("7")


@pytest.mark.slow
def test_digits_come_from_a_photographed_sheet_and_go_again(
    browser: Browser, fresh_server: Server, tmp_path: pathlib.Path
) -> None:
    photographed(written(columns=[0, 5])).save(tmp_path / "photo.jpg")
    with opened(browser.new_context(base_url=fresh_server.address)) as page:
        visit(page, "/handwriting")
        page.get_by_label("Whose digits?", exact=True).fill("Zoë")
        page.keyboard.press("Enter")
        at_rest(page)
        page.get_by_text("From paper", exact=True).click()
        at_rest(page)
        page.locator("input[type=file]").set_input_files(tmp_path / "photo.jpg")
        press(page, "own-keep-all")
        expect(page.get_by_text("Kept in the set Zoë.")).to_be_visible()
        sets = sets_of(fresh_server)
        assert sets.open("Zoë").counts() == [2] * 10
        page.get_by_text("What is kept", exact=True).click()
        expect(page.get_by_test_id("stDataFrame")).to_be_visible()
        press(page, "own-delete")
        expect(page.get_by_text("The set Zoë is deleted")).to_be_visible()
        assert sets.sets() == []
        press(page, "own-restore")
        wait_until(page, lambda: sets.has("Zoë"))


@pytest.mark.slow
@pytest.mark.parametrize("key", ["Escape", "Backspace"])
def test_the_keyboard_clears_and_undoes(page: Page, key: str) -> None:
    visit(page, "/")
    for points in FOUR[:2]:
        draw(page, points)
    kept(page)
    full = ink(page)
    page.keyboard.press(key)
    wait_until(page, lambda: ink(page) == 0 if key == "Escape" else 0 < ink(page) < full)

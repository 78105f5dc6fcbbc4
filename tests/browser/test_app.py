"""The app as a visitor uses it, in a real browser."""

import os
import re
import shutil
import signal

import pytest
from playwright.sync_api import Browser, Page, expect

from mnist_core import config, mnist_files
from mnist_core.runs.run_store import RunStore
from tests.browser import steps
from tests.browser.conftest import Server, serving, visiting
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
    draw,
    fill,
    ink,
    press,
    status,
    step,
    switch_to,
    wait_for_steps,
    wait_until,
)

DATA = "sample" if mnist_files.missing() else "mnist"
LONG = f"/train?model=cnn&epochs=300&data={DATA}"
PAGES = {
    "/": "Draw a digit",
    "/learn": "Learn",
    "/train": "Train a network",
    "/browse": "Browse the images",
    "/inside": "Inside the network",
    "/runs": "Runs",
}


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


@pytest.mark.parametrize("form", WRITTEN)
def test_digits_are_read_in_every_form(page: Page, form: str) -> None:
    digit, strokes = WRITTEN[form]
    page.goto("/")
    at_rest(page)
    for points in strokes:
        draw(page, points)
        at_rest(page)
    expect(answer(page)).to_have_text(digit, timeout=60_000)


def test_a_letter_is_doubted(page: Page) -> None:
    page.goto("/")
    at_rest(page)
    for points in LETTER_K:
        draw(page, points)
        at_rest(page)
    expect(page.locator(".st-key-answer")).to_contain_text("Not sure this is a digit", timeout=60_000)
    expect(page.locator(".st-key-probabilities .bars path")).to_have_count(10)


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


def test_two_visitors_do_not_mix(browser: Browser, server: Server) -> None:
    with visiting(browser, server) as one, visiting(browser, server) as other:
        for page in (one, other):
            page.goto("/")
            at_rest(page)
        draw(one, ONE)
        expect(answer(one)).to_have_text("1")
        expect(other.locator(".st-key-answer")).to_contain_text("Draw a digit.")
        draw(other, ZERO)
        expect(answer(other)).to_have_text("0")
        switch_to(one, "Train")
        switch_to(other, "Train")
        fill(one, "Epochs (passes)", "7")
        expect(one).to_have_url(re.compile("epochs=7"))
        fill(other, "Seed", "3")
        expect(other).to_have_url(re.compile(r"\?(?!.*epochs).*seed=3"))


def test_a_training_is_started_paused_found_again_and_stopped(page: Page) -> None:
    page.goto("/")
    at_rest(page)
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("7")
    switch_to(page, "Train")
    choose(page, "Start from", "The classic")
    expect(page).to_have_url(re.compile(r"lr=0\.5"))
    at_rest(page)
    choose(page, "Model", "cnn")
    at_rest(page)
    if DATA == "sample":
        choose(page, "Data", "sample")
        at_rest(page)
    fill(page, "Epochs (passes)", "300")
    press(page, "train-start")
    expect(status(page)).to_contain_text("running")
    expect(page).to_have_url(re.compile(r"run=\d{8}-\d{6}-cnn-"))
    expect(page.locator(".st-key-curves canvas")).to_have_count(2)
    wait_for_steps(page)
    expect(page.locator(".st-key-judged img[alt='your drawing']")).to_be_visible()

    press(page, "train-pause")
    expect(status(page)).to_contain_text("paused")
    page.wait_for_timeout(1_000)
    before = step(page)
    page.wait_for_timeout(1_500)
    assert step(page) == before
    fill(page, "Learning rate now", "0.1")
    press(page, "train-resume")
    expect(status(page)).to_contain_text("running")
    wait_for_steps(page)

    page.reload()
    expect(status(page)).to_contain_text("running")
    wait_for_steps(page)
    expect(page.get_by_label("Learning rate now", exact=True)).to_have_value("0.1")
    switch_to(page, "Draw")
    switch_to(page, "Train")
    expect(status(page)).to_contain_text("running")
    press(page, "train-stop")
    expect(status(page)).to_contain_text("stopped")
    expect(page.locator(".st-key-train-start button")).to_be_enabled()


def test_a_drawing_is_judged_by_the_run_that_trains(page: Page, server: Server) -> None:
    page.goto(LONG)
    at_rest(page)
    press(page, "train-start")
    expect(status(page)).to_contain_text("running")
    wait_for_steps(page)
    run_id = page.url.split("run=")[1]
    switch_to(page, "Draw")
    choose(page, "Model", steps.title_of(server, run_id))
    expect(page.get_by_text("It is being trained now")).to_be_visible()
    draw(page, ONE)
    expect(answer(page)).to_be_visible()
    switch_to(page, "Browse")
    switch_to(page, "Draw")
    expect(page.get_by_text("It is being trained now")).to_be_visible()
    expect(answer(page)).to_have_text("1")
    switch_to(page, "Train")
    press(page, "train-stop")
    expect(status(page)).to_contain_text("stopped")


def test_runs_wait_in_line(browser: Browser, server: Server) -> None:
    with visiting(browser, server) as one, visiting(browser, server) as other:
        for page in (one, other):
            page.goto(LONG)
            at_rest(page)
        press(one, "train-start")
        expect(status(one)).to_contain_text("running")
        press(other, "train-start")
        expect(status(other)).to_contain_text("number 1 in line")
        expect(one.get_by_text("Also on this server")).to_have_count(0)
        press(one, "train-stop")
        expect(status(one)).to_contain_text("stopped")
        expect(status(other)).to_contain_text("running")
        press(other, "train-stop")
        expect(status(other)).to_contain_text("stopped")


def test_a_killed_training_says_so_and_goes_on(page: Page, server: Server) -> None:
    page.goto(LONG)
    at_rest(page)
    press(page, "train-start")
    expect(status(page)).to_contain_text("running")
    wait_for_steps(page)
    (worker,) = server.workers()
    os.kill(worker, signal.SIGKILL)
    expect(status(page)).to_contain_text("interrupted")
    expect(page.get_by_text("Its process was killed")).to_be_visible()
    press(page, "train-resume")
    expect(status(page)).to_contain_text("running")
    press(page, "train-stop")
    expect(status(page)).to_contain_text("stopped")
    shutil.rmtree(server.runs_dir / page.url.split("run=")[1])
    page.reload()
    expect(page.get_by_text("There is no run")).to_be_visible()
    expect(page.locator(".st-key-train-start button")).to_be_enabled()


def test_a_run_deleted_under_the_page_is_said(page: Page, server: Server) -> None:
    page.goto(LONG)
    at_rest(page)
    press(page, "train-start")
    expect(status(page)).to_contain_text("running")
    run_id = page.url.split("run=")[1]
    shutil.rmtree(server.runs_dir / run_id, ignore_errors=True)
    shutil.rmtree(server.runs_dir / run_id, ignore_errors=True)  # it may just have written once more
    expect(page.get_by_text(re.compile("has been deleted|There is no run")).first).to_be_visible()
    expect(page.locator(".st-key-train-start button")).to_be_enabled()


def test_a_link_opens_a_page_on_a_server_that_nobody_has_visited(browser: Browser, fresh_server: Server) -> None:
    with visiting(browser, fresh_server) as page:
        page.goto("/train?model=cnn&lr=0.5&epochs=100000&colour=red")
        at_rest(page)
        expect(page.get_by_role("link", name="Browse", exact=True)).to_be_visible()
        expect(page.get_by_label("Learning rate", exact=True)).to_have_value("0.5")
        expect(page.get_by_label("Epochs (passes)", exact=True)).to_have_value("5")
        expect(page.get_by_text("epochs must be between 1 and 1,000, got 100,000")).to_be_visible()
        expect(page.get_by_text("There is no hyperparameter 'colour'")).to_be_visible()
        expect(page.locator(".st-key-train-start button")).to_be_enabled()


def test_nothing_is_left_behind_by_a_server_that_is_killed(browser: Browser, fresh_server: Server) -> None:
    with visiting(browser, fresh_server) as page:
        page.goto(LONG)
        at_rest(page)
        press(page, "train-start")
        expect(status(page)).to_contain_text("running")
        wait_for_steps(page)
        workers = fresh_server.workers()
        assert workers
        fresh_server.process.kill()
        fresh_server.process.wait()
        wait_until(page, lambda: not any(os.path.exists(f"/proc/{worker}") for worker in workers))
    (run,) = RunStore(fresh_server.runs_dir).runs()
    assert run.status().state == "interrupted"


def test_a_click_on_a_confusion_cell_shows_its_images(page: Page) -> None:
    page.goto("/browse")
    at_rest(page)
    expect(page.locator(".st-key-gallery")).to_be_visible(timeout=60_000)
    chart = page.locator(".st-key-confusion .nsewdrag").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.35, box["y"] + box["height"] * 0.35)  # a true 3, read as 3
    expect(page.get_by_label("True digit", exact=True)).to_have_value("3")
    expect(page.get_by_label("Read as", exact=True)).to_have_value("3")
    page.locator(".st-key-gallery [data-testid=stButton] button").first.click()
    expect(page.locator(".st-key-large")).to_contain_text("a true 3")
    press(page, "open-in-draw")
    expect(page.locator(".st-key-seen")).to_contain_text("a true 3; draw to replace it")
    expect(answer(page)).to_have_text("3")


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
def test_both_themes(browser: Browser, server: Server, path: str, scheme: str) -> None:
    with visiting(browser, server, color_scheme=scheme) as page:
        page.goto(path)
        at_rest(page)
        expect(page.get_by_role("heading", name=PAGES[path])).to_be_visible()
        color = page.locator("[data-testid=stApp]").evaluate("app => getComputedStyle(app).backgroundColor")
        assert color == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 23, 29)"}[scheme]


@pytest.mark.parametrize("path", PAGES)
def test_a_phone_shows_all_without_scrolling_sideways(browser: Browser, server: Server, path: str) -> None:
    with visiting(browser, server, width=390, height=844) as page:
        page.goto(path)
        at_rest(page)
        expect(page.get_by_role("heading", name=PAGES[path])).to_be_visible()
        main = page.locator("[data-testid=stMain]")
        assert main.evaluate("main => main.scrollWidth") <= 390
        if path == "/":
            draw(page, ONE)
            expect(answer(page)).to_have_text("1")
            expect(answer(page)).to_be_visible()

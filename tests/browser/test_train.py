"""Training as a visitor does it, in a real browser."""

import os
import re
import shutil
import signal

import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from mnist_core import mnist_files
from mnist_core.runs.run_store import RunStore
from tests.browser import steps
from tests.browser.conftest import Server, visiting
from tests.browser.steps import (
    BAR,
    ONE,
    SEVEN,
    answer,
    at_rest,
    choose,
    draw,
    fill,
    kept,
    press,
    status,
    step,
    switch_to,
    visit,
    wait_for_steps,
    wait_until,
)

DATA = "sample" if mnist_files.missing() else "mnist"
LONG = f"/train?model=cnn&epochs=300&data={DATA}"


@pytest.mark.slow
def test_a_training_is_started_paused_found_again_and_stopped(page: Page) -> None:
    page.goto("/")
    at_rest(page)
    draw(page, SEVEN)
    expect(answer(page)).to_have_text("7")
    kept(page)
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
    fill(page, "Peak learning rate", "0.1")
    press(page, "train-resume")
    expect(status(page)).to_contain_text("running")
    wait_for_steps(page)

    page.reload()
    expect(status(page)).to_contain_text("running")
    wait_for_steps(page)
    expect(page.get_by_label("Peak learning rate", exact=True)).to_have_value("0.1")
    switch_to(page, "Draw")
    switch_to(page, "Train")
    expect(status(page)).to_contain_text("running")
    press(page, "train-stop")
    expect(status(page)).to_contain_text("stopped")
    expect(page.locator(".st-key-train-start button")).to_be_enabled()


def test_a_blank_network_learns_the_drawn_digit_on_one_screen(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    visit(page, f"/train?model=mlp&epochs=5&data={DATA}")
    expect(page.get_by_text("Before training")).to_be_visible(timeout=60_000)
    at_rest(page)
    draw(page, SEVEN)
    kept(page)
    expect(page.get_by_test_id("live-words").first).to_contain_text("% sure")
    blank = float(percent(page))
    assert blank < 40
    press(page, "train-start")
    expect(page.get_by_text("Your digit now")).to_be_visible()
    expect(page.locator(".st-key-curves canvas")).to_have_count(2)
    assert box_of(page.locator(".st-key-curves"))["y"] < 620
    for name in ("live-digit", "live-network", "live-curve"):  # while it trains, all on one screen
        box = box_of(page.get_by_test_id(name).first)
        assert box["y"] + box["height"] <= 720
    expect(status(page)).to_contain_text("finished", timeout=120_000)
    expect(answer(page)).to_have_text("7")
    wait_until(page, lambda: float(percent(page)) > 90)
    draw(page, BAR)  # goes on to be drawn on, and is read by what was trained
    expect(answer(page)).to_have_text("7")


def box_of(element: Locator) -> FloatRect:
    """Where the element is; it is nowhere for a moment while it is put up anew."""
    while True:
        expect(element).to_be_visible()
        if box := element.bounding_box():
            return box


def percent(page: Page) -> str:
    """How sure the network is of the digit that the page shows."""
    return page.get_by_test_id("live-words").first.inner_text().split(" %")[0]


@pytest.mark.slow
def test_a_drawing_is_judged_by_the_run_that_trains(page: Page, server: Server) -> None:
    visit(page, LONG)
    press(page, "train-start")
    expect(status(page)).to_contain_text("running")
    wait_for_steps(page)
    run_id = page.url.split("run=")[1]
    switch_to(page, "Draw")
    choose(page, "Model", steps.title_of(server, run_id))
    expect(page.get_by_text("It is being trained now")).to_be_visible()
    draw(page, ONE)
    expect(answer(page)).not_to_have_text("")
    kept(page)
    switch_to(page, "Browse")
    switch_to(page, "Draw")
    expect(page.get_by_text("It is being trained now")).to_be_visible()
    expect(answer(page)).to_have_text("1")
    switch_to(page, "Train")
    press(page, "train-stop")
    expect(status(page)).to_contain_text("stopped")


@pytest.mark.slow
def test_runs_wait_in_line(browser: Browser, server: Server) -> None:
    with visiting(browser, server) as one, visiting(browser, server) as other:
        for page in (one, other):
            visit(page, LONG)
        press(one, "train-start")
        expect(status(one)).to_contain_text("running")
        press(other, "train-start")
        expect(status(other)).to_contain_text("number 1 in line")
        press(one, "train-stop")
        expect(status(one)).to_contain_text("stopped")
        expect(status(other)).to_contain_text("running")
        press(other, "train-stop")
        expect(status(other)).to_contain_text("stopped")


@pytest.mark.slow
def test_a_killed_training_says_so_and_goes_on(page: Page, server: Server) -> None:
    visit(page, LONG)
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


@pytest.mark.slow
def test_a_run_deleted_under_the_page_is_said(page: Page, server: Server) -> None:
    visit(page, LONG)
    press(page, "train-start")
    expect(status(page)).to_contain_text("running")
    run_id = page.url.split("run=")[1]
    shutil.rmtree(server.runs_dir / run_id, ignore_errors=True)
    shutil.rmtree(server.runs_dir / run_id, ignore_errors=True)  # it may just have written once more
    expect(page.get_by_text(re.compile("has been deleted|There is no run")).first).to_be_visible()
    expect(page.locator(".st-key-train-start button")).to_be_enabled()


@pytest.mark.slow
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


@pytest.mark.slow
def test_nothing_is_left_behind_by_a_server_that_is_killed(browser: Browser, fresh_server: Server) -> None:
    with visiting(browser, fresh_server) as page:
        visit(page, LONG)
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

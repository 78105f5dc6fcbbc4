"""Runs as a visitor keeps, compares and takes them along, in a real browser."""

import itertools
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect

from mnist_core.exchange.snippets import READ_WITH_ONNX
from mnist_core.mnist_files import missing
from mnist_core.reading import catalog
from mnist_core.runs.run import Run
from mnist_core.runs.run_store import RunStore
from tests import conftest
from tests.browser.conftest import Server, serving, visiting
from tests.browser.steps import SEVEN, at_rest, fill, press, status, switch_to, visit, wait_for_steps, wait_until

DATA = "sample" if missing() else "mnist"
SHORT = f"/train?data={DATA}&epochs=6&hidden=32"


def train(page: Page, server: Server, address: str) -> str:
    """Start what the address says, and give the run's id."""
    visit(page, address)
    store = RunStore(server.runs_dir)
    before = {run.id for run in store.runs()}
    press(page, "train-start")
    wait_until(page, lambda: len(store.runs()) > len(before))
    (made,) = {run.id for run in store.runs()} - before
    wait_until(page, lambda: f"run={made}" in page.url)
    return made


def row(page: Page, place: int) -> None:
    """Choose a row of the table, from 0 on, or take that back, by a click on its name."""
    chosen = page.locator(".st-key-runs-chosen [data-tag]")
    before = chosen.count()
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + 200, box["y"] + 38 + 35 * place + 17)
    wait_until(page, lambda: chosen.count() != before)
    at_rest(page)


@pytest.mark.slow
def test_nothing_is_lost_and_everything_can_be_compared(browser: Browser, tmp_path: pathlib.Path) -> None:
    """Three variants, a reload, a killed server, a resumption, a comparison, an export read by onnxruntime."""
    with serving(tmp_path) as first, visiting(browser, first) as page:
        done = train(page, first, f"{SHORT}&lr=0.02")
        page.reload()
        expect(status(page)).to_contain_text("finished", timeout=60_000)
        long = train(page, first, f"/train?data={DATA}&epochs=8&hidden=64&lr=0.005&batch_size=16")
        waiting = train(page, first, f"{SHORT}&lr=0.001")
        expect(status(page)).to_contain_text("number 1 in line")
        page.goto(f"/train?run={long}")
        at_rest(page)
        wait_for_steps(page)
        wait_until(page, lambda: Run(first.runs_dir / long).state.exists(), 60)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(30)
    runs = {name: Run(tmp_path / "runs" / name) for name in (done, long, waiting)}
    conftest.wait_until(lambda: {runs[name].status().state for name in (long, waiting)} == {"interrupted"})
    with serving(tmp_path) as second, visiting(browser, second) as page:
        page.goto("/runs")
        at_rest(page)
        for place in (0, 1):
            row(page, place)
        press(page, "runs-resume")
        wait_until(page, lambda: all(run.status().state != "interrupted" for run in runs.values()))
        conftest.wait_until(
            lambda: all(run.status().state == "finished" for run in runs.values()), conftest.progress_of(*runs.values())
        )
        steps = [record["step"] for record in runs[long].records() if record["event"] == "step"]
        assert steps == sorted(set(steps))  # no double point
        assert len({after - before for before, after in itertools.pairwise(steps)}) <= 2  # and no gap
        page.goto(f"/runs?compare={done},{long},{waiting}")
        at_rest(page)
        expect(page.get_by_text("McNemar's test")).to_be_visible(timeout=60_000)
        expect(page.locator(".st-key-compare-chart .scatterlayer .trace")).to_have_count(3)
        page.goto(f"/runs?run={done}")
        at_rest(page)
        press_popover(page, "runs-take")
        press(page, "take-prepare")
        expect(page.get_by_text("probabilities differ from this app's")).to_be_visible(timeout=120_000)
        with page.expect_download() as download:
            page.locator(".st-key-take-download button").click()
        download.value.save_as(tmp_path / "model.onnx")
    seven = Image.new("L", (280, 280))
    ImageDraw.Draw(seven).line(SEVEN, fill=255, width=20, joint="curve")
    seven.save(tmp_path / "seven.png")
    command = [sys.executable, READ_WITH_ONNX, "model.onnx", "seven.png"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    from mnist_core import drawing
    from mnist_core.reading import predictor

    ours = predictor.load(done, RunStore(tmp_path / "runs")).predict_one(drawing.to_mnist(np.asarray(seven)))
    assert answer.startswith(f"{ours.digit} ({ours.confidence:.1%})")
    if DATA == "mnist":
        assert ours.digit == 7


@pytest.fixture
def kept(server: Server) -> Run:
    """A finished run as an import would make it: the shipped mlp's weights."""
    from mnist_core.exchange.run_archive import import_run

    return import_run(catalog.PRETRAINED / "mlp.safetensors", RunStore(server.runs_dir))


def test_a_run_is_named_deleted_and_brought_back(page: Page, server: Server, kept: Run) -> None:
    page.goto(f"/runs?run={kept.id}")
    at_rest(page)
    page.get_by_text("Name and note").click()
    fill(page, "Name", "<i>mine</i> & **only**")
    page.locator(".st-key-about-save button").click()
    expect(page.get_by_role("heading", name="<i>mine</i> & **only**")).to_be_visible()
    press_popover(page, "runs-delete")
    press(page, "runs-delete-now")
    expect(page.locator(".st-key-deleted")).to_contain_text("One run was deleted")
    assert not kept.path.exists()
    press(page, "runs-undo")
    wait_until(page, kept.path.exists)
    assert RunStore(server.runs_dir).open(kept.id).about().name == "<i>mine</i> & **only**"


def press_popover(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} [data-testid=stPopoverButton]").click()


def test_a_run_is_imported_from_a_file(page: Page, server: Server, kept: Run, tmp_path: pathlib.Path) -> None:
    from mnist_core.exchange.run_archive import export_run

    export_run(kept, tmp_path / "taken.zip")
    (tmp_path / "bad.zip").write_bytes(b"PK nonsense")
    page.goto("/runs")
    at_rest(page)
    press_popover(page, "runs-import")
    upload = page.get_by_test_id("stFileUploaderDropzoneInput")
    upload.set_input_files(tmp_path / "bad.zip")
    press(page, "runs-import-now")
    expect(page.get_by_test_id("stPopoverBody").get_by_test_id("stAlert")).to_contain_text("bad.zip")
    at_rest(page)
    expect(upload).to_have_count(1)  # the new control, which is empty
    before = len(RunStore(server.runs_dir).runs())
    upload.set_input_files(tmp_path / "taken.zip")
    press(page, "runs-import-now")
    wait_until(page, lambda: len(RunStore(server.runs_dir).runs()) == before + 1)


@pytest.mark.slow
def test_several_are_started_and_compared(page: Page, server: Server) -> None:
    visit(page, f"/train?data={DATA}&epochs=1&hidden=16")
    press_popover(page, "start-several")
    page.get_by_role("tab", name="Vary one hyperparameter").click()
    page.get_by_label("Values", exact=True).fill("0.001, 0.01")
    page.locator(".st-key-vary-start button").click()
    expect(page.locator("[data-testid=stMain] h1")).to_contain_text("Runs")
    expect(page.locator(".st-key-compare-chart")).to_be_visible()
    expect(page.get_by_text("McNemar's test")).to_be_visible(timeout=90_000)


@pytest.mark.slow
def test_two_clicks_in_the_table_compare_two_runs_in_sight(
    browser: Browser, tmp_path: pathlib.Path, trained: Callable[..., Run]
) -> None:
    for seed in (0, 1):
        trained(seed=seed)
    with serving(tmp_path) as served, visiting(browser, served, width=1400, height=900) as page:
        page.goto("/runs")
        at_rest(page)
        row(page, 0)
        expect(page.get_by_text("Click on a second run to compare the two.")).to_be_in_viewport()
        row(page, 1)
        expect(page.locator(".st-key-compare-chart")).to_be_in_viewport(ratio=1)
        expect(page.locator(".st-key-chosen-runs").get_by_test_id("stDataFrame")).to_be_in_viewport(ratio=1)
        row(page, 0)  # a second click takes it back
        expect(page.get_by_text("Click on a second run to compare the two.")).to_be_visible()
        page.locator(".st-key-chosen-runs").get_by_role("button", name="Browse its mistakes").click()
        expect(page.get_by_role("heading", name="Browse the images")).to_be_visible()


def test_a_lesson_is_a_link(page: Page) -> None:
    page.goto("/train?model=cnn&lr=0.02&lock=model&hide=seed,device")
    at_rest(page)
    expect(page.locator(".st-key-lesson")).to_contain_text("A lesson")
    expect(page.get_by_label("Seed", exact=True)).to_have_count(0)
    expect(page.locator(".st-key-config-model input")).to_be_disabled()
    switch_to(page, "Draw")
    switch_to(page, "Train")
    expect(page.locator(".st-key-lesson")).to_contain_text("A lesson")
    press(page, "lesson-leave")
    page.get_by_text("More", exact=True).click()
    expect(page.locator(".st-key-config-seed")).to_be_visible()

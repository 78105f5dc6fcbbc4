"""The pages' speed in a real headless Chromium, as a visitor feels it; medians.

first paint, answer possible, first answer
                          from `streamlit run` on; canvas and network in the browser; the answer to a first stroke
click                     on a control while a run trains, until the page shows its effect: one epoch more on Train,
                          Compare all on Draw, another filter on Browse
one drawing taught        from "Teach it this one" on Draw until it is said whether that helped and what it cost
start to first point      on a server that has been up for a while
with the page open        training seconds of the shell's `train` over those of a run that a page watches
a refresh                 of a watched run, as bytes over the websocket
blank looks               at the curves of a watched run, of 20 a second in 30 seconds

Needs MNIST, playwright and an installed Chromium; Linux or macOS.
"""

import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

from playwright.sync_api import Browser, Page, WebSocket, expect, sync_playwright

from benchmarks.report import parser, print_figures, run
from mnist_core import mnist_files
from mnist_core.config import TrainConfig
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.status import RunState
from tests.browser.conftest import CHROMIUM, FLAGS, Server, serving, visiting
from tests.browser.steps import ONE, ZERO, answer, at_rest, draw, kept, press, status, step, switch_to, visit

# Clicks, and gives the milliseconds until the text is on the page.
CLICK = """([button, text]) => new Promise(done => {
    const begin = performance.now();
    const look = () => document.body.innerText.includes(text);
    new MutationObserver((_, observer) => {
        if (look()) { observer.disconnect(); done(performance.now() - begin); }
    }).observe(document.body, {subtree: true, childList: true, characterData: true});
    document.querySelector(button).click();
})"""
# How many of the looks at the curves find one missing or empty.
BLANK = """async seconds => {
    let blank = 0;
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
        const curves = [...document.querySelectorAll('.st-key-curves canvas')];
        const drawn = curves.filter(canvas => canvas.getContext('2d')
            .getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0));
        if (drawn.length < 2) blank++;
        await new Promise(next => setTimeout(next, 50));
    }
    return blank;
}"""
CURVES = 10_000  # bytes that a refresh of the curves takes at least
EPOCHS = 500  # more than are waited for


def begins(browser: Browser, folder: pathlib.Path) -> tuple[float, float, float]:
    """Seconds from the server's start to the first paint, to where a stroke would be answered and to an answer."""
    begin = time.perf_counter()
    with serving(folder) as server, visiting(browser, server) as page:
        page.goto("/")
        page.locator("[data-testid=stMain] h1").wait_for()
        painted = time.perf_counter() - begin
        page.locator("canvas.upper-canvas").wait_for()
        page.get_by_test_id("live-answer").wait_for()
        possible = time.perf_counter() - begin
        at_rest(page)
        draw(page, ONE)
        expect(answer(page)).to_have_text("1")
        return painted, possible, time.perf_counter() - begin


@contextlib.contextmanager
def training(browser: Browser, server: Server) -> Iterator[tuple[Page, float]]:
    """A page that watches a run, and the seconds from Start to its first point."""
    with visiting(browser, server) as page:
        page.goto(f"/train?model=cnn&epochs={EPOCHS}")
        at_rest(page)
        page.wait_for_timeout(8_000)  # a process gets ready in the background
        begin = time.perf_counter()
        press(page, "train-start")
        step(page)
        yield page, time.perf_counter() - begin
        press(page, "train-stop")
        expect(status(page)).to_contain_text("stopped")


def clicks(page: Page, rounds: int) -> dict[str, float]:
    """Median seconds from a click to the words that it brings, by page; a run that trains is shown."""

    def median(button: str, words: Callable[[int], str], back: str = "") -> float:
        taken = []
        for number in range(rounds):
            page.wait_for_timeout(500)
            taken.append(page.evaluate(CLICK, [button, words(number)]))
            if back:
                page.wait_for_timeout(500)
                page.locator(back).click()
        return float(statistics.median(taken)) / 1000

    page.locator("summary", has_text="What Start trains").click()
    at_rest(page)
    one_more = ".st-key-config-epochs [data-testid=stNumberInputStepUp]"
    train = median(one_more, lambda number: f"each of {EPOCHS + 1 + number} passes")
    switch_to(page, "Draw")
    draw(page, ONE)
    expect(answer(page)).not_to_have_text("")
    compare = median(".st-key-draw-compare input", lambda _: "mlp", ".st-key-draw-compare label >> nth=0")
    switch_to(page, "Browse")
    expect(page.locator(".st-key-gallery")).to_be_visible(timeout=60_000)
    at_rest(page)
    everything = ".st-key-browse-outcome button:nth-of-type(1)"
    browse = median(everything, lambda _: "10,000 of 10,000", ".st-key-browse-outcome button >> nth=2")
    switch_to(page, "Train")
    return {"Train": train, "Draw": compare, "Browse": browse}


def teaching(browser: Browser, server: Server, rounds: int) -> float:
    """Median seconds until one drawing is taught, on a server that has a process ready."""
    taken = []
    with visiting(browser, server) as page:
        for _ in range(rounds):
            visit(page, "/")
            page.wait_for_timeout(8_000)
            draw(page, ONE)
            kept(page)
            page.get_by_role("button", name="It was right").click()
            page.locator(".st-key-teach-one").wait_for()
            at_rest(page)
            taken.append(page.evaluate(CLICK, [".st-key-teach-one button", "Of 500 others"]))
            expect(page.locator(".st-key-taught")).to_contain_text("Of the test images")
    return float(statistics.median(taken)) / 1000


def shell_seconds(config: TrainConfig, folder: pathlib.Path) -> float:
    command = [sys.executable, "-m", "mnist_core", "train", *config.flags(), "--json", "--runs-dir", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def page_seconds(browser: Browser, server: Server, config: TrainConfig) -> float:
    """Training seconds of a run that is watched, on a server that has a process ready."""
    with visiting(browser, server) as page:
        page.goto("/train?" + "&".join(f"{name}={word}" for name, word in config.to_query().items()))
        at_rest(page)
        page.wait_for_timeout(8_000)
        press(page, "train-start")
        expect(status(page)).to_contain_text("finished", timeout=300_000)
        run = RunStore(server.runs_dir).open(page.url.split("run=")[1])
        end = run.end()
        assert end
        return end["seconds"]


def refresh_bytes(browser: Browser, server: Server, steps: int) -> float:
    """Median bytes of a refresh of the curves of a run that has recorded so many steps; its weights stay the same."""
    run = RunStore(server.runs_dir).create(TrainConfig())
    with open(run.path / "metrics.jsonl", "w", encoding="utf-8") as file:
        first = {"event": "start", "data": "mnist", "model": "mlp", "device": "CPU", "parameters": 50_890}
        file.write(json.dumps(first | {"epochs": 1_000, "steps": 20 * steps, "first_loss": 2.3}) + "\n")
        for number in range(1, steps + 1):
            figures = {"loss": 1.23456 / number**0.5, "accuracy": 0.987654, "lr": 0.00123456, "images_per_s": 123_456.7}
            file.write(json.dumps({"event": "step", "epoch": 1, "step": 20 * number, **figures}) + "\n")
    (run.path / "weights.safetensors").write_bytes(pathlib.Path("mnist_core/pretrained/mlp.safetensors").read_bytes())
    frames: list[tuple[float, int]] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: frames.append((time.perf_counter(), len(frame))))

    with run.locked(), visiting(browser, server) as page:
        run.set_status(RunState.RUNNING)
        page.on("websocket", listen)
        page.goto("/")
        at_rest(page)
        draw(page, ZERO)
        kept(page)
        page.goto(f"/train?run={run.id}")
        expect(page.get_by_test_id("stProgress")).to_contain_text(f"{20 * steps:,}", timeout=120_000)
        page.wait_for_timeout(3_000)
        frames.clear()
        page.wait_for_timeout(10_000)
        refreshes: list[int] = []
        last = 0.0
        for moment, size in frames:
            if moment - last > 0.2:
                refreshes.append(0)
            refreshes[-1] += size
            last = moment
        run.set_status(RunState.STOPPED)
        page.wait_for_timeout(1_500)
    # of the curves: a look at whether there are new weights takes fewer
    return float(statistics.median(size for size in refreshes if size > CURVES))


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--rounds", type=int, default=15, help="strokes and clicks; default 15")
    args = arguments.parse_args()
    mnist_files.find_or_download()
    config = TrainConfig(model="cnn", epochs=12)
    figures: dict[str, float | str] = {}
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folders = (pathlib.Path(scratch, str(number)) for number in range(100))

        def folder() -> pathlib.Path:
            made = next(folders)
            made.mkdir()
            return made

        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        beginnings = [begins(browser, folder()) for _ in range(5)]
        for number, name in enumerate(("first paint", "answer possible", "first answer")):
            figures[f"{name}, seconds"] = statistics.median(taken[number] for taken in beginnings)
        with serving(folder()) as server:
            figures["one drawing taught, seconds"] = teaching(browser, server, 5)
            with training(browser, server) as (page, first_point):
                figures["start to first point, seconds"] = first_point
                figures["blank looks in 30 s"] = str(page.evaluate(BLANK, 30))
                for name, taken in clicks(page, args.rounds).items():
                    figures[f"click on {name} while training, s"] = taken
            for steps in (10_000, 1_000_000):
                figures[f"bytes a refresh, {steps:,} steps"] = refresh_bytes(browser, server, steps)
            pairs = [(shell_seconds(config, folder()), page_seconds(browser, server, config)) for _ in range(2)]
            figures["shell / with the page open"] = statistics.median(shell / watched for shell, watched in pairs)
    print_figures(figures, args.json)


if __name__ == "__main__":
    run(main)

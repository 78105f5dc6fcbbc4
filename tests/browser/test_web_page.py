"""The JavaScript that prepares a drawing and runs a network, against drawing.py and torch; and the page made of it."""

import base64
import contextlib

import numpy as np
import pytest
import torch
from playwright.sync_api import expect
from torch import nn

from mnist_core import browser as javascript
from mnist_core import dataset, drawing, mnist_files, model
from mnist_core.browser.program import pack
from mnist_core.exchange import browser_program, onnx_file, web_page
from mnist_core.exchange.preprocessing import Preprocessing
from mnist_core.inside import preprocessing_ablation
from mnist_core.reading import catalog, predictor

COUNT = 1_000  # images as they are, and as many drawings
DATA = "sample" if mnist_files.missing() else "mnist"


@pytest.fixture
def blank(browser):
    """A page with the modules' functions, and no server."""
    with contextlib.closing(browser.new_context(offline=True)) as context:
        page = context.new_page()
        exposed = "Object.assign(window, { prepare, read, unpack, arithmetic })"
        script = javascript.joined("preparation", "forward", "stages", "arithmetic") + f"\n{exposed}\n"
        page.set_content(f'<script type="module">{script}</script>')
        page.wait_for_function("Boolean(window.prepare)")
        page.evaluate("window.bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))")
        yield page


def as_text(values):
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def logits_in_browser(page, program, images):
    """(N, 10) for images (N, 28, 28), uint8."""
    rows = page.evaluate(
        """([program, images]) => {
            const [network] = unpack(bytes(program).buffer).networks, pixels = bytes(images)
            return Array.from({ length: pixels.length / 784 }, (_, i) =>
                Array.from(read(network, pixels.subarray(784 * i, 784 * (i + 1))).logits))
        }""",
        [as_text(np.frombuffer(pack([program]), np.uint8)), as_text(images)],
    )
    return torch.tensor(rows)


def prepared_in_browser(page, canvases):
    """What becomes of each canvas: (28, 28), or None where there is no ink."""
    made = page.evaluate(
        """canvases => canvases.map(([ink, width, height]) => {
            const image = prepare(bytes(ink), width, height)
            return image && btoa(String.fromCharCode(...image))
        })""",
        [(as_text(canvas), canvas.shape[1], canvas.shape[0]) for canvas in canvases],
    )
    return [text and np.frombuffer(base64.b64decode(text), np.uint8).reshape(28, 28) for text in made]


def canvases():
    """500 images as they are and 500 as drawings, with white ink on black as a canvas has."""
    return [image for image in onnx_file.check_images() if image[0, 0] == 0]


# Shipped and freshly trained
LOGITS = [*catalog.shipped(), *(f"new {name}" for name in model.NETWORKS)]
LONG = ("wide", "cnn", "new convnet", "new resnet")


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in LOGITS])
def test_a_browser_gives_torchs_logits(name, blank, trained, store):
    kind = name.removeprefix("new ")
    loaded = predictor.load(name) if kind == name else predictor.load(trained(model=kind, hidden=(64,)).id, store)
    program = browser_program.convert(loaded)
    drawn = np.stack([drawing.to_mnist(canvas) for canvas in canvases()])
    images = np.concatenate([dataset.load_test(DATA).images[:COUNT].numpy(), drawn])
    expected = browser_program.run(program, torch.from_numpy(images))
    found = logits_in_browser(blank, program, images)
    assert (expected - found).abs().max() < 1e-3
    original = loaded.logits(torch.from_numpy(images))
    assert (original - found).abs().max() < 0.02
    assert (original.argmax(1) == found.argmax(1)).float().mean() >= 0.999


@pytest.mark.parametrize("name", ["mlp", "cnn", "tiny"])
def test_what_each_layer_gives_and_its_arithmetic_are_torchs(name, blank):
    loaded = predictor.load(name)
    image = dataset.load_test(DATA).images[:1]
    given = []
    for module in loaded.network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda _, taken, output: given.append(output[0]))
    loaded.logits(image)
    found = blank.evaluate(
        """([program, image]) => {
            const [network] = unpack(bytes(program).buffer).networks, found = read(network, bytes(image))
            const lit = network.layers.flatMap(({ kind }, i) => kind === "relu" ? [Array.from(found.outputs[i])] : [])
            const stages = network.layers.filter(({ kind }) => ["convolution", "linear"].includes(kind)).length
            const last = (digit) => arithmetic(network, found, stages - 1, digit, 0, 0)
            const sums = Array.from({ length: 10 }, (_, digit) => last(digit).sum)
            return { lit, sums, logits: Array.from(found.logits) }
        }""",
        [as_text(np.frombuffer(pack([browser_program.convert(loaded)]), np.uint8)), as_text(image.numpy())],
    )
    assert len(found["lit"]) == len(given)
    for ours, theirs in zip(found["lit"], given, strict=True):
        channels_last = theirs.permute(1, 2, 0) if theirs.dim() == 3 else theirs
        assert torch.allclose(torch.tensor(ours), channels_last.flatten(), atol=0.02)
    assert found["sums"] == pytest.approx(found["logits"], abs=1e-4)


@pytest.mark.parametrize("every", [10, pytest.param(1, marks=pytest.mark.slow)])
def test_all_three_preparations_give_the_same_image_and_digit(every, blank):
    """NumPy's, torch's for ONNX files and the browser's, on 2,000 images, or `every` so many-th of them."""
    others = dataset.load_test(DATA).images[-1_000:].numpy()
    images = [*onnx_file.check_images(), *preprocessing_ablation.as_drawn(others, np.random.default_rng(0))]
    images = [image for image in images if image[0, 0] == 0]  # a canvas is black
    assert len(images) > (1_900 if DATA == "mnist" else 900)
    images = images[::every]
    in_torch, in_browser, found = Preprocessing(), [], []
    for start in range(0, len(images), 100):
        in_browser += prepared_in_browser(blank, images[start : start + 100])
    with torch.inference_mode():
        for image, by_browser in zip(images, in_browser, strict=True):
            by_torch, _ = in_torch(torch.from_numpy(image))
            found.append(np.stack([drawing.to_mnist(image), by_torch.numpy().round(), by_browser]).astype(np.uint8))
    prepared = np.stack(found)  # (N, 3, 28, 28)
    off = np.abs(prepared - prepared[:, :1].astype(int)).max((2, 3))  # (N, 3)
    assert (off > 1).mean(0).max() <= 0.001
    digits = predictor.load("cnn").logits(torch.from_numpy(prepared.reshape(-1, 28, 28))).argmax(1).view(-1, 3)
    assert (digits == digits[:, :1]).float().mean(0).min() >= 0.999


@pytest.mark.parametrize(("height", "width"), [(1, 200), (200, 1), (1, 1), (3, 3), (20, 20), (90, 7), (41, 2)])
@pytest.mark.parametrize("grey", [255, 140, 24])
def test_dots_and_bars_are_prepared_the_same(height, width, grey, blank):
    canvas = np.zeros((210, 230), np.uint8)
    canvas[5 : 5 + height, 9 : 9 + width] = grey
    (prepared,) = prepared_in_browser(blank, [canvas])
    assert np.array_equal(prepared, drawing.to_mnist(canvas))


@pytest.mark.parametrize("grey", [0, 23])
def test_no_ink_is_nothing(grey, blank):
    canvas = np.zeros((50, 60), np.uint8)
    canvas[20:30, 20:30] = grey
    assert prepared_in_browser(blank, [canvas]) == [None]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
@pytest.mark.parametrize("name", ["cnn", "mlp"])
def test_a_page_from_disk_answers_while_the_pen_moves(name, scheme, width, browser, tmp_path):
    path = tmp_path / "page.html"
    web_page.export(name, path, trained_by="class 7b")
    problems = []
    context = browser.new_context(viewport={"width": width, "height": 720}, color_scheme=scheme, offline=True)
    with contextlib.closing(context):
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: problems.append(request.url) if request.url[:5] == "http:" else None)
        page.goto(path.as_uri())
        answer, pad = page.get_by_test_id("live-answer"), page.locator("canvas[data-testid=pad]")
        expect(answer).to_have_attribute("data-digit", "")
        box = pad.bounding_box()

        def move(x, y):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=5)

        move(0.3, 0.25)
        page.mouse.down()
        counts = []
        for x, y in ((0.7, 0.25), (0.6, 0.5), (0.45, 0.85)):
            before = int(answer.get_attribute("data-count"))
            move(x, y)
            page.wait_for_function(
                "(before) => Number(document.querySelector('[data-testid=live-answer]').dataset.count) > before",
                arg=before,
            )
            counts.append(int(answer.get_attribute("data-count")))
        assert counts == sorted(set(counts))
        expect(answer).to_have_attribute("data-digit", "7")  # with the pen still down
        page.mouse.up()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert (
            page.evaluate(
                """() => { const canvas = document.querySelector('[data-testid=live-network]')
                const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
                return new Set(pixels).size }"""
            )
            > 50
        )  # something is drawn, in many colours
        page.get_by_test_id("clear").click()
        expect(answer).to_have_attribute("data-digit", "")
        assert not problems

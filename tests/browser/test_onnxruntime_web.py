"""A second opinion on the JavaScript: the ONNX file of the same model, run by onnxruntime-web in the same browser."""

import base64
import contextlib
import functools
import http.server
import pathlib
import shutil
import subprocess
import threading

import numpy as np
import pytest

from mnist_core import browser as javascript
from mnist_core.browser.program import pack
from mnist_core.exchange import browser_program, onnx_file
from mnist_core.reading import predictor

PACKAGE = "onnxruntime-web@1.30.0"
COUNT = 60  # drawings
PAGE = """<script type="module">
import * as ort from "/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs"
ort.env.wasm.numThreads = 1
ort.env.wasm.wasmPaths = "/node_modules/onnxruntime-web/dist/"
%s
window.theirs = async (drawings, width, height) => {
    const session = await ort.InferenceSession.create("/model.onnx")
    const found = []
    for (const ink of drawings) {
        const { probabilities, is_digit } = await session.run({ image: new ort.Tensor("uint8", ink, [height, width]) })
        found.push([...probabilities.data, Number(is_digit.data[0])])
    }
    return found
}
window.ours = async (drawings, width, height) => {
    const [network] = unpack(await (await fetch("/model.program")).arrayBuffer()).networks
    return drawings.map((ink) => {
        const { probabilities, isDigit } = read(network, prepare(ink, width, height))
        return [...probabilities, Number(isDigit)]
    })
}
window.bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
window.compare = async (texts, width, height) => {
    const drawings = texts.map(bytes)
    return [await theirs(drawings, width, height), await ours(drawings, width, height)]
}
</script>"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the package in it."""
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("npm is not installed, which brings onnxruntime-web")
    made = tmp_path_factory.mktemp("web")
    flags = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(
        [npm, "install", *flags, "--prefix", str(made), PACKAGE], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"npm cannot install {PACKAGE}: {done.stderr.strip()[-200:]}")
    return made


@contextlib.contextmanager
def served(folder: pathlib.Path):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cnn", "mlp"])
def test_onnxruntime_gives_the_same_answers_in_the_browser(name, folder, browser):
    loaded = predictor.load(name)
    content, _ = onnx_file.convert(loaded)
    (folder / "model.onnx").write_bytes(content)
    (folder / "model.program").write_bytes(pack([browser_program.convert(loaded)]))
    (folder / "index.html").write_text(PAGE % javascript.joined("preparation", "forward"), encoding="utf-8")
    drawings = [image for image in onnx_file.check_images() if image[0, 0] == 0][-COUNT:]
    height, width = max(image.shape[0] for image in drawings), max(image.shape[1] for image in drawings)
    canvases = [np.pad(image, ((0, height - image.shape[0]), (0, width - image.shape[1]))) for image in drawings]
    texts = [base64.b64encode(np.ascontiguousarray(canvas).tobytes()).decode() for canvas in canvases]
    with served(folder) as address, contextlib.closing(browser.new_context()) as context:
        page = context.new_page()
        page.goto(address)
        page.wait_for_function("Boolean(window.compare)")
        theirs, ours = map(np.array, page.evaluate("(parts) => compare(...parts)", [texts, width, height]))
    assert np.abs(theirs[:, :10] - ours[:, :10]).max() < 0.02
    assert (theirs[:, :10].argmax(1) == ours[:, :10].argmax(1)).all()
    assert (theirs[:, 10] == ours[:, 10]).mean() > 0.98

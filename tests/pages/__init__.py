"""The pages as scripts, through Streamlit's AppTest; what needs a real browser is in tests/browser."""

import base64
import io
import json
import time

import torch
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from mnist_core import drawing as mnist_drawing
from mnist_core.browser import program
from mnist_core.browser.program import Program
from mnist_core.exchange import browser_program
from pages.shared.background_work import get_jobs
from tests.conftest import wait_until

SIZE = 420  # pixels of the canvas
SEVEN = [(75, 95), (70, 60), (200, 60), (120, 240)]


def drawing(*strokes: list[tuple[int, int]], size: int = SIZE, width: int | None = None) -> dict:
    """What the canvas sends for strokes drawn on it; their points are on one of 280 x 280 pixels, or wider."""
    image = Image.new("RGBA", (width or size, size))  # transparent
    for points in strokes:
        scaled = [(x * size / 280, y * size / 280) for x, y in points]
        ImageDraw.Draw(image).line(scaled, fill="white", width=round(size / 14), joint="curve")
    content = io.BytesIO()
    image.save(content, "PNG")
    data = "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()
    return {"drawing": {"raw": {"objects": [{}] * len(strokes)}, "data": data}, "backgroundFit": None}


def sent(app: AppTest) -> tuple[dict, list[Program]]:
    """What a page has sent for a network to answer in the browser: the header and the programs."""
    (content,) = [node.proto.bytes for node in app.get("bidi_component") if b'"titles"' in node.proto.bytes]
    return program.unpack(content)


def read(app: AppTest) -> int:
    """The digit that the browser shows for what is drawn."""
    _, (network, *_) = sent(app)
    image = mnist_drawing.to_mnist(app.session_state["canvas"].ink)
    return int(browser_program.run(network, torch.from_numpy(image)[None]).argmax())


def open_train(app: AppTest) -> None:
    app.run()
    app.switch_page("train.py").run()
    assert not app.exception


def text(app: AppTest) -> str:
    """All that a page says."""
    kinds = (app.metric, app.caption, app.info, app.error, app.warning, app.markdown)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def framed(app: AppTest) -> str:
    """The digits that are shown in frames."""
    shown = [json.loads(node.proto.json) for node in app.get("bidi_component") if '"choosing"' in node.proto.json]
    return "".join(str(digit["digit"]) for picture in shown for digit in picture["digits"])


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def pictures(app: AppTest) -> list[str]:
    """The text alternatives of all pictures."""
    found = [proto.alt for element in app.get("image") for proto in element.proto.imgs]
    return [*found, *(element.proto.alt for element in app.get("plotly_chart"))]


def wait_for_work(app: AppTest) -> None:
    """Until all that is worked out in the background is done, looked at as by an open page, and shown."""
    jobs = list(get_jobs()._jobs.values())

    def done() -> bool:
        for job in jobs:
            job.looked_at = time.monotonic()
        return all(job.done for job in jobs)

    wait_until(done, lambda: [job.progress for job in jobs])
    app.run()


def controls(app: AppTest) -> dict:
    """The controls in the sidebar, by their key."""
    kinds = (app.sidebar.selectbox, app.sidebar.number_input, app.sidebar.text_input)
    return {widget.key: widget for kind in kinds for widget in kind}


def control(app: AppTest, name: str):
    """The control of the hyperparameter `name`."""
    return controls(app)[f"config-{name}"]

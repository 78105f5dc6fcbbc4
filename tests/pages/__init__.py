"""The pages as scripts, through Streamlit's AppTest; what needs a real browser is in tests/browser."""

import base64
import io
import time

from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from pages.shared.background_work import get_jobs
from tests.conftest import wait_until

SEVEN = [(75, 95), (70, 60), (200, 60), (120, 240)]


def drawing(*strokes: list[tuple[int, int]], size: int = 280) -> dict:
    """What the canvas sends for strokes drawn on it."""
    image = Image.new("RGBA", (size, size))  # transparent
    for points in strokes:
        ImageDraw.Draw(image).line(points, fill="white", width=20, joint="curve")
    content = io.BytesIO()
    image.save(content, "PNG")
    data = "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()
    return {"drawing": {"raw": {"objects": [{}] * len(strokes)}, "data": data}, "backgroundFit": None}


def open_train(app: AppTest) -> None:
    app.run()
    app.switch_page("pages/train.py").run()
    assert not app.exception


def text(app: AppTest) -> str:
    """All that a page says."""
    kinds = (app.metric, app.caption, app.info, app.error, app.warning, app.markdown)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


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

"""A model as one web page: a file that is opened from disk, on a laptop or a phone, and asks nothing of any network."""

import base64
import html
import pathlib
import string

from mnist_core import browser, model
from mnist_core.browser import program as programs
from mnist_core.errors import ModelError
from mnist_core.exchange import browser_program
from mnist_core.files import oserror_as, replacing
from mnist_core.reading import catalog, predictor
from mnist_core.reading.predictor import Predictor
from mnist_core.runs.run_store import RUNS, RunStore

MODULES = (
    "preparation",
    "forward",
    "stages",
    "arithmetic",
    "picture",
    "answer",
    "page",
)  # each behind those that it imports from
LONGEST = 80  # letters of a name


def export(name: str, path: pathlib.Path, title: str = "", trained_by: str = "", store: RunStore = RUNS) -> int:
    """Write the model of that name, shipped or a run's id with weights, to `path`, a new .html file; its size in bytes.

    `title` (the name if empty) and `trained_by` stand on the page. Raises ModelError where a browser cannot run the
    model, its answers would differ or `path` cannot be written; RunError for no such run.
    """
    if path.suffix != ".html":
        raise ModelError(f"{path} must end in .html.")
    if not path.parent.is_dir():
        raise ModelError(f"{path} cannot be written: there is no folder {path.parent}.")
    loaded = predictor.load(name, store)
    content = page(loaded, catalog.find(name, store).figures.get("test_accuracy"), title, trained_by).encode()
    with oserror_as(ModelError, f"{path} cannot be written"), replacing(path) as fresh:
        fresh.write_bytes(content)
    return len(content)


def page(loaded: Predictor, test_accuracy: float | None, title: str = "", trained_by: str = "") -> str:
    """The page's HTML; for arguments and errors, see `export`."""
    program = browser_program.checked(loaded)
    facts = [f"{loaded.config.model}, {model.count_parameters(loaded.network):,} parameters"]
    if trained_by:
        facts.append(f"trained by {trained_by[:LONGEST]}")
    if test_accuracy is not None:
        data = "MNIST's" if loaded.config.data == "mnist" else "the built-in sample's"
        facts.append(f"reads {test_accuracy:.2%} of {data} test images right")
    template = string.Template((browser.FOLDER / "page.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=html.escape(title[:LONGEST] or loaded.name),
        card=html.escape(", ".join(facts) + "."),
        style=browser.style(),
        program=base64.b64encode(programs.pack([program])).decode(),
        script=browser.joined(*MODULES),
    )

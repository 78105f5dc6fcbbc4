"""The shipped models side by side: what each reads right, how far it can be trusted, and how fast it is."""

import functools
import string
import timeit
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from mnist_core import dataset, drawing, metrics
from mnist_core.augmentation import non_digits
from mnist_core.calibration import calibration_error
from mnist_core.drawing import Pixels
from mnist_core.errors import DrawingError
from mnist_core.reading import catalog, numbers, predictor
from mnist_core.reading.labelled_images import LabelledImages
from mnist_core.reading.pen_strokes import DrawnDigits, DrawnNumber

LOOK_ALIKES = "BDGIJLOQSYZbgijloqsyz"  # letters that may pass for digits
DRAWN_BY_CODE = 1_000  # scribbles that are looked at
SEED = 2**31  # of the scribbles; no recipe has it
TIMED = 50  # answers
COLUMNS = {
    "parameters": ("parameters", "{:,}"),
    "test_accuracy": ("MNIST test", "{:.2%}"),
    "test_accuracy_mean": ("mean of seeds", "{:.3%}"),
    "drawn_accuracy": ("drawn", "{:.2%}"),
    "drawn_accuracy_mean": ("mean of seeds", "{:.2%}"),
    "calibration_error": ("ECE test", "{:.2%}"),
    "drawn_calibration_error": ("ECE drawn", "{:.2%}"),
    "digits_accepted": ("digits taken", "{:.1%}"),
    "drawn_accepted": ("drawn taken", "{:.1%}"),
    "letters_rejected": ("letters refused", "{:.1%}"),
    "scribbles_rejected": ("scribbles refused", "{:.1%}"),
    "ms": ("ms an answer", "{:.1f}"),
}


def measure(
    name: str,
    drawn: DrawnDigits | None = None,
    drawn_numbers: Sequence[DrawnNumber] = (),
    folders: Sequence[LabelledImages] = (),
) -> dict[str, Any]:
    """The figures of a shipped model, all but the means of seeds and the number of parameters measured now.

    Accuracies and shares are 0 to 1; `drawn` figures are left to the card, or out, where there are no such drawings.
    Letters are printed ones; letters and scribbles are images that no training has seen. `strangers` holds how well
    each of the other sets is read, the test images first. Raises LabErrors.
    """
    card, model = catalog.card(name), predictor.load(name)
    test = dataset.load_test(model.config.data)
    images, labels = test.images.numpy(), test.labels.numpy()
    probabilities, are_digits = model.predict(images)
    right = probabilities.argmax(1) == labels
    row = {"model": name, "parameters": card["parameters"], "seeds": card["seeds"]}
    row |= {figure: card[figure] for figure in COLUMNS if figure in card}
    row |= {
        "test_accuracy": float(right.mean()),
        "test_interval": metrics.interval(int(right.sum()), len(labels)),
        "calibration_error": calibration_error(probabilities, labels),
        "digits_accepted": float(are_digits.mean()),
        "letters_rejected": float(1 - model.predict(printed_letters())[1].mean()),
        "scribbles_rejected": float(1 - model.predict(scribbles())[1].mean()),
        "ms": _milliseconds(model),
        "strangers": [_share("MNIST test", int(right.sum()), len(labels))],
    }
    if drawn:
        probabilities, are_digits = model.predict(drawn.images)
        row |= {
            "drawn_accuracy": drawn.macro_accuracy(probabilities.argmax(1)),
            "drawn_calibration_error": calibration_error(probabilities, drawn.labels),
            "drawn_accepted": float(are_digits.mean()),
        }
        right = probabilities.argmax(1) == drawn.labels
        row["strangers"].append(_share("drawn", int(right.sum()), len(right)))
    for one in folders:
        row["strangers"].append(measure_folder(model, one))
    if drawn_numbers:
        whole = sum(_number(model, one) == one.number for one in drawn_numbers)
        row["strangers"].append(_share("drawn numbers", whole, len(drawn_numbers)))
    return row


def measure_folder(model: predictor.Predictor, folder: LabelledImages) -> dict[str, Any]:
    """How well the model reads the images of a folder: `set`, `images`, `accuracy`, 0 to 1, and `interval`."""
    digits = model.predict(folder.images)[0].argmax(1)
    return _share(folder.name, folder.right(digits), len(digits))


def _share(name: str, right: int, images: int) -> dict[str, Any]:
    return {"set": name, "images": images, "accuracy": right / images, "interval": metrics.interval(right, images)}


def _number(model: predictor.Predictor, drawn: DrawnNumber) -> str:
    """What is read in the picture of a number."""
    try:
        return " ".join(row.number for row in numbers.read_rows(model, drawn.image))
    except DrawingError:
        return ""


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as text, a model a column."""
    lines = ["".join([f"{'':18}", *(f"{row['model']:>10}" for row in rows)])]
    for figure, (title, form) in COLUMNS.items():
        cells = [form.format(row[figure]) if figure in row else "-" for row in rows]
        lines.append("".join([f"{title:18}", *(f"{cell:>10}" for cell in cells)]))
    for i, first in enumerate(rows[0].get("strangers", [])):
        cells = [f"{row['strangers'][i]['accuracy']:.2%}" for row in rows]
        lines.append("".join([f"{first['set']} ({first['images']:,})".ljust(18), *(f"{cell:>10}" for cell in cells)]))
    return "\n".join(lines)


@functools.cache
def printed_letters() -> Pixels:
    """The letters that are no look-alikes of digits, in Pillow's typeface: (N, 28, 28), uint8, as networks see them."""
    letters = [letter for letter in string.ascii_letters if letter not in LOOK_ALIKES]
    return np.stack([drawing.to_mnist(_printed(letter, size)) for letter in letters for size in (60, 120, 200)])


def _printed(letter: str, size: int) -> Image.Image:
    image = Image.new("L", (280, 280))
    ImageDraw.Draw(image).text((140, 140), letter, fill=255, anchor="mm", font=ImageFont.load_default(size))
    return image


@functools.cache
def scribbles() -> Pixels:
    """Scribbles made by code, on a canvas of 280 x 280 and then as networks see them: (N, 28, 28), uint8."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        no_digits = torch.zeros(0, 28, 28, dtype=torch.uint8), torch.zeros(0, dtype=torch.int64)  # none is needed
        made = non_digits.draw("scribbles", DRAWN_BY_CODE, *no_digits).numpy()
    return np.stack([drawing.to_mnist(Image.fromarray(image).resize((280, 280))) for image in made])


def _milliseconds(model: predictor.Predictor) -> float:
    """The median time from a drawing on the canvas to its answer, on one processor core."""
    canvas = np.zeros((280, 280, 4), np.uint8)
    canvas[40:240, 130:150] = 255
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    times = timeit.repeat(lambda: model.predict_one(drawing.to_mnist(canvas)), number=1, repeat=TIMED)
    torch.set_num_threads(threads)
    return float(np.median(times) * 1000)

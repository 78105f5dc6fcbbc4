"""A model as one ONNX file that takes drawings: the preprocessing, the network and its calibration in one graph.

A file is written only when onnxruntime has given our own answers with it.
"""

import json
import pathlib
import threading
from collections.abc import Iterator
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn

from mnist_core import dataset, drawing, evaluation, mnist_files, presets
from mnist_core.calibration import Calibration, digit_score
from mnist_core.config import TrainConfig
from mnist_core.drawing import Pixels
from mnist_core.errors import ModelError
from mnist_core.exchange.preprocessing import Preprocessing
from mnist_core.files import oserror_as, replacing
from mnist_core.reading import catalog, predictor
from mnist_core.reading.predictor import Predictor
from mnist_core.runs.run_store import RUNS, RunStore

OPSET = 18  # of ONNX's operators: since 2022, which most programs that read such files know
CHECKED = 1_000  # images that the file must answer as we do
TOLERANCE = 1e-4  # of a probability
# A few answers may be farther off: in single precision a pixel of a drawing may be rounded the other way.
ROUNDED, ROUNDED_TOLERANCE = CHECKED // 100, 1e-3
ON_THE_BRINK = 1e-3  # a digit's score so close to the threshold may fall on either side
CANVAS = 280  # pixels, side of the drawings among the images

TAKES = """\
Input `image`: uint8 (height, width), one digit at any place and of any size on an even background, light on dark or \
dark on light, such as a drawing of 280 x 280 or an image of MNIST. Photos, whose background changes, and transparency \
are not for this file. Output `probabilities`: float32 (10,), of the digits 0 to 9, calibrated, summing to 1; all 0.1 \
where there is no ink. Output `is_digit`: bool, whether the image looks like a digit at all; false where there is no \
ink, always true otherwise for a model without a threshold."""

_exporting = threading.Lock()  # torch's exporter changes what is shared by all threads


class Reader(nn.Module):
    """From an image (H, W), uint8, to the probabilities (10,), float32, and whether it is a digit, (), bool."""

    def __init__(self, network: nn.Module, calibration: Calibration) -> None:
        super().__init__()
        self.preprocessing = Preprocessing()
        self.network = network
        self.calibration = calibration

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        digit, has_ink = self.preprocessing(image)  # (28, 28), ()
        logits = self.network(dataset.normalise(digit[None]))  # (1, 10)
        probabilities = (logits / self.calibration.temperature).softmax(1)[0]  # (10,)
        is_digit = digit_score(logits)[0] >= self.calibration.threshold
        return torch.where(has_ink, probabilities, 0.1), has_ink & is_digit


def export(name: str, path: pathlib.Path, store: RunStore = RUNS) -> float:
    """Write the model of that name, shipped or a run's id with weights, to `path`, a new .onnx file.

    Returns the largest difference of a probability that was found in checking it. Raises ModelError, and leaves no
    file, where more differ than rounding explains or `path` cannot be written; RunError for no such run.
    """
    if path.suffix != ".onnx":
        raise ModelError(f"{path} must end in .onnx.")
    if not path.parent.is_dir():
        raise ModelError(f"{path} cannot be written: there is no folder {path.parent}.")
    content, difference = convert(predictor.load(name, store))
    with oserror_as(ModelError, f"{path} cannot be written"), replacing(path) as fresh:
        fresh.write_bytes(content)
    return difference


def convert(model: Predictor) -> tuple[bytes, float]:
    """The model as the content of an .onnx file, and the largest difference found; for errors, see `export`."""
    example = torch.zeros(CANVAS, CANVAS + 1, dtype=torch.uint8)  # two different sizes, none that a step would make
    with _exporting, torch.inference_mode():
        program = torch.onnx.export(
            Reader(model.network, model.calibration).eval(),
            (example,),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=["image"],
            output_names=["probabilities", "is_digit"],
            dynamic_shapes={"image": {0: torch.export.Dim("height"), 1: torch.export.Dim("width")}},
        )
    proto = cast(torch.onnx.ONNXProgram, program).model_proto
    for part in (proto.graph, *proto.graph.node, *proto.graph.value_info):
        del part.metadata_props[:]  # where in the source it comes from: machine paths, and larger than the network
    proto.doc_string = TAKES
    for key, value in _metadata(model).items():
        proto.metadata_props.add(key=key, value=value)
    content: bytes = proto.SerializeToString()
    return content, largest_difference(model, content)


def _metadata(model: Predictor) -> dict[str, str]:
    """What a reader of the file may want to know, as words."""
    made = catalog.card(model.name)["command"] if model.name in catalog.shipped() else presets.command(model.config)
    return {
        "name": model.name,
        "takes": TAKES,
        "temperature": repr(model.calibration.temperature),
        "threshold": repr(model.calibration.threshold),
        "command": made,
        "config": json.dumps(model.config.to_dict()),
    }


def largest_difference(model: Predictor, content: bytes) -> float:
    """How far onnxruntime's probabilities are from ours at most. Raises ModelError where that is too far."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    images = list(check_images())
    digits = np.stack([drawing.to_mnist(image) for image in images])
    probabilities, are_digits = model.predict(digits)
    scores = digit_score(evaluation.logits(model.network, torch.from_numpy(digits))).numpy(force=True)
    sure = np.abs(scores - model.calibration.threshold) > ON_THE_BRINK
    theirs = [session.run(None, {"image": image}) for image in images]
    differences = np.abs(probabilities - np.stack([answer[0] for answer in theirs])).max(1)
    difference = float(differences.max())
    wrong = int((~(differences <= TOLERANCE)).sum())  # also where it is not a number
    if wrong > ROUNDED or not difference <= ROUNDED_TOLERANCE:
        raise ModelError(
            f"The ONNX file of {model.name} answers {wrong:,} of {len(images):,} images otherwise than the model, by "
            f"up to {difference:.2g} where {TOLERANCE:g} is allowed: it was not written. Use safetensors instead."
        )
    if (sure & (are_digits != np.array([answer[1] for answer in theirs]))).any():
        raise ModelError(
            f"The ONNX file of {model.name} takes other images for digits than the model does: it was not written. "
            f"Use safetensors instead."
        )
    return difference


def check_images() -> Iterator[Pixels]:
    """The 1,000 images that a file is checked on, always the same.

    500 as they are, (28, 28), then 500 others as drawings (280, 280), enlarged, moved and with various pens. They are
    MNIST's test images; where MNIST is not there, the built-in sample's.
    """
    data = "sample" if mnist_files.missing() else "mnist"
    splits = dataset.load(TrainConfig(data=data))
    images = (splits.test + splits.train).images[:CHECKED].numpy()
    yield from images[: CHECKED // 2]
    rng = np.random.default_rng(0)
    for image in images[CHECKED // 2 :]:
        yield _drawn(image, rng)


def _drawn(image: Pixels, rng: np.random.Generator) -> Pixels:
    """The digit (28, 28) as if drawn on the canvas: larger, somewhere on it, with a thinner or thicker pen."""
    side = int(rng.integers(CANVAS // 3, CANVAS))
    enlarged = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC), np.int64)
    level = rng.integers(20, 180)  # the outline goes where the grey is so bright
    ink: npt.NDArray[np.int64] = np.clip((enlarged - level) * 8, 0, rng.integers(120, 256))
    canvas = np.zeros((CANVAS, CANVAS), np.uint8)
    top, left = rng.integers(0, CANVAS - side + 1, 2)
    canvas[top : top + side, left : left + side] = ink
    return canvas

"""How much a few of a person's own digits help: `python -m benchmarks.handwriting FOLDER`.

FOLDER holds scans by several people as DIGIT/WRITER-*.png. For each writer some images of each digit are taught to the
shipped cnn by the command line, as anyone would, and all others are read before and after. Which ones are taught
matters much, so there are several choices by chance. Printed: for each choice and writer the shares that are read right
and the seconds that teaching took, start-up included; last, the means.
"""

import collections
import contextlib
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

from PIL import Image

from benchmarks.report import parser, print_figures, run
from mnist_core import drawing
from mnist_core.errors import DatasetError, DrawingError
from mnist_core.exchange import digit_sets
from mnist_core.files import APP_FOLDER
from mnist_core.own_digits.digit_store import DigitStore
from mnist_core.reading import predictor
from mnist_core.reading.predictor import Predictor
from mnist_core.runs.run_store import RunStore

MODEL = "cnn"
Images = list[tuple[int, pathlib.Path]]


def by_writer(folder: pathlib.Path, each: int, seed: int) -> dict[str, tuple[Images, Images]]:
    """Each writer's images to teach, `each` of every digit by chance, which `seed` decides, and to read."""
    found: dict[str, Images] = collections.defaultdict(list)
    for path in sorted(folder.glob("[0-9]/*")):
        found[path.name.split("-")[0]].append((int(path.parent.name), path))
    if not found:
        raise DatasetError(f"There are no images in {folder}/0 to {folder}/9.")
    parts = {}
    for writer, images in found.items():
        random.Random(f"{writer} {seed}").shuffle(images)  # noqa: S311  # no secret
        counts: collections.Counter[int] = collections.Counter()
        taught: Images = []
        read: Images = []
        for image in images:
            (taught if counts[image[0]] < each else read).append(image)
            counts[image[0]] += 1
        parts[writer] = taught, read
    return parts


def right(model: Predictor, images: Images) -> float:
    """The share that is read right, as `predict` reads."""
    steps = [(digit, drawing.follow_photo(Image.open(path)).image) for digit, path in images]
    return statistics.fmean(model.predict_one(image).digit == digit for digit, image in steps)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--each", type=int, default=3, help="images of each digit that are taught")
    arguments.add_argument("--choices", type=int, default=3, help="choices of the images that are taught; default 3")
    args = arguments.parse_args()
    base = predictor.load(MODEL)
    before, after, seconds, tests = [], [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        store, sets = RunStore(pathlib.Path(scratch, "runs")), DigitStore(pathlib.Path(scratch, "digits"))
        for seed in range(args.choices):
            for number, (writer, (taught, read)) in enumerate(sorted(by_writer(args.folder, args.each, seed).items())):
                name = f"w{number}-{seed}"
                for digit, path in taught:
                    with contextlib.suppress(DrawingError):  # what the app would leave out
                        sets.open_or_create(name).add(digit, digit_sets.ink_of(Image.open(path)))
                command = [sys.executable, "-m", "mnist_core", "train", "--from", MODEL, "--digits", name, "--json"]
                where = ["--runs-dir", str(store.folder), "--digits-dir", str(sets.folder)]
                begin = time.perf_counter()
                done = subprocess.run([*command, *where], cwd=APP_FOLDER, capture_output=True, text=True, check=True)
                seconds.append(time.perf_counter() - begin)
                end = json.loads(done.stdout.splitlines()[-1])
                before.append(right(base, read))
                after.append(right(predictor.load(end["run"], store), read))
                tests.append(end["test_accuracy"] - end["test_accuracy_before"])
                print(f"{seed} {writer}: {before[-1]:.4f} -> {after[-1]:.4f} of {len(read)}, {seconds[-1]:.1f} s")
    writers = len(tests) // args.choices
    fewer = [_fewer(before[i : i + writers], after[i : i + writers]) for i in range(0, len(tests), writers)]
    print_figures(
        {
            "writers": str(writers),
            "errors before, %": 100 * (1 - statistics.fmean(before)),
            "errors after, %": 100 * (1 - statistics.fmean(after)),
            "fewer errors, %": _fewer(before, after),
            "fewer errors, %, each choice": ", ".join(f"{percent:.0f}" for percent in fewer),
            "MNIST test accuracy, points": 100 * statistics.fmean(tests),
            "seconds": statistics.fmean(seconds),
        },
        args.json,
    )


def _fewer(before: list[float], after: list[float]) -> float:
    """By how many per cent the mean share of errors fell, from shares that are read right."""
    return 100 * (1 - (1 - statistics.fmean(after)) / (1 - statistics.fmean(before)))


if __name__ == "__main__":
    run(main)

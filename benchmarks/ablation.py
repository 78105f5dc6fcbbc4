"""What each part of `--augment handwriting` is worth: trained without each in turn, and with none and all of them.

Every row is the mean and the standard deviation over seeds, of short trainings of a small convnet: the differences
count, not the figures. Needs MNIST; --strokes names a file of pen strokes (see `mnist_core.strokes`), read as well.
"""

import dataclasses
import functools
import json
import pathlib
import statistics

import torch

from benchmarks.report import parser, run
from mnist_core import evaluation
from mnist_core.augmentation import augment
from mnist_core.config import TrainConfig
from mnist_core.reading import pen_strokes
from mnist_core.state import Loaders, TrainState
from mnist_core.trainer import fit

CONFIG = TrainConfig(
    model="convnet", width=16, augment="handwriting", background=0.06, precision="bfloat16", lr=0.008, epochs=4
)
FIRST_SEED = 100
ROWS = {
    "all parts": augment.PARTS,
    **{f"without {part}": tuple(other for other in augment.PARTS if other != part) for part in augment.PARTS},
    "affine alone": ("affine",),
}


def train(config: TrainConfig, parts: tuple[str, ...], drawn: pen_strokes.DrawnDigits | None) -> tuple[float, ...]:
    """The test accuracy, and that on drawn digits, of one training with these parts of `handwriting`."""
    loaders = Loaders.of(config)
    loaders.train.augment = functools.partial(augment.handwriting, parts=parts)  # type: ignore[attr-defined]
    state = TrainState.of(config)
    *_, end = fit(config, state, loaders)
    assert end["event"] == "end"
    figures = [end["test_accuracy"]]
    if drawn:
        digits = evaluation.logits(state.model, torch.from_numpy(drawn.images)).argmax(1).numpy()
        figures.append(drawn.macro_accuracy(digits))
    return tuple(figures)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--seeds", type=int, default=3, help="of each row; default 3")
    arguments.add_argument("--strokes", type=pathlib.Path, metavar="FILE", help="an .npz file of pen strokes")
    args = arguments.parse_args()
    drawn = pen_strokes.load(args.strokes) if args.strokes else None
    rows = dict.fromkeys(ROWS.items(), CONFIG)
    rows["without the background", augment.PARTS] = dataclasses.replace(CONFIG, background=0.0)
    titles = ["MNIST test %", "drawn, macro %"][: 2 if drawn else 1]
    if not args.json:
        print(f"{'':24}" + "".join(f"{title:>18}" for title in titles))
    for (name, parts), config in rows.items():
        seeds = range(FIRST_SEED, FIRST_SEED + args.seeds)
        columns = zip(*(train(dataclasses.replace(config, seed=seed), parts, drawn) for seed in seeds), strict=True)
        figures = [(100 * statistics.mean(column), 100 * statistics.pstdev(column)) for column in columns]
        if args.json:
            print(json.dumps({"row": name, "seeds": args.seeds, **dict(zip(titles, figures, strict=True))}), flush=True)
        else:
            cells = [f"{mean:.2f} ± {deviation:.2f}" for mean, deviation in figures]
            print(f"{name:24}" + "".join(f"{cell:>18}" for cell in cells), flush=True)


if __name__ == "__main__":
    run(main)

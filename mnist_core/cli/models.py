"""Commands about models, shipped ones and runs: evaluate, predict, export."""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from PIL import Image

from mnist_core import drawing, image_files, metrics
from mnist_core.cli import MODEL, STROKES, add, data_in_words, print_json
from mnist_core.errors import DrawingError, ModelError
from mnist_core.reading import catalog

if TYPE_CHECKING:
    from mnist_core.reading.predictor import Predictor

T = TypeVar("T")
NUMBERS = 500  # of drawn digits that --all reads


def add_to(commands: Any) -> None:
    """Add this module's commands to argparse's action for them."""
    parser = add(commands, "evaluate", _evaluate, "Measure a model on a split of the data that it was trained on.")
    parser.epilog = (
        "The loss, here and in --csv, is the cross-entropy of the calibrated probabilities, those that predict and the "
        "app show, in nats. The losses in a training's records are those of the network before calibration."
    )
    parser.add_argument("model", metavar="RUN", nargs="?", help=MODEL)
    parser.add_argument("--all", action="store_true", help="compare all shipped models instead, in one table")
    parser.add_argument("--strokes", type=pathlib.Path, metavar="FILE", help=f"with --all: {STROKES}")
    parser.add_argument(
        "--images",
        type=pathlib.Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="read photos and scans as well, which lie in FOLDER/0 to FOLDER/9 by what they show; alone, of one model, "
        "instead of a split",
    )
    parser.add_argument("--split", choices=("train", "validation", "test"), default="test", help="default: test")
    parser.add_argument(
        "--csv",
        type=pathlib.Path,
        metavar="FILE",
        help="write what is read in each image to this file, with its loss and the probabilities p0 to p9",
    )

    parser = add(
        commands, "predict", _predict, "Read the digit in each image: any size, light on dark or dark on light."
    )
    parser.add_argument("--model", metavar="RUN", default=catalog.DEFAULT_MODEL, help=f"{MODEL}; default: cnn")
    parser.add_argument(
        "--number", action="store_true", help="read all digits in each image, as numbers in rows from top to bottom"
    )
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="image files, such as PNG or JPEG")

    parser = add(commands, "export", _export, "Write a model to a file: weights with a card, ONNX or a web page.")
    parser.add_argument(
        "models", nargs="+", metavar="MODEL", help=f"{MODEL}; of several runs that differ in their seed, the best"
    )
    parser.add_argument(
        "--format",
        choices=("safetensors", "onnx", "html", "program", "tensorboard"),
        default="safetensors",
        help="safetensors: a finished run's weights, with a card of how they were made (the default); onnx: one file "
        "that takes a drawing, written when it answers as the model does; html: one web page to draw on, which answers "
        "without a server or a network; program: what this app's pages run in a browser; tensorboard: a folder with a "
        "run's curves as event files",
    )
    parser.add_argument("--strokes", type=pathlib.Path, metavar="FILE", help=STROKES)
    parser.add_argument("--title", default="", help="with html: what stands above the page; default: the model's name")
    parser.add_argument("--trained-by", default="", metavar="NAME", help="with html: a name to stand on the page")
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE", help="the file or folder to write")


def _evaluate(args: argparse.Namespace) -> None:
    from mnist_core import dataset, evaluation
    from mnist_core.reading import predictor

    if args.all == (args.model is not None):
        raise ModelError("Name one model to evaluate, or --all for all that are shipped.")
    if args.all:
        if args.csv:
            raise ModelError("--csv is for one model: name it instead of --all.")
        _evaluate_all(args)
        return
    loaded = predictor.load(args.model, args.store)
    if args.images:
        _evaluate_folders(args, loaded)
        return
    split: dataset.Dataset = getattr(dataset.load(loaded.config), args.split)
    if args.csv:
        loaded.predictions(split).write_csv(args.csv)
    logits = loaded.logits(split.images)
    figures = evaluation.measure(logits / loaded.calibration.temperature, split.labels)
    true, predicted = split.labels.numpy(), logits.argmax(1).numpy()
    confusion, per_class = metrics.confusion_matrix(true, predicted), metrics.per_class(true, predicted)
    if args.json:
        print_json(
            {
                "model": args.model,
                "data": loaded.config.data,
                "split": args.split,
                "images": len(split),
                **dataclasses.asdict(figures),
                "per_class": [dataclasses.asdict(one) for one in per_class],
                "confusion": confusion.tolist(),
            }
        )
        return
    print(f"{args.model} on the {len(split):,} {args.split} images of {data_in_words(loaded.config.data)}:")
    print(f"accuracy {figures.accuracy:.2%}, calibrated loss {figures.loss:.4f}\n")
    print("digit  images  precision  recall      F1")
    for one in per_class:
        print(f"{one.digit:5}  {one.images:6,}  {one.precision:9.2%}  {one.recall:6.2%}  {one.f1:6.2%}")
    print("\nread as     " + "".join(f"{digit:6}" for digit in range(10)))
    for digit, row in enumerate(confusion):
        print(f"a true {digit}    " + "".join(f"{count:6,}" for count in row))


def _evaluate_all(args: argparse.Namespace) -> None:
    from mnist_core.reading import labelled_images, pen_strokes, scorecard

    drawn = pen_strokes.load(args.strokes) if args.strokes else None
    drawn_numbers = pen_strokes.load_numbers(args.strokes, NUMBERS) if args.strokes else []
    folders = [labelled_images.load(folder) for folder in args.images]
    rows = []
    for name in catalog.shipped():
        rows.append(scorecard.measure(name, drawn, drawn_numbers, folders))
        if args.json:
            print_json(rows[-1])
    if not args.json:
        print(scorecard.table(rows))


def _evaluate_folders(args: argparse.Namespace, loaded: Predictor) -> None:
    from mnist_core.reading import labelled_images, scorecard

    if args.csv:
        raise ModelError("--csv is for a split: leave out --images.")
    for folder in args.images:
        images = labelled_images.load(folder)
        figures = scorecard.measure_folder(loaded, images)
        blank = int((~images.found).sum())
        if args.json:
            print_json({"model": args.model, **figures, "without_digit": blank})
            continue
        low, high = figures["interval"]
        print(
            f"{args.model} on the {len(images.labels):,} images of {folder}: accuracy {figures['accuracy']:.2%} "
            f"(95 % interval {low:.2%} to {high:.2%}), {blank:,} of them without a digit that could be found"
        )


def _predict(args: argparse.Namespace) -> int:
    from mnist_core.reading import predictor

    loaded = predictor.load(args.model, args.store)
    read = _read_number if args.number else _read_digit
    refused = 0
    for path in args.images:
        try:
            record, words = _read_file(path, lambda image: read(loaded, image))
        except DrawingError as error:
            refused += 1
            if args.json:
                print_json({"path": path, "error": str(error)})
            else:
                print(f"mnist_core: {error}", file=sys.stderr)
            continue
        if args.json:
            print_json({"path": path, **record})
        else:
            print(f"{path}: {words}", flush=True)
    return 2 if refused else 0


def _read_file(path: str, read: Callable[[Image.Image], T]) -> T:
    """What `read` makes of the image in the file. Raises a DrawingError that names the file, and ModelError."""
    image = image_files.open_image(path)
    try:
        return read(image)
    except DrawingError as error:
        raise DrawingError(f"{path}: {error}") from error


def _read_digit(model: Predictor, image: Image.Image) -> tuple[dict[str, Any], str]:
    """The record of the one digit in the image, and the same in words. Raises DrawingError and ModelError."""
    answer = model.predict_one(drawing.follow_photo(image).image)
    doubt = "" if answer.is_digit else ", but it may be no digit"
    return dataclasses.asdict(answer), f"{answer.digit} ({answer.confidence:.1%}){doubt}"


def _read_number(model: Predictor, image: Image.Image) -> tuple[dict[str, Any], str]:
    """The record of all digits in the image, and the same in words. Raises DrawingError and ModelError."""
    from mnist_core.reading import numbers

    rows = numbers.read_rows(model, image)
    digits = [digit for row in rows for digit in row.digits]
    record = {"number": " ".join(row.number for row in rows), "digits": [dataclasses.asdict(one) for one in digits]}
    least = min(digit.confidence for digit in digits)
    return record, f"{record['number']} (the least sure digit {least:.1%})"


def _export(args: argparse.Namespace) -> None:
    if args.format == "onnx":
        _export_onnx(args)
        return
    if args.format == "html":
        _export_html(args)
        return
    if args.format == "program":
        _export_program(args)
        return
    if args.format == "tensorboard":
        _export_tensorboard(args)
        return
    from mnist_core.exchange.model_card import export, export_shipped
    from mnist_core.reading import pen_strokes

    shipped = [name for name in args.models if name in catalog.shipped()]
    if not shipped:
        drawn = pen_strokes.load(args.strokes) if args.strokes else None
        export([args.store.open(name) for name in args.models], args.out, drawn)
    elif len(args.models) == 1 and not args.strokes:
        export_shipped(args.models[0], args.out)
    else:
        raise ModelError(f"{shipped[0]} is a shipped model, whose card is written already: export it by itself.")


def _export_onnx(args: argparse.Namespace) -> None:
    from mnist_core.exchange import onnx_file

    if len(args.models) > 1 or args.strokes:
        raise ModelError("As onnx, one model is exported at a time, without --strokes.")
    difference = onnx_file.export(args.models[0], args.out, args.store)
    if args.json:
        print_json({"file": str(args.out), "images": onnx_file.CHECKED, "largest_difference": difference})
    else:
        print(
            f"{args.out} answers {onnx_file.CHECKED:,} images as {args.models[0]} does: the largest difference of a "
            f"probability is {difference:.1g}."
        )


def _export_html(args: argparse.Namespace) -> None:
    from mnist_core.exchange import web_page

    if len(args.models) > 1 or args.strokes:
        raise ModelError("As a web page, one model is exported at a time, without --strokes.")
    size = web_page.export(args.models[0], args.out, args.title, args.trained_by, args.store)
    if args.json:
        print_json({"file": str(args.out), "bytes": size})
    else:
        print(f"{args.out}, {size / 1_000:,.0f} kB: open it in a browser, on any machine.")


def _export_program(args: argparse.Namespace) -> None:
    from mnist_core.exchange import browser_program

    if len(args.models) > 1 or args.strokes:
        raise ModelError("As a program, one model is exported at a time, without --strokes.")
    size = browser_program.export(args.models[0], args.out, args.store)
    if args.json:
        print_json({"file": str(args.out), "bytes": size})
    else:
        print(f"{args.out}, {size / 1_000:,.0f} kB.")


def _export_tensorboard(args: argparse.Namespace) -> None:
    from mnist_core.exchange.tensorboard_files import write_events

    if len(args.models) > 1 or args.strokes:
        raise ModelError("For tensorboard, one run is exported at a time, without --strokes.")
    write_events(args.store.open(args.models[0]), args.out)

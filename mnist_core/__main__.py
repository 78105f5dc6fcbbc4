"""The command line: `python -m mnist_core data | train | evaluate | predict | summary | augment | runs | export`."""

import argparse
import dataclasses
import json
import os
import pathlib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from tqdm import tqdm

from mnist_core import catalog, config, drawing, metrics, mnist_files, model, presets, run, take_along, worker
from mnist_core.config import DEFAULTS, ITEM_TYPES, RULES, TrainConfig
from mnist_core.errors import ConfigError, EmptyDrawing, LabError, ModelError, RunError
from mnist_core.records import Record

# torch takes seconds to import: what needs it is imported in the command that needs it, so that --help is quick.

DESCRIPTION = """\
Train networks to read handwritten digits, measure them, and have them read images.

  python -m mnist_core train --model cnn --epochs 3     train; the run's folder is runs/<id>
  python -m mnist_core evaluate <id>                    accuracy, per digit too, and the confusion matrix
  python -m mnist_core predict photo.png                what the shipped cnn reads in an image
"""


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status: 0, 2 for wrong input, 130 when stopped by Ctrl+C."""
    args = _parser().parse_args(arguments)
    try:
        args.command(args)
        sys.stdout.flush()
    except LabError as error:
        print(f"mnist_core: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="python -m mnist_core", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, function: Any, help: str, runs_dir: bool = True) -> Parser:
        sub: Parser = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(command=function)
        sub.add_argument("--json", action="store_true", help="print one JSON object a line")
        if runs_dir:
            sub.add_argument(
                "--runs-dir", type=pathlib.Path, default=run.RUNS_DIR, metavar="DIR", help="where runs are kept"
            )
        return sub

    sub = command("data", _data, "Make sure that MNIST is there and whole; download it if it is not.", runs_dir=False)
    sub.add_argument("--download", action="store_true", help="fetch it anew even if it is there")

    sub = command("train", _train, "Train a network; its weights and curves go to a run's folder.")
    sub.add_argument("--resume", metavar="RUN", help="go on with a run that was stopped or interrupted")
    sub.add_argument(
        "--recipe",
        choices=tuple(presets.RECIPES),
        help="train as the shipped model of that name was; further flags change what they name",
    )
    for name in RULES:
        _add_flag(sub, name)

    help_model = "a run's id or the name of a shipped model"
    help_strokes = "measure on the digits in this .npz file of pen strokes, too"
    sub = command("evaluate", _evaluate, "Measure a model on a split of the data that it was trained on.")
    sub.add_argument("model", metavar="RUN", nargs="?", help=help_model)
    sub.add_argument("--all", action="store_true", help="compare all shipped models instead, in one table")
    sub.add_argument("--strokes", type=pathlib.Path, metavar="FILE", help=f"with --all: {help_strokes}")
    sub.add_argument("--split", choices=("train", "validation", "test"), default="test", help="default: test")
    sub.add_argument("--csv", type=pathlib.Path, metavar="FILE", help="write what is read in each image to this file")

    sub = command("predict", _predict, "Read the digit in each image: any size, light on dark or dark on light.")
    sub.add_argument("--model", metavar="RUN", default=catalog.DEFAULT_MODEL, help=f"{help_model}; default: cnn")
    sub.add_argument("images", nargs="+", metavar="IMAGE", help="image files, such as PNG or JPEG")

    sub = command("summary", _summary, "Show a network layer by layer.", runs_dir=False)
    for name in ("model", *model.HYPERPARAMETERS):
        _add_flag(sub, name)

    sub = command("augment", _augment, "Draw a contact sheet of what the augmentations and the background make.", False)
    sub.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE", help="the PNG file to write")
    for name in ("data", "seed"):
        _add_flag(sub, name)

    sub = command("runs", _runs, "List the runs, the newest first.")
    sub.add_argument("--delete", metavar="RUN", help="delete this run's folder instead")

    sub = command("export", _export, "Write a model to a file: its weights with a card, or ONNX that takes drawings.")
    sub.add_argument(
        "runs",
        nargs="+",
        metavar="MODEL",
        help=f"{help_model}; of several runs that differ in their seed, the best is written",
    )
    sub.add_argument(
        "--format",
        choices=("safetensors", "onnx"),
        default="safetensors",
        help="safetensors: a finished run's weights, with a card of how they were made; onnx: one file that takes a "
        "drawing, checked against the model's own answers. Default: safetensors",
    )
    sub.add_argument("--strokes", type=pathlib.Path, metavar="FILE", help=help_strokes)
    sub.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE", help="the file to write")
    return parser


def _add_flag(parser: Parser, name: str) -> None:
    """The flag of a TrainConfig field. Left out, it is left out of the namespace too."""
    rule, default = RULES[name], DEFAULTS[name]
    shown = " ".join(map(str, default)) if config.is_list(name) else default
    limits = (
        "" if rule.minimum is None else f" {rule.minimum:,} to {rule.maximum:,}{' ' + rule.unit if rule.unit else ''}."
    )
    parser.add_argument(
        config.flag(name),
        type=ITEM_TYPES[name],
        nargs="*" if config.is_list(name) else None,
        choices=rule.choices or None,
        metavar=None if rule.choices else ITEM_TYPES[name].__name__.upper(),
        default=argparse.SUPPRESS,
        help=f"{rule.help}{limits}{'' if default is None else f' Default: {shown}.'}".replace("%", "%%"),
    )


def _given(args: argparse.Namespace) -> dict[str, Any]:
    return {name: value for name, value in vars(args).items() if name in RULES}


def _print_json(value: Any) -> None:
    print(json.dumps(value), flush=True)


def _data(args: argparse.Namespace) -> None:
    if args.download:
        mnist_files.download()
    folder = mnist_files.find_or_download()
    shapes = {name: mnist_files.read(folder / name).shape for name in mnist_files.MD5}
    if args.json:
        _print_json({"folder": str(folder), "files": {name: list(shape) for name, shape in shapes.items()}})
        return
    print(f"MNIST is whole, in {folder}:")
    for name, shape in shapes.items():
        print(f"  {name:24} {' x '.join(map(str, shape))}")


def _train(args: argparse.Namespace) -> None:
    given = _given(args)
    if args.resume and (given or args.recipe):
        raise ConfigError("", "--resume goes on with the run's own hyperparameters: leave the others away.")
    if args.recipe:
        given = {**presets.RECIPES[args.recipe].config.to_dict(), **given}
    this = run.open_run(args.resume, args.runs_dir) if args.resume else run.create(TrainConfig(**given), args.runs_dir)
    if not args.json:
        print(f"Run {this.id}")
    try:
        with tqdm(unit=" steps", disable=args.json or not sys.stderr.isatty(), leave=False) as bar:
            for record in worker.train(this):
                if args.json:
                    _print_json({"run": this.id, **record})
                else:
                    bar.total = record.get("steps", bar.total)
                    bar.update(record.get("step", 0) - bar.n)
                    if line := _in_words(record):
                        bar.write(line)
    except KeyboardInterrupt:
        print(f"\nStopped. Go on with: python -m mnist_core train --resume {this.id}", file=sys.stderr)
        raise


def _in_words(record: Record) -> str:
    """A record as a line for people; empty for one that is only for curves."""
    event = record["event"]
    if event == "start":
        return (
            f"{record['model']}, {record['parameters']:,} parameters, on {record['device']}, "
            f"data: {_data_in_words(record['data'])}. Loss before training {record['first_loss']:.3f} (ln 10 = 2.303)."
        )
    if event == "resume":
        return f"Going on after epoch {record['epoch']} of {record['epochs']}."
    if event == "epoch":
        return (
            f"epoch {record['epoch']:3}   training loss {record['train_loss']:.4f}, {record['train_accuracy']:.2%}   "
            f"validation loss {record['val_loss']:.4f}, {record['val_accuracy']:.2%}   {record['seconds']:.1f} s"
        )
    if event == "end" and record["reason"] == "finished":
        return (
            f"Finished in {record['seconds']:.1f} s of training: validation {record['val_accuracy']:.2%}, "
            f"test {record['test_accuracy']:.2%} of {_data_in_words(record['data'])}."
        )
    if event == "lr":
        return f"Learning rate {record['lr']:g} from step {record['step']} on."
    if event == "end":
        return f"{record['reason'].capitalize()} at step {record['step']}. {record.get('advice', '')}".strip()
    return ""


def _data_in_words(data: str) -> str:
    return "MNIST" if data == "mnist" else config.SAMPLE_IN_WORDS


def _evaluate(args: argparse.Namespace) -> None:
    from mnist_core import dataset, evaluation, predictor

    if args.all == (args.model is not None):
        raise ModelError("Name one model to evaluate, or --all for all that are shipped.")
    if args.all and args.csv:
        raise ModelError("--csv is for one model: name it instead of --all.")
    if args.all:
        _evaluate_all(args)
        return
    loaded = predictor.load(args.model, args.runs_dir)
    split: dataset.Dataset = getattr(dataset.load(loaded.config), args.split)
    if args.csv:
        take_along.write_csv(loaded.read_all(split), args.csv)
    logits = evaluation.predict(loaded.network, split.images)
    figures = evaluation.measure(logits, split.labels)
    confusion = metrics.confusion_matrix(split.labels.numpy(), logits.argmax(1).numpy())
    per_class = metrics.per_class(confusion)
    if args.json:
        _print_json(
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
    print(f"{args.model} on the {len(split):,} {args.split} images of {_data_in_words(loaded.config.data)}:")
    print(f"accuracy {figures.accuracy:.2%}, loss {figures.loss:.4f}\n\ndigit  images  precision  recall      F1")
    for one in per_class:
        print(f"{one.digit:5}  {one.images:6,}  {one.precision:9.2%}  {one.recall:6.2%}  {one.f1:6.2%}")
    print("\nread as     " + "".join(f"{digit:6}" for digit in range(10)))
    for digit, row in enumerate(confusion):
        print(f"a true {digit}    " + "".join(f"{count:6,}" for count in row))


def _evaluate_all(args: argparse.Namespace) -> None:
    from mnist_core import comparison, strokes

    drawn = strokes.load(args.strokes) if args.strokes else None
    rows = []
    for name in catalog.shipped():
        rows.append(comparison.measure(name, drawn))
        if args.json:
            _print_json(rows[-1])
    if not args.json:
        print(comparison.table(rows))


def _predict(args: argparse.Namespace) -> None:
    from mnist_core import predictor

    loaded = predictor.load(args.model, args.runs_dir)
    for path in args.images:
        try:
            answer = loaded.answer(drawing.to_mnist(drawing.open_image(path)))
        except EmptyDrawing as error:
            raise EmptyDrawing(f"{path}: {error}") from error
        if args.json:
            _print_json({"path": path, **dataclasses.asdict(answer)})
        else:
            doubt = "" if answer.is_digit else ", but it may be no digit"
            print(f"{path}: {answer.digit} ({answer.confidence:.1%}){doubt}")


def _summary(args: argparse.Namespace) -> None:
    chosen = TrainConfig(**_given(args))
    rows = model.summary(model.build(chosen.model, **chosen.hyperparameters))
    if args.json:
        for row in rows:
            _print_json(dataclasses.asdict(row))
        return
    print(f"{chosen.model}: {model.NETWORKS[chosen.model].sentence}\n")
    print(f"{'layer':14} {'input':>14} {'output':>14} {'parameters':>12} {'multiply-adds':>14}")
    for row in rows:
        shapes = [" x ".join(map(str, shape)) for shape in (row.input_shape, row.output_shape)]
        print(f"{row.layer:14} {shapes[0]:>14} {shapes[1]:>14} {row.parameters:12,} {row.multiply_adds:14,}")
    total = sum(row.parameters for row in rows), sum(row.multiply_adds for row in rows)
    print(f"{'total':14} {'':14} {'':14} {total[0]:12,} {total[1]:14,}")


def _augment(args: argparse.Namespace) -> None:
    from mnist_core import contact_sheet

    contact_sheet.save(TrainConfig(**_given(args)), args.out)


def _runs(args: argparse.Namespace) -> None:
    if args.delete:
        run.open_run(args.delete, args.runs_dir).delete()
        return
    for this in run.list_runs(args.runs_dir):
        try:
            row = this.overview()
        except RunError as error:  # one damaged run hides no other
            print(f"mnist_core: {error}", file=sys.stderr)
            continue
        if args.json:
            _print_json(row)
        else:
            validation, test = (f"{row[key]:.2%}" if row[key] else "-" for key in ("val_accuracy", "test_accuracy"))
            print(f"{row['run']:34} {row['state']:12} {row['data']:7} validation {validation:>7}  test {test:>7}")


def _export(args: argparse.Namespace) -> None:
    written = take_along.export(args.runs, args.out, args.format, args.runs_dir, args.strokes)
    _print_json(written) if args.json else print(take_along.in_words(written))


if __name__ == "__main__":
    sys.exit(main())

"""Commands about data and training: data, train, summary, augment."""

import argparse
import dataclasses
import pathlib
import sys
from typing import Any, cast

from tqdm import tqdm

from mnist_core import mnist_files, model, presets, teaching
from mnist_core.cli import add, add_digits_dir, add_flag, data_in_words, given, print_json, with_bar
from mnist_core.config import RULES, TrainConfig
from mnist_core.errors import ConfigError
from mnist_core.records import End, Record
from mnist_core.runs import footprint
from mnist_core.runs.run import Run
from mnist_core.runs.training import train_run
from mnist_core.text import data_size


def add_to(commands: Any) -> None:
    """Add this module's commands to argparse's action for them."""
    parser = add(commands, "data", _data, "Make sure that MNIST is there and whole; download it if it is not.", False)
    parser.add_argument("--download", action="store_true", help="fetch it anew even if it is there")

    parser = add(commands, "train", _train, "Train a network; its weights and curves go to a run's folder.")
    add_digits_dir(parser)
    parser.add_argument("--resume", metavar="RUN", help="go on with a run that was stopped or interrupted")
    parser.add_argument(
        "--recipe",
        choices=tuple(presets.RECIPES),
        help="train as the shipped model of that name was; further flags change what they name",
    )
    parser.add_argument(
        "--tensorboard", action="store_true", help="write TensorBoard's event files, too, to the run's folder"
    )
    for name in RULES:
        add_flag(parser, name)

    shown = "Show a network layer by layer, and the memory and disk that its training takes."
    parser = add(commands, "summary", _summary, shown, runs_dir=False)
    for name in RULES:
        add_flag(parser, name)

    sheet = "Draw a contact sheet of what the augmentations and the background make."
    parser = add(commands, "augment", _augment, sheet, runs_dir=False)
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE", help="the PNG file to write")
    for name in ("data", "seed"):
        add_flag(parser, name)


def _data(args: argparse.Namespace) -> None:
    if args.download:
        mnist_files.download()
    folder = mnist_files.find_or_download()
    shapes = {name: mnist_files.read(folder / name).shape for name in mnist_files.MD5}
    if args.json:
        print_json({"folder": str(folder), "files": {name: list(shape) for name, shape in shapes.items()}})
        return
    print(f"MNIST is whole, in {folder}:")
    for name, shape in shapes.items():
        print(f"  {name:24} {' x '.join(map(str, shape))}")


def _train(args: argparse.Namespace) -> None:
    chosen = given(args)
    if args.resume and (chosen or args.recipe):
        raise ConfigError("", "--resume goes on with the run's own hyperparameters: give no others.")
    if args.tensorboard:
        from mnist_core.exchange import tensorboard_files

        tensorboard_files.require()
    if args.recipe:
        chosen = {**presets.RECIPES[args.recipe].config.to_dict(), **chosen}
    if "start_from" in chosen and not args.recipe:
        known = teaching.settings(chosen["start_from"], chosen.get("digits", ()), args.store)
        chosen = {**known, **chosen}
    run = args.store.open(args.resume) if args.resume else _new_run(args, TrainConfig(**chosen))
    if not args.json:
        print(f"Run {run.id}")
    try:
        with tqdm(unit=" steps", disable=args.json or not sys.stderr.isatty(), leave=False) as bar:
            records = train_run(run)
            for record in tensorboard_files.beside(run, records) if args.tensorboard else records:
                if args.json:
                    print_json({"run": run.id, **record})
                else:
                    bar.total = record.get("steps", bar.total)
                    bar.update(record.get("step", 0) - bar.n)
                    if line := _in_words(record):
                        bar.write(line)
    except KeyboardInterrupt:
        print(f"\nStopped. Go on with: python -m mnist_core train --resume {run.id}", file=sys.stderr)
        raise


def _new_run(args: argparse.Namespace, config: TrainConfig) -> Run:
    if own := [*config.digits, *config.judged_by]:
        with_bar(args, "digits", args.sets.preparing(own))
    return teaching.create_run(config, args.store, args.sets)


def _in_words(record: Record) -> str:
    """A record as a line for people; empty for one that is only for curves."""
    if record["event"] == "start":
        begun = f" Loss before training {record['first_loss']:.3f} (ln 10 = 2.303)." if "first_loss" in record else ""
        return (
            f"{record['model']}, {record['parameters']:,} parameters, on {record['device']}, "
            f"data: {data_in_words(record['data'])}.{begun}"
        )
    if record["event"] == "resume":
        return f"Going on after epoch {record['epoch']} of {record['epochs']}."
    if record["event"] == "epoch":
        return (
            f"epoch {record['epoch']:3}   training loss {record['train_loss']:.4f}, {record['train_accuracy']:.2%}   "
            f"validation loss {record['val_loss']:.4f}, {record['val_accuracy']:.2%}   {record['seconds']:.1f} s"
        )
    if record["event"] == "lr":
        return f"Learning rate {record['lr']:g} from step {record['step']} on."
    if record["event"] == "end" and record["reason"] == "finished":
        return (
            f"Finished in {record['seconds']:.1f} s of training: validation {record['val_accuracy']:.2%}, "
            f"test {record['test_accuracy']:.2%}{_before(record, 'test_accuracy')} of {data_in_words(record['data'])}."
            f"{_own_in_words(record)}"
        )
    if record["event"] == "end":
        return f"{record['reason'].capitalize()} at step {record['step']}. {record.get('advice', '')}".strip()
    return ""


def _own_in_words(end: End) -> str:
    learnt = f" {end['own_learnt']:,} own digits were learnt." if "own_learnt" in end else ""
    if "own_held_back" not in end:
        return learnt
    right = f"{end['own_accuracy']:.1%} read right{_before(end, 'own_accuracy')}"
    return f"{learnt} Of {end['own_held_back']:,} that were held back, {right}."


def _before(end: End, figure: str) -> str:
    """What the figure was before the training, where that went on from a model."""
    share = cast(float | None, end.get(f"{figure}_before"))
    return "" if share is None else f" (before {share:.2%})"


def _summary(args: argparse.Namespace) -> None:
    chosen = TrainConfig(**given(args))
    needed = footprint.predict(chosen)
    rows = model.summary(model.skeleton(chosen.model, **chosen.hyperparameters))
    if args.json:
        for row in rows:
            print_json(dataclasses.asdict(row))
        print_json(dataclasses.asdict(needed))
        return
    print(f"{chosen.model}: {model.NETWORKS[chosen.model].sentence}\n")
    print(f"{'layer':14} {'input':>14} {'output':>14} {'parameters':>12} {'multiply-adds':>14}")
    for row in rows:
        shapes = [" x ".join(map(str, shape)) for shape in (row.input_shape, row.output_shape)]
        print(f"{row.layer:14} {shapes[0]:>14} {shapes[1]:>14} {row.parameters:12,} {row.multiply_adds:14,}")
    total = sum(row.parameters for row in rows), sum(row.multiply_adds for row in rows)
    print(f"{'total':14} {'':14} {'':14} {total[0]:12,} {total[1]:14,}")
    memory, disk = data_size(needed.memory), data_size(needed.disk)
    print(f"\nIts training takes about {memory} of memory and {disk} of disk.")


def _augment(args: argparse.Namespace) -> None:
    from mnist_core.augmentation import contact_sheet

    contact_sheet.save(TrainConfig(**given(args)), args.out)

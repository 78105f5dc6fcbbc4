"""The commands about sets of own digits: digits add, list, show, export, delete, restore."""

import argparse
import pathlib
from typing import Any

from mnist_core.cli import Parser, add, add_digits_dir, print_json, with_bar
from mnist_core.own_digits.digit_set import DigitSet


def add_to(commands: Any) -> None:
    """Add this module's commands to argparse's action for them."""
    parent = add(commands, "digits", _list, "List the sets of own digits, or do with them what a command says.", False)
    parts = parent.add_subparsers(title="commands", metavar="COMMAND")
    add_digits_dir(parent)

    def part(name: str, function: Any, help: str) -> Parser:
        made = add(parts, name, function, help, runs_dir=False, is_part=True)
        add_digits_dir(made, argparse.SUPPRESS)  # what was said before the part's name holds
        return made

    parser = part("add", _add, "Add images to a set, a new one where there is none of that name.")
    parser.add_argument("--set", dest="name", required=True, metavar="NAME", help="the set's name")
    parser.add_argument("--sheet", action="store_true", help="each file is a photo of the sheet of `digits sheet`")
    parser.add_argument(
        "paths",
        nargs="+",
        type=pathlib.Path,
        metavar="PATH",
        help="folders or .zip files in which the images of each digit lie in a folder of its name, as 4/one.png",
    )

    part("list", _list, "List the sets.")

    parser = part("show", _show, "Show how many of each digit a set has, and its digits on a contact sheet.")
    parser.add_argument("name", metavar="SET", help="a set's name")
    parser.add_argument("--out", type=pathlib.Path, metavar="FILE", help="the PNG file of the contact sheet to write")

    parser = part("export", _export, "Write a set as a zip file, to be added elsewhere.")
    parser.add_argument("name", metavar="SET", help="a set's name")
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE", help="the .zip file to write")

    parser = part("delete", _delete, "Delete sets; for a day `digits restore` brings them back.")
    parser.add_argument("names", metavar="SET", nargs="+", help="sets' names")

    parser = part("restore", _restore, "Bring back deleted sets.")
    parser.add_argument("names", metavar="SET", nargs="+", help="sets' names")

    parser = part("sheet", _sheet, "Write a sheet to print, to write digits on and to photograph.")
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE", help="the .pdf or .png file")


def _add(args: argparse.Namespace) -> None:
    from mnist_core.exchange import digit_sets, digit_sheet

    for path in args.paths:
        found = digit_sheet.read_file(path) if args.sheet else with_bar(args, "read", digit_sets.reading(path))
        added = with_bar(args, "kept", digit_sets.keeping(found.digits, args.name, args.sets))
        if args.json:
            print_json({"path": str(path), "set": args.name, "added": added, "left_out": found.problems})
            continue
        print(f"{added:,} digits of {path} are in the set {args.name}.")
        for problem in found.problems:
            print(f"  left out: {problem}")


def _list(args: argparse.Namespace) -> None:
    for kept in args.sets.sets():
        if args.json:
            print_json(_described(kept))
        else:
            print(f"{kept.name:20} {sum(kept.counts()):6,} digits  {kept.begun()}".rstrip())


def _described(kept: DigitSet) -> dict[str, Any]:
    return {"set": kept.name, "path": str(kept.path), "begun": kept.begun(), "counts": kept.counts()}


def _show(args: argparse.Namespace) -> None:
    from mnist_core.exchange import digit_sets

    kept = args.sets.open(args.name)
    if args.out:
        digit_sets.write_contact_sheet(kept, args.out)
    if args.json:
        print_json(_described(kept))
        return
    counts = kept.counts()
    print(f"{kept.name}, in {kept.path}: {sum(counts):,} digits")
    for digit, count in enumerate(counts):
        print(f"  {digit}  {count:6,}")


def _export(args: argparse.Namespace) -> None:
    from mnist_core.exchange import digit_sets

    digit_sets.export(args.sets.open(args.name), args.out)


def _delete(args: argparse.Namespace) -> None:
    for kept in [args.sets.open(name) for name in args.names]:
        args.sets.delete(kept.name)


def _restore(args: argparse.Namespace) -> None:
    for name in args.names:
        args.sets.restore(name)


def _sheet(args: argparse.Namespace) -> None:
    from mnist_core.exchange import digit_sheet

    digit_sheet.write(args.out)

"""The commands about several machines: cluster start, join, leave."""

import argparse
from typing import Any

from mnist_core.cli import add
from mnist_core.runs import cluster


def add_to(commands: Any) -> None:
    """Add this module's commands to argparse's action for them."""
    says = "Train on several machines: make this one the head of a cluster, or one of its nodes."
    parent = add(commands, "cluster", _join, says, runs_dir=False)
    parts = parent.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add(parts, "start", _join, "Make this machine the head of a new cluster.", runs_dir=False).set_defaults(address="")
    parser = add(parts, "join", _join, "Make this machine a node of a cluster.", runs_dir=False)
    parser.add_argument("address", metavar="ADDRESS", help="the head's, such as 192.168.1.5:6379")
    add(parts, "leave", _leave, "Stop what makes this machine a head or a node.", runs_dir=False)


def _join(args: argparse.Namespace) -> int:
    return cluster.join(args.address)


def _leave(_: argparse.Namespace) -> int:
    return cluster.leave()

import os
import subprocess
import sys

import pytest

from mnist_core.files import APP_FOLDER
from mnist_core.torch_startup import limit_spinning

OURS = {"GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "1"}
WAYS = {  # to a training, each up to the import of torch
    "shell": ["-m", "mnist_core", "train", "--data", "sample", "--epochs", "1", "--json"],
    "worker": ["-m", "mnist_core.runs.worker"],
    "script": ["-c", "from mnist_core.trainer import fit"],
    "public name": ["-c", "from mnist_core import fit"],
    "page": ["-c", "import pages.shared.models, torch"],
}


@pytest.mark.skipif(sys.platform != "linux", reason="reads what GNU's OpenMP says of itself")
@pytest.mark.parametrize(
    "way", [way if way in ("worker", "page") else pytest.param(way, marks=pytest.mark.slow) for way in WAYS]
)
def test_openmp_is_told_to_spin_less_before_it_is_loaded(tmp_path, way):
    assert spins(WAYS[way], tmp_path) == {"1000"}


@pytest.mark.parametrize(
    ("set_by_user", "expected"), [({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "PASSIVE"}, None), ({}, "1000")]
)
def test_what_the_user_says_of_spinning_is_kept(monkeypatch, set_by_user, expected):
    for name in (*OURS, "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in set_by_user.items():
        monkeypatch.setenv(name, value)
    limit_spinning()
    assert os.environ.get("GOMP_SPINCOUNT") == expected


def spins(arguments, folder, **environment):
    """What each OpenMP that a new process loads says of its GOMP_SPINCOUNT."""
    inherited = {name: value for name, value in os.environ.items() if name not in (*OURS, "OMP_WAIT_POLICY")}
    places = {"PYTHONPATH": str(APP_FOLDER), "RUNS_DIR": str(folder), "OMP_DISPLAY_ENV": "VERBOSE"}
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**inherited, **places, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.split("'")[1] for line in done.stderr.splitlines() if "GOMP_SPINCOUNT" in line}

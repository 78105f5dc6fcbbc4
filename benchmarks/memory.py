"""The most memory that a process takes while it trains on MNIST, above what `import torch` takes alone.

Each in a process of its own, its peak as the operating system counted it. Needs MNIST.
"""

import resource
import subprocess
import sys
import tempfile

from benchmarks.report import parser, print_figures, run
from mnist_core import mnist_files

IMPORT = "import torch"
TRAIN = """
import pathlib
from mnist_core.config import TrainConfig
from mnist_core.runs import worker
from mnist_core.runs.run_store import RunStore
run = RunStore(pathlib.Path({folder!r})).create(TrainConfig(model={model!r}, epochs=1, device="cpu"))
for _ in worker.train(run):
    pass
"""
PEAK = "\nimport resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"


def peak(script: str) -> float:
    """MB at the most, of a Python process that runs `script`."""
    done = subprocess.run([sys.executable, "-c", script + PEAK], stdout=subprocess.PIPE, check=True, text=True)
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kB elsewhere
    return int(done.stdout) * unit / 1e6


def main() -> None:
    mnist_files.find_or_download()
    args = parser(__doc__).parse_args()
    assert resource  # there is no such module on Windows: say so before anything is trained
    base = peak(IMPORT)
    figures: dict[str, float | str] = {"import torch, MB": base}
    with tempfile.TemporaryDirectory() as folder:
        for model in ("mlp", "cnn"):
            figures[f"training {model}, MB above"] = peak(TRAIN.format(model=model, folder=folder)) - base
    print_figures(figures, args.json)


if __name__ == "__main__":
    run(main)

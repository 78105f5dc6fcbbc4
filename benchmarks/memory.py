"""The most memory that a process takes while it trains, beside what is predicted.

Each in a process of its own, its peak as the operating system counted it. Needs MNIST.
"""

import resource
import subprocess
import sys
import tempfile

from benchmarks.report import parser, print_figures, run
from mnist_core import mnist_files
from mnist_core.config import TrainConfig
from mnist_core.runs import footprint

IMPORT = "import torch"
TRAIN = """
import pathlib
from mnist_core.config import TrainConfig
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.training import train_run
for _ in train_run(RunStore(pathlib.Path({folder!r})).create(TrainConfig.from_json({config!r}))):
    pass
"""
PEAK = "\nimport resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
CONFIGS = {
    "mlp": TrainConfig(epochs=1, device="cpu"),
    "cnn": TrainConfig(model="cnn", epochs=1, device="cpu"),
    "cnn in batches of 10,000": TrainConfig(model="cnn", batch_size=10_000, epochs=1, device="cpu"),
    "convnet of 128 channels": TrainConfig(data="sample", model="convnet", width=128, epochs=1, device="cpu"),
    "mlp on handwriting with background": TrainConfig(augment="handwriting", background=0.2, epochs=1, device="cpu"),
    "mlp of 8 x 4,096": TrainConfig(data="sample", hidden=(4096,) * 8, lr=1e-4, epochs=2, device="cpu"),
}


def peak(script: str) -> float:
    """MB at the most, of a Python process that runs `script`."""
    done = subprocess.run([sys.executable, "-c", script + PEAK], stdout=subprocess.PIPE, check=True, text=True)
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kB elsewhere
    return int(done.stdout) * unit / 1e6


def main() -> None:
    mnist_files.find_or_download()
    args = parser(__doc__).parse_args()
    assert resource  # there is no such module on Windows: say so before anything is trained
    figures: dict[str, float | str] = {"import torch, MB": peak(IMPORT)}
    for name, config in CONFIGS.items():
        with tempfile.TemporaryDirectory() as folder:
            taken = peak(TRAIN.format(config=config.to_json(), folder=folder))
        predicted = footprint.predict(config).memory / 1e6
        figures[f"{name}, MB"] = taken
        figures[f"{name}, predicted / measured"] = predicted / taken
    print_figures(figures, args.json)


if __name__ == "__main__":
    run(main)

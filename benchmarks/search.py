"""What a search finds in ten minutes: `python -m benchmarks.search`.

Around a preset of `mlp` and of `cnn`, six hyperparameters are searched, the epochs stay. Of the trials that took at
most as long to train as the preset itself the best is trained again with new seeds, as the preset is, so that neither
has been chosen by the figure that is compared. The share of epochs saved is of the trials that were pruned or finished.
"""

import dataclasses
import pathlib
import statistics
import tempfile

from benchmarks.report import parser, print_figures, run
from mnist_core import mnist_files
from mnist_core.config import TrainConfig
from mnist_core.presets import PRESETS
from mnist_core.runs import worker
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.worker_pool import Workers
from mnist_core.search import results, space
from mnist_core.search.driver import drive
from mnist_core.search.settings import SearchConfig
from mnist_core.search.study import SearchStore

SEARCHED = {
    "mlp": ("The classic", ["lr=0.001..1", "hidden", "batch_size", "optimizer", "schedule", "weight_decay"]),
    "cnn": (
        "99.5 %, patiently",
        ["lr=0.002..0.1", "width=8..48", "batch_size=64..512", "schedule", "weight_decay", "label_smoothing"],
    ),
}
SLOWER = 1.1  # as many times the preset's seconds a trial may take and count as equal
FIRST_SEED = 100  # of those that no trial had


def trained(config: TrainConfig, seeds: int, store: RunStore) -> tuple[float, float]:
    """Mean validation accuracy and mean seconds over new seeds, one after the other."""
    ends = []
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        made = store.create(dataclasses.replace(config, seed=seed))
        for _ in worker.train(made):
            pass
        end = made.end()
        assert end
        ends.append(end)
    return statistics.fmean(end["val_accuracy"] for end in ends), statistics.fmean(end["seconds"] for end in ends)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--models", nargs="*", choices=tuple(SEARCHED), default=list(SEARCHED))
    arguments.add_argument("--minutes", type=float, default=10.0)
    arguments.add_argument("--seeds", type=int, default=3, help="searches, and trainings of what they found; default 3")
    args = arguments.parse_args()
    mnist_files.find_or_download()
    figures: dict[str, float | str] = {}
    for model in args.models:
        preset, fields = SEARCHED[model]
        base = PRESETS[preset].config
        dimensions = tuple(map(space.parse_dimension, fields))
        found, saved, took, tried = [], [], [], []
        with tempfile.TemporaryDirectory() as scratch:
            store = RunStore(pathlib.Path(scratch))
            accuracy, seconds = trained(base, args.seeds, store)
            for seed in range(args.seeds):
                config = SearchConfig(base, dimensions, trials=None, minutes=args.minutes, seed=1_000 * seed)
                search = SearchStore(store).create(f"{model}-{seed}", config)
                workers = Workers()
                workers.warm_up()
                try:
                    trials = list(drive(search, workers))
                finally:
                    workers.close()
                as_quick = [
                    trial for trial in trials if trial.values and _seconds(store, trial.run) <= SLOWER * seconds
                ]
                best = max(as_quick, key=lambda trial: trial.value or 0.0)
                again = trained(store.open(best.run).config(), args.seeds, store)
                found.append(again[0])
                took.append(again[1])
                kept = results.saved(search)
                saved.append(1 - kept.trained / kept.whole)
                tried.append(len(trials))
        figures |= {
            f"{model}: preset, validation": f"{accuracy:.2%} in {seconds:.1f} s",
            f"{model}: found, validation": f"{statistics.fmean(found):.2%} in {statistics.fmean(took):.1f} s",
            f"{model}: each search": ", ".join(f"{share:.2%}" for share in found),
            f"{model}: trials": statistics.fmean(tried),
            f"{model}: share of epochs saved": statistics.fmean(saved),
        }
    print_figures(figures, args.json)


def _seconds(store: RunStore, run_id: str) -> float:
    end = store.open(run_id).end()
    return end["seconds"] if end else float("inf")


if __name__ == "__main__":
    run(main)

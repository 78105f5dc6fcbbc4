"""What a search finds in ten minutes: `python -m benchmarks.search`.

Around a preset of `mlp` and of `cnn`, six hyperparameters are searched, the epochs stay. Of the trials that took at
most as long to train as the preset does beside another training, as trials are, the best three are trained with two
more seeds, as one seed may be luck. The best of these by its mean is trained again with new seeds, as the preset is, so
that neither has been chosen by the figure that is compared. The share of epochs saved is of the trials that were pruned
or finished.
"""

import dataclasses
import pathlib
import statistics
import tempfile
import time
from collections.abc import Iterable

from benchmarks.report import parser, print_figures, run
from mnist_core import mnist_files
from mnist_core.config import TrainConfig
from mnist_core.presets import PRESETS
from mnist_core.runs import worker
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.worker_pool import Workers
from mnist_core.search import results, space
from mnist_core.search.driver import drive
from mnist_core.search.settings import PRUNERS, SearchConfig
from mnist_core.search.study import SearchStore

SEARCHED = {
    "mlp": ("The classic", ["lr=0.001..1", "hidden", "batch_size", "optimizer", "schedule", "weight_decay"]),
    "cnn": (
        "99.5 %, patiently",
        ["lr=0.002..0.1", "width=8..48", "batch_size=64..512", "schedule", "weight_decay", "label_smoothing"],
    ),
}
SLOWER = 1.1  # as many times the preset's seconds a trial may take and count as equal
BEST = 3  # trials among which more seeds decide
MORE_SEEDS = range(50, 52)
FIRST_SEED = 100  # of those that decided nothing


def trained(config: TrainConfig, seeds: Iterable[int], store: RunStore) -> tuple[float, float]:
    """Mean validation accuracy and mean seconds over the seeds, one after the other."""
    ends = []
    for seed in seeds:
        made = store.create(dataclasses.replace(config, seed=seed))
        for _ in worker.train(made):
            pass
        end = made.end()
        assert end
        ends.append(end)
    return statistics.fmean(end["val_accuracy"] for end in ends), statistics.fmean(end["seconds"] for end in ends)


def seconds_as_trial(config: TrainConfig, store: RunStore) -> float:
    """Mean seconds of trainings that are made as the trials of a search are: side by side."""
    made = [store.create(dataclasses.replace(config, seed=seed)) for seed in MORE_SEEDS]
    workers = Workers()
    workers.warm_up()
    try:
        for one in made:
            workers.submit(one)
        while any(one.status().state.is_active for one in made):
            time.sleep(0.2)
    finally:
        workers.close()
    return statistics.fmean(_seconds(store, one.id) for one in made)


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--models", nargs="*", choices=tuple(SEARCHED), default=list(SEARCHED))
    arguments.add_argument("--minutes", type=float, default=10.0)
    arguments.add_argument("--pruner", choices=PRUNERS, default=SearchConfig.pruner)
    arguments.add_argument("--seeds", type=int, default=3, help="searches, and trainings of what they found; default 3")
    args = arguments.parse_args()
    mnist_files.find_or_download()
    new_seeds = range(FIRST_SEED, FIRST_SEED + args.seeds)
    figures: dict[str, float | str] = {}
    for model in args.models:
        preset, fields = SEARCHED[model]
        base = PRESETS[preset].config
        dimensions = tuple(map(space.parse_dimension, fields))
        found, saved, took, tried = [], [], [], []
        with tempfile.TemporaryDirectory() as scratch:
            store = RunStore(pathlib.Path(scratch))
            accuracy, seconds = trained(base, new_seeds, store)
            most = SLOWER * seconds_as_trial(base, store)
            for seed in range(args.seeds):
                config = SearchConfig(base, dimensions, pruner=args.pruner, trials=None, minutes=args.minutes)
                config = dataclasses.replace(config, seed=1_000 * seed)
                search = SearchStore(store).create(f"{model}-{seed}", config)
                workers = Workers()
                workers.warm_up()
                try:
                    trials = list(drive(search, workers))
                finally:
                    workers.close()
                as_quick = [trial for trial in trials if trial.values and _seconds(store, trial.run) <= most]
                as_quick.sort(key=lambda trial: trial.value or 0.0, reverse=True)
                candidates = [store.open(trial.run).config() for trial in as_quick[:BEST]]
                best = max(candidates, key=lambda candidate: trained(candidate, MORE_SEEDS, store)[0])
                again = trained(best, new_seeds, store)
                found.append(again[0])
                took.append(again[1])
                kept = results.saved(search)
                saved.append(1 - kept.trained / kept.whole)
                tried.append(len(trials))
        figures |= {
            "pruner": args.pruner,
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

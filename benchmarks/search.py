"""What a search finds in ten minutes: `python -m benchmarks.search`.

Around a preset of `mlp` and of `cnn`, six hyperparameters are searched, the epochs stay. What was best is trained with
two more seeds, as one seed may be luck, beginning with the best, until there are four that take no more time than the
preset. The best of these by its mean is trained again with new seeds, as the preset is, so that neither has been chosen
by the figure that is compared. Time is the processor's, which other work on the machine changes least. The share of
epochs saved is of the trials that were pruned or finished.
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
from mnist_core.runs.run_store import RunStore
from mnist_core.runs.training import train_run
from mnist_core.runs.worker_pool import Workers
from mnist_core.search import results, space
from mnist_core.search.driver import drive
from mnist_core.search.settings import PRUNERS, SearchConfig
from mnist_core.search.study import SearchStore, Trial

SEARCHED = {
    "mlp": (
        "The classic",
        ["lr=0.001..1", "hidden=16..64", "batch_size=128..512", "optimizer", "schedule", "weight_decay"],
    ),
    "cnn": (
        "99.5 %, patiently",
        ["lr=0.005..0.05", "width=24..36", "batch_size=96..384", "schedule", "weight_decay", "label_smoothing"],
    ),
}
SLOWER = 1.1  # as many times the preset's seconds count as equal
BEST = 4  # settings among which more seeds decide
LOOKED_AT = 20  # trials, the best first, until there are so many
MORE_SEEDS = (50, 51)
FIRST_SEED = 100  # of those that decided nothing


def trained(config: TrainConfig, seeds: Iterable[int], store: RunStore) -> tuple[float, float]:
    """Mean validation accuracy and mean processor seconds over the seeds, one after the other."""
    accuracies, seconds = [], []
    for seed in seeds:
        made = store.create(dataclasses.replace(config, seed=seed))
        begin = time.process_time()
        for _ in train_run(made):
            pass
        seconds.append(time.process_time() - begin)
        end = made.end()
        accuracies.append(end["val_accuracy"] if end else 0.0)  # without an end it has diverged
    return statistics.fmean(accuracies), statistics.fmean(seconds)


def best_of(trials: Iterable[Trial], most: float, store: RunStore) -> TrainConfig:
    """The settings that are best with more seeds and take at most so many seconds."""
    finished = sorted((trial for trial in trials if trial.values), key=lambda trial: trial.value or 0.0, reverse=True)
    found: list[tuple[float, TrainConfig]] = []
    for trial in finished[:LOOKED_AT]:
        config = store.open(trial.run).config()
        first, seconds = trained(config, [MORE_SEEDS[0]], store)
        if seconds > most:
            continue
        others, _ = trained(config, MORE_SEEDS[1:], store)
        found.append((statistics.fmean([first, others]), config))
        if len(found) == BEST:
            break
    if not found:
        raise SystemExit(f"None of the best {LOOKED_AT} trials trains within {most:.1f} s.")
    return max(found, key=lambda one: one[0])[1]


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
            trained(dataclasses.replace(base, epochs=1), [0], store)  # imports torch
            accuracy, seconds = trained(base, new_seeds, store)
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
                best = best_of(trials, SLOWER * seconds, store)
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


if __name__ == "__main__":
    run(main)

"""Training a run: in this process (`train`), or in one of its own (`start`) that ends when its parent does."""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys
import threading
from collections.abc import Iterator

from mnist_core.config import TrainConfig
from mnist_core.errors import LabError, ModelError, RunError
from mnist_core.run import Record, Run

APP_FOLDER = pathlib.Path(__file__).resolve().parent.parent


def start(run: Run) -> subprocess.Popen[bytes]:
    """Train `run` in a process of its own. It ends when this process ends, however that happens.

    What tells it is the end of its standard input, a pipe that this process holds and never writes to.
    """
    run.clear_stop()
    run.set_status("waiting")
    search_path = [str(APP_FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])]  # wherever it was started from
    with open(run.log, "ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "mnist_core.worker", str(run.path)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(search_path)},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )


def train(run: Run, report_every: int = 20) -> Iterator[Record]:
    """Train `run` to its end in this process, keeping its folder, and yield fit's records as they come.

    A run that was stopped or interrupted goes on exactly from the end of its last whole epoch. Raises RunError for one
    that has ended for good or that another process trains, and whatever LabError ends it; the status then says so.
    """
    config = run.config()
    with run.locked():
        state = run.status().state
        if state in ("finished", "diverged"):
            raise RunError(f"The run {run.id} has {state}: there is nothing left to train.")
        if state != "waiting":  # whoever has asked to stop a waiting run shall be obeyed
            run.clear_stop()
        run.set_status("running")
        try:
            yield from _train(run, config, report_every)
        except LabError as error:
            run.set_status("failed", str(error))
            raise
        except MemoryError as error:
            raise _out_of_memory(run) from error
        except RuntimeError as error:
            if "out of memory" not in str(error) and "can't allocate memory" not in str(error):
                raise
            raise _out_of_memory(run) from error


def _train(run: Run, config: TrainConfig, report_every: int) -> Iterator[Record]:
    from mnist_core import trainer, weights  # with torch, which takes seconds to import

    state = trainer.TrainState.of(config)
    if run.state.exists():
        try:
            state.load(weights.load(run.state))
        except (ModelError, RuntimeError, KeyError, ValueError) as error:
            raise RunError(
                f"The run {run.id} cannot go on, as {run.state} is damaged: train its config anew."
            ) from error
    run.rewind(state.epoch)
    with run.recorder() as recorder:
        try:
            for record in trainer.fit(config, state, report_every=report_every):
                recorder.append(record)
                if record["event"] == "epoch":
                    # in this order: a state on disk always has its records on disk before it
                    recorder.sync()
                    weights.save(run.state, state.tensors())
                    weights.save(run.weights, state.model.state_dict())
                elif record["event"] == "end":
                    run.set_status(record["reason"], record.get("advice", ""))
                    run.state.unlink(missing_ok=True)
                yield record
                if record["event"] != "end" and run.stop_requested():
                    stop = {"event": "end", "reason": "stopped", "epoch": state.epoch, "step": state.step}
                    recorder.append(stop)
                    weights.save(run.weights, state.model.state_dict())
                    run.clear_stop()
                    run.set_status("stopped")
                    yield stop
                    return
        except (KeyboardInterrupt, GeneratorExit):
            if run.status().is_active:
                weights.save(run.weights, state.model.state_dict())
                run.set_status("stopped")
            raise


def _out_of_memory(run: Run) -> RunError:
    error = RunError(
        f"The run {run.id} needs more memory than there is: try a smaller batch or network, or train fewer at a time."
    )
    run.set_status("failed", str(error))
    return error


def _end_with_parent() -> None:
    """Block until standard input ends, which is when the parent has gone, and end this process then and there."""
    while os.read(0, 1):  # not through sys.stdin, whose lock would hold up a normal end
        pass
    os._exit(0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m mnist_core.worker", description="Train the run in a folder.")
    parser.add_argument("folder", type=pathlib.Path)
    run = Run(parser.parse_args().folder)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        for _ in train(run):
            pass
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

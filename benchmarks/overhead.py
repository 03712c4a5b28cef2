"""What checkpoints, journal, locks and progress add to a training, in one run, interleaved.

The same training alone and as a worker does it, in a run folder with a checkpoint every epoch.
The difference of the two is as noisy as the machine; so what is added is also timed where it
happens: everything that the loop calls, and the claim, the start and the sealing of the folder.
``python benchmarks/overhead.py [FOLDER]``: FOLDER holds train-*.parquet and test-*.parquet;
without it the embedded digits are used, whose iterations are so short that it is an upper bound.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from attnstudy.executors import Inline
from attnstudy.running import claiming, run, worker
from attnstudy.running.jobs import Job
from attnstudy.runs import RunFolder
from attnstudy.study import RunSpec
from attnstudy.trainings.placement import data, training_runs
from attnstudy.trainings.placement.models import build_model
from attnstudy.trainings.placement.training import prepare_process, train, training
from attnstudy.trainings.placement.variants import iterations_per_epoch

REPEATS = 5
CPU = torch.device("cpu")


class Silent:
    """A channel to nobody."""

    def report(self, message: object) -> None:
        pass

    def stopping(self) -> bool:
        return False


def alone(spec: RunSpec, dataset: data.Dataset) -> float:
    model = build_model(
        spec.variant, attention=spec.attention, image_shape=dataset.image_shape,
        num_classes=dataset.num_classes, channels=spec.channels, seed=spec.seed,
    )  # fmt: skip
    split = dataset.split(spec.train_size, spec.val_size)
    start = time.perf_counter()
    train(spec, model, split, device=CPU)
    return time.perf_counter() - start


class Stopwatch:
    """Adds up the time within functions."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - start

    def on(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.running():
                return function(*args, **kwargs)

        return timed


class TimedFolder(RunFolder):
    """A run folder whose bookkeeping is timed."""

    watch = Stopwatch()

    @contextlib.contextmanager
    def claim(self, **given: Any) -> Iterator[bool]:
        with contextlib.ExitStack() as stack:
            with self.watch.running():
                mine = stack.enter_context(super().claim(**given))
            yield mine
            with self.watch.running():
                stack.close()

    def start(self, *given: Any) -> Any:
        with self.watch.running():
            return super().start(*given)

    def finish(self, result: Any) -> Any:
        with self.watch.running():
            return super().finish(result)


def kept(
    spec: RunSpec, dataset: data.Dataset, folder: RunFolder, decoded: Path
) -> tuple[float, float]:
    """Return the seconds of the training, as the result tells them, and of the bookkeeping."""
    watch = TimedFolder.watch = Stopwatch()

    def watched(*given: Any, **calls: Any) -> Any:
        called: dict[str, Any] = {
            name: watch.on(f) if name.startswith("on_") else f for name, f in calls.items()
        }
        return training(*given, **called)

    job = Job(spec, folder.path, "cpu", 1, "benchmark", place=decoded)
    with (
        mock.patch.object(training_runs, "training", watched),
        mock.patch.object(claiming, "RunFolder", TimedFolder),
        mock.patch.object(run, "RunFolder", TimedFolder),
    ):
        list(Inline().execute([[job]], worker.train_together))
    result = folder.result()
    assert result is not None, folder.failure()
    return result.train_seconds, watch.seconds


def main() -> int:
    prepare_process(CPU, 1)
    source = sys.argv[1] if len(sys.argv) > 1 else "digits"
    with tempfile.TemporaryDirectory() as temporary:
        dataset, decoded = data.load(source, Path(temporary, "data"))
        small = source == "digits"
        size, val_size = dataset.sizes(None if small else 2560, None)
        spec = RunSpec(
            study="overhead", dataset=source, variant="vanilla", seed=0, attention="channel",
            dataset_digest=dataset.digest, train_size=size, val_size=val_size,
            epochs=10 if small else 2,
        )  # fmt: skip
        plain: list[float] = []
        whole: list[float] = []
        inside: list[float] = []
        for number in range(REPEATS):
            plain.append(alone(spec, dataset))
            folder = RunFolder(Path(temporary, "runs", str(number)))
            seconds, bookkeeping = kept(spec, dataset, folder, decoded)
            whole.append(seconds)
            inside.append(bookkeeping)
        added = [b - a for a, b in zip(plain, whole, strict=True)]
        print(f"{source}: {spec.epochs} epochs of {iterations_per_epoch(spec)} iterations, "
              f"medians of {REPEATS} interleaved repeats [min to max]")  # fmt: skip
        shares = (("alone", plain), ("in a run folder", whole), ("difference", added),
                  ("timed inside", inside))  # fmt: skip
        for name, values in shares:
            print(f"{name:>16}: {statistics.median(values):8.3f} s "
                  f"[{min(values):.3f} to {max(values):.3f}]")  # fmt: skip
        for name, values in shares[2:]:
            share = 100 * statistics.median(values) / statistics.median(plain)
            print(f"{name}: {share:.2f} % of the training alone")
    return 0


if __name__ == "__main__":
    sys.exit(main())

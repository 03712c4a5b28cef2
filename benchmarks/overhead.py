"""What checkpoints, journal, locks and progress add to a training, in one run, interleaved.

The same training alone and as a worker does it, in a run folder with a checkpoint every epoch.
``python benchmarks/overhead.py [FOLDER]``: FOLDER holds train-*.parquet and test-*.parquet;
without it the embedded digits are used, whose iterations are so short that it is an upper bound.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

from attnstudy import data
from attnstudy.executors import Inline
from attnstudy.models import build_model
from attnstudy.runs import RunFolder
from attnstudy.study import TrialSpec
from attnstudy.training import prepare_process, train
from attnstudy.usecases import worker

REPEATS = 5
CPU = torch.device("cpu")


class Silent:
    """A channel to nobody."""

    def report(self, message: object) -> None:
        pass

    def stopping(self) -> bool:
        return False


def alone(spec: TrialSpec, dataset: data.Dataset) -> float:
    model = build_model(
        spec.variant, attention=spec.attention, image_shape=dataset.image_shape,
        num_classes=dataset.num_classes, channels=spec.channels, seed=spec.seed,
    )  # fmt: skip
    split = dataset.split(spec.train_size, spec.val_size)
    start = time.perf_counter()
    train(spec, model, split, device=CPU)
    return time.perf_counter() - start


def kept(spec: TrialSpec, dataset: data.Dataset, folder: RunFolder, decoded: Path) -> float:
    """Return the seconds of the training itself, as the run's result tells them."""
    job = worker.Job(spec, folder.path, decoded, "cpu", 1, "benchmark")
    list(Inline().execute([job], worker.train_one))
    result = folder.result()
    assert result is not None, folder.failure()
    return result.train_seconds


def main() -> int:
    prepare_process(CPU, 1)
    source = sys.argv[1] if len(sys.argv) > 1 else "digits"
    with tempfile.TemporaryDirectory() as temporary:
        dataset, decoded = data.load(source, Path(temporary, "data"))
        small = source == "digits"
        size, val_size = dataset.sizes(None if small else 2560, None)
        spec = TrialSpec(
            study="overhead", dataset=source, variant="vanilla", seed=0, attention="channel",
            dataset_digest=dataset.digest, train_size=size, val_size=val_size,
            epochs=10 if small else 2,
        )  # fmt: skip
        plain: list[float] = []
        whole: list[float] = []
        for number in range(REPEATS):
            plain.append(alone(spec, dataset))
            folder = RunFolder(Path(temporary, "runs", str(number)))
            whole.append(kept(spec, dataset, folder, decoded))
        added = [b - a for a, b in zip(plain, whole, strict=True)]
        print(f"{source}: {spec.epochs} epochs of {spec.iterations_per_epoch} iterations, "
              f"medians of {REPEATS} interleaved repeats [min to max]")  # fmt: skip
        for name, values in (("alone", plain), ("in a run folder", whole), ("added", added)):
            print(f"{name:>16}: {statistics.median(values):8.3f} s "
                  f"[{min(values):.3f} to {max(values):.3f}]")  # fmt: skip
        print(f"added: {100 * statistics.median(added) / statistics.median(plain):.2f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())

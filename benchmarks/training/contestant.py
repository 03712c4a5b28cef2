"""A process that trains with one contestant whenever it is told to, and says what it took.

``python -m benchmarks.training.contestant NAME WORK``: WORK is JSON; every line on standard
input asks for one training, every line on standard output is the answer.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from attnstudy.trainings.placement import data
from benchmarks.training.work import BATCH, Timing, Work

Training = Callable[[], tuple[float, tuple[float, float]]]
"""Gives the seconds and the first and last loss."""


def notebook(work: Work) -> Training:
    from benchmarks.training import literal

    split = data.load(work.source, work.cache)[0].split(work.train_size, work.val_size)
    training, validation = literal.loaders(split, BATCH)

    def train() -> tuple[float, tuple[float, float]]:
        model = literal.literal_model(work.variant, work.attention)
        start = time.perf_counter()
        losses = literal.literal_loop(model, training, validation)
        return time.perf_counter() - start, losses

    return train


def lightning(work: Work) -> Training:
    from benchmarks.training import lightning_loop, literal

    split = data.load(work.source, work.cache)[0].split(work.train_size, work.val_size)
    training, validation = literal.loaders(split, BATCH)
    return lambda: lightning_loop.fit(work.variant, work.attention, training, validation)


def one_run(work: Work) -> Training:
    """Return the function that every executor runs, in a run folder of its own."""
    from attnstudy.executors import Inline
    from attnstudy.running import worker
    from attnstudy.running.jobs import Job
    from attnstudy.runs import RunFolder
    from attnstudy.study import RunSpec

    dataset, decoded = data.load(work.source, work.cache)
    spec = RunSpec(
        study="bench", dataset=work.source, variant=work.variant, seed=0,
        attention=work.attention, dataset_digest=dataset.digest, train_size=work.train_size,
        val_size=work.val_size, epochs=1, batch_size=BATCH,
    )  # fmt: skip
    place = Path(tempfile.mkdtemp(dir=work.cache.parent))

    def train() -> tuple[float, tuple[float, float]]:
        folder = RunFolder(place / f"{time.monotonic_ns()}")
        job = Job(spec, folder.path, "cpu", work.threads, "benchmark", place=decoded)
        list(Inline().execute([[job]], worker.train_together))
        result = folder.result()
        assert result is not None, folder.failure()
        losses = [loss for record in folder.journal() for loss in record.values["train_loss"]]
        return result.train_seconds, (losses[0], losses[-1])

    return train


CONTESTANTS: dict[str, Callable[[Work], Training]] = {
    "notebook": notebook,
    "lightning": lightning,
    "attnstudy, one run": one_run,
}


def peak_mib() -> float:
    """Return the largest memory of this process; rusage would count its parent's before exec."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)[1]) / 1024


def main() -> int:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not an answer
    work = Work.from_json(json.loads(sys.argv[2]))
    torch.set_num_threads(work.threads)
    train = CONTESTANTS[sys.argv[1]](work)
    print(json.dumps("ready"), file=answers, flush=True)
    for _ in sys.stdin:
        seconds, losses = train()
        timing = Timing(seconds, peak_mib(), losses)
        print(json.dumps(dataclasses.asdict(timing)), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A study on all cores, through the command that a user types."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from attnstudy import runs
from benchmarks.training.work import BATCH, VALIDATIONS, Work

EPOCHS = 4


@dataclass(frozen=True, slots=True)
class StudyTiming:
    """What a study of one seed a core took."""

    images_per_second: float
    """All runs together, in the epochs after the first: in that, the command still imports MLflow,
    which a run of minutes does not notice and one of seconds does."""
    to_first_iteration: float
    """Seconds from the command to the first iteration: imports, data, models, processes."""
    seconds_a_run: float
    """Of a run's worker that are not training: the test, the model's files, the result."""


def _ends(record: runs.LogRecord) -> bool:
    """Whether an interval ends an epoch: those do not validate."""
    return "val_accuracy" not in record.values


def study(work: Work) -> StudyTiming:
    """Run ``attnstudy run`` with one single-threaded run a core, and a store of its own."""
    cores = len(os.sched_getaffinity(0))
    place = Path(tempfile.mkdtemp(dir=work.cache.parent))
    command = [
        sys.executable, "-m", "attnstudy", "run", "--study", "bench", "--quiet",
        "--store", str(place / "mlruns"), "--dataset", work.source,
        "--variant", work.variant, "--attention", work.attention, "--seeds", str(cores),
        "--epochs", str(EPOCHS), "--batch-size", str(BATCH), "--train-size", str(work.train_size),
        # once an epoch, where the others validate twice
        "--val-size", str(VALIDATIONS * work.val_size),
    ]  # fmt: skip
    start = time.time()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL,
        env={**os.environ, "ATTNSTUDY_DATA_DIR": str(work.cache)},
    )  # fmt: skip
    done = []
    for folder in runs.run_folders(place / "mlruns", "bench"):
        started, result = folder.started(), folder.result()
        assert started is not None
        assert result is not None, folder.failure()
        (first, *_, last) = [record.seconds for record in folder.journal() if _ends(record)]
        done.append(
            (started.at / 1000, result.train_seconds, result.finished_at / 1000, last - first)
        )
    shutil.rmtree(place)
    assert len(done) == cores
    return StudyTiming(
        images_per_second=sum((EPOCHS - 1) * work.train_size / later for *_, later in done),
        to_first_iteration=min(began for began, *_ in done) - start,
        seconds_a_run=statistics.median(end - began - training for began, training, end, _ in done),
    )

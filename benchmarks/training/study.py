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
from benchmarks.training.work import BATCH, Work


@dataclass(frozen=True, slots=True)
class StudyTiming:
    """What a study of one seed a core took."""

    images_per_second: float
    """All runs together, while they train."""
    to_first_iteration: float
    """Seconds from the command to the first iteration: imports, data, models, processes."""
    seconds_a_run: float
    """Of a run's worker that are not training: the test, the model's files, the result."""


def study(work: Work) -> StudyTiming:
    """Run ``attnstudy run`` with one single-threaded run a core, and a store of its own."""
    cores = len(os.sched_getaffinity(0))
    place = Path(tempfile.mkdtemp(dir=work.cache.parent))
    command = [
        sys.executable, "-m", "attnstudy", "run", "--study", "bench", "--quiet",
        "--store", str(place / "mlruns"), "--dataset", work.source,
        "--variant", work.variant, "--attention", work.attention, "--seeds", str(cores),
        "--epochs", "1", "--batch-size", str(BATCH), "--train-size", str(work.train_size),
        "--val-size", str(work.val_size),
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
        done.append((started.at / 1000, result.train_seconds, result.finished_at / 1000))
    shutil.rmtree(place)
    assert len(done) == cores
    return StudyTiming(
        images_per_second=sum(work.train_size / training for _, training, _ in done),
        to_first_iteration=min(began for began, _, _ in done) - start,
        seconds_a_run=statistics.median(end - began - training for began, training, end in done),
    )

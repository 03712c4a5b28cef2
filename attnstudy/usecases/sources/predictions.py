"""Which test images each run got right, from predictions that are what the run's result says."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from attnstudy.runs import PREDICTIONS
from attnstudy.tracking import PREDICTIONS_DIGEST, TrackedRun, Tracker, read_artifact
from attnstudy.usecases.sources.truth import Known, damaged

Row = npt.NDArray[np.uint8]


def correct_answers(
    tracker: Tracker, runs: Sequence[TrackedRun], known: Known
) -> tuple[Mapping[str, Row] | None, list[str]]:
    """Return which test images each run got right, and the runs whose predictions were altered.

    The answers are None unless every run's are known.

    Raises:
        StoreError: the predictions in a run folder are not those of its result.

    """
    rows: dict[str, list[Row]] = {}
    altered = []
    complete = True
    for run in runs:
        content, here = _read(tracker, run, known)
        row = None if content is None else _right(content)
        if content is not None and not (_intact(run, content) and (row is None or _fits(run, row))):
            if here:
                one = known.folders[run.identity]
                raise damaged(one.folder, one.name, PREDICTIONS, one.started)
            if run.agrees is not False or not _intact(run, content):  # else it is named already
                altered.append(run.name)
            row = None
        if row is None:
            complete = False
        else:
            rows.setdefault(run.variant, []).append(row)
    sizes = {row.size for own in rows.values() for row in own}
    if not complete or len(sizes) != 1:
        return None, altered
    return {variant: np.stack(own) for variant, own in rows.items()}, altered


def _read(tracker: Tracker, run: TrackedRun, known: Known) -> tuple[bytes | None, bool]:
    """Return a run's predictions, and whether they are those of its folder."""
    if (one := known.folders.get(run.identity)) is not None:
        path = one.folder.path / PREDICTIONS
        if path.is_file():
            return path.read_bytes(), True
    if not run.run_id:
        return None, False
    return read_artifact(tracker, run.run_id, PREDICTIONS), False


def _intact(run: TrackedRun, content: bytes) -> bool:
    """Whether a file of predictions is the one that the run's digest names; none names any."""
    digest = run.tags.get(PREDICTIONS_DIGEST)
    return digest is None or hashlib.sha256(content).hexdigest() == digest


def _fits(run: TrackedRun, row: Row) -> bool:
    """Whether predictions give the run's accuracy."""
    return math.isclose(100.0 * row.mean(), run.metrics["test_accuracy"])


def _right(content: bytes) -> Row | None:
    try:
        # not by name in each row: this is read for every run, ten thousand lines each
        rows = csv.reader(io.StringIO(content.decode()))
        names = next(rows)
        label, predicted = names.index("label"), names.index("predicted")
        right = [row[label] == row[predicted] for row in rows if row]
    except (UnicodeDecodeError, StopIteration, ValueError, IndexError, csv.Error):
        return None
    return np.array(right, dtype=np.uint8) if right else None

"""Which test items each run got right, from predictions that are what the run's result says.

The placements keep what they answered and what was right, and are ranked by the percentage. A
training of the user's own keeps which answers were right; whether that is what it is ranked by is
seen from the numbers: the metric of every run is their share, or that in percent.
"""

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
from attnstudy.usecases.sources.damage import damaged
from attnstudy.usecases.sources.truth import Known

Row = npt.NDArray[np.uint8]


_OWN = ["item", "correct"]
"""Header of the predictions of a training of the user's own."""


def may_have_answers(runs: Sequence[TrackedRun], metric: str) -> bool:
    """Whether predictions of all runs may be those that the metric was computed from."""
    own = [run for run in runs if "training" in run.params]  # others are of the placements
    if not own:
        return metric == "test_accuracy"
    return all(PREDICTIONS_DIGEST in run.tags for run in runs)


def correct_answers(
    tracker: Tracker, runs: Sequence[TrackedRun], known: Known, metric: str
) -> tuple[Mapping[str, Row] | None, list[str]]:
    """Return which test items each run got right, and the runs whose predictions were altered.

    The answers are None unless every run's are known and give its metric.

    Raises:
        StoreError: the predictions in a run folder are not those of its result.

    """
    rows: dict[str, list[Row]] = {}
    altered = []
    complete = True
    for run in runs:
        content, here = _read(tracker, run, known)
        row, own = (None, False) if content is None else _right(content)
        if own and row is not None and not _fits(run, row, metric):
            row = None  # the metric is of something else
        if content is not None and not (
            _intact(run, content) and (row is None or _fits(run, row, metric))
        ):
            if here:
                one = known.folders[run.identity]
                raise damaged(one.folder, one.name, PREDICTIONS, one.started)
            if run.agrees is not False or not _intact(run, content):  # else it is named already
                altered.append(run.name)
            row = None
        if row is None:
            complete = False
        else:
            rows.setdefault(run.arm, []).append(row)
    sizes = {row.size for own in rows.values() for row in own}
    if not complete or len(sizes) != 1:
        return None, altered
    return {arm: np.stack(own) for arm, own in rows.items()}, altered


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


def _fits(run: TrackedRun, row: Row, metric: str) -> bool:
    """Whether the metric of a run is the share of its predictions that are right, or 100 times."""
    value, share = run.metrics[metric], float(row.mean())
    return any(math.isclose(scale * share, value, rel_tol=1e-6) for scale in (100.0, 1.0))


def _right(content: bytes) -> tuple[Row | None, bool]:
    """Return which items were right, and whether it is a training of the user's own that says so.

    A metric computed in single precision has seven digits, and is the same number.
    """
    own = False
    try:
        # not by name in each row: this is read for every run, ten thousand lines each
        rows = csv.reader(io.StringIO(content.decode()))
        names = next(rows)
        own = names == _OWN
        if own:
            right = [("0", "1").index(row[1]) for row in rows if row]
        else:
            label, predicted = names.index("label"), names.index("predicted")
            right = [row[label] == row[predicted] for row in rows if row]
    except (UnicodeDecodeError, StopIteration, ValueError, IndexError, csv.Error):
        return None, own
    return (np.array(right, dtype=np.uint8) if right else None), own

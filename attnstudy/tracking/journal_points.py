"""What MLflow does not have yet of a run's journal, a point a value, and sending it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from attnstudy.runs import LogRecord, RunFolder
from attnstudy.tracking.delivery_state import DeliveryState
from attnstudy.tracking.requests import Requests

if TYPE_CHECKING:
    from mlflow.entities import Metric

_METRICS_A_REQUEST = 1000  # MLflow's limit


@dataclass(frozen=True, slots=True)
class Unsent:
    """What of the journal the store does not have yet."""

    points: list[Metric]
    confirmed: Mapping[str, Any]
    """What the delivery state keeps once they are there."""


@dataclass(frozen=True, slots=True)
class JournalPoints:
    """The points of one run's journal in its run in MLflow."""

    folder: RunFolder
    began: int
    """When the run began, in ms since the epoch."""
    delivery: DeliveryState
    requests: Requests
    run_id: str

    def unsent(self) -> Unsent:
        """Return what is not there, by the delivery state, and by MLflow where that is in doubt."""
        # An interrupted run's last lines may be dropped and computed again, to the same numbers
        # but at other times: what the store has already must not be sent again.
        now = self.delivery.now
        line = now.line
        before, records = self._journal_after(line)
        # once its lines were written again, the store may be ahead of them for a while
        ahead = bool(now.again) or (line is not None and before is None)
        untried = line is None and now.model is False
        unsure = ahead or (before is None and not untried) or bool(now.sending)
        step = now.steps
        points: list[Metric] = []
        for place, record in records:
            points += self._points(record, before or 0.0)
            line, before, step = place, record.seconds, record.step + 1
        if unsure and points:
            there = self._rows_there({point.key for point in points})
            points = [point for point in points if (point.key, point.step) not in there]
        confirmed: dict[str, Any] = {"line": line, "steps": step, "sending": False}
        return Unsent(points, confirmed | ({"again": True} if ahead else {}))

    def send(self, unsent: Unsent) -> None:
        """Send points; that they are there has still to be kept."""
        if unsent.points:
            self.delivery.keep(sending=True)
        client = self.requests.client
        for first in range(0, len(unsent.points), _METRICS_A_REQUEST):
            part = unsent.points[first : first + _METRICS_A_REQUEST]
            self.requests.write("log-metrics", client.log_batch, self.run_id, metrics=part)

    def _points(self, record: LogRecord, before: float) -> list[Metric]:
        """Return what a record tells of, spread evenly over its time: only its end was measured."""
        from mlflow.entities import Metric

        first, seconds = record.first_step, record.seconds - before
        count = record.step + 1 - first
        return [
            Metric(
                name,
                value,
                self.began + round(1000 * (before + seconds * (step + 1 - first) / count)),
                step,
            )
            for name, step, value in record.points()
        ]

    def _journal_after(self, line: int | None) -> tuple[float | None, list[tuple[int, LogRecord]]]:
        """Return the time of the last line that was sent, and what follows it.

        A long run is published many times, and its journal would otherwise be read from its
        beginning each time. Everything follows, and there is no time, where that line is not in
        its place or is another: a resumed run writes its last lines again.
        """
        if line is not None:
            placed = self.folder.journal_from(line)
            if placed and self.delivery.now.steps == placed[0][1].step + 1:
                return placed[0][1].seconds, placed[1:]
        return None, self.folder.journal_from(0)

    def _rows_there(self, names: set[str]) -> set[tuple[str, int]]:
        client = self.requests.client
        return {
            (point.key, point.step)
            for name in sorted(names)
            for point in self.requests.read(client.get_metric_history, self.run_id, name)
        }

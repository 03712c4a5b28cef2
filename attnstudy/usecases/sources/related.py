"""Other studies of the same arms, settings and dataset: what their readers knew already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from attnstudy.runs import run_folders, studies, study_facts
from attnstudy.seeds import seeds_text
from attnstudy.tracking import TrackedRun, Tracker, as_tracked, read_configuration
from attnstudy.usecases.declaring import moment
from attnstudy.usecases.sources.truth import FINISHED

_ALIKE = 2  # arms in common from which on two studies compare the same
_NAMES = ("seed", "arm", "tuned_by")


_Facts = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedStudy:
    """Another study that compares at least two of the same arms in the same configuration."""

    study: str
    config: str
    seeds: tuple[int, ...]
    runs: int
    """With a result."""
    started_at: int
    """When the first of them was started, milliseconds since the epoch."""
    earlier: bool
    """Whether that was before the first run of the study that is ranked."""

    @property
    def words(self) -> str:
        """What it is, for the reader."""
        seeds = seeds_text(self.seeds)
        return f"{self.study!r} ({self.runs} runs, seeds {seeds}, begun {moment(self.started_at)})"


def other_studies(
    tracker: Tracker, study: str, configs: Iterable[str]
) -> dict[str, list[TrackedRun]]:
    """Return the finished runs of some configurations in all studies but one, by study.

    Those of the store, deleted ones too, and those of this folder.
    """
    found: dict[str, list[TrackedRun]] = {}
    for config in configs:
        for name, runs in read_configuration(tracker, config, but=study).items():
            found.setdefault(name, []).extend(run for run in runs if _has_a_result(run))
        for name in studies(tracker.address.store_dir):
            if name != study and config in study_facts(tracker.address.store_dir, name).asked:
                found.setdefault(name, []).extend(_in_folders(tracker, name, config))
    return found


def _has_a_result(run: TrackedRun) -> bool:
    return run.status in FINISHED and not run.superseded


def _in_folders(tracker: Tracker, study: str, config: str) -> Iterable[TrackedRun]:
    for folder in run_folders(tracker.address.store_dir, study):
        started = folder.started()
        if started is None or started.spec.config_id != config:
            continue
        ours = folder.fingerprint == started.spec.fingerprint  # else of another code schema
        if ours and (result := folder.result()) is not None:
            yield as_tracked(started, result)


def related_studies(
    others: Mapping[str, Sequence[TrackedRun]], own: Sequence[TrackedRun]
) -> tuple[RelatedStudy, ...]:
    """Return the studies that compare the same as the runs given, the first begun first."""
    arms = _arms(own)
    begun = min((run.started_at for run in own), default=0)
    found = []
    for name, theirs in others.items():
        if (arms & _arms(theirs)).total() < _ALIKE:
            continue
        alike = {run.identity: run for run in theirs if _facts(run) in arms}.values()
        first = min(alike, key=lambda run: run.started_at)
        found.append(
            RelatedStudy(
                study=name,
                config=first.config,
                seeds=tuple(sorted({run.seed for run in alike})),
                runs=len(alike),
                started_at=first.started_at,
                earlier=first.started_at < begun,
            )
        )
    return tuple(sorted(found, key=lambda one: (one.started_at, one.study)))


def _arms(runs: Iterable[TrackedRun]) -> Counter[_Facts]:
    """Return how many arms have the same facts; their names say nothing."""
    by_name = {(run.arm, _facts(run)) for run in runs}
    return Counter(facts for _, facts in by_name)


def _facts(run: TrackedRun) -> _Facts:
    """Return what is trained in a run's arm, whatever it is called.

    The settings that are not the arm's own are among it: within a configuration they are the same.
    """
    return frozenset(
        (name, run.params[name])
        for name, role in run.roles.items()
        if role != "label" and name not in _NAMES
    )


def trained_before(
    others: Mapping[str, Sequence[TrackedRun]], runs: Sequence[TrackedRun], recorded_at: int
) -> dict[str, str]:
    """Return the runs whose like was trained in another study before a plan was recorded.

    A run's fingerprint does not know its study's name, and training is repeatable: who has seen
    the other has seen this one.
    """
    known = {
        run.identity[0]: name
        for name, theirs in others.items()
        for run in theirs
        if run.started_at < recorded_at
    }
    return {run.name: known[run.identity[0]] for run in runs if run.identity[0] in known}

"""A study's runs as their folders say, where those are here; as MLflow says of all others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from attnstudy.errors import StoreError
from attnstudy.runs import (
    DONE,
    MAX_DURING_TRAINING,
    METRICS,
    RESULT,
    START,
    Result,
    RunFolder,
    Start,
    inspect,
    repeated_folders,
    run_folders,
)
from attnstudy.tracking import (
    TrackedRun,
    Tracker,
    as_tracked,
    experiment_identity,
    identity_tags,
    read_runs,
)
from attnstudy.usecases.sources.damage import damaged, named

FINISHED = DONE
"""States of a run with a result."""
_LOOKS = 3
"""Readings of MLflow and folders before something is held against them."""


@dataclass(frozen=True, slots=True)
class Local:
    """A run folder of the local store, read once."""

    folder: RunFolder
    started: Start
    result: Result | None
    note: Mapping[str, Any]
    """What the store has confirmed of it."""
    repeated: bool
    """Whether another training took its place."""

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.started.spec.name

    @property
    def identity(self) -> tuple[str, int]:
        """What tells the training from all others, as a tracked run has it."""
        return self.folder.fingerprint, self.started.at

    @property
    def lost_result(self) -> bool:
        """Whether the store has confirmed a result that is not here any more."""
        return not self.repeated and self.result is None and self.note.get("status") in FINISHED

    @property
    def outdated(self) -> bool:
        """Whether another code schema made it, so that what it was called is not known here."""
        return self.folder.fingerprint != self.started.spec.fingerprint

    def as_run(self, like: TrackedRun | None = None) -> TrackedRun:
        """Return the run with what its folder says, and the rest as MLflow has it."""
        if self.result is None:
            assert like is not None
            return replace(like, superseded=like.superseded or self.repeated)
        told = as_tracked(self.started, self.result)
        if like is None:
            return replace(told, superseded=self.repeated)
        called = like if self.outdated else replace(told, run_id=like.run_id, deleted=like.deleted)
        return replace(
            called,
            status=told.status,
            metrics={**like.metrics, **told.metrics},
            superseded=like.superseded or self.repeated,
        )

    def difference(self, run: TrackedRun) -> str | None:
        """Return in what MLflow contradicts the folder; None for what it only lacks so far."""
        status = self.folder.status.value if self.result is None else self.result.status.value
        confirmed = self.note.get("status") == status
        if run.status != status and (run.status in FINISHED or (self.result and confirmed)):
            return f"{run.status} in MLflow, {status} in its folder"
        if self.result is None or run.status != status:
            return None
        result = self.result
        told = result.metrics if MAX_DURING_TRAINING in run.metrics else result.earlier_metrics()
        for name in dict.fromkeys((*METRICS, *told)):
            if (shown := run.metrics.get(name)) != (value := told.get(name)):
                theirs, ours = _number(shown, value), _number(value, shown)
                return f"{name} {theirs} in MLflow, {ours} in its folder"
        tags = {} if self.outdated else identity_tags(self.started)
        for name, text in tags.items():
            # a tag that a run does not have is one that earlier versions did not set
            if (tag := run.tags.get(name, text)) != text:
                return f"{name} {tag} in MLflow, {text} by its folder"
        return None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a study's runs."""

    runs: tuple[TrackedRun, ...]
    """By arm and seed, deleted and repeated ones among them."""
    folders: Mapping[tuple[str, int], Local] = field(default_factory=dict)
    """By identity, those that are finished in the local store and part of the study."""
    joined: bool = True
    """Whether what the local store holds under the study's name is part of MLflow's study."""
    notes: tuple[str, ...] = ()
    damage: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Files of which no number comes that are damaged, and of which runs."""


def known_runs(
    tracker: Tracker, study: str, progress: Callable[[int], None] = lambda read: None
) -> Known:
    """Return the runs of a study: what their folders hold, and MLflow's word for the others.

    Raises:
        StoreError: the store is unreachable, a folder is damaged, or MLflow contradicts one.

    """
    wrong: StoreError | None = None
    for _ in range(_LOOKS):
        # MLflow first: what is finished in between is then only taken for not delivered yet
        tracked = read_runs(tracker, study, progress, deleted=True)
        here = _Here.read(tracker, study, {run.identity[0] for run in tracked})
        if not here.joined(tracked):
            return Known(tuple(tracked), joined=False, notes=_not_joined(tracker, study, here.runs))
        before, wrong = wrong, here.damage or _contradiction(study, here, tracked)
        if wrong is None:
            return _known(study, here, tracked)
        if str(wrong) == str(before):  # else it may be what another command was about to change
            break
    assert wrong is not None
    raise wrong


def _contradiction(study: str, here: _Here, tracked: Iterable[TrackedRun]) -> StoreError | None:
    """Return what is to be said where MLflow contradicts folders."""
    differing = _differing(here, tracked)
    if not differing:
        return None
    lost = [one for one in here.runs if one.lost_result]
    mend = f"the folders are the truth: 'attnstudy sync {study}' puts MLflow right"
    if lost:
        mend = (
            f"{lost[0].folder.path / RESULT} is lost: put it back from a copy, or "
            f"'{lost[0].started.spec.command_line()}' trains the run again"
        )
    return StoreError(
        f"MLflow contradicts the run folders of {study!r} about {named(differing)}; {mend}, "
        "then rank again"
    )


def _known(study: str, here: _Here, tracked: Sequence[TrackedRun]) -> Known:
    """Return what both together say."""
    found = [here.known(run) for run in tracked]
    lacking = here.lacking(study, tracked)
    unsent = [
        known.name
        for run, known in zip(tracked, found, strict=True)
        if _counts(known) and run.status not in FINISHED
    ]
    unsent += [run.name for run in lacking if _counts(run)]
    return Known(
        tuple(sorted([*found, *lacking], key=lambda run: (run.arm, run.seed))),
        {one.identity: one for one in here.runs if one.result is not None},
        notes=_unsent(study, unsent),
        damage=here.beside(),
    )


def _differing(here: _Here, tracked: Iterable[TrackedRun]) -> list[str]:
    """Return the runs of which MLflow says something else than their folders, and what."""
    found = []
    for run in tracked:
        one = here.of(run)
        if one is None or one.repeated or run.deleted or run.superseded:
            continue
        if (how := one.difference(run)) is not None:
            found.append(f"{one.name} ({how})")
    return found


def _counts(run: TrackedRun) -> bool:
    return run.status in FINISHED and not (run.deleted or run.superseded)


@dataclass(frozen=True, slots=True)
class _Here:
    """The run folders that a local store has of a study."""

    tracker: Tracker
    runs: Sequence[Local]
    by_identity: Mapping[tuple[str, int], Local]
    by_id: Mapping[str, Local]
    """By the id of the run in the store that was theirs."""
    in_place: Mapping[str, Local]
    """By fingerprint, those that were not repeated."""
    damage: StoreError | None
    """What is wrong with the first folder that is not as it was written."""

    @classmethod
    def read(cls, tracker: Tracker, study: str, published: set[str]) -> _Here:
        """Read the folders; ``published`` are the fingerprints that the store knows."""
        store_dir, key = tracker.address.store_dir, tracker.address.key
        folders = [(folder, False) for folder in run_folders(store_dir, study)]
        folders += [(folder, True) for folder in repeated_folders(store_dir, study)]
        runs: list[Local] = []
        damage: StoreError | None = None
        for folder, repeated in folders:
            started, result = folder.started(), folder.result()
            if started is None:
                if not repeated and (result is not None or folder.path.name in published):
                    told = None if result is None else folder.sealed_start()
                    name = folder.path.name if told is None else told.spec.name
                    damage = damage or damaged(folder, name, START, told)
                continue
            if not repeated and result is None and (folder.path / RESULT).exists():
                damage = damage or damaged(folder, started.spec.name, RESULT, started)
            runs.append(Local(folder, started, result, folder.published(key), repeated))
        return cls(
            tracker,
            runs,
            {one.identity: one for one in runs},
            {one.note["run_id"]: one for one in runs if "run_id" in one.note},
            {one.identity[0]: one for one in runs if not one.repeated},
            damage,
        )

    def joined(self, tracked: Sequence[TrackedRun]) -> bool:
        """Whether these folders are part of the store's study.

        A server may hold another machine's study of the same name, to which nothing that this
        local store has was ever sent.
        """
        return (
            self.tracker.address.embedded
            or not tracked
            or any(one.note for one in self.runs)
            or any(run.identity in self.by_identity for run in tracked)
        )

    def of(self, run: TrackedRun) -> Local | None:
        """Return the folder of a run, if it is here."""
        return self.by_id.get(run.run_id) or self.by_identity.get(run.identity)

    def known(self, run: TrackedRun) -> TrackedRun:
        """Return a run of MLflow's as its folder says."""
        if (one := self.of(run)) is not None:
            return one.as_run(run)
        now = self.in_place.get(run.identity[0])
        address = self.tracker.address
        if now is None or not (address.embedded or run.run_id in now.folder.replaced(address.key)):
            return run
        return replace(run, superseded=True)

    def beside(self) -> dict[str, tuple[str, ...]]:
        """Return which files that results name are damaged, each with its runs."""
        found: dict[str, tuple[str, ...]] = {}
        for one in self.runs:
            if one.result is not None and not one.repeated:
                for damage in inspect(one.folder).damage:
                    name = damage.path.name
                    found[name] = (*found.get(name, ()), one.name)
        return found

    def lacking(self, study: str, tracked: Iterable[TrackedRun]) -> list[TrackedRun]:
        """Return the finished runs that MLflow does not have, or no longer has."""
        matched = {one.identity for run in tracked if (one := self.of(run)) is not None}
        experiment = self.tracker.experiment(study)
        identity = None if experiment is None else experiment_identity(experiment)
        found = []
        for one in self.runs:
            if one.result is not None and one.identity not in matched and not one.outdated:
                # deleted in the UI, and then removed from the trash: it stays deleted
                gone = bool(one.note.get("deleted")) and one.note.get("experiment") == identity
                found.append(replace(one.as_run(), deleted=gone))
        return found


def _number(value: float | None, other: float | None) -> str:
    """Return a number, with as many digits as tell it from another."""
    if value is None:
        return "none"
    short = f"{value:g}"
    return repr(value) if other is not None and short == f"{other:g}" else short


def _unsent(study: str, runs: Sequence[str]) -> tuple[str, ...]:
    if not runs:
        return ()
    are = "is" if len(runs) == 1 else "are"
    return (
        f"{named(runs)} {are} ranked from the run folders and {are} not in "
        f"MLflow yet: 'attnstudy sync {study}' delivers what is missing",
    )


def _not_joined(tracker: Tracker, study: str, local: Sequence[Local]) -> tuple[str, ...]:
    """Return what is said of runs that were never sent to a store which others send to."""
    finished = [one.name for one in local if one.result is not None]
    if not finished:
        return ()
    return (
        f"not ranked: {named(finished)} in {tracker.address.store_dir}, of which nothing was ever "
        f"sent to {tracker.address.shown}; if they belong to it, 'attnstudy sync {study}' delivers "
        "them",
    )

"""Plans: what a study declares before its first run, and whether a ranking kept to it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnstudy.arms import Arm
from attnstudy.errors import UsageError, near_miss
from attnstudy.files import write_atomically
from attnstudy.seeds import seeds_text
from attnstudy.studyplan import (
    LEAST_LOOK,
    LOOKS,
    Analysis,
    RecordedPlan,
    StudyPlan,
    differences,
    shown,
)
from attnstudy.trainings.registry import find

PLANS = "plans.json"
"""The copy of a study's plans beside its file."""

if TYPE_CHECKING:
    from attnstudy.stats import Provenance
    from attnstudy.study import RunSpec

_NAMED = 3  # runs that a message names; the others are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a study declares, whatever part of it a command trains."""

    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    """Of every arm, in the order in which looks count them."""
    analysis: Analysis
    folder: Path | None = None
    """Where the study's file lies; None for a study without one."""
    training: str | None = None
    """The kind of its training, see ``trainings.registry``."""

    def __post_init__(self) -> None:
        control, metric = self.analysis.control, self.analysis.metric
        names = [arm.name for arm in self.arms]
        if control is not None and control not in names:
            raise UsageError(
                f"the control {control!r} is no arm of the study{near_miss(control, names)} "
                f"(there: {', '.join(names)})"
            )
        known = find(self.training).metrics
        if known is not None and metric not in known:
            raise UsageError(
                f"a run has no metric {metric!r}{near_miss(metric, known)} (it has "
                f"{', '.join(known)})"
            )


def looks_up_to(
    most: int | None, declared: Sequence[int] | None, *, named: str = "--max-seeds"
) -> tuple[int, ...]:
    """Return the looks of a study that ends at ``most`` seeds per arm; ``named`` says where.

    Raises:
        UsageError: there are looks beyond ``most``, or it is too few for one.

    """
    if declared is not None:
        if most is not None and declared[-1] != most:
            raise UsageError(
                f"{named} is {most}, and the last declared look is at {declared[-1]}: leave "
                "one of them out, or let them agree"
            )
        return tuple(declared)
    if most is not None and most < LEAST_LOOK:
        raise UsageError(f"{named} is {most}: the first look takes at least {LEAST_LOOK} seeds")
    looks = [look for look in LOOKS if most is None or look <= most]
    if most is not None and (not looks or looks[-1] < most):
        looks.append(most)
    return tuple(looks)


def seeds_for_looks(
    looks: Sequence[int], seeds: Sequence[int] | None, *, named: str = "--seeds"
) -> tuple[int, ...]:
    """Return the seeds of every arm up to the last look: as given where ``named``, else from 0 on.

    Raises:
        UsageError: too few are given.

    """
    if seeds is None:
        return tuple(range(looks[-1]))
    if len(seeds) < looks[-1]:
        raise UsageError(
            f"{named} names {len(seeds)} seeds ({seeds_text(seeds)}), and the last look needs "
            f"{looks[-1]}: name as many, or none"
        )
    return tuple(seeds[: looks[-1]])


def study_plan(declared: Declaration, spec: RunSpec) -> StudyPlan:
    """Return the plan of the configuration to which a run belongs."""
    return StudyPlan(
        study=spec.study,
        config=spec.config_id,
        settings=spec.config_fields(),
        arms={arm.name: arm_facts(arm, spec.training) for arm in declared.arms},
        seeds=declared.seeds,
        analysis=declared.analysis,
        task=spec.task,
    )


def arm_facts(arm: Arm, training: str | None = None) -> dict[str, Any]:
    """Return an arm as a plan holds it."""
    known = find(training).arm_facts(arm)
    facts = {name: value for name, value in known.items() if value is not None}
    for name, value in arm.settings.items():
        facts[name] = list(value) if isinstance(value, tuple) else value
    if arm.tuning is not None:
        facts["tuning"] = dict(arm.tuning)
    return facts


def keep_beside_study(folder: Path, recorded: Iterable[RecordedPlan]) -> None:
    """Write the plans of a study beside its file, to be committed with it.

    Raises:
        StoreError: the folder cannot be written.

    """
    path = folder / PLANS
    text = json.dumps([one.to_json() for one in recorded], indent=1, allow_nan=False)
    content = text.encode()
    if not path.is_file() or path.read_bytes() != content:
        write_atomically(path, content)


@dataclass(frozen=True, slots=True)
class Seen:
    """A run that a ranking met."""

    arm: str
    seed: int
    started_at: int
    """Milliseconds since the epoch."""
    counted: bool
    """Whether it has a result that the ranking uses."""
    value: float | None = None
    """Its result, used or not."""
    deleted: bool = False
    """Whether it was deleted in the tracking store."""


def moment(at: int) -> str:
    """Return a time in milliseconds since the epoch as a reader writes it, UTC."""
    return f"{datetime.datetime.fromtimestamp(at / 1000, datetime.UTC):%Y-%m-%d %H:%M} UTC"


def judge(plans: Sequence[RecordedPlan], seen: Sequence[Seen], used: Analysis) -> Provenance:
    """Compare what was done with what was declared.

    Args:
        plans: of the configuration, oldest first.
        seen: every run of the configuration, also those without a result.
        used: the analysis that the ranking makes.

    Returns:
        The plan that was in force at the first run, else the first that was recorded; and what
        was done otherwise, a phrase each.

    """
    from attnstudy.stats import Plan, Provenance  # scipy: only where something is ranked

    if not plans:
        return Provenance()
    first = min((run.started_at for run in seen), default=plans[0].at)
    in_time = [recorded for recorded in plans if recorded.at <= first]
    plan = in_time[-1] if in_time else plans[0]
    found = []
    if not in_time:
        found.append(f"it was recorded after {_runs_before(plan, seen)}")
    latest = plan
    for later in plans:
        # not by the hash: another version of attnstudy may know more fields
        what = differences(latest.plan, later.plan)
        if later.at > plan.at and what:
            found.append(f"it was changed after {_runs_before(later, seen)} ({'; '.join(what)})")
            latest = later
    declared = latest.plan.analysis
    for field in fields(Analysis):
        asked, planned = getattr(used, field.name), getattr(declared, field.name)
        if asked != planned:
            found.append(f"ranked with {field.name} {shown(asked)}, and {shown(planned)} planned")
    found += [*_other_runs(latest.plan, seen), *_other_results(seen)]
    return Provenance(plan=Plan(hash=plan.hash, date=moment(plan.at)), deviations=tuple(found))


def _runs_before(recorded: RecordedPlan, seen: Sequence[Seen]) -> str:
    return f"run {sum(run.started_at < recorded.at for run in seen)}"


def _other_runs(plan: StudyPlan, seen: Sequence[Seen]) -> list[str]:
    """Return what is missing of a plan's runs, and what goes beyond them."""
    planned = {(arm, seed) for arm in plan.arms for seed in plan.seeds}
    counted = {(run.arm, run.seed) for run in seen if run.counted}
    found = []
    if beyond := sorted(counted - planned):
        names = ", ".join(f"{arm}/seed={seed}" for arm, seed in beyond[:_NAMED])
        more = f" and {len(beyond) - _NAMED} more" if len(beyond) > _NAMED else ""
        found.append(f"{names}{more} {'go' if len(beyond) > 1 else 'goes'} beyond the plan")
    missing = len(planned - counted)
    if missing and plan.analysis.looks is None:
        found.append(
            f"{missing} of {len(planned)} planned runs {'have' if missing > 1 else 'has'} no "
            "result, so this is a look that was not planned"
        )
    elif absent := sorted(set(plan.arms) - {arm for arm, _ in counted}):
        found.append(f"the planned arm {absent[0]} has no result")
    elif plan.analysis.looks is not None:
        for arm in plan.arms:
            own = [seed for seed in plan.seeds if (arm, seed) in counted]
            if own != list(plan.seeds[: len(own)]):
                lacking = next(seed for seed in plan.seeds if (arm, seed) not in counted)
                found.append(
                    f"{arm}/seed={lacking} has no result and later seeds have, so the looks are "
                    "not the declared ones"
                )
    return found


def _other_results(seen: Sequence[Seen]) -> list[str]:
    """Return the results that are not used although they came first, or were deleted."""
    used = {(run.arm, run.seed): run.value for run in seen if run.counted}
    found = set()
    for run in seen:
        name, value = f"{run.arm}/seed={run.seed}", used.get((run.arm, run.seed))
        if run.counted or run.value is None or run.value == value:
            continue
        if (run.arm, run.seed) in used:
            now = "diverged" if value is None else f"{value:g}"
            found.add(f"{name} had another result before ({run.value:g}, now {now})")
        elif run.deleted:
            found.add(f"the result of {name} was deleted")
    return sorted(found)


def tunings_of(plan: StudyPlan) -> dict[str, Mapping[str, Any]]:
    """Return the search behind each arm's settings, and what it found as ``settings``.

    An arm without one had no trials. Empty if no arm was tuned.
    """
    found = {name: arm.get("tuning") for name, arm in plan.arms.items()}
    if not any(found.values()):
        return {}
    nothing = {"trials": 0, "seeds_per_trial": 0, "runs": 0, "seconds": 0.0}
    return {
        name: {**(tuning or nothing), "settings": _settings_of(plan.arms[name])}
        for name, tuning in found.items()
    }


def _settings_of(arm: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of an arm as a plan holds it."""
    return {k: v for k, v in arm.items() if k not in ("tuning", "variant", "variant_source")}


def fairness(tunings: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the line that says what the arms were given before they were compared."""
    if not tunings:
        return ()
    alike: dict[tuple[int, int, int], list[str]] = {}
    for name, one in tunings.items():
        alike.setdefault((one["trials"], one["seeds_per_trial"], one["runs"]), []).append(name)
    parts = [
        f"{trials} trials of {seeds} seeds ({runs} runs) for "
        f"{'each arm' if len(alike) == 1 else ', '.join(names)}"
        for (trials, seeds, runs), names in alike.items()
    ]
    given = [
        f"{', '.join(f'{key} {shown(value)}' for key, value in one['settings'].items())} ({name})"
        for name, one in tunings.items() if one["settings"]
    ]  # fmt: skip
    seconds = sum(one["seconds"] for one in tunings.values())
    spent = f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"
    used = f"; trained with {'; '.join(given)}" if given else ""
    return (
        f"tuned on validation data with seeds of their own: {'; '.join(parts)}, {spent} of "
        f"training in all{used}",
    )

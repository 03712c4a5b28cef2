"""What reproducibility checklists ask for, as text and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attnstudy.render.tables import amount, duration, wrapped
from attnstudy.runs import Status
from attnstudy.seeds import seeds_text
from attnstudy.shown import in_line

if TYPE_CHECKING:
    from attnstudy.studyplan import RecordedPlan
    from attnstudy.usecases.checklist import ArmFacts, Checklist, Seconds
    from attnstudy.usecases.tuning.results import ArmTuning

NOT_RECORDED = "not recorded"
_SOFTWARE = {
    "version": "attnstudy",
    "python": "Python",
    "torch": "torch",
    "numpy": "NumPy",
    "code_revision": "revision of the code",
}


def checklist_text(found: Checklist) -> str:
    """Return the answers, under the words by which the checklists ask for them."""
    parts = [in_line(f"study {found.study}")]
    for title, lines in (
        ("Runs and seeds", _runs(found)),
        ("Compute", _compute(found)),
        ("Software", _software(found)),
        ("Parameters", _parameters(found)),
        ("Data", iter(found.datasets or (NOT_RECORDED,))),
        ("Hyperparameters", _settings(found)),
        ("Search space and budget", _search(found)),
        ("Selection", _selection(found)),
        ("Statistics", _statistics(found)),
    ):
        shown = [line for one in lines for line in wrapped(one, indent="- ")]
        parts.append("\n".join([f"{title}:", *shown]))
    return "\n\n".join(parts)


def _name(arm: ArmFacts, found: Checklist) -> str:
    several = len({one.config for one in found.arms}) > len({one.task for one in found.arms})
    name = arm.arm if arm.task is None else f"{arm.task}/{arm.arm}"
    return f"{name} (configuration {arm.config})" if several else name


def _runs(found: Checklist) -> Iterator[str]:
    counts: Counter[Status] = Counter()
    for arm in found.arms:
        counts.update(arm.counts)
    listed = [amount(counts[s], f"{s.value} run") for s in Status if counts[s]]
    yield ", ".join(listed) or "no runs"
    for arm in found.arms:
        seeds = f"seeds {seeds_text(arm.seeds)}" if arm.seeds else "no results yet"
        yield f"{_name(arm, found)}: {amount(len(arm.seeds), 'result')}, {seeds}"
    yield from map(in_line, found.damage)


def _compute(found: Checklist) -> Iterator[str]:
    if found.seconds is None:
        yield f"training time: {NOT_RECORDED}"
    else:
        yield f"training time of {_times(found.seconds)}"
        for arm in found.arms:
            if arm.seconds is not None:
                yield f"{_name(arm, found)}: {_times(arm.seconds)}"
    if found.tuning_seconds is not None:
        yield f"search for hyperparameters: {_times(found.tuning_seconds)}"
    yield f"time of runs without a result, and of experiments outside this study: {NOT_RECORDED}"
    for one in found.machines:
        yield (
            f"{amount(one.runs, 'run')} on {one.hardware or f'hardware {NOT_RECORDED}'}, device "
            f"{one.device or NOT_RECORDED}, threads {one.threads or NOT_RECORDED}"
        )
    if not found.machines:
        yield f"hardware: {NOT_RECORDED}"


def _times(seconds: Seconds) -> str:
    text = f"{amount(seconds.runs, 'run')}: {duration(seconds.total)}"
    if seconds.runs == 1:
        return text
    return (
        f"{text} in all, {duration(seconds.mean)} a run ({duration(seconds.least)} to "
        f"{duration(seconds.most)})"
    )


def _software(found: Checklist) -> Iterator[str]:
    for name, called in _SOFTWARE.items():
        yield f"{called}: {', '.join(found.software.get(name, ())) or NOT_RECORDED}"


def _parameters(found: Checklist) -> Iterator[str]:
    for arm in found.arms:
        numbers = " or ".join(f"{number:,}" for number in arm.parameters)
        yield f"{_name(arm, found)}: {numbers or NOT_RECORDED}{' trainable' * bool(numbers)}"


def _settings(found: Checklist) -> Iterator[str]:
    for config, settings in found.settings.items():
        told = ", ".join(f"{name} {value}" for name, value in settings.items() if value is not None)
        yield f"configuration {config}: {told}"
    for recorded in found.plans:
        for arm, fields in recorded.plan.arms.items():
            named = recorded.plan.settings.get("arm_fields") or ()
            own = {name: fields[name] for name in named if name in fields}
            if own:
                told = ", ".join(f"{name} {value}" for name, value in own.items())
                yield f"{arm}: {told}"


def _search(found: Checklist) -> Iterator[str]:
    if found.tuning_missing is not None:
        yield f"there was a search, but its trials cannot be told: {found.tuning_missing}"
    elif not found.tuning:
        yield f"no search by 'attnstudy tune'; one by other means: {NOT_RECORDED}"
    for one in found.tuning:
        budget = one.budget
        yield (
            f"{one.arm}: {amount(budget.trials, 'trial')} ({budget.complete} complete, "
            f"{budget.pruned} pruned, {budget.failed} failed) of "
            f"{amount(budget.seeds_per_trial, 'seed')} each, sampler {one.config.sampler}, pruner "
            f"{one.config.pruner}; space: {_space(one)}"
        )


def _space(one: ArmTuning) -> str:
    return "; ".join(f"{name} {_dimension(values)}" for name, values in one.config.space.items())


def _dimension(values: Any) -> str:
    if isinstance(values, Mapping):
        log = ", log scale" if values.get("log") else ""
        return f"from {values.get('low')} to {values.get('high')}{log}"
    if isinstance(values, Sequence) and not isinstance(values, str):
        return f"one of {', '.join(map(str, values))}"
    return str(values)


def _selection(found: Checklist) -> Iterator[str]:
    if found.tuning:
        config = found.tuning[0].config
        yield (
            f"hyperparameters: each arm's trial with the {_best_of(config.direction)} "
            f"mean of {config.metric} over the seeds of the search, which no "
            f"{'test image and no ' * found.placements}seed of the ranking has a part in"
        )
    yield (
        "the ranked runs were trained with what the search found" if found.tuned
        else "the settings of the ranked runs were declared, not found by 'attnstudy tune'"
    )  # fmt: skip
    if found.placements:
        yield "checkpoints: the model after the last update is scored on the test images, once"
    else:
        yield f"checkpoints: the training's own matter, {NOT_RECORDED}"


def _best_of(direction: str) -> str:
    return "highest" if direction == "maximize" else "lowest"


def _statistics(found: Checklist) -> Iterator[str]:
    if not found.plans:
        yield "no plan was recorded before the first run"
    for recorded in found.plans:
        yield _plan(recorded)
    yield f"what was done: 'attnstudy rank {found.study} --methods'"


def _plan(recorded: RecordedPlan) -> str:
    plan, analysis = recorded.plan, recorded.plan.analysis
    task = "" if plan.task is None else f" (task {plan.task})"
    how = "paired by seed" if analysis.paired else analysis.correction
    if analysis.control is not None:
        how += f", against {analysis.control}"
    text = (
        f"plan {recorded.hash}{task}: {analysis.metric}, {how}, family-wise error "
        f"{analysis.alpha:g}, {amount(len(plan.seeds), 'seed')} an arm"
    )
    if analysis.margin is not None:
        text += f", margin {analysis.margin:g}"
    if analysis.looks is not None:
        text += f", looks at {', '.join(map(str, analysis.looks))} seeds"
    return text


def checklist_json(found: Checklist) -> dict[str, Any]:
    """Return all of it for programs; null and empty lists for what is not recorded."""
    return {
        "study": found.study,
        "arms": [
            {
                "arm": arm.arm,
                "task": arm.task,
                "config": arm.config,
                "runs": {status.value: number for status, number in arm.counts.items()},
                "seeds": list(arm.seeds),
                "trainable_parameters": list(arm.parameters),
                "train_seconds": _seconds_json(arm.seconds),
            }
            for arm in found.arms
        ],
        "damaged": list(found.damage),
        "train_seconds": _seconds_json(found.seconds),
        "machines": [
            {"hardware": m.hardware or None, "device": m.device or None,
             "threads": m.threads or None, "runs": m.runs}
            for m in found.machines
        ],
        "software": {name: list(values) for name, values in found.software.items()},
        "datasets": list(found.datasets),
        "settings": {config: dict(values) for config, values in found.settings.items()},
        "tuning": [
            {
                "arm": one.arm,
                "space": dict(one.config.space),
                "sampler": one.config.sampler,
                "pruner": one.config.pruner,
                "metric": one.config.metric,
                "direction": one.config.direction,
                "trials": one.budget.trials,
                "complete": one.budget.complete,
                "pruned": one.budget.pruned,
                "failed": one.budget.failed,
                "seeds_per_trial": one.budget.seeds_per_trial,
            }
            for one in found.tuning
        ],
        "tuning_missing": found.tuning_missing,
        "tuning_seconds": _seconds_json(found.tuning_seconds),
        "tuned": found.tuned,
        "scored": "after the last update" if found.placements else None,
        "plans": [
            {"hash": one.hash, **one.plan.to_json()} for one in found.plans
        ],
    }  # fmt: skip


def _seconds_json(seconds: Seconds | None) -> dict[str, float] | None:
    if seconds is None:
        return None
    return {
        "runs": seconds.runs,
        "sum": seconds.total,
        "mean": seconds.mean,
        "min": seconds.least,
        "max": seconds.most,
    }

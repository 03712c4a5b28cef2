"""What a study declares, as text and JSON."""

from __future__ import annotations

import datetime
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from attnstudy.render.tables import amount, table, wrapped
from attnstudy.seeds import seeds_text
from attnstudy.shown import in_line
from attnstudy.studyplan import shown
from attnstudy.trainings.registry import find
from attnstudy.usecases.declaring import arm_facts

if TYPE_CHECKING:
    from attnstudy.arms import Arm
    from attnstudy.running.planning import RunRequest
    from attnstudy.usecases.studyfiles import KnownPlan, StudyOverview


USUAL_CORRELATION = 0.35
"""Of runs of one seed, the most that the notebook's study showed on real images (-.02 to .35).
Trainings on the embedded digits show more (.5 to .8)."""


def study_text(found: StudyOverview) -> str:
    """Return the question, the arms, how they are ranked, and the recorded plans."""
    request, declared = found.request, found.request.declared
    assert declared is not None
    lines = [in_line(f"study {request.study}")]
    if request.question:
        lines += [in_line(f"  {request.question}")]
    names = sorted({name for arm in declared.arms for name in arm.settings})
    heading = ["arm"] if request.training is None else []

    def variant(arm: Arm) -> list[str]:
        return [arm.variant] if heading else []

    rows = [
        [arm.name, *variant(arm), *(shown(arm.settings[name]) for name in names)]
        for arm in declared.arms
    ]
    lines += ["", table(["arm", *heading, *names], rows), ""]
    count = len(declared.arms) * len(declared.seeds) * len(found.requests)
    on = " on every task" if found.tasks else ""
    lines += [f"seeds {seeds_text(declared.seeds)} of every arm{on}, {count} runs"]
    for one in found.requests:
        assert one.declared is not None
        task = "" if one.task is None else f"task {one.task}{_of_task(one, found)}, "
        analysis = {n: v for n, v in asdict(one.declared.analysis).items() if v is not None}
        ranked = ", ".join(f"{name} {shown(value)}" for name, value in analysis.items())
        lines.append(in_line(f"{task}ranked by {ranked}"))
    lines += ["", *(in_line(_plan_line(one)) for one in found.plans)]
    if not found.plans:
        lines.append("no plan is recorded yet: the first 'attnstudy run' records it")
    return "\n".join(lines)


def _of_task(request: RunRequest, found: StudyOverview) -> str:
    """Return what a task has otherwise than the others, for the reader."""
    all_tasks = [_told(one) for one in found.requests]
    own = {
        name: value
        for name, value in _told(request).items()
        if value is not None and any(other.get(name) != value for other in all_tasks)
    }
    return f" ({', '.join(f'{name} {shown(value)}' for name, value in own.items())})" if own else ""


def _told(request: RunRequest) -> dict[str, Any]:
    """Return the settings of a task that are not the arms', and its dataset."""
    declared = request.declared
    assert declared is not None
    of_arms = {name for arm in declared.arms for name in arm.settings}
    settings = {n: v for n, v in request.settings.items() if n not in of_arms}
    dataset = request.options.get("dataset")
    return settings if dataset is None else {"dataset": dataset, **settings}


def _plan_line(known: KnownPlan) -> str:
    plan = known.recorded.plan
    of = "" if plan.task is None else f"task {plan.task}, "
    at = datetime.datetime.fromtimestamp(known.recorded.at / 1000, datetime.UTC)
    line = (
        f"plan {known.recorded.hash} of {of}configuration {plan.config}, recorded "
        f"{at:%Y-%m-%d %H:%M} UTC"
    )
    if known.changes:
        return f"{line}; the file now says otherwise ({'; '.join(known.changes)})"
    return f"{line}, as the file says"


def study_check_text(found: StudyOverview) -> str:
    """Return that a study's file makes sense, and how much it asks for."""
    declared = found.request.declared
    assert declared is not None
    runs = len(found.requests) * len(declared.arms) * len(declared.seeds)
    tasks = f"{amount(len(found.tasks), 'task')} x " if found.tasks else ""
    text = (
        f"{found.request.study}: fine, {tasks}{amount(len(declared.arms), 'arm')} x "
        f"{amount(len(declared.seeds), 'seed')} = {amount(runs, 'run')}"
    )
    promises = [line for one in find(found.request.training).promises for line in wrapped(one)]
    text = "\n".join([text, *promises])
    needed = found.pairing_pays_from
    if needed is None:
        return text
    pays = (
        f"with {amount(len(declared.seeds), 'seed')}, comparing seed by seed detects more only if "
        f"runs of the same seed correlate above {max(needed, 0.0):.2f}"
    )
    if needed > USUAL_CORRELATION:
        pays = f"Warning: paired is declared and the seeds are few: {pays}."
    else:
        pays = f"Paired: {pays}."
    return "\n".join([text, *wrapped(pays)])


def study_json(found: StudyOverview) -> dict[str, Any]:
    """Return the same for machines."""
    request, declared = found.request, found.request.declared
    assert declared is not None
    return {
        "schema": 1,
        "study": request.study,
        "question": request.question,
        "arms": {arm.name: arm_facts(arm, request.training) for arm in declared.arms},
        **({"tasks": _tasks_json(found)} if found.tasks else {}),
        "seeds": list(declared.seeds),
        "analysis": declared.analysis.to_json(),
        "pairing_pays_from": found.pairing_pays_from,
        "plans": [
            {**known.recorded.to_json(), "changes": list(known.changes)} for known in found.plans
        ],
    }


def _tasks_json(found: StudyOverview) -> dict[str, Any]:
    return {
        task: {"settings": _told(one), "analysis": one.declared.analysis.to_json()}
        for task, one in found.tasks.items()
        if one.declared is not None
    }

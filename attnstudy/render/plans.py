"""What a study declares, as text and JSON."""

from __future__ import annotations

import datetime
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from attnstudy.render.tables import amount, table, wrapped
from attnstudy.seeds import seeds_text
from attnstudy.studyplan import shown
from attnstudy.trainings.registry import find
from attnstudy.usecases.declaring import arm_facts

if TYPE_CHECKING:
    from attnstudy.arms import Arm
    from attnstudy.usecases.studyfiles import KnownPlan, StudyOverview


USUAL_CORRELATION = 0.35
"""Of runs of one seed, the most that the notebook's study showed on real images (-.02 to .35).
Trainings on the embedded digits show more (.5 to .8)."""


def study_text(found: StudyOverview) -> str:
    """Return the question, the arms, how they are ranked, and the recorded plans."""
    request, declared = found.request, found.request.declared
    assert declared is not None
    lines = [f"study {request.study}"]
    if request.question:
        lines += [f"  {request.question}"]
    names = sorted({name for arm in declared.arms for name in arm.settings})
    heading = ["arm"] if request.training is None else []

    def variant(arm: Arm) -> list[str]:
        return [arm.variant] if heading else []

    rows = [
        [arm.name, *variant(arm), *(shown(arm.settings[name]) for name in names)]
        for arm in declared.arms
    ]
    lines += ["", table(["arm", *heading, *names], rows), ""]
    count = len(declared.arms) * len(declared.seeds)
    lines += [f"seeds {seeds_text(declared.seeds)} of every arm, {count} runs"]
    analysis = {
        name: value for name, value in asdict(declared.analysis).items() if value is not None
    }
    lines += [
        "ranked by " + ", ".join(f"{name} {shown(value)}" for name, value in analysis.items())
    ]
    lines += ["", *(_plan_line(one) for one in found.plans)]
    if not found.plans:
        lines.append("no plan is recorded yet: the first 'attnstudy run' records it")
    return "\n".join(lines)


def _plan_line(known: KnownPlan) -> str:
    plan = known.recorded.plan
    at = datetime.datetime.fromtimestamp(known.recorded.at / 1000, datetime.UTC)
    line = (
        f"plan {known.recorded.hash} of configuration {plan.config}, recorded "
        f"{at:%Y-%m-%d %H:%M} UTC"
    )
    if known.changes:
        return f"{line}; the file now says otherwise ({'; '.join(known.changes)})"
    return f"{line}, as the file says"


def study_check_text(found: StudyOverview) -> str:
    """Return that a study's file makes sense, and how much it asks for."""
    declared = found.request.declared
    assert declared is not None
    text = (
        f"{found.request.study}: fine, {amount(len(declared.arms), 'arm')} x "
        f"{amount(len(declared.seeds), 'seed')} = "
        f"{amount(len(declared.arms) * len(declared.seeds), 'run')}"
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
        "seeds": list(declared.seeds),
        "analysis": declared.analysis.to_json(),
        "pairing_pays_from": found.pairing_pays_from,
        "plans": [
            {**known.recorded.to_json(), "changes": list(known.changes)} for known in found.plans
        ],
    }

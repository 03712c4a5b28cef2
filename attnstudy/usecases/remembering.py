"""What a store keeps of a study beside its runs: threads, plans, and what was asked for."""

from __future__ import annotations

from typing import Any

from attnstudy import runs
from attnstudy.runs import Status
from attnstudy.studyplan import differences
from attnstudy.usecases.declaring import keep_beside_study, study_plan
from attnstudy.usecases.planning import Plan


def remember(plan: Plan) -> str | None:
    """Fix the study's thread count, record its plan, add to what was asked for.

    Returns:
        What to tell if the plan is another than the study began with.

    Raises:
        StoreError: the store, or the study's folder, cannot be written.

    """
    request = plan.request
    with runs.changing_study_facts(request.address.home, request.study) as facts:
        facts.setdefault("threads", plan.threads)
        facts.setdefault("question", request.question)
        asked: dict[str, Any] = facts.setdefault("asked", {})
        for run in plan.runs:
            seeds = asked.setdefault(run.spec.config_id, {}).setdefault(run.spec.arm_name, [])
            if run.spec.seed not in seeds:
                seeds.append(run.spec.seed)
                seeds.sort()
        changed = _record_plan(plan, facts)
        recorded = runs.recorded_plans(facts)
    if request.declared is not None and request.declared.folder is not None:
        keep_beside_study(request.declared.folder, recorded)
    return changed


def _record_plan(plan: Plan, facts: dict[str, Any]) -> str | None:
    if plan.request.declared is None:
        return None
    declared = study_plan(plan.request.declared, plan.runs[0].spec)
    before = [one.plan for one in runs.recorded_plans(facts) if one.plan.config == declared.config]
    begun = sum(run.status is not Status.ABSENT for run in plan.runs)
    runs.record_plan(facts, declared)
    if not begun or (before and before[-1].hash == declared.hash):
        return None
    what = f" ({'; '.join(differences(before[-1], declared))})" if before else ""
    return (
        f"the plan of {plan.request.study!r} is {'changed' if before else 'recorded'} after its "
        f"first run{what}: a ranking will be exploratory and say so"
    )

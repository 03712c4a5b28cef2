"""The record of a study beside its runs: threads, plans, and what was asked for."""

from __future__ import annotations

from attnstudy import runs
from attnstudy.errors import StoreError
from attnstudy.running.code import note_code
from attnstudy.running.planning import RunPlan
from attnstudy.studyplan import differences
from attnstudy.usecases.declaring import keep_beside_study, study_plan


def record_study(plan: RunPlan) -> list[str]:
    """Fix the study's thread count, record its plan, add to what was asked for.

    Returns:
        What the user should read: that the plan is another than the study began with, or that it
        could not be kept beside the study's file, where it is a copy.

    Raises:
        StoreError: the store cannot be written.

    """
    request = plan.request
    with runs.changing_study_facts(request.address.store_dir, request.study) as facts:
        facts.threads = facts.threads or plan.threads
        facts.question = facts.question or request.question
        if (code := request.options.get("code")) is not None:
            note_code(facts, request.options["what"], code)
        now: dict[tuple[str, str], set[int]] = {}
        for run in plan.runs:
            now.setdefault((run.spec.config_id, run.spec.arm_name), set()).add(run.spec.seed)
        for (config, arm), seeds in now.items():
            facts.ask(config, arm, seeds)
        warnings = _record_plan(plan, facts)
        recorded = runs.recorded_plans(facts)
    if request.declared is not None and request.declared.folder is not None:
        try:
            keep_beside_study(request.declared.folder, recorded)
        except StoreError as error:
            warnings.append(f"the plan is recorded, but not beside the study's file: {error}")
    return warnings


def declare_study(plan: RunPlan) -> list[str]:
    """Record the plan of a study alone, of which nothing is trained yet.

    Returns:
        What the user should read: that the plan is another than the study began with.

    Raises:
        StoreError: the store cannot be written.

    """
    request = plan.request
    with runs.changing_study_facts(request.address.store_dir, request.study) as facts:
        return _record_plan(plan, facts)


def _record_plan(plan: RunPlan, facts: runs.StudyFacts) -> list[str]:
    if plan.request.declared is None:
        return []
    declared = study_plan(plan.request.declared, plan.runs[0].spec)
    before = [one.plan for one in runs.recorded_plans(facts) if one.plan.config == declared.config]
    begun = [
        started.at
        for folder in runs.run_folders(plan.request.address.store_dir, plan.request.study)
        if (started := folder.started()) is not None and started.spec.config_id == declared.config
    ]
    runs.record_plan(facts, declared, after=max(begun, default=0))
    changes = differences(before[-1], declared) if before else ()
    if not begun or (before and not changes):
        return []
    what = f" ({'; '.join(changes)})" if before else ""
    on_task = "" if declared.task is None else f" on the task {declared.task!r}"
    return [
        f"the plan of {plan.request.study!r}{on_task} is {'changed' if before else 'recorded'} "
        f"after its first run{what}: a ranking will be exploratory and say so"
    ]

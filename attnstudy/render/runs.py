"""What ``attnstudy run`` did or would do."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

from attnstudy.render.tables import amount, number, table
from attnstudy.render.terminal import estimate_lines
from attnstudy.runs import Status, study_folder
from attnstudy.seeds import seeds_text
from attnstudy.shown import in_line
from attnstudy.trainings.registry import find
from attnstudy.usecases.declaring import PLANS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnstudy.running.estimating import Estimate
    from attnstudy.running.outcomes import Outcome, RunReport
    from attnstudy.running.planning import RunPlan
    from attnstudy.study import RunSpec
    from attnstudy.tracking import Address


def run_text(reports: Sequence[RunReport]) -> str:
    """Return what happened, task by task and arm by arm, and what to type next."""
    outcomes = [outcome for report in reports for outcome in report.outcomes]
    trained = [o for o in outcomes if o.trained and o.status.done]
    skipped = [o for o in outcomes if not o.trained and o.status.done]
    failed = [o for report in reports for o in report.failed]
    elsewhere = [o for report in reports for o in report.elsewhere]
    parts = [f"{len(trained)} trained"]
    if skipped:
        parts.append(f"{len(skipped)} complete before and skipped")
    if elsewhere:
        parts.append(f"{len(elsewhere)} running elsewhere")
    if failed:
        parts.append(f"{len(failed)} failed")
    lines = [in_line(f"study {reports[0].plan.request.study}: {', '.join(parts)}")]
    for report in reports:
        task = report.plan.request.task
        lines += ["", *([] if task is None else [in_line(f"task {task}")]), _variants(report)]
    if failed:
        rows = [[o.spec.name, o.reason or ""] for o in failed]
        lines += ["", table(["failed run", "reason"], rows)]
        lines += ["", "The same command tries the failed runs again."]
    if elsewhere:
        lines += ["", "Running in another process: " + _names(elsewhere)]
        lines += ["The same command with --wait waits for them."]
    if trained or skipped:
        asked = reports[0].plan.request
        of_task = asked.task if len(reports) == 1 else None
        lines += ["", *_places(reports[0])]
        lines += [f"Rank them:   {command('rank', asked.study, asked.address, of_task)}"]
        lines += [f"Browse them: {command('ui', asked.study, asked.address)}"]
    return "\n".join(lines)


def _places(report: RunReport) -> list[str]:
    """Return where results are kept, and the copy of the plan beside the study's file."""
    request = report.plan.request
    lines = [in_line(f"Kept in:     {study_folder(request.address.store_dir, request.study)}")]
    if request.declared is not None and request.declared.folder is not None:
        lines.append(in_line(f"Plan:        {request.declared.folder / PLANS}"))
    return lines


def _variants(report: RunReport) -> str:
    rows = []
    metric = report.plan.request.metric
    results = [o.result.metrics.get(metric) for o in report.outcomes if o.result is not None]
    beside = [value for value in results if value is not None]
    for arm in dict.fromkeys(o.spec.arm_name for o in report.outcomes):
        own = [o for o in report.outcomes if o.spec.arm_name == arm]
        done = [o for o in own if o.result is not None]
        tested = [
            o.result.metrics[metric]
            for o in done
            if o.result is not None and metric in o.result.metrics
        ]
        counts = Counter(o.status.value for o in own)
        rows.append(
            [
                arm,
                seeds_text([o.spec.seed for o in done]) if done else "–",
                ", ".join(f"{count} {status}" for status, count in counts.items()),
                number(sum(tested) / len(tested), beside) if tested else "–",
                f"{number(min(tested), beside)} – {number(max(tested), beside)}" if tested else "–",
            ]
        )
    headings = ["arm", "seeds done", "runs", f"mean {_called(report, metric)}", "min – max"]
    return table(headings, rows, right="   >>")


def _called(report: RunReport, metric: str) -> str:
    """Return a metric in words, with the unit of the placements' accuracies."""
    percent = report.plan.request.training is None and metric.endswith("accuracy")
    return metric.replace("_", " ") + (" (%)" if percent else "")


def _names(outcomes: Sequence[Outcome]) -> str:
    return in_line(", ".join(outcome.spec.name for outcome in outcomes))


def command(name: str, study: str, address: Address, task: str | None = None) -> str:
    """Return what to type for a study: the command of that name, on the same store.

    ``run`` and ``tune`` need ``--study`` behind their names where the study has no file.
    """
    words = ["attnstudy", *name.split(), study, *([] if task is None else ["--task", task])]
    if str(address.store_dir) != "mlruns":
        words += ["--store", str(address.store_dir)]
    if not address.embedded:
        words += ["--tracking-uri", address.shown]
    return in_line(shlex.join(words))


def run_json(reports: Sequence[RunReport]) -> dict[str, Any]:
    """Return what happened, run by run, for machines."""
    outcomes = [outcome for report in reports for outcome in report.outcomes]
    return {
        "schema": 1,
        "study": reports[0].plan.request.study,
        **_configurations([report.plan for report in reports]),
        "trained": sum(o.trained and o.status.done for o in outcomes),
        "skipped": sum(not o.trained and o.status.done for o in outcomes),
        "failed": sum(len(report.failed) for report in reports),
        "elsewhere": sum(len(report.elsewhere) for report in reports),
        "undelivered": reports[-1].undelivered,  # those of the tasks before are among them
        "runs": [_outcome_json(outcome) for outcome in outcomes],
    }


def _configurations(plans: Sequence[RunPlan]) -> dict[str, Any]:
    """Return the configuration, or that of each task by its name."""
    if plans[0].request.task is None:
        return {"config": plans[0].runs[0].spec.config_id}
    return {"configs": {str(plan.request.task): plan.runs[0].spec.config_id for plan in plans}}


def _task_json(spec: RunSpec) -> dict[str, str]:
    """Return the task of a run; nothing in a study without tasks."""
    return {} if spec.task is None else {"task": spec.task}


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    spec, result = outcome.spec, outcome.result
    return {
        **_task_json(spec),
        "variant": spec.arm_name,
        "seed": spec.seed,
        "fingerprint": spec.fingerprint,
        "status": outcome.status.value,
        "trained": outcome.trained,
        "diverged_at": None if result is None else result.diverged_at,
        "reason": outcome.reason,
        "metrics": {} if result is None else dict(result.metrics),
    }


def plan_text(plans: Sequence[tuple[RunPlan, Estimate | None]], looks: Sequence[int] = ()) -> str:
    """Return what would be trained and how long that would take, task by task.

    ``looks`` are the seeds per arm at each look, where a study runs until it is decided.
    """
    return "\n\n".join(_plan_text(plan, expected, looks) for plan, expected in plans)


def _plan_text(plan: RunPlan, expected: Estimate | None, looks: Sequence[int]) -> str:
    request = plan.request
    arms: dict[str, dict[str, list[int]]] = {}
    for run in plan.runs:
        by_status = arms.setdefault(run.spec.arm_name, {"done": [], "to train": [], "running": []})
        by_status[_standing(plan, run.status)].append(run.spec.seed)
    rows = [
        [arm, *(seeds_text(seeds) if seeds else "–" for seeds in by_status.values())]
        for arm, by_status in arms.items()
    ]
    spec = plan.runs[0].spec
    told = [*find(spec.training).summary([run.spec for run in plan.runs]), ""]
    about, *more = told if len(told) > 1 else ["", ""]
    threads = f"{amount(plan.threads, 'thread')} a run"
    named = [f"study {request.study}"]
    named += [] if request.task is None else [f"task {request.task}"]
    named += [f"configuration {spec.config_id}"]
    lines = [
        in_line(", ".join(filter(None, (*named, about)))),
        in_line(", ".join(filter(None, (*more, threads)))),
        "",
        table(["arm", "done", "to train", "running elsewhere"], rows),
        "",
    ]
    lines += ["Nothing to train."] if expected is None else estimate_lines(expected)
    if looks:
        at = ", ".join(map(str, looks))
        lines.append(
            f"Looks at {at} seeds each: what one decides gets no more, so this is the most."
        )
    return "\n".join(lines)


def _standing(plan: RunPlan, status: Status) -> str:
    if status is Status.RUNNING:
        return "running"
    return "done" if status.done and not plan.request.rerun else "to train"


def plan_json(
    plans: Sequence[tuple[RunPlan, Estimate | None]], looks: Sequence[int] = ()
) -> dict[str, Any]:
    """Return the same for machines."""
    first = plans[0][0]
    seconds = [expected.seconds for _, expected in plans if expected is not None]
    known = [one for one in seconds if one is not None]
    to_train = [(plan, {run.folder for run in plan.pending}) for plan, _ in plans]
    return {
        "schema": 1,
        "study": first.request.study,
        **_configurations([plan for plan, _ in plans]),
        "threads": first.threads,
        "workers": first.workers,
        "seconds": sum(known) if known and len(known) == len(seconds) else None,
        "looks": list(looks),
        "runs": [
            {
                **_task_json(run.spec),
                "variant": run.spec.arm_name,
                "seed": run.spec.seed,
                "fingerprint": run.spec.fingerprint,
                "status": run.status.value,
                "to_train": run.folder in pending,
            }
            for plan, pending in to_train
            for run in plan.runs
        ],
    }

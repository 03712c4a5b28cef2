"""What ``attnstudy run`` did or would do."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from attnstudy.render.tables import amount, number, table
from attnstudy.render.terminal import estimate_lines
from attnstudy.runs import Status
from attnstudy.seeds import seeds_text
from attnstudy.trainings.registry import find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnstudy.running.estimating import Estimate
    from attnstudy.running.outcomes import Outcome, RunReport
    from attnstudy.running.planning import RunPlan


def run_text(report: RunReport) -> str:
    """Return what happened, arm by arm, and what to type next."""
    plan = report.plan
    trained = [o for o in report.outcomes if o.trained and o.status.done]
    skipped = [o for o in report.outcomes if not o.trained and o.status.done]
    parts = [f"{len(trained)} trained"]
    if skipped:
        parts.append(f"{len(skipped)} complete before and skipped")
    if report.elsewhere:
        parts.append(f"{len(report.elsewhere)} running elsewhere")
    if report.failed:
        parts.append(f"{len(report.failed)} failed")
    lines = [f"study {plan.request.study}: {', '.join(parts)}", "", _variants(report)]
    if report.failed:
        rows = [[o.spec.name, o.reason or ""] for o in report.failed]
        lines += ["", table(["failed run", "reason"], rows)]
        lines += ["", "The same command tries the failed runs again."]
    if report.elsewhere:
        lines += ["", "Running in another process: " + _names(report.elsewhere)]
        lines += ["The same command with --wait waits for them."]
    if trained or skipped:
        lines += ["", f"Rank them:   {_command('rank', report)}"]
        lines += [f"Browse them: {_command('ui', report)}"]
    return "\n".join(lines)


def _variants(report: RunReport) -> str:
    rows = []
    metric = report.plan.request.metric
    for variant in dict.fromkeys(o.spec.arm_name for o in report.outcomes):
        own = [o for o in report.outcomes if o.spec.arm_name == variant]
        done = [o for o in own if o.result is not None]
        tested = [
            o.result.metrics[metric]
            for o in done
            if o.result is not None and metric in o.result.metrics
        ]
        counts = Counter(o.status.value for o in own)
        rows.append(
            [
                variant,
                seeds_text([o.spec.seed for o in done]) if done else "–",
                ", ".join(f"{count} {status}" for status, count in counts.items()),
                number(sum(tested) / len(tested)) if tested else "–",
                f"{min(tested):.2f} – {max(tested):.2f}" if tested else "–",
            ]
        )
    headings = ["arm", "seeds done", "runs", f"mean {_called(report, metric)}", "min – max"]
    return table(headings, rows, right="   >>")


def _called(report: RunReport, metric: str) -> str:
    """Return a metric in words, with the unit of the placements' accuracies."""
    percent = report.plan.request.training is None and metric.endswith("accuracy")
    return metric.replace("_", " ") + (" (%)" if percent else "")


def _names(outcomes: tuple[Outcome, ...]) -> str:
    return ", ".join(outcome.spec.name for outcome in outcomes)


def _command(name: str, report: RunReport) -> str:
    request = report.plan.request
    words = ["attnstudy", name]
    if name != "ui":
        words += ["--study", request.study]
    if str(request.address.store_dir) != "mlruns":
        words += ["--store", str(request.address.store_dir)]
    if not request.address.embedded:
        words += ["--tracking-uri", request.address.shown]
    return " ".join(words)


def run_json(report: RunReport) -> dict[str, Any]:
    """Return what happened, run by run, for machines."""
    plan = report.plan
    return {
        "schema": 1,
        "study": plan.request.study,
        "config": plan.runs[0].spec.config_id,
        "trained": sum(o.trained and o.status.done for o in report.outcomes),
        "skipped": sum(not o.trained and o.status.done for o in report.outcomes),
        "failed": len(report.failed),
        "elsewhere": len(report.elsewhere),
        "undelivered": report.undelivered,
        "runs": [_outcome_json(outcome) for outcome in report.outcomes],
    }


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    spec, result = outcome.spec, outcome.result
    return {
        "variant": spec.arm_name,
        "seed": spec.seed,
        "fingerprint": spec.fingerprint,
        "status": outcome.status.value,
        "trained": outcome.trained,
        "diverged_at": None if result is None else result.diverged_at,
        "reason": outcome.reason,
        "metrics": {} if result is None else dict(result.metrics),
    }


def plan_text(plan: RunPlan, expected: Estimate | None, looks: Sequence[int] = ()) -> str:
    """Return what would be trained and how long that would take.

    ``looks`` are the seeds an arm at each look, where a study runs until it is decided.
    """
    request = plan.request
    rows = []
    for variant in dict.fromkeys(run.spec.arm_name for run in plan.runs):
        by_status: dict[str, list[int]] = {"done": [], "to train": [], "running": []}
        for run in plan.runs:
            if run.spec.arm_name == variant:
                by_status[_standing(plan, run.status)].append(run.spec.seed)
        rows.append([variant, *(seeds_text(s) if s else "–" for s in by_status.values())])
    spec = plan.runs[0].spec
    told = [*find(spec.training).summary([run.spec for run in plan.runs]), ""]
    about, *more = told if len(told) > 1 else ["", ""]
    threads = f"{amount(plan.threads, 'thread')} a run"
    lines = [
        ", ".join(filter(None, (f"study {request.study}, configuration {spec.config_id}", about))),
        ", ".join(filter(None, (*more, threads))),
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
    plan: RunPlan, expected: Estimate | None, looks: Sequence[int] = ()
) -> dict[str, Any]:
    """Return the plan for machines."""
    return {
        "schema": 1,
        "study": plan.request.study,
        "config": plan.runs[0].spec.config_id,
        "threads": plan.threads,
        "workers": plan.workers,
        "seconds": None if expected is None else expected.seconds,
        "looks": list(looks),
        "runs": [
            {
                "variant": run.spec.arm_name,
                "seed": run.spec.seed,
                "fingerprint": run.spec.fingerprint,
                "status": run.status.value,
                "to_train": run in plan.pending,
            }
            for run in plan.runs
        ],
    }

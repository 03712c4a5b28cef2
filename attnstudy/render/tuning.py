"""What ``attnstudy tune`` does and what it found, as text and JSON."""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from attnstudy.render.tables import amount, duration, number, table
from attnstudy.seeds import seeds_text
from attnstudy.shown import in_line

if TYPE_CHECKING:  # at run time they would bring Optuna, which other commands do not need
    from attnstudy.search import SearchConfig, Trial
    from attnstudy.usecases.tuning.plan import TunePlan
    from attnstudy.usecases.tuning.results import ArmTuning
    from attnstudy.usecases.tuning.tune_study import TuneReport


def tune_text(report: TuneReport) -> str:
    """Return what the search has come to, and what to type next."""
    request = report.plan.request
    done = report.trials - report.before
    lines = [
        f"study {in_line(request.study)}: {amount(done, 'trial')} done, {report.before} before, of "
        f"{request.trials} for each of {amount(len(report.tunings), 'arm')}",
        "",
        *_best(report.tunings),
    ]
    if report.failed:
        rows = [[f"{arm} {t.number}", t.reason or ""] for arm, t in report.failed]
        lines += ["", table(["failed trial", "reason"], rows)]
    if warning := _unequal(report.tunings):
        lines += ["", in_line(f"Note: {warning}.")]
    lines += ["", in_line(f"All trials:  {_command(report, 'tune show')}")]
    lines += [in_line(f"In Optuna:   {report.plan.place.dashboard}")]
    lines += [in_line(f"Train them:  {_command(report, 'run --tuned')}{_settings(report)}")]
    return "\n".join(lines)


def _command(report: TuneReport, command: str) -> str:
    request = report.plan.request
    words = ["attnstudy", *command.split(), "--study", request.study]
    if request.storage is not None:
        words += ["--storage", report.plan.place.shown]
    if str(request.address.store_dir) != "mlruns":
        words += ["--store", str(request.address.store_dir)]
    return shlex.join(words)


def _settings(report: TuneReport) -> str:
    """Return what has to be typed again because no file of the study says it."""
    return (
        "" if report.plan.request.journal.with_name("study.toml").exists() else ", and its settings"
    )


def _on(config: SearchConfig) -> str:
    """Return the data that a search of the placements is done on."""
    facts = config.facts
    if "dataset" not in facts:
        return ""
    return (
        f" on {facts['dataset']} ({facts['train_size']:,} training and {facts['val_size']:,} "
        "validation images)"
    )


def _at_most(config: SearchConfig) -> str:
    epochs = config.most_epochs
    return f", at most {amount(epochs, 'epoch')}" if epochs else ""


def tune_plan_text(plan: TunePlan, ended: Mapping[str, int]) -> str:
    """Return what a search would do, given how many trials of each arm have ended."""
    request, config = plan.request, plan.configs[0]
    to_do = _to_do(plan, ended)
    rows = [[arm, str(count), str(to_do[arm])] for arm, count in ended.items()]
    lines = [
        in_line(f"study {request.study}, to be tuned{_on(config)}"),
        f"each trial: seeds {seeds_text(config.seeds)}{_at_most(config)}; sampler {config.sampler} "
        f"(seed {config.sampler_seed}), pruner {config.pruner}",
        textwrap.fill(in_line(f"varied: {request.space.shown}"), 100, subsequent_indent="  "),
        "",
        table(["arm", "trials that ended", "to do"], rows, right=" >>"),
        "",
        in_line(f"Trials are kept in {plan.place.shown}."),
    ]
    most = sum(to_do.values()) * len(config.seeds)
    how = "At most " if request.pruner != "none" else ""
    if most:
        lines.append(
            f"{how}{amount(most, 'run')} to train, {amount(plan.workers, 'run')} at once; how long "
            "it takes is told after the first round."
        )
    else:
        lines.append("Nothing to do.")
    return "\n".join(lines)


def tune_plan_json(plan: TunePlan, ended: Mapping[str, int]) -> dict[str, Any]:
    """Return the same for machines."""
    to_do = _to_do(plan, ended)
    return {
        "schema": 1,
        "study": plan.request.study,
        "storage": plan.place.shown,
        "workers": plan.workers,
        "threads": plan.threads,
        "variants": [
            {
                "variant": config.arm,
                "ended": ended[config.arm],
                "to_do": to_do[config.arm],
                "design": config.to_json(),
            }
            for config in plan.configs
        ],
    }


def _to_do(plan: TunePlan, ended: Mapping[str, int]) -> dict[str, int]:
    return {arm: max(0, plan.request.trials - count) for arm, count in ended.items()}


def tune_warning(report: TuneReport) -> str | None:
    """Return what to do about searches that the tracking store has not confirmed."""
    if not report.undelivered:
        return None
    request = report.plan.request
    return (
        f"the trials of {amount(report.undelivered, 'arm')} are kept, but are not whole in "
        f"{request.address.shown}: the next 'attnstudy tune' of {request.study} delivers them"
    )


def _best(tunings: Sequence[ArmTuning]) -> list[str]:
    rows = []
    for tuning in tunings:
        best, budget = tuning.best, tuning.budget
        rows.append(
            [
                tuning.arm,
                "–" if best is None else number(best.value),
                "–" if best is None else str(best.number),
                "–" if best is None else fields_text(best.fields),
                str(budget.trials),
                str(budget.runs),
                f"{budget.epochs:g}",
                duration(budget.seconds) if budget.runs else "–",
            ]
        )
    first = tunings[0].config
    measured = "best validation (%)" if first.percent else f"best {first.metric}"
    headings = [
        "arm", measured, "trial", "with", "trials", "runs", "epochs", "training",
    ]  # fmt: skip
    lines = [table(headings, rows, right=" >> >>>>")]
    for tuning in tunings:
        budget = tuning.budget
        if budget.pruned or budget.failed:
            lines.append(
                f"{in_line(tuning.arm)}: {budget.pruned} stopped early after "
                f"{budget.pruned_epochs:g} epochs in all, {budget.failed} failed"
            )
    lines += [
        "",
        "The best of many trials is optimistically biased; rank it on other seeds for an honest "
        "estimate.",
    ]
    return lines


def tunings_text(tunings: Sequence[ArmTuning]) -> str:
    """Return all there is to see of a study's searches."""
    first = tunings[0].config
    lines = [
        in_line(f"study {first.study}, tuned{_on(first)}"),
        "",
        *_best(tunings),
    ]
    if warning := _unequal(tunings):
        lines += ["", in_line(f"Note: {warning}.")]
    for tuning in tunings:
        lines += ["", *_variant(tuning)]
    return "\n".join(lines)


def _unequal(tunings: Sequence[ArmTuning]) -> str | None:
    """Return how the budgets of arms differ, if they do: it would favour the larger one."""
    trials = {tuning.arm: tuning.budget.trials for tuning in tunings}
    if len(set(trials.values())) <= 1:
        return None
    listed = ", ".join(f"{arm} {count}" for arm, count in trials.items())
    return f"the arms had different numbers of trials ({listed}), which favours some"


def _variant(tuning: ArmTuning) -> list[str]:
    config = tuning.config
    lines = [
        f"{in_line(tuning.arm)}: seeds {seeds_text(config.seeds)}, sampler {config.sampler} (seed "
        f"{config.sampler_seed}), pruner {config.pruner}{_at_most(config)}",
    ]
    if tuning.importances:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in tuning.importances.items())
        lines.append(in_line(f"differences between trials come from: {shares} (fANOVA)"))
    else:
        lines.append("the complete trials are too few, or too alike, to say what makes them differ")
    best: float | None = None
    beside = [trial.value for trial in tuning.trials if trial.value is not None]
    rows = []
    for trial in tuning.trials:
        if trial.value is not None:
            best = trial.value if best is None else config.best_of((best, trial.value))
        rows.append(
            [
                str(trial.number),
                trial.state.value,
                number(trial.value, beside),
                number(best, beside),
                ", ".join(number(value, beside) for value in trial.by_seed.values()) or "–",
                fields_text(trial.fields),
            ]
        )
    value = "value (%)" if config.percent else config.metric
    headings = ["trial", "state", value, "best so far", "by seed", "with"]
    return [*lines, "", table(headings, rows, right="> >>")]


def fields_text(fields: Mapping[str, Any]) -> str:
    """Return a trial's fields as people write them: ``lr 0.00213, channels 64,32``."""
    return ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in fields.items())


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def tune_json(report: TuneReport) -> dict[str, Any]:
    """Return what a command did and what the search has come to, for machines."""
    return {
        **tunings_json(report.tunings),
        "trained": report.trials - report.before,
        "undelivered": report.undelivered,
        "storage": report.plan.place.shown,
        "dashboard": report.plan.place.dashboard,
    }


def tunings_json(tunings: Sequence[ArmTuning]) -> dict[str, Any]:
    """Return all there is to see of a study's searches, for machines."""
    return {
        "schema": 1,
        "study": tunings[0].config.study,
        "equal_budgets": _unequal(tunings) is None,
        "variants": [_tuning_json(tuning) for tuning in tunings],
    }


def _tuning_json(tuning: ArmTuning) -> dict[str, Any]:
    best = tuning.best
    return {
        "variant": tuning.arm,
        "identity": tuning.identity,
        "design": tuning.config.to_json(),
        "budget": asdict(tuning.budget),
        "best": None if best is None else _trial_json(best),
        "importances": dict(tuning.importances),
        "trials": [_trial_json(trial) for trial in tuning.trials],
    }


def _trial_json(trial: Trial) -> dict[str, Any]:
    content = asdict(trial)
    content["state"] = trial.state.value
    for name in ("steps", "by_seed"):
        content[name] = {str(key): value for key, value in content[name].items()}
    plain: dict[str, Any] = json.loads(json.dumps(content))  # tuples become lists
    return plain


def trial_line(tuning: ArmTuning, trial: Trial) -> str:
    """Return a line about a trial of a search that ended."""
    best, unit = tuning.best, " %" if tuning.config.percent else ""
    what = f"{tuning.arm} trial {trial.number}"
    if trial.state.value == "failed":
        return f"{what} failed: {trial.reason}"
    with_ = fields_text(trial.fields)
    if trial.state.value == "pruned":
        return f"{what} was stopped early: {with_}"
    diverged = f", {len(trial.diverged)} diverged" if trial.diverged else ""
    said = f"{what}: {number(trial.value)}{unit}{diverged} with {with_}"
    if best is not None and best.number != trial.number:
        return f"{said}; best is {number(best.value)}{unit} of trial {best.number}"
    return f"{said}; the best so far"

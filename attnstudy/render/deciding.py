"""What ``run --until-decided`` found at each look and in the end."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from attnstudy.render.tables import duration
from attnstudy.shown import in_line, with_minus

if TYPE_CHECKING:
    from attnstudy.stats import Pair
    from attnstudy.usecases.deciding import Decided, LookTaken

_WHY = {
    "decided": "Every pair is decided.",
    "seeds": "All declared looks are taken.",
    "hours": "The time is up; a look that is not complete is not taken, and nothing is tested "
    "between looks. The same command goes on.",
    "incomplete": "Runs of this look have no result, so it is not taken. The same command tries "
    "them again.",
}


def look_text(look: LookTaken, of: int) -> str:
    """Return what a look decided, in a line or one line per pair."""
    head = f"look {look.number} of {of}, {look.seeds} seeds: "
    open_ = f"{look.undecided} pair{'s' * (look.undecided != 1)} undecided"
    if not look.decided:
        return f"{head}nothing decided, {open_}"
    return "\n".join([f"{head}{open_}; decided:", *(f"  {_pair(pair)}" for pair in look.decided)])


def _pair(pair: Pair) -> str:
    sign = {"better": ">", "worse": "<", "equivalent": "="}[pair.verdict.value]
    numbers = (
        ""
        if pair.difference is None or pair.ci_low is None or pair.ci_high is None
        else with_minus(f"  {pair.difference:+.2f} [{pair.ci_low:+.2f}, {pair.ci_high:+.2f}]")
    )
    return in_line(f"{pair.a} {sign} {pair.b}{numbers}")


def decided_text(decided: Decided) -> str:
    """Return how the study ended: what was saved, and what may be said."""
    on_task = "" if decided.task is None else f", task {decided.task}"
    lines = [
        in_line(
            f"study {decided.study}{on_task}: {len(decided.looks)} of {len(decided.declared)} "
            f"declared looks taken. {_WHY[decided.stopped]}"
        )
    ]
    saved = decided.fixed - decided.runs
    if decided.stopped == "decided" and saved:
        time = "" if decided.saved_seconds is None else f", {duration(decided.saved_seconds)}"
        lines.append(
            f"{decided.runs} of the {decided.fixed} runs of the fixed design were needed: {saved} "
            f"runs{time} of training saved."
        )
    failed = {one.spec.name: one for report in decided.reports for one in report.failed}
    lines += [in_line(f"{name} failed: {one.reason}") for name, one in failed.items()]
    if decided.ranking is not None:
        lines += ["", in_line(decided.ranking.sentence)]
    named = "" if decided.task is None else f" --task {decided.task}"
    lines += ["", in_line(f"Rank them: attnstudy rank {decided.study}{named}")]
    return "\n".join(lines)


def decided_json(decided: Decided) -> dict[str, Any]:
    """Return the same for machines."""
    return {
        "schema": 1,
        "study": decided.study,
        "stopped": decided.stopped,
        "declared": list(decided.declared),
        "looks": [
            {
                "look": look.number,
                "seeds": look.seeds,
                "undecided": look.undecided,
                "decided": [
                    {**asdict(pair), "verdict": pair.verdict.value, "robust": None}
                    for pair in look.decided
                ],
            }
            for look in decided.looks
        ],
        "runs": decided.runs,
        "failed": [
            {"variant": one.spec.arm_name, "seed": one.spec.seed, "reason": one.reason}
            for report in decided.reports
            for one in report.failed
        ],
        "fixed": decided.fixed,
        "saved_seconds": decided.saved_seconds,
        "ranking": None if decided.ranking is None else decided.ranking.to_json(),
    }

"""Measure what the ranking promises, and what common practices do.

Writes docs/calibration.md. ``python -m benchmarks.simulate [REPLICATIONS]``; the page is made with
the default number, on every core: seven minutes of one core. The result does not depend
on the cores. What peers do takes much longer: it is put in from the results that
``make simulate-peers`` left.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.calibration import (
    advice,
    coverage,
    errors,
    page,
    power,
    practices,
    robust,
    tasks,
    until_decided,
)
from benchmarks.calibration import rows as designs
from benchmarks.calibration.methods import NEW
from benchmarks.calibration.rates import REPLICATIONS
from benchmarks.peers.table import section

PAGE = Path(__file__).parent.parent / "docs" / "calibration.md"
SINGLE_RATES = Path(__file__).parent / "results" / "calibration.csv"
INTRODUCTION = """# What the ranking promises, measured

Written by `make simulate` (scipy {scipy}): studies are simulated whose truth is known, and what the
ranking says about them is counted. {replications:,} studies per row, so that a rate near .05 has a
standard error of .0015 and one near .01 of .0007. Each row draws from a random stream of its own
name. Runs are normal where nothing else is said; their means and variances, which are all that the
tests see, are drawn. What fails a bound by more than three standard errors is marked
"NOT KEPT", and `make simulate` fails.

{verdict}

## Family-wise error

The share of studies in which a method claims that any pair differs, although none does. Each cell
gives it at α = .05 and at α = .01. Promised for `attnstudy`: at most .055 and .013. The exception:
up to four arms of four or more runs each, of alike numbers, are compared by Games–Howell's own p
([why](decisions/0018-calibrated-pairs.md)), which may reach .06 at .05. What is above these bounds
is in bold, for every method. A cell is empty where a method is not defined.

* **attnstudy**: what `attnstudy rank` does.
* **Games–Howell**: Welch's t, its p from the studentised range. **Tamhane T2**: Welch's t with
  Šidák's adjustment. Earlier releases used the one or the other for all pairs.
* **Welch–Bonferroni**: Welch's t; where nothing differs it claims as often as Welch with Holm,
  which earlier releases used for `--control` and `--correction holm`.
* **pooled Tukey**: Tukey and Kramer's test, which takes all spreads to be equal.
* **Behrens–Fisher–Šidák**: each pair by the Behrens–Fisher distribution, which is always cautious.

`looks`: at least one false claim at any of the looks. "4 × 3/5/10": four arms, looks at 3, 5 and 10
runs each. Control: the first arm. "last × 10": the last arm has ten times the SD of the others;
"rising 1–10": the SDs grow geometrically from the first arm to the last.

### Designs that are hard

"""
GRID = """
### All designs

Here a row stands for several patterns of SDs, up to {spreads}; for each method the largest error
over them is given, and the pattern that is the worst for `attnstudy` at .05. Every single rate is
in [benchmarks/results/calibration.csv](../benchmarks/results/calibration.csv).

"""
PROCEDURES = """
### Until all is decided

The whole procedure of `run --until-decided`: a pair is tested at every declared look until it is
decided, and an arm of decided pairs alone gets no more seeds. Counted is a study in which any pair
is called different that is not, or the wrong way round, or equivalent although it is a margin
apart. Promised: at most .05.

"""
INTERVALS = """
## Intervals and equivalence

Coverage: all intervals of a study hold the true differences, at 95 %; the means differ. Promised:
at least .945 (.94 under Games–Howell's own p). Wrong equivalent: neighbouring arms differ by
exactly the margin, and some pair is called equivalent. The margin is {small:g} or {large:g} times
the largest standard error of a mean. Promised: at most .05.

"""
POWER = """
## Power

A pair among all pairs of so many arms differs by as much as Games–Howell shows in 80 % of the
studies; shown is how often each method shows it, at α = .05. The difference is in SDs of the first
arm. Games–Howell buys power with its error where the tables above have it in bold: for many arms
of few runs, and for 3 runs beside 30. Promised: with four arms of 5 or of 10 runs, at most .02 less
than Games–Howell.

"""
ADVICE = """
## Advice

What the ranking advises is followed. "seeds to show": the seeds an arm that are advised to show a
difference ("gap") with 80 % power; "seeds for equivalence": to show equivalence within the margin
where nothing differs; "detectable": the difference that is said to be shown by 80 % of such
studies. The advice is given the true SDs. Power is the share of studies that then succeed.
Promised: {least:.2f} to {most:.2f}. Seeds are whole numbers: few of them give more than .80.

"""
ROBUST = """
## What is not promised

All the above is for normal runs. Here are others, at α = .05 and {replications:,} studies per row,
with two tests that might take them better: Yuen's test of 20 % trimmed means, which drops the
lowest and the highest of 5 runs and two at either end of 10, and the permutation test of each pair,
both with Holm's correction. Where no arm is said to be apart the rate is that of false claims;
where one is, the share of studies in which the first pair is shown to differ.

"""
TASKS = """
## Several tasks

`attnstudy rank` over tasks, three arms, {replications:,} studies per row (fewer where each of many
tasks is ranked, a tenth where runs are resampled). The spread of the runs differs from task to
task; "last × 4": the last arm varies four times as much. Effects "random": besides what is the
same on every task, an arm differs by an amount of its own on each, with an SD of 1. Each false
claim is counted where the method's own hypothesis holds: on each task, where nothing differs
anywhere; on average (and pooled, and rliable's interval), where the random effects cancel out over
these very tasks; for a new task, where their mean over all tasks is zero. Promised: at most .055
for the three questions, and intervals of the average that hold the truth in .945 of the studies.
What is above .055 is in bold, for every method.

* **each**, **average**, **new**: the three answers of `attnstudy rank`. **sign**, **t**: the other
  tests of a new task, by Holm, shown beside.
* **Nemenyi**: mean ranks, as scikit-posthocs compares them after Friedman's test, and autorank in
  its non-parametric branch.
* **pooled**: the runs of all tasks taken for repetitions of one, as a table does whose column of
  data sets is dropped.
* **rliable**: interquartile means whose 95 % intervals (200 resamplings within task and arm) do not
  overlap; rliable itself leaves it to the reader to compare them.

"""
TASK_POWER = """
Power: the share of studies that show the first arm better than the second, by a difference of 1 on
every task, where the runs of a task have an SD of 0.5 to 2.

"""
STANDARDISED = """
On average in standard deviations of the runs, where tasks have different units ({replications:,}
studies per row, by the ranking's own code): false claims where nothing differs. Promised: at most
.055. Few runs say little of their standard deviation, and the answer is cautious.

"""
PRACTICES = """
## What common practices do when nothing differs

Normal runs without any difference between arms.

"""

Job = tuple[str, Callable[[], Any]]


def jobs(replications: int) -> list[Job]:
    """Return everything to measure, by the section that it belongs to."""
    few = {"replications": replications}
    rare = {"replications": min(replications, robust.REPLICATIONS)}
    parts: dict[str, tuple[Callable[..., Any], Any, dict[str, int]]] = {
        "errors": (errors.measure_errors, designs.every(), few),
        "procedures": (until_decided.measure_procedure, until_decided.procedures(), few),
        "intervals": (coverage.measure_intervals, coverage.rows(), few),
        "powers": (power.measure_power, power.cases(), few),
        "advice": (advice.measure_advice, advice.cases(), few),
        "robustness": (
            robust.measure_robustness, (*robust.violations(), *robust.shown()), rare,
        ),
        "tasks": (
            tasks.measure_tasks, tasks.rows(),
            {"replications": min(replications, tasks.REPLICATIONS)},
        ),
        "standardised": (tasks.measure_standardised, tasks.standardised_rows(), {}),
        "practices": (practices.measure_practice, tuple(practices.PRACTICES), few),
    }  # fmt: skip
    return [
        (part, partial(measure, item, **options))
        for part, (measure, items, options) in parts.items()
        for item in items
    ]


def measure(replications: int) -> dict[str, list[Any]]:
    """Return the results of every section, in the order of its rows."""
    asked = jobs(replications)
    found: dict[str, list[Any]] = {part: [] for part, _ in asked}
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = pool.map(_call, [job for _, job in asked], chunksize=2)
        for number, ((part, _), result) in enumerate(zip(asked, results, strict=True), start=1):
            found[part].append(result)
            if number % 100 == 0:
                print(f"{number} of {len(asked)} rows", file=sys.stderr, flush=True)
    found["procedures"] = list(zip(until_decided.procedures(), found["procedures"], strict=True))
    return found


def _call(job: Callable[[], Any]) -> Any:
    return job()


def broken(found: dict[str, list[Any]]) -> list[str]:
    """Return the names of the rows that do not keep their bounds."""
    names = [one.row.name for one in found["errors"] if not one.kept]
    names += [
        f"until decided, {procedure.name}"
        for procedure, rate in found["procedures"]
        if not rate.at_most(until_decided.BOUND)
    ]
    names += [f"intervals, {one.row.name}" for one in found["intervals"] if not one.kept]
    names += [f"power, {one.case.name}" for one in found["powers"] if not one.kept]
    names += [f"tasks, {one.row.name}" for one in found["tasks"] if not one.kept]
    names += [f"in SDs, {one.row.name}" for one in found["standardised"] if not one.kept]
    return names + [f"advice, {one.case.name}" for one in found["advice"] if not one.kept]


def highest(found: dict[str, list[Any]]) -> str:
    """Return the design in which the ranking claims most, at each level."""
    parts = []
    for alpha in errors.LEVELS:
        measured = [one for one in found["errors"] if (NEW, alpha) in one.rates]
        worst = max(measured, key=lambda one: one.rates[NEW, alpha].value)
        rate = f"{worst.rates[NEW, alpha].value:.3f}".removeprefix("0")
        parts.append(f"{rate} at {f'{alpha:g}'.removeprefix('0')} ({worst.row.name})")
    return f"The highest error rate of the ranking is {' and '.join(parts)}."


def written(found: dict[str, list[Any]], replications: int) -> str:
    """Return the page."""
    failed = broken(found)
    rows = sum(len(found[part]) for part in found if part not in ("robustness", "practices"))
    verdict = f"Of {rows:,} rows with a bound {len(failed) or 'none'} failed."
    if failed:
        verdict += "\n\n" + "\n".join(f"* {page.NOT_KEPT}: {name}" for name in failed)
    verdict += f"\n\n{highest(found)}"
    hard = {row.name for row in designs.hard()}
    small, large = coverage.MARGINS
    return "".join([
        INTRODUCTION.format(
            replications=replications, scipy=metadata.version("scipy"), verdict=verdict
        ),
        page.hard_errors(one for one in found["errors"] if one.row.name in hard),
        GRID.format(spreads=len(designs.EVERY_ORDER)),
        page.grid_errors(found["errors"]),
        PROCEDURES, page.procedures(found["procedures"]),
        INTERVALS.format(small=small, large=large), page.intervals(found["intervals"]),
        POWER, page.powers(found["powers"]),
        ADVICE.format(least=advice.LEAST, most=advice.MOST), page.advice(found["advice"]),
        ROBUST.format(replications=min(replications, robust.REPLICATIONS)),
        page.robustness(found["robustness"]),
        TASKS.format(replications=min(replications, tasks.REPLICATIONS)),
        page.task_errors(found["tasks"]), TASK_POWER, page.task_power(found["tasks"]),
        STANDARDISED.format(replications=found["standardised"][0].error.replications),
        page.standardised(found["standardised"]),
        PRACTICES, page.practices(found["practices"]),
        section(),
    ])  # fmt: skip


def main() -> int:
    """Measure, write the page, and fail when a promise is not kept."""
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else REPLICATIONS
    found = measure(replications)
    PAGE.write_text(written(found, replications), encoding="utf-8")
    SINGLE_RATES.write_text(page.error_file(found["errors"]), encoding="utf-8")
    for name in broken(found):
        print(f"not kept: {name}")
    return 1 if broken(found) else 0


if __name__ == "__main__":
    sys.exit(main())

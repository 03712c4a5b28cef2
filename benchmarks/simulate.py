"""Measure what the ranking promises, and what common practices do, on normal data.

Writes docs/calibration.md. ``python -m benchmarks.simulate [REPLICATIONS]``; the long form is
20,000 replications, a matter of seconds because whole batches are computed at once. What peers do
takes much longer: it is put in from the results that ``make simulate-peers`` left.
"""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

from attnstudy.stats.practices import measure_practices
from attnstudy.stats.simulation import REPLICATIONS, Measured, simulate_all
from benchmarks.peers.table import section

PAGE = Path(__file__).parent.parent / "docs" / "calibration.md"
INTRODUCTION = """# What the ranking promises, measured

Written by `make simulate`: {replications:,} replications a row, normal data, scipy
{scipy}. A rate is given with its standard error; "kept" allows three of them. Rates of false
claims count a replication in which at least one pair is claimed to differ although no arm does.

`family-wise error` and `looks`: at least one false claim, in the whole procedure. `until decided`:
the whole procedure of `run --until-decided`, where a pair is tested at every declared look until it
is decided, and an arm of decided pairs alone gets no more seeds; counted is a replication in which
any pair is called different that is not, or the wrong way round, or equivalent although it is a
margin apart. `coverage`: all simultaneous intervals hold the truth. `wrong equivalent`:
neighbouring arms differ by exactly the margin, and some pair is called equivalent. `power`: a true
difference as large as the detectable difference that is printed, shown. `studentised range`:
Games-Howell alone; `games-howell` is what the ranking does when asked for it, which for many arms
with few seeds is Tamhane's T2 ([why](decisions/0006-many-arms-few-seeds.md)).
"""
PRACTICES = """
## What common practices do when nothing differs

The same data without any difference between arms.

| practice | claims a difference |
|---|---:|
"""


def row(measured: Measured) -> str:
    """Return a scenario as a row of the table."""
    scenario = measured.scenario
    if (scenario.low, scenario.high) == (0.0, 1.0):
        bound = ""
    elif scenario.low == scenario.high:
        bound = f"= {scenario.low:g}"
    elif scenario.low == 0.0:
        bound = f"≤ {scenario.high:g}"
    elif scenario.high == 1.0:
        bound = f"≥ {scenario.low:g}"
    else:
        bound = f"{scenario.low:g} to {scenario.high:g}"
    kept = "kept" if measured.within else "**NOT KEPT**"
    if not bound:
        kept = "not used where above .06"
    return f"| {scenario.name} | {measured.rate:.4f} ± {measured.error:.4f} | {bound} | {kept} |"


def main() -> int:
    """Measure, write the page, and fail when a promise is not kept."""
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else REPLICATIONS
    measured = simulate_all(replications=replications)
    text = INTRODUCTION.format(replications=replications, scipy=metadata.version("scipy"))
    text += "\n| what | rate | promised | |\n|---|---:|---:|---|\n"
    text += "\n".join(map(row, measured)) + "\n"
    practices = measure_practices(replications=replications)
    text += PRACTICES + "\n".join(
        f"| {practice.name} | {practice.rate:.3f} ± {practice.error:.3f} |"
        for practice in practices
    )
    text += "\n" + section()
    PAGE.write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(one.within for one in measured) else 1


if __name__ == "__main__":
    sys.exit(main())

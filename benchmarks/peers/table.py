"""The peers' section of docs/calibration.md, from the results that ``simulate`` left."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.peers.studies import BETTER, NOISE

RESULTS = Path(__file__).parent.parent / "results" / "peers.json"
OVER_TASKS = RESULTS.with_name("peers_tasks.json")
_TEXT = """
## What peers claim on the same noise

Written by `make simulate-peers`, kept here by `make simulate`; with
{versions}.

All of them are shown the same studies, four arms of normal data without any difference, the slower
ones fewer of them. A rate is the share of studies in which a reader would be told that at least one
of the six pairs differs, with its standard error. Each is used as its documentation shows, at .05
or 95 %, with its defaults where the row does not say otherwise. What is read as a claim:

* **scikit-posthocs**: a p-value below .05. Its examples correct (`p_adjust="holm"`), its default
  does not; without correction it promises nothing about six pairs. Its documentation makes these
  tests after a significant analysis of variance, those on ranks after Kruskal–Wallis.
* **autorank**: a pair that its report does not put into one group, or one that is significant by
  the rule that the report states (intervals that do not overlap, or mean ranks further apart than
  the critical distance); either only after its significant omnibus test. It promises a
  family-wise level. Its rows are paired; arms without correlation are a special case of that.
* **deepsig**: an ε below the threshold, in either direction. Its README calls A better than B below
  .5, warns that this has many false positives, and recommends .2. Its correction for six pairs
  raises the level from .95 to .958, where Bonferroni's is .992, which is therefore counted too. It
  states no error rate for several arms.
* **rliable**: computes intervals and leaves it to the reader to compare them; it promises nothing
  about pairs. It is meant for many tasks at once; here there is one, with n runs per arm and 2,000
  bootstrap samples. Two readings are counted: that intervals of two arms do not overlap, and that
  an interval of the probability of improvement does not contain .5. Neither is rliable's own claim.

{noise}

### When one arm really is better

Equal SDs, n = {n}, one arm better by {shift:g} SDs: how often a reader is told, rightly, that it
differs from a given other arm, and how often, wrongly, that two of the three equal arms differ.
With equal SDs a test that pools them finds more than Games–Howell does; the table above says what
it does where they are not equal. An omnibus test that has to be significant first protects only
where no arm differs at all. After Tukey, autorank's report makes its groups with half the distance
that its stated rule asks for: in one of these studies it calls a pair significant whose Tukey p is
.44.

{better}

### Over several tasks

Tables of means, one per arm and task, as these tools take them: the first of the studies of the
section "Several tasks", three arms of 5 seeds that differ from task to task and not on a new one.
Their rows are paired. With
{task_versions}.

{tasks}
"""


def _rate(count: int, replications: int) -> str:
    rate = count / replications
    error = math.sqrt(max(rate * (1 - rate), 1 / replications) / replications)
    return f"{rate:.3f} ± {error:.3f}"


def _rows(found: dict[str, Any]) -> dict[tuple[str, str], dict[str, dict[str, Any]]]:
    rows: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for row in found["rows"]:
        rows.setdefault((row["package"], row["rule"]), {})[row["setting"]] = row
    return rows


def section(results: Path = RESULTS) -> str:
    """Return the section in Markdown, with the table of noise and that of a real difference."""
    found = json.loads(results.read_text(encoding="utf-8"))
    noise = [
        "| | " + " | ".join(f"n = {one.n}, {one.spread}" for one in NOISE) + " | studies |",
        "|---|" + "---:|" * (len(NOISE) + 1),
    ]
    better = ["| | told, rightly | told, wrongly | studies |", "|---|---:|---:|---:|"]
    for (package, rule), settings in _rows(found).items():
        studies = settings[BETTER.name]["replications"]
        cells = [
            _rate(settings[one.name]["false"], settings[one.name]["replications"]) for one in NOISE
        ]
        noise.append(f"| {package}: {rule} | {' | '.join(cells)} | {studies:,} |")
        right, wrong = (_rate(settings[BETTER.name][side], studies) for side in ("found", "false"))
        better.append(f"| {package}: {rule} | {right} | {wrong} | {studies:,} |")
    over_tasks = json.loads(OVER_TASKS.read_text(encoding="utf-8"))
    return _TEXT.format(
        tasks="\n".join(_over_tasks(over_tasks)),
        task_versions=_versions(over_tasks),
        versions=_versions(found),
        noise="\n".join(noise),
        better="\n".join(better),
        n=BETTER.n,
        shift=BETTER.shift,
    )


def _versions(found: dict[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found["versions"].items())


def _over_tasks(found: dict[str, Any]) -> Iterator[str]:
    """Yield the table of what is told over tasks: wrongly, and rightly where one is better."""
    names = list(dict.fromkeys(row["setting"] for row in found["rows"]))
    *nothing, better = names
    headings = [name.removesuffix("; effects random").replace(" × 5 seeds", "") for name in nothing]
    told = better.partition(" ×")[0]
    yield f"| told, wrongly | {' | '.join(headings)} | told, rightly ({told}) | studies |"
    yield "|---|" + "---:|" * (len(nothing) + 2)
    for (package, rule), settings in _rows(found).items():
        cells = [_rate(settings[n]["false"], settings[n]["replications"]) for n in nothing]
        one = settings[better]
        cells += [_rate(one["found"], one["replications"]), f"{one['replications']:,}"]
        yield f"| {package}: {rule} | {' | '.join(cells)} |"

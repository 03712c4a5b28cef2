"""Verdict and sentence of each of the three questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attnstudy.stats.comparisons.decisions import Decision
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.results import Ranking
from attnstudy.stats.samples import MIN_RUNS
from attnstudy.stats.tasks.measured import Grid
from attnstudy.stats.tasks.on_average import Averages
from attnstudy.stats.tasks.results import NewTaskPair, Turn
from attnstudy.stats.vocabulary import Verdict
from attnstudy.stats.wording.numbers import count
from attnstudy.stats.wording.phrases import equality, evidence, listed, order, p_text

_DIFFERENT = (Verdict.BETTER, Verdict.WORSE)


def won(a: str, b: str, verdict: Verdict) -> tuple[str, str]:
    """Return a pair that is shown different, the better arm first."""
    return (a, b) if verdict is Verdict.BETTER else (b, a)


def each_verdict(rankings: Mapping[str, Ranking], turns: Sequence[Turn]) -> str:
    """Return in a few words what is shown on each task."""
    shown = _shown(rankings)
    if all(p.p_adjusted is None for ranking in rankings.values() for p in ranking.pairs):
        return "nothing can be tested"
    if not shown:
        return "no difference is shown on any task"
    text = listed([f"{a} > {b} on {_of(tasks, rankings)}" for (a, b), tasks in shown.items()])
    if turns:
        text += f"; the order of {listed([f'{t.a} and {t.b}' for t in turns])} turns round"
    return text


def each_sentence(rankings: Mapping[str, Ranking], turns: Sequence[Turn], design: Design) -> str:
    """Return one sentence to publish about each of the tasks."""
    pairs = [p for ranking in rankings.values() for p in ranking.pairs if p.p_adjusted is not None]
    frame = (
        f"On each of {count(len(rankings), 'task')}, with family-wise error rate {design.alpha:g} "
        f"over all tasks and pairs ({design.alpha / len(rankings):.3g} for each task)"
    )
    if not pairs:
        return (
            f"{frame}, nothing can be tested: a test needs two arms with {MIN_RUNS} runs each, and "
            "runs that vary."
        )
    shown = _shown(rankings)
    decided = sum(map(len, shown.values()))
    text = f"{frame}, {decided:,} of {count(len(pairs), 'difference')} "
    text += "is shown" if 1 in (decided, len(pairs)) else "are shown"
    if shown:
        claims = [f"{a} is better than {b} on {listed(t)}" for (a, b), t in shown.items()]
        text += f": {listed(claims, last=', and ')}"
    if turns:
        said = [
            f"{t.a} is better on {listed(list(t.a_better))} and {t.b} on {listed(list(t.b_better))}"
            for t in turns
        ]
        text += f"; the order turns round: {listed(said)}"
    return f"{text}."


def _shown(rankings: Mapping[str, Ranking]) -> dict[tuple[str, str], list[str]]:
    """Return the pairs that are shown different, better arm first, with the tasks."""
    shown: dict[tuple[str, str], list[str]] = {}
    for task, ranking in rankings.items():
        for pair in ranking.pairs:
            if pair.verdict in _DIFFERENT:
                shown.setdefault(won(pair.a, pair.b, pair.verdict), []).append(task)
    return dict(sorted(shown.items(), key=lambda item: -len(item[1])))


def _of(tasks: Sequence[str], rankings: Mapping[str, Ranking]) -> str:
    if len(tasks) == 1:
        return tasks[0]
    every = len(tasks) == len(rankings)
    return f"all {len(tasks)} tasks" if every else f"{len(tasks)} of {len(rankings)} tasks"


def average_verdict(found: Averages) -> str:
    """Return in a few words what is shown on average over these tasks."""
    tested = [d for d in found.decisions if d.p is not None]
    if not tested:
        return "nothing can be tested"
    different = [d for d in tested if d.different]
    same = [equality(found.arms, d) for d in tested if d.verdict is Verdict.EQUIVALENT]
    if len(different) == len(found.decisions) and all(_in_order(d) for d in different):
        text = " > ".join(found.arms)
    elif different:
        text = listed([order(found.arms, d) for d in different])
    else:
        text = "no ranking is defensible"
    if same:
        text += f"; equivalent: {listed(same)}"
    return text


def _in_order(decision: Decision) -> bool:
    return decision.winner_first() == (decision.a, decision.b) and decision.b > decision.a


def average_sentence(found: Averages, grid: Grid, design: Design, *, equally: bool) -> str:
    """Return one sentence to publish about the average over these tasks."""
    if not found.tasks:
        return f"There is no average over these tasks: {_why_none(grid)}."
    weighed = "" if equally else ", weighed as declared"
    frame = (
        f"On average over these {count(len(found.tasks), 'task')}{weighed}, for new seeds, with "
        f"family-wise error rate {design.alpha:g}"
    )
    tested = [d for d in found.decisions if d.p is not None]
    if not tested:
        return f"{frame}, nothing can be tested: the runs do not vary."
    claims = [
        f"{found.arms[d.winner_first()[0]]} is better than {found.arms[d.winner_first()[1]]} "
        f"({evidence(d.as_won(), design)})"
        for d in sorted((d for d in tested if d.different), key=lambda d: -abs(d.difference or 0))
    ]
    equivalent = [d for d in tested if d.verdict is Verdict.EQUIVALENT]
    claims += [
        f"{found.arms[d.a]} and {found.arms[d.b]} are equivalent within the margin "
        f"({evidence(d, design)})"
        for d in equivalent
    ]
    rest = [d for d in tested if not d.decided]
    if not claims:
        largest = max(rest, key=lambda d: abs(d.difference or 0.0))
        claims = [
            "no difference is significant; the largest, "
            f"{found.arms[largest.a]} − {found.arms[largest.b]}, is {evidence(largest, design)}"
        ]
    elif rest:
        claims.append(f"{count(len(rest), 'pair')} remain{'s' * (len(rest) == 1)} undecided")
    return f"{frame}, {listed(claims, last=', and ')}; of other tasks this says nothing."


def _why_none(grid: Grid) -> str:
    """Return why there is no task that an average could be over."""
    tested = {
        arm: {
            task for task in grid.tasks if arm in grid.cells[task] and grid.cells[task][arm].tested
        }
        for arm in grid.arms
    }
    if set.intersection(*tested.values()):
        return f"where every arm has {MIN_RUNS} runs they do not vary, so differences have no scale"
    why = f"on none has every arm {MIN_RUNS} runs, which their uncertainty is taken from"
    never = [arm for arm, tasks in tested.items() if not tasks]
    others = [tasks for tasks in tested.values() if tasks]
    if never and len(others) > 1 and set.intersection(*others):
        has = f"{listed(never)} {'has' if len(never) == 1 else 'have'}"
        why += f"; {has} them on no task: left out, there is an average of the others"
    return why


def new_verdict(pairs: Sequence[NewTaskPair], needed: int) -> str:
    """Return in a few words what may be expected on a new task."""
    shown = [" > ".join(won(p.a, p.b, p.verdict)) for p in pairs if p.verdict in _DIFFERENT]
    if shown:
        return listed(shown)
    most = max((pair.tasks for pair in pairs), default=0)
    if all(pair.verdict is Verdict.DESCRIPTIVE for pair in pairs):
        return f"nothing can be decided with {count(most, 'task')}: it takes {needed}"
    return "no difference is shown for a new task"


def new_sentence(pairs: Sequence[NewTaskPair], needed: int, alpha: float) -> str:
    """Return one sentence to publish about a new task like these."""
    most = max((pair.tasks for pair in pairs), default=0)
    if all(pair.verdict is Verdict.DESCRIPTIVE for pair in pairs):
        smallest = min((p.smallest_p for p in pairs if p.smallest_p is not None), default=1.0)
        return (
            f"Of a new task like these nothing can be decided: the smallest adjusted p that "
            f"signed ranks of {count(most, 'task')} can give is {smallest:.3g}, and it takes "
            f"{count(needed, 'task')} to go below {alpha:g}."
        )
    frame = (
        f"On a new task like these {most}, with family-wise error rate {alpha:g} (Wilcoxon signed "
        "ranks over tasks, Holm)"
    )
    claims = []
    for pair in pairs:
        if pair.verdict not in _DIFFERENT:
            continue
        a, b = won(pair.a, pair.b, pair.verdict)
        wins = pair.wins if a == pair.a else pair.losses
        claims.append(
            f"{a} is expected to be better than {b} (better on {wins} of {pair.tasks}, "
            f"adjusted p {p_text(pair.wilcoxon_p, alpha)})"
        )
    rest = sum(pair.verdict not in _DIFFERENT for pair in pairs)
    if not claims:
        closest = min(pairs, key=lambda p: 1.0 if p.wilcoxon_p is None else p.wilcoxon_p)
        claims = [
            f"no difference is shown; the clearest, {closest.a} − {closest.b}, has adjusted p "
            f"{p_text(closest.wilcoxon_p, alpha)} (better on {closest.wins}, worse on "
            f"{closest.losses} of {closest.tasks})"
        ]
    elif rest:
        claims.append(f"{count(rest, 'pair')} remain{'s' * (rest == 1)} undecided")
    return f"{frame}, {listed(claims, last=', and ')}."

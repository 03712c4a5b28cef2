"""The tables of a ranking over several tasks, as cells of text, for every form of it."""

from __future__ import annotations

from typing import TypeAlias

from attnstudy.stats.digits import percent
from attnstudy.stats.tasks.results import NewTaskPair, OneTask, TaskArm, TaskRanking
from attnstudy.stats.vocabulary import Verdict, shown_group
from attnstudy.stats.wording.numbers import NONE, Numbers, p_value, ranks, two

Rows: TypeAlias = tuple[list[str], list[list[str]]]
"""Headings and rows of a table."""

TITLES = ("On each task", "On average over these tasks", "On a new task like these")
"""What the three answers are called."""
_MOST_ARMS = 6  # in a row of the table of tasks; of more, the best is named


def task_rows(ranking: TaskRanking) -> Rows:
    """Return a row per task: what its arms reached, with the letters of its own family."""
    arms = [arm.name for arm in ranking.arms]
    if len(arms) > _MOST_ARMS:
        return ["task", "best", "runs", "shown"], [_short_row(task) for task in ranking.tasks]
    return ["task", *arms], [[task.name, *_cells(task, arms)] for task in ranking.tasks]


def _cells(task: OneTask, arms: list[str]) -> list[str]:
    numbers = Numbers.of(task.ranking)
    there = {arm.name: arm for arm in task.ranking.arms}
    cells = []
    for name in arms:
        arm = there.get(name)
        if arm is None or arm.mean is None:
            cells.append(NONE)
            continue
        spread = "" if arm.sd is None else f" ± {numbers.plain(arm.sd)}"
        group = f" {shown_group(arm.group)}" if arm.group else ""
        cells.append(f"{numbers.plain(arm.mean)}{spread}{group}")
    return cells


def _short_row(task: OneTask) -> list[str]:
    pairs = task.ranking.pairs
    shown = sum(pair.verdict in (Verdict.BETTER, Verdict.WORSE) for pair in pairs)
    runs = sum(arm.n for arm in task.ranking.arms)
    best = task.ranking.arms[0].name
    return [task.name, best, f"{runs:,}", f"{shown:,} of {len(pairs):,}"]


def over_tasks_numbers(ranking: TaskRanking) -> Numbers:
    """Return how numbers over tasks are written."""
    if ranking.scale == "sd":
        return Numbers("", 2)
    spreads = sorted((task.sd or 0.0, task.name) for task in ranking.tasks)
    return Numbers.of(
        next(t for t in ranking.tasks if t.name == spreads[len(spreads) // 2][1]).ranking
    )


def arm_rows(ranking: TaskRanking) -> Rows:
    """Return the arms over all tasks, best on average first.

    Tasks and runs are those that the means are of; without an average, all of them.
    """
    numbers = over_tasks_numbers(ranking)
    grouped = any(arm.group is not None for arm in ranking.arms)
    diverged = any(arm.diverged for arm in ranking.arms)
    mean = "mean" if ranking.scale == "metric" else "from mean (SD)"
    headings = ["arm", "tasks", "runs", mean, *(["ranks", "group"] if grouped else [])]
    headings += [*(["diverged"] if diverged else []), "mean rank"]
    rows = []
    for arm in ranking.arms:
        value = numbers.plain(arm.mean) if ranking.scale == "metric" else numbers.signed(arm.mean)
        row = [arm.name, *_counts(ranking, arm), value]
        row += [ranks(arm.rank_low, arm.rank_high), shown_group(arm.group)] if grouped else []
        row += [str(arm.diverged)] if diverged else []
        rows.append([*row, two(arm.mean_rank)])
    return headings, rows


def _counts(ranking: TaskRanking, arm: TaskArm) -> tuple[str, str]:
    """Return the tasks and runs that an arm's mean is of; without an average, all of its own."""
    averaged = [task.ranking.arms for task in ranking.tasks if task.in_average]
    if arm.mean is None or not averaged:
        return str(arm.tasks), f"{arm.runs:,}"
    runs = sum(one.n for arms in averaged for one in arms if one.name == arm.name)
    return str(len(averaged)), f"{runs:,}"


def average_rows(ranking: TaskRanking) -> Rows:
    """Return the pairs on average over these tasks."""
    numbers = over_tasks_numbers(ranking)
    headings = ["pair", "difference", f"{percent(ranking.alpha)} interval", "adj. p", "verdict"]
    return headings, [
        [
            f"{pair.a} − {pair.b}",
            numbers.signed(pair.difference),
            numbers.interval(pair.ci_low, pair.ci_high, signed=True),
            NONE if pair.verdict is Verdict.EQUIVALENT else p_value(pair.p_adjusted, ranking.alpha),
            pair.verdict.value,
        ]
        for pair in ranking.average.pairs
    ]


def new_rows(ranking: TaskRanking) -> Rows:
    """Return the pairs on a new task like these."""
    numbers = over_tasks_numbers(ranking)
    believed = any(pair.posterior is not None for pair in ranking.new.pairs)
    headings = ["pair", "won–tied–lost", "difference", "Wilcoxon p", "sign p", "t p"]
    headings += ["P(a), P(=), P(b)" if ranking.margin else "P(a), P(b)"] if believed else []
    rows = []
    for pair in ranking.new.pairs:
        p = (pair.wilcoxon_p, pair.sign_p, pair.t_p)
        row = [
            f"{pair.a} − {pair.b}",
            f"{pair.wins}–{pair.ties}–{pair.losses}",
            numbers.signed(pair.difference),
            *(p_value(value, ranking.alpha) for value in p),
        ]
        row += [_believed(pair, ranking)] if believed else []
        rows.append([*row, pair.verdict.value])
    return [*headings, "verdict"], rows


def _believed(pair: NewTaskPair, ranking: TaskRanking) -> str:
    if pair.posterior is None:
        return NONE
    one = pair.posterior
    shown = (one.a_better, one.equivalent, one.b_better)
    return ", ".join(two(value) for value in (shown if ranking.margin else shown[::2]))


def ranks_words(ranking: TaskRanking) -> list[str]:
    """Return the tests of mean ranks in a sentence; none without them."""
    found = ranking.mean_ranks
    if found is None:
        return []
    f = "" if found.iman_davenport is None else f", Iman-Davenport F {two(found.iman_davenport)}"
    return [
        f"For those who must report them, and for no verdict: Friedman's chi-squared is "
        f"{two(found.friedman)} (p {_related(found.friedman_p)}){f}, and Nemenyi's critical "
        f"difference of mean ranks {two(found.critical_difference)}; they depend on which other "
        "arms are in the pool."
    ]


def _related(p: float) -> str:
    text = p_value(p)
    return text if text[0] in "<>" else f"= {text}"

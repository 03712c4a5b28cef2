"""A ranking over several tasks in LaTeX: the tasks, and the pairs decided on average."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attnstudy.shown import in_latex
from attnstudy.stats.digits import percent
from attnstudy.stats.latex.pieces import (
    bold,
    float_of,
    in_math,
    mean_and_sd,
    status_words,
    tabular,
)
from attnstudy.stats.latex.ranking import MOST_PAIRS
from attnstudy.stats.tasks.results import AveragePair, OneTask, TaskRanking
from attnstudy.stats.tasks.tables import over_tasks_numbers
from attnstudy.stats.vocabulary import Verdict, shown_group
from attnstudy.stats.wording.method import tested_by
from attnstudy.stats.wording.numbers import NONE, Numbers, count, p_value, percent_suffix, two

_DECIDED = (Verdict.BETTER, Verdict.WORSE, Verdict.EQUIVALENT)


def tasks_latex(ranking: TaskRanking) -> str:
    """Return the ranking as a ``table`` of LaTeX; see ``TaskRanking.to_latex``."""
    tables = [_tasks(ranking)]
    decided = [pair for pair in ranking.average.pairs if pair.verdict in _DECIDED]
    if decided:
        tables.append(_pairs(ranking, decided[:MOST_PAIRS]))
    named = (ranking.study or "ranking", "tasks", ranking.metric)
    return float_of(list(_caption(ranking, len(decided))), named, tables)


def _tasks(ranking: TaskRanking) -> str:
    arms = [arm.name for arm in ranking.arms]
    rows = [[in_latex(task.name), *_cells(task, arms)] for task in ranking.tasks]
    below = list(_below(ranking))
    headings = ["task", *map(in_latex, arms)]
    return tabular("l" + "r" * len(arms), headings, rows + below, len(below))


def _cells(task: OneTask, arms: Sequence[str]) -> Iterator[str]:
    numbers = Numbers.of(task.ranking)
    there = {arm.name: arm for arm in task.ranking.arms}
    best = shown_best(task)
    for name in arms:
        arm = there.get(name)
        if arm is None or arm.mean is None:
            yield "--"
            continue
        cell = _lettered(mean_and_sd(numbers.plain(arm.mean), numbers.plain(arm.sd)), arm.group)
        yield bold(cell) if name == best else cell


def shown_best(task: OneTask) -> str | None:
    """Return the arm that is shown better than every other on a task; None without one."""
    won: dict[str, set[str]] = {}
    for pair in task.ranking.pairs:
        if pair.verdict is Verdict.BETTER:
            won.setdefault(pair.a, set()).add(pair.b)
        elif pair.verdict is Verdict.WORSE:
            won.setdefault(pair.b, set()).add(pair.a)
    others = {arm.name for arm in task.ranking.arms}
    return next((arm for arm, lost in won.items() if lost >= others - {arm}), None)


def _below(ranking: TaskRanking) -> Iterator[list[str]]:
    """Yield the average and the mean rank of each arm, as far as there are any."""
    numbers = over_tasks_numbers(ranking)
    if any(arm.mean is not None for arm in ranking.arms):
        show = numbers.plain if ranking.scale == "metric" else numbers.signed
        cells = [_lettered(in_math(show(arm.mean)), arm.group) for arm in ranking.arms]
        yield ["average" if ranking.scale == "metric" else "average (SD)", *cells]
    if any(arm.mean_rank is not None for arm in ranking.arms):
        yield ["mean rank", *(in_math(two(arm.mean_rank)) for arm in ranking.arms)]


def _lettered(cell: str, group: str | None) -> str:
    return cell if group is None else f"{cell} {in_latex(shown_group(group))}"


def _pairs(ranking: TaskRanking, pairs: Sequence[AveragePair]) -> str:
    numbers = over_tasks_numbers(ranking)
    interval = in_latex(f"{percent(ranking.alpha)} interval")
    rows = [
        [
            f"{in_latex(pair.a)} $-$ {in_latex(pair.b)}",
            in_math(numbers.signed(pair.difference)),
            in_math(numbers.interval(pair.ci_low, pair.ci_high, signed=True)),
            in_math(
                NONE
                if pair.verdict is Verdict.EQUIVALENT
                else p_value(pair.p_adjusted, ranking.alpha)
            ),
            pair.verdict.value,
        ]
        for pair in pairs
    ]
    headings = ["on average", "difference", interval, "adjusted $p$", "verdict"]
    return tabular("lrrrl", headings, rows)


def _caption(ranking: TaskRanking, decided: int) -> Iterator[str]:
    """Yield the sentences under which the table can stand alone."""
    unit = percent_suffix(ranking.metric, ranking.unit)
    metric = in_latex(ranking.metric.replace("_", " ") + unit)
    runs = [arm.n for task in ranking.tasks for arm in task.ranking.arms]
    fewest, most = min(runs), max(runs)
    n = f"$n = {most:,}$" if fewest == most else f"$n = {fewest:,}$ to ${most:,}$"
    yield f"Mean $\\pm$ SD of {metric} by task, {n} runs of each arm."
    yield f"{in_latex(_test(ranking))}."
    yield (
        f"Family-wise error ${ranking.alpha:g}$ over all tasks and pairs "
        f"(${ranking.each.alpha:.3g}$ on each task)."
    )
    if any(arm.group for task in ranking.tasks for arm in task.ranking.arms):
        yield "Arms that share a letter are not shown different on that task, or on average."
    yield "Bold: shown better than all others on that task."
    if ranking.average.pairs:
        yield from _average_words(ranking, decided)
    yield status_words(ranking.status, ranking.status_reason, None)


def _test(ranking: TaskRanking) -> str:
    """Return how pairs are tested on a task and on average."""
    rankings = [task.ranking for task in ranking.tasks]
    calibrated = any(pair.calibrated for pair in ranking.average.pairs) or any(
        pair.calibrated for one in rankings for pair in one.pairs
    )
    method = next(one.method for one in rankings if one.control == ranking.control)
    return tested_by(method, ranking.control, calibrated=calibrated)


def _average_words(ranking: TaskRanking, decided: int) -> Iterator[str]:
    over = len(ranking.average.tasks)
    of = "" if over == len(ranking.tasks) else f" of the {len(ranking.tasks)}"
    weighed = "" if len(set(ranking.average.weights)) == 1 else ", weighed as declared"
    where = "in SDs of the runs of a task, " if ranking.scale == "sd" else ""
    yield (
        f"The average is over {over}{of} tasks{weighed}, {where}with family-wise error "
        f"${ranking.alpha:g}$ for new seeds."
    )
    if decided > MOST_PAIRS:
        yield f"Of {decided:,} pairs decided on average, {MOST_PAIRS} are shown."
    open_ = len(ranking.average.pairs) - decided
    if open_:
        yield f"On average {count(open_, 'pair')} {'is' if open_ == 1 else 'are'} undecided."

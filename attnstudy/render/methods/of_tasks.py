"""The methods of a ranking over several tasks, as a paragraph for a paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from attnstudy.render.methods.words import Said, joined, left_out, per_arm, software, status_of
from attnstudy.stats.digits import percent
from attnstudy.stats.wording.numbers import count, significant

if TYPE_CHECKING:
    from attnstudy.stats import Ranking
    from attnstudy.stats.tasks import TaskRanking

_QUESTIONS = {
    "each": "which arm is better on each of these tasks",
    "average": "which arm is better on average over these tasks",
    "new": "which arm is better on a new task like these",
}


def tasks_methods_of(ranking: TaskRanking, versions: Mapping[str, str]) -> list[Said]:
    """Return what was done over several tasks, a sentence each.

    Args:
        ranking: what was found.
        versions: of the software that ranked.

    """
    return [
        *_runs(ranking),
        *_each(ranking),
        *_average(ranking),
        *_new(ranking),
        *_mean_ranks(ranking),
        *_question(ranking),
        status_of(ranking.status, ranking.status_reason),
        software(versions),
    ]


def _runs(ranking: TaskRanking) -> Iterator[Said]:
    ways = {task.direction for task in ranking.tasks}
    better = "each turned so that more is better"
    if len(ways) == 1:
        better = f"{'higher' if ways == {'maximize'} else 'lower'} is better"
    runs = [arm.n for task in ranking.tasks for arm in task.ranking.arms]
    yield Said(
        f"{count(len(ranking.arms), 'arm')} ({joined([arm.name for arm in ranking.arms])}) were "
        f"measured on {count(len(ranking.tasks), 'task')} "
        f"({joined([task.name for task in ranking.tasks])}) by "
        f"{ranking.metric.replace('_', ' ')} ({better}), in {per_arm(runs, 'run')} and task"
    )
    if ranking.excluded:
        yield left_out(len(ranking.excluded))
    if diverged := sum(arm.diverged for arm in ranking.arms):
        yield Said(
            f"{count(diverged, 'run')} diverged; means and spreads are those of the other runs"
        )


def _each(ranking: TaskRanking) -> Iterator[Said]:
    tested = [
        task.ranking for task in ranking.tasks
        if task.ranking.control == ranking.control
        and any(pair.p_adjusted is not None for pair in task.ranking.pairs)
    ]  # fmt: skip
    if not tested:
        yield Said("On no single task could a pair of arms be tested")
        return
    test, cites = _test(tested[0], ranking.control)
    where = "On each task" if len(tested) == len(ranking.tasks) else (
        f"On each of {count(len(tested), 'task')}"
    )  # fmt: skip
    yield Said(
        f"{where} the means of {_pairs(ranking.control)} were compared {test}, with the "
        f"family-wise error rate {ranking.alpha:g} divided evenly among {len(ranking.tasks)} tasks "
        f"(Bonferroni, {ranking.each.alpha:.3g} each)",
        (*cites, "dunn1961"),
    )
    if any(pair.calibrated for one in tested for pair in one.pairs) or any(
        pair.calibrated for pair in ranking.average.pairs
    ):
        yield Said(
            "For few runs, unequal numbers of runs or unequal spreads p-values were calibrated: "
            "each is a weighted geometric mean of the p-value above and of a posterior one for the "
            "Behrens-Fisher problem, under a prior that matches error rates",
            ("ghosh2001",),
        )


def _pairs(control: str | None) -> str:
    return "all pairs of arms" if control is None else f"each arm and {control}"


def _test(one: Ranking, control: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the test of a family of pairs, and what it cites."""
    if control is None and one.method == "games-howell":
        return "by the Games-Howell test", ("games1976",)
    return "by Welch's t test and Holm's correction", ("welch1947", "holm1979")


def _average(ranking: TaskRanking) -> Iterator[Said]:
    average = ranking.average
    if not average.pairs:
        return
    test, cites = _test(ranking.tasks[0].ranking, ranking.control)
    weights = "equal weights"
    if len(set(average.weights)) > 1:
        given = zip(average.tasks, average.weights, strict=True)
        weights = f"the weights {joined([f'{w:.3g} ({task})' for task, w in given], most=50)}"
    yield Said(
        f"On average over {count(len(average.tasks), 'task')}, with {weights}, "
        f"{_pairs(ranking.control)} were compared {test}, the variance of a mean from the runs "
        "alone, with Satterthwaite's "
        f"degrees of freedom; the family-wise error rate was {ranking.alpha:g}, and intervals are "
        f"{percent(ranking.alpha)} intervals",
        (*cites, "satterthwaite1946"),
    )
    if ranking.scale == "sd":
        yield Said(
            "Differences over tasks are in standard deviations of the runs of each task, "
            "corrected for small samples",
            ("hedges1981",),
        )
    if ranking.margin is not None:
        unit = f" {ranking.unit}" if ranking.unit else ""
        yield Said(
            "Two arms are called equivalent where the whole interval of their difference lies "
            f"within a margin of {significant(ranking.margin)}{unit}"
        )


def _new(ranking: TaskRanking) -> Iterator[Said]:
    pairs = ranking.new.pairs
    if all(pair.wilcoxon_p is None for pair in pairs):
        return
    yield Said(
        "For a new task like these, differences of means, one per task, of "
        f"{_pairs(ranking.control)} were tested by Wilcoxon's signed ranks, two-sided and "
        "with Holm's correction, at the "
        f"family-wise error rate {ranking.alpha:g}",
        ("wilcoxon1945", "holm1979"),
    )
    beside = [
        name
        for name, there in (
            ("the sign test", any(pair.sign_p is not None for pair in pairs)),
            ("the paired t test over tasks", any(pair.t_p is not None for pair in pairs)),
        )
        if there
    ]
    if beside:
        yield Said(
            f"Beside it, and with no effect on any verdict, {joined(beside)} "
            f"{'are' if len(beside) > 1 else 'is'} shown, with Holm's correction"
        )
    if any(pair.posterior is not None for pair in pairs):
        region = "" if ranking.margin is None else (
            f", with a region of practical equivalence of {significant(ranking.margin)} either way"
        )  # fmt: skip
        yield Said(
            "What may be believed of a new task is described by the Bayesian signed-rank test"
            f"{region}",
            ("benavoli2017",),
        )


def _mean_ranks(ranking: TaskRanking) -> Iterator[Said]:
    found = ranking.mean_ranks
    if found is None:
        return
    iman = "" if found.iman_davenport is None else ", the F statistic of Iman and Davenport"
    cites = ("friedman1937", *(("iman1980",) if iman else ()), "nemenyi1963", "demsar2006")
    yield Said(
        f"For comparison with other work, and for no verdict, Friedman's test{iman} and Nemenyi's "
        f"critical difference are given for mean ranks on {count(len(found.tasks), 'task')}",
        cites,
    )


def _question(ranking: TaskRanking) -> Iterator[Said]:
    if ranking.question is not None:
        yield Said(f"The question that the verdict answers is {_QUESTIONS[ranking.question]}")

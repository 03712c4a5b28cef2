"""``rank_tasks``: from samples on several tasks to the answers of three questions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import rankdata

from attnstudy.errors import UsageError, near_miss
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.provenance import Plan, Provenance
from attnstudy.stats.ranking import rank
from attnstudy.stats.results import SCHEMA, Ranking
from attnstudy.stats.samples import Floats
from attnstudy.stats.tasks import new_task, words
from attnstudy.stats.tasks.mean_ranks import mean_ranks
from attnstudy.stats.tasks.measured import Grid, Scale, TaskMeasurements, read_grid
from attnstudy.stats.tasks.on_average import Averages, averages
from attnstudy.stats.tasks.posterior import signed_rank_posterior
from attnstudy.stats.tasks.remarks import left_out, notes, status_reason, turns_of
from attnstudy.stats.tasks.results import (
    QUESTIONS,
    AveragePair,
    NewTaskPair,
    OnAverage,
    OnEach,
    OneTask,
    OnNewTask,
    Question,
    TaskArm,
    TaskRanking,
)
from attnstudy.stats.vocabulary import Verdict
from attnstudy.stats.wording.letters import compact_letters, rank_ranges

_MOST_POSTERIORS = 45  # pairs: of ten arms


def rank_tasks(
    given: Mapping[str, TaskMeasurements],
    design: Design | None = None,
    provenance: Provenance | None = None,
    *,
    plans: Mapping[str, Plan] | None = None,
    question: Question | None = None,
    scale: Scale | None = None,
    weights: Mapping[str, float] | None = None,
    seed: int = 0,
) -> TaskRanking:
    """Rank arms over several tasks: on each, on average over these, on a new one like these.

    The first two take the tasks as given and ask about new seeds; the third takes the tasks as a
    sample of such tasks. Runs of different tasks are never pooled.

    Args:
        given: what was measured, by task.
        design: how to test; looks, folds and pairing are for one task.
        provenance: what is reported with the ranking; it has a plan if every task has.
        plans: of the tasks, as far as they have one.
        question: ``each``, ``average`` or ``new``, whose answer is the verdict; None gives all
            three, and none of them is confirmatory.
        scale: what differences over tasks are measured in, see ``measured.read_grid``.
        weights: of the tasks in the average, above 0; None weighs all alike.
        seed: of the posterior's draws.

    Raises:
        UsageError: the measurements or the options make no sense; the message says what to do.

    """
    design, provenance = design or Design(), provenance or Provenance()
    _check(design, question)
    grid = read_grid(given, scale)
    _check_weights(grid, weights)
    if design.control is not None and design.control not in grid.arms:
        raise UsageError(
            f"the control {design.control!r} has no runs: use one of {', '.join(grid.arms)}"
            f"{near_miss(design.control, grid.arms)}"
        )
    rankings = _rankings(given, design, len(grid.tasks))
    turns = turns_of(rankings)
    over_tasks = _over_tasks(grid, design)
    ranks, mean_rank = mean_ranks(grid, over_tasks.sign, design.alpha)
    found = averages(grid, over_tasks, weights)
    if not found.tasks:
        found = replace(found, arms=_by_rank(grid, mean_rank))
    pairs = _new_pairs(grid, over_tasks, found.arms, seed)
    needed = new_task.tasks_needed(len(pairs), design.alpha)
    answers: dict[Question, tuple[str, str]] = {
        "each": (
            words.each_verdict(rankings, turns),
            words.each_sentence(rankings, turns, design),
        ),
        "average": (
            words.average_verdict(found),
            words.average_sentence(found, grid, over_tasks, equally=weights is None),
        ),
        "new": (
            words.new_verdict(pairs, needed),
            words.new_sentence(pairs, needed, design.alpha),
        ),
    }
    return TaskRanking(
        schema=SCHEMA,
        study=provenance.study,
        metric=", ".join(dict.fromkeys(one.metric for one in given.values())),
        scale="metric" if grid.scale == "metric" else "sd",
        scale_reason=grid.reason,
        unit=over_tasks.unit or "",
        direction=over_tasks.direction,
        alpha=design.alpha,
        margin=design.margin,
        control=design.control,
        status="confirmatory" if provenance.confirmatory and question else "exploratory",
        status_reason=status_reason(provenance, question, plans or {}),
        question=question,
        tasks=_tasks(given, grid, rankings, found, plans or {}),
        arms=_arms(grid, found, mean_rank, over_tasks),
        each=OnEach(
            alpha=design.alpha / len(grid.tasks),
            turns=turns,
            verdict=answers["each"][0],
            sentence=answers["each"][1],
        ),
        average=OnAverage(
            tasks=found.tasks,
            weights=tuple(found.weights.tolist()),
            left_out=left_out(grid, found),
            pairs=_average_pairs(found),
            verdict=answers["average"][0],
            sentence=answers["average"][1],
        ),
        new=OnNewTask(
            pairs=pairs, tasks_needed=needed, verdict=answers["new"][0], sentence=answers["new"][1]
        ),
        mean_ranks=ranks,
        notes=(*provenance.notes, *notes(grid, rankings)),
        excluded=provenance.excluded,
        verdict=_called(answers, (question,) if question else QUESTIONS),
        sentence=" ".join(answers[one][1] for one in ((question,) if question else QUESTIONS)),
        source=provenance.source,
    )


_CALLED: dict[Question, str] = {
    "each": "on each task",
    "average": "on average over these tasks",
    "new": "on a new task like these",
}


def _called(answers: Mapping[Question, tuple[str, str]], asked: Sequence[Question]) -> str:
    """Return the verdicts of questions, each behind what it is about."""
    return "; ".join(f"{_CALLED[one]}: {answers[one][0]}" for one in asked)


def _check(design: Design, question: str | None) -> None:
    if question not in (None, *QUESTIONS):
        raise UsageError(
            f"the question is {question!r}: use each, average or new"
            f"{near_miss(str(question), QUESTIONS)}"
        )
    for given, what in (
        (design.looks is not None, "looks"),
        (design.folds is not None, "folds"),
        (design.paired, "pairing by seed"),
    ):
        if given:
            raise UsageError(
                f"{what} and several tasks do not go together: leave that out, or rank one task"
            )


def _check_weights(grid: Grid, weights: Mapping[str, float] | None) -> None:
    if weights is None:
        return
    for task in weights:
        if task not in grid.tasks:
            raise UsageError(
                f"a weight is given for {task!r}, which is no task{near_miss(task, grid.tasks)} "
                f"(there: {', '.join(grid.tasks)})"
            )
    for task in grid.tasks:
        weight = weights.get(task)
        if weight is None or not (math.isfinite(weight) and weight > 0.0):
            raise UsageError(
                f"the weight of {task} is {weight}: give every task a weight above 0, or none"
            )


def _rankings(
    given: Mapping[str, TaskMeasurements], design: Design, tasks: int
) -> dict[str, Ranking]:
    """Rank each task with its share of alpha: all claims together hold to alpha (Bonferroni)."""
    found = {}
    for task, one in given.items():
        own = replace(
            design,
            alpha=design.alpha / tasks,
            families=tasks,
            metric=one.metric,
            direction=one.direction,
        )
        there = own.control is None or own.control in one.measured.samples
        own = own if there else replace(own, control=None)
        found[task] = rank(one.measured, own, robust=False)
        if not there:
            pairs = tuple(replace(p, verdict=Verdict.DESCRIPTIVE) for p in found[task].pairs)
            found[task] = replace(found[task], pairs=pairs)
    return found


def _by_rank(grid: Grid, mean_rank: Floats) -> tuple[str, ...]:
    """Return the arms by their mean ranks, those without last."""
    order = sorted(range(len(grid.arms)), key=lambda i: (math.isnan(mean_rank[i]), mean_rank[i]))
    return tuple(grid.arms[i] for i in order)


def _over_tasks(grid: Grid, design: Design) -> Design:
    """Return the design of what is said over tasks: which way is better, and in what unit."""
    several = len(set(grid.signs.values())) > 1
    unit = "SD" if grid.scale == "sd" else next(iter(grid.units.values()))
    return replace(design, unit=unit, direction="maximize" if several else design.direction)


def _new_pairs(
    grid: Grid, design: Design, arms: Sequence[str], seed: int
) -> tuple[NewTaskPair, ...]:
    if design.control is None:
        pairs = [(a, b) for i, a in enumerate(arms) for b in arms[i + 1 :]]
    else:
        pairs = [(a, design.control) for a in arms if a != design.control]
    found = [new_task.differences(grid, a, b) for a, b in pairs]
    wilcoxon = new_task.adjusted([one.wilcoxon_p if one.tasks else math.nan for one in found])
    sign = new_task.adjusted([one.sign_p if one.tasks else math.nan for one in found])
    t = new_task.adjusted([one.t_p for one in found])
    return tuple(
        _new_pair(one, design, len(pairs), (wilcoxon[i], sign[i], t[i]), seed)
        for i, one in enumerate(found)
    )


def _new_pair(
    found: new_task.Differences,
    design: Design,
    family: int,
    p: tuple[float | None, float | None, float | None],
    seed: int,
) -> NewTaskPair:
    gaps = design.sign * found.values
    interval = new_task.t_interval(found.values, design.alpha / family)
    smallest = new_task.smallest_p(found.untied, family)
    verdict = Verdict.UNDECIDED
    if new_task.smallest_p(found.tasks, family) > design.alpha:
        verdict = Verdict.DESCRIPTIVE
    elif p[0] is not None and p[0] <= design.alpha:
        ranks = np.sign(gaps) * rankdata(np.abs(gaps))
        verdict = Verdict.BETTER if ranks.sum() > 0.0 else Verdict.WORSE
    posterior = None
    if family <= _MOST_POSTERIORS:
        posterior = signed_rank_posterior(gaps, design.margin or 0.0, seed=seed)
    return NewTaskPair(
        a=found.a,
        b=found.b,
        tasks=found.tasks,
        wins=int((gaps > 0.0).sum()),
        ties=int((gaps == 0.0).sum()),
        losses=int((gaps < 0.0).sum()),
        difference=float(found.values.mean()) if found.tasks else None,
        ci_low=interval[0] if interval else None,
        ci_high=interval[1] if interval else None,
        between_sd=found.between_sd,
        wilcoxon_p=p[0],
        sign_p=p[1],
        t_p=p[2],
        smallest_p=smallest if found.tasks else None,
        posterior=posterior,
        verdict=verdict,
    )


def _tasks(
    given: Mapping[str, TaskMeasurements],
    grid: Grid,
    rankings: Mapping[str, Ranking],
    found: Averages,
    plans: Mapping[str, Plan],
) -> tuple[OneTask, ...]:
    spreads = {task: grid.spread(task) for task in grid.tasks}
    return tuple(
        OneTask(
            name=task,
            metric=one.metric,
            direction=one.direction,
            sd=None if math.isnan(spreads[task]) else spreads[task],
            plan=plans.get(task),
            in_average=task in found.tasks,
            ranking=rankings[task],
        )
        for task, one in given.items()
    )


def _arms(grid: Grid, found: Averages, mean_rank: Floats, design: Design) -> tuple[TaskArm, ...]:
    letters: tuple[str | None, ...] = (None,) * len(found.arms)
    ranges: tuple[tuple[int | None, int | None], ...] = ((None, None),) * len(found.arms)
    if design.grouped and found.decisions and all(d.p is not None for d in found.decisions):
        different = [d.winner_first() for d in found.decisions if d.different]
        letters = compact_letters(len(found.arms), different)
        ranges = rank_ranges(len(found.arms), different)
    place = {arm: index for index, arm in enumerate(grid.arms)}
    cells = {arm: [own[arm] for own in grid.cells.values() if arm in own] for arm in grid.arms}
    return tuple(
        TaskArm(
            name=arm,
            tasks=sum(sample.n > 0 for sample in cells[arm]),
            runs=sum(sample.n for sample in cells[arm]),
            diverged=sum(sample.diverged for sample in cells[arm]),
            mean=_known(found.means[index]),
            mean_rank=_known(mean_rank[place[arm]]),
            rank_low=ranges[index][0],
            rank_high=ranges[index][1],
            group=letters[index],
        )
        for index, arm in enumerate(found.arms)
    )


def _average_pairs(found: Averages) -> tuple[AveragePair, ...]:
    return tuple(
        AveragePair(
            a=found.arms[d.a],
            b=found.arms[d.b],
            difference=d.difference,
            ci_low=d.low,
            ci_high=d.high,
            se=d.se,
            df=d.df,
            calibrated=d.calibrated,
            p_adjusted=d.p,
            verdict=d.verdict,
        )
        for d in found.decisions
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)

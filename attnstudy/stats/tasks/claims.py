"""Claims such as ``ours > base``, checked against the answer to one of the three questions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from attnstudy.errors import UsageError
from attnstudy.stats.claims import ClaimCheck, check_claim, parse_claim
from attnstudy.stats.tasks.results import AveragePair, NewTaskPair, TaskRanking
from attnstudy.stats.tasks.words import won
from attnstudy.stats.vocabulary import Verdict


def check_task_claims(ranking: TaskRanking, claims: Iterable[str]) -> tuple[ClaimCheck, ...]:
    """Check claims about the order of arms, as the ranking's question asks.

    On each task ``a > b`` is supported where it is shown on every one of them; on average, and on a
    new task, where the pair's verdict says so. ``a = b`` is for the average alone.

    Raises:
        UsageError: no question was chosen, or a claim is not understood, names an unknown arm, or
            needs a margin.

    """
    claims = tuple(claims)
    if claims and ranking.question is None:
        raise UsageError(
            "a claim about several tasks is one of three: say --tasks each, average or new"
        )
    arms = [arm.name for arm in ranking.arms]
    for claim in claims:
        if ranking.question != "average" and "=" in parse_claim(claim, arms)[1]:
            raise UsageError(
                f"the claim {claim!r}: equivalence is shown on average over the tasks alone: say "
                "--tasks average"
            )
    return tuple(
        check_claim(claim, arms, ranking.margin, partial(_supports, ranking)) for claim in claims
    )


def _supports(ranking: TaskRanking, left: str, operator: str, right: str) -> tuple[bool, str]:
    if ranking.question == "each":
        shown = [
            task.name
            for task in ranking.tasks
            for pair in task.ranking.pairs
            if pair.verdict in (Verdict.BETTER, Verdict.WORSE)
            and won(pair.a, pair.b, pair.verdict) == (left, right)
        ]
        missing = [task.name for task in ranking.tasks if task.name not in shown]
        but = f", not on {', '.join(missing)}" if missing else ""
        return not missing, f"shown on {len(shown)} of {len(ranking.tasks)} tasks{but}"
    pairs: tuple[AveragePair | NewTaskPair, ...] = (
        ranking.average.pairs if ranking.question == "average" else ranking.new.pairs
    )
    pair = next((one for one in pairs if {one.a, one.b} == {left, right}), None)
    if pair is None:
        return False, f"{left} and {right} were not compared"
    p = pair.p_adjusted if isinstance(pair, AveragePair) else pair.wilcoxon_p
    said = f"{pair.a} against {pair.b}: {pair.verdict}"
    said += "" if p is None else f" (adjusted p {p:.3g})"
    if operator == "=":
        return pair.verdict is Verdict.EQUIVALENT, said
    different = pair.verdict in (Verdict.BETTER, Verdict.WORSE)
    return different and won(pair.a, pair.b, pair.verdict) == (left, right), said

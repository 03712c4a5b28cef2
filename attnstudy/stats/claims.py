"""Claims such as ``double > vanilla``, checked against a ranking."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from attnstudy.errors import UsageError, near_miss
from attnstudy.stats.results import Pair, Ranking
from attnstudy.stats.vocabulary import ASK_FOLDS, OVERLAP, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCheck:
    """Whether the data support a claim."""

    claim: str
    """The claim as it was given."""
    supported: bool
    """Whether they do."""
    reason: str
    """Why, a phrase for each pair of the claim."""


def check_claims(ranking: Ranking, claims: Iterable[str]) -> tuple[ClaimCheck, ...]:
    """Check claims about the order of arms.

    ``a > b`` says that a is better, whichever way the metric goes, and is supported when the
    pair's verdict says so. ``a = b`` says that they differ by less than the margin, and is
    supported when the whole interval lies within it. ``a > b > c`` makes two claims.

    Raises:
        UsageError: a claim is not understood, names an unknown arm, or needs a margin.

    """
    arms = [arm.name for arm in ranking.arms]
    return tuple(
        check_claim(claim, arms, ranking.margin, partial(_pair_supports, ranking))
        for claim in claims
    )


def check_claim(
    claim: str,
    arms: list[str],
    margin: float | None,
    supports: Callable[[str, str, str], tuple[bool, str]],
) -> ClaimCheck:
    """Check one claim.

    Args:
        claim: as it was given.
        arms: their names.
        margin: the difference that does not matter; None where none was said.
        supports: takes the names of two arms with the operator between them; tells whether the
            data support it, and why.

    Raises:
        UsageError: it is not understood, names an unknown arm, or needs a margin.

    """
    names, operators = parse_claim(claim, arms)
    if "=" in operators and margin is None:
        raise UsageError(f"the claim {claim!r} needs a margin: say what difference does not matter")
    results = []
    for (left, right), operator in zip(pairwise(names), operators, strict=True):
        if left == right:
            raise UsageError(f"a claim compares {left!r} with itself: name two arms")
        results.append(supports(left, operator, right))
    return ClaimCheck(
        claim=claim,
        supported=all(supported for supported, _ in results),
        reason="; ".join(reason for _, reason in results),
    )


def parse_claim(claim: str, known: list[str]) -> tuple[list[str], list[str]]:
    """Return the arms that a claim names, and what stands between them.

    Raises:
        UsageError: it is not understood, or names an unknown arm.

    """
    # longest first, as a name may hold another one, or an operator
    name = "|".join(re.escape(arm) for arm in sorted(known, key=len, reverse=True))
    if re.fullmatch(rf"\s*(?:{name})(?:\s*[>=]\s*(?:{name}))+\s*", claim):
        parts = re.findall(rf"\s*({name})\s*(?:([>=])|$)", claim)
        return [part[0] for part in parts], [part[1] for part in parts[:-1]]
    words = [word.strip() for word in re.split(r"[>=]", claim)]
    if len(words) < 2 or not all(words):
        raise UsageError(f"the claim {claim!r} is not understood: write 'a > b' or 'a = b'")
    unknown = next((word for word in words if word not in known), words[0])
    raise UsageError(
        f"the claim {claim!r} names {unknown!r}, which has no runs: use {', '.join(known)}"
        f"{near_miss(unknown, known)}"
    )


def _pair_supports(ranking: Ranking, left: str, operator: str, right: str) -> tuple[bool, str]:
    pair = next((p for p in ranking.pairs if {p.a, p.b} == {left, right}), None)
    if pair is None:
        return False, f"{left} and {right} were not compared"
    if ranking.method == "descriptive":
        return False, f"{pair.a} against {pair.b}: not tested, as {OVERLAP}; {ASK_FOLDS}"
    if operator == "=":
        equal = pair.verdict is Verdict.EQUIVALENT or (
            pair.verdict in (Verdict.BETTER, Verdict.WORSE) and bool(pair.within_margin)
        )
        said = "lies" if equal else "does not lie"
        return equal, f"the interval of {left} − {right} {said} within the margin"
    better = pair.verdict is (Verdict.BETTER if pair.a == left else Verdict.WORSE)
    return better, f"{pair.a} against {pair.b}: {pair.verdict}{_p(pair)}"


def _p(pair: Pair) -> str:
    if pair.verdict is Verdict.EQUIVALENT:
        return " (the interval lies within the margin)"
    if pair.p_adjusted is None:
        return ""
    if pair.includes_zero:
        return f" (Holm's adjusted p {pair.p_adjusted:.3g}; the Bonferroni interval is wider)"
    return f" (adjusted p {pair.p_adjusted:.3g})"

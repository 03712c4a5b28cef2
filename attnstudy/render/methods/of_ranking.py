"""The methods of a ranking, as a paragraph for a paper: what was done in this very ranking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from attnstudy.render.methods.words import (
    Said,
    joined,
    left_out,
    pairs_of,
    per_arm,
    software,
    status_of,
)
from attnstudy.stats.comparisons.pair_test import FEW_ARMS
from attnstudy.stats.digits import percent
from attnstudy.stats.vocabulary import INTERVAL_NAMES, OVERLAP
from attnstudy.stats.wording.numbers import Numbers, count

if TYPE_CHECKING:
    from attnstudy.stats import Pair, Ranking

_EXACT = 12_870  # splits of eight and eight runs, all of which are tried


def methods_of(ranking: Ranking, versions: Mapping[str, str]) -> list[Said]:
    """Return what was done, a sentence each; nothing is said that was not done.

    Args:
        ranking: what was found.
        versions: of the software that ranked.

    """
    return [
        *_runs(ranking),
        *_test(ranking),
        *_intervals(ranking),
        *_equivalence(ranking),
        *_looks(ranking),
        *_letters(ranking),
        *_effects(ranking),
        *_robust(ranking),
        status_of(ranking.status, ranking.status_reason),
        software(versions),
    ]


def _runs(ranking: Ranking) -> Iterator[Said]:
    arms = ranking.arms
    better = "higher" if ranking.direction == "maximize" else "lower"
    metric = ranking.metric.replace("_", " ")
    text = (
        f"{count(len(arms), 'arm')} ({joined([arm.name for arm in arms])}) "
        f"{'was' if len(arms) == 1 else 'were'} measured by {metric} ({better} is better), "
    )
    if ranking.repetition == "fold":
        folds = per_arm([a.n for a in arms], "fold")
        text += f"on {folds} of a cross-validation"
        if ranking.folds is not None:
            train, test = ranking.folds
            text += f" with {train:,} training and {test:,} test items each"
    else:
        text += f"in {per_arm([a.n for a in arms], 'run')}"
        if all(arm.seeds is not None for arm in arms if arm.n) and any(arm.n for arm in arms):
            text += ", one per seed"
    yield Said(text)
    if (source := ranking.source) is not None:
        left = f"; left out: {'; '.join(source.left_out)}" if source.left_out else ""
        yield Said(f"The results were read as {source.read_as}{left}")
    for flag in ranking.flags:
        if flag.kind == "best-epoch" and flag.arm is None:
            yield Said(flag.message[:1].upper() + flag.message[1:])
    if ranking.excluded:
        yield left_out(len(ranking.excluded))
    if diverged := sum(arm.diverged for arm in arms):
        yield Said(
            f"{count(diverged, 'run')} diverged; means and spreads are those of the other runs, "
            "and no arm with a diverged run is called better for them"
        )


def _tested(ranking: Ranking) -> list[Pair]:
    return [pair for pair in ranking.pairs if pair.p_adjusted is not None]


def _test(ranking: Ranking) -> Iterator[Said]:
    if ranking.method == "descriptive":
        yield Said(f"No differences were tested, as {OVERLAP}")
        return
    pairs = _tested(ranking)
    if not pairs:
        if len(ranking.arms) > 1:
            yield Said("No pair of arms could be tested")
        return
    yield _primary(ranking, pairs)
    if ranking.folds is not None:
        train, test = ranking.folds
        yield Said(
            "Because training data of folds overlap, the variance of a mean of k folds was taken "
            f"as 1/k + {test:,}/{train:,} times the variance between folds",
            ("nadeau2003",),
        )
    if left := len(ranking.pairs) - len(pairs):
        yield Said(f"{pairs_of(left)} could not be tested, for too few runs or no spread")
    yield from _calibrated(pairs)
    yield Said(f"The family-wise error rate was {ranking.alpha:g}, and all tests were two-sided")


def _primary(ranking: Ranking, pairs: Sequence[Pair]) -> Said:
    compared = len({name for pair in pairs for name in (pair.a, pair.b)})
    everyone = f"The means of {pairs_of(len(pairs))} of arms were compared"
    if ranking.control is not None:
        everyone = f"The means of {count(len(pairs), 'arm')} were compared with {ranking.control}"
    welch = "Welch's t test with Satterthwaite's degrees of freedom"
    # what is adjusted for one pair alone is adjusted by nothing
    holm = " and Holm's correction"
    cited: tuple[str, ...] = ("holm1979",)
    if len(pairs) == 1 and len(ranking.pairs) == 1:
        holm, cited = "", ()
    if ranking.method == "paired":
        return Said(
            f"{everyone} seed by seed, over the seeds that the arms share, by paired t tests{holm}",
            cited,
        )
    if ranking.method == "paired-folds":
        return Said(
            f"{everyone} fold by fold by the corrected resampled t test{holm}",
            ("nadeau2003", *cited),
        )
    if ranking.method in ("holm", "control"):
        return Said(f"{everyone} by {welch}{holm}", ("welch1947", "satterthwaite1946", *cited))
    if compared == 2 and len(ranking.arms) == 2:
        return Said(
            f"{everyone} by the Games-Howell test, which for two arms is {welch}",
            ("games1976", "welch1947"),
        )
    family = compared if ranking.looks is None else len(ranking.arms)
    if family > FEW_ARMS:
        return Said(
            f"{everyone} by the Games-Howell test, whose p-values refer, for more than {FEW_ARMS} "
            f"arms, to the range of {family} normal deviates",
            ("games1976", "hayter1984"),
        )
    return Said(f"{everyone} by the Games-Howell test", ("games1976",))


def _calibrated(pairs: Sequence[Pair]) -> Iterator[Said]:
    weights = [pair.calibrated for pair in pairs if pair.calibrated]
    if not weights:
        return
    low, high = min(weights), max(weights)
    weight = f"{low:.2g}" if low == high else f"{low:.2g} to {high:.2g}"
    which = "of each pair" if len(weights) == len(pairs) else (
        f"of {len(weights):,} of the {len(pairs):,} pairs"
    )  # fmt: skip
    yield Said(
        f"For few runs, unequal numbers of runs or unequal spreads the p-value {which} was "
        "calibrated: it is the weighted geometric mean of the p-value above and of a posterior one "
        "for the Behrens-Fisher problem, under a prior that matches error rates, the latter with "
        f"weight {weight}",
        ("ghosh2001",),
    )


def _intervals(ranking: Ranking) -> Iterator[Said]:
    if any(pair.ci_low is not None for pair in ranking.pairs):
        level = percent(ranking.pair_alpha)
        kind = INTERVAL_NAMES[ranking.interval]
        text = f"Intervals of differences are {kind} {level} intervals"
        if ranking.interval == "simultaneous":
            yield Said(
                f"{text}, which hold jointly for all pairs and are the differences that the same "
                "test would not reject"
            )
        else:
            yield Said(f"{text} for {pairs_of(len(ranking.pairs))}", ("dunn1961",))
    if any(arm.ci_low is not None for arm in ranking.arms):
        yield Said(
            f"Intervals of the means of single arms are {percent(ranking.alpha)} t intervals, "
            "adjusted for nothing"
        )


def _equivalence(ranking: Ranking) -> Iterator[Said]:
    if ranking.margin is not None and _tested(ranking):
        margin = Numbers.of(ranking).amount(ranking.margin)
        yield Said(
            f"Two arms are called equivalent where the whole interval of their difference lies "
            f"within a margin of {margin}"
        )


def _looks(ranking: Ranking) -> Iterator[Said]:
    if ranking.looks is None:
        return
    declared = ranking.looks.declared
    seeds = joined(list(map(str, declared)), most=len(declared))
    yield Said(
        f"{count(len(declared), 'look')} at {seeds} seeds per arm were declared, of which "
        f"{ranking.looks.done} {'was' if ranking.looks.done == 1 else 'were'} taken, each at an "
        f"equal share of the error rate, {ranking.pair_alpha:.3g} (Bonferroni); a pair that is "
        "decided at a look is not tested again, which biases its difference away from zero",
        ("dunn1961",),
    )


def _letters(ranking: Ranking) -> Iterator[Said]:
    if any(arm.group is not None for arm in ranking.arms):
        yield Said("Arms that share a letter are not shown different", ("piepho2004",))


def _effects(ranking: Ranking) -> Iterator[Said]:
    found, cites = [], []
    if any(pair.hedges_g is not None for pair in ranking.pairs):
        found.append("Hedges' g (the pooled SD, corrected for small samples)")
        cites.append("hedges1981")
    if any(pair.prob_superiority is not None for pair in ranking.pairs):
        found.append("the probability that a run of one arm is better than one of the other")
    if not found:
        return
    text = f"Effect sizes are {' and '.join(found)}"
    if any(pair.prob_superiority_low is not None for pair in ranking.pairs):
        text += ", the latter with Brunner and Munzel's interval on the logit scale"
        cites.append("brunner2000")
    yield Said(text, tuple(cites))


def _robust(ranking: Ranking) -> Iterator[Said]:
    lines = [pair.robust for pair in ranking.pairs if pair.robust is not None]
    tests, cites = [], []
    if any(line.permutation_p is not None for line in lines):
        every = f"all of them up to {_EXACT:,}, else drawn ones"
        if any(line.smallest_possible_p == 0.0 for line in lines):
            every += ", and their normal limit for arms of thousands of runs"
        if ranking.method == "paired":
            tests.append(f"sign flips of the differences ({every})")
            cites.append("fisher1935")
        else:
            tests.append(f"permutations of Welch's t ({every})")
            cites.append("janssen1997")
    if any(line.mannwhitney_p is not None for line in lines):
        tests.append("the Mann-Whitney test")
        cites.append("mann1947")
    if any(line.brunnermunzel_p is not None for line in lines):
        tests.append("the Brunner-Munzel test")
        cites.append("brunner2000")
    if tests:
        yield Said(
            "Beside these tests, and with no effect on any verdict, each pair was tested without "
            f"assuming a normal distribution, by {joined(tests)}, each adjusted over the pairs by "
            "Holm's method",
            (*cites, "holm1979"),
        )

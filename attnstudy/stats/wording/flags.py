"""Flags: what to look at in the data before believing a ranking. Nothing is ever deleted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.comparisons.margins import value_range
from attnstudy.stats.evidence.residuals import outliers
from attnstudy.stats.evidence.spreads import compare_spreads
from attnstudy.stats.measurements import Conduct, Measurements
from attnstudy.stats.results import Flag
from attnstudy.stats.samples import Sample
from attnstudy.stats.wording.numbers import exact, significant, two
from attnstudy.stats.wording.phrases import amount, listed, p_text

SD_RATIO = 3.0
"""Ratio of the largest to the smallest standard deviation that is flagged."""

_CHANCE_ERRORS = 3.0  # binomial standard errors above chance that still count as chance
_SURPRISE = 0.05  # probability below which equal values are not put down to rounding


@dataclass(frozen=True, slots=True)
class Suspect:
    """A flag, and the value without which the verdict should be shown."""

    flag: Flag
    """The flag, still without that verdict."""
    arm: int | None = None
    """Index of the arm."""
    index: int | None = None
    """Index of the value within the arm; None where no single value is meant."""
    repeats: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """Arm -> values to leave out, so that each that is repeated stays once."""


def find_suspects(
    samples: Sequence[Sample], design: Design, measured: Measurements
) -> tuple[Suspect, ...]:
    """Return everything that is worth a flag.

    Args:
        samples: the arms, best first.
        design: for alpha, direction and unit.
        measured: with what is known of how the runs were measured and made.

    """
    percent_items = measured.items if design.unit == "points" else None
    found = (
        *_margin(samples, design),
        *_influential(samples, design),
        # on the few test items of a fold a metric takes few values, and how few is not known
        *(_duplicates(samples, percent_items) if design.folds is None else ()),
        *_twins(samples),
        *_spreads(samples, design),
        *_granularity(samples, percent_items),
        *_near_chance(samples, design, percent_items, measured.chance),
        *_conduct(samples, measured.conduct),
    )
    return found if design.folds is None else tuple(map(_of_fold, found))


def _of_fold(suspect: Suspect) -> Suspect:
    """Return a flag that names a fold, where the number is not a seed's."""
    flag = suspect.flag
    message = flag.message.replace(f", seed {flag.seed}) ", f", fold {flag.seed}) ", 1)
    return replace(suspect, flag=replace(flag, message=message))


def _margin(samples: Sequence[Sample], design: Design) -> Iterator[Suspect]:
    """Flag a margin that no two values exceed."""
    margin = design.margin
    ends = value_range(samples)
    if margin is None or ends is None or ends[0] == ends[1] or margin <= ends[1] - ends[0]:
        return
    low, high = ends
    message = (
        f"the margin of {amount(margin, design)} is wider than the range of all values "
        f"({low:g} to {high:g}), so even the best and the worst run differ by less: make sure that "
        "it is in the unit of the metric and was chosen before the runs were seen"
    )
    yield Suspect(_flag("margin", None, message, value=margin))


def _influential(samples: Sequence[Sample], design: Design) -> Iterator[Suspect]:
    """Values that stand out from the spread of all arms; see ``outliers``."""
    found = sorted(
        outliers(samples, design.alpha), key=lambda o: (o.arm, samples[o.arm].values[o.index])
    )
    for outlier in found:
        # of two runs no one can say which of them it is that lies apart
        if not samples[outlier.arm].tested:
            continue
        said = (
            f"stands out from the spread of all runs (studentised residual {two(outlier.t)}, "
            f"Bonferroni p {p_text(outlier.p)})"
        )
        if math.isinf(outlier.t):
            said = "makes all of the spread: without it every arm is constant"
        yield _value("influential", samples, outlier.arm, outlier.index, said)


def _duplicates(samples: Sequence[Sample], items: int | None) -> Iterator[Suspect]:
    """Equal values within an arm that chance does not make likely; several are one flag."""
    repeated = {
        arm: _repeated(sample) for arm, sample in enumerate(samples) if _too_alike(sample, items)
    }
    every = _all_repeated(samples)
    if every:
        repeated = {arm: _repeated(sample) for arm, sample in enumerate(samples)}
    # that a constant arm repeats its value says nothing
    repeated = {arm: places for arm, places in repeated.items() if samples[arm].sd > 0.0}
    count = sum(map(len, repeated.values()))
    if count == 1:
        (arm,) = repeated
        (places,) = repeated[arm]
        said = f"appears {_times(len(places))} in this arm"
        suspect = _value("duplicate", samples, arm, places[-1], said)
        yield replace(suspect, repeats={arm: places[1:]})
    elif count:
        yield _repetition(samples, repeated, every)


def _repetition(
    samples: Sequence[Sample], repeated: Mapping[int, Sequence[tuple[int, ...]]], every: int
) -> Suspect:
    """Return the flag of several repeated values, and which of them to leave out."""
    shown = [
        f"{samples[arm].arm}: {listed([exact(samples[arm].values[p[0]]) for p in places])}"
        for arm, places in repeated.items()
    ]
    much = f"{sum(map(len, repeated.values())):,} values appear more than once"
    if every:
        much = f"every value appears {_times(every)}"
    message = f"repetition: {much} ({'; '.join(shown)}), as where runs are counted twice"
    arm = samples[next(iter(repeated))].arm if len(repeated) == 1 else None
    later = {
        arm: tuple(place for group in places for place in group[1:])
        for arm, places in repeated.items()
    }
    return Suspect(_flag("duplicate", arm, message), repeats=later)


def _repeated(sample: Sample) -> list[tuple[int, ...]]:
    """Return the places of each value that appears more than once, ascending by value."""
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sample.values.tolist()):
        places.setdefault(value, []).append(place)
    return [tuple(places[value]) for value in sorted(places) if len(places[value]) > 1]


def _too_alike(sample: Sample, items: int | None) -> bool:
    """Tell whether more values agree than spread and resolution of an arm make likely.

    Two normal values of spread s, recorded in steps of u, agree with probability about
    u / (2 sqrt(pi) s); the number of agreeing pairs is then nearly Poisson.
    """
    if sample.n < 2 or sample.sd == 0.0:
        return False
    counts = Counter(sample.values.tolist())
    agreeing = sum(math.comb(count, 2) for count in counts.values())
    step = 100.0 / items if items else 10.0 ** -max(map(_decimals, counts))
    expected = math.comb(sample.n, 2) * step / (2.0 * math.sqrt(math.pi) * sample.sd)
    return agreeing > 0 and float(special.pdtrc(agreeing - 1, expected)) < _SURPRISE


def _all_repeated(samples: Sequence[Sample]) -> int:
    """Return how often every value of every arm appears, where chance does not explain it; or 0.

    Of d values, that n = m d draws hold each exactly m times has at most the probability
    n! / (m!^d d^n), which is that of values all as likely, however coarse they are recorded.
    """
    counts = [Counter(sample.values.tolist()) for sample in samples if sample.sd > 0.0]
    times = {times for one in counts for times in one.values()}
    if len(times) != 1 or times == {1}:
        return 0
    (m,) = times
    chance = sum(
        special.gammaln(m * len(one) + 1)
        - len(one) * (special.gammaln(m + 1) + m * math.log(len(one)))
        for one in counts
    )
    return m if chance < math.log(_SURPRISE) else 0


def _twins(samples: Sequence[Sample]) -> Iterator[Suspect]:
    """Arms that hold the very same values: one may be a copy, or the arm has no effect."""
    for (first, a), (_, b) in combinations(enumerate(samples), 2):
        alike = a.n == b.n > 1 and a.mean == b.mean and a.sd == b.sd > 0.0
        if alike and sorted(a.values) == sorted(b.values):
            message = f"{a.arm} and {b.arm} hold the same {a.n:,} values: is one a copy?"
            yield Suspect(_flag("duplicate", samples[first].arm, message))


def _spreads(samples: Sequence[Sample], design: Design) -> Iterator[Suspect]:
    tested = [sample for sample in samples if sample.tested]
    for sample in tested:
        if sample.sd == 0.0:
            rounding = " up to rounding" if sample.rounded else ""
            message = (
                f"spread is zero: all {sample.n:,} runs of {sample.arm} give "
                f"{significant(sample.mean, 6)}{rounding}; does the seed reach the training?"
            )
            yield Suspect(_flag("constant", sample.arm, message, value=sample.mean))
    spreads = compare_spreads(tested)
    if spreads is not None and spreads.ratio > SD_RATIO:
        small, large = spreads.small, spreads.large
        why = (
            f"more than chance explains (F tests, p {p_text(spreads.p)}), so methods that assume "
            "equal SDs can claim too much"
            if spreads.differ
            else "which chance may explain with so few runs; methods that assume equal SDs can "
            "claim too much where they differ"
        )
        message = (
            f"the SDs differ {spreads.ratio:.1f}-fold ({large.arm} {amount(large.sd, design)}, "
            f"{small.arm} {amount(small.sd, design)}), {why}"
        )
        yield Suspect(_flag("sd-ratio", large.arm, message, value=spreads.ratio))


def _granularity(samples: Sequence[Sample], items: int | None) -> Iterator[Suspect]:
    if items is None:
        return
    for arm, sample in enumerate(samples):
        for index in np.argsort(sample.values).tolist():
            value = float(sample.values[index])
            nearest = 100.0 * round(value * items / 100.0) / items
            # half a unit of the last decimal recorded, and what single precision cannot hold
            tolerance = 0.5 * 10.0 ** -_decimals(value) + 1e-6 * abs(value)
            if abs(value - nearest) > tolerance:
                message = (
                    f"is no whole number of {items:,} test items "
                    f"(nearest {significant(nearest, 6)})"
                )
                yield _value("granularity", samples, arm, index, message)


def _near_chance(
    samples: Sequence[Sample], design: Design, items: int | None, chance: float | None
) -> Iterator[Suspect]:
    if chance is None or not design.maximize:
        return
    limit = 1.1 * chance
    if items is not None:
        limit = chance + _CHANCE_ERRORS * math.sqrt(chance * (100.0 - chance) / items)
    for arm, sample in enumerate(samples):
        for index in _ascending(sample, sample.values <= limit):
            message = f"is no better than chance ({significant(chance, 6)}): did this run train?"
            yield _value("near-chance", samples, arm, index, message)


def _conduct(samples: Sequence[Sample], conduct: Conduct) -> Iterator[Suspect]:
    told = bool(conduct.best_epoch or conduct.test_scorings)
    for arm, sample in enumerate(samples if told else ()):
        for index, seed in enumerate(sample.seeds or ()):
            run = (sample.arm, seed)
            if run in conduct.best_epoch:
                message = "reports its best epoch instead of the planned one, which favours it"
                yield _value("best-epoch", samples, arm, index, message)
            scored = conduct.test_scorings.get(run, 1)
            if scored > 1:
                message = f"was scored {_times(scored)} on the test set"
                yield _value("test-reuse", samples, arm, index, message)
    if conduct.best_of_itself:
        message = (
            "every run reports its best epoch, chosen by the ranked metric itself, which makes "
            "every arm look better than it is, and the noisiest most"
        )
        yield Suspect(_flag("best-epoch", None, message))
    trials = {s.arm: conduct.tuning_trials.get(s.arm, 0) for s in samples}
    if len(set(trials.values())) > 1:
        budgets = ", ".join(f"{arm} {count:,}" for arm, count in trials.items())
        message = f"tuning budgets differ ({budgets} trials): the most tuned arm is favoured"
        yield Suspect(_flag("tuning", max(trials, key=trials.__getitem__), message))


def _ascending(sample: Sample, mask: NDArray[np.bool_]) -> list[int]:
    """Return the places of the masked values, so ordered that the input's order is forgotten."""
    order = np.argsort(sample.values, kind="stable")
    places: list[int] = order[mask[order]].tolist()
    return places


def _value(kind: str, samples: Sequence[Sample], arm: int, index: int, said: str) -> Suspect:
    sample = samples[arm]
    value = float(sample.values[index])
    seed = None if sample.seeds is None else sample.seeds[index]
    where = sample.arm if seed is None else f"{sample.arm}, seed {seed}"
    flag = _flag(kind, sample.arm, f"{exact(value)} ({where}) {said}", value=value, seed=seed)
    return Suspect(flag, arm, index)


def _flag(
    kind: str,
    arm: str | None,
    message: str,
    *,
    value: float | None = None,
    seed: int | None = None,
) -> Flag:
    return Flag(kind=kind, arm=arm, seed=seed, value=value, message=message, verdict_without=None)


def _decimals(value: float) -> int:
    """Return the decimals of the shortest text that means ``value``."""
    mantissa, _, exponent = repr(value).partition("e")
    digits = len(mantissa.partition(".")[2].rstrip("0"))
    return max(digits - int(exponent or 0), 0)


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count:,} times"

"""Numbers as every output prints them: as many decimals as the spread of the runs is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass

from attnstudy.shown import with_minus
from attnstudy.stats.digits import LARGEST_FIXED, rounded
from attnstudy.stats.evidence.power import Power
from attnstudy.stats.results import Ranking
from attnstudy.stats.vocabulary import Verdict

NONE = "–"
_MOST_DECIMALS = 10
_GROUPED = 1e4  # from here on thousands are set apart


@dataclass(frozen=True, slots=True)
class Numbers:
    """How the numbers of one ranking are written."""

    unit: str
    """Unit of differences: ``points``, or empty."""
    decimals: int | None
    """Decimals of means, spreads and interval ends; None where four digits tell more."""

    @classmethod
    def of(cls, ranking: Ranking) -> Numbers:
        """Return the format for a ranking: its typical SD shows three significant digits.

        Accuracies in percent have two decimals, or what two digits of the SD take.
        """
        spreads = sorted(arm.sd for arm in ranking.arms if arm.sd)
        if not spreads:
            spreads = sorted(abs(arm.mean) / 10 for arm in ranking.arms if arm.mean)
        typical = spreads[len(spreads) // 2] if spreads else 1.0
        decimals = max(2 - math.floor(math.log10(typical)), 0)
        if ranking.unit == "points":
            decimals = min(max(decimals - 1, 2), 4)
        return cls(ranking.unit, decimals if decimals <= _MOST_DECIMALS else None)

    def plain(self, value: float | None) -> str:
        """Return a value of the metric, or a dash."""
        return NONE if value is None else self._fixed(value, self.decimals, sign="-")

    def signed(self, value: float | None) -> str:
        """Return a difference with its sign and one decimal more than its ends, or a dash."""
        if value is None:
            return NONE
        return self._fixed(value, None if self.decimals is None else self.decimals + 1, sign="+")

    def interval(self, low: float | None, high: float | None, *, signed: bool = False) -> str:
        """Return ``[low, high]``, never rounded onto a zero that the interval excludes."""
        if low is None or high is None:
            return NONE
        decimals = self.decimals
        nearest = min(abs(low), abs(high))
        if decimals is not None and (low > 0.0 or high < 0.0):
            while decimals < _MOST_DECIMALS and round(nearest, decimals) == 0.0:
                decimals += 1
            if round(nearest, decimals) == 0.0:
                decimals = None
        sign = "+" if signed else "-"
        ends = (self._fixed(end, decimals, sign=sign) for end in (low, high))
        return f"[{', '.join(ends)}]"

    def amount(self, value: float) -> str:
        """Return a size with its unit, four significant digits."""
        size = significant(value)
        unit = "point" if (size, self.unit) == ("1", "points") else self.unit
        return f"{size} {unit}".strip()

    def _fixed(self, value: float, decimals: int | None, *, sign: str) -> str:
        if decimals is None or abs(value) >= LARGEST_FIXED:
            return with_minus(rounded(value, sign=sign))
        grouped = "," if abs(value) >= _GROUPED else ""
        return with_minus(f"{value:{sign}{grouped}.{decimals}f}")


def significant(value: float, digits: int = 4) -> str:
    """Return a number with its first significant digits."""
    return with_minus(rounded(value, digits))


def exact(value: float | None) -> str:
    """Return a value as it was measured, ten significant digits at most; or a dash."""
    return NONE if value is None else with_minus(f"{value:.10g}")


def two(value: float | None, *, signed: bool = False) -> str:
    """Return an effect size with two decimals, or a dash."""
    if value is None:
        return NONE
    if abs(value) >= 1e4:
        return with_minus(f"{value:.3g}")
    return with_minus(f"{value:{'+' if signed else '-'}.2f}")


def p_value(p: float | None, alpha: float = 0.05) -> str:
    """Return a p-value without leading zero, never rounded onto ``alpha``; or a dash.

    Below .001, or below a smaller ``alpha``, it is ``< .001``; near 1 ``> .999``.
    """
    if p is None:
        return NONE
    floor = min(alpha, 0.001)
    if p < floor:
        return f"< {floor:g}".replace("< 0.", "< .")
    if p > 0.999:
        return "> .999"
    digits = 4 if abs(p - alpha) < 0.001 else 3
    while digits < _MOST_DECIMALS and round(p, digits) in (0.0, alpha) and p != alpha:
        digits += 1
    return f"{p:.{digits}f}".removeprefix("0")


def percent_suffix(metric: str, unit: str) -> str:
    """Return ``" (%)"`` for a metric in percent, unless its name says that already."""
    said = metric.rstrip().endswith(("(%)", "[%]", "%"))
    return " (%)" if unit == "points" and not said else ""


def ranks(low: int | None, high: int | None) -> str:
    """Return a range of ranks, or a dash."""
    if low is None or high is None:
        return NONE
    return str(low) if low == high else f"{low}–{high}"


def count(number: int, noun: str) -> str:
    """Return ``1 run``, ``2 runs``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def seeds_words(seeds: int | None, n: int) -> str:
    """Return how many seeds per arm something would need, where ``n`` are there."""
    if seeds is None:
        return "over 1,000 seeds per arm"
    return "no more seeds" if seeds <= n else f"about {seeds:,} seeds per arm"


def runs_words(power: Power, run: str = "run") -> str:
    """Return the runs that are there for the pair that the power figures are for."""
    if power.n_a == power.n_b:
        return f"{power.n} {run}s per arm"
    return f"{count(power.n_a, 'run')} of {power.a} and {power.n_b} of {power.b}"


def equivalence_asked(ranking: Ranking) -> bool:
    """Tell whether the pair of the power figures may still be shown equivalent."""
    power, margin = ranking.power, ranking.margin
    if power is None or margin is None or power.observed_gap is None or ranking.folds is not None:
        return False
    pair = next(p for p in ranking.pairs if (p.a, p.b) == (power.a, power.b))
    return pair.verdict is Verdict.UNDECIDED and power.observed_gap < margin


def pairing_words(power: Power | None) -> str:
    """Return what the next study would gain from comparing seed by seed; "" where nothing."""
    if power is None or power.seeds_if_paired is None or power.seed_correlation is None:
        return ""
    paired, unpaired = power.seeds_if_paired, power.seeds_for_observed
    if unpaired is not None and (paired >= unpaired or unpaired <= power.n):
        return ""
    instead = "over 1,000" if unpaired is None else f"{unpaired:,}"
    return (
        f"Runs of the same seed go together here (correlation {two(power.seed_correlation)}): a "
        f"study that declares paired = true would need about {count(paired, 'seed')} per arm "
        f"instead of {instead}. Pairing must be declared before fresh seeds are run."
    )

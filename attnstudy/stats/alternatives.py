"""What would be said otherwise: without a value, with another one, with chance for lost runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from attnstudy.stats.comparisons.decisions import Decision, decide, decide_pairs, testable
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.comparisons.matching import without_seed
from attnstudy.stats.measurements import Measurements
from attnstudy.stats.results import ChanceView, Flag
from attnstudy.stats.samples import Sample, best_first
from attnstudy.stats.wording.flags import Suspect, find_suspects
from attnstudy.stats.wording.verdicts import verdict_text


class Alternatives:
    """The verdicts of a study with the values of one arm changed.

    The test of a pair knows its two arms and the number of arms in the family: what a third arm
    holds changes nothing. So the pairs without the changed arm are tested once for each number of
    arms that can be tested, and only its own pairs for each alternative.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        design: Design,
        decisions: Sequence[Decision] | None = None,
    ) -> None:
        """Take the arms as they are, best first, and what ``decide`` says of them, if known."""
        self._samples = samples
        self._design = design
        self._families: dict[int, Sequence[Decision]] = {}
        if decisions is not None:
            self._families[_tested(samples)] = decisions

    def verdict(self, arm: int, changed: Sample) -> str:
        """Return the study's verdict with ``changed`` in the place of the arm at index ``arm``."""
        samples = [changed if i == arm else sample for i, sample in enumerate(self._samples)]
        ordered = best_first(samples, self._design.direction)
        decisions: Sequence[Decision]
        if self._design.grouped:
            decisions = self._decide(arm, samples, ordered)
        else:  # Holm's adjustment looks at all pairs at once
            decisions = decide(ordered, self._design)
        return verdict_text(ordered, decisions, self._design)

    def _decide(
        self, arm: int, samples: Sequence[Sample], ordered: Sequence[Sample]
    ) -> list[Decision]:
        k = _tested(samples)
        places = {sample.arm: place for place, sample in enumerate(ordered)}
        now = [places[sample.arm] for sample in samples]
        # the others stand to each other as before, so the better arm of a pair stays the first
        decisions = [
            d if (now[d.a], now[d.b]) == (d.a, d.b) else replace(d, a=now[d.a], b=now[d.b])
            for d in self._family(k)
            if arm not in (d.a, d.b)
        ]
        own = now[arm]
        pairs = [(min(own, i), max(own, i)) for i in range(len(ordered)) if i != own]
        decisions += decide_pairs(ordered, self._design, pairs, testable(ordered, pairs), k=k)
        return sorted(decisions, key=lambda d: (d.a, d.b))

    def _family(self, k: int) -> Sequence[Decision]:
        """Return the decisions on the arms as they are, as members of a family of ``k``."""
        if k not in self._families:
            pairs = self._design.pairs(self._samples)
            # in a family of one there is no pair but those of the changed arm
            tested = testable(self._samples, pairs) if k > 1 else []
            self._families[k] = decide_pairs(self._samples, self._design, pairs, tested, k=k)
        return self._families[k]


def _tested(samples: Sequence[Sample]) -> int:
    return sum(sample.tested for sample in samples)


def find_flags(
    samples: Sequence[Sample],
    decisions: Sequence[Decision],
    design: Design,
    measured: Measurements,
) -> tuple[Flag, ...]:
    """Return the flags of a study, each with the verdict that stands without its value."""
    alternatives = Alternatives(samples, design, decisions)

    def verdict(suspect: Suspect) -> str | None:
        # a value cannot be taken out of a sequence of looks: it decided how long it went on
        kept = design.looks is not None or not design.compared
        if suspect.repeats and not kept:
            return _without_repeats(samples, design, suspect)
        if suspect.arm is None or suspect.index is None or kept:
            return None
        if design.paired and suspect.flag.seed is not None:
            rest = best_first(without_seed(samples, suspect.flag.seed), design.direction)
            return verdict_text(rest, decide(rest, design), design)
        return alternatives.verdict(suspect.arm, samples[suspect.arm].without(suspect.index))

    suspects = find_suspects(samples, design, measured)
    return tuple(replace(s.flag, verdict_without=verdict(s)) for s in suspects)


def _without_repeats(samples: Sequence[Sample], design: Design, suspect: Suspect) -> str:
    """Return the verdict where each value that is repeated stands once."""
    rest = list(samples)
    for arm, places in suspect.repeats.items():
        for place in sorted(places, reverse=True):
            seeds = samples[arm].seeds
            if design.paired and seeds is not None:
                rest = list(without_seed(rest, seeds[place]))
            else:
                rest[arm] = rest[arm].without(place)
    ordered = best_first(rest, design.direction)
    return verdict_text(ordered, decide(ordered, design), design)


def with_chance(
    samples: Sequence[Sample], design: Design, chance: float | None
) -> ChanceView | None:
    """Return the ranking with chance in the place of every run that diverged.

    None where no run did, and where a run has its place: in a pair, or in a sequence of looks.
    """
    placed = design.paired or design.folds is not None or design.looks is not None
    if chance is None or placed or not any(arm.diverged for arm in samples):
        return None
    filled = [
        Sample(arm.arm, np.append(arm.values, [chance] * arm.diverged), None) for arm in samples
    ]
    ordered = best_first(filled, design.direction)
    return ChanceView(
        chance=chance,
        order=tuple(arm.arm for arm in ordered),
        means=tuple(arm.mean for arm in ordered),
        verdict=verdict_text(ordered, _decide_finished(ordered, samples, design), design),
    )


def _decide_finished(
    filled: Sequence[Sample], samples: Sequence[Sample], design: Design
) -> tuple[Decision, ...]:
    """Test the arms that have a finished run: chance alone is no spread to test against."""
    finished = {arm.arm for arm in samples if arm.n}
    able = [arm.tested and arm.arm in finished for arm in filled]
    pairs = design.pairs(filled)
    return decide_pairs(filled, design, pairs, [p for p in pairs if able[p[0]] and able[p[1]]])

"""Verdicts with one arm changed: those of the whole analysis done again."""

import numpy as np
import pytest

from attnstudy.stats import rank
from attnstudy.stats.alternatives import Alternatives
from attnstudy.stats.comparisons import decisions
from attnstudy.stats.comparisons.decisions import decide
from attnstudy.stats.comparisons.design import Design
from attnstudy.stats.samples import Sample, best_first, read_samples
from attnstudy.stats.wording.verdicts import verdict_text


def study(sizes: tuple[int, ...], step: float, seed: int) -> dict[str, list[float]]:
    rng = np.random.default_rng(seed)
    return {
        f"v{i}": rng.normal(60.0 + step * i, 1.0 + 2.0 * (i == 2), n).round(2).tolist()
        for i, n in enumerate(sizes)
    }


def again(samples: list[Sample], design: Design) -> str:
    """Return the verdict by testing everything again."""
    ordered = best_first(samples, design.direction)
    return verdict_text(ordered, decide(ordered, design), design)


@pytest.mark.parametrize("sizes", [(5, 5, 5, 5, 5, 5), (3, 3, 3, 3), (3, 3), (4, 2, 1, 9, 3)])
@pytest.mark.parametrize("step", [0.2, 2.0, 9.0])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"margin": 3.0},
        {"direction": "minimize", "margin": 1.0},
        {"correction": "holm"},
        {"control": "v0"},
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_every_value_left_out_or_changed(
    sizes: tuple[int, ...], step: float, options: dict[str, object], known: bool
) -> None:
    design = Design(**options)  # type: ignore[arg-type]
    arms = list(best_first(read_samples(study(sizes, step, seed=1)), design.direction))
    alternatives = Alternatives(arms, design, decide(arms, design) if known else None)
    for place, arm in enumerate(arms):
        for index in range(arm.n):
            moved = arm.values.copy()
            moved[index] += 25.0  # to the other end of the order
            for changed in (arm.without(index), Sample(arm.arm, moved, None)):
                changed_arms = [*arms[:place], changed, *arms[place + 1 :]]
                assert alternatives.verdict(place, changed) == again(changed_arms, design)


def test_many_flags_do_not_test_the_whole_family_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tested = []
    compare = decisions.all_pairs  # type: ignore[attr-defined]

    def counting(*given: object, **options: object) -> object:
        result = compare(*given, **options)  # type: ignore[arg-type]
        tested.append(result.p.size)
        return result

    monkeypatch.setattr(decisions, "all_pairs", counting)
    ranking = rank(study((4,) * 30, 0.1, seed=2), items=997)
    assert sum(flag.verdict_without is not None for flag in ranking.flags) >= 100
    assert tested[0] == 30 * 29 / 2
    assert set(tested[1:]) == {29}

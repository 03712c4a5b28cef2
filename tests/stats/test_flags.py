"""Flags and notes."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols

from attnstudy.stats import Conduct, Flag, Ranking, rank
from attnstudy.stats.comparisons.pooled import dunnett, tukey_kramer
from attnstudy.stats.samples import read_samples

Samples = dict[str, list[float]]


def flags(ranking: Ranking, kind: str) -> list[Flag]:
    return [flag for flag in ranking.flags if flag.kind == kind]


def test_notebook(notebook: Samples) -> None:
    ranking = rank(notebook, items=10_000)
    (outlier,) = flags(ranking, "influential")
    assert (outlier.arm, outlier.value) == ("double", 67.7)
    assert "p = .039" in outlier.message  # .0385
    assert outlier.verdict_without == "no ranking is defensible"
    (duplicate,) = flags(ranking, "duplicate")
    assert (duplicate.arm, duplicate.value) == ("vanilla", 59.77)
    (ratio,) = flags(ranking, "sd-ratio")
    assert ratio.value == pytest.approx(3.52, abs=0.005)
    assert len(ranking.flags) == 3
    pooled = next(note for note in ranking.notes if "pooled-variance" in note)
    for figure in ("double > vanilla", "Tukey p = .025", "Dunnett p = .015", "3.5-fold"):
        assert figure in pooled
    (binomial,) = [note for note in ranking.notes if "independent errors on 10,000" in note]
    assert "early 0.77 against 0.49" in binomial


def test_no_pooled_note_where_pooling_claims_nothing() -> None:
    even = {"a": [60.0, 61.0, 62.0, 61.5], "b": [60.9, 59.0, 60.4, 61.4], "c": [60.0, 59.4, 61.3]}
    assert min(p.p_adjusted or 0.0 for p in rank(even).pairs) < 0.6
    assert not any("pooled" in note for note in rank(even).notes)


def test_influence_agrees_with_statsmodels(notebook: Samples) -> None:
    frame = pd.DataFrame(
        [(name, value) for name, values in notebook.items() for value in values],
        columns=["variant", "value"],
    )
    test = ols("value ~ variant", frame).fit().outlier_test("bonf")
    extreme = test["student_resid"].abs().idxmax()
    (outlier,) = flags(rank(notebook), "influential")
    assert frame["value"][extreme] == outlier.value
    assert test["bonf(p)"][extreme] == pytest.approx(0.0385, abs=5e-5)
    assert f"residual {test['student_resid'][extreme]:.2f}" in outlier.message


def test_a_value_that_makes_all_of_the_spread() -> None:
    ranking = rank({"a": [60.0, 60.0, 61.0], "b": [59.0, 59.0, 59.0]})
    (outlier,) = flags(ranking, "influential")
    assert (outlier.value, "every arm is constant" in outlier.message) == (61.0, True)
    assert outlier.verdict_without == "descriptive only: nothing can be tested"


def test_verdict_without_a_value_is_the_ranking_without_it() -> None:
    rng = np.random.default_rng(2)
    samples = {"a": rng.normal(61, 0.3, 8).tolist(), "b": rng.normal(60, 0.3, 8).tolist()}
    samples["b"][3] = 66.0
    ranking = rank(samples)
    (outlier,) = flags(ranking, "influential")
    rest = {**samples, "b": samples["b"][:3] + samples["b"][4:]}
    assert outlier.verdict_without == rank(rest).verdict
    assert outlier.verdict_without != ranking.verdict


def test_paired_verdict_leaves_out_the_seed() -> None:
    base = {0: 60.0, 1: 61.5, 2: 59.2, 3: 62.0, 4: 60.7, 5: 60.1}
    samples = {
        "a": {s: v + 0.5 + 0.01 * s for s, v in base.items()},
        "b": {**base, 4: 70.0},
    }
    ranking = rank(samples, paired=True)
    (outlier,) = flags(ranking, "influential")
    rest = {name: {s: v for s, v in runs.items() if s != 4} for name, runs in samples.items()}
    assert outlier.seed == 4
    assert outlier.verdict_without == rank(rest, paired=True).verdict
    assert "a > b" in (outlier.verdict_without or "")


def test_duplicates_are_judged_by_the_resolution() -> None:
    rng = np.random.default_rng(4)
    coarse = {"a": rng.normal(60, 1, 40).round(1).tolist(), "b": [60.0, 61.1, 59.3]}
    assert flags(rank(coarse), "duplicate") == []
    fine = {"a": [60.1234, 61.2345, 60.1234], "b": [60.0, 61.1, 59.3]}
    (duplicate,) = flags(rank(fine), "duplicate")
    assert duplicate.value == 60.1234


def test_repeated_values_are_one_flag_with_the_verdict_without_any_repeat() -> None:
    base, ours = [90.047354, 90.625012, 90.496189, 89.534311], [90.470423, 90.469245, 91.549863]
    ours += [90.678769]
    once = {"base": base, "ours": ours}
    twice = {name: values * 2 for name, values in once.items()}
    assert rank(twice).verdict != rank(once).verdict
    (flag,) = flags(rank(twice), "duplicate")
    assert "every value appears twice" in flag.message
    assert flag.verdict_without == rank(once).verdict
    seeded = {name: dict(enumerate(values * 2)) for name, values in once.items()}
    paired = rank(seeded, paired=True)
    rest = rank({name: dict(enumerate(values)) for name, values in once.items()}, paired=True)
    assert flags(paired, "duplicate")[0].verdict_without == rest.verdict
    some = {"base": [*base, *base[:2]], "ours": ours}
    (flag,) = flags(rank(some), "duplicate")
    assert (flag.arm, "2 values appear more than once" in flag.message) == ("base", True)
    assert flag.verdict_without == rank(once).verdict


def test_coarse_values_that_all_appear_twice_are_flagged_where_chance_does_not_explain_it() -> None:
    def found(**samples: list[float]) -> list[str]:
        return [flag.message for flag in flags(rank(samples), "duplicate")]

    low, high = [90.0, 90.1, 90.2] * 2, [91.0, 91.1, 91.2] * 2
    (message,) = found(base=low, ours=high)
    assert "every value appears twice (ours: 91, 91.1, 91.2; base: 90, 90.1, 90.2)" in message
    assert found(base=low[:5], ours=high) == []
    assert found(base=[90.0, 90.1] * 2, ours=[91.0, 91.1] * 2) == []


@pytest.mark.parametrize("large", [1e5, 1e6, 1e7, 1e9])
def test_that_every_other_arm_is_constant_is_said_only_where_it_is(large: float) -> None:
    samples = {"base": [89.78, 90.26, 89.72, 90.16, large], "ours": [90.63, 91.24, 90.98, 91.43]}
    (outlier,) = flags(rank(samples, metric="loss"), "influential")
    assert outlier.value == large
    assert "constant" not in outlier.message
    assert "studentised residual" in outlier.message


def test_copied_arm() -> None:
    ranking = rank({"a": [60.1, 61.2, 59.9], "b": [61.2, 59.9, 60.1], "c": [50.0, 51.0, 53.0]})
    assert "a and b hold the same 3 values" in " ".join(f.message for f in ranking.flags)


def test_constant_arm() -> None:
    ranking = rank({"a": [60.0, 61.0, 62.0], "b": [59.5] * 4})
    (constant,) = flags(ranking, "constant")
    assert constant.arm == "b"
    assert constant.message.startswith("spread is zero: all 4 runs of b give 59.5")
    assert flags(ranking, "duplicate") == []


def test_granularity() -> None:
    samples = {"a": [60.01, 61.25, 59.999], "b": [50.0, 51.123456, float(np.float32(52.37))]}
    assert {f.value for f in flags(rank(samples, items=10_000), "granularity")} == {
        59.999,
        51.123456,
    }
    assert flags(rank(samples), "granularity") == []
    assert flags(rank(samples, items=10_000, unit=""), "granularity") == []
    # thirds of a percent, printed with two decimals
    assert flags(rank({"a": [33.33, 66.67, 50.0]}, items=300), "granularity") == []


def test_near_chance() -> None:
    samples = {"a": [60.0, 10.4, 61.0], "b": [58.0, 59.0, 11.5]}
    ranking = rank(samples, chance=10.0, items=10_000)
    assert [f.value for f in flags(ranking, "near-chance")] == [10.4]  # 3 SE are .9 points
    assert flags(rank(samples, items=10_000), "near-chance") == []


def test_conduct() -> None:
    samples = {"a": {1: 60.0, 2: 61.0, 3: 60.4}, "b": {1: 58.0, 2: 59.0, 3: 58.1}}
    conduct = Conduct(
        best_epoch=frozenset({("a", 2)}),
        tuning_trials={"a": 40},
        test_scorings={("b", 1): 3, ("b", 2): 1},
    )
    ranking = rank(samples, conduct=conduct)
    (best,) = flags(ranking, "best-epoch")
    assert (best.arm, best.seed, best.value) == ("a", 2, 61.0)
    assert best.verdict_without is not None
    (reuse,) = flags(ranking, "test-reuse")
    assert "scored 3 times" in reuse.message
    (tuning,) = flags(ranking, "tuning")
    assert (tuning.arm, "a 40, b 0" in tuning.message) == ("a", True)
    assert rank(samples).flags == ()


def test_dunnett_in_the_note_agrees_with_scipy() -> None:
    rng = np.random.default_rng(0)
    groups = [rng.normal(i / 3, 1, n) for i, n in enumerate((4, 9, 30, 3, 6))]
    samples = read_samples({str(i): g for i, g in enumerate(groups)})
    expected = stats.dunnett(*groups[1:], control=groups[0], rng=np.random.default_rng(1)).pvalue
    ours = [dunnett(samples, arm, 0) for arm in range(1, 5)]
    assert ours == pytest.approx(expected, abs=1e-3)  # scipy integrates by Monte Carlo
    tukey = stats.tukey_hsd(*groups).pvalue
    pairs = [(0, 1), (2, 4), (4, 0)]
    assert tukey_kramer(samples, pairs) == pytest.approx([tukey[p] for p in pairs], rel=1e-6)

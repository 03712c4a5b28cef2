"""What is accepted as a sample, and the descriptive statistics."""

import math
import re

import numpy as np
import pytest
from scipy import stats

import attnstudy
from attnstudy.errors import MeasurementError, UsageError
from attnstudy.stats import rank
from attnstudy.stats.samples import read_samples


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ({}, "nothing to rank"),
        ({"a": []}, "'a' has no values"),
        ({"a": [1.0, math.nan, 2.0]}, "'a' has nan at value 2"),
        ({"a": {3: math.inf, 1: 1.0}}, "'a' has inf at seed 3"),
        ({"a": [1.0, -1e301]}, "at value 2"),
        ({"a": "59.7"}, "are a text"),
        ({"a": ["x", 2.0]}, "not all numbers"),
        ({"a": 3.0}, "not a list"),
        ({"a": [[1.0, 2.0]]}, "not a list"),
        ({"a": {"one": 1.0}}, "'one': a seed is a whole number"),
        ({"a": {True: 1.0}}, "a seed is a whole number"),
        ({" ": [1.0]}, "cannot name an arm"),
        ({7: [1.0]}, "cannot name an arm"),
    ],
)
def test_refused(samples: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        rank(samples)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0.0}, "alpha is 0.0"),
        ({"alpha": 5}, "alpha is 5"),
        ({"alpha": math.nan}, "alpha is nan"),
        ({"margin": 0.0}, "margin is 0.0"),
        ({"margin": math.inf}, "margin is inf"),
        ({"correction": "tukey"}, "unknown correction 'tukey'"),
        ({"direction": "minimise"}, "did you mean 'minimize'"),
        ({"control": "vanila"}, "did you mean 'vanilla'"),
        ({"diverged": {"triple": 1}}, "'triple', which is not in the samples"),
        ({"diverged": {"double": -1}}, "-1 diverged runs"),
    ],
)
def test_refused_options(
    notebook: dict[str, list[float]], options: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        rank(notebook, **options)  # type: ignore[arg-type]


def test_percent_and_fractions_are_not_mixed(notebook: dict[str, list[float]]) -> None:
    with pytest.raises(UsageError, match=r"'late' has 0\.5811 .* in percent"):
        rank({**notebook, "late": [0.5811, 0.6162, 0.6021, 0.6146]})
    with pytest.raises(UsageError, match=r"'late' has 160\.2, which is no accuracy"):
        rank({**notebook, "late": [58.1, 160.2, 61.0]}, unit="points")
    for metric in ("f1", "val/mIoU"):  # from any source, without a text that shows its decimals
        with pytest.raises(MeasurementError, match=f"give every {metric} in percent"):
            rank({**notebook, "late": [0.5811, 0.6162, 0.6021, 0.6146]}, metric=metric)
    assert rank({**notebook, "late": [0.5811, 0.6162]}, metric="loss").unit == ""
    # a true tenth of a percent, as chance is with a thousand classes, is no fraction of these
    assert rank({**notebook, "late": [0.1, 0.1, 0.12]}).unit == "points"
    # nor is one percent, as chance is with a hundred
    assert rank({**notebook, "late": [1.0, 0.98, 1.0]}).unit == "points"


@pytest.mark.parametrize(
    ("metric", "values", "said"),
    [
        ("accuracy", [99.1, 101.2, 99.4], "has 101.2, and accuracy is at most 100 % or 1"),
        ("accuracy", [0.91, -0.91, 0.9], "has -0.91, and accuracy is at least 0"),
        ("val/top5_acc", [90.1, -3.0, 91.2], "has -3, and val/top5_acc is at least 0"),
        ("f1", [0.81, 1.7, 0.83], "has 1.7, and f1 is at most 1 as a fraction"),
        ("mIoU", [0.81, 8.3, 0.83], "has 8.3, and mIoU is at most 1 as a fraction"),
        ("roc_auc", [0.81, 1.02, 0.83], "has 1.02"),
        ("success rate", [71, 102, 88], "has 102"),
        ("R²", [0.9, 1.25, 0.95], "has 1.25, and R² is at most 1 as a fraction"),
        ("R2", [1.21, 1.25, 1.22], "has 1.25"),
        ("r_squared", [0.9, 101.0, 0.95], "has 101"),
        ("spearman", [0.9, -1.25, 0.95], "has -1.25, and spearman is at least -1"),
        ("mcc", [60.1, 100.5, 61.0], "has 100.5"),
        ("bleu", [30.1, 130.5, 31.0], "has 130.5"),
    ],
)  # fmt: skip
def test_values_that_a_metric_cannot_have_are_refused(
    metric: str, values: list[float], said: str
) -> None:
    with pytest.raises(MeasurementError, match=re.escape(f"arm 'b' {said}")):
        attnstudy.rank({"a": [values[0]] * 2, "b": values}, metric=metric)


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        *((name, [-0.4, 1.3, 2.1]) for name in (
            "acc_gain", "delta accuracy", "Δ accuracy", "ΔAcc", "accuracy drop", "relative F1",
            "accuracy loss", "normalized accuracy", "acc - baseline", "f1 improvement",
            "steps to accuracy", "acc_std", "score", "reward", "auc", "F", "log accuracy",
            "precision gap", "accuracy per GFLOP", "backward transfer accuracy")),
        ("R2", [-3.2, 0.4, 0.9]), ("R²", [71.0, 75.1, 80.2]), ("R² (%)", [1.25, 1.3, 0.9]),
        ("kappa", [-0.1, 0.4, 0.6]), ("mcc", [-2.1, 40.3, 60.2]), ("accuracy (%)", [0.8, 1.7, 1.1]),
        ("ece", [0.8, 1.7, 2.1]), ("bleu", [0.8, 1.7, 2.1]), ("wer", [0.4, 1.3, 130.0]),
        ("acc", [0.1, 76.1, 76.3]), ("acc", [1.0, 2.0, 3.0]), ("accuracy", [0.5, 0.9, 1.0000001]),
        ("accuracy", [0.0, 100.0, 50.0]), ("recall", [0.0, 0.5, 1.0]),
    ],
)  # fmt: skip
def test_values_that_a_metric_can_have_are_ranked(metric: str, values: list[float]) -> None:
    ranking = attnstudy.rank({"a": [values[0]] * 2, "b": values}, metric=metric)
    assert ranking.metric == metric


@pytest.mark.parametrize(
    ("scale", "metric", "unit"),
    [(1.0, "test_accuracy", "points"), (0.01, "test_accuracy", ""), (1.0, "loss", "")],
)
def test_unit_is_recognised(
    notebook: dict[str, list[float]], scale: float, metric: str, unit: str
) -> None:
    scaled = {name: [scale * v for v in values] for name, values in notebook.items()}
    ranking = rank(scaled, metric=metric)
    assert ranking.unit == unit
    assert ("points" in ranking.sentence) == (unit == "points")


def test_descriptives_agree_with_numpy_and_scipy() -> None:
    values = [61.2, 60.4, 63.9, 58.8, 60.0]
    ranking = rank({"b": [50.0, 51.0], "a": np.array(values)}, alpha=0.1)
    arm = ranking.arms[0]
    assert (arm.mean, arm.sd) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
    assert (arm.median, arm.min, arm.max) == (60.4, 58.8, 63.9)
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.9)
    assert (arm.ci_low, arm.ci_high) == pytest.approx((expected.low, expected.high))
    assert (ranking.arms[1].ci_low, ranking.arms[1].n) == (None, 2)


def test_seeds_are_kept_with_their_values() -> None:
    (sample,) = read_samples({"a": {np.int64(9): 3.0, 2: 1.0, 5: 2.0}})  # type: ignore[dict-item]
    assert sample.seeds == (2, 5, 9)
    assert sample.values.tolist() == [1.0, 2.0, 3.0]
    assert sample.by_seed() == {2: 1.0, 5: 2.0, 9: 3.0}


@pytest.mark.parametrize("paired", [False, True])
def test_what_rounding_makes_is_no_spread(paired: bool) -> None:
    rounded = {"A": dict(enumerate([0.1 + 0.2, 0.3, 0.3, 0.3])), "B": dict.fromkeys(range(4), 0.31)}
    ranking = rank(rounded, metric="m", paired=paired)
    assert ranking.pairs[0].verdict == "descriptive"
    assert ranking.pairs[0].hedges_g is None
    assert {arm.sd for arm in ranking.arms} == {0.0}
    # an honest spread of a millionth is one
    (pair,) = rank({"A": [0.300001, 0.3, 0.3, 0.3], "B": [0.31] * 4}, metric="m").pairs
    assert pair.verdict == "worse" or pair.verdict == "better"


@pytest.mark.parametrize("scale", [1e-200, 1e-160, 1.0, 1e160, 1e290])
def test_extreme_scales_change_nothing(scale: float) -> None:
    base = {"a": [1.0, 2.0, 4.0], "b": [3.0, 5.0, 9.0, 5.5]}
    scaled = rank({name: [scale * v for v in values] for name, values in base.items()}, metric="m")
    (expected,) = rank(base, metric="m").pairs
    (pair,) = scaled.pairs
    assert pair.p_adjusted == pytest.approx(expected.p_adjusted, rel=1e-9)
    assert pair.hedges_g == pytest.approx(expected.hedges_g, rel=1e-9)
    assert pair.ci_low == pytest.approx(scale * (expected.ci_low or 0.0), rel=1e-9)


def test_the_first_runs_of_an_arm_are_those_of_its_first_seeds_diverged_ones_among_them() -> None:
    (arm,) = read_samples({"a": {1: 1.0, 2: 2.0, 4: 4.0, 5: 5.0}}, {"a": {0, 3}})
    assert (arm.n, arm.diverged) == (4, 2)
    first = arm.first(3)
    assert (first.seeds, first.diverged, first.values.tolist()) == ((1, 2), 1, [1.0, 2.0])
    assert arm.first(6).seeds == (1, 2, 4, 5)
    assert arm.without(0).first(3).seeds == (2,)

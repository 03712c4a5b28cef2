"""Scope: new seeds and new test items."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from attnstudy.errors import UsageError
from attnstudy.stats import rank
from attnstudy.stats.comparisons.critical import Family
from attnstudy.stats.comparisons.pair_test import PairTest
from attnstudy.stats.evidence.images import _scope_pair, _Scores
from attnstudy.stats.samples import Sample


def predictions(
    rng: np.random.Generator,
    runs: int,
    images: int,
    *,
    shift: float = 0.0,
    seeds: float = 0.05,
    hardness: np.ndarray | None = None,
) -> np.ndarray:
    """Right or wrong by a probit model with a run effect and an image effect."""
    hardness = rng.normal(0, 1, images) if hardness is None else hardness
    run = rng.normal(0, seeds, (runs, 1))
    return rng.random((runs, images)) < ndtr(0.3 + shift + hardness + run)


def accuracies(correct: dict[str, np.ndarray]) -> dict[str, list[float]]:
    return {name: (100 * table.mean(axis=1)).tolist() for name, table in correct.items()}


def test_image_noise_does_not_say_that_differences_have_less_of_it() -> None:
    scope = rank({"a": [60.0, 61.0, 62.0]}, items=10_000).scope
    assert scope is not None
    assert "less" not in scope.message
    assert "fail on the same items" in scope.message


def test_accuracies_as_shares_are_taken_as_well_as_percent() -> None:
    rng = np.random.default_rng(4)
    correct = {"a": predictions(rng, 4, 200), "b": predictions(rng, 5, 200, shift=0.4)}
    shares = {name: (table.mean(axis=1)).tolist() for name, table in correct.items()}
    percent, share = (
        rank(values, correct=correct).scope for values in (accuracies(correct), shares)
    )
    assert percent is not None
    assert share is not None
    assert share.message == percent.message
    (of_percent,), (of_share,) = percent.pairs, share.pairs
    for name in ("difference", "se_seeds", "se_images", "se", "ci_low", "ci_high"):
        assert getattr(of_share, name) == pytest.approx(getattr(of_percent, name) / 100)
    assert of_share.df == pytest.approx(of_percent.df)


def test_components_by_brute_force() -> None:
    rng = np.random.default_rng(0)
    correct = {"a": predictions(rng, 4, 60), "b": predictions(rng, 5, 60, shift=0.4)}
    ranking = rank(accuracies(correct), correct=correct, items=60)
    assert ranking.scope is not None
    (pair,) = ranking.scope.pairs
    tables = [100.0 * correct[pair.a], 100.0 * correct[pair.b]]
    seeds, rest = 0.0, 0.0
    for table in tables:
        n, images = table.shape
        seeds += table.mean(axis=1).var(ddof=1) / n
        fitted = table.mean(axis=1)[:, None] + table.mean(axis=0)[None] - table.mean()
        rest += ((table - fitted) ** 2).sum() / ((n - 1) * (images - 1)) / (n * images)
    both = (tables[0].mean(axis=0) - tables[1].mean(axis=0)).var(ddof=1) / 60
    assert pair.se_seeds == pytest.approx(math.sqrt(seeds))
    assert pair.se_images == pytest.approx(math.sqrt(max(both - rest, 0.0)))
    assert pair.se == pytest.approx(math.sqrt(seeds + max(both - rest, 0.0)))
    assert pair.df is not None
    welch = float(stats.t.isf(0.025, pair.df))  # raised as much as that of the ranking
    variances = [table.mean(axis=1).var(ddof=1) / len(table) for table in tables]
    share, runs = np.array([variances[0] / sum(variances)]), [len(table) for table in tables]
    test = PairTest(share, np.array(runs[:1]), np.array(runs[1:]), 2)
    raised = test.critical(0.05)[0] / stats.t.isf(0.025, test.df[0])
    assert raised >= 1.0
    assert pair.ci_high - pair.difference == pytest.approx(welch * raised * pair.se, rel=2e-3)
    assert pair.difference == pytest.approx(ranking.pairs[0].difference)
    assert (pair.bootstrap_low, ranking.scope.images) == (None, 60)


def test_intervals_cover_new_seeds_and_new_images() -> None:
    """Normal seed, image and interaction effects on the scale of the scores themselves."""
    rng = np.random.default_rng(1)
    family = Family(2, 0.05)
    covered = seeds_only = 0
    studies = 1500
    for _ in range(studies):
        scores = []
        for n in (4, 6):
            table = rng.normal(0, 0.6, (n, 1)) + rng.normal(0, 5, 80) + rng.normal(0, 4, (n, 80))
            scores.append(_Scores.of(table))
        a, b = (Sample(v, s.table.mean(axis=1), None) for v, s in zip("ab", scores, strict=True))
        pair = _scope_pair((a, b), (scores[0], scores[1]), family, None)
        covered += pair.ci_low <= 0.0 <= pair.ci_high
        half = float(family.own(np.array(pair.df))) * pair.se_seeds
        seeds_only += bool(abs(pair.difference) <= half)
    assert covered / studies == pytest.approx(0.95, abs=0.02)
    assert seeds_only / studies < 0.9  # what seeds alone would cover


def test_bootstrap_only_from_twenty_runs_and_not_narrower() -> None:
    rng = np.random.default_rng(2)
    hard = rng.normal(0, 8, 400)  # most images are right or wrong in all runs
    correct = {
        "a": predictions(rng, 24, 400, seeds=0.5, hardness=hard),
        "b": predictions(rng, 22, 400, seeds=0.5, shift=0.5, hardness=hard),
        "c": predictions(rng, 19, 400, seeds=0.5, hardness=hard),
    }
    scope = rank(accuracies(correct), correct=correct).scope
    assert scope is not None
    ends = {(p.a, p.b): (p.bootstrap_low, p.bootstrap_high) for p in scope.pairs}
    assert sum(end == (None, None) for end in ends.values()) == 2
    (pair,) = [p for p in scope.pairs if p.bootstrap_low is not None]
    assert pair.bootstrap_low is not None
    assert pair.bootstrap_high is not None
    ratio = (pair.bootstrap_high - pair.bootstrap_low) / (pair.ci_high - pair.ci_low)
    assert 0.9 < ratio < 1.5
    again = rank(accuracies(correct), correct=correct).scope
    assert again == scope
    assert rank(accuracies(correct), correct=correct, seed=1).scope != scope


def test_shared_images_make_the_difference_surer_than_the_accuracy() -> None:
    rng = np.random.default_rng(3)
    hard = rng.normal(0, 3, 1000)
    correct = {v: predictions(rng, 5, 1000, hardness=hard) for v in "ab"}
    scope = rank(accuracies(correct), correct=correct).scope
    assert scope is not None
    assert scope.image_se is not None
    assert scope.pairs[0].se_images < 0.3 * scope.image_se


def test_without_predictions_the_binomial_error_is_told(notebook: dict[str, list[float]]) -> None:
    scope = rank(notebook, items=10_000).scope
    assert scope is not None
    assert scope.image_se == pytest.approx(math.sqrt(63.6875 * 36.3125 / 10_000))
    assert scope.pairs == ()
    assert rank(notebook).scope is None
    assert rank(notebook, items=10_000, unit="").scope is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("a"), "no predictions of 'a'"),
        (lambda c: c.update(a=c["a"][:3]), "one row for each of its 4 runs"),
        (lambda c: c.update(a=c["a"][:, :50]), "do not give the accuracies"),
        (lambda c: c.update(a=~c["a"]), "do not give the accuracies"),
        (lambda c: c.update(a=c["a"] * 2), "not all right"),
        (lambda c: c.update(a=np.repeat(c["a"], 2, axis=1)), "for 60 and 120 test items"),
    ],
)
def test_refused(change: object, message: str) -> None:
    rng = np.random.default_rng(4)
    correct = {"a": predictions(rng, 4, 60), "b": predictions(rng, 4, 60)}
    samples = accuracies(correct)
    change(correct)  # type: ignore[operator]
    with pytest.raises(UsageError, match=message):
        rank(samples, correct=correct)


def test_the_order_of_runs_is_free() -> None:
    rng = np.random.default_rng(5)
    correct = {"a": predictions(rng, 4, 60), "b": predictions(rng, 4, 60)}
    samples = accuracies(correct)
    turned = {name: table[::-1] for name, table in correct.items()}
    first, second = (rank(samples, correct=c).scope for c in (correct, turned))
    assert first is not None
    assert second is not None
    assert first.pairs[0].ci_low == pytest.approx(second.pairs[0].ci_low)

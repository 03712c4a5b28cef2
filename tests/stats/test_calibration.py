"""Calibration: permuted labels beside a simulation."""

import json
from itertools import permutations, product

import numpy as np
import pytest

from attnstudy.errors import UsageError
from attnstudy.stats import calibrate, calibration_words, rank
from attnstudy.stats.evidence.calibration import _rate


def test_equal_arms_keep_the_level() -> None:
    rng = np.random.default_rng(0)
    samples = {name: rng.normal(60, 1, 6).tolist() for name in "abcd"}
    result = calibrate(samples, replications=4000)
    for rate in (result.permuted, result.simulated):
        assert rate.replications == 4000
        assert rate.error == pytest.approx(np.sqrt(rate.rate * (1 - rate.rate) / 4000))
        assert 0.03 < rate.rate < 0.065
    assert not result.within_seed
    json.dumps(result.to_json(), allow_nan=False)


def test_it_is_seeded() -> None:
    samples = {"a": [1.0, 2.0, 4.0, 3.0], "b": [2.0, 2.5, 1.0, 0.3]}
    first, again, other = (calibrate(samples, replications=500, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_permuting_hides_what_pooled_tests_do_and_simulating_does_not() -> None:
    """The rates must be those of the data: own SDs in one, exchangeable arms in the other."""
    rng = np.random.default_rng(1)
    wide = {n: rng.normal(60, sd, 5).tolist() for n, sd in zip("abcd", (1, 1, 1, 8), strict=True)}
    result = calibrate(wide, replications=4000, correction="holm")
    assert 0.02 < result.simulated.rate < 0.06
    assert result.permuted.rate != result.simulated.rate


@pytest.mark.parametrize("method", ["control", "paired"])
def test_other_designs(method: str) -> None:
    rng = np.random.default_rng(2)
    base = rng.normal(60, 2, 8)
    samples = {n: dict(enumerate((base + rng.normal(0, 1, 8)).tolist())) for n in "abc"}
    result = calibrate(
        samples,
        replications=3000,
        control="a" if method == "control" else None,
        paired=method == "paired",
    )
    assert result.within_seed
    # Welch ignores the seeds' common part and becomes conservative, the paired test does not
    assert result.simulated.rate < 0.065
    if method == "paired":
        assert result.permuted.rate > 0.02
        assert result.simulated.rate > 0.02
    else:
        assert result.permuted.rate < 0.02


@pytest.mark.parametrize(
    ("samples", "options", "message"),
    [
        ({"a": [1.0, 2.0, 3.0]}, {}, "needs two arms"),
        ({"a": [1.0] * 3, "b": [1.0] * 3}, {}, "needs two arms"),
        ({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 4.0]}, {"replications": 0}, "at least 1"),
        ({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 4.0]}, {"control": "c"}, "'c' has no runs"),
    ],
)
def test_refused(samples: dict[str, list[float]], options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        calibrate(samples, **options)  # type: ignore[arg-type]


def test_a_control_with_too_few_values_is_told_so() -> None:
    samples = {"a": [1.0, 2.0, 4.0], "b": [2.0, 2.5, 1.0], "c": [3.0]}
    with pytest.raises(UsageError, match="'c' has too few values"):
        calibrate(samples, control="c", replications=10)


@pytest.mark.parametrize(
    ("rate", "exceeds", "said"),
    [
        # alpha .05, 10,000 replications: its standard error is .0022
        (0.0588, True, "above the promised 0.05 by more than the simulation's error"),
        (0.0530, False, "within the simulation's error of the promised 0.05"),
        (0.0500, False, "not above the promised 0.05"),
        (0.0, False, "not above the promised 0.05"),
    ],
)
def test_a_rate_above_what_is_promised_is_called_that(
    rate: float, exceeds: bool, said: str
) -> None:
    claims = np.zeros(10_000, dtype=bool)
    claims[: round(rate * 10_000)] = True
    found = _rate(0.05, iter([claims]), "nothing")
    assert (found.rate, found.exceeds) == (pytest.approx(rate), exceeds)
    assert found.reading.startswith(said)
    assert ("about 5.9 % of studies would claim a difference" in found.reading) == exceeds


def test_the_words_hold_both_answers_and_what_they_mean() -> None:
    rng = np.random.default_rng(0)
    result = calibrate({name: rng.normal(60, 1, 6).tolist() for name in "ab"}, replications=500)
    title, permuted, simulated = calibration_words(result)
    assert "promised: at most 0.05" in title
    assert result.permuted.reading in permuted
    assert result.simulated.reading in simulated


@pytest.mark.rest
def test_few_relabellings_are_counted_and_tried_and_judge_nothing() -> None:
    runs = {
        "a": {0: 61.0, 1: 61.2, 2: 61.1}, "b": {0: 60.2, 1: 60.0, 2: 60.3},
        "c": {0: 59.0, 1: 59.3, 2: 59.1},
    }  # fmt: skip
    result = calibrate(runs, replications=50)
    # (3!)^3 labellings within seeds, and 3! of them are one relabelling
    assert (result.relabellings, result.permuted.replications) == (36, 36)
    table = [list(one.values()) for one in runs.values()]
    claims = 0
    for orders in product(permutations(range(3)), repeat=3):
        arms = {
            name: [table[order[arm]][seed] for seed, order in enumerate(orders)]
            for arm, name in enumerate("abc")
        }
        found = rank(arms, metric="score", robust=False).pairs
        claims += any(pair.verdict in ("better", "worse") for pair in found)
    assert result.permuted.rate == pytest.approx(claims / 216)
    assert claims > 0
    assert not result.permuted.exceeds
    _, permuted, _ = calibration_words(result)
    assert f"({claims // 6} of all 36); only 36 relabellings" in permuted
    assert "only 36 relabellings of these runs exist: too few to tell" in permuted
    assert "±" not in permuted


@pytest.mark.parametrize(
    ("sizes", "control", "relabellings"),
    [
        ((3, 3, 3), None, 280), ((3, 3, 3), "a", 840), ((4, 4), None, 35), ((3, 5), None, 56),
        ((4, 4, 4), None, 5775),
    ],
)  # fmt: skip
def test_relabellings_that_the_design_tells_apart(
    sizes: tuple[int, ...], control: str | None, relabellings: int
) -> None:
    rng = np.random.default_rng(3)
    runs = {name: rng.normal(size=n).tolist() for name, n in zip("abc", sizes, strict=False)}
    result = calibrate(runs, control=control, replications=20)
    assert result.relabellings == relabellings
    assert result.permuted.replications == (relabellings if relabellings < 1000 else 20)


def test_a_permuted_rate_is_of_this_data_set_and_not_of_studies() -> None:
    claims = np.zeros(10_000, dtype=bool)
    claims[:588] = True
    said = _rate(0.05, iter([claims]), "nothing", relabellings=5775).reading
    assert "about 5.9 % of the relabellings of these runs claim a difference" in said
    assert "studies" not in said

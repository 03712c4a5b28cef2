"""The error rates of common practices, against published or independently simulated ones."""

import pytest

from benchmarks.calibration.practices import PRACTICES, measure_practice

# an independent simulation with scipy.stats alone (40,000 to 100,000 replications) gave these
EXPECTED = {
    "any uncorrected p < .05 among 4 arms, n = 5": 0.185,
    "pooled-variance Tukey, SDs 1:1:1:3, n = 5": 0.092,
    "percentile bootstrap of one difference, n = 5": 0.125,
    "one pair, a look after every seed, 3 to 10": 0.143,
    "one pair, a look after every seed, 3 to 30": 0.244,
    "Games-Howell of 4 arms, a look after every seed, 3 to 10": 0.180,
    "Games-Howell of 4 arms, a look after every seed, 3 to 30": 0.292,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_rate(name: str) -> None:
    rate = measure_practice(name, replications=4000).rate
    assert rate.value == pytest.approx(EXPECTED[name], abs=4 * rate.error)
    assert rate.value > 0.08


def test_every_practice_is_tested() -> None:
    assert PRACTICES.keys() == EXPECTED.keys()

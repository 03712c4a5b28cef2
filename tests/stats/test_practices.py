"""The error rates of common practices, against published or independently simulated ones."""

import pytest

from attnstudy.stats.practices import measure_practices

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


def test_rates() -> None:
    measured = {practice.name: practice for practice in measure_practices(replications=4000)}
    assert measured.keys() == EXPECTED.keys()
    for name, expected in EXPECTED.items():
        assert measured[name].rate == pytest.approx(expected, abs=4 * measured[name].error), name
        assert measured[name].rate > 0.08

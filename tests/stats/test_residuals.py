"""Externally studentised residuals, against statsmodels' regression diagnostics."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.stats.outliers_influence import OLSInfluence

from attnstudy.stats.evidence.residuals import Outlier, outliers
from attnstudy.stats.samples import Sample, read_samples

NOTEBOOK = [
    [59.77, 60.81, 57.70, 59.77],
    [59.39, 61.11, 60.81, 60.79],
    [58.11, 61.62, 60.21, 61.46],
    [67.7, 62.88, 61.76, 62.41],
]
EVERY = 2.0
"""A level that no p-value reaches: every value is given."""


def arms(rows: list[list[float]]) -> tuple[Sample, ...]:
    return read_samples({str(i): row for i, row in enumerate(rows)})


def spread_out() -> list[list[float]]:
    rng = np.random.default_rng(8)
    return [rng.normal(50.0 * i, sd, n).tolist() for i, (sd, n) in enumerate([(1, 3), (9, 20)])]


@pytest.mark.filterwarnings("ignore:The design matrix is rank-deficient")
@pytest.mark.parametrize(
    "rows",
    [
        NOTEBOOK,
        NOTEBOOK[1:],
        [[1.0, 2.0, 4.0], [7.0, 5.0]],
        [*NOTEBOOK, [60.0]],  # alone in its arm: no residual, and one value more to adjust for
        [[3.0, 3.0, 3.0], *NOTEBOOK],
        spread_out(),
    ],
)
def test_residuals_and_p_values_are_those_of_statsmodels(rows: list[list[float]]) -> None:
    values = np.concatenate(rows)
    sizes = list(map(len, rows))
    design = np.zeros((values.size, len(rows)))
    design[np.arange(values.size), np.repeat(range(len(rows)), sizes)] = 1.0
    fit = sm.OLS(values, design).fit()
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = OLSInfluence(fit).resid_studentized_external
        table = fit.outlier_test(method="bonferroni")
    expected = {}
    for (arm, index), t, row in zip(
        ((i, j) for i, n in enumerate(sizes) for j in range(n)), residual, table, strict=True
    ):
        if sizes[arm] > 1:
            expected[arm, index] = (t, min(1.0, row[1] * values.size))
    found = {(o.arm, o.index): (o.t, o.p) for o in outliers(arms(rows), EVERY)}
    assert found.keys() == expected.keys()
    for place, (t, p) in expected.items():
        assert found[place] == (pytest.approx(t, abs=1e-9), pytest.approx(p))


def test_the_notebooks_outlier() -> None:
    (found,) = outliers(arms(NOTEBOOK), 0.05)
    assert (found.arm, found.index) == (3, 0)
    assert found.p == pytest.approx(0.0385, abs=5e-5)


def test_the_unit_does_not_matter() -> None:
    huge = [[v * 1e297 for v in row] for row in NOTEBOOK]
    tiny = [[v * 1e-200 for v in row] for row in NOTEBOOK]
    expected = [o.t for o in outliers(arms(NOTEBOOK), EVERY)]
    for rows in (huge, tiny):
        assert [o.t for o in outliers(arms(rows), EVERY)] == pytest.approx(expected)


def test_without_spread_nothing_stands_out() -> None:
    assert list(outliers(arms([[1.0, 1.0], [2.0, 2.0]]), 0.05)) == []
    assert list(outliers(arms([[0.1] * 3, [0.7] * 6]), 0.05)) == []  # inexact in binary
    assert list(outliers(arms([[1.0], [2.0]]), 0.05)) == []
    assert list(outliers([], 0.05)) == []


def test_a_value_that_makes_all_of_the_spread_is_infinitely_far_out() -> None:
    up, down = ([[1.0] * 4 + [1.0 + gap], [2.0] * 4] for gap in (8.0, -8.0))
    assert list(outliers(arms(up), 0.05)) == [Outlier(0, 4, math.inf, 0.0)]
    assert list(outliers(arms(down), 0.05)) == [Outlier(0, 4, -math.inf, 0.0)]

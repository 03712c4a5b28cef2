"""The comparison with other tools: its counting is right, and the page says what came out.

Only scikit-posthocs is installed for the tests. What is done to make the others fast is held
against scipy here, and against themselves whenever they are run.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmarks.peers.counting import Counted, Peer, count
from benchmarks.peers.dominance import quantile_function
from benchmarks.peers.intervals import interquartile_mean, probability_of_improvement
from benchmarks.peers.ours import OURS
from benchmarks.peers.posthocs import posthocs
from benchmarks.peers.reports import separated
from benchmarks.peers.studies import BETTER, FIRST, NOISE, PAIRS, SECOND, SETTINGS
from benchmarks.peers.table import section

PAGE = Path(__file__).parent.parent / "docs" / "calibration.md"
FIVE = NOISE[0]
STUDIES = 120
RULES = (
    ("posthoc_ttest", None, None),
    ("posthoc_ttest", None, "ANOVA"),
    ("posthoc_tukey", None, None),
)


@pytest.fixture(scope="module")
def counted() -> list[Counted]:
    return count(posthocs(RULES), FIVE, STUDIES)


def t_test_claims(studies):
    return stats.ttest_ind(studies[:, FIRST], studies[:, SECOND], axis=2).pvalue < 0.05


def test_claims_are_counted_as_scipy_alone_counts_them(counted):
    studies = FIVE.draw(STUDIES)
    t_test = t_test_claims(studies)
    anova = stats.f_oneway(*np.moveaxis(studies, 1, 0), axis=1).pvalue < 0.05
    mean_square = studies.var(axis=2, ddof=1).mean(axis=1)
    q = np.ptp(studies.mean(axis=2), axis=1) / np.sqrt(mean_square / 5)
    tukey = q > stats.studentized_range.ppf(0.95, 4, 16)
    assert [one.false for one in counted] == [
        t_test.any(axis=1).sum(),
        (t_test.any(axis=1) & anova).sum(),
        tukey.sum(),
    ]
    assert counted[0].found == t_test[:, 0].sum()
    assert counted[0].rule == "`posthoc_ttest(x)`"
    assert counted[1].rule == "`posthoc_ttest(x)` after a significant ANOVA"


def test_claims_come_as_often_as_theory_says(counted):
    uncorrected, after_anova, tukey = (one.false / STUDIES for one in counted)
    # six tests of the same four arms: well above one at .05, below six independent ones, .265
    many = t_test_claims(FIVE.draw(40_000)).any(axis=1).mean()
    assert 0.18 < many < 1 - 0.95**6
    assert uncorrected == pytest.approx(many, abs=4 * np.sqrt(many * (1 - many) / STUDIES))
    error = np.sqrt(0.05 * 0.95 / STUDIES)
    assert tukey == pytest.approx(0.05, abs=4 * error)  # exact for equal SDs
    assert after_anova <= 0.05 + 4 * error  # no more than the ANOVA lets through


def test_our_own_row_keeps_its_promise_on_the_same_studies():
    for setting in NOISE:
        (one,) = count(OURS, setting, 5000)
        assert one.false / 5000 <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 5000), setting.name


def test_where_an_arm_is_better_only_claims_about_the_others_are_false():
    def everything(studies):
        return np.ones((len(studies), 1, len(PAIRS)), dtype=bool)

    def about_the_first(studies):
        return np.broadcast_to(FIRST == 0, (len(studies), 1, len(PAIRS)))

    found = [count(Peer("x", ("r",), rule, 1), BETTER, 7) for rule in (everything, about_the_first)]
    assert found == [[Counted("r", 7, 7, 7)], [Counted("r", 7, 0, 7)]]
    assert FIVE.equal.all()


def test_studies_are_those_of_their_setting_and_fewer_are_the_first_of_more():
    for setting in SETTINGS:
        studies = setting.draw(4000)
        np.testing.assert_array_equal(studies[:3], setting.draw(3))
        assert studies.shape == (4000, 4, setting.n)
        np.testing.assert_allclose(studies.std(axis=(0, 2)), setting.sds, rtol=0.05)
        np.testing.assert_allclose(studies.mean(axis=(0, 2)), [setting.shift, 0, 0, 0], atol=0.1)
    assert len({setting.draw(1)[0, 1, 0] for setting in SETTINGS}) == len(SETTINGS)


@pytest.mark.parametrize(
    ("report", "claimed"),
    [
        ("We failed to reject the null hypothesis.", set()),
        ("within the following groups: b, c, and d. All other differences are significant.",
         {"ab", "ac", "ad"}),
        ("within the following groups: a and b; b, d, and c. All other differences are",
         {"ac", "ad"}),
        ("we assume that all differences between the populations are significant.",
         {"ab", "ac", "ad", "bc", "bd", "cd"}),
    ],
)  # fmt: skip
def test_a_report_is_read_as_it_is_written(report, claimed):
    names = ["abcd"[i] + "abcd"[j] for i, j in PAIRS]
    assert {n for n, one in zip(names, separated(report), strict=True) if one} == claimed


@pytest.mark.parametrize("n", [5, 10, 30])
def test_what_makes_the_peers_fast_gives_their_numbers(n):
    x, y = np.random.default_rng(n).normal(size=(2, n))
    p = np.random.default_rng(1).uniform(size=500)
    expected = np.quantile(x, p, method="inverted_cdf")
    np.testing.assert_array_equal(quantile_function(x)(p), expected)
    assert quantile_function(x)(np.zeros(1)) == x.min()
    assert interquartile_mean(x[:, None]) == pytest.approx(stats.trim_mean(x, 0.25))
    y[0] = x[0]
    u = stats.mannwhitneyu(x, y, alternative="greater").statistic
    assert probability_of_improvement(x[:, None], y[:, None]) == pytest.approx(u / n**2)


def test_the_page_says_what_the_results_say():
    assert PAGE.read_text(encoding="utf-8").endswith(section())

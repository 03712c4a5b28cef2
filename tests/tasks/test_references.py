"""Over tasks: published examples, and the numbers of other programs beside their commands."""

from __future__ import annotations

import csv
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from attnstudy.stats import Design, Measurements
from attnstudy.stats.tasks import TaskMeasurements, rank_tasks
from attnstudy.stats.tasks.new_task import sign_p, signed_rank_p
from attnstudy.stats.tasks.posterior import signed_rank_posterior

# AUC of C4.5 and three ways to tune it: Demsar (2006), table 6. On voting the last two are printed
# alike and ranked 2 and 3.
DEMSAR = """\
adult .763 .768 .771 .798
breast-cancer .599 .591 .590 .569
breast-cancer-wisconsin .954 .971 .968 .967
cmc .628 .661 .654 .657
ionosphere .882 .888 .886 .898
iris .936 .931 .916 .931
liver-disorders .661 .668 .609 .685
lung-cancer .583 .583 .563 .625
lymphography .775 .838 .866 .875
mushroom 1.000 1.000 1.000 1.000
primary-tumor .940 .962 .965 .962
rheum .619 .666 .614 .669
voting .972 .981 .975 .9749
wine .957 .978 .946 .970
"""
ARMS = ("C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf")


def single(rows, metric="AUC", direction="maximize"):
    """Return what was measured where every cell has one value; rows: task -> arm -> value."""
    return {
        task: TaskMeasurements(
            measured=Measurements(samples={arm: [value] for arm, value in cells.items()}),
            direction=direction,
            metric=metric,
        )
        for task, cells in rows.items()
    }


def demsar():
    lines = (line.split() for line in DEMSAR.splitlines())
    return {t: dict(zip(ARMS, map(float, values), strict=True)) for t, *values in lines}


def classifiers():
    with (Path(__file__).parent / "classifiers.csv").open(newline="") as file:
        rows = {row.pop("dataset"): row for row in csv.DictReader(file)}
    return {task: {arm: float(v) for arm, v in row.items()} for task, row in rows.items()}


def test_mean_ranks_friedman_and_nemenyi_as_published():
    """Demsar (2006), pages 15 to 16: mean ranks, chi-squared, F, critical difference at 0.10."""
    ranking = rank_tasks(single(demsar()), Design(metric="AUC", alpha=0.10), scale="metric")
    ranks = {arm.name: arm.mean_rank for arm in ranking.arms}
    assert ranks == pytest.approx(
        {"C4.5": 3.143, "C4.5+m": 2.000, "C4.5+cf": 2.893, "C4.5+m+cf": 1.964}, abs=5e-4
    )
    found = ranking.mean_ranks
    assert found.critical_difference == pytest.approx(1.12, abs=0.005)
    # the paper's chi-squared of 9.28 is not corrected for ties; scipy's and R's friedman.test are
    table = np.array([[row[arm] for arm in ARMS] for row in demsar().values()])
    assert found.friedman == pytest.approx(stats.friedmanchisquare(*table.T).statistic)
    uncorrected = 12 * 14 / (4 * 5) * sum((r - 2.5) ** 2 for r in ranks.values())
    assert uncorrected == pytest.approx(9.28, abs=0.01)


def test_signed_ranks_of_two_classifiers_as_published():
    """Demsar (2006), table 2: C4.5 with and without tuning m, R+ = 93 and R- = 12 of 14."""
    rows = demsar()
    gaps = np.array([row["C4.5+m"] - row["C4.5"] for row in rows.values()]).round(3)
    ranks = stats.rankdata(np.abs(gaps))
    zero = ranks[gaps == 0].sum() / 2
    assert (ranks[gaps > 0].sum() + zero, ranks[gaps < 0].sum() + zero) == (93.0, 12.0)
    assert signed_rank_p(gaps) < 0.05
    (pair,) = rank_tasks(
        single({t: {a: r[a] for a in ARMS[:2]} for t, r in rows.items()}), Design(metric="AUC")
    ).new.pairs
    assert (pair.a, pair.wins, pair.ties, pair.losses) == ("C4.5+m", 10, 2, 2)
    assert pair.verdict == "better"


def test_signed_ranks_are_exact_with_ties_by_enumeration():
    rng = np.random.default_rng(0)
    for size in range(1, 11):
        gaps = rng.integers(-3, 4, size).astype(float)
        left = gaps[gaps != 0]
        ranks = stats.rankdata(np.abs(left))
        seen = abs((np.sign(left) * ranks).sum())
        sums = [abs((np.array(s) * ranks).sum()) for s in product((-1, 1), repeat=left.size)]
        expected = np.mean([one >= seen - 1e-9 for one in sums])
        assert signed_rank_p(gaps) == pytest.approx(expected)


@pytest.mark.parametrize("size", [3, 6, 9, 14, 25, 60, 199])
def test_signed_ranks_without_ties_are_those_of_scipy(size):
    gaps = np.random.default_rng(size).normal(0.3, 1, size)
    assert signed_rank_p(gaps) == pytest.approx(stats.wilcoxon(gaps, method="exact").pvalue)


def test_beyond_what_is_counted_out_it_is_the_normal_approximation():
    gaps = np.random.default_rng(1).normal(0.1, 1, 300)
    assert signed_rank_p(gaps) == pytest.approx(stats.wilcoxon(gaps, method="approx").pvalue)
    exact = stats.wilcoxon(gaps[:200], method="exact").pvalue
    assert signed_rank_p(gaps[:200]) == pytest.approx(exact)


def test_signs():
    assert sign_p(np.array([1.0, 1, 1, 1, 1, 1, 0])) == pytest.approx(2 / 64)
    assert sign_p(np.zeros(4)) == 1.0


def test_pairs_over_tasks_are_tested_as_by_scikit_posthocs():
    posthocs = pytest.importorskip("scikit_posthocs")
    rows = classifiers()
    ranking = rank_tasks(single(rows, "accuracy"), Design(metric="accuracy"))
    arms = list(next(iter(rows.values())))
    table = np.array([[row[arm] for arm in arms] for row in rows.values()])
    nemenyi = posthocs.posthoc_nemenyi_friedman(table).to_numpy()
    ranks = {arm.name: arm.mean_rank for arm in ranking.arms}
    for i, j in combinations(range(5), 2):
        beyond = abs(ranks[arms[i]] - ranks[arms[j]]) > ranking.mean_ranks.critical_difference
        assert beyond == (nemenyi[i, j] < 0.05)
    assert ranking.mean_ranks.friedman == pytest.approx(stats.friedmanchisquare(*table.T).statistic)
    # Wilcoxon with Holm: scipy's exact p where no two differences are tied, else within its
    # approximation
    for pair in ranking.new.pairs:
        gaps = np.array([row[pair.a] - row[pair.b] for row in rows.values()])
        assert pair.wins + pair.ties + pair.losses == 54
        assert signed_rank_p(gaps) == pytest.approx(stats.wilcoxon(gaps).pvalue, rel=0.2, abs=2e-3)


def test_a_task_that_is_there_twice_is_named():
    ranking = rank_tasks(single(classifiers(), "accuracy"), Design(metric="accuracy"))
    (note,) = [note for note in ranking.notes if "very same values" in note]
    assert note.startswith("credit and credit-again hold")


def test_what_is_believed_of_two_classifiers_as_baycomp_documents_it():
    """baycomp's documentation: two_on_multiple(nbc, j48, rope=1) = (0.230, 0.007, 0.763)."""
    rows = classifiers()
    gaps = np.array([row["j48"] - row["nbc"] for row in rows.values()])
    found = signed_rank_posterior(gaps, 1.0, seed=0)
    assert (found.b_better, found.equivalent, found.a_better) == pytest.approx(
        (0.230, 0.007, 0.763), abs=0.02
    )


@pytest.mark.parametrize(
    ("size", "margin", "expected"),
    [  # baycomp 1.0.3: SignedRankTest.probs(zeros, gaps, margin, nsamples=20000, random_state=1)
        (8, 0.5, (0.0002, 0.216, 0.7838)),
        (12, 1.0, (0.0, 0.99995, 0.00005)),
        (30, 0.2, (0.0113, 0.0, 0.9887)),
        (14, 0.0, (0.08915, 0.0, 0.91085)),
        (54, 0.5, (0.0, 0.23325, 0.76675)),
    ],
)
def test_what_is_believed_is_what_baycomp_says(size, margin, expected):
    rng = np.random.default_rng(1)
    for known in (8, 12, 30, 14, 54):
        gaps = np.round(rng.normal(0.5, 1, known), 2)
        if known == size:
            break
    found = signed_rank_posterior(gaps, margin, seed=0)
    assert (found.b_better, found.equivalent, found.a_better) == pytest.approx(expected, abs=0.015)


def test_mean_ranks_of_the_worked_example_of_autorank():
    """autorank 1.3.0, examples/example.py: six populations of 50, seed 42.

    autorank(data).pvalue, .cd and .rankdf.meanrank; its studentised range is an approximation.
    """
    drawn = np.random.RandomState(42)
    means = (0.2, 0.3, 0.5, 0.8, 0.85, 0.9)
    columns = [drawn.normal(mean, 0.3, 50).clip(0, 1) for mean in means]
    rows = {
        f"row {i}": {f"pop_{j}": float(column[i]) for j, column in enumerate(columns)}
        for i in range(50)
    }
    ranking = rank_tasks(single(rows, "score"), Design(metric="score"))
    assert ranking.mean_ranks.friedman_p == pytest.approx(2.3412212612346733e-28, rel=1e-9)
    assert ranking.mean_ranks.critical_difference == pytest.approx(1.0662484349869374, rel=5e-5)
    assert {arm.name: arm.mean_rank for arm in ranking.arms} == pytest.approx(
        {"pop_0": 5.40, "pop_1": 4.71, "pop_2": 3.95, "pop_3": 2.47, "pop_4": 2.29, "pop_5": 2.18}
    )

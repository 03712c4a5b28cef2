"""What the data say against normal runs and equal spreads: no more often than promised."""

import numpy as np
import pytest
from scipy import stats

from attnstudy.stats import rank
from attnstudy.stats.evidence.normality import shape_of
from attnstudy.stats.evidence.spreads import compare_spreads
from attnstudy.stats.samples import Sample

Samples = dict[str, list[float]]

_STUDIES = 2000


def arms(rng: np.random.Generator, sizes: tuple[int, ...], kind: str) -> list[Sample]:
    drawn = []
    for arm, n in enumerate(sizes):
        noise = rng.normal(size=n)
        if kind == "lognormal":
            noise = np.exp(noise)
        elif kind == "outliers":
            noise = noise - 10.0 * (rng.random(n) < 0.05)
        drawn.append(Sample(f"v{arm}", 60.0 + (1.0 + 2.0 * arm) * noise, None))
    return drawn


def rate(sizes: tuple[int, ...], kind: str, studies: int) -> float:
    rng = np.random.default_rng([*map(ord, kind), *sizes])  # a stream of its own for each
    found = (shape_of(arms(rng, sizes, kind)) for _ in range(studies))
    return sum(shape is not None and shape.suspicious for shape in found) / studies


@pytest.mark.parametrize("sizes", [(5, 5), (5, 5, 5, 5), (10, 10, 10, 10), (3, 3, 30, 30)])
def test_normal_runs_are_doubted_no_more_often_than_one_time_in_a_hundred(
    sizes: tuple[int, ...],
) -> None:
    # SDs of 1 to 7, which are not what is asked; three standard errors above .01
    assert rate(sizes, "normal", _STUDIES) <= 0.01 + 3.0 * (0.01 * 0.99 / _STUDIES) ** 0.5


@pytest.mark.parametrize(
    ("sizes", "kind", "least"),
    [
        ((10,) * 4, "lognormal", 0.8), ((30,) * 4, "lognormal", 0.99), ((5,) * 4, "lognormal", 0.2),
        ((10,) * 4, "outliers", 0.5), ((30,) * 4, "outliers", 0.9),
    ],
)  # fmt: skip
def test_skewed_runs_and_outliers_are_seen_often(
    sizes: tuple[int, ...], kind: str, least: float
) -> None:
    assert rate(sizes, kind, 300) > least


def test_the_moments_are_those_of_scipy() -> None:
    values = np.array([0.3, 0.1, 1.9, 0.7, 0.2, 5.0, 0.4])
    shape = shape_of([Sample("a", 1e9 * values, None)])
    assert shape is not None
    assert shape.skewness == pytest.approx(stats.skew(values))
    assert shape.tails == pytest.approx(stats.kurtosis(values, fisher=False))
    assert shape.usual_tails == pytest.approx(3 * 6 / 8, rel=0.02)  # 3 (n - 1) / (n + 1)


def test_the_answer_does_not_depend_on_the_order_of_the_arms() -> None:
    drawn = arms(np.random.default_rng(7), (5, 9, 4, 30), "lognormal")
    assert shape_of(drawn) == shape_of(drawn[::-1])
    assert shape_of([Sample("a", np.full(5, 60.0), None)]) is None


def test_a_ranking_says_what_it_assumes_and_where_the_data_cast_doubt_on_it() -> None:
    rng = np.random.default_rng(11)
    sound = rank({name: rng.normal(60.0, 1.0, 10) for name in "abc"})
    (assumed,) = [note for note in sound.notes if "roughly normal" in note]
    assert "which do not assume it, agree on 2 pairs and disagree on 1 pair" in assumed
    assert not any("cast doubt" in note for note in sound.notes)
    skewed = rank({name: 50.0 - np.exp(rng.normal(0.0, 1.2, 30)) for name in "abc"})
    (doubt,) = [note for note in skewed.notes if "cast doubt" in note]
    assert "skewed towards low values" in doubt


def test_an_outlier_is_a_doubt_too(notebook: Samples) -> None:
    (doubt,) = [note for note in rank(notebook).notes if "cast doubt" in note]
    assert "1 value stands out" in doubt


def test_a_difference_that_leans_on_normal_runs_is_named() -> None:
    # some runs of b lie far out, and pull its mean more than its ranks
    near = np.linspace(-0.2, 0.2, 30)
    ranking = rank({"a": near, "b": np.append(near[2:28], [2.0] * 4)}, metric="score")
    (doubt,) = [note for note in ranking.notes if "cast doubt" in note]
    assert "; the difference b − a rests on that assumption" in doubt
    # three runs per arm: no permutation test can decide, so none speaks against the difference
    few = {"a": [90.0, 90.1, 90.2], "b": [50.0, 50.1, 50.15], "c": [10.0, 10.1, 14.0]}
    (doubt,) = [note for note in rank(few, metric="score").notes if "cast doubt" in note]
    assert "a − b" not in doubt


def test_seed_differences_are_what_a_paired_analysis_assumes_normal() -> None:
    rng = np.random.default_rng(3)
    table = {name: dict(enumerate(rng.normal(60.0, 1.0, 8))) for name in "ab"}
    notes = rank(table, paired=True).notes
    assert any(n.startswith("differences between runs with the same seed are") for n in notes)


def test_the_spreads_are_compared_by_f_tests(notebook: Samples) -> None:
    samples = [Sample(name, np.array(values), None) for name, values in notebook.items()]
    found = compare_spreads(samples)
    assert found is not None
    sds = {name: np.std(values, ddof=1) for name, values in notebook.items()}
    f = (sds["double"] / sds["early"]) ** 2
    assert found.p == pytest.approx(min(1.0, 6 * 2 * stats.f.sf(f, 3, 3)))
    assert (found.large.arm, found.small.arm, found.differ) == ("double", "early", False)


def test_equal_spreads_are_called_unequal_no_more_often_than_one_time_in_twenty() -> None:
    rng = np.random.default_rng(list(b"equal spreads"))
    studies = 3000
    wrong = sum(
        found is not None and found.differ
        for found in (
            compare_spreads([Sample(str(i), rng.normal(size=5), None) for i in range(4)])
            for _ in range(studies)
        )
    )
    assert wrong / studies <= 0.05 + 3.0 * (0.05 * 0.95 / studies) ** 0.5


def test_pooled_methods_are_blamed_for_unequal_sds_only_where_these_are_shown(
    notebook: Samples,
) -> None:
    (said,) = [n for n in rank(notebook).notes if "pooled-variance" in n]
    assert "with 4 runs per arm this study cannot tell whether the SDs are equal" in said
    (flag,) = [f for f in rank(notebook).flags if f.kind == "sd-ratio"]
    assert "which chance may explain with so few runs" in flag.message
    wide = {
        "a": [0.1, 0.12, 0.11, 0.1], "b": [0.2, 0.22, 0.21, 0.23], "c": [0.3, 0.1, 0.2, 0.3],
    }  # fmt: skip
    ranking = rank(wide, metric="val_loss", direction="minimize")
    (said,) = [n for n in ranking.notes if "pooled-variance" in n]
    assert "these differ 10.0-fold, more than chance explains (F tests, p = .010)" in said
    (flag,) = [f for f in ranking.flags if f.kind == "sd-ratio"]
    assert "more than chance explains (F tests, p = .010), so methods that assume" in flag.message


def test_each_arm_is_held_against_the_spread_of_its_own_independent_errors() -> None:
    # sqrt(p (100 - p) / 360): 2.41 points at 70 %, 0.53 at 99 %
    runs = {
        "wide": [98.0, 99.5, 99.9, 98.6, 99.0], "narrow": [70.0, 71.0, 69.5, 70.3, 70.6],
    }  # fmt: skip
    (note,) = [n for n in rank(runs, items=360).notes if "independent errors" in n]
    assert "(wide 0.74 against 0.52)" in note
    assert "narrow" not in note
    assert "chance may explain" in note


def test_the_sentence_itself_says_that_a_claim_assumes_what_the_runs_contradict() -> None:
    rng = np.random.default_rng(11)
    skewed = {name: at - np.exp(rng.normal(0.0, 1.2, 30)) for name, at in (("a", 60), ("b", 40))}
    said = "; the runs are skewed, and these claims assume roughly normal runs."
    assert rank(skewed).sentence.endswith(said)
    level = {name: 50.0 - np.exp(rng.normal(0.0, 1.2, 30)) for name in "ab"}
    assert "roughly normal" not in rank(level).sentence  # nothing is claimed
    sound = {name: rng.normal(at, 1.0, 10) for name, at in (("a", 60), ("b", 40))}
    assert "roughly normal" not in rank(sound).sentence


def test_why_the_primary_test_leaves_open_what_others_decide() -> None:
    runs = {"a": [1.0, 2.0, 3.0, 4.0, 5.1], "b": [10.0, 11.0, 12.0, 13.0, 60.0]}
    ranking = rank(runs, metric="score")
    robust = ranking.pairs[0].robust
    assert robust is not None
    assert (ranking.pairs[0].verdict, robust.answer) == ("undecided", "disagrees")
    (why,) = [note for note in ranking.notes if "conservative" in note]
    assert why.startswith("b − a: another test claims a difference and the primary one does not")
    assert "few or unequal runs" in why
    assert "the verdict always follows the primary test" in why
    runs["b"][-1] = 14.0
    assert not any("conservative" in note for note in rank(runs, metric="score").notes)

"""What ``attnstudy.rank`` hands to who works at Python's prompt: text, frames, figures."""

from __future__ import annotations

import decimal
import doctest
import fractions
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import attnstudy
from attnstudy.errors import DataError, UsageError
from attnstudy.stats import Ranking

RUNS = {
    "base": [91.1, 91.3, 91.2, 91.0],
    "ours": [92.1, 92.4, 92.2, 92.3],
    "few": [91.0, float("nan")],
}


@pytest.fixture(scope="module")
def ranking():
    return attnstudy.rank(RUNS, metric="accuracy")


def test_the_text_has_verdict_arms_and_pairs(ranking):
    lines = repr(ranking).splitlines()
    assert lines[0] == "Ranking of 3 arms by accuracy, maximized, exploratory"
    assert lines[1] == f"Verdict: {ranking.verdict}"
    assert lines[
        2
    ] == "the data: read as 3 arms (column arm: base, ours, few), 2 to 4 runs each, " + (
        "metric accuracy"
    )
    rows = [line.split() for line in lines[3:]]
    assert ["arm", "n", "mean", "SD", "diverged"] in rows
    assert ["ours", "4", "92.25", "0.1291", "0"] in rows
    assert ["few", "1", "91", "–", "1"] in rows
    pair = next(p for p in ranking.pairs if {p.a, p.b} == {"ours", "base"})
    assert ["ours", "−", "base", "+1.1", "[+0.8766,", "+1.323]", f"{pair.p_adjusted:.3g}",
            "better"] in rows  # fmt: skip
    assert len(lines) == 3 + 1 + 4 + 1 + 4
    assert max(map(len, lines)) <= 100


def test_of_many_pairs_the_text_has_the_first():
    rng = np.random.default_rng(3)
    arms = {f"arm {i}": list(rng.normal(i, 1, 3)) for i in range(8)}
    text = repr(attnstudy.rank(arms, metric="score"))
    assert text.count("arm 7 − arm") == 7
    assert text.endswith("... and 8 more pairs: to_frame() has all")


def test_frames_have_the_fields_of_the_json(ranking):
    pairs, arms = ranking.to_frame(), ranking.to_frame("arms")
    assert len(pairs) == 3
    assert list(arms["variant"]) == [arm.name for arm in ranking.arms]
    told = ranking.to_json()
    for frame, rows in ((pairs, told["pairs"]), (arms, told["arms"])):
        for (_, row), of in zip(frame.iterrows(), rows, strict=True):
            for name in frame.columns:
                assert (row[name] == of[name]) or (of[name] is None and pd.isna(row[name]))
    assert pairs["difference"].dtype.kind == arms["mean"].dtype.kind == "f"
    with pytest.raises(UsageError, match="ask for 'pairs' or 'arms'"):
        ranking.to_frame("flags")


def test_the_json_is_as_before(ranking):
    assert Ranking.from_json(ranking.to_json()) == ranking


def test_figures_are_returned_and_written(ranking, tmp_path):
    found = attnstudy.figures(ranking, tmp_path / "figures")
    assert {"runs", "differences"} <= set(found)
    written = {path.name for path in (tmp_path / "figures").iterdir()}
    assert written == {f"{name}.{kind}" for name in found for kind in ("svg", "png", "pdf")}
    assert set(attnstudy.figures(ranking)) == set(found)


def test_a_group_of_one_column_is_called_as_the_column():
    frame = pd.DataFrame(
        {"method": ["a"] * 3 + ["b"] * 3, "loss": [0.5, 0.6, 0.55, 0.2, 0.25, 0.3]}
    )
    group = frame.groupby("method")["loss"]
    ranking = attnstudy.rank(group)
    assert (ranking.metric, ranking.direction, ranking.arms[0].name) == ("loss", "minimize", "b")
    assert attnstudy.rank(group, metric="loss").metric == "loss"
    with pytest.raises(UsageError, match="the groupby is of the column 'loss'"):
        attnstudy.rank(group, metric="gain")
    nameless = frame["loss"].rename(None).groupby(frame["method"])
    named = attnstudy.rank(nameless, metric="gain")
    assert (named.metric, named.direction) == ("gain", "maximize")
    frame.loc[0, "loss"] = float("nan")
    group = frame.groupby("method")["loss"]
    with pytest.raises(Exception, match="missing='diverged' or 'absent'"):
        attnstudy.rank(group)
    assert [arm.diverged for arm in attnstudy.rank(group, missing="diverged").arms] == [0, 1]


BASE, OURS = RUNS["base"], RUNS["ours"]
FRAME = pd.DataFrame(
    {"model": ["a"] * 4 + ["b"] * 4, "seed": [0, 1, 2, 3] * 2, "acc": [*BASE, *OURS]}
)


def values(ranking):
    return {arm.name: list(arm.values) for arm in ranking.arms}


def test_an_index_of_names_is_a_column_and_one_of_numbers_is_none():
    wide = pd.DataFrame({"base": BASE, "ours": OURS}, index=["cifar", "svhn", "mnist", "stl"])
    with pytest.raises(UsageError, match="one row per arm"):
        attnstudy.rank(wide)
    wide.index = [7, 3, 5, 1]
    assert values(attnstudy.rank(wide)) == {"base": BASE, "ours": OURS}
    arms = FRAME.set_index(pd.Index(list("aaaabbbb"))).drop(columns="model")
    for frame in (arms, FRAME.set_index("model"), FRAME.set_index(["model", "seed"]),
                  FRAME.set_index("model", drop=False)):  # fmt: skip
        assert values(attnstudy.rank(frame)) == {"a": BASE, "b": OURS}
    other = FRAME.set_index(pd.Index(list("abcdefgh"), name="model"))
    with pytest.raises(UsageError, match="two columns of the data are called 'model'"):
        attnstudy.rank(other)


def test_names_that_are_one_as_text_are_refused():
    for names in (["a", "b", "a"], [1, "1", "a"], [("a", "b"), "a b", "c"]):
        frame = pd.DataFrame([[1.5, 2.5, 3.5], [1.6, 2.6, 3.4]])
        frame.columns = pd.Index(names, dtype=object, tupleize_cols=False)
        with pytest.raises(UsageError, match="two columns of the data are called"):
            attnstudy.rank(frame)
    with pytest.raises(UsageError, match="two arms of the data are called '1'"):
        attnstudy.rank({1: BASE, "1": OURS})


@pytest.mark.parametrize(
    "columns",
    [
        {"seed": [0, 1, 2, 3]},
        {"fold": [0, 1, 2, 3]},
        {"epoch": [1, 2, 3, 4]},
        {"Lauf": ["1", "2", "3", "4"]},
        {"dataset": ["cifar", "svhn", "mnist", "stl"]},
        {"model": ["a", "a", "b", "b"]},
    ],
)
def test_a_mapping_of_columns_is_no_mapping_of_arms(columns):
    with pytest.raises(UsageError, match=r"give pandas.DataFrame\(...\) of it"):
        attnstudy.rank({**columns, "base": BASE, "ours": OURS})


def test_an_arm_may_be_called_as_a_column():
    ranking = attnstudy.rank({"step": BASE, "cosine": OURS}, metric="acc")
    assert values(ranking) == {"step": BASE, "cosine": OURS}


@pytest.mark.parametrize(
    "of",
    [
        iter,
        lambda runs: (value for value in runs),
        lambda runs: map(float, runs),
        tuple,
        np.array,
        pd.Series,
        lambda runs: [np.array(value) for value in runs],
        lambda runs: [np.str_(value) for value in runs],
        lambda runs: [decimal.Decimal(str(value)) for value in runs],
        lambda runs: [fractions.Fraction(str(value)) for value in runs],
        lambda runs: dict(enumerate(runs)),
        lambda runs: {np.int64(i): np.float64(value) for i, value in enumerate(runs)},
    ],
)
def test_values_of_many_kinds_are_read(of):
    given = {"base": of(BASE), "ours": of(OURS)}
    assert values(attnstudy.rank(given, metric="acc")) == {"base": BASE, "ours": OURS}


def test_columns_of_many_kinds_are_read():
    kinds = [
        FRAME.assign(acc=[decimal.Decimal(str(value)) for value in FRAME["acc"]]),  # type: ignore[misc]
        FRAME.assign(acc=[np.str_(value) for value in FRAME["acc"]]),
        FRAME.assign(acc=[np.array(value) for value in FRAME["acc"]]),  # type: ignore[misc]
        FRAME.assign(date=pd.Timestamp("2026-01-01")),
        FRAME.assign(date=[np.datetime64("2026-01-01")] * 8),
    ]
    for frame in kinds:
        assert values(attnstudy.rank(frame)) == {"a": BASE, "b": OURS}
    numbered = FRAME.set_axis([0, 1, 2], axis=1)
    for zero in (0, np.int64(0), [0]):
        ranking = attnstudy.rank(numbered, by=zero, seed=1, metric=2)  # type: ignore[arg-type]
        assert values(ranking) == {"a": BASE, "b": OURS}


def test_series_by_arm_are_lists_of_runs():
    by_arm = {name: group["acc"] for name, group in FRAME.groupby("model")}
    assert values(attnstudy.rank(by_arm, metric="acc")) == {"a": BASE, "b": OURS}
    by_arm["a"] = by_arm["a"].replace(91.1, float("nan"))
    with pytest.raises(DataError, match="missing='diverged' or 'absent'"):
        attnstudy.rank(by_arm, metric="acc")


NO_RESULTS = (
    ({"a": np.ones((4, 3)), "b": np.ones((4, 3))}, "several values where a run has one"),
    ({"a": [[1.5], [1.6]], "b": [[2.5], [2.6]]}, "several values where a run has one"),
    ({"a": {"acc": BASE}, "b": {"acc": OURS}}, "several values where a run has one"),
    ({"a": np.array(1.5), "b": BASE}, "a single number"),
    ({"a": FRAME, "b": FRAME}, "a whole table"),
    ({"a": [True, False], "b": [True, True]}, "'True', not a number"),
    ({"a": [np.datetime64("2026-01-01")] * 2, "b": BASE}, "'2026-01-01', not a number"),
    (FRAME.assign(acc=[np.ones(2)] * 8), "no column of results"),  # type: ignore[list-item]
    (FRAME.assign(model=[None, *"aaabbbb"]).groupby("model")["acc"], "leaves out 1 row"),
    (
        pd.DataFrame(
            [[1.5, 2.5, 3.5, 4.5]] * 2,
            columns=pd.MultiIndex.from_product([["cifar", "svhn"], ["base", "ours"]]),
        ),
        "several groups of columns",
    ),
)  # frames are no parameters, as they do not compare


@pytest.mark.parametrize("number", range(len(NO_RESULTS)))
def test_values_that_are_no_results_are_refused(number):
    data, said = NO_RESULTS[number]
    with pytest.raises((UsageError, DataError), match=said):
        attnstudy.rank(data)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"direction": "min"}, "'min' is not one of 'maximize', 'minimize'"),
        ({"layout": "wide"}, "'wide' is not one of 'rows-are-runs'"),
        ({"missing": "drop"}, "'drop' is not one of 'diverged', 'absent', 'refuse'"),
        ({"correction": "bonferroni"}, "use games-howell or holm"),
        ({"folds": (75,)}, "is not training and test items"),
        ({"folds": 75}, "is not training and test items"),
        ({"folds": "75/25"}, "is not training and test items"),
        ({"folds": (75.0, 25.0)}, "is not training and test items"),
        ({"folds": (75, 0)}, "is not training and test items"),
        ({"looks": 5}, "give seeds per arm"),
        ({"items": "many"}, "give a whole number above 0"),
        ({"alpha": "0.05"}, "give a number"),
        ({"margin": True}, "give a number"),
        ({"paired": "yes"}, "give True or False"),
        ({"at": 3}, "give a text"),
        ({"by": ""}, "by is empty"),
        ({"seed": " "}, "seed is empty"),
        ({"metric": ""}, "metric is empty"),
    ],
)
def test_options_are_checked_as_the_command_does(option, said):
    with pytest.raises(UsageError, match=said):
        attnstudy.rank(FRAME, **option)


@pytest.mark.parametrize("option", ["by", "seed", "layout"])
def test_options_of_tables_are_refused_for_what_has_its_arms(option):
    given = {option: "rows-are-runs"}
    for data in ({"a": BASE, "b": OURS}, FRAME.groupby("model")["acc"]):
        with pytest.raises(UsageError, match=f"{option}= is for tables"):
            attnstudy.rank(data, **given)  # type: ignore[arg-type]


def test_what_is_missing_is_shown_in_words():
    frame = FRAME.assign(lr=[float("nan"), *[0.1] * 7])
    with pytest.raises(UsageError, match=r"lr: \(missing\), 0.1"):
        attnstudy.rank(frame)


def test_a_metric_of_unknown_direction_gets_a_note():
    ranking = attnstudy.rank({"a": BASE, "b": OURS}, metric="zorp")
    assert any("zorp does not say which way is better" in note for note in ranking.notes)


def test_folds_are_compared_fold_by_fold():
    frame = pd.DataFrame(
        {
            "model": ["a"] * 4 + ["b"] * 4,
            "fold": [0, 1, 2, 3] * 2,
            "acc": [0.8, 0.82, 0.79, 0.81, 0.9, 0.91, 0.90, 0.92],
        }
    )
    assert attnstudy.rank(frame).method == "descriptive"
    assert attnstudy.rank(frame, folds=(75, 25)).method == "paired-folds"


def test_the_examples_of_the_documentation_run():
    from attnstudy.usecases.ranking import data as ranking_data

    assert doctest.testmod(ranking_data) == (0, 7)


def test_ranking_imports_neither_torch_nor_mlflow():
    program = (
        "import sys, attnstudy\n"
        "assert not {'numpy', 'scipy', 'pandas'} & set(sys.modules)\n"
        "print(attnstudy.rank({'a': [1, 2, 3], 'b': [2, 3, 4]}, metric='score'))\n"
        "assert not {'torch', 'mlflow', 'optuna', 'ray', 'matplotlib'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Ranking of 2 arms by score")

"""Long and wide tables: what reading them costs grows with their cells; counted, not timed."""

from __future__ import annotations

import sys
import tracemalloc

import numpy as np
import pytest

from attnstudy.errors import DataError
from attnstudy.stats.evidence.normality import shape_of, suspicious_shape
from attnstudy.stats.evidence.resampling import permutation_tests
from attnstudy.stats.samples import Sample
from attnstudy.usecases.sources import table
from attnstudy.usecases.sources.table import TableRequest, collect_table

ARMS = 5


def numbers(count):
    return [f"{value:.4f}" for value in np.random.default_rng(0).normal(90.0, 1.0, count)]


def long(rows):
    runs = rows // ARMS
    return "arm,seed,test_accuracy\n" + "".join(
        f"arm{row // runs},{row % runs},{value}\n" for row, value in enumerate(numbers(rows))
    )


def curves(rows):
    runs = rows // ARMS // 10
    return "arm,seed,step,test_accuracy\n" + "".join(
        f"arm{row // 10 // runs},{row // 10 % runs},{row % 10},{value}\n"
        for row, value in enumerate(numbers(rows))
    )


def arms_in_columns(rows):
    names = "alpha,beta,gamma,delta,epsilon"
    values = iter(numbers(rows * ARMS))
    return f"seed,{names}\n" + "".join(
        f"{row},{','.join(next(values) for _ in range(ARMS))}\n" for row in range(rows)
    )


def german(rows):
    return long(rows).replace(",", ";").replace(".", ",")


def runs_in_columns(columns):
    values = iter(numbers(3 * columns))
    return "model," + ",".join(f"run {place + 1}" for place in range(columns)) + "\n" + "".join(
        f"{name},{','.join(next(values) for _ in range(columns))}\n" for name in ("a", "b", "c")
    )  # fmt: skip


def many_arms(columns):
    letters = [f"{chr(97 + i // 26)}{chr(97 + i % 26)}q" for i in range(columns)]
    values = iter(numbers(5 * columns))
    return f"seed,{','.join(letters)}\n" + "".join(
        f"{seed},{','.join(next(values) for _ in range(columns))}\n" for seed in range(5)
    )


def other_metrics(columns):
    names = [f"layer_{place}_loss" for place in range(columns)]
    values = iter(numbers(9 * columns + 9))
    return f"model,seed,acc,{','.join(names)}\n" + "".join(
        f"{model},{seed},{','.join(next(values) for _ in range(columns + 1))}\n"
        for model in ("a", "b", "c")
        for seed in range(3)
    )


def read(path, text, **asked):
    path.write_text(text, encoding="utf-8")
    return collect_table(TableRequest(sources=(str(path),), **asked))


def calls(path, text, **asked):
    """Return how many functions are called while a table is read."""
    count = 0

    def called(_frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(called)
    try:
        read(path, text, **asked)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    ("made", "size", "asked"),
    [
        (long, 2_000, {}),
        (curves, 2_000, {}),
        (arms_in_columns, 1_000, {}),
        (german, 2_000, {}),
        (runs_in_columns, 150, {}),
        (many_arms, 150, {}),
        (other_metrics, 150, {"metric": "acc"}),
    ],
)
def test_four_times_the_table_is_four_times_the_work(made, size, asked, tmp_path):
    read(tmp_path / "small.csv", made(size), **asked)  # what is imported and known once
    once = calls(tmp_path / "small.csv", made(size), **asked)
    four = calls(tmp_path / "large.csv", made(4 * size), **asked)
    assert four < 4.5 * once


@pytest.mark.parametrize(("made", "bound"), [(long, 250), (curves, 250), (arms_in_columns, 2000)])
def test_a_row_more_costs_little_memory(made, bound, tmp_path):
    """Text, cells and results of a row, in bytes."""

    def peak(rows):
        (tmp_path / "t.csv").write_text(made(rows), encoding="utf-8")
        tracemalloc.start()
        try:
            collect_table(TableRequest(sources=(str(tmp_path / "t.csv"),)))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1_000)  # what is imported and known once
    few, many = peak(5_000), peak(20_000)
    assert (many - few) / 15_000 < bound


def test_lines_keep_their_numbers_however_many_there_are(tmp_path):
    lines = [f"arm{row % 2},{row // 2},{value}" for row, value in enumerate(numbers(2_000))]
    lines[100] = '"arm0\n",50,90.1'  # two lines of the file, one name
    lines[700:700] = ["", ",,"]
    lines[1_500] += ",,"  # empty cells at the end
    found = read(tmp_path / "t.csv", "\n".join(["arm,seed,acc", *lines]))
    assert {arm: len(runs) for arm, runs in found.samples.items()} == {"arm0": 1000, "arm1": 1000}
    lines[1_800] += ",1"
    with pytest.raises(DataError, match=r"line 1803 of .* has 4 cells where the header has 3"):
        read(tmp_path / "t.csv", "\n".join(["arm,seed,acc", *lines]))
    lines[1_800] = lines[1_800].removesuffix(",1").rpartition(",")[0] + ",high"
    with pytest.raises(DataError, match="acc in line 1803 is 'high', not a number"):
        read(tmp_path / "t.csv", "\n".join(["arm,seed,acc", *lines]))


def test_names_that_look_alike_are_refused_far_below(tmp_path):
    lines = [f"arm{row % 2},{row // 2},{value}" for row, value in enumerate(numbers(2_000))]
    lines[1_900] = lines[1_900].replace("arm0", "arm0\u200b")
    with pytest.raises(DataError, match="look alike"):
        read(tmp_path / "t.csv", "\n".join(["arm,seed,acc", *lines]))


def test_more_arms_than_can_be_compared_are_refused_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "_MOST_ARMS", 100)
    with pytest.raises(DataError, match=r"has 150 arms .*, and a ranking compares each with each"):
        read(tmp_path / "t.csv", many_arms(150))


def test_splits_of_long_arms_are_those_that_were_always_drawn():
    rng = np.random.default_rng([7, 600, 600])
    splits = np.zeros((9_999, 1_200), dtype=np.int8)
    splits[:, :600] = 1
    drawn = rng.permuted(splits, axis=1)
    values = np.random.default_rng(1).normal(size=(2, 600))
    sums = drawn @ np.sort(values).ravel()
    observed = values[0].sum()
    low, high = 1 + (sums <= observed).sum(), 1 + (sums >= observed).sum()
    arms = [Sample(name, one, None) for name, one in zip("ab", values, strict=True)]
    p, _ = permutation_tests([(arms[0], arms[1])], alpha=0.05, seed=7)
    assert p[0] == 2 * min(low, high) / 10_000


@pytest.mark.parametrize("kind", ["normal", "skewed", "tailed", "one far out"])
@pytest.mark.parametrize("runs", [4, 30, 2_000])
def test_a_shape_is_suspicious_whether_all_of_the_reference_is_drawn_or_not(kind, runs):
    rng = np.random.default_rng(runs)
    values = {
        "normal": rng.normal(size=(2, runs)),
        "skewed": rng.exponential(size=(2, runs)),
        "tailed": rng.standard_t(3, size=(2, runs)),
        "one far out": rng.normal(size=(2, runs)) + 6.0 * (np.arange(2 * runs) == 0).reshape(2, -1),
    }[kind]
    arms = [Sample(name, one, None) for name, one in zip("ab", values, strict=True)]
    whole = shape_of(arms)
    assert suspicious_shape(arms) == (whole if whole is not None and whole.suspicious else None)

"""Tasks of a table that sum up the others, and tasks whose values are in other units."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest

TASKS = {
    "iris": (80.1, 81.0, 84.2), "wine": (85.2, 85.9, 85.1), "glass": (70.3, 71.7, 72.9),
    "yeast": (60.9, 61.2, 66.3), "car": (90.4, 91.5, 90.8), "zoo": (93.3, 94.9, 97.0),
}  # fmt: skip


@pytest.fixture
def ranked(cli, workplace):
    def rank(tasks, *words, code=0):
        rows = [f"{task},{','.join(map(str, values))}" for task, values in tasks.items()]
        Path("results.csv").write_text("\n".join(["dataset,a,b,c", *rows]) + "\n")
        answer = cli("rank", "--from", "results.csv", "--task-by", "dataset", "--json", *words)
        assert answer.code == code, answer
        return answer.err if code else json.loads(answer.out)

    return rank


@pytest.mark.parametrize(
    "name",
    ["Mean (5)", "Macro-avg.", "Micro avg", "Held-out avg.", "Geomean", "Geo. mean", "Summary",
     "IQM", "Wins", "W/T/L", "avg w/o outliers", "Seen mean", "Score", "Params (M)", "Time (s)",
     "Overall", "Mittelwert", "Moyenne"],
)  # fmt: skip
def test_a_task_called_as_a_summary_is_refused(ranked, name):
    tasks = {**TASKS, name: (1, 2, 3)}
    assert f"{name!r} in column 'dataset'" in ranked(tasks, code=2)
    assert len(ranked(tasks, "--filter", f"dataset!={name}")["tasks"]) == len(TASKS)


def test_filters_choose_tasks_and_rows_of_each(cli, workplace):
    rows = [
        f"{task},{arm},{seed},{split},{value + seed}"
        for task, values in TASKS.items()
        for arm, value in zip("abc", values, strict=True)
        for seed in range(3)
        for split in ("val", "test")
    ]
    Path("results.csv").write_text("\n".join(["dataset,model,seed,split,acc", *rows]) + "\n")
    words = ("--from", "results.csv", "--task-by", "dataset", "--json")
    for filters in (
        ("--filter", "dataset!=zoo", "--filter", "split=test"),
        ("--filter", "split=test and dataset!=zoo"),
    ):
        answer = cli("rank", *words, *filters)
        assert answer.code == 0, answer.err
        assert len(json.loads(answer.out)["tasks"]) == len(TASKS) - 1


@pytest.mark.parametrize(
    ("name", "sums"),
    [
        ("GLUE score", statistics.fmean),
        ("the lot", statistics.fmean),
        ("the lot", statistics.median),
        ("the lot", statistics.geometric_mean),
        ("the lot", sum),
    ],
)
@pytest.mark.parametrize("first", [False, True])
def test_a_task_that_is_the_mean_of_the_others_is_refused(ranked, name, sums, first):
    row = {name: tuple(round(sums(column), 2) for column in zip(*TASKS.values(), strict=True))}
    said = ranked({**row, **TASKS} if first else {**TASKS, **row}, code=2)
    assert f"{name!r} in column 'dataset' of results.csv is in every arm the " in said
    assert "--filter" in said


@pytest.mark.parametrize(
    "name", ["social media", "Wine Quality Score", "macroeconomics", "best buy", "timeit"]
)
def test_a_task_with_such_a_word_in_its_name_is_one(ranked, name):
    assert len(ranked({**TASKS, name: (50.3, 51.2, 52.6)})["tasks"]) == len(TASKS) + 1


def test_single_values_that_are_fractions_on_some_tasks_are_refused(ranked):
    some = {f"{task} 2": tuple(v / 100 for v in values) for task, values in TASKS.items()}
    said = ranked({**TASKS, **some}, code=2)
    assert "tasks with fractions (iris 2: 0.801) and tasks in percent" in said
    assert len(ranked(some)["tasks"]) == len(TASKS)
    signs = {f"{task} 2": tuple(f"{v}%" for v in values) for task, values in TASKS.items()}
    assert "percent signs on some tasks (dataset iris 2)" in ranked({**TASKS, **signs}, code=2)
    other = {"rough": (2.5, 3.5, 4.5), "smooth": (0.5, 0.4, 0.7)}  # of any size: no fractions
    assert len(ranked({**TASKS, **other})["tasks"]) == len(TASKS) + 2


@pytest.mark.parametrize("metric", ["acc", "f1", "AUROC"])
def test_rows_with_one_value_a_task_are_looked_at_likewise(cli, workplace, metric):
    rows = [
        f"{task},{arm},{value / (100 if task in ('car', 'zoo') else 1):.4f}"
        for task, values in TASKS.items()
        for arm, value in zip("abc", values, strict=True)
    ]
    Path("results.csv").write_text("\n".join([f"dataset,model,{metric}", *rows]) + "\n")
    answer = cli("rank", "--from", "results.csv", "--task-by", "dataset")
    assert answer.code == 2
    assert "tasks with fractions (car: 0.904)" in answer.err


def test_a_task_that_stands_twice_is_named(cli, workplace):
    rows = [f"{task},{a},{b}" for task, (a, b, _) in TASKS.items()]
    Path("results.csv").write_text("\n".join(["dataset,a,b", *rows, "iris,80.3,81.4"]) + "\n")
    answer = cli("rank", "--from", "results.csv", "--task-by", "dataset")
    assert answer.code == 2
    assert "dataset iris stands in 2 rows (line 2, line 8)" in answer.err


@pytest.mark.parametrize(("name", "label"), [("fold", "{}"), ("part", "fold{}"), ("boot", "{}")])
def test_folds_are_no_tasks(cli, workplace, name, label):
    rows = [f"{label.format(i)},{80 + i},{82 + i % 3}" for i in range(1, 9)]
    Path("results.csv").write_text("\n".join([f"{name},a,b", *rows]) + "\n")
    answer = cli("rank", "--from", "results.csv", "--task-by", name, "--metric", "acc")
    assert answer.code == 2
    assert f"column '{name}' of results.csv numbers folds" in answer.err

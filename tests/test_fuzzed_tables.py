"""The reader of foreign tables on tables with a known truth, in random layouts."""

from __future__ import annotations

import pytest

from attnstudy.errors import DataError, UsageError
from attnstudy.usecases.sources.table import TableRequest, collect_table
from tests.fuzzing.checking import outcomes_of
from tests.fuzzing.tables import case_of

BATCH = 30


@pytest.mark.parametrize("first", range(0, 300, BATCH))
def test_a_table_is_read_as_the_truth_or_refused_in_one_sentence(first, tmp_path):
    wrong = [
        f"table {number}, {command}: {outcome.said}"
        for number in range(first, first + BATCH)
        for command, outcome in outcomes_of(case_of(number), tmp_path).items()
        if outcome.verdict == "violation"
    ]
    assert not wrong, "\n".join(wrong)


def test_a_clear_table_is_seldom_refused(tmp_path):
    clear = [case for case in map(case_of, range(1000, 1300)) if not case.doubts and not case.traps]
    refused = [
        f"table {case.number}: {outcome.said}"
        for case in clear
        if (outcome := outcomes_of(case, tmp_path).get("rank"))
        and outcome.verdict == "refused"
        # values are drawn of any size, whatever the metric is called
        and "correct the value" not in outcome.said
    ]
    assert len(refused) <= len(clear) / 50, "\n".join(refused)


def test_a_number_is_always_the_same_table():
    for number in range(20):
        one, again = case_of(number), case_of(number)
        assert (one.files, one.rows, one.runs) == (again.files, again.rows, again.runs)


def read(tmp_path, text, **asked):
    (tmp_path / "results.csv").write_text(text, encoding="utf-8")
    collected = collect_table(TableRequest(sources=(str(tmp_path / "results.csv"),), **asked))
    return {
        arm: list(runs.values() if isinstance(runs, dict) else runs)
        for arm, runs in collected.samples.items()
    }


# what the fuzzer found, a table of each kind
READ = {
    "an arm called as a statistic": (
        "method,run 1,run 2\nmedian,60.1,60.3\nours,61.2,61.9\nbase,59.0,59.4\n",
        {"median": [60.1, 60.3], "ours": [61.2, 61.9], "base": [59.0, 59.4]},
    ),
    "an arm called as a setting": (
        "seed,base,dropout\n0,60.1,61.4\n1,60.9,61.7\n2,60.5,62.3\n",
        {"base": [60.1, 60.9, 60.5], "dropout": [61.4, 61.7, 62.3]},
    ),
    "a setting beside arms": (
        "seed,base,ours,epochs\n0,60.1,61.4,90\n1,60.9,61.7,90\n",
        {"base": [60.1, 60.9], "ours": [61.4, 61.7]},
    ),
    "a mean of arms with gaps": (
        "model,run 1,run 2\nbase,60.0,61.0\nours,62.0,\nMittelwert,61.0,61.0\n",
        {"base": [60.0, 61.0], "ours": [62.0]},
    ),
    "W&B's step of a curve": (
        "model,seed,acc,_step\nbase,0,40.2,1\nbase,0,60.1,2\nours,0,41.0,1\nours,0,61.4,2\n",
        {"base": [60.1], "ours": [61.4]},
    ),
    "seeds that look like comments": (
        "run,base,ours\n#0,60.1,61.4\n#1,60.9,61.7\nmean,60.5,61.55\n",
        {"base": [60.1, 60.9], "ours": [61.4, 61.7]},
    ),
    "a semicolon in a name": (
        "model,seed,acc\nbase,0,60.1\nours;v2,0,61.4\nours;v2,1,61.9\n",
        {"base": [60.1], "ours;v2": [61.4, 61.9]},
    ),
    "a first run without a result": (
        "model,acc\nbase,\nbase,60.1\nours,61.4\n", {"base": [60.1], "ours": [61.4]},
    ),
    "arms called none and null": (
        "attention,acc\nnone,60.1\nnull,60.9\nnone,60.4\n".replace("attention", "method"),
        {"none": [60.1, 60.4], "null": [60.9]},
    ),
    "Excel's first line above a title": (
        "sep=\t\nErgebnisse\nmodel\tacc\nbase\t60.1\nours\t61.4\n",
        {"base": [60.1], "ours": [61.4]},
    ),
}  # fmt: skip
REFUSED = {
    "runs of arms in columns": "base_0,base_1,ours_0,ours_1\n60.1,60.9,61.4,61.7\n",
    "a setting that varies": "seed,base,ours,noise\n0,60.11,61.42,0.1\n1,60.94,61.71,0.2\n",
    "987 beside 1.024": "model;seed;loss\na;0;987\na;1;1.024\nb;0;1.100\nb;1;1.200\n",
    "commas between tabs": "model\tseed\tloss\na\t0\t1,987\nb\t0\t1,024\n",
    "a column that is the mean": "seed,a,b,c\n0,60.1,61.4,58.8\n1,60.9,61.7,60.1\n",
    "a chart": "Wall time,a - acc,a - acc__MIN\n0,60.1,60.1\n1,61.2,61.2\n",
    "a seed that is none": "model,seed,acc\na,0,60.1\na,1,60.9\nb,0,61.4\nb,1b,61.7\n",
    "another metric": "model,seed,IPC,acc\na,0,1.31,60.1\na,1,1.35,60.9\nb,0,1.22,61.4\n",
}


@pytest.mark.parametrize("kind", READ)
def test_what_was_read_wrongly_or_refused_is_read(kind, tmp_path):
    text, truth = READ[kind]
    assert read(tmp_path, text) == truth


@pytest.mark.parametrize("kind", REFUSED)
def test_what_was_read_wrongly_is_refused(kind, tmp_path):
    with pytest.raises((UsageError, DataError)):
        read(tmp_path, REFUSED[kind])


def test_a_run_that_diverged_does_not_count_with_the_value_before(tmp_path):
    curves = "model,seed,acc,epoch\na,0,60.1,1\na,0,nan,2\na,1,60.2,1\na,1,61.4,2\n"
    assert read(tmp_path, curves, missing="absent") == {"a": [61.4]}


def test_a_german_error_rate_falls(tmp_path):
    (tmp_path / "t.csv").write_text("Modell,Fehlerrate\na,1.1\na,1.2\nb,1.4\nb,1.5\n")
    request = TableRequest(sources=(str(tmp_path / "t.csv"),))
    assert collect_table(request).direction == "minimize"

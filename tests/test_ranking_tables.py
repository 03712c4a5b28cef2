"""Tables as people really have them: read as they are meant, or refused with what settles it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from scipy import stats as scipy_stats

from attnstudy.tables.directions import way_of
from attnstudy.tables.file_names import arms_in_names

Ranked = Callable[..., Any]


@pytest.fixture
def ranked(cli, workplace) -> Ranked:
    def rank(text, *arguments, name="results.csv", code=0):
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        answer = cli("rank", "--from", name, "--json", *arguments)
        assert answer.code == code, answer
        if code:
            assert answer.err.count("\n") == 1
            return answer.err
        return json.loads(answer.out)

    return rank


def values(result: Any) -> dict[str, list[float]]:
    return {arm["variant"]: arm["values"] for arm in result["arms"]}


def p_of(result: Any, a: str, b: str) -> float:
    (pair,) = [p for p in result["pairs"] if {p["a"], p["b"]} == {a, b}]
    return float(pair["p_adjusted"])


# Every table of the cases, with its right value: scipy's Games-Howell where five runs per arm, or
# four of two arms, make it that; p is calibrated and larger with three (decision 18).


def test_seeds_by_method(case, cli):
    answer = cli("rank", "--from", case("seeds_by_method.csv"), "--json")
    result = json.loads(answer.out)
    found = values(result)
    assert sorted(found) == ["base", "cbam", "ours", "se"]
    assert {len(runs) for runs in found.values()} == {5}
    names = sorted(found)
    expected = scipy_stats.tukey_hsd(*(found[name] for name in names), equal_var=False).pvalue
    for i, a in enumerate(names):
        for j in range(i):
            assert p_of(result, a, names[j]) == pytest.approx(expected[i, j], rel=1e-2)
    assert min(p["p_adjusted"] for p in result["pairs"]) == pytest.approx(5.5e-13, rel=0.05)
    assert max(p["p_adjusted"] for p in result["pairs"]) == pytest.approx(4.4e-5, rel=0.05)
    assert result["source"]["layout"] == "columns-are-arms"
    assert "column seed" in result["source"]["read_as"]


def test_methods_as_columns(case, cli):
    answer = cli("rank", "--from", case("methods_as_columns.csv"), "--json")
    if answer.code == 2:  # the last row is, by chance, the mean of the others
        assert "column of seeds" in answer.err
        answer = cli(
            "rank", "--from", case("methods_as_columns.csv"), "--json",
            "--layout", "columns-are-arms",
        )  # fmt: skip
    result = json.loads(answer.out)
    assert {name: len(runs) for name, runs in values(result).items()} == {"base": 4, "ours": 4}
    assert result["pairs"][0]["difference"] == pytest.approx(2.3)
    assert result["pairs"][0]["p_adjusted"] == pytest.approx(1.7e-8, rel=0.05)


def test_metrics_side_by_side(case, cli):
    path = case("metrics_side_by_side.csv")
    answer = cli("rank", "--from", path, "--assert", "m2 > m1")
    assert (answer.code, answer.out) == (2, "")
    assert "one value of each metric an arm" in answer.err
    result = json.loads(cli("rank", "--from", path, "--metric", "f1", "--json").out)
    assert {arm["n"] for arm in result["arms"]} == {1}
    assert {pair["verdict"] for pair in result["pairs"]} == {"descriptive"}


def test_german(case, cli):
    result = json.loads(cli("rank", "--from", case("german.csv"), "--json").out)
    assert values(result) == {"neu": [92.1, 92.4, 92.2], "basis": [91.1, 91.3, 91.2]}
    assert any("Mittelwert" in said for said in result["source"]["left_out"])
    # scipy's .0012 takes three runs per arm for enough to know a spread
    assert 0.0012 < result["pairs"][0]["p_adjusted"] < 0.01
    audited = cli("audit", case("german.csv"), "--json")
    assert (audited.code, json.loads(audited.out)["mean_column"]) == (0, "Mittelwert")


def test_two_datasets(case, cli):
    answer = cli("rank", "--from", case("two_datasets.csv"))
    assert answer.code == 2
    assert "dataset" in answer.err
    assert "never pooled" in answer.err
    for task, p in (("cifar10", 0.0011), ("cifar100", 0.00041), ("svhn", 0.00078)):
        told = cli("rank", "--from", case("two_datasets.csv"), "--filter", f"dataset={task}",
                   "--json")  # fmt: skip
        found = values(json.loads(told.out))
        assert scipy_stats.ttest_ind(
            found["ours"], found["base"], equal_var=False
        ).pvalue == pytest.approx(p, rel=0.05)
        assert p < json.loads(told.out)["pairs"][0]["p_adjusted"] < 0.01


def test_wandb_runs(case, cli):
    path = case("wandb_runs.csv")
    assert "--metric: test/acc, val/acc" in cli("rank", "--from", path).err
    result = json.loads(cli("rank", "--from", path, "--metric", "test/acc", "--json").out)
    assert result["pairs"][0]["difference"] == pytest.approx(0.0266667, abs=1e-6)
    assert {arm["variant"]: arm["n"] for arm in result["arms"]} == {"late": 3, "none": 3}
    assert "1 run with State running (line 8)" in result["source"]["left_out"]


def test_arm_in_two_columns(case, cli):
    path = case("arm_in_two_columns.csv")
    answer = cli("rank", "--from", path)
    assert answer.code == 2
    assert "--by architecture,activation" in answer.err
    both = cli("rank", "--from", path, "--by", "architecture,activation", "--json")
    assert {name: len(runs) for name, runs in values(json.loads(both.out)).items()} == {
        "alex / ELU": 3, "alex / ReLU": 3, "res18 / ReLU": 3,
    }  # fmt: skip


def test_datasets_by_method(case, cli):
    answer = cli("rank", "--from", case("datasets_by_method.csv"))
    assert answer.code == 2
    assert "rank over several tasks with --task-by dataset" in answer.err


def test_paired_constant(case, cli):
    result = json.loads(
        cli("rank", "--from", case("paired_constant.csv"), "--paired", "--json").out
    )
    assert result["pairs"][0]["p_adjusted"] is None
    assert "the same at every seed" in result["sentence"]


def test_nan_cell(case, cli):
    path = case("nan_cell.csv")
    result = json.loads(cli("rank", "--from", path, "--json").out)
    assert {a["variant"]: (a["n"], a["diverged"]) for a in result["arms"]} == {
        "ours": (3, 0), "base": (3, 1),
    }  # fmt: skip
    assert "1 run without a value of acc (ours)" in result["source"]["left_out"]
    counts = {"diverged": [(3, 1), (3, 1)], "absent": [(3, 0), (3, 0)]}
    for missing, expected in counts.items():
        told = json.loads(cli("rank", "--from", path, "--missing", missing, "--json").out)
        assert [(arm["n"], arm["diverged"]) for arm in told["arms"]] == expected
    refused = cli("rank", "--from", path, "--missing", "refuse")
    assert refused.code == 3
    assert "acc in line 5 is 'nan', and --missing refuse was said" in refused.err


# More of each kind, in other headings, orders and languages.

RUNS = {"alt": [70.1, 70.4, 69.8, 70.2, 70.0], "neu": [73.2, 73.9, 73.5, 73.1, 73.6]}


def as_columns(seed: str, names: Sequence[str], *, mark: str = ",") -> str:
    """Return the runs with a column per arm."""
    head = [seed, *names]
    body = [mark.join([str(i), *(f"{runs[i]}" for runs in RUNS.values())]) for i in range(5)]
    return "\n".join([mark.join(head), *body]) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        as_columns("Lauf", ["alt", "neu"], mark=";").replace(".", ","),
        as_columns("graine", ["alt", "neu"], mark="\t"),
        as_columns("random_state", ["alt", "neu"]),
        as_columns("semilla", ["alt", "neu"]).replace("\n", "\r\n"),
        as_columns("", ["alt", "neu"]),  # as pandas writes an index
        "Run;alt;neu\n" + "".join(
            f"run {i + 1};{a};{b}\n" for i, (a, b) in enumerate(zip(*RUNS.values(), strict=True))),
        "# written by a notebook\n" + as_columns("seed", ["alt", "neu"]),
        "neu,trial,alt\n" + "".join(
            f"{b},{i},{a}\n" for i, (a, b) in enumerate(zip(*RUNS.values(), strict=True))),
    ],
)  # fmt: skip
def test_columns_of_arms_in_many_forms(ranked, text):
    result = ranked(text)
    assert {name: sorted(runs) for name, runs in values(result).items()} == {
        name: sorted(runs) for name, runs in RUNS.items()
    }
    assert result["source"]["layout"] == "columns-are-arms"


@pytest.mark.parametrize(
    "text",
    [
        "seed,avg pool,max pool,mean\n0,1.11,5.02,3.07\n1,1.24,5.18,3.21\n2,1.06,5.33,3.20\n",
        "seed,se,best,std\n0,71.1,75.02,73.07\n1,71.4,75.2,73.2\n2,71.6,75.3,73.1\n",
        "seed,min,max,median\n0,71.1,75.02,73.77\n1,71.4,75.2,73.2\n2,71.6,75.3,72.1\n",
        "Startwert,ci,base\n0,71.1,75.02\n1,71.4,75.2\n2,71.6,75.3\n",
        "seed,n,k\n0,71.1,75.02\n1,71.4,75.2\n2,71.6,75.3\n",
    ],
)
def test_arms_called_as_statistics_are_told_by_their_numbers(ranked, text):
    head = text.partition("\n")[0].split(",")[1:]
    result = ranked(text)
    expected = {name for name in head if name != "mean"}
    assert set(values(result)) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model,cifar10,cifar100\na,91,70\nb,92,71\n", "read in two ways"),
        ("method;Genauigkeit;Trefferquote\na;91;70\nb;92;71\n", "one value of each metric"),
        ("system,rouge1,rouge2\na,41.2,20.1\nb,42.2,21.1\n", "one value of each metric"),
        ("model,top1,top5\na,76.1,92.0\nb,77.2,93.1\n", "one value of each metric"),
        ("modelo,base,ours\na,91,70\nb,92,71\n", "read in two ways"),
        ("tarea,A,B\nx,91,70\ny,92,71\n", "rank over several tasks with --task-by tarea"),
        ("metric,A,B\naccuracy,91,70\nf1,92,71\n", "the rows of results.csv are metrics"),
        ("seed,accuracy,loss\n0,91,1.1\n1,92,1.2\n", "no column that names the arms"),
        ("acc_0,acc_1,acc_2\n1.5,2.5,3.5\n2.5,3.5,4.5\n", "no column that names the arms"),
        ("acc_a,loss_a,seed\n1.5,2.5,0\n2.5,3.5,1\n", "read in two ways"),
        ("arm,acc_0,acc_1,loss_0,loss_1\na,1,2,3,4\nb,2,3,4,5\n", "runs of several metrics"),
    ],
)
def test_two_readings_are_asked_about(ranked, text, said):
    assert said in ranked(text, code=2)


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("dataset", ("cifar", "svhn", "cifar", "svhn")),
        ("Datensatz", ("A", "B", "A", "B")),
        ("split", ("train", "eval", "train", "eval")),
        ("lr", ("0.1", "0.01", "0.1", "0.01")),
        ("host", ("n1", "n2", "n1", "n2")),
        ("batch_size", ("32", "64", "32", "64")),
        ("augmentation", ("none", "flip", "none", "flip")),
        ("noise", ("0.1", "0.2", "0.1", "0.2")),
        ("params.weight_decay", ("0", "1e-4", "0", "1e-4")),
        ("environnement", ("x", "y", "x", "y")),
    ],
)
def test_what_differs_within_an_arm_is_named_and_refused(ranked, column, cells):
    rows = list(zip("aabb", ("0", "1", "0", "1"), cells, ("1.5", "1.6", "2.5", "2.7"), strict=True))
    text = f"method,seed,{column},acc\n" + "".join(",".join(row) + "\n" for row in rows)
    assert column in ranked(text, code=2)
    one = ranked(text, "--filter", f"{column}={cells[0]}")
    assert {arm["n"] for arm in one["arms"]} == {1}
    told = ranked(text, "--allow-differences", column)
    assert {arm["n"] for arm in told["arms"]} == {2}
    assert any(column in note and "allowed to differ" in note for note in told["notes"])
    assert len(ranked(text, "--by", f"method,{column}")["arms"]) == 4


@pytest.mark.parametrize(
    "word",
    ["Mean", "average", "overall", "Mittelwert", "Ø", "Schnitt", "moyenne", "promedio", "avg."],
)
def test_means_among_the_runs_are_no_repetitions(ranked, word):
    wide = f"arm,run 1,run 2,run 3,{word}\na,1.0,2.0,3.0,2.0\nb,4.0,5.0,7.5,5.5\n"
    rows = f"arm,run 1,run 2,run 3\na,1.0,2.0,3.0\nb,4.0,5.0,7.5\n{word},2.5,3.5,5.25\n"
    long = (
        "arm,seed,score\na,0,1.0\na,1,2.0\na,2,3.0\nb,0,4.0\nb,1,5.0\nb,2,7.5\n"
        f"a,{word},2.0\nb,{word},5.5\n"
    )
    columns = f"seed,a,b\n0,1.0,4.0\n1,2.0,5.0\n2,3.0,7.5\n{word},2.0,5.5\n"
    for text in (wide, rows, long, columns):
        result = ranked(text)
        assert values(result) == {"b": [4.0, 5.0, 7.5], "a": [1.0, 2.0, 3.0]}, text
        assert any(word in said for said in result["source"]["left_out"])


@pytest.mark.parametrize(
    ("heading", "good", "bad"),
    [
        ("State", "finished", "crashed"),
        ("status", "FINISHED", "KILLED"),
        ("state", "TrialState.COMPLETE", "TrialState.FAIL"),
        ("Status", "completed", "preempted"),
        ("run_state", "done", "pending"),
        ("finished", "True", "False"),
    ],
)
def test_runs_that_did_not_finish_are_left_out_and_listed(ranked, heading, good, bad):
    text = f"model,{heading},seed,acc\n" + "".join(
        f"{arm},{bad if seed == 3 else good},{seed},{base + seed / 10}\n"
        for arm, base in (("a", 70), ("b", 75))
        for seed in range(4)
    )
    result = ranked(text)
    assert {arm["n"] for arm in result["arms"]} == {3}
    assert any(bad in said for said in result["source"]["left_out"])


def test_a_state_that_nobody_knows_is_asked_about(ranked):
    text = "model,State,seed,acc\na,finished,0,1.5\na,finished,1,1.6\nb,finished,0,1\nb,odd,1,2\n"
    assert "State in line 5 is 'odd'" in ranked(text, code=2)
    assert ranked(text, "--filter", "State!=odd")["arms"][0]["n"] == 2


CURVES = "method,seed,epoch,val_acc,test_acc\n" + "".join(
    f"{arm},{seed},{epoch},{50 + (epoch % 3) * 5 + seed},{base + epoch + seed / 10}\n"
    for arm, base in (("a", 70), ("b", 75))
    for seed in range(3)
    for epoch in (1, 2, 3, 4)
)


def test_points_of_curves_are_no_repetitions(ranked):
    last = ranked(CURVES, "--metric", "test_acc")
    assert values(last)["a"] == [74.0, 74.1, 74.2]
    assert last["source"]["read_as"].endswith("metric test_acc at the last step")
    step = ranked(CURVES, "--metric", "test_acc", "--at", "step=1")
    assert values(step)["a"] == [71.0, 71.1, 71.2]
    best = ranked(CURVES, "--metric", "test_acc", "--at", "best", "--of", "val_acc")
    assert values(best)["b"] == [77.0, 77.1, 77.2]
    own = ranked(CURVES, "--metric", "test_acc", "--at", "best", "--of", "test_acc")
    assert [flag["kind"] for flag in own["flags"]].count("best-epoch") == 1
    assert not any(flag["kind"] == "best-epoch" for flag in best["flags"])
    shuffled = CURVES.splitlines()
    again = "\n".join([shuffled[0], *sorted(shuffled[1:], key=lambda line: line[::-1])]) + "\n"
    assert values(ranked(again, "--metric", "test_acc")) == values(last)
    nameless = CURVES.replace("seed", "temperature", 1)
    assert "--seed-by" in ranked(nameless, "--metric", "test_acc", code=2)


def test_folds_are_described_unless_their_size_is_said(ranked):
    text = CURVES.replace("seed", "fold", 1).replace("epoch", "repeat_of_nothing", 1)
    rows = [line for line in text.splitlines() if ",4," in line]
    text = "method,fold,acc\n" + "".join(
        f"{m},{f},{acc}\n" for m, f, _, _, acc in (row.split(",") for row in rows)
    )
    described = ranked(text)
    assert {pair["p_adjusted"] for pair in described["pairs"]} == {None}
    assert "descriptive" in described["verdict"]
    tested = ranked(text, "--folds", "900/100")
    assert tested["method"] == "paired-folds"


def test_several_files_are_read_together_or_refused(cli, workplace):
    for name, low in (("base", 70), ("ours", 75)):
        rows = "".join(f"{seed},{low + seed / 10}\n" for seed in range(4))
        Path(f"{name}.csv").write_text(f"seed,acc\n{rows}")
    both = ("rank", "--from", "base.csv", "--from", "ours.csv", "--json")
    by_file = json.loads(cli(*both, "--by", "file").out)
    assert {len(runs) for runs in values(by_file).values()} == {4}
    Path("third.csv").write_text("seed,loss\n0,1\n")
    answer = cli("rank", "--from", "base.csv", "--from", "third.csv")
    assert answer.code == 3
    assert "do not have the same columns" in answer.err
    answer = cli("rank", "--from", "base.csv", "--from", "base.csv")
    assert answer.code == 2
    assert "is given twice" in answer.err
    for name in ("svhn", "cifar"):
        Path(f"{name}.csv").write_text("arm,seed,acc\na,0,1.5\na,1,1.6\nb,0,2.5\nb,1,2.6\n")
    answer = cli("rank", "--from", "svhn.csv", "--from", "cifar.csv")
    assert answer.code == 2
    assert "file: svhn.csv, cifar.csv" in answer.err


def test_reading_is_shown_in_every_form(cli, workplace):
    Path("t.csv").write_text(as_columns("seed", ["alt", "neu"]))
    words = "read as 2 arms (a column each: alt, neu) × 5 seeds (column seed)"
    for form in ("text", "markdown", "html"):
        out = cli("rank", "--from", "t.csv", "--format", form).out
        assert words in " ".join(out.split()), form
    assert "t.csv" in json.loads(cli("rank", "--from", "t.csv", "--json").out)["source"]["name"]


def test_names_that_differ_in_case_only_get_a_remark(ranked):
    text = "model,seed,acc\nResNet,0,1.5\nResNet,1,1.7\nresnet,0,2.5\nresnet,1,2.6\n"
    assert any("differ in case or blanks only" in note for note in ranked(text)["notes"])


def test_names_whose_letters_are_coded_in_two_ways_get_a_remark(ranked):
    text = "model,seed,acc\ncaf\u00e9,0,1.5\ncaf\u00e9,1,1.7\ncafe\u0301,0,2.5\ncafe\u0301,1,2.6\n"
    (note,) = [one for one in ranked(text)["notes"] if "letters that look alike" in one]
    assert note.startswith("'caf\\xe9' and 'cafe\\u0301' differ")


@pytest.mark.parametrize(
    "other",
    ["a\tb", "a  b", "a\u00a0b", "a\x01b", "a b\u200b", "\u202ea b", "a\nb"],
    ids=["tab", "two blanks", "no-break", "control", "no width", "right to left", "line"],
)
@pytest.mark.parametrize("by", ["model", "dataset"])
def test_names_that_only_what_nobody_sees_tells_apart_are_never_one(ranked, other, by):
    rows = [f'"{arm}",{seed},{seed + 0.5}' for arm in (other, "a b", "c") for seed in (1, 2)]
    if by == "dataset":
        rows = [f"{arm},{row}" for row in rows for arm in ("x", "y")]
    header = "model,seed,acc" if by == "model" else "model,dataset,seed,acc"
    words = () if by == "model" else ("--task-by", "dataset")
    said = ranked("\n".join([header, *rows]), *words, code=3)
    assert f"{other!a} and 'a b', which look alike: write both in the same way" in said


def test_blanks_at_the_ends_of_a_cell_are_layout(ranked):
    text = "model,seed,acc\na ,0,1.5\n a,1,1.7\n\ta\t,2,1.6\nb,0,2.5\nb,1,2.6\n"
    assert [arm["values"] for arm in ranked(text)["arms"]] == [[2.5, 2.6], [1.5, 1.7, 1.6]]


@pytest.mark.parametrize(
    "text",
    ["1,seed,acc\na,0,1.5\n{},1,1.7\n", "model,seed,acc\na,0,1.5\na,1,{}\n",
     "model,seed,acc\na,0,1.5\na,{},1.5\n", "n,model,acc\n0,a,1.5\n{},a,1.5\n",
     "model,seed_0,seed_{}\na,1.5,1.7\nb,1.5,1.8\n", "{},model,acc\n0,a,1.5\n1,a,1.5\n"],
)  # fmt: skip
def test_numbers_without_end_are_no_bug(ranked, cli, text):
    Path("long.csv").write_text(text.format("9" * 5000))
    answer = cli("rank", "--from", "long.csv")
    assert answer.code in (0, 2, 3)  # an exception would come through


@pytest.mark.parametrize("seed", ["0.0", "0", '"0"', "seed_0", " 0 "])
def test_a_seed_is_a_number_however_it_is_written(ranked, seed):
    text = f"model,seed,acc\na,{seed},1.5\na,1,1.7\nb,0,2.5\nb,1,2.6\n"
    assert ranked(text)["arms"][1]["seeds"] == [0, 1]


def test_summaries_need_their_runs(ranked, cli):
    text = "model,accuracy\nbase,93.1 ± 0.2\nours,94.5 ± 0.3\n"
    assert "runs" in ranked(text, code=3)
    assert cli("audit", "results.csv", "--n", "5").code == 0
    audited = json.loads(cli("audit", "results.csv", "--n", "5", "--json").out)
    expected = scipy_stats.ttest_ind_from_stats(94.5, 0.3, 5, 93.1, 0.2, 5, equal_var=False).pvalue
    assert audited["ranking_printed"]["pairs"][0]["p_adjusted"] == pytest.approx(expected)


# What a hostile reader tried: other things than runs that look like runs, and the other way round.


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (
            "framework,task_id,result\nrf,31,0.76\nrf,3021,0.97\nrf,9952,0.89\nxgb,31,0.77\nxgb,3021,0.98\nxgb,9952,0.90\n",
            (),
            "task_id: 31",
        ),
        (
            "model,patient_id,dice\na,BRATS_001,0.8\na,BRATS_002,0.82\nb,BRATS_001,0.85\nb,BRATS_002,0.86\n",
            (),
            "several kinds of patient_id",
        ),
        (
            "model,name,acc\nrf,iris,0.76\nrf,wine,0.97\nxgb,iris,0.77\nxgb,wine,0.98\n",
            (),
            "name: iris",
        ),
        (
            "model,n_estimators,accuracy\nrf,10,0.91\nrf,100,0.94\nrf,1000,0.95\net,10,0.90\net,100,0.93\net,1000,0.945\n",
            (),
            "n_estimators: 10",
        ),
        (
            "model,precision,accuracy\nrf,16,0.91\nrf,32,0.94\net,16,0.90\net,32,0.93\n",
            ("--metric", "accuracy"),
            "precision: 16",
        ),
        (
            "model,accuracy,std\nrf,0.91,0.01\nrf,0.94,0.02\net,0.90,0.01\net,0.93,0.012\n",
            (),
            "std: 0.01",
        ),
        (
            "week,arima,lstm\n1,5.1,4.2\n2,6.0,5.3\n3,7.7,6.1\n4,5.2,4.9\n5,8.1,7.0\n6,9.4,8.2\n",
            ("--metric", "mape"),
            "weeks",
        ),
        (
            "patient_id,unet,nnunet\n101,0.81,0.84\n102,0.74,0.79\n103,0.92,0.93\n104,0.66,0.70\n",
            (),
            "patient_ids",
        ),
        ("Subject,FBCSP,EEGNet\nS1,0.81,0.84\nS2,0.74,0.79\nS3,0.92,0.93\n", (), "Subjects"),
        (
            "date,a,b\n2024-01-01,0.81,0.84\n2024-01-02,0.74,0.79\n2024-01-03,0.92,0.93\n",
            (),
            "called 2024-01-01",
        ),
        (
            "seed,split,accuracy\n0,train,99.1\n0,test,91.2\n1,train,99.3\n1,test,91.0\n",
            (),
            "no column that names the arms",
        ),
        (
            "name,host,accuracy\na,node1,99.1\na,node2,91.2\nb,node1,99.3\nb,node2,91.0\n",
            (),
            "host: node1",
        ),
        ("seed,train,val\n0,99.1,91.2\n1,99.3,91.0\n2,99.2,91.1\n", (), "read in two ways"),
        (
            "model,seed,mean_squared_error,r2\na,0,0.711,0.61\na,1,0.705,0.62\nb,0,0.811,0.71\nb,1,0.805,0.70\n",
            (),
            "mean_squared_error, r2",
        ),
        (
            "ID,model,accuracy\nx1,base,91.1\nx2,base,91.3\ny1,ours,92.1\nx1,base,91.1\nx2,base,91.3\ny1,ours,92.1\n",
            (),
            "is the run of line 2 again",
        ),
        (
            "model,overrides,val_acc\na,lr=0.1 wd=0,91.1\na,lr=0.01 wd=0,90.3\na,lr=0.001 wd=0,85.2\nb,lr=0.1 wd=0.1,92.1\nb,lr=0.01 wd=0.1,91.3\n",
            (),
            "overrides: lr=0.1",
        ),
        (
            "model,label_smoothing,reg,val_acc\na,0.123,0.211,91.1\na,0.321,0.532,90.3\nb,0.111,0.231,92.1\nb,0.213,0.412,91.3\n",
            ("--metric", "val_acc"),
            "label_smoothing: 0.123",
        ),
        (
            "method,dataset,run1,run2,run3\nbase,cifar,91.1,91.2,91.3\nours,svhn,95.1,95.2,95.3\n",
            (),
            "several datasets",
        ),
        (
            "model,repeat,fold,accuracy\na,0,0,0.81\na,0,1,0.82\na,1,0,0.83\nb,0,0,0.85\nb,0,1,0.86\n",
            (),
            "repeat and fold",
        ),
        ("shots,base,ours\n1,60.1,61.2\n5,70.5,71.2\n10,80.2,81.3\n", (), "'shots'"),
        (
            "model,n_train,seed,accuracy\na,100,0,0.81\na,1000,0,0.82\nb,100,0,0.83\nb,1000,0,0.85\n",
            (),
            "n_train: 100, 1000",
        ),
    ],
)
def test_what_are_no_runs_is_asked_about(ranked, text, options, said):
    assert said in ranked(text, *options, code=3 if "again" in said else 2)


@pytest.mark.parametrize(
    ("text", "options", "counts"),
    [
        (
            "model,0,1,2,All\nbase,91.1,91.4,91.0,91.17\nours,92.3,92.2,92.5,92.33\nAll,91.7,91.8,91.75,91.75\n",
            (),
            {"base": 3, "ours": 3},
        ),
        (
            "seed,base,ours,diff\n0,0.511,0.423,0.088\n1,0.514,0.422,0.092\n2,0.510,0.425,0.085\n",
            ("--metric", "loss"),
            {"base": 3, "ours": 3},
        ),
        (
            "agent,seed,success,return\nsac,0,1,210.5\nsac,1,0,20.5\nsac,2,1,215.5\ntd3,0,1,190.5\ntd3,1,1,195.5\n",
            ("--metric", "return"),
            {"sac": 3, "td3": 2},
        ),
        (
            "algo,seed,rollout/ep_rew_mean\nPPO,0,210.5\nPPO,1,220.5\nSAC,0,230.5\nSAC,1,235.5\n",
            (),
            {"PPO": 2, "SAC": 2},
        ),
        (
            "method,seed,acc\nTeacher,0,91.1\nTeacher,1,91.3\nTeacher,2,91.2\nMean Teacher,0,92.1\nMean Teacher,1,92.3\nMean Teacher,2,92.2\n",
            (),
            {"Teacher": 3, "Mean Teacher": 3},
        ),
        (
            "name,rep,ms\nbase_median,0,3.5\nbase,0,3.4\nbase,1,3.5\nbase,2,3.6\nours,0,2.5\nours,1,2.6\n",
            (),
            {"base": 3, "ours": 2},
        ),
    ],
)
def test_totals_differences_and_spreads_are_no_arms(ranked, text, options, counts):
    result = ranked(text, *options)
    assert {arm["variant"]: arm["n"] for arm in result["arms"]} == counts


# Which way a metric is better.


@pytest.mark.parametrize(
    "metric",
    [
        "cross_entropy", "bits_per_byte", "seconds_per_epoch", "ms_per_token", "ms/token", "s/it",
        "joules per image", "LPIPS ↓", "Score (lower is better)", "Wert (kleiner ist besser)",
        "Score (plus bas = mieux)", "Puntuación (menor es mejor)", "kid", "fvd", "hd95", "assd",
        "FPR", "EPE", "CRPS", "sMAPE", "MASE", "RMSLE", "DER", "PER", "KL", "cost", "divergence",
        "distance", "regret", "energy", "peak memory", "Brier score", "top1_error", "error_top1",
        "false_positive_rate", "negative log likelihood", "accuracy_drop", "accuracy loss",
        "1 - accuracy", "time_to_accuracy", "Rechenzeit", "mean rank", "Kosten", "loss@best_acc",
    ],
)  # fmt: skip
def test_metrics_that_fall(metric, ranked):
    result = ranked(f"model,{metric}\na,1.5\na,1.6\nb,2.5\nb,2.6\n")
    assert result["direction"] == "minimize"
    assert any("lower is assumed to be better" in note for note in result["notes"])


@pytest.mark.parametrize(
    "metric",
    [
        "images per second", "images per ms", "tokens_per_second", "tokens/s", "it/s",
        "neg_log_loss", "test_neg_mean_squared_error", "error reduction (%)", "time_saved",
        "error_free_runs", "FID ↑", "Verlust (höher ist besser)", "Score (plus haut est mieux)",
        "log_likelihood", "true_negative_rate", "mean reciprocal rank", "R²", "r2_score",
        "explained_variance", "acc_at_best_val_loss", "1 - error", "accuracy", "f1", "auc",
        "score", "reward", "mean_return", "bleu", "success rate", "Genauigkeit der Tests",
    ],
)  # fmt: skip
def test_metrics_that_rise(metric, ranked):
    result = ranked(f"model,{metric}\na,1.5\na,1.6\nb,2.5\nb,2.6\n", "--metric", metric)
    assert result["direction"] == "maximize"
    assert not any("assumed" in note and "better" in note for note in result["notes"])


@pytest.mark.parametrize("metric", ["value", "merit", "zorp", "objective", "loss_drop", "FID ↑↓"])
def test_a_metric_that_does_not_say_which_way_is_better_gets_a_note(metric, ranked, cli):
    text = f"model,seed,{metric}\na,0,1.5\na,1,1.6\nb,0,2.5\nb,1,2.6\n"
    said = f"{metric} does not say which way is better, and higher is assumed"
    result = ranked(text)
    assert result["direction"] == "maximize"
    assert sum(said in note for note in result["notes"]) == 1
    audited = json.loads(cli("audit", "results.csv", "--json").out)
    assert sum(said in note for note in audited["notes"]) == 1
    for way in ("maximize", "minimize"):
        assert not any(said in note for note in ranked(text, "--direction", way)["notes"])


def test_the_audit_of_rows_knows_the_direction(cli, workplace):
    rows = "a,0,1.5\na,1,1.6\na,2,1.4\nb,0,2.5\nb,1,2.6\nb,2,2.7\n"
    Path("t.csv").write_text(f"model,seed,cross_entropy\n{rows}")
    result = json.loads(cli("audit", "t.csv", "--json").out)
    assert "a > b" in result["ranking_corrected"]["verdict"]


UPS_AND_DOWNS = "model,seed,epoch,score,zorp\n" + "".join(
    f"{arm},{seed},{epoch},{value + seed},{epoch + seed / 10 + low:.2f}\n"
    for arm, low in (("a", 0.01), ("b", 0.02))
    for seed in range(3)
    for epoch, value in ((1, 9), (2, 5), (3, 7))
)


def test_direction_also_says_which_step_is_best(ranked):
    best = ("--metric", "score", "--at", "best", "--of", "score")
    assert values(ranked(UPS_AND_DOWNS, *best))["a"] == [9, 10, 11]
    assert values(ranked(UPS_AND_DOWNS, *best, "--direction", "minimize"))["a"] == [5, 6, 7]
    other = ("--metric", "score", "--at", "best", "--of", "zorp", "--direction", "minimize")
    result = ranked(UPS_AND_DOWNS, *other)  # of another metric it says nothing
    assert values(result)["a"] == [7, 8, 9]
    assert any("zorp does not say which way is better" in note for note in result["notes"])


# Numbers in headings.


@pytest.mark.parametrize(
    "heads",
    [
        ("acc_epoch1", "acc_epoch2", "acc_epoch3"),
        ("validation_0_error", "validation_1_error"),
        ("acc@1", "acc@2", "acc@3"),
        ("mae_1", "mae_2", "mae_3", "mae_4"),
        ("loss_1", "loss_2"),
        ("dice_1", "dice_2"),
        ("test1_acc", "test2_acc"),
        ("acc", "acc2", "acc3"),
        ("2024-01-01", "2024-01-02", "2024-01-03"),
        ("2024-01", "2024-02", "2024-03"),
        ("1%", "2%", "3%", "4%"),
        ("1/5", "2/5", "3/5"),
        ("acc_0.0", "acc_0.1", "acc_0.2"),
        ("acc_0,0", "acc_0,1"),
        ("acc_5_0", "acc_5_1"),
        ("iou_0", "iou_1", "iou_2", "iou_3"),
        ("dice 0", "dice 1"),
        ("reward_0", "reward_1"),
        ("precision_0", "precision_1"),
    ],
)
def test_numbers_that_may_count_something_else_are_asked_about(heads, ranked):
    rows = "".join(
        f"{arm}," + ",".join(f"{low + i**2}" for i in range(len(heads))) + "\n"
        for arm, low in (("a", 1.5), ("b", 2.5))
    )
    quoted = ",".join(f'"{head}"' for head in heads)
    text = f"model,{quoted}\n{rows}"
    assert heads[0] in ranked(text, code=2)
    assert {arm["n"] for arm in ranked(text, "--layout", "columns-are-runs")["arms"]} == {
        len(heads)
    }


@pytest.mark.parametrize(
    "heads",
    [
        ("iou_run_0", "iou_run_1"), ("seed 3 (%)", "seed 7 (%)"), ("test/acc/0", "test/acc/1"),
        ("split0_f1", "split1_f1"), ("top5 acc seed0", "top5 acc seed1"), ("Lauf 1 %", "Lauf 2 %"),
    ],
)  # fmt: skip
def test_numbers_of_runs_are_read(heads, ranked):
    result = ranked(f"model,{','.join(heads)}\na,1.5,2.5\nb,2.5,3.5\n")
    assert values(result) == {"a": [1.5, 2.5], "b": [2.5, 3.5]}


@pytest.mark.parametrize(
    "heads",
    [
        ("acc", "acc.1", "acc.2"),
        ("loss", "loss.1", "loss.2"),
        ("run", "run2", "run3"),
        ("run", "run.1", "run.2"),
        ("acc_0", "acc_1", "acc_2"),
        ("fold", "fold2", "fold3"),
    ],
)
def test_a_heading_without_a_number_is_the_first_run(heads, ranked):
    for rows in (((1.5, 2.5, 4.0), (2.5, 3.5, 5.0)), ((1, 2, 4), (2, 3, 6))):
        text = f"model,{','.join(heads)}\n" + "".join(
            f"{arm},{','.join(map(str, of))}\n" for arm, of in zip("ab", rows, strict=True)
        )
        assert values(ranked(text)) == {"a": list(rows[0]), "b": list(rows[1])}


def test_a_single_fold_is_no_traceback(ranked):
    result = ranked("model,CV\na,1.5\nb,2.5\n", "--layout", "columns-are-runs")
    assert values(result) == {"a": [1.5], "b": [2.5]}


@pytest.mark.parametrize(
    "head",
    [
        "base,base.1,ours,ours.1",
        "base_0,base_1,ours_0,ours_1",
        "base (1),base (2),ours (1),ours (2)",
        "base_0,ours_0,ours_1,base_1,base_2",
    ],
)
def test_runs_of_arms_in_columns_are_asked_about(head, ranked):
    rows = "".join(
        ",".join(f"{1.5 + r / 10 + i**2}" for i in range(head.count(",") + 1)) + "\n"
        for r in range(3)
    )
    assert "look like runs of arms" in ranked(f"{head}\n{rows}", code=2)


# First rows, points between digits.


@pytest.mark.parametrize(
    "text",
    [
        "base,912\nbase,931\nours,940\nours,945\n",
        "912,base\n931,base\n940,ours\n945,ours\n",
        "base,912\nours,940\nse,945\n",
        "base;0;912\nbase;1;931\nours;0;940\nours;1;945\n",
        "912,931\n915,940\n913,944\n",
    ],
)
def test_a_first_row_of_data_is_no_header(text, ranked):
    assert "looks like data" in ranked(text, code=3)


def test_a_year_is_a_heading(ranked):
    assert "2019" in ranked("model,2019,2020\na,1.5,2.5\nb,2.5,3.5\n", code=2)


@pytest.mark.parametrize(
    "text",
    [
        "Modell;Zeit\na;85\na;92\nb;1.024\nb;1.110\n",
        "Modell\tZeit\na\t85\na\t92\nb\t1.024\nb\t1.110\n",
        "Modell;Lauf 1;Lauf 2\na;85;92\nb;1.024;1.110\n",
        "Modell;Seed;Zeit\na;1;5\na;2;7\nb;1;1.024\nb;2;1.110\n",
    ],
)
def test_points_before_three_digits_beside_whole_numbers_are_asked_about(text, ranked):
    assert "'1.024' can be read with a decimal point or with" in ranked(text, code=3)


@pytest.mark.parametrize(
    "text",
    [
        "Modell;Zeit;Fehler\na;985;0,15\na;992;0,16\nb;1.024;0,17\nb;1.110;0,18\n",
        "Modell\tFehler\tZeit\na\t93,5\t985\na\t93,6\t992\nb\t94,1\t1.024\nb\t94\t1.110\n",
        "Modell;Zeit\na;985,0\na;992\nb;1.024\nb;1.110\n",
    ],
)
def test_points_beside_decimal_commas_part_thousands(text, ranked):
    assert values(ranked(text, "--metric", "Zeit")) == {"a": [985, 992], "b": [1024, 1110]}


def test_a_quantile_is_no_run(ranked, cli):
    text = (
        "model,count,mean,std,min,25%,50%,75%,max\n"
        "a,5,90.1,0.5,89,89.5,90,90.5,91\nb,5,91.1,0.5,90,90.5,91,91.5,92\n"
    )
    assert "not their summary" in ranked(text, code=3)
    audited = json.loads(cli("audit", "results.csv", "--json").out)
    assert (audited["mean_column"], audited["sd_column"]) == ("mean", "std")
    arms = ranked("seed,25%,50%\n0,1.5,2.5\n1,1.6,2.6\n")  # shares of dropout
    assert values(arms) == {"25%": [1.5, 1.6], "50%": [2.5, 2.6]}


@pytest.mark.parametrize(
    "head",
    [
        ",cifar10,cifar10,svhn,svhn\nseed,base,ours,base,ours\n",
        ",cifar10,,svhn,\nseed,base,ours,base,ours\n",
        ",acc,acc,loss,loss\nseed,base,ours,base,ours\n",
        ",cifar10,svhn,cifar10,svhn\nseed,base,base,ours,ours\n",
    ],
)
def test_two_header_rows_that_cross_are_refused(head, ranked):
    text = head + "0,91.1,92.1,95.5,96.1\n1,91.2,92.2,95.4,96.2\n"
    assert "several groups of columns" in ranked(text, code=3)


# Names of files, and options that say nothing.


def curves_in(names: Sequence[str]) -> list[str]:
    """Write a curve a file, and return the arguments that name them."""
    for place, name in enumerate(names):
        rows = "".join(f"{epoch},{50 + epoch + place / 10}\n" for epoch in range(3))
        Path(name).write_text(f"epoch,acc\n{rows}")
    return [word for name in names for word in ("--from", name)]


@pytest.mark.parametrize(
    "names",
    [
        ["resnet18.csv", "resnet34.csv", "resnet50.csv"],
        ["vgg11.csv", "vgg13.csv", "resnet11.csv", "resnet13.csv"],
        ["mlp_64.csv", "mlp_128.csv", "mlp_256.csv"],
        ["lstm_1.csv", "lstm_2.csv", "gru_1.csv"],
        ["base.csv", "ours.csv"],
    ],
)
def test_numbers_in_file_names_are_seldom_seeds(names, cli, workplace):
    answer = cli("rank", *curves_in(names))
    assert answer.code == 2
    assert "call the files after arm and seed, as late_seed0.csv" in answer.err


@pytest.mark.parametrize(
    "form", ["{}_{}.csv", "{}_seed{}.csv", "{}-run-{}.csv", "{}_s{}.csv", "seed{1}-{0}.csv"]
)
def test_numbers_in_file_names_that_are_seeds(form, cli, workplace):
    names = [form.format(arm, seed) for arm in ("td3", "sac") for seed in range(3)]
    result = json.loads(cli("rank", *curves_in(names), "--json").out)
    assert {arm["variant"]: arm["seeds"] for arm in result["arms"]} == {
        "td3": [0, 1, 2], "sac": [0, 1, 2],
    }  # fmt: skip


@pytest.mark.parametrize("form", ["{}_{}.csv", "logs/{}_{}.csv", "{}/{}.csv", "{}/metrics_{}.csv"])
def test_numbers_behind_an_arm_are_its_runs(form):
    names = [form.format(arm, seed) for arm in ("td3", "sac", "mlp_64") for seed in range(3)]
    found = arms_in_names(names)
    assert found is not None
    assert [(one.arm.removesuffix("/metrics"), one.number) for one in found] == [
        (arm, str(seed)) for arm in ("td3", "sac", "mlp_64") for seed in range(3)
    ]


@pytest.mark.parametrize(
    "word",
    ["task", "dataset", "subject", "epoch", "step", "day", "ckpt", "class", "site", "2026-03-0"],
)
def test_numbers_of_other_things_in_file_names_are_asked_about(word, cli, workplace):
    mark = "" if word.endswith("0") else "_"
    names = [f"{arm}_{word}{mark}{k}.csv" for arm in ("base", "ours") for k in (1, 2, 3)]
    for place, name in enumerate(names):
        Path(name).write_text(f"acc,loss\n{90 + place / 7},{1 / (place + 1)}\n")
    words = [word for name in names for word in ("--from", name)] + ["--metric", "acc"]
    answer = cli("rank", *words)
    assert answer.code == 2
    assert "may not mean runs: if they do, call the files after arm and seed" in answer.err
    assert "base_seed1.csv" in answer.err
    assert cli("rank", *words, "--by", "file").code == 0


@pytest.mark.parametrize("form", ["{}_fold{}.csv", "{}_split_{}.csv", "{}-cv-{}.csv"])
def test_folds_in_file_names_are_folds(form, cli, workplace):
    names = [form.format(arm, fold) for arm in ("base", "ours") for fold in range(4)]
    result = json.loads(cli("rank", *curves_in(names), "--json").out)
    assert result["method"] == "descriptive"
    assert "4 folds (column fold)" in result["source"]["read_as"]


@pytest.mark.parametrize("option", ["--by", "--seed-by", "--metric", "--task-by"])
def test_an_option_that_names_nothing_is_refused(option, ranked, cli):
    text = "model,seed,acc\na,0,1.5\na,1,1.7\nb,0,2.5\nb,1,2.6\n"
    for empty in ("", " "):
        assert f"{option} is empty" in ranked(text, option, empty, code=2)
        if option != "--task-by":
            assert f"{option} is empty" in cli("audit", "results.csv", option, empty).err


@pytest.mark.parametrize(
    "text",
    [
        "arm,run 1,run 2,mean\na,1.0,2.0,1.5\nb,3.0,4.0,3.5\n",
        "arm,mean,sd,n\na,1,0.1,5\nb,2,0.1,5\n",
    ],
)
def test_a_number_of_runs_that_a_table_says_is_refused(text, cli, workplace):
    Path("t.csv").write_text(text)
    answer = cli("audit", "t.csv", "--n", "7")
    assert answer.code == 2
    assert "leave --n out" in answer.err


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (
            "compiler,threads,time\ngcc,1,9.1\ngcc,2,5.4\ngcc,4,3.2\nclang,1,9.4\nclang,2,5.1\nclang,4,3.1\n",
            (),
            "threads: 1, 2, 4",
        ),
        (
            "solver,seed,nodes,time\na,0,100,9.1\na,1,120,5.4\nb,0,130,9.4\nb,1,150,5.1\n",
            (),
            "nodes: 100",
        ),
        ("model,user,ndcg@10\na,1,.51\na,2,.55\nb,1,.57\nb,2,.62\n", (), "user: 1, 2"),
        ("user,base,ours\nanna,.51,.52\nben,.55,.58\ncara,.57,.59\n", (), "anna, ben, cara"),
        ("seed,energy_mae,force_mae\n0,4.1,12.2\n1,4.2,12.3\n2,4.0,12.1\n", (), "read in two ways"),
        ("seed,UAS,LAS\n0,94.1,92.2\n1,94.2,92.3\n2,94.0,92.1\n", (), "read in two ways"),
        (
            "方法,第1次,第2次,第3次,平均值,标准差\n基线,91.1,91.3,91.2,91.2,0.1\n本文,92.1,92.3,92.4,92.27,0.15\n",
            ("--layout", "columns-are-runs"),
            "the mean of the columns before it",
        ),
        (
            "Method,S1,S2,S3,S4\nFBCSP,76.0,56.5,81.3,61.0\nEEGNet,81.2,60.1,89.2,67.3\n",
            (),
            "read in two ways",
        ),
        (
            "n,quicksort,mergesort\n1,0.51,0.57\n2,0.55,0.62\n3,0.48,0.55\n4,0.60,0.66\n",
            ("--metric", "time"),
            "column 'n'",
        ),
        ("asr,duration,wer\na,5,9.1\na,10,8.1\nb,5,8.9\nb,10,7.7\n", (), "duration: 5, 10"),
        (
            "Methode,Zaad,Nauwkeurigheid\na,0,91.1\na,1,91.2\nb,0,92.1\nb,1,92.3\n",
            (),
            "--metric: Zaad",
        ),
        (
            "Methode,Zaad,Nauwkeurigheid\na,0,91.1\na,1,91.2\nb,0,92.1\nb,1,92.3\n",
            ("--metric", "Nauwkeurigheid"),
            "--seed-by Zaad",
        ),
        ("种子,基线,本文\n0,91.1,92.1\n1,91.3,92.3\n2,91.2,92.2\n", (), "--seed-by 种子"),
        (
            "model,acc\na,91.1\na,91.2\nb,92.1\nb,92.2\nmodel,acc\na,71.1\na,71.2\nb,72.1\nb,72.2\n",
            (),
            "second header in line 6",
        ),
        (
            "model,tags,acc\na,aug,91.1\na,plain,91.2\nb,aug,92.1\nb,plain,92.3\n",
            (),
            "tags: aug, plain",
        ),
        ("seed,en,de\n0,9.1,9.2\n1,9.3,9.5\n2,9.2,9.6\n", ("--metric", "wer"), "read in two ways"),
        ("model,acc\na,1\na,2\n", ("--by", "model,model"), "names a column twice"),
        (
            "Method,第1次,第2次,第3次,标准差\nA,91.1,91.3,91.2,0.1\nB,92.1,92.3,92.4,0.15\n",
            ("--layout", "columns-are-runs"),
            "is unlike the other columns",
        ),
    ],
)
def test_what_no_list_of_words_knows_is_asked_about(ranked, text, options, said):
    assert said in ranked(text, *options, code=2)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("solver,seed,time\na,0,9.1\na,1,5.4\nb,0,9.4\nb,1,5.1\n", {"a": 2, "b": 2}),
        (
            "seed,base,ours,best\n0,80.1,88.1,88.1\n1,81.3,80.3,81.3\n2,80.2,88.2,88.2\n",
            {"base": 3, "ours": 3},
        ),
        (
            "model,seed,acc,time\na,0,91.1,61\na,1,91.2,62\nb,0,92.1,70\nb,1,92.3,71\n",
            {"a": 2, "b": 2},
        ),
    ],
)
def test_times_are_results_where_nothing_else_is_and_extremes_are_no_arms(ranked, text, counts):
    result = ranked(text)
    assert {arm["variant"]: arm["n"] for arm in result["arms"]} == counts


POINTS = "model,seed,acc\nA,0,91.123\nA,1,91.234\nA,2,91.345\n"


@pytest.mark.parametrize(
    "other",
    [
        "model;seed;acc\nB;0;92,12\nB;1;92,22\nB;2;92,33\n",
        "model;seed;acc\nB;0;92,123\nB;1;92,223\nB;2;92,332\n",
        "model\tseed\tacc\nB\t0\t92,1\nB\t1\t92,22\nB\t2\t92,333\n",
    ],
)
def test_files_with_other_decimal_marks_are_not_ranked_together(other, cli, workplace):
    Path("a.csv").write_text(POINTS)
    Path("b.csv").write_text(other)
    for files in (("a.csv", "b.csv"), ("b.csv", "a.csv")):
        answer = cli("rank", *(f"--from={file}" for file in files))
        assert answer.code == 3
        assert "acc has decimal points in a.csv (91.123) and decimal commas in b.csv" in answer.err


def test_files_that_are_separated_otherwise_are_ranked_together(cli, workplace):
    Path("a.csv").write_text(POINTS)
    Path("b.csv").write_text("model;seed;acc\nB;0;92.12\nB;1;92.22\nB;2;92.33\n")
    answer = cli("rank", "--from=a.csv", "--from=b.csv", "--json")
    assert answer.code == 0, answer.err
    means = {arm["variant"]: arm["mean"] for arm in json.loads(answer.out)["arms"]}
    assert means == {"A": pytest.approx(91.234), "B": pytest.approx(92.22333333)}


def test_the_line_of_a_cell_is_that_of_its_file(cli, workplace):
    Path("a.csv").write_text(POINTS)
    Path("b.csv").write_text("model,seed,acc\nB,0,92.12\nB,1,x2\nB,2,92.33\n")
    answer = cli("rank", "--from=a.csv", "--from=b.csv")
    assert "acc in line 3 in b.csv is 'x2'" in answer.err


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("RMSE (lower is better),,\nseed,base,ours\n0,0.51,0.41\n1,0.52,0.4\n2,0.5,0.42\n", "RMSE"),
        ("Loss,run 1,run 2,run 3\nbase,0.52,0.51,0.53\nours,0.4,0.41,0.42\n", "'Loss'"),
        ("model,loss run 1,loss run 2,loss run 3\nb,0.5,0.51,0.53\no,0.4,0.4,0.42\n", "'loss run'"),
        ("Method / test error,run 1,run 2\nbase,0.52,0.51\nours,0.4,0.41\n", "'Method / test"),
    ],
)
def test_a_heading_that_names_a_loss_is_asked_about(table, said, cli, workplace):
    Path("t.csv").write_text(table)
    answer = cli("rank", "--from", "t.csv")
    assert answer.code == 2
    assert "of which less is better if its numbers are that" in answer.err
    assert said in answer.err
    assert cli("rank", "--from", "t.csv", "--direction", "minimize").code == 0


def test_results_that_nobody_names_are_not_called_accuracies(cli, workplace):
    Path("t.csv").write_text("seed,adam,sgd\n0,0.31,0.42\n1,0.30,0.44\n2,0.33,0.41\n")
    answer = cli("rank", "--from", "t.csv", "--json")
    ranking = json.loads(answer.out)
    assert ranking["metric"] == "value"
    assert "accuracy" not in answer.out
    assert any("value does not say which way is better" in note for note in ranking["notes"])


# What a metric's words say where they contradict each other.


@pytest.mark.parametrize(
    ("way", "names"),
    [
        (
            "falls",
            [
                "FPR@95TPR", "fpr95tpr", "fpr_95_tpr", "FPR@95%TPR", "FPR95", "fnr@1fpr",
                "epochs_to_target_accuracy", "steps_to_success", "epochs_to_90_acc",
                "queries to success", "iterations to accuracy 0.9", "time_to_accuracy",
                "time_to_solution", "num_steps_to_threshold", "100-acc", "100 - acc (%)",
                "1 - accuracy", "interval score", "quantile_score", "clash score", "self-bleu",
                "cum_regret_auc", "loss_auc", "accuracy loss", "accuracy_drop", "Brier score",
                "loss@best_acc", "mean absolute deviation", "energy score", "reward_mse",
            ],
        ),
        (
            "rises",
            [
                "brier skill score", "CRPS skill score", "TPR@1%FPR", "tpr_at_1_fpr", "recall@10",
                "acc@1", "explained_variance", "variance explained", "energy efficiency",
                "variance reduction", "1 - error", "neg_log_loss", "error_free_acc",
                "image_to_text_recall", "sim_to_real_success", "f1 recall", "top 1 recall",
                "mean_return", "acc_at_best_val_loss", "R2", "f1_score", "steps_per_second",
            ],
        ),
        (
            None,
            [
                "log score", "logarithmic_score", "reward_std", "accuracy std", "return variance",
                "acc_sd", "loss_std", "standard deviation of accuracy", "time_to_failure",
                "steps until first collision", "val_loss_best_acc", "failure_prediction_auroc",
            ],
        ),
    ],
)  # fmt: skip
def test_the_words_of_a_metric_are_read_together(way, names):
    assert {name: way_of(name) for name in names} == dict.fromkeys(names, way)


@pytest.mark.parametrize(
    ("of", "said"),
    [("FPR@95TPR", "the lowest value of FPR@95TPR"), ("val_acc", "the highest value of val_acc")],
)
def test_which_value_chooses_the_best_step_is_said(of, said, ranked):
    rows = UPS_AND_DOWNS.replace("zorp", of)
    notes = ranked(rows, "--metric", "score", "--at", "best", "--of", of)["notes"]
    assert sum(said in note for note in notes) == 1


def repeated_ids(
    column: str, *, form: str = "{arm}-{run}", head: str = "", values: str = ""
) -> str:
    """Return three runs of each of two arms, five rows each."""
    lines = [
        ",".join(
            filter(
                None,
                (
                    arm,
                    values and str(5 * run + i),
                    form.format(arm=arm, run=run, day=1 + run + 10 * (arm == "b")),
                    f"{base + run + i / 7:.3f}",
                ),
            )
        )
        for arm, base in (("a", 70), ("b", 75))
        for run in range(3)
        for i in range(5)
    ]
    return "\n".join([f"model,{head}{column},acc", *lines]) + "\n"


@pytest.mark.parametrize(
    ("column", "form"),
    [
        *((name, "{arm}-{run}") for name in (
            "run_id", "Run ID", "Name", "run_name", "uuid", "id", "url", "path", "artifact_uri",
            "display_name", "notes",
        )),
        ("job_id", "4{day}"),
        ("slurm_job_id", "4{day}"),
        ("start_time", "2024-05-{day:02} 10:00:00"),
        ("Created At", "2024-05-01T10:{day:02}:00Z"),
        ("run_name", "seed_{run}"),
    ],
)  # fmt: skip
def test_rows_of_one_run_are_no_runs(ranked, column, form):
    text = repeated_ids(column, form=form)
    refused = ranked(text, code=2)
    assert f"5 rows of a with {column}" in refused
    assert f"--allow-differences {column}" in refused
    told = ranked(text, "--allow-differences", column)
    assert {arm["n"] for arm in told["arms"]} == {15}


@pytest.mark.parametrize(
    ("column", "form"),
    [
        ("user", "{arm}-{run}"),
        ("experiment_name", "{arm}-{run}"),
        ("sweep", "{arm}-{run}"),
        ("experiment_id", "4{day}"),
        ("start_time", "2024-05-01 10:0{run}:00"),
        ("Name", "resnet-{arm}"),
        ("notes", "the same"),
    ],
)
def test_what_many_runs_share_does_not_make_them_one(ranked, column, form):
    assert {arm["n"] for arm in ranked(repeated_ids(column, form=form))["arms"]} == {15}


def test_where_seeds_number_the_runs_only_an_id_of_a_run_says_more(ranked):
    for column in ("Name", "job_id", "path"):
        text = repeated_ids(column, head="seed,", values="seeds")
        assert {arm["n"] for arm in ranked(text)["arms"]} == {15}
    text = repeated_ids("run_id", head="seed,", values="seeds")
    assert "5 rows of a with run_id a-0" in ranked(text, code=2)
    one = repeated_ids("run_id", form="{arm}", head="seed,", values="seeds")
    assert {arm["n"] for arm in ranked(one)["arms"]} == {15}


FRACTIONS, PERCENT = (0.8969, 0.8998, 0.8974, 0.8981), (91.14, 91.22, 91.03, 90.92)


def arms_of(metric: str, **runs: Sequence[object]) -> str:
    rows = [f"{arm},{seed},{v}" for arm, own in runs.items() for seed, v in enumerate(own)]
    return "\n".join([f"model,seed,{metric}", *rows]) + "\n"


@pytest.mark.parametrize(
    "metric",
    ["f1", "mIoU", "AUROC", "dice", "recall", "val/precision", "mAP", "top-1", "bleu", "R2",
     "success_rate", "exact match", "score", "test_auc", "Spearman", "mAP50", "acc"],
)  # fmt: skip
def test_fractions_beside_percent_are_refused(ranked, cli, metric):
    said = ranked(arms_of(metric, base=FRACTIONS, ours=PERCENT), code=3)
    assert "0.8969" in said
    assert "in percent" in said
    for name, runs in (("a.csv", FRACTIONS), ("b.csv", PERCENT)):
        Path(name).write_text(arms_of(metric, **{name[0]: runs}))
    answer = cli("rank", "--from", "a.csv", "--from", "b.csv", "--direction", "maximize")
    assert (answer.code, answer.out) == (3, "")
    both = [value / 100 for value in PERCENT]
    assert len(ranked(arms_of(metric, base=FRACTIONS, ours=both))["arms"]) == 2


@pytest.mark.parametrize("metric", ["acc", "f1", "mIoU"])
def test_fractions_beside_lower_percent_are_told_by_their_decimals(ranked, metric):
    low = (40.05, 39.7, 40.34, 39.97)
    assert "0.8969" in ranked(arms_of(metric, base=FRACTIONS, ours=low), code=3)
    guessing = arms_of(metric, base=(0.96, 1.0, 1.04, 0.99), ours=low)
    assert len(ranked(guessing)["arms"]) == 2


@pytest.mark.parametrize("metric", ["loss", "reward", "score", "time", "perplexity"])
def test_what_has_no_bounds_may_be_a_hundred_times_as_large(ranked, metric):
    text = arms_of(metric, base=(0.523, 0.531, 0.547), ours=(20.1, 22.2, 21.4))
    assert len(ranked(text)["arms"]) == 2


@pytest.mark.parametrize("metric", ["f1", "wer", "loss", "acc", "anything"])
@pytest.mark.parametrize("other", ["0.9034", "90.34"])
def test_a_percent_sign_beside_none_is_refused(ranked, metric, other):
    text = arms_of(metric, base=("90.2%", "90.4%", "90.1 %"), ours=(other, other + "1", other))
    said = ranked(text, code=3)
    assert f"90.2% (base) beside {other} (ours)" in said
    wide = f"seed,base,ours\n0,90.2%,{other}\n1,90.4%,{other}1\n2,90.1%,{other}\n"
    if other == "90.34":  # fractions are unlike the other column, which is asked about before
        assert "percent sign" in ranked(wide, code=3)
    signs = arms_of(metric, base=("90.2%", "90.4%", "90.1 %"), ours=("91.1%", "91%", "92%"))
    assert len(ranked(signs)["arms"]) == 2


@pytest.mark.parametrize(
    "heading",
    ["learning_rate", "Learning Rate", "dropout_rate", "mask_rate", "loss_weight", "loss_scale",
     "max_grad_norm", "entropy_coef", "label_smoothing", "noise_level", "threshold",
     "recall_threshold", "train_fraction", "weight_decay", "lr", "kl_coef", "config/learning_rate"],
)  # fmt: skip
def test_settings_that_every_run_has_its_own_of_are_refused(ranked, heading):
    rows = [
        f"{arm},{seed},{0.0131 * (seed + 1) + len(arm) / 997:.5f},{base + seed / 7:.3f}"
        for arm, base in (("base", 80), ("ours", 85))
        for seed in range(5)
    ]
    text = "\n".join([f"model,seed,{heading},acc", *rows]) + "\n"
    said = ranked(text, "--metric", "acc", code=2)
    assert f"differ in more than the seed ({heading}: " in said
    told = ranked(text, "--metric", "acc", "--allow-differences", heading)
    assert {arm["n"] for arm in told["arms"]} == {5}


@pytest.mark.parametrize(
    "heading", ["grad_norm", "dice_coef", "time_to_threshold", "clip_score", "train_loss", "kl"]
)
def test_other_results_are_no_settings(ranked, heading):
    rows = [
        f"{arm},{seed},{0.0131 * (seed + 1) + base / 997:.5f},{base + seed / 7:.3f}"
        for arm, base in (("base", 80), ("ours", 85))
        for seed in range(5)
    ]
    text = "\n".join([f"model,seed,{heading},acc", *rows]) + "\n"
    result = ranked(text, "--metric", "acc")
    assert any(heading in said for said in result["source"]["left_out"])


def curves_that_end(ends: dict[str, Sequence[int]], *, rows: int | None = None) -> str:
    """Return curves with a value up to a step of each run, and perhaps rows after it."""
    lines = [
        f"{arm},{seed},{epoch},{80 + epoch + seed / 7 if epoch <= end else ''},{9 / (epoch + 2):.3f}"
        for arm, own in ends.items()
        for seed, end in enumerate(own)
        for epoch in range((end if rows is None else rows) + 1)
    ]
    return "\n".join(["model,seed,epoch,acc,train_loss", *lines]) + "\n"


@pytest.mark.parametrize("rows", [None, 9])
def test_curves_that_end_at_other_steps_are_told(ranked, rows):
    text = curves_that_end({"base": (5, 5, 5), "ours": (9, 9, 9)}, rows=rows)
    (note,) = [note for note in ranked(text, "--metric", "acc")["notes"] if "curves" in note]
    assert "(base at 5, ours at 9): a difference between the arms may be due to that" in note
    assert "--at epoch=5" in note
    same = ranked(text, "--metric", "acc", "--at", "epoch=5")
    assert not any("curves" in note for note in same["notes"])
    text = curves_that_end({"base": (5, 9, 9), "ours": (9, 9, 9)}, rows=rows)
    (note,) = [note for note in ranked(text, "--metric", "acc")["notes"] if "curves" in note]
    assert "do not end at the same step (5 to 9)" in note


def test_metrics_that_are_logged_now_and_then_end_together(ranked):
    text = curves_that_end({"base": (8, 8, 8), "ours": (8, 8, 8)}, rows=9)
    assert not any("curves" in note for note in ranked(text, "--metric", "acc")["notes"])


@pytest.mark.parametrize("marks", [("0", "1"), ("0.0", "1.0")])
def test_marks_of_items_are_asked_about(ranked, marks):
    rows = [
        f"{arm},{marks[i % 2 or (arm == 'b' and i % 3 == 0)]}" for arm in "ab" for i in range(9)
    ]
    text = "\n".join(["model,correct", *rows]) + "\n"
    assert "0 or 1, as those of test items" in ranked(text, code=2)
    assert {arm["n"] for arm in ranked(text, "--layout", "rows-are-runs")["arms"]} == {9}


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("reward", ("1.07k", "1.09k", "1.1k")),
        ("latency [ms]", ("106.5 ms", "109.7 ms", "110.6 ms")),
        ("time", ("1:00:00", "1:11:01", "1:22:02")),
    ],
)
def test_cells_that_are_almost_numbers_are_named(ranked, heading, cells):
    rows = [f"{arm},{seed},{cell}" for arm in "ab" for seed, cell in enumerate(cells)]
    said = ranked("\n".join([f"model,seed,{heading}", *rows]) + "\n", code=3)
    assert f"{heading} in line 2 is {cells[0]!r}, not a number" in said


ITEMS = {"a": (27.9, 31.2, 25.4, 29.6, 28.3), "b": (33.9, 36.8, 31.7, 35.4, 34.1, 30.2)}


@pytest.mark.parametrize(
    "name",
    ["id", "prompt_id", "dataset_id", "config_id", "user_id", "path", "number", "timestamp", "start",
     "date", "name", "user", "notes", "description", "job_id", "user_attrs_dataset"],
)  # fmt: skip
@pytest.mark.parametrize("equal", [True, False], ids=["equal sets", "one more"])
def test_what_runs_of_several_arms_have_in_common_is_asked_about(ranked, name, equal):
    form = "2026-01-0{}" if name in ("timestamp", "start", "date") else "{}" if name in (
        "id", "number") else "case {}x"  # fmt: skip
    if name == "name":
        form = "S0{}"  # of a subject
    rows = [
        f"{arm},{form.format(item + 1)},{value}"
        for arm, own in ITEMS.items()
        for item, value in enumerate(own[:5] if equal else own)
    ]
    said = ranked("\n".join([f"model,{name},psnr", *rows]) + "\n", code=2)
    assert f"--allow-differences {name}" in said


def test_names_of_single_runs_days_and_jobs_are_none_of_them(ranked):
    rows = [
        f"{arm},run-{arm}{item},2026-01-0{item // 3 + 1},ada,{value}"
        for arm, own in ITEMS.items()
        for item, value in enumerate(own)
    ]
    answer = ranked("\n".join(["model,id,date,user,psnr", *rows]) + "\n")
    assert [arm["n"] for arm in answer["arms"]] == [6, 5]
    assert "id, date, user (what names or dates runs)" in str(answer["source"]["left_out"])


def test_what_arms_of_other_seeds_were_run_on_is_asked_about(ranked):
    rows = [f"{arm},{i % 3},{d},{v + i / 9}" for arm, ds, v in (("a", (1, 2), 90), ("b", (3, 4), 92))
            for i, d in enumerate(sorted(ds * 3))]  # fmt: skip
    rows = [row.replace(f",{i % 3},", f",{i},") for i, row in enumerate(rows)]
    assert "dataset_id" in ranked("\n".join(["model,rep,dataset_id,accuracy", *rows]), code=2)


@pytest.mark.parametrize("cell", ["{'lr': 0.%d, 'wd': 0}", '{"lr":0.%d}', "lr: 0.%d", "lr=0.%d"])
def test_texts_of_settings_are_no_names(ranked, cell):
    quoted = ['"' + (cell % i).replace('"', '""') + '"' for i in range(1, 11)]
    rows = [f"{'ab'[i // 5]},{i % 5},{quoted[i]},{90 + i / 3}" for i in range(10)]
    assert "differ in" in ranked("\n".join(["model,trial,hp,accuracy", *rows]), code=2)


@pytest.mark.parametrize("label", ["timestamp", "uuid", "date"])
def test_names_of_the_rows_of_a_wide_table_are_asked_about(ranked, label):
    rows = [f"2026-01-0{i + 1},{1 + i / 9},{2 + i / 8}" for i in (3, 1, 4, 0, 2)]
    said = ranked("\n".join([f"{label},base,ours", *rows]), "--metric", "mae", code=2)
    assert "which may be runs or tasks" in said


def test_pruned_runs_are_asked_about_unless_they_were_run_again(ranked):
    text = "number,params_model,params_seed,value,state\n" + "".join(
        f"{i},{model},{i % 6},{value},{state}\n"
        for i, (model, value, state) in enumerate([
            *(("a", 80 + i / 10, "COMPLETE") for i in range(6)),
            *(("b", 81 + i / 10, "COMPLETE") for i in range(3)),
            *(("b", 77 + i / 10, "PRUNED") for i in range(3)),
        ])
    )  # fmt: skip
    said = ranked(text, code=2)
    assert "3 pruned runs (3 of b), stopped for how they went" in said
    counted = ranked(text, "--missing", "diverged")
    assert {arm["variant"]: arm["diverged"] for arm in counted["arms"]} == {"a": 0, "b": 3}
    assert counted["pairs"][0]["verdict"] != "better"
    assert ranked(text, "--missing", "absent")["pairs"][0]["verdict"] == "better"
    again = "".join(f"{12 + i},b,{3 + i},{81.3 + i / 10},COMPLETE\n" for i in range(3))
    assert {arm["n"] for arm in ranked(text + again)["arms"]} == {6}


@pytest.mark.parametrize("word", ["timeout", "OOM", "crashed", "failed", "error"])
def test_how_a_run_ended_in_the_place_of_its_result_counts_as_diverged(ranked, word):
    rows = [f"{arm},{seed},{value}" for arm, own in (("a", (80.1, 80.3, 80.2, 80.4, 80.0)),
            ("b", (85.1, 85.2, 85.3, word, word))) for seed, value in enumerate(own)]  # fmt: skip
    result = ranked("\n".join(["model,seed,acc", *rows]) + "\n")
    assert {arm["variant"]: arm["diverged"] for arm in result["arms"]} == {"a": 0, "b": 2}
    assert result["pairs"][0]["verdict"] != "better"

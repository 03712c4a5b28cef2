"""``rank`` and ``audit`` on tables that attnstudy did not make."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from attnstudy.stats import Ranking

TABLE = """variant,run1,run2,run3,run4,reported_mean
vanilla,59.77,60.81,57.70,59.77,59.51
early,59.39,61.11,60.81,60.79,60.525
late,58.11,61.62,60.21,61.46,60.24
double,67.7,62.88,61.76,62.41,64.68
"""
VALUES = {
    "vanilla": [59.77, 60.81, 57.70, 59.77],
    "early": [59.39, 61.11, 60.81, 60.79],
    "late": [58.11, 61.62, 60.21, 61.46],
    "double": [67.7, 62.88, 61.76, 62.41],
}
LONG = "variant,seed,test_accuracy\n" + "".join(
    f"{name},{seed},{value}\n"
    for name, values in VALUES.items()
    for seed, value in enumerate(values)
)


@pytest.fixture
def ranked(cli, workplace):
    def rank(text, *arguments, name="results.csv", code=0):
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        answer = cli("rank", "--from", name, "--json", *arguments)
        assert answer.code == code, answer
        return json.loads(answer.out)

    return rank


def test_the_notebooks_table_gives_the_figures_of_the_protocol(ranked):
    result = ranked(TABLE)
    assert [arm["variant"] for arm in result["arms"]] == ["double", "early", "late", "vanilla"]
    assert {(arm["rank_low"], arm["rank_high"], arm["group"]) for arm in result["arms"]} == {
        (1, 4, "a")
    }
    pair = next(p for p in result["pairs"] if (p["a"], p["b"]) == ("double", "vanilla"))
    assert pair["difference"] == pytest.approx(4.175, abs=1e-9)
    assert (round(pair["ci_low"], 2), round(pair["ci_high"], 2)) == (-1.74, 10.09)
    assert round(pair["p_adjusted"], 3) == 0.145
    assert result["verdict"] == "no ranking is defensible"
    assert any("Tukey p = .025, Dunnett p = .015" in note for note in result["notes"])
    assert "column reported_mean (a summary, not a run)" in result["source"]["left_out"]
    influential = next(flag for flag in result["flags"] if flag["kind"] == "influential")
    assert influential["value"] == 67.7
    assert influential["verdict_without"] == "no ranking is defensible"


def test_long_wide_semicolon_bom_parquet_and_stdin_are_one_thing(ranked, cli, tmp_path):
    import pandas as pd

    expected = ranked(TABLE)["pairs"]

    def same(result):
        return [
            (p["a"], p["b"], p["difference"], p["ci_low"], p["p_adjusted"]) for p in result["pairs"]
        ] == [(p["a"], p["b"], p["difference"], p["ci_low"], p["p_adjusted"]) for p in expected]

    assert same(ranked(LONG))
    assert same(ranked(b"\xef\xbb\xbf" + TABLE.encode()))
    german = TABLE.replace(",", ";").replace(".", ",")
    assert same(ranked(german))
    assert same(ranked(TABLE.replace(",", "\t"), name="results.tsv"))
    pd.read_csv(io.StringIO(LONG)).to_parquet("results.parquet")
    assert same(json.loads(cli("rank", "--from", "results.parquet", "--json").out))
    piped = subprocess.run(
        [sys.executable, "-m", "attnstudy", "rank", "--from", "-", "--json"],
        input=LONG, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert same(json.loads(piped.stdout))


@pytest.mark.parametrize("words", [("rank", "--from"), ("audit",)])
@pytest.mark.parametrize("name", ["nowhere.csv", "nowhere.parquet"])
def test_a_file_that_is_not_there_is_a_mistake_of_the_user(cli, workplace, words, name):
    answer = cli(*words, name)
    assert answer.code == 2
    assert answer.err.startswith(f"Error: there is no file {name}: name a CSV")


def test_shuffled_rows_change_nothing(ranked):
    head, *rows = LONG.splitlines()
    shuffled = "\n".join([head, *sorted(rows, key=lambda row: row[::-1])])
    assert ranked(shuffled)["pairs"] == ranked(LONG)["pairs"]


@pytest.mark.parametrize(
    ("text", "code", "sentence"),
    [
        ("", 3, "bad.csv is empty"),
        ("variant\na\n", 3, "has a single column"),
        (b"caf\x81,1\n", 3, "is not text in UTF-8"),
        ("variant,seed,acc\na,0,1.5\na,0,1.6\n", 3, "seed 0 of a appears twice"),
        ("variant,seed,acc\na,x,1\na,y,2\n", 2, "differ in more than the seed (seed: x, y)"),
        ("variant,seed,acc,loss\na,0,1,2\n", 2, "name the column of values with --metric"),
        ("variant,mean,sd\na,1,2\nb,2,3\n", 3, "needs the values, not their summary"),
        ("variant,run1\na,1\nb,\n", 3, "'b' has no values in bad.csv"),
        ("model,accuracy,std,n\na,1,2,5\nb,2,3,5\n", 3, "needs the values, not their summary"),
        (
            "variant,r1,r2\na,1,2,3\nb,2,3\n",
            3,
            "line 2 of bad.csv has 4 cells where the header has 3",
        ),
        ("variant,r1,r2\na,1,2\nb,2\n", 3, "line 3 of bad.csv has 2 cells where the header has 3"),
        ("variant,r1,r2\na,1,2\n,2,3\n", 3, "line 3 of bad.csv has no name"),
        ("variant,r1,r1\na,1,2\nb,2,3\n", 3, "two columns 'r1'"),
        ("variant,r1,r2\na,1_000,2\nb,2,3\n", 3, "without thousands separators"),
        ("variant,score\na,1.01e300\nb,2\n", 3, "beyond 40 digits"),
        ("variant,acc\na,0.61\na,62\nb,63\n", 3, "or every one as a fraction"),
        ('variant,r1,r2\na,"60,1",2.5\nb,2,3\n', 3, "write a point here too"),
    ],
)
def test_bad_tables_get_one_sentence(text, code, sentence, cli, workplace):
    Path("bad.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    answer = cli("rank", "--from", "bad.csv")
    assert answer.code == code, answer
    assert sentence in answer.err
    assert answer.err.count("\n") == 1


def test_columns_that_are_no_runs_are_left_out_by_name(ranked):
    text = (
        ",variant,params,s0,s1,s2,s3,n,mean(%),avg.,median,min,max,epochs,note\n"
        "0,a,25.6,1,2,3,4,4,2.5,2.5,2.5,1,4,90,x\n1,b,11.7,2,3,4,5,4,3.5,3.5,3.5,2,5,90,y\n"
    )
    result = ranked(text)
    assert [(arm["variant"], arm["n"], arm["mean"]) for arm in result["arms"]] == [
        ("b", 4, 3.5),
        ("a", 4, 2.5),
    ]
    left = " ".join(result["source"]["left_out"])
    for name in ("params", "n", "mean(%)", "avg.", "median", "min", "max", "epochs", "note"):
        assert f"column {name} (" in left


def test_no_value_is_lost_in_silence(ranked, cli):
    import pandas as pd

    result = ranked("variant,r1,r2,r3\na,1,2,3\nb,5,6,\n")
    assert "1 empty cell of b (it has 2 of 3 values)" in result["source"]["left_out"]
    wide = pd.DataFrame({"variant": ["a", "b"], "r1": [1.0, 2.0], "r2": [1.5, None]})
    wide.to_parquet("wide.parquet")
    source = json.loads(cli("rank", "--from", "wide.parquet", "--json").out)["source"]
    assert "1 empty cell of b (it has 1 of 2 values)" in source["left_out"]
    pd.DataFrame({"variant": ["a", None], "r1": [1.0, 2.0]}).to_parquet("nameless.parquet")
    nameless = cli("rank", "--from", "nameless.parquet")
    assert nameless.code == 3
    assert "row 2 of nameless.parquet has no name" in nameless.err
    pd.DataFrame({"variant": ["a", "a"], "acc": [1.0, None]}).to_parquet("long.parquet")
    source = json.loads(cli("rank", "--from", "long.parquet", "--json").out)["source"]
    assert "1 run without a value of acc (a)" in source["left_out"]


def test_decimal_commas_between_tabs(ranked):
    commas = TABLE.replace(",", "\t").replace(".", ",")
    assert ranked(commas)["pairs"] == ranked(TABLE)["pairs"]


def test_a_metric_that_a_wide_table_has_no_column_for(ranked, cli):
    result = ranked(TABLE, "--metric", "f1")
    assert result["metric"] == "f1"
    assert result["source"]["read_as"].endswith("metric f1 (by --metric)")
    answer = cli("rank", "--from", "results.csv", "--metric", "reported_maen")
    assert answer.code == 2
    assert "did you mean" in answer.err


@pytest.mark.parametrize(
    "metric",
    ["error_rate", "val_loss_mean", "test_err", "losses", "nll", "WER", "latency", "train-loss 2"],
)
def test_less_is_better_for_losses_errors_and_times(metric, ranked):
    rows = "".join(f"{name},{v}\n" for name, v in [("a", 1), ("b", 2)] for _ in range(3))
    text = f"variant,{metric}\n{rows}"
    result = ranked(text)
    assert (result["direction"], result["arms"][0]["variant"]) == ("minimize", "a")
    assert any("lower is assumed to be better" in note for note in result["notes"])
    up = ranked(text, "--direction", "maximize")
    assert up["arms"][0]["variant"] == "b"
    assert not any("lower is assumed" in note for note in up["notes"])
    wide = ranked("variant,err_0,err_1,err_2\na,1,2,3\nb,2,3,4\n")
    assert (wide["metric"], wide["arms"][0]["variant"]) == ("err", "a")


@pytest.mark.parametrize("metric", ["accuracy", "error_free_acc", "f1", "images per ms", "merit"])
def test_more_is_better_for_the_rest(metric, ranked):
    rows = "".join(f"{name},{v}\n" for name, v in [("a", 1), ("b", 2)] for _ in range(3))
    assert ranked(f"variant,{metric}\n{rows}")["direction"] == "maximize"


def test_the_audit_knows_the_direction(cli, workplace):
    Path("t.csv").write_text("model,mean_error,sd,n\na,1.0,0.1,5\nb,9.0,0.1,5\n")
    result = json.loads(cli("audit", "t.csv", "--json").out)
    assert "a > b" in result["ranking_printed"]["verdict"]
    assert any("lower is assumed to be better" in note for note in result["notes"])
    up = json.loads(cli("audit", "t.csv", "--json", "--direction", "maximize").out)
    assert "b > a" in up["ranking_printed"]["verdict"]
    assert not any("lower is assumed" in note for note in up["notes"])


def test_items_say_that_values_are_in_percent(ranked, cli):
    rows = "a,61\na,62\na,63\nb,64\nb,65\nb,66\n"
    for metric in ("acc", "f1"):
        result = ranked(f"variant,{metric}\n{rows}", "--items", "10000")
        assert result["unit"] == "points"
        assert result["scope"] is not None
    for values, code, sentence in (
        (rows.replace("66", "101"), 3, "has 101, and acc is at most 100 % or 1"),
        ("a,0.61\na,0.62\nb,0.63\nb,0.64\n", 2, "no value of acc is above 1"),
        (rows.replace("61", "0.61"), 3, "every acc in percent, or every one as a fraction"),
    ):
        Path("bad.csv").write_text(f"variant,acc\n{values}")
        answer = cli("rank", "--from", "bad.csv", "--items", "1000")
        assert answer.code == code, answer
        assert sentence in answer.err
    assert cli("rank", "--from", "bad.csv").code == 3  # mixed, whether items are known or not


def test_odd_but_honest_tables_are_described(ranked):
    one = ranked("variant,run1,run2,run3\nonly,1,2,3\n")
    assert one["pairs"] == []
    few = ranked("variant,run1,run2,run3\na,1,2,3\nb,5,6,\n")
    assert few["pairs"][0]["verdict"] == "descriptive"
    constant = ranked("variant,run1,run2,run3\na,1,1,1\nb,2,2,2\n")
    assert constant["pairs"][0]["p_adjusted"] is None or constant["pairs"][0]["p_adjusted"] >= 0
    names = ranked("variant,run1,run2,run3\nñandú 🦤,1,2,3\n" + "x" * 300 + ",2,3,5\n")
    assert {arm["variant"] for arm in names["arms"]} == {"ñandú 🦤", "x" * 300}


def test_claims_decide_the_exit_code(cli, workplace):
    Path("table.csv").write_text(TABLE)
    supported = "variant,r1,r2,r3,r4\nbig,9.1,9.2,9.0,9.1\nsmall,1.1,1.0,1.2,1.1\n"
    Path("clear.csv").write_text(supported)
    bad = cli("rank", "--from", "table.csv", "--assert", "double > vanilla")
    assert bad.code == 1
    assert "NOT supported" in bad.out
    good = cli("rank", "--from", "clear.csv", "--assert", "big > small")
    assert good.code == 0
    assert cli("rank", "--from", "clear.csv", "--assert", "small > big").code == 1
    assert cli("rank", "--from", "clear.csv", "--assert", "bgi > small").code == 2
    assert cli("rank", "--from", "clear.csv", "--assert", "big = small").code == 2
    equal = cli("rank", "--from", "table.csv", "--assert", "double = vanilla", "--margin", "50")
    assert equal.code == 0


def test_control_holm_and_look(ranked):
    control = ranked(TABLE, "--control", "vanilla")
    assert control["method"] == "control"
    assert {pair["b"] for pair in control["pairs"]} == {"vanilla"}
    holm = ranked(TABLE, "--correction", "holm")
    assert holm["method"] == "holm"
    assert {arm["group"] for arm in holm["arms"]} == {None}
    look = ranked(TABLE, "--look", "2/5")
    assert look["alpha"] == pytest.approx(0.01)
    assert any(note.startswith("look 2 of 5") for note in look["notes"])


def test_every_form_carries_the_sentence(cli, workplace):
    Path("table.csv").write_text(TABLE)
    sentence = json.loads(cli("rank", "--from", "table.csv", "--json").out)["sentence"]

    def form(name):
        answer = cli("rank", "--from", "table.csv", "--format", name)
        assert answer.code == 0, answer
        return answer.out

    assert " ".join(form("text").split()).find(sentence) >= 0
    markdown = form("markdown")
    assert sentence in markdown
    assert "| double | 4 | 63.69 | 2.71 |" in markdown
    rows = list(csv.DictReader(io.StringIO(form("csv"))))
    assert len(rows) == 6
    assert float(rows[0]["difference"]) == pytest.approx(3.1625)
    assert Ranking.from_json(json.loads(form("json"))).sentence == sentence
    page = form("html")
    assert page.startswith("<!DOCTYPE html>")
    assert page.rstrip().endswith("</html>")


def test_figures_are_written(cli, workplace):
    Path("table.csv").write_text(TABLE)
    answer = cli("rank", "--from", "table.csv", "--figures", "figures", "--margin", "1")
    assert answer.code == 0, answer.err
    for name in ("runs", "differences", "superiority", "power"):
        assert Path(f"figures/{name}.png").read_bytes()[:4] == b"\x89PNG"
        assert b"<svg" in Path(f"figures/{name}.svg").read_bytes()


def test_two_sources_are_refused(cli, workplace):
    answer = cli("rank", "--from", "x.csv", "--experiment", "y")
    assert answer.code == 2
    assert "--experiment and --from name two things to rank" in answer.err
    assert cli("rank", "--experiment", "y").code == 2
    assert cli("rank", "--by", "params.model").code == 2


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--filter", "x = 1"), "no column 'x' to filter by"),
        (("--filter", "nonsense"), "is not understood: write COLUMN=VALUE"),
        (("--config", "c"), "--config does not go with --from"),
        (("--allow-differences", "run1"), "here every column is a run"),
        (("--allow-differences", "lr"), "no column 'lr' to allow"),
        (("--seed-by", "lr"), "no column 'lr'"),
        (("--at", "best"), "add --of val_accuracy"),
        (("--at", "step=3"), "--at chooses a point of a curve"),
        (("--at", "middle"), "'middle' is no point of a curve"),
        (("--of", "loss"), "add --at best"),
        (("--task-by", "dataset"), "no column 'dataset' of tasks"),
        (("--folds", "9:1"), "write 900/100"),
        (("--layout", "upside-down"), "is not one of"),
        (("--by", "modle"), "no column 'modle'"),
    ],
)
def test_options_that_would_do_nothing_are_refused(option, said, cli, workplace):
    Path("table.csv").write_text(TABLE)
    answer = cli("rank", "--from", "table.csv", *option)
    assert answer.code == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1


def test_the_audit_finds_the_notebooks_faults(cli, workplace):
    Path("table.csv").write_text(TABLE)
    answer = cli("audit", "table.csv", "--items", "10000", "--json")
    assert answer.code == 1
    result = json.loads(answer.out)
    found = {(f["kind"], f["row"], f["recomputed"]) for f in result["findings"]}
    assert ("wrong-mean", "late", "60.35") in found
    assert ("wrong-mean", "double", "63.6875") in found
    assert {kind for kind, _, _ in found} >= {"duplicate", "mixed-precision", "influential"}
    assert (result["changes_order"], result["changes_verdict"]) == (False, False)
    text = cli("audit", "table.csv")
    assert "hypotheses" in text.out
    assert all(len(line) <= 100 for line in text.out.splitlines())
    Path("fine.csv").write_text(
        "variant,r1,r2,r3,mean\nx,1.10,1.25,1.30,1.22\ny,1.15,1.20,1.45,1.27\n"
    )
    assert cli("audit", "fine.csv").code == 0
    assert cli("audit", "missing.csv").code == 2
    Path("empty.csv").write_text("")
    assert cli("audit", "empty.csv").code == 3


def test_the_truncated_log_is_found(cli, workplace, real_data):
    table = real_data / "notebook" / "reported_table.csv"
    logs = real_data / "notebook" / "logged_runs.csv"
    answer = cli("audit", str(table), "--runs", str(logs), "--items", "10000", "--json")
    (found,) = [f for f in json.loads(answer.out)["findings"] if f["kind"] == "disagrees-with-log"]
    assert (found["row"], found["printed"], found["how"]) == ("double", "62.41", "truncated")


@pytest.mark.parametrize("alpha", ["1e-300", "9e-13"])
def test_an_error_rate_that_nothing_could_keep_is_refused(alpha, cli, workplace):
    Path("t.csv").write_text(LONG)
    answer = cli("rank", "--from", "t.csv", "--alpha", alpha)
    assert answer.code == 2, answer
    assert f"'{alpha}' is too small an error rate: give 1e-12 or more" in answer.err
    assert "Warning" not in answer.err


def test_a_tiny_error_rate_does_not_make_intervals_of_all_possible_values(cli, workplace):
    Path("t.csv").write_text("variant,score\n" + "".join(f"{a},{v}\n" for a in "ab" for v in "123"))
    for alpha, said in (("1e-6", "99.9999 %"), ("1e-12", "99.9999999999 %"), ("0.05", "95 %")):
        out = cli("rank", "--from", "t.csv", "--alpha", alpha).out
        assert f"simultaneous {said} interval" in out
        assert " 100 %" not in out

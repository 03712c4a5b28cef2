"""Looks and pairing, as asked for on the command line, in the environment or in a study's file."""

from __future__ import annotations

import csv
import html
import io
import json
import random
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as scipy_stats

from attnstudy import stats
from attnstudy.stats import Ranking

LOOKS = (5, 10, 20)


def _samples():
    """Four variants whose runs share what a seed does; ``double`` needed only five of them."""
    rng = np.random.default_rng(1)
    shared = rng.normal(0.0, 0.8, 12)
    means = {"vanilla": 60.0, "early": 60.4, "late": 63.0, "double": 67.0}
    return {
        variant: {
            seed: float(value)
            for seed, value in enumerate((mean + shared + rng.normal(0.0, 0.5, 12)).round(2))
            if variant != "double" or seed < 5
        }
        for variant, mean in means.items()
    }


SAMPLES = _samples()
EQUAL_SEEDS = {variant: runs for variant, runs in SAMPLES.items() if variant != "double"}


def long_table(samples):
    rows = [f"{v},{s},{value}" for v, runs in samples.items() for s, value in runs.items()]
    return "\n".join(["variant,seed,test_accuracy", *rows]) + "\n"


@pytest.fixture
def looked(cli, workplace):
    """Rank the table with its looks in a form."""
    Path("looks.csv").write_text(long_table(SAMPLES))

    def rank(form):
        answer = cli("rank", "--from", "looks.csv", "--looks", "5,10,20", "--format", form)
        assert answer.code == 0, answer.err
        return answer.out

    return rank


@pytest.fixture
def paired(cli, workplace):
    """Rank the variants with equal seeds, seed by seed."""
    Path("paired.csv").write_text(long_table(EQUAL_SEEDS))

    def rank(*arguments, code=0):
        answer = cli("rank", "--from", "paired.csv", "--paired", *arguments)
        assert answer.code == code, answer
        return answer

    return rank


# Looks


def test_looks_on_the_command_line_are_those_of_the_function(looked):
    expected = stats.rank(SAMPLES, looks=LOOKS)
    result = json.loads(looked("json"))
    assert result["looks"] == {"declared": [5, 10, 20], "done": 2}
    assert {pair["look"] for pair in result["pairs"]} == {1, 2}
    assert replace(Ranking.from_json(result), source=None) == expected
    assert (result["status"], result["alpha"]) == ("exploratory", 0.05)
    assert "so the looks were not declared before it" in result["status_reason"]


def test_every_form_says_which_look_decided_each_pair(looked):
    pairs = json.loads(looked("json"))["pairs"]
    assert {(pair["look"], pair["verdict"]) for pair in pairs} == {
        (1, "better"), (2, "undecided")
    }  # fmt: skip
    text = looked("text")
    assert all(len(line) <= 100 for line in text.splitlines())
    lines = {line.split("  ")[0]: line.split() for line in text.splitlines() if " − " in line}
    markdown = {
        line.split(" | ")[0].removeprefix("| "): line.strip("| \n").split(" | ")
        for line in looked("markdown").splitlines()
        if line.startswith("| ")
    }
    place = markdown["pair"].index("look")
    rows = list(csv.DictReader(io.StringIO(looked("csv"))))
    for pair, row in zip(pairs, rows, strict=True):
        name = f"{pair['a']} − {pair['b']}"
        assert lines[name][-2:] == [str(pair["look"]), pair["verdict"]]
        assert markdown[name][place] == str(pair["look"])
        assert (row["a"], row["b"], row["look"]) == (pair["a"], pair["b"], str(pair["look"]))
        assert row["status"] == "exploratory"


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_intervals_are_called_by_the_level_that_they_have(form, looked):
    shown = " ".join(looked(form).split())
    assert "98.33 %" in shown
    assert "95 % intervals" not in shown.replace("own 95 % interval", "")
    assert "2 of 3 done" in shown


@pytest.mark.parametrize(("form", "end"), [("text", "the next look is at 20 seeds")])
def test_what_is_open_and_what_comes_next_is_said(form, end, looked):
    said = " ".join(looked(form).split())
    assert f"Looks at 5, 10, 20 seeds per arm: 2 of 3 done, 1 of 6 pairs open; {end}." in said


def test_no_further_look_or_nothing_open(cli, workplace):
    Path("looks.csv").write_text(long_table(SAMPLES))
    last = cli("rank", "--from", "looks.csv", "--looks", "5,10").out
    assert "2 of 2 done, 1 of 6 pairs open; no further look is declared." in last
    assert "12 seeds in an arm, and the last declared look is at 10" in " ".join(last.split())
    Path("far.csv").write_text(long_table({v: SAMPLES[v] for v in ("late", "double")}))
    decided = cli("rank", "--from", "far.csv", "--looks", "5,10,20").out
    assert "1 of 3 done, every pair is decided." in decided


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--looks", "5,x"), "'5,x' are no looks: write the declared numbers of seeds"),
        (("--looks", ""), "'' are no looks"),
        (("--looks", "10,5"), "'10,5' are no looks"),
        (("--looks", "5,5"), "'5,5' are no looks"),
        (("--looks", "2,5"), "ascending and from 3 on"),
        (("--looks", "-5"), "are no looks"),
        (("--looks", "5,10", "--look", "1/2"), "are replayed together: leave --look out"),
        (("--looks", "5,10", "--control", "late"), "defined for Games-Howell alone"),
        (("--looks", "5,10", "--correction", "holm"), "defined for Games-Howell alone"),
        (("--looks", "5,10", "--paired"), "defined for Games-Howell alone"),
        (("--looks", "5,10", "--calibrate"), "--calibrate asks about a single analysis"),
        (
            ("--components", "--format", "csv"),
            "--components has no place in --format csv: use text",
        ),
        (("--components", "--folds", "9/1"), "--components do not go together"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_read(
    arguments, sentence, cli, workplace
):
    answer = cli("rank", "--from", "not-there.csv", *arguments)
    assert answer.code == 2, answer
    assert sentence in answer.err
    assert answer.err.count("\n") == 1


# Components of variance


def test_components_are_those_of_the_function_and_null_where_nobody_asks(paired):
    rows = [(arm, None, s, v) for arm, values in EQUAL_SEEDS.items() for s, v in values.items()]
    expected = stats.find_components(rows).to_json()
    assert json.loads(paired("--components", "--json").out)["components"] == expected
    assert json.loads(paired("--json").out)["components"] is None
    for form in ("text", "markdown", "html"):
        said = html.unescape(paired("--components", "--format", form).out)
        assert "Components of the variance of a run's value within its arm" in said
        assert "residual" in said
        assert "nothing says how training and validation data were split" in " ".join(said.split())
        assert "Components of" not in paired("--format", form).out


def test_components_without_statsmodels_are_refused_before_anything_is_read(
    cli, workplace, monkeypatch
):
    monkeypatch.setitem(sys.modules, "statsmodels", None)
    answer = cli("rank", "--from", "not-there.csv", "--components")
    assert answer.code == 2
    assert "pip install 'attnstudy[variance]'" in answer.err
    assert answer.err.count("\n") == 1


# Pairing


def test_pairing_tests_the_seed_differences(paired):
    result = json.loads(paired("--json").out)
    assert result["method"] == "paired"
    assert replace(Ranking.from_json(result), source=None) == stats.rank(EQUAL_SEEDS, paired=True)
    a, b = (list(EQUAL_SEEDS[v].values()) for v in ("early", "vanilla"))
    pair = next(p for p in result["pairs"] if (p["a"], p["b"]) == ("early", "vanilla"))
    # the largest of three: Holm leaves it as it is
    assert pair["p_adjusted"] == pytest.approx(scipy_stats.ttest_rel(a, b).pvalue)


def test_pairing_that_no_plan_chose_is_exploratory_and_says_so(paired):
    result = json.loads(paired("--json").out)
    assert result["status"] == "exploratory"
    assert "the choice to compare seed by seed was not declared" in result["status_reason"]
    note = next(n for n in result["notes"] if n.startswith("comparing seed by seed was not"))
    assert note.endswith(f"without pairing: {stats.rank(EQUAL_SEEDS).verdict}")
    for form in ("text", "markdown", "html"):
        shown = " ".join(paired("--format", form).out.split())
        assert "the choice to compare seed by seed was not declared before it" in shown
        assert "comparing seed by seed was not declared before the first run" in shown
    planned = stats.rank(EQUAL_SEEDS, paired=True, plan=stats.Plan(hash="c0", date="2026-01-01"))
    assert planned.status == "confirmatory"
    assert not any("was not declared" in note for note in planned.notes)


def test_pairing_against_a_control_is_called_that_everywhere(paired):
    result = json.loads(paired("--control", "vanilla", "--json").out)
    assert [(p["a"], p["b"]) for p in result["pairs"]] == [
        ("late", "vanilla"), ("early", "vanilla")
    ]  # fmt: skip
    for pair in result["pairs"]:
        a, b = (list(EQUAL_SEEDS[pair[end]].values()) for end in ("a", "b"))
        interval = scipy_stats.ttest_rel(a, b).confidence_interval(1 - 0.05 / 2)
        assert (pair["ci_low"], pair["ci_high"]) == pytest.approx((interval.low, interval.high))
    assert "paired by seed, against vanilla, Holm" in paired("--control", "vanilla").out
    page = paired("--control", "vanilla", "--format", "html").out
    assert "by the paired t over shared seeds" in page
    assert "by Welch's t" not in page.replace("&#x27;", "'")


def test_pairing_is_calibrated_as_pairing(paired):
    calibration = json.loads(paired("--calibrate", "--json").out)["calibration"]
    own = stats.calibrate(EQUAL_SEEDS, paired=True).to_json()
    assert calibration == own


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (long_table(SAMPLES), "'double' has no run of seed 5: run it, or leave the seed out"),
        (
            "variant,run1,run2,run3\na,1,2,3\nb,2,3,5\n",
            "needs the seed of every run, and arm 'a' has none",
        ),
    ],
)
def test_pairing_needs_the_same_seeds(table, sentence, cli, workplace):
    Path("table.csv").write_text(table)
    answer = cli("rank", "--from", "table.csv", "--paired")
    assert answer.code == 2, answer
    assert sentence in answer.err
    assert answer.err.count("\n") == 1


def test_pairing_leaves_the_scope_on_new_images_to_the_analysis_without_it():
    right = {name: np.random.default_rng(i).random((4, 200)) < 0.6 for i, name in enumerate("ab")}
    samples = {name: dict(enumerate(100.0 * rows.mean(axis=1))) for name, rows in right.items()}
    assert stats.rank(samples, correct=right).scope is not None
    paired = stats.rank(samples, correct=right, paired=True)
    assert paired.scope is None
    assert any("on new test items is told for the analysis" in note for note in paired.notes)


# Where the design stands


def test_a_studys_file_and_the_environment_may_say_the_design(cli, workplace):
    Path("paired.csv").write_text(long_table(EQUAL_SEEDS))
    table = ("rank", "--from", "paired.csv", "--json")
    answer = cli(*table, env={"ATTNSTUDY_PAIRED": "1", "ATTNSTUDY_CONTROL": "late"})
    result = json.loads(answer.out)
    assert (result["method"], result["control"]) == ("paired", "late")
    assert json.loads(cli(*table, env={"ATTNSTUDY_LOOKS": "5,10"}).out)["looks"]["done"] == 2
    over = cli(*table, "--unpaired", env={"ATTNSTUDY_PAIRED": "1"})
    assert json.loads(over.out)["method"] == "games-howell"


def test_the_file_of_the_default_study_says_nothing_about_a_table(cli, workplace):
    path = workplace / "studies" / "placement" / "study.toml"
    path.parent.mkdir(parents=True)
    path.write_text('[ranking]\nmetric = "test_accuracy"\npaired = true\ncontrol = "nobody"\n')
    Path("other.csv").write_text(long_table(SAMPLES).replace("test_accuracy", "f1"))
    answer = cli("rank", "--from", "other.csv", "--json")
    assert answer.code == 0, answer.err
    result = json.loads(answer.out)
    assert (result["metric"], result["method"], result["control"]) == ("f1", "games-howell", None)


def test_looks_are_refused_where_no_seed_says_which_runs_came_first(cli, workplace):
    rows = "".join(f"{arm},{90 + i / 10 + j}\n" for j, arm in enumerate("ab") for i in range(6))
    Path("sorted.csv").write_text(f"model,acc\n{rows}")
    answer = cli("rank", "--from", "sorted.csv", "--looks", "3,6")
    assert answer.code == 2
    assert "looks need to know which runs came first" in answer.err
    assert cli("rank", "--from", "sorted.csv").code == 0


@pytest.mark.parametrize(
    ("condition", "refused"),
    [
        ("acc>90", True), ("acc >= 90 and seed<5", True), ("seed<5 and 'acc' != 0", True),
        ("acc!=nan", False), ("acc != ''", False), ("seed<5", False),
    ],
)  # fmt: skip
def test_runs_are_not_chosen_by_the_result_that_is_ranked(condition, refused, cli, workplace):
    rows = "".join(
        f"{arm},{seed},{90 + seed / 10 + high}\n"
        for arm, high in (("a", 0), ("b", 1))
        for seed in range(6)
    )
    Path("t.csv").write_text(f"model,seed,acc\n{rows}")
    answer = cli("rank", "--from", "t.csv", "--metric", "acc", "--filter", condition)
    assert answer.code == (2 if refused else 0), answer.err
    assert ("chooses runs by acc, the result that is ranked" in answer.err) == refused


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("loss<0.5", "the filter loss<0.5 chooses runs by what came out of them"),
        ("gap >= 0.01 and seed<5", "the filter gap>=0.01 chooses runs by what"),
        ("loss!=nan", ""), ("width=64", ""), ("width<128", ""),
    ],
)  # fmt: skip
def test_a_choice_by_another_result_is_told(condition, said, cli, workplace):
    draw = random.Random(3).random
    rows = "".join(
        f"{arm},{seed},{width},{90 + high + draw():.3f},{draw():.4f},{draw() / 5:.4f}\n"
        for arm, high in (("a", 0), ("b", 1))
        for width in (64, 128)
        for seed in range(12)
    )
    Path("t.csv").write_text(f"model,seed,width,acc,loss,gap\n{rows}")
    words = ("rank", "--from", "t.csv", "--metric", "acc", "--by", "model,width", "--json")
    answer = cli(*words, "--filter", condition)
    assert answer.code == 0, answer.err
    notes = [note for note in json.loads(answer.out)["notes"] if "chooses runs" in note]
    assert len(notes) == bool(said)
    assert said in "".join(notes)


def rows_to_filter(days: str = "2026-03-0{}") -> str:
    rows = [
        f"{arm},{seed},{(1, 5, 10)[seed % 3]}k,{days.format(seed + 1)},{90 + high + seed / 7:.3f}"
        for high, arm in enumerate("abc")
        for seed in range(8)
    ]
    return "\n".join(["model,seed,n_train,created,acc", *rows]) + "\n"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        *((text, "join them with 'and'; 'or' and lists are not known") for text in (
            "seed>=0 && seed<=3", "seed<3 or seed>7", "seed<5 & model!=c", "seed>=5, model=a",
            "seed!=4,5", "seed!=[3,7]", "model!=a|b", "model!=a,b", "seed=>3", "seed<>3",
            "model!='a' or model!='b'")),
        ("seed!=3-5", "holds numbers, and '3-5' is none"),
        ("n_train>=5000", "compares numbers, and '1k' of column 'n_train' is no number"),
        ("seed>=1,000", "are not known"),
        ("seed>='1,000'", "'1,000' of column 'seed' can be read in two ways"),
        ("created>=3/1/2026", "'3/1/2026', which is neither a number nor a date as 2026-03-01"),
        ("created>=2026-02-30", "neither a number nor a date"),
        ("created>=2026-03-01T12:00Z", "write the zone behind every time"),
        ("created>=5", "compares numbers, and '2026-03-01' of column 'created' is no number"),
        ("model>=b", "'b', which is neither a number nor a date"),
    ],
)  # fmt: skip
def test_filters_that_are_not_understood_are_refused(condition, said, cli, workplace):
    Path("t.csv").write_text(rows_to_filter())
    answer = cli("rank", "--from", "t.csv", "--metric", "acc", "--filter", condition)
    assert (answer.code, answer.out) == (2, ""), answer
    assert said in answer.err
    assert answer.err.count("\n") == 1


def test_dates_that_have_no_order_are_refused(cli, workplace):
    Path("t.csv").write_text(rows_to_filter("{}/1/2026"))
    words = ("rank", "--from", "t.csv", "--metric", "acc", "--filter", "created>=2026-03-01")
    assert "'1/1/2026' of column 'created' is no date as 2026-03-01" in cli(*words).err


@pytest.mark.parametrize(
    ("condition", "runs", "said"),
    [
        ("seed>=2 and seed<=5", 4, "12 rows by the filter seed>=2 and seed<=5"),
        ("created<=2026-03-04", 4, "12 rows by the filter created<=2026-03-04"),
        ("seed!=9", 8, "no row by the filter seed!=9"),
        ("seed<5 and model!=d", 5, "no further row by the filter model!=d"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("time", ["", " 23:10:00", "T23:10:00.123456Z"])
def test_filters_that_are_understood_are_told(condition, runs, said, time, cli, workplace):
    Path("t.csv").write_text(rows_to_filter("2026-03-0{}" + time))
    answer = cli("rank", "--from", "t.csv", "--metric", "acc", "--by", "model", "--json",
                 "--allow-differences", "n_train", "--filter", condition)  # fmt: skip
    result = json.loads(answer.out)
    assert {arm["n"] for arm in result["arms"]} == {runs}
    assert said in result["source"]["left_out"]


@pytest.mark.parametrize("value", ["R&D, 1", "'R&D, 1'"])
def test_a_filter_may_name_a_value_with_marks(value, cli, workplace):
    rows = "".join(f"{arm},{seed},{split},{90 + seed / 7 + high}\n"
                   for high, arm in enumerate("ab") for seed in range(4)
                   for split in ('"R&D, 1"', "other"))  # fmt: skip
    Path("t.csv").write_text(f"model,seed,split,acc\n{rows}")
    answer = cli("rank", "--from", "t.csv", "--json", "--filter", f"split={value}")
    assert {arm["n"] for arm in json.loads(answer.out)["arms"]} == {4}


def test_a_filter_compares_decimal_commas_as_the_table_has_them(cli, workplace):
    rows = "".join(f"{arm};{seed};{lr};{90 + high},{seed}\n"
                   for high, arm in enumerate("ab") for seed in range(4)
                   for lr in ("0,5", "1,25", ""))  # fmt: skip
    Path("t.csv").write_text(f"model;seed;lr;acc\n{rows}")
    answer = cli("rank", "--from", "t.csv", "--json", "--filter", "lr>=1,2")
    assert {arm["n"] for arm in json.loads(answer.out)["arms"]} == {4}


def test_repeatable_options_of_the_environment_are_a_value_per_line(cli, workplace):
    rows = "".join(f"{arm},{seed},{width},{90 + seed / 7 + (arm == 'b')}\n"
                   for arm in "ab" for seed in range(4) for width in (32, 64))  # fmt: skip
    for name in ("my results.csv", "more.csv"):
        Path(name).write_text(f"model,seed,width of it,acc\n{rows}")
    typed = ("rank", "--from", "my results.csv", "--filter", "width of it = 64", "--json")
    environment = {"ATTNSTUDY_FROM": "my results.csv", "ATTNSTUDY_FILTER": "width of it = 64\n"}
    answer = cli("rank", "--json", env=environment)
    assert answer.code == 0, answer.err
    assert answer.out == cli(*typed).out
    assert "given twice" in cli("rank", env={"ATTNSTUDY_FROM": "more.csv\nmore.csv"}).err


def test_fields_of_an_arm_are_given_in_a_list_or_one_by_one(cli, workplace):
    rows = "".join(f"{arm},{seed},{width},{90 + seed / 7 + (arm == 'b')}\n"
                   for arm in "ab" for seed in range(4) for width in (32, 64))  # fmt: skip
    Path("t.csv").write_text(f"model,seed,width,acc\n{rows}")
    words = ("rank", "--from", "t.csv", "--json")
    listed = cli(*words, "--by", "model,width")
    assert listed.code == 0, listed.err
    assert len(json.loads(listed.out)["arms"]) == 4
    assert cli(*words, "--by", "model", "--by", "width").out == listed.out
    assert "--by is empty" in cli(*words, "--by", "model", "--by", " ").err


def test_a_table_in_the_place_of_a_study_and_two_forms_are_told(cli, workplace):
    Path("my results.csv").write_text("seed,a,b\n0,1,3\n1,2,5\n2,2,6\n")
    answer = cli("rank", "my results.csv")
    assert answer.code == 2
    assert "my results.csv is a file, and not that of a study" in answer.err
    assert "takes tables with --from FILE" in answer.err
    words = ("rank", "--from", "my results.csv", "--metric", "acc", "--json")
    answer = cli(*words, "--format", "html")
    assert (answer.code, answer.out) == (2, "")
    assert "--json and --format html are two forms" in answer.err
    assert cli(*words, "--format", "json").out == cli(*words).out


def two_arms(heading, low, high, extra=("", "")):
    rows = [f"{arm},{seed},{value}{extra[1]}" for arm, own in (("low", low), ("high", high))
            for seed, value in enumerate(own)]  # fmt: skip
    return "\n".join([f"model,seed,{heading}{extra[0]}", *rows]) + "\n"


LOW, HIGH = (1.01, 0.98, 1.03, 1.0), (2.02, 1.97, 2.05, 1.99)
LOWER, HIGHER = [v / 4 for v in LOW], [v / 4 for v in HIGH]


@pytest.mark.parametrize("metric", ["mse", "val_rmse", "MAE", "error_rate", "runtime_s", "time"])
def test_what_is_never_negative_is_asked_about_below_0(cli, workplace, metric):
    turned = two_arms(metric, [-v for v in LOW], [-v for v in HIGH])
    Path("t.csv").write_text(turned)
    answer = cli("rank", "--from", "t.csv", "--metric", metric)
    assert answer.code == 2
    assert "is below 0 in every run" in answer.err
    answer = cli("rank", "--from", "t.csv", "--metric", metric, "--direction", "maximize", "--json")
    assert json.loads(answer.out)["arms"][0]["variant"] == "low"
    Path("t.csv").write_text(two_arms(metric, LOW, [-1] * 4))
    answer = cli("rank", "--from", "t.csv", "--metric", metric, "--direction", "minimize")
    assert answer.code == 2
    assert "write nan there" in answer.err


@pytest.mark.parametrize("metric", ["loss", "nll", "val_loss", "neg_mse", "elbo", "free_energy"])
def test_what_may_be_negative_is_taken(cli, workplace, metric):
    Path("t.csv").write_text(two_arms(metric, [-v for v in LOW], [-v for v in HIGH]))
    assert cli("rank", "--from", "t.csv", "--metric", metric).code == 0


def test_a_column_of_names_says_what_the_results_of_a_long_table_are(cli, workplace):
    Path("t.csv").write_text(two_arms("value", LOW, HIGH, (",metric", ",rmse")))
    words = ("rank", "--from", "t.csv", "--json")
    for more in ((), ("--metric", "value"), ("--filter", "metric=rmse")):
        result = json.loads(cli(*words, *more).out)
        assert (result["metric"], result["direction"]) == ("rmse", "minimize")
        assert result["arms"][0]["variant"] == "low"
    chosen = cli(*words, "--filter", "value<2")
    assert "the result that is ranked" in chosen.err
    Path("t.csv").write_text(two_arms(".estimate", LOWER, HIGHER, (",.metric", ",accuracy")))
    assert json.loads(cli(*words).out)["direction"] == "maximize"
    Path("t.csv").write_text(two_arms("score", LOW, HIGH, (",higher_is_better", ",False")))
    assert "says false, and by its name score would be better the other way: say --direction " in (
        cli(*words).err
    )
    assert cli(*words, "--direction", "minimize").code == 0
    Path("t.csv").write_text("RMSE on the test set\n" + two_arms("estimate", LOW, HIGH))
    assert "of which less is better" in cli(*words).err


def test_each_task_has_the_metric_that_its_rows_name(cli, workplace):
    rows = [
        f"{task},{arm},{seed},{metric},{value + seed / 90 + (gap if arm == 'b' else 0)}"
        for task, metric, value, gap in (
            ("iris", "accuracy", 0.8, 0.1), ("wine", "accuracy", 0.7, 0.1), ("boston", "rmse", 3, 1)
        )
        for arm in "ab" for seed in range(4)
    ]  # fmt: skip
    Path("t.csv").write_text("\n".join(["dataset,model,seed,metric,value", *rows]) + "\n")
    answer = cli("rank", "--from", "t.csv", "--task-by", "dataset", "--json")
    assert answer.code == 0, answer.err
    best = {t["name"]: t["ranking"]["arms"][0]["variant"] for t in json.loads(answer.out)["tasks"]}
    assert best == {"iris": "b", "wine": "b", "boston": "a"}


@pytest.mark.parametrize(
    "metric", ["not_solved", "attack_success_rate", "backdoor_acc", "forget_accuracy",
               "privacy_leakage_auc", "anomaly_score"],
)  # fmt: skip
def test_names_that_do_not_tell_whether_more_is_wanted_are_told(cli, workplace, metric):
    Path("t.csv").write_text(two_arms(metric, LOWER, HIGHER))
    notes = json.loads(cli("rank", "--from", "t.csv", "--metric", metric, "--json").out)["notes"]
    assert any("does not say which way is better" in note for note in notes)


def test_a_mirror_of_the_ranked_metric_chooses_as_it_does(cli, workplace):
    draw = random.Random(5).uniform
    runs = [(arm, seed) for arm in "ab" for seed in range(4)]
    rows = []
    for arm, seed in runs:
        for epoch in range(6):
            accuracy = draw(80, 85) + (arm == "b")
            rows.append(f"{arm},{seed},{epoch},{accuracy},{100 - accuracy},{draw(80, 85)}")
    Path("t.csv").write_text("\n".join(["model,seed,epoch,test_acc,test_err,val_acc", *rows]))
    words = ("rank", "--from", "t.csv", "--metric", "test_acc", "--at", "best", "--json", "--of")
    for of, told in (("test_err", True), ("val_acc", False)):
        notes = json.loads(cli(*words, of).out)["notes"]
        assert any("test_acc follows from test_err at every step" in n for n in notes) == told


def test_what_was_left_out_and_how_the_best_was_chosen_stands_in_methods_and_latex(cli, workplace):
    rows = [f"{a},{s},{e},{80 + s + e / 3 + (a == 'b')}" for a in "ab" for s in range(5)
            for e in range(3)]  # fmt: skip
    Path("t.csv").write_text("\n".join(["model,seed,epoch,acc", *rows]))
    words = ("rank", "--from", "t.csv", "--at", "best", "--of", "acc", "--filter", "seed!=0")
    for more in (("--methods", "-"), ("--format", "latex")):
        said = " ".join(cli(*words, *more).out.split())
        assert "very run reports its best epoch, chosen by the ranked metric itself" in said
        assert "rows by the filter seed!=0" in said.replace("\\", "")


def test_latex_tells_pairs_that_diverged_runs_rule_out(cli, workplace):
    rows = [*(f"a,{s},{80 + s / 9}" for s in range(6)), *(f"b,{s},{85 + s / 9}" for s in range(5)),
            "b,5,nan", *(f"c,{s},{80.1 + s / 9}" for s in range(6))]  # fmt: skip
    Path("t.csv").write_text("\n".join(["model,seed,acc", *rows]))
    said = " ".join(cli("rank", "--from", "t.csv", "--format", "latex").out.split())
    assert "Diverged runs rule out to rank b and " in said
    assert "1 pair is undecided." in said

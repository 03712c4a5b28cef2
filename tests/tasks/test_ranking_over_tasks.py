"""``attnstudy rank --task-by``: what is read, what is said, what is refused."""

from __future__ import annotations

import csv
import html
import io
import json
from pathlib import Path

import numpy as np
import pytest

TASKS = tuple(f"task{number}" for number in range(8))
GAPS = {"base": 0.0, "plus": 0.6, "ours": 2.0}


def rows(tasks=TASKS, seeds=5, *, turned=(), seed=0):
    """Return (task, arm, seed, accuracy): ours > plus > base, turned round on some tasks."""
    rng = np.random.default_rng(seed)
    found = []
    for task in tasks:
        level, sd = rng.uniform(60, 95), rng.uniform(0.3, 1.2)
        for arm, gap in GAPS.items():
            up = -gap if task in turned else gap
            found += [
                (task, arm, number, round(level + up + rng.normal(0, sd), 3))
                for number in range(seeds)
            ]
    return found


def write(path, found, heading=("dataset", "method", "seed", "accuracy")):
    with Path(path).open("w", newline="") as file:
        csv.writer(file).writerows([heading, *found])


@pytest.fixture
def ranked(cli, workplace):
    def run(found, *words, code=0):
        write("results.csv", found)
        answer = cli("rank", "--from", "results.csv", "--task-by", "dataset", *words)
        assert answer.code == code, answer.err
        return answer

    return run


def test_three_questions_and_their_sentences(ranked):
    said = " ".join(ranked(rows()).out.split())
    assert "read as 8 tasks (dataset: task0, task1" in said
    assert "on each 3 arms (column method: base, plus, ours) × 5 seeds (column seed)" in said
    assert "on average over these tasks: ours > plus > base" in said
    assert "on a new task like these: ours > plus, ours > base, plus > base" in said
    assert "0.05 over all tasks and pairs (0.00625 for each task)" in said
    assert "of other tasks this says nothing" in said
    assert "no verdict" in said  # of Friedman's test and Nemenyi's difference


def test_the_same_table_pooled_is_refused_and_names_the_column(cli, workplace):
    write("results.csv", rows())
    answer = cli("rank", "--from", "results.csv")
    assert answer.code == 2
    assert "several tasks (dataset: " in answer.err
    assert "--task-by dataset" in answer.err


def test_the_average_is_that_of_the_task_means_by_hand(ranked):
    found = rows(seeds=4)
    answer = json.loads(ranked(found, "--json", "--tasks", "average").out)
    cells = {}
    for task, arm, _, value in found:
        cells.setdefault((task, arm), []).append(value)
    means = {arm: np.mean([np.mean(cells[task, arm]) for task in TASKS]) for arm in GAPS}
    assert {arm["name"]: arm["mean"] for arm in answer["arms"]} == pytest.approx(means)
    (pair,) = [p for p in answer["average"]["pairs"] if (p["a"], p["b"]) == ("ours", "base")]
    parts = [
        np.var(cells[task, arm], ddof=1) / 4 / 64 for task in TASKS for arm in ("ours", "base")
    ]
    assert pair["se"] == pytest.approx(np.sqrt(sum(parts)))
    # an arm's part with its own degrees of freedom, then both as Welch has it
    own = [parts[::2], parts[1::2]]
    df = [sum(one) ** 2 / sum(v**2 / 3 for v in one) for one in own]
    welch = sum(parts) ** 2 / sum(sum(one) ** 2 / f for one, f in zip(own, df, strict=True))
    assert pair["df"] == pytest.approx(welch)
    assert answer["question"] == "average"
    assert answer["average"]["verdict"] == "ours > plus > base"
    assert answer["verdict"] == "on average over these tasks: ours > plus > base"


def test_weights_are_heeded_and_said(ranked):
    words = [word for task in TASKS for word in ("--task-weight", f"{task}=1")]
    words[1] = "task0=9"
    answer = json.loads(ranked(rows(), "--json", "--tasks", "average", *words).out)
    assert answer["average"]["weights"] == pytest.approx([9 / 16] + [1 / 16] * 7)
    assert "weighed as declared" in answer["sentence"]


def test_where_the_order_turns_round_is_named(ranked):
    answer = ranked(rows(turned=("task1", "task2")), "--json", "--tasks", "each")
    turns = json.loads(answer.out)["each"]["turns"]
    assert turns
    for turn in turns:
        sides = [(turn["a"], turn["a_better"]), (turn["b"], turn["b_better"])]
        (_, right), (_, wrong) = sorted(sides, key=lambda side: -GAPS[side[0]])
        assert set(right) <= {*TASKS} - {"task1", "task2"}
        assert wrong
        assert set(wrong) <= {"task1", "task2"}
    assert "turns round" in json.loads(answer.out)["sentence"]
    assert len(turns) <= 3


def test_below_six_tasks_nothing_is_decided_of_a_new_one(ranked):
    answer = json.loads(ranked(rows(TASKS[:5]), "--json", "--tasks", "new").out)
    assert {pair["verdict"] for pair in answer["new"]["pairs"]} == {"descriptive"}
    assert {pair["smallest_p"] for pair in answer["new"]["pairs"]} == {3 * 2**-4}
    assert (
        "nothing can be decided: the smallest adjusted p that signed ranks of 5"
        in answer["sentence"]
    )
    assert answer["new"]["tasks_needed"] == 7
    assert "ours > base" in answer["average"]["verdict"]


def test_missing_cells_and_unequal_seeds(ranked):
    found = [
        row
        for row in rows()
        if not (row[0] == "task0" and row[1] == "plus")
        and not (row[0] == "task1" and row[1] == "base" and row[2] > 1)
        and not (row[0] == "task2" and row[2] > 2)
    ]
    answer = json.loads(ranked(found, "--json").out)
    assert answer["average"]["tasks"] == list(TASKS[2:])
    left = answer["average"]["left_out"]
    assert "task0 (plus has 0 of the 3 runs" in left[0]
    assert "task1 (base has 2 of the 3 runs" in left[1]
    counts = {(p["a"], p["b"]): p["tasks"] for p in answer["new"]["pairs"]}
    assert counts == {("ours", "plus"): 7, ("ours", "base"): 8, ("plus", "base"): 7}
    assert {arm["name"]: arm["tasks"] for arm in answer["arms"]} == {
        "ours": 8, "plus": 7, "base": 8,
    }  # fmt: skip


def test_an_arm_with_runs_on_no_task_is_named_with_what_to_do(ranked):
    found = [(task, arm, seed, "nan" if arm == "plus" else v) for task, arm, seed, v in rows()]
    answer = json.loads(ranked(found, "--json").out)
    assert answer["average"]["tasks"] == []
    assert (
        "plus has them on no task: left out, there is an average" in answer["average"]["sentence"]
    )
    rest = json.loads(ranked(found, "--filter", "method!=plus", "--json").out)
    assert rest["average"]["verdict"] == "ours > base"


def test_a_task_with_one_arm_is_in_no_answer_about_pairs(ranked):
    found = [row for row in rows() if row[0] != "task0" or row[1] == "base"]
    answer = json.loads(ranked(found, "--json").out)
    assert answer["average"]["tasks"] == list(TASKS[1:])
    (left,) = answer["average"]["left_out"]
    assert left == "task0 (plus has 0 of the 3 runs that a test needs, and 1 more too few)"
    assert {pair["tasks"] for pair in answer["new"]["pairs"]} == {7}
    assert answer["tasks"][0]["ranking"]["pairs"] == []


def test_where_no_two_arms_share_a_task_nothing_is_said_of_them(ranked):
    own = dict(zip(TASKS, GAPS, strict=False))
    answer = json.loads(
        ranked([row for row in rows(TASKS[:3]) if row[1] == own[row[0]]], "--json").out
    )
    assert "nothing can be tested" in answer["each"]["sentence"]
    assert "on none has every arm 3 runs" in answer["average"]["sentence"]
    assert "on no task" not in answer["average"]["sentence"]
    assert "nothing can be decided" in answer["new"]["sentence"]


def test_runs_that_do_not_vary_are_not_called_too_few(ranked):
    found = [(task, arm, seed, 3.5 + GAPS[arm]) for task, arm, seed, _ in rows(TASKS[:3])]
    answer = json.loads(ranked(found, "--task-scale", "sd", "--json").out)
    assert "where every arm has 3 runs they do not vary" in answer["average"]["sentence"]


def test_an_arm_that_is_spelled_otherwise_on_one_task_is_told(ranked):
    found = [(t, "Base" if (t, a) == ("task1", "base") else a, s, v) for t, a, s, v in rows()]
    notes = json.loads(ranked(found, "--json").out)["notes"]
    said = "'base' and 'Base' differ in case or blanks only and are ranked as 2 arms"
    assert [said in note for note in notes].count(True) == 1
    both = [*rows(), *((t, "Base", s, v) for t, a, s, v in rows() if a == "base")]
    notes = json.loads(ranked(both, "--json").out)["notes"]
    assert [said in note for note in notes].count(True) == 1


def test_tasks_of_different_units_and_directions_are_standardised_and_it_is_said(ranked):
    found = [
        (task, arm, seed, (100 - value) / 2 if task == "task3" else value)
        for task, arm, seed, value in rows()
    ]
    words = ("--task-direction", "task3=minimize", "--json", "--tasks", "average")
    answer = json.loads(ranked(found, *words).out)
    assert (answer["scale"], answer["unit"], answer["direction"]) == ("sd", "SD", "maximize")
    assert answer["verdict"] == "on average over these tasks: ours > plus > base"
    assert any("the tasks differ in which way is better" in note for note in answer["notes"])
    plain = json.loads(ranked(rows(), "--task-scale", "sd", "--json").out)
    for one, other in zip(answer["average"]["pairs"], plain["average"]["pairs"], strict=True):
        assert one["difference"] == pytest.approx(other["difference"], rel=1e-6)
        assert one["p_adjusted"] == pytest.approx(other["p_adjusted"], rel=1e-6)


def test_losses_are_better_where_they_are_smaller(ranked):
    found = [(task, arm, seed, 100 - value) for task, arm, seed, value in rows()]
    write("results.csv", found, ("dataset", "method", "seed", "loss"))
    answer = ranked(found, "--json", "--metric", "accuracy", "--direction", "minimize")
    result = json.loads(answer.out)
    assert [arm["name"] for arm in result["arms"]] == ["ours", "plus", "base"]
    assert result["new"]["pairs"][0]["wins"] == 8
    assert result["arms"][0]["mean_rank"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("claim", "question", "code"),
    [
        ("ours > plus > base", "average", 0),
        ("base > ours", "average", 1),
        ("ours > base", "new", 0),
        ("ours > base", "each", 1),
        ("ours = plus", "average", 1),
    ],
)
def test_claims_are_about_the_question(ranked, claim, question, code):
    words = ("--assert", claim, "--tasks", question, "--margin", "0.1")
    answer = ranked(rows(), *words, code=code)
    assert ("NOT supported" in answer.out) == bool(code)


def test_every_form_holds_all_three_answers(ranked):
    markdown = ranked(rows(), "--format", "markdown").out
    for title in ("On each task", "On average over these tasks", "On a new task like these"):
        assert f"### {title}" in markdown
    table = list(csv.DictReader(io.StringIO(ranked(rows(), "--format", "csv").out)))
    assert [row["question"] for row in table].count("each") == 24
    assert [row["question"] for row in table].count("average") == 3
    assert [row["question"] for row in table].count("new") == 3


def test_one_row_a_task_is_a_value_for_each_arm(case, cli):
    answer = cli("rank", "--from", case("datasets_by_method.csv"), "--task-by", "dataset", "--json")
    result = json.loads(answer.out)
    assert result["mean_ranks"]["friedman_p"] == pytest.approx(0.0067, abs=5e-5)
    assert {pair["smallest_p"] for pair in result["new"]["pairs"]} == {3 * 0.0625}
    assert [arm["name"] for arm in result["arms"]] == ["B", "A", "C"]


def test_each_task_by_itself_is_as_it_was_before(case, cli):
    path = case("two_datasets.csv")
    answer = json.loads(cli("rank", "--from", path, "--task-by", "dataset", "--json").out)
    for task in answer["tasks"]:
        alone = cli("rank", "--from", path, "--filter", f"dataset={task['name']}", "--json")
        (pair,), (own,) = json.loads(alone.out)["pairs"], task["ranking"]["pairs"]
        # with one of several the p is calibrated as Holm's are: it has to hold further out
        assert pair["p_adjusted"] <= own["p_adjusted"] < 3 * pair["p_adjusted"]
        assert own["difference"] == pair["difference"]
        assert own["ci_low"] < pair["ci_low"]  # of its share of the error rate


@pytest.mark.parametrize(
    ("found", "words", "sentence"),
    [
        (rows(TASKS[:1]), (), "there is one task, 'task0'"),
        ([(t.upper() if s else t, a, s, v) for t, a, s, v in rows()], (), "differ in case or sp"),
        ([row for row in rows() if row[1] == "base"], (), "there is one arm, 'base', on all tasks"),
        ([*rows(), ("", "base", 9, 80.0)], (), "names no task in column 'dataset'"),
        ([*rows(), ("mean", "base", 9, 80.0)], (), "seems to summarise the tasks"),
        (rows(), ("--task-weight", "task9=1"), "which is no task; did you mean"),
        (rows(), ("--task-weight", "task0=1"), "the weight of task1 is None: give every task"),
        (rows(), ("--task-weight", "task0=x"), "the weight of task0 is 'x': give a number"),
        (rows(), ("--task-weight", "task0"), "write TASK=VALUE"),
        (rows(), ("--task-direction", "task0=up"), "use maximize or minimize"),
        (
            rows(),
            ("--task-direction", "task0=minimize", "--task-scale", "metric"),
            "no common unit",
        ),
        (rows(), ("--tasks", "eech"), "is not one of"),
        (rows(), ("--looks", "3,5"), "is for one task"),
        (rows(), ("--calibrate",), "is for one task"),
        (rows(), ("--paired",), "pairing by seed and several tasks do not go together"),
        (rows(), ("--control", "bass"), "the control 'bass' has no runs"),
        (rows(), ("--assert", "ours > base"), "say --tasks each, average or new"),
        (rows(), ("--assert", "ours = base", "--tasks", "new"), "say --tasks average"),
        (
            [*rows(), ("task0", "base", 0, 1.0)],
            (),
            "dataset task0: results.csv: seed 0 of base appears twice",
        ),
    ],
)
def test_refused_with_one_sentence(ranked, found, words, sentence):
    of_data = ("names no task in", "of base app")
    answer = ranked(found, *words, code=3 if any(one in sentence for one in of_data) else 2)
    assert sentence in answer.err
    assert "Traceback" not in answer.err


def test_options_about_tasks_without_tasks(cli, workplace):
    write("results.csv", rows(TASKS[:1]))
    answer = cli("rank", "--from", "results.csv", "--tasks", "new")
    assert answer.code == 2
    assert "say with --task-by on which task" in answer.err


def test_a_control_is_compared_with_each_other_arm(ranked):
    answer = json.loads(ranked(rows(), "--control", "base", "--json").out)
    assert [(p["a"], p["b"]) for p in answer["average"]["pairs"]] == [
        ("ours", "base"), ("plus", "base"),
    ]  # fmt: skip
    assert len(answer["new"]["pairs"]) == 2
    assert answer["arms"][0]["group"] is None


def test_a_hundred_tasks(ranked):
    tasks = tuple(f"t{number:03}" for number in range(100))
    answer = json.loads(ranked(rows(tasks, seeds=3), "--json").out)
    assert len(answer["tasks"]) == 100
    assert answer["new"]["verdict"].startswith("ours > ")


def test_where_the_variance_over_tasks_comes_from(ranked):
    answer = json.loads(ranked(rows(), "--components", "--json").out)["components"]
    found = {one["name"]: one for one in answer["components"]}
    assert {"task", "arm x task", "residual"} <= set(found)
    assert found["task"]["levels"] == 8
    assert found["task"]["share"] > 0.9  # the levels of the tasks lie 60 to 95
    text = ranked(rows(), "--components").out
    assert "variance" in text
    refused = ranked(rows(), "--components", "--task-scale", "sd", code=2)
    assert "rank one task for its components" in refused.err
    page = html.unescape(ranked(rows(), "--components", "--format", "html").out)
    assert page.count("<h2>Where the variance comes from</h2>") == 1
    for one in answer["components"]:
        assert f'<th scope="row">{one["name"]}</th>' in page
    table = ranked(rows(), "--components", "--format", "csv", code=2)
    assert "--components has no place in --format csv" in table.err


def test_tasks_and_runs_beside_a_mean_are_those_of_the_mean(ranked):
    found = [row for row in rows() if not (row[0] == TASKS[0] and row[1] == "base")]
    result = json.loads(ranked(found, "--json").out)
    averaged = result["average"]["tasks"]
    assert TASKS[0] not in averaged
    text = ranked(found).out
    table = text[text.index("mean rank") :].splitlines()[2:]
    for line in table[: len(result["arms"])]:
        assert line.split()[1:3] == [str(len(averaged)), str(5 * len(averaged))]

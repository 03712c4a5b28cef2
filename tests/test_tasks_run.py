"""Studies of several tasks: arm x task x seed, from the file to what is published and ranked."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from rich.console import Console

import attnstudy
from attnstudy import runs
from attnstudy.errors import UsageError
from attnstudy.render import Terminal
from attnstudy.running.jobs import Progress
from attnstudy.running.outcomes import Outcome
from attnstudy.runs import Status
from attnstudy.study import RunSpec, roles
from attnstudy.studyplan import Analysis, StudyPlan
from attnstudy.tracking import open_for_reading, read_plans, read_runs, resolve
from attnstudy.usecases.sources import StudyRequest, tasks_of
from tests.faults.server import Server
from tests.own import one_sentence

CODE = """
def train(run):
    level, difficulty = run.settings["level"], run.settings["difficulty"]
    noise = run.rng("noise").normal()
    return {"acc": level - difficulty + noise, "loss": 100 - level + difficulty + noise}
"""
ARMS = (
    "[settings]\nlevel = 0.0\ndifficulty = 1\n[arms.low]\nlevel = 0.0\n[arms.high]\nlevel = 50.0\n"
)
TASKS = "[tasks.easy]\ndifficulty = 1\n[tasks.hard]\ndifficulty = 3\nmetric = 'loss'\n"
TOP = 'train = "mine:train"\nseeds = 3'
NAMES = {
    f"{task}/{arm}/seed={seed}"
    for task in ("easy", "hard")
    for arm in ("low", "high")
    for seed in range(3)
}


@pytest.fixture
def study(own):
    """A study of two arms on two tasks, of which nothing was run."""
    own.write(CODE, ARMS + TASKS, top=TOP)
    return own


@pytest.fixture
def trained(study):
    """The same, with all its runs."""
    answer = study("run")
    assert answer.code == 0, answer.err
    return study


def add_to_ranking(study, line: str) -> None:
    path = study.place / "studies" / "own" / "study.toml"
    path.write_text(path.read_text() + line + "\n")


def request(store: Path, **changes) -> StudyRequest:
    given = {
        "study": "own", "config": None, "metric": None, "direction": None, "allowed": (),
        "address": resolve(store, None),
    }  # fmt: skip
    return StudyRequest(**{**given, **changes})


# a specification


def spec(**changes) -> RunSpec:
    facts = {"function": "mine:train", "code": "ab"}
    return RunSpec(study="own", training="function", arm="low", seed=3, facts=facts, **changes)


def test_a_task_belongs_to_name_and_configuration_of_a_run():
    assert spec().name == "low/seed=3"
    assert spec(task="easy").name == "easy/low/seed=3"
    assert spec(task="easy").command_line() == (
        "attnstudy run own --task easy --arm low --seeds 3-3"
    )
    assert roles("function")["task"] == "config"
    identities = [spec(**given) for given in ({}, {"task": "easy"}, {"task": "hard"})]
    assert len({one.fingerprint for one in identities}) == 3
    assert len({one.config_id for one in identities}) == 3
    assert "task" not in spec().config_fields()
    assert spec(task="easy").config_fields()["task"] == "easy"
    before = {name: value for name, value in spec().to_dict().items() if name != "task"}
    assert RunSpec.from_dict(before) == spec()
    assert RunSpec.from_dict(spec(task="easy").to_dict()) == spec(task="easy")


def test_plans_without_tasks_keep_their_hashes():
    plan: dict[str, Any] = {
        "study": "own", "config": "c", "settings": {}, "arms": {}, "seeds": (0,),
    }  # fmt: skip
    without = StudyPlan(**plan, analysis=Analysis())
    assert "task" not in without.to_json()
    assert set(without.to_json()["analysis"]) == {
        "metric", "alpha", "correction", "control", "margin", "paired", "looks",
    }  # fmt: skip
    of_task = StudyPlan(**plan, analysis=Analysis(tasks="new"), task="easy")
    assert of_task.to_json()["task"] == "easy"
    assert of_task.to_json()["analysis"]["tasks"] == "new"
    assert StudyPlan.from_json(json.loads(json.dumps(of_task.to_json()))) == of_task
    assert of_task.hash != without.hash


# from run to rank


def test_each_task_is_trained_with_its_own_settings(study):
    answer = study.command("study", "check", "own")
    assert answer.code == 0, answer.err
    assert "2 tasks x 2 arms x 3 seeds = 12 runs" in answer.out
    answer = study("run")
    assert answer.code == 0, answer.err
    assert set(study.folders()) == NAMES
    said = answer.err.splitlines()
    assert [line for line in said if line.startswith("task ")] == [
        "task easy (1 of 2)",
        "task hard (2 of 2)",
    ]
    assert "study own: 12 trained" in answer.out
    assert answer.out.index("task easy") < answer.out.index("mean acc")
    assert answer.out.index("task hard") < answer.out.index("mean loss")
    settings = {f.started().spec.name: f.started().spec.settings for f in study.folders().values()}
    assert settings["easy/low/seed=0"] == {"level": 0.0, "difficulty": 1}
    assert settings["hard/high/seed=0"] == {"level": 50.0, "difficulty": 3}
    again = json.loads(study("run", "--json").out)
    assert (again["trained"], again["skipped"]) == (0, 12)
    assert Counter(run["task"] for run in again["runs"]) == {"easy": 6, "hard": 6}
    assert set(again["configs"]) == {"easy", "hard"}


def test_the_plan_of_each_task_is_older_than_the_first_run_of_any(trained):
    plans = runs.recorded_plans(runs.study_facts(Path("mlruns"), "own"))
    assert [one.plan.task for one in plans] == ["easy", "hard"]
    assert [one.plan.analysis.metric for one in plans] == ["acc", "loss"]
    first = min(folder.started().at for folder in trained.folders().values())
    assert plans[0].at < plans[1].at < first
    beside = json.loads((trained.place / "studies" / "own" / "plans.json").read_text())
    assert [one["plan"]["task"] for one in beside] == ["easy", "hard"]
    tracker = open_for_reading(resolve(Path("mlruns"), None))
    assert [one.plan.task for one in read_plans(tracker, "own")[0]] == ["easy", "hard"]


def test_mlflow_names_the_task_of_each_run(trained):
    """As param, as tag and as part of its name; and what it says has its digest."""
    tracked = read_runs(open_for_reading(resolve(Path("mlruns"), None)), "own")
    assert {run.name for run in tracked} == NAMES
    assert {
        (run.name.split("/")[0], run.params["task"], run.tags["attnstudy.task"]) for run in tracked
    } == {(task,) * 3 for task in ("easy", "hard")}
    assert all(run.agrees for run in tracked)


def test_status_tells_tasks_apart(trained):
    standing = json.loads(trained("status", "--json").out)["studies"][0]
    assert [config["task"] for config in standing["configs"]] == ["easy", "hard"]
    assert [c["settings"]["task"] for c in standing["configs"]] == ["easy", "hard"]
    text = trained("status").out
    assert text.index("task easy, configuration") < text.index("task hard, configuration")


def test_one_task_at_a_time_is_ranked(trained):
    assert tasks_of(request(Path("mlruns"))) == ("easy", "hard")
    for task, metric in (("hard", "loss"), ("easy", "acc")):
        ranked = json.loads(trained("rank", "--task", task, "--json").out)
        assert ranked["status"] == "confirmatory"
        assert "high > low" in ranked["verdict"]
        assert ranked["metric"] == metric
        assert "configurations" not in ranked["status_reason"], "the other task is none"
        config = ranked["config"]
    answer = trained("rank", "--config", config)
    assert "CONFIRMATORY" in answer.out, "a configuration is of one task"
    assert "ranked on the task easy alone; the study has hard as well" in answer.out
    answer = trained("rank", "--task", "eazy")
    assert answer.code == 2
    assert "has no task 'eazy'; did you mean 'easy'?" in answer.err


def test_all_tasks_are_ranked_over_with_the_question_that_the_plan_asks(study):
    add_to_ranking(study, "tasks = 'average'")
    assert study("run").code == 0
    answer = json.loads(study("rank", "--json").out)
    assert [task["name"] for task in answer["tasks"]] == ["easy", "hard"]
    assert [task["metric"] for task in answer["tasks"]] == ["acc", "loss"]
    assert [task["direction"] for task in answer["tasks"]] == ["maximize", "minimize"]
    assert (answer["status"], answer["question"]) == ("confirmatory", "average")
    assert answer["verdict"] == "on average over these tasks: high > low"
    assert answer["scale"] == "sd"
    text = study("rank").out
    assert "CONFIRMATORY: the plans" in text
    assert "alone; the study has" not in text
    other = json.loads(study("rank", "--tasks", "each", "--json").out)
    assert other["status"] == "exploratory"
    assert "ranked with tasks each, and average planned" in other["status_reason"]
    assert study("rank", "--assert", "high > low").code == 0
    assert study("rank", "--assert", "low > high").code == 1


def test_without_a_declared_question_the_answers_are_exploratory(trained):
    answer = json.loads(trained("rank", "--json").out)
    assert (answer["status"], answer["question"]) == ("exploratory", None)
    assert "do not say which of the three questions" in answer["status_reason"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--task-by", "dataset"), "a study names its tasks in its file"),
        (("--calibrate",), "is for one task: leave it out, or rank one task with --task"),
        (("--task", "easy", "--tasks", "new"), "--tasks is about several tasks"),
        (("--task-weight", "eazy=2"), "which is no task; did you mean 'easy'?"),
    ],
)
def test_what_does_not_go_with_the_tasks_of_a_study(trained, words, sentence):
    answer = trained("rank", *words)
    assert answer.code == 2, answer.out
    assert sentence in answer.err
    assert one_sentence(answer.err)


def test_tasks_move_with_their_study(trained):
    assert trained("export", "own.zip").code == 0
    store = ("--store", "elsewhere")
    answer = trained.cli("import", "own.zip", *store)
    assert answer.code == 0, answer.err
    assert trained("sync", *store).code == 0
    assert json.loads(trained("run", *store, "--json").out)["trained"] == 0
    answer = trained("rank", *store, "--task", "easy")
    assert "CONFIRMATORY" in answer.out, answer.err
    assert trained("prune", "--dry-run").code == 0


def test_selftest_repeats_a_run_of_each_arm_and_task(study):
    answer = study("selftest", "--task", "hard")
    assert answer.code == 0, answer.out
    assert "repetition of hard/low: the same run" in answer.out
    assert "repetition of easy" not in answer.out


def test_runs_of_which_only_mlflow_knows_have_their_tasks(trained):
    study = trained
    for folder in (study.place / "mlruns" / "runs").iterdir():
        folder.rename(study.place / folder.name)
    assert tasks_of(request(Path("mlruns"))) == ("easy", "hard")
    answer = study("rank", "--task", "hard")
    assert answer.code == 0, answer.err
    assert "CONFIRMATORY" in answer.out


def test_one_task_is_enough_and_needs_no_name(own):
    own.write(CODE, ARMS + "[tasks.only]\ndifficulty = 7\n", top=TOP)
    assert own("run").code == 0
    assert {name.split("/")[0] for name in own.folders()} == {"only"}
    answer = own("rank")
    assert answer.code == 0, answer.err
    assert "CONFIRMATORY" in answer.out
    answer = own("run", "--until-decided", "--looks", "3")
    assert answer.code == 0, answer.err


def test_a_named_task_is_trained_alone_and_all_plans_are_recorded_before(study):
    answer = study("run", "--task", "hard")
    assert answer.code == 0, answer.err
    assert {name.split("/")[0] for name in study.folders()} == {"hard"}
    plans = runs.recorded_plans(runs.study_facts(Path("mlruns"), "own"))
    assert [one.plan.task for one in plans] == ["easy", "hard"]
    assert "6 of its 6 runs are missing" in study("status").out
    # what was not trained is still ranked by a plan of before the first run of any
    assert study("rank").code == 2
    answer = study("rank", "--task", "easy")
    assert answer.code == 2
    assert "has no runs of the task 'easy' yet: 'attnstudy run own --task easy'" in answer.err
    assert study("run", "--task", "easy", "--task", "hard").code == 0
    assert set(study.folders()) == NAMES
    assert "CONFIRMATORY" in study("rank", "--task", "easy").out


def test_what_is_shown_before_anything_is_trained(study):
    add_to_ranking(study, 'tasks = "average"')
    answer = study("run", "--dry-run")
    assert answer.code == 0, answer.err
    assert answer.out.index("study own, task easy") < answer.out.index("study own, task hard")
    plan = json.loads(study("run", "--dry-run", "--json").out)
    assert Counter(run["task"] for run in plan["runs"]) == {"easy": 6, "hard": 6}
    plan = json.loads(study("run", "--dry-run", "--task", "easy", "--json").out)
    assert Counter(run["task"] for run in plan["runs"]) == {"easy": 6}
    shown = study.command("study", "show", "own").out
    assert "task easy (difficulty 1), ranked by metric acc" in shown
    assert "task hard (difficulty 3), ranked by metric loss" in shown
    assert "tasks average" in shown
    found = json.loads(study.command("study", "show", "own", "--json").out)
    assert found["analysis"]["tasks"] == "average"
    assert found["tasks"]["hard"]["analysis"]["metric"] == "loss"
    assert not study.folders()

    assert study("run").code == 0
    plans = runs.recorded_plans(runs.study_facts(Path("mlruns"), "own"))
    assert {one.plan.analysis.tasks for one in plans} == {"average"}
    answer = study("rank", "--task", "easy")
    assert "CONFIRMATORY" in answer.out, "the question on all tasks says nothing of one"


def test_changes_of_the_file_are_told_task_by_task(study):
    assert study("run").code == 0
    shown = study.command("study", "show", "own").out
    assert shown.count("as the file says") == 2, shown
    study.write(None, ARMS + TASKS.replace("difficulty = 3", "difficulty = 4"), top=TOP)
    shown = " ".join(study.command("study", "show", "own").out.split())
    assert shown.count("as the file says") == 1
    assert "of task hard" in shown
    assert "difficulty: 3 -> 4" in shown
    study.write(None, ARMS + "[tasks.easy]\ndifficulty = 1\n", top=TOP)
    shown = study.command("study", "show", "own").out
    assert "task hard taken out" in " ".join(shown.split())


def test_runs_that_fail_on_one_task_do_not_keep_the_others_from_it(own):
    code = CODE.replace("level,", "assert run.settings['difficulty'] != 1\n    level,", 1)
    own.write(code, ARMS + TASKS, top=TOP)
    answer = own("run")
    assert answer.code == 1
    assert "easy/low/seed=0 failed" in answer.err
    assert "6 trained, 6 failed" in answer.out
    assert {name.split("/")[0] for name in own.metrics()} == {"hard"}
    failed = json.loads(own("run", "--json").out)
    assert {run["task"] for run in failed["runs"] if run["status"] == "failed"} == {"easy"}


@pytest.mark.rest
def test_ctrl_c_says_which_task_and_the_same_command_goes_on(own):
    code = CODE.replace(
        "    noise",
        "    import time\n    while run.settings['difficulty'] == 3 and not "
        "run.folder.path.parents[3].joinpath('go').exists():\n"
        "        run.log(0, x=1.0)\n        time.sleep(0.05)\n    noise",
        1,
    )
    own.write(code, ARMS + TASKS, top='train = "mine:train"\nseeds = 1')
    begun = own.place / "mlruns" / "runs" / "own"
    code, said = own.interrupted(
        "run", "own", "--executor", "inline",
        when=lambda: len(list(begun.glob("*/run.json"))) == 3,
    )  # fmt: skip
    assert code == 130, said
    assert "task hard: 0 of 2 runs are complete" in said
    assert "Traceback" not in said
    (own.place / "go").touch()
    answer = own("run", "--json")
    assert answer.code == 0, answer.err
    assert (json.loads(answer.out)["trained"], json.loads(answer.out)["skipped"]) == (2, 2)


def test_a_changed_way_is_the_tasks_own(own):
    tasks = "[tasks.up]\n[tasks.down]\ndirection = 'minimize'\n[tasks.loss]\nmetric = 'loss'\n"
    own.write(CODE, ARMS + tasks, top=TOP)
    assert own("run").code == 0
    for task, better in (("up", "high > low"), ("down", "low > high"), ("loss", "high > low")):
        ranked = json.loads(own("rank", "--task", task, "--json").out)
        assert better in ranked["verdict"], task
        assert ranked["status"] == "confirmatory"


def test_until_decided_and_rerun_are_of_one_task(study):
    study.write(CODE, ARMS + TASKS, top='train = "mine:train"')
    answer = study("run", "--until-decided")
    assert answer.code == 2
    assert "--until-decided looks at one task at a time" in answer.err
    assert "easy, hard: name one with --task" in answer.err
    answer = study("run", "--until-decided", "--task", "easy", "--looks", "3,5")
    assert answer.code == 0, answer.err
    assert "study own, task easy: 1 of 2 declared looks" in answer.out
    assert "attnstudy rank own --task easy" in answer.out
    assert len(study.folders()) == 6
    answer = study("run", "--task", "easy", "--seeds", "1", "--rerun", "--json")
    assert json.loads(answer.out)["trained"] == 2


# what is refused


@pytest.mark.parametrize(
    ("tasks", "what"),
    [
        ("[tasks]", "tasks is empty: name at least one"),
        ("tasks = 3", "tasks are tables: write [tasks.NAME]"),
        ("[tasks]\na = 3", "tasks are tables: write [tasks.NAME]"),
        ('[tasks."a b"]', "a task's name is of letters"),
        ("[tasks.a]\n[tasks.A]", "differ in upper and lower case alone"),
        ("[tasks.a]\ndificulty = 2", "no setting 'dificulty'; did you mean 'difficulty'?"),
        ("[tasks.a]\ndifficulty = 'x'", "[tasks.a] difficulty must be a whole number"),
        ("[tasks.a]\nmetric = 3", "[tasks.a] metric must be a text"),
        ("[tasks.a]\ndirection = 'up'", "[tasks.a] the direction is 'up'"),
        ("[tasks.a]\nlevel = 3.0", "[tasks.a] level is a setting of the arms as well"),
    ],
)
def test_tasks_that_make_no_sense_are_refused(own, tasks, what):
    top, more = (f"{TOP}\n{tasks}", ARMS) if tasks.startswith("tasks =") else (TOP, ARMS + tasks)
    own.write(CODE, more, top=top)
    for words in (("run", "own"), ("study", "check", "own")):
        answer = own.command(*words)
        assert answer.code == 2, answer.out
        assert what in answer.err
        assert "study.toml" in answer.err
        assert one_sentence(answer.err)
    assert not own.folders()


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (
            ("run", "own", "--task", "hrad"),
            "did you mean 'hard'? (there: easy, hard)",
        ),
        (("run", "own", "--tuned"), "--tuned is for a study without tasks"),
        (("tune", "own"), "cannot search for the tasks of own"),
        (("rank", "--from", "x.csv", "--task", "a"), "--task does not go with --from"),
    ],
)
def test_commands_that_cannot_do_it_say_so(study, words, what):
    answer = study.command(*words)
    assert answer.code == 2
    assert what in answer.err
    assert one_sentence(answer.err)


def test_what_only_tasks_have_is_refused_without_them(own):
    own.write(CODE, ARMS, top=TOP)
    assert "the study 'own' has no tasks: leave --task out" in own("run", "--task", "a").err
    assert own("run", env={"ATTNSTUDY_TASK": "meant-for-another"}).code == 0
    answer = own("rank", "--task", "a")
    assert answer.code == 2
    assert "the study 'own' has no tasks" in answer.err
    add_to_ranking(own, 'tasks = "each"')
    answer = own("run")
    assert answer.code == 2
    assert "[ranking] tasks says what is asked of several tasks" in answer.err


def test_a_question_that_is_none_is_refused(study):
    add_to_ranking(study, 'tasks = "avarage"')
    answer = study("run")
    assert answer.code == 2
    assert "use each, average or new; did you mean 'average'?" in answer.err


# what is seen on a terminal


def test_the_bars_of_one_task_end_before_those_of_the_next_begin():
    terminal, shown = Terminal(), io.StringIO()
    terminal.console, terminal.bars = Console(file=shown, force_terminal=True), True
    for task in ("easy", "hard"):
        run = spec(task=task)
        terminal.begin([run], 1)
        for number in (1, 0):  # rows of workers
            terminal.started(number, run)
            terminal.progress(number, run, Progress(1, 2, 1.0, 1, {"loss": 0.5}))
        terminal.ended(0, run, Outcome(run, Status.COMPLETE, True))
        terminal.end()
    assert "2/1" not in shown.getvalue(), "each begins at none"


# placements


PLACEMENTS = """
variants = ["late"]
seeds = 1
dataset = "cifar10"
train_size = 256
val_size = 60
channels = [4, 4]
[training]
epochs = 1
batch_size = 32
[tasks.digits]
dataset = "digits"
[tasks.longer]
dataset = "digits"
epochs = 2
"""


def test_placements_are_trained_on_the_dataset_of_each_task(workplace, cli):
    folder = workplace / "studies" / "pl"
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(PLACEMENTS)
    answer = cli("run", "pl", "--json")
    assert answer.code == 0, answer.err
    found = [f.started().spec for f in runs.run_folders(Path("mlruns"), "pl")]
    assert {(s.task, s.arm_name, s.dataset, s.epochs) for s in found} == {
        ("digits", "late", "digits", 1),
        ("longer", "late", "digits", 2),
    }
    answer = cli("run", "pl", "--dataset", "digits")
    assert answer.code == 2
    assert "--dataset would go beside what the task 'digits' says of it" in answer.err
    assert cli("run", "pl", env={"ATTNSTUDY_EPOCHS": "1"}).code == 0, "of other studies"
    for key, hint in (("dataste = 'digits'", "did you mean 'dataset'?"), ("seeds = 3", "known: ")):
        (folder / "study.toml").write_text(f"{PLACEMENTS}{key}\n")
        answer = cli("run", "pl")
        assert answer.code == 2
        assert f"unknown key '[tasks.longer] {key.split()[0]}'" in answer.err
        assert hint in answer.err
    (folder / "study.toml").write_text(PLACEMENTS + "metric = 'acc'\n")
    answer = cli("run", "pl")
    assert answer.code == 2
    assert "[tasks.longer] a run has no metric 'acc'" in answer.err


def test_a_task_whose_data_are_not_there_does_not_stop_another(workplace, cli):
    folder = workplace / "studies" / "pl"
    folder.mkdir(parents=True)
    text = PLACEMENTS.replace('"digits"\nepochs = 2', '"nowhere"\nepochs = 2')
    (folder / "study.toml").write_text(text)
    answer = cli("run", "pl", "--task", "digits")
    assert answer.code == 0, answer.err
    assert "the plan of the task 'longer' is not recorded yet" in answer.err
    answer = cli("run", "pl")
    assert answer.code in (2, 3)
    assert one_sentence(answer.err)
    assert len(runs.run_folders(Path("mlruns"), "pl")) == 1


# from Python


def levels(run):
    return {"score": run.settings["level"] + run.settings["ease"] + run.rng("n").normal()}


def declared(**changes):
    given = {
        "arms": {"low": {"level": 0.0}, "high": {"level": 50.0}},
        "tasks": {"b": {"ease": 1.0}, "a": {"ease": 2.0}},
        "seeds": 3, "metric": "score", "direction": "maximize",
    }  # fmt: skip
    return attnstudy.Study("py", levels, **{**given, **changes})


def test_a_study_in_python_has_tasks_alike(workplace, monkeypatch):
    monkeypatch.delenv("ATTNSTUDY_DATA_DIR")
    study = declared(ranking_tasks="each")
    answer = study.run(task="a", seeds=1, quiet=True)
    assert answer.trained == 2
    answer = study.run(quiet=True)
    assert (answer.trained, answer.skipped) == (10, 2)
    assert "task b" in repr(answer)
    assert list(answer.to_frame()["task"].unique()) == ["b", "a"]
    frame = study.results()
    assert list(frame.columns[:3]) == ["task", "arm", "seed"]
    assert [*zip(frame["task"], frame["arm"], strict=True)][::3] == [
        ("b", "low"), ("b", "high"), ("a", "low"), ("a", "high"),
    ]  # fmt: skip
    assert study.status().missing == {}
    assert study.status().counts == {"complete": 12}
    assert "task b, configuration" in repr(study.status())
    ranking = study.rank(task="a")
    assert ranking.status == "confirmatory"
    with pytest.raises(UsageError, match=r"has the tasks b, a.*name one with task"):
        study.rank()
    with pytest.raises(UsageError, match=r"has no task 'c'.*there: b, a"):
        study.run(task="c", quiet=True)
    with pytest.raises(UsageError, match="until_decided looks at one task at a time"):
        study.run(until_decided=True, quiet=True)


def test_results_of_a_study_without_tasks_have_no_such_column(workplace, monkeypatch):
    monkeypatch.delenv("ATTNSTUDY_DATA_DIR")
    study = declared(tasks=None, settings={"ease": 1.0})
    study.run(quiet=True)
    assert list(study.results().columns[:2]) == ["arm", "seed"]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"tasks": {}}, "tasks is empty"),
        ({"tasks": ["a"]}, r"tasks is \['a'\]: give the settings of each task by its name"),
        ({"tasks": {"a": 3}}, r"tasks\['a'\] is 3: give its settings by name"),
        ({"tasks": {"a": {"ease": 1.0}, "A": {"ease": 1.0}}}, "differ in upper and lower case"),
        ({"tasks": {"a": {"ease": 1.0, "levle": 1.0}, "b": {"ease": 1.0}}}, "no setting 'levle'"),
        ({"tasks": {"a": {"ease": 1.0, "level": 1.0}, "b": {"ease": 1.0}}},
         r"tasks\['a'\] level is a setting of the"),
        ({"ranking_tasks": "all"}, "use each, average or new"),
        ({"tasks": None, "settings": {"ease": 1.0}, "ranking_tasks": "new"},
         "ranking_tasks says what is asked of several tasks"),
    ],
)  # fmt: skip
def test_a_study_in_python_is_checked_alike(workplace, monkeypatch, changes, what):
    monkeypatch.delenv("ATTNSTUDY_DATA_DIR")
    with pytest.raises(UsageError, match=what):
        declared(**changes)


def test_a_program_ranks_over_the_tasks(trained, monkeypatch):
    monkeypatch.chdir(trained.place)
    study = attnstudy.load_study("own")
    ranking = study.rank_tasks(tasks="average")
    assert ranking.verdict == "on average over these tasks: high > low"
    assert "over 2 tasks by acc, loss" in repr(ranking)
    with pytest.raises(UsageError, match="tasks is 'eech': use each, average or new"):
        study.rank_tasks(tasks="eech")  # type: ignore[arg-type]


# tasks of experiments that somebody else logged


ROWS = [
    (task, arm, seed, 70.0 + 5 * number + gap + ((7 * seed + 3 * number) % 5) / 8)
    for number, task in enumerate(("cifar10", "svhn", "stl10"))
    for arm, gap in (("base", 0.0), ("ours", 1.5 - number))
    for seed in range(3)
]
"""Task, arm, seed, accuracy; ``base`` is the better one on the last task."""


def log_rows(uri: str, experiment: str, rows: Sequence[tuple[str, str, int, float]] = ROWS) -> None:
    """Log each row as a run, as a program that knows only MLflow does."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    number = client.create_experiment(experiment)
    for task, arm, seed, value in rows:
        run = client.create_run(number, run_name=f"{task} {arm} {seed}").info.run_id
        for name, given in (("dataset", task), ("arm", arm), ("seed", seed)):
            client.log_param(run, name, given)
        client.log_metric(run, "accuracy", value)
        client.set_terminated(run)


SINGLE = [
    (task, arm, 0, value)
    for task, values in {
        "iris": (80.1, 81.0, 84.2), "wine": (85.2, 85.9, 85.1), "glass": (70.3, 71.7, 72.9),
        "yeast": (60.9, 61.2, 66.3), "car": (90.4, 91.5, 90.8), "zoo": (93.3, 94.9, 97.0),
    }.items()
    for arm, value in zip("abc", values, strict=True)
]  # fmt: skip
MEANS = [fmean(value for _, arm, _, value in SINGLE if arm == name) for name in "abc"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("avg", arm, 0, 50.0) for arm in "abc"], "'avg' in params.dataset of experiment 'theirs'"
         " seems to summarise the tasks"),
        ([("the lot", arm, 0, value) for arm, value in zip("abc", MEANS, strict=True)],
         "'the lot' in params.dataset of experiment 'theirs' is in every arm the mean of"),
        ([(f"{task} 2", *own, value / 100) for task, *own, value in SINGLE],
         "has tasks with fractions (iris 2: 0.801) and tasks in percent (iris: 80.1)"),
    ],
    ids=["named", "mean", "fractions"],
)  # fmt: skip
def test_logged_tasks_that_sum_up_others_or_have_other_units_are_refused(
    cli, workplace, template_store, rows, said
):
    log_rows(f"sqlite:///{Path('mlruns/mlflow.db').resolve()}", "theirs", [*SINGLE, *rows])
    words = (
        "--experiment", "theirs", "--task-by", "params.dataset", "--by", "params.arm",
        "--seed-by", "params.seed", "--metric", "accuracy",
    )  # fmt: skip
    answer = cli("rank", *words)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    if "leave it out with --filter" in answer.err:
        narrower = f"params.dataset != '{rows[0][0]}'"
        assert f'--filter "{narrower}"' in answer.err
        assert cli("rank", *words, "--filter", narrower).code == 0


@pytest.mark.rest  # a server takes seconds of processor time to start
def test_runs_on_a_server_are_ranked_over_tasks_as_the_rows_of_a_file(
    cli, workplace, template_store, tmp_path_factory
):
    table = [f"{task},{arm},{seed},{value}" for task, arm, seed, value in ROWS]
    Path("rows.csv").write_text("\n".join(["dataset,arm,seed,accuracy", *table]) + "\n")
    server = Server(tmp_path_factory.mktemp("server"), template_store / "mlflow.db")
    server.start()
    answers = []
    try:
        log_rows(server.uri, "theirs")
        log_rows(f"sqlite:///{Path('mlruns/mlflow.db').resolve()}", "theirs")
        by_params = (
            "--experiment", "theirs", "--task-by", "params.dataset", "--by", "params.arm",
            "--seed-by", "params.seed", "--metric", "accuracy",
        )  # fmt: skip
        for words in (
            ("--from", "rows.csv", "--task-by", "dataset", "--by", "arm", "--seed-by", "seed"),
            by_params,
            (*by_params, "--tracking-uri", server.uri),
        ):
            answer = cli("rank", *words, "--tasks", "average", "--json")
            assert answer.code == 0, answer.err
            answers.append(json.loads(answer.out))
    finally:
        server.kill()
    file, here, there = answers
    assert [task["name"] for task in file["tasks"]] == ["cifar10", "svhn", "stl10"]
    assert file["average"]["pairs"][0]["difference"] == pytest.approx((1.5 + 0.5 - 0.5) / 3)
    assert there == here
    assert {key for key in file if file[key] != here[key]} == {"study", "source"}
    for answer in (here, there):
        assert (answer["study"], answer["source"]["name"]) == ("theirs", "experiment theirs")

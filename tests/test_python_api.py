"""``attnstudy.Study``: what the commands do, from a script and from a notebook."""

from __future__ import annotations

import ast
import dataclasses
import doctest
import importlib
import json
import linecache
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnstudy
from attnstudy import runs
from attnstudy.api.values import space_of
from attnstudy.errors import UsageError
from tests.studies import SMALL, write_study

STORE = Path("mlruns")
QUIET: dict[str, Any] = {"figures": False, "progress": False, "quiet": True}
FILE = """
question = "Does a bonus help?"
train = "{module}:train"
seeds = 4
[settings]
bonus = 0
slope = 1.0
[arms.plain]
[arms.more]
bonus = 2
[ranking]
metric = "score"
alpha = 0.01
[tuning]
metric = "val"
trials = 3
seeds_per_trial = 1
[tuning.space]
slope = {{low = 0.5, high = 2.0}}
"""
TRAIN = """
CALLS = []
def train(run):
    CALLS.append((run.arm, run.seed))
    score = run.settings["bonus"] + 0.1 * run.rng("noise").normal()
    return {"score": score, "val": -abs(run.settings["slope"] - 1.5)}
"""
ARMS = {"plain": {}, "more": {"bonus": 2}}
SAID: dict[str, Any] = {
    "arms": ARMS, "seeds": 4, "metric": "score", "alpha": 0.01,
    "settings": {"bonus": 0, "slope": 1.0}, "question": "Does a bonus help?",
}  # fmt: skip


def train(run):
    """Of this module, which workers could import."""
    return {"score": run.settings["bonus"] + 0.1 * run.rng("noise").normal()}


def with_seed(run):
    return {"score": run.seed + 10.0 * (run.arm == "b")}


@pytest.fixture
def module(workplace, monkeypatch, request):
    """A module of the user's where the study's file is, by a name of its own for each test."""
    name = "user_" + re.sub(r"\W", "_", request.node.name)
    folder = workplace / "studies" / "toy"
    folder.mkdir(parents=True)
    (folder / f"{name}.py").write_text(TRAIN)
    monkeypatch.setattr("sys.path", [str(folder), *sys.path])
    yield name
    sys.modules.pop(name, None)


def specs(store, study):
    return {f.started().spec.fingerprint for f in runs.run_folders(store, study)}


def plans(store, study):
    return [one.hash for one in runs.recorded_plans(runs.study_facts(store, study))]


@pytest.fixture
def stores(workplace, template_store):
    """Make empty stores: MLflow takes seconds for one."""

    def make(*names):
        for name in names:
            (workplace / name).mkdir()
            shutil.copy(template_store / "mlflow.db", workplace / name / "mlflow.db")

    return make


def cell(source, number=1, namespace=None):
    """Run a cell as IPython does: in ``__main__``, with its text where ``inspect`` finds it."""
    name = f"<ipython-input-{number}-{abs(hash(source)):x}>"
    text = textwrap.dedent(source)
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    namespace = {"__name__": "__main__"} if namespace is None else namespace
    exec(compile(text, name, "exec"), namespace)
    return namespace


# the same as the command line


def test_fingerprints_plans_and_ranking_are_those_of_the_command(cli, workplace, stores, module):
    stores("there", "a0", "a1", "a2")
    write_study(workplace, "toy", FILE.format(module=module))
    assert cli("run", "toy", "--store", "there").code == 0
    __import__(module)
    for number, study in enumerate(
        (
            attnstudy.Study("toy", sys.modules[module].train, store="a0", **SAID),
            attnstudy.Study("toy", f"{module}:train", store="a1", **SAID),
            attnstudy.load_study("toy", store="a2"),
        )
    ):
        done = study.run(**QUIET)
        assert (done.trained, done.skipped, done.failed) == (8, 0, {})
        assert specs(Path(f"a{number}"), "toy") == specs(Path("there"), "toy")
        assert plans(Path(f"a{number}"), "toy") == plans(Path("there"), "toy")
        theirs = json.loads(cli("rank", "toy", "--store", "there", "--json").out)
        ours = study.rank()
        assert ours.alpha == 0.01
        assert ours.to_json()["pairs"] == theirs["pairs"]
        assert (ours.verdict, ours.status) == (theirs["verdict"], "confirmatory")
        # each goes on with what the other has run
        assert study.run(**QUIET).skipped == 8
    answer = cli("run", "toy", "--store", "a1", "--json")
    assert json.loads(answer.out)["skipped"] == 8


def test_a_study_of_the_placements(cli, workplace):
    text = 'variants = ["vanilla", "late"]\nseeds = 2\n' + SMALL
    write_study(workplace, "places", text)
    study = attnstudy.load_study("places")
    assert repr(study) == "Study('places'): vanilla, late; seeds 0-1; ranked by test_accuracy"
    assert study.run(**QUIET).trained == 4
    assert json.loads(cli("run", "places", "--json").out)["skipped"] == 4
    frame = study.results()
    assert list(frame["arm"]) == ["vanilla", "vanilla", "late", "late"]
    assert frame["test_accuracy"].between(0, 100).all()


def test_tune_and_run_with_what_it_found(cli, module):
    __import__(module)
    study = attnstudy.Study("toy", f"{module}:train", **SAID)
    space = {"slope": {"low": 0.5, "high": 2.0}}
    asked: dict[str, Any] = {
        "metric": "val",
        "trials": 3,
        "seeds_per_trial": 1,
        "progress": False,
        "quiet": True,
    }
    found = study.tune(space=space, **asked)
    trials = found.to_frame()
    assert list(trials.columns) == ["arm", "trial", "status", "slope", "value", "seconds"]
    assert list(trials["arm"]) == ["plain"] * 3 + ["more"] * 3
    for arm, group in trials.groupby("arm"):
        best = group.loc[group["value"].idxmax()]
        assert found.best[str(arm)] == {"slope": best["slope"]}
    assert "3 trials" not in repr(found)
    assert "6 trials done" in repr(found)
    assert "0 trials done, 6 before" in repr(study.tune(space=space, **asked))
    assert study.run(tuned=True, **QUIET).trained == 8
    ranking = study.rank()
    assert ranking.status == "confirmatory"
    assert any(note.startswith("tuned on") for note in ranking.notes)
    shown = json.loads(cli("tune", "show", "toy", "--json").out)["variants"]
    assert {one["variant"]: one["best"]["fields"] for one in shown} == found.best


def test_until_decided(workplace):
    study = attnstudy.Study("decided", train, arms={"a": {"bonus": 0}, "b": {"bonus": 9}},
                            metric="score", looks=[3, 5])  # fmt: skip
    done = study.run(until_decided=True, **QUIET)
    assert done.stopped == "decided"
    assert done.trained == len(done.to_frame()) == 6
    assert done.ranking.verdict == study.rank().verdict
    assert "b > a" in done.ranking.verdict
    assert "1 of 2 declared looks taken" in repr(done)
    assert study.run(until_decided=True, **QUIET).skipped == 6


# what comes back


def test_results_are_a_frame(workplace):
    study = attnstudy.Study("frames", with_seed, arms=["b", "a"], seeds="0-1", metric="score")
    assert list(study.results().columns) == [
        "arm", "seed", "status", "started", "seconds", "config",
    ]  # fmt: skip
    assert repr(study.status()) == "study frames has no runs in mlruns yet"
    study.run(**QUIET)
    frame = study.results()
    assert list(frame.columns) == [
        "arm", "seed", "status", "score", "started", "seconds", "config",
    ]  # fmt: skip
    assert list(frame["arm"]) == ["b", "b", "a", "a"]
    assert list(frame["seed"]) == [0, 1, 0, 1]
    assert list(frame["score"]) == [10.0, 11.0, 0.0, 1.0]
    assert set(frame["status"]) == {"complete"}
    assert str(frame["started"].dt.tz) == "UTC"
    assert (frame["seconds"] >= 0).all()
    assert frame["config"].nunique() == 1
    assert study.status().counts == {"complete": 4}
    assert study.status().missing == {}
    assert "4 trained" not in repr(study.status())


def test_failed_runs_are_in_the_answer(workplace, monkeypatch):
    study = attnstudy.Study("failing", fails_with_seed_1, seeds=3, metric="score")
    done = study.run(**QUIET)
    assert list(done.failed) == ["failing/seed=1"]
    assert "no luck" in done.failed["failing/seed=1"]
    assert "The same call tries the failed runs again." in repr(done)
    frame = done.to_frame()
    assert list(frame["status"]) == ["complete", "failed", "complete"]
    assert np.isnan(frame["score"][1])
    assert study.status().missing == {"failing": (1,)}


def fails_with_seed_1(run):
    if run.seed == 1:
        raise RuntimeError("no luck")
    return {"score": 1.0 * run.seed}


def test_some_arms_and_seeds_alone(workplace):
    study = attnstudy.Study("parts", with_seed, arms=["a", "b"], seeds=range(3), metric="score")
    assert study.run(arms=["b"], seeds=[2], **QUIET).trained == 1
    assert study.status().missing == {"a": (0, 1, 2), "b": (0, 1)}
    assert study.run(**QUIET).skipped == 1


@dataclasses.dataclass
class Config:
    bonus: float = 0.0
    steps: int = 3


@pytest.mark.parametrize(
    "settings", [Config, Config(bonus=0.0), [attnstudy.Field("bonus", float, 0.0, "", least=0),
                                             attnstudy.Field("steps", int, 3, "")]]
)  # fmt: skip
def test_settings_are_declared_by_a_dataclass_or_by_fields(workplace, settings):
    study = attnstudy.Study("declared", train, arms={"a": {}, "b": {"bonus": 1}}, seeds=1,
                            settings=settings, metric="score")  # fmt: skip
    study.run(**QUIET)
    found = [f.started().spec for f in runs.run_folders(STORE, "declared")]
    assert {spec.arm_name: dict(spec.settings) for spec in found} == {
        "a": {"bonus": 0.0, "steps": 3},
        "b": {"bonus": 1.0, "steps": 3},
    }
    with pytest.raises(UsageError, match=r"arms\['b'\] bonus must be a number"):
        attnstudy.Study("declared", train, arms={"a": {}, "b": {"bonus": "1"}}, settings=settings,
                        metric="score")  # fmt: skip


def test_a_command(workplace):
    (workplace / "work.py").write_text(
        "import sys\nprint('score=%s' % (float(sys.argv[1]) + float(sys.argv[2])))\n"
    )
    study = attnstudy.Study(
        "commands", command=f"{sys.executable} work.py {{seed}} {{bonus}}", metrics="stdout",
        arms={"a": {"bonus": 0}, "b": {"bonus": 0.5}}, seeds=2, metric="score",
    )  # fmt: skip
    assert study.run(**QUIET).trained == 4
    assert list(study.results()["score"]) == [0.0, 1.0, 0.5, 1.5]


# where a function is


NOTEBOOK = """
    LEVEL = 5.0
    CALLED = []
    def level(run):
        return LEVEL * (run.arm == "b")
    def train(run):
        CALLED.append(run.seed)
        return {"score": level(run) + run.rng("noise").normal()}
"""


def test_a_function_of_a_notebook_runs_in_this_process_and_resumes(workplace, monkeypatch, capfd):
    monkeypatch.delenv("ATTNSTUDY_EXECUTOR")
    monkeypatch.setattr("attnstudy.api.study._TOLD", set())
    namespace = cell(NOTEBOOK)
    said: dict[str, Any] = {"arms": ["a", "b"], "seeds": 2, "metric": "score"}
    study = attnstudy.Study("book", namespace["train"], **said)
    assert study.run(seeds=[0], figures=False).trained == 2
    assert namespace["CALLED"] == [0, 0]
    told = "Runs are made in this process, one after the other (train is of a notebook:"
    assert told in capfd.readouterr().err
    # the kernel is restarted, and the cells are run again
    study = attnstudy.Study("book", cell(NOTEBOOK)["train"], **said)
    done = study.run(figures=False)
    assert (done.trained, done.skipped) == (2, 2)
    assert told not in capfd.readouterr().err
    assert study.rank().verdict
    for changed in (
        NOTEBOOK.replace("LEVEL = 5.0", "LEVEL = 6.0"),
        NOTEBOOK.replace('== "b"', '== "a"'),
        NOTEBOOK.replace("noise", "other"),
    ):
        study = attnstudy.Study("book", cell(changed)["train"], **said)
        with pytest.raises(UsageError, match="for train changed since: give accept_code=True") as e:
            study.run(**QUIET)
        assert "or rerun=True to run everything again" in str(e.value)
    assert study.run(accept_code=True, **QUIET).skipped == 4
    with pytest.raises(UsageError, match="executor is 'processes', and runs can be made in this"):
        study.run(executor="processes", **QUIET)


def test_lambdas_and_nested_functions_run_in_this_process(workplace):
    def nested(run):
        return {"score": shift + run.seed}

    shift = 1.0
    study = attnstudy.Study("nested", nested, seeds=2, metric="score")
    assert study.run(**QUIET).trained == 2
    assert list(study.results()["score"]) == [1.0, 2.0]
    shift = 2.0
    study = attnstudy.Study("nested", nested, seeds=2, metric="score")
    with pytest.raises(UsageError, match="made by other code"):
        study.run(**QUIET)
    short = attnstudy.Study("short", lambda run: {"score": 3.0}, seeds=1, metric="score")
    assert short.run(**QUIET).trained == 1


SCRIPT = """
import os
import sys

import attnstudy

print("imported as", __name__, file=sys.stderr)


def train(run):
    assert str(os.getpid()) != os.environ.get("HERE")
    return {"score": run.seed + 9.0 * (run.arm == "b")}


"""
STUDY = """
study = attnstudy.Study("script", train, arms=["a", "b"], seeds=SEEDS, metric="score")
done = study.run(workers=2, figures=False, WHERE)
print(done.trained, done.skipped, [one.spec.function for one in done.outcomes][0])
print(done.failed)
"""


def run_script(place, text):
    (place / "compare.py").write_text(text)
    here = str(Path(attnstudy.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "compare.py"], cwd=place, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": here},
    )  # fmt: skip
    return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.mark.rest
@pytest.mark.usefixtures("processes")
def test_a_function_of_a_script_runs_in_workers_which_import_nothing_else(workplace, monkeypatch):
    guarded = "if __name__ == '__main__':\n    os.environ['HERE'] = str(os.getpid())\n"
    study = textwrap.indent(STUDY.replace("WHERE", ""), "    ")
    code, out, err = run_script(workplace, SCRIPT + guarded + study.replace("SEEDS", "2"))
    assert code == 0, err
    assert out == ["4 0 compare:train", "{}"]
    # what a worker says goes into the log of its run; the script itself ran once
    assert err.count("imported as __main__") == 1
    assert "imported as __mp_main__" not in err
    # more seeds are no other code, as what stands under the guard is no part of it
    code, out, err = run_script(workplace, SCRIPT + guarded + study.replace("SEEDS", "3"))
    assert (code, out[0]) == (0, "2 4 compare:train"), err
    # and a study's file that names the function has the same runs
    text = 'train = "compare:train"\nseeds = 3\n[arms.a]\n[arms.b]\n[ranking]\nmetric = "score"\n'
    write_study(workplace, "script", text)
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.delitem(sys.modules, "compare", raising=False)
    assert attnstudy.load_study("script").run(executor="inline", **QUIET).skipped == 6
    monkeypatch.delitem(sys.modules, "compare")


@pytest.mark.rest
@pytest.mark.usefixtures("processes")
def test_a_script_without_a_guard_runs_its_function_in_its_own_process(workplace):
    code, out, err = run_script(
        workplace, SCRIPT + STUDY.replace("SEEDS", "1").replace("WHERE", "")
    )
    assert code == 0, err
    assert out == ["2 0 __main__:train", "{}"]
    assert err.count("imported as") == 1
    assert "put what it does under if __name__ == '__main__':" in err
    # said otherwise, it is refused before anything runs
    code, out, err = run_script(
        workplace,
        SCRIPT + STUDY.replace("SEEDS", "1").replace("WHERE", "executor='processes'"),
    )
    assert code == 1
    assert "an import of compare.py would run all of it" in err.splitlines()[-1]


def test_a_worker_that_imports_a_script_does_not_run_its_study(workplace, monkeypatch):
    study = attnstudy.Study("again", with_seed, seeds=1, metric="score")
    monkeypatch.setattr(multiprocessing.current_process(), "name", "attnstudy-worker-0")
    with pytest.raises(UsageError, match=r"run\(\) was called while a worker imported the script"):
        study.run(**QUIET)


# what is wrong


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ({"arms": {"a": {"bonsu": 1}, "b": {"bonus": 1}}, "settings": {"bonus": 0}},
         r"arms\['a'\]: there is no setting 'bonsu'; did you mean 'bonus'"),
        ({"arms": {"a": {"bonus": 1}, "b": {"slope": 2}}},
         r"arms\['a'\] lacks slope, which other arms have: name it there, or its usual value in"),
        ({"arms": {"a": 3}}, r"arms\['a'\] is 3: give its settings by name"),
        ({"arms": "a"}, "arms is 'a': give the settings of each arm"),
        ({"arms": ["a", "a"]}, "two arms are called 'a'"),
        ({"arms": {"a b": {}}}, r"arms\['a b'\]: an arm's name is of letters"),
        ({"arms": {"a": {"bonus": [1]}, "b": {"bonus": 2}}}, "a setting is a text"),
        ({"settings": {"seed": 1}}, "a setting cannot be called 'seed'"),
        ({"settings": int}, "declared by a dataclass or by Fields"),
        ({"settings": 3}, "settings is 3: give values by name"),
        ({"metric": None}, "name the metric that the study is ranked by: give metric='...'"),
        ({"metric": 3}, "metric must be a text, not 3"),
        ({"seeds": "5-x"}, "seeds '5-x' are not understood"),
        ({"seeds": 0}, "0 seeds would train nothing"),
        ({"seeds": [1, 1]}, "seed 1 appears twice"),
        ({"seeds": [0.5]}, r"seeds is \[0.5\]: give a number"),
        ({"seeds": -1}, "seeds is -1"),
        ({"seeds": True}, "seeds is True"),
        ({"alpha": 2}, "alpha: '2' is not an error rate"),
        ({"alpha": "x"}, "alpha must be a number, not 'x'"),
        ({"margin": -1}, "margin: '-1' is not a margin"),
        ({"looks": [1, 2]}, "looks: '1,2' are no looks"),
        ({"control": "plian"}, "the control 'plian' is no arm of the study; did you mean 'plain'"),
        ({"direction": "up"}, "the direction is 'up': use maximize or minimize"),
        ({"train": 3}, "train is 3: give a function"),
        ({"train": print}, "give a function, or its name"),
        ({"train": "nowhere"}, "write it as 'package.module:function'"),
        ({"train": "no_such_module:train"}, "cannot be imported: there is no module"),
        ({"train": "json:nothing"}, "json has no function 'nothing'"),
        ({"train": None}, "give train=, a function, or command=, a command line"),
        ({"command": "true"}, "train and command both say what is run"),
        ({"train": eval("lambda run: {}")}, "the source of <lambda> cannot be read"),
        ({"name": "a/b"}, "cannot name a study"),
        ({"metrics": "stdout"}, "goes with command"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_a_sentence_before_anything_runs(workplace, said, about):
    given = {"name": "wrong", "train": train, "metric": "score",
             "arms": {"plain": {"bonus": 0}, "more": {"bonus": 1}}, **said}  # fmt: skip
    if given.get("settings") in (int, 3) or "seed" in (given.get("settings") or {}):
        given["arms"] = None
    with pytest.raises(UsageError, match=about) as raised:
        attnstudy.Study(given.pop("name"), given.pop("train"), **given)
    message = str(raised.value)
    assert "\n" not in message
    assert not re.search(r"--[a-z]", message)
    assert "None:" not in message
    assert not (STORE / "runs").exists()


@pytest.mark.parametrize(
    ("method", "said", "about"),
    [
        ("run", {"workers": 0}, "workers: '0' is not a number of workers"),
        ("run", {"executor": "process"}, "executor: 'process' is not one of"),
        ("run", {"max_seeds": 5}, "max_seeds goes with until_decided=True"),
        ("run", {"arms": ["c"]}, "the study has no arm 'c'"),
        ("run", {"seeds": "x"}, "seeds 'x' are not understood"),
        ("run", {"address": "a:1"}, "address goes with executor ray"),
        ("run", {"tuned": True}, r"was not tuned in .*: tune\(\) does that"),
        ("tune", {"metric": "val"}, "say what is varied with space="),
        ("tune", {"space": {"slope": [0, 1]}}, "give metric='...'"),
        ("tune", {"space": {"bonsu": [0, 1]}, "metric": "val"}, "'bonsu' is not a field"),
        ("tune", {"space": {"slope": 1}, "metric": "val"}, r"write \{'low': \.\.\., 'high'"),
        ("tune", {"space": 3, "metric": "val"}, "space is 3"),
        ("tune", {"space": {"slope": [0, 1]}, "metric": "val", "tuning_seeds": [0]},
         "name other tuning_seeds"),
        ("rank", {}, "no study 'wrong'"),
        ("rank", {"alpha": 0.7}, "alpha: '0.7' is not an error rate"),
    ],
)  # fmt: skip
def test_mistakes_in_calls(workplace, method, said, about):
    study = attnstudy.Study("wrong", train, arms={"a": {"bonus": 0}, "b": {"bonus": 1}}, seeds=2,
                            settings={"slope": 1.0}, metric="score")  # fmt: skip
    with pytest.raises(UsageError, match=about) as raised:
        getattr(study, method)(**said)
    assert "\n" not in str(raised.value)
    assert not re.search(r"--[a-z]", str(raised.value))


@pytest.mark.parametrize(
    ("source", "about"),
    [
        ("def train(run):\n    pass\n", "the training returned None: return its metrics by name"),
        ("def train(run):\n    return {'acc': 1.0}\n", "and no score"),
        ("def train(run):\n    return {'score': 'high'}\n", "the metric score is 'high'"),
    ],
)
def test_a_function_that_returns_no_metrics_fails_and_says_so(workplace, source, about):
    study = attnstudy.Study("silent", cell(source)["train"], seeds=1, metric="score")
    (reason,) = study.run(**QUIET).failed.values()
    assert about in reason


def test_a_program_that_says_no_is_heard_before_the_environment(workplace, monkeypatch):
    study = attnstudy.Study("env", with_seed, arms=["a"], seeds=2, metric="score")
    assert study.run(**QUIET).trained == 2
    monkeypatch.setenv("ATTNSTUDY_RERUN", "1")
    assert study.run(rerun=False, **QUIET).trained == 0
    assert study.run(**QUIET).trained == 2


def test_one_arm_is_tuned_alone(workplace):
    study = attnstudy.Study("one", with_seed, arms=["a", "b"], seeds=2, metric="score",
                            settings={"x": 1.0})  # fmt: skip
    found = study.tune(space={"x": [1.0, 2.0]}, metric="score", trials=2, seeds_per_trial=1,
                       arms=["a"], progress=False, quiet=True)  # fmt: skip
    assert set(found.to_frame()["arm"]) == {"a"}


def test_a_study_whose_tasks_have_metrics_of_their_own_says_them(workplace):
    study = attnstudy.Study("both", with_seed, arms=["a", "b"], seeds=2, metric="score",
                            tasks={"one": {}, "two": {"metric": "loss"}})  # fmt: skip
    assert repr(study).endswith("ranked by score, loss")


def test_what_there_is_can_be_completed():
    assert set(attnstudy.__all__) <= set(dir(attnstudy))


def test_the_environment_goes_before_defaults_and_not_before_the_program(
    workplace, stores, monkeypatch
):
    stores("elsewhere", "here")
    monkeypatch.setenv("ATTNSTUDY_STORE", "elsewhere")
    monkeypatch.setenv("ATTNSTUDY_ALPHA", "0.2")
    monkeypatch.setenv("ATTNSTUDY_SEEDS", "9")
    study = attnstudy.Study("env", with_seed, arms=["a", "b"], seeds=3, metric="score", alpha=0.1)
    assert study.run(**QUIET).trained == 6
    assert (workplace / "elsewhere" / "runs" / "env").is_dir()
    (plan,) = runs.recorded_plans(runs.study_facts(Path("elsewhere"), "env"))
    assert (plan.plan.analysis.alpha, plan.plan.seeds) == (0.1, (0, 1, 2))
    here = attnstudy.Study("env", with_seed, arms=["a", "b"], seeds=3, metric="score", store="here")
    assert here.run(seeds=1, **QUIET).trained == 2
    assert (workplace / "here" / "runs" / "env").is_dir()


PAGE = (Path(__file__).parent.parent / "docs" / "python.md").read_text()
BLOCKS = re.findall(
    r"^(?:`(\S+)`:\n\n)?```(python|toml)\n(.*?)^```(?:\n\n```text\n(.*?)^```)?", PAGE, re.M | re.S
)
"""Name of a file, kind of a block, the block, and what is shown below it."""


def test_every_block_of_the_page_on_python_is_run_here():
    assert PAGE.count("```") == sum(4 if shown else 2 for *_, shown in BLOCKS)
    assert [name for name, kind, *_ in BLOCKS if name] == ["compare.py"]
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (Path(__file__).parent.parent / "docs" / target).exists(), target


@pytest.mark.rest
@pytest.mark.usefixtures("processes")
def test_the_page_on_python_from_top_to_bottom(workplace):
    """Its script is run as one, its cells one after the other, and each shows what it shows."""
    namespace = {"__name__": "__main__"}
    for number, (name, kind, block, shown) in enumerate(BLOCKS):
        if kind == "toml":
            write_study(workplace, "places", block)
            continue
        if name:
            code, out, err = run_script(workplace, block)
            assert code == 0, err
            said = "\n".join(out)
        else:
            said = run_cell(block, number, namespace)
        for line in shown.splitlines():
            assert " ".join(line.split()) in " ".join(said.split()), (block, line, said)


def run_cell(block, number, namespace):
    """Run a cell; return what its last line would show, or the sentence of its error."""
    *_, last = ast.parse(block).body
    lines = block.splitlines()
    is_value = isinstance(last, ast.Expr)
    body = "\n".join(lines[: last.lineno - 1] if is_value else lines)
    try:
        cell(body, number, namespace)
        return repr(eval("\n".join(lines[last.lineno - 1 :]), namespace)) if is_value else ""
    except UsageError as error:
        return f"UsageError: {error}"


@pytest.mark.parametrize("name", ["study", "content", "words"])
def test_the_examples_in_the_code(workplace, name):
    module = importlib.import_module(f"attnstudy.api.{name}")
    done = doctest.testmod(module)
    assert done.attempted
    assert not done.failed


def test_importing_the_package_imports_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-c", "import attnstudy, sys; attnstudy.Study; print("
         "[m for m in ('torch', 'mlflow', 'scipy', 'pandas', 'optuna') if m in sys.modules])"],
        capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(attnstudy.__file__).parent.parent)},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"weights": {"a": "x"}}, "weights['a'] is 'x': give a number"),
        ({"weights": [1, 2]}, "weights is [1, 2]: give it by task, as in {'cifar10': 2.0}"),
        ({"directions": "minimize"}, "directions is 'minimize': give it by task"),
        ({"directions": {"a": "up"}}, "directions['a'] is 'up': give 'maximize' or 'minimize'"),
    ],
)
def test_what_is_said_by_task_is_refused_in_a_sentence(given, said):
    import pandas as pd

    frame = pd.DataFrame(
        [(task, arm, seed, seed + 0.5) for task in "ab" for arm in "xy" for seed in range(3)],
        columns=["dataset", "model", "seed", "accuracy"],
    )
    with pytest.raises(UsageError, match=re.escape(said)):
        attnstudy.rank_tasks(frame, task="dataset", **given)


def test_a_search_space_takes_numbers_of_numpy():
    space = space_of({"lr": np.array([0.1, 0.2]), "rate": {"low": np.float64(0.5), "high": 2},
                      "epochs": [np.int64(3), 4], "steps": range(2)})  # fmt: skip
    assert json.dumps(space) == (
        '{"lr": [0.1, 0.2], "rate": {"low": 0.5, "high": 2}, "epochs": [3, 4], "steps": [0, 1]}'
    )

"""A function of the user's own as a training: its settings, its code, and what it may not do."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.own import Own, one_sentence

GOOD = """
def train(run):
    return {"acc": float(run.rng("x").random())}
"""

MISBEHAVING = '''
import os
import sys

import numpy as np

import attnstudy


class Own:
    """Something that only this module knows."""


class Badly(attnstudy.Diverged):
    """Diverged, in the author's own words."""


def train(run):
    print("before", run.arm)
    os.write(1, b"\\xff\\x00 no text\\n")
    outcome = globals()[run.settings["does"]](run)
    print("behind", run.arm)
    return outcome


def nothing(run):
    return None


def a_number(run):
    return 0.5


def a_text(run):
    return {"acc": "0.5"}


def true(run):
    return {"acc": True}


def numpy_true(run):
    return {"acc": np.bool_(True)}


def an_array(run):
    return {"acc": np.zeros(2)}


def not_a_number(run):
    return {"acc": float("nan")}


def numpy_infinity(run):
    return {"acc": np.float32("inf")}


def numbered(run):
    return {1: 0.5}


def another_metric(run):
    return {"accuracy": 0.5}


def raises(run):
    raise ValueError("the data are\\nelsewhere")


def raises_without_words(run):
    raise KeyError


def exits(run):
    sys.exit(3)


def interrupts_itself(run):
    raise GeneratorExit


def changes_settings(run):
    run.settings["does"] = "good"


def own_object(run):
    run.checkpoint({"model": Own()})


def own_object_inside(run):
    run.checkpoint({"layers": [1, (2, {"deep": Own})]})


def complex_array(run):
    run.checkpoint(np.zeros(2, dtype=complex))


def bad_step(run):
    run.log(-1, loss=0.1)


def bad_value(run):
    run.log(0, loss="high")


def nothing_logged(run):
    run.log(0)


def never_written(run):
    run.file("plot.png")
    return {"acc": 0.5}


def outside(run):
    run.file("../plot.png")


def like_ours(run):
    run.file("result.json")


def a_path(run):
    run.file(run.file("plot.png"))


def no_answers(run):
    run.predictions([0.2, 0.7])


def no_model(run):
    run.model({"weights": "heavy"})


def described_by_a_number(run):
    run.describe("layers", 3)


def strange_fact(run):
    run.describe("layers?", "3")


def no_parameters(run):
    run.describe("parameters", "many")


def diverges(run):
    run.log(0, loss=float("nan"))
    raise Badly(7, {"loss": 3.0})


def forks(run):
    if os.fork() == 0:
        return {"acc": 99.0}
    os.wait()
    return {"acc": 0.25}


def numpy_scalar(run):
    return {"acc": np.float32(0.25)}


def zero_dimensional(run):
    return {"acc": np.array(0.25)}


def huge_number(run):
    return {"acc": 10**400}


def whole_number(run):
    return {"acc": np.int64(1)}


def good(run):
    return {"acc": 0.25}
'''

REFUSED = {
    "nothing": r"returned None: return its metrics by name, as in",
    "a_number": r"returned 0\.5: return its metrics by name",
    "a_text": r"the metric acc is '0\.5': return a number",
    "true": r"the metric acc is True: return a number",
    "numpy_true": r"the metric acc is np\.True_: return a number",
    "an_array": r"the metric acc is array\(\[0\., 0\.\]\): return a number",
    "not_a_number": r"the metric acc is nan: return a finite number, or raise attnstudy\.Diverged",
    "numpy_infinity": r"the metric acc is inf: return a finite number",
    "huge_number": r"the metric acc is inf: return a finite number",
    "numbered": r"a metric called 1: give it a text",
    "another_metric": r"returned accuracy, and no acc, by which its study is judged",
    "raises": r"ValueError: the data are \(mine\.py, line \d+; all of it is in .*output\.log\)",
    "raises_without_words": r"KeyError \(mine\.py, line \d+",
    "exits": r"it called sys\.exit\(3\): return its metrics instead",
    "interrupts_itself": r"GeneratorExit",
    "changes_settings": r"TypeError: 'Settings' object does not support item assignment",
    "own_object": r"cannot hold state\['model'\], which is of the type Own: give tensors",
    "own_object_inside": r"cannot hold state\['layers'\]\[1\]\[1\]\['deep'\], which is of",
    "complex_array": r"cannot hold state, an array of complex128: give real numbers",
    "bad_step": r"log\(step=-1\): a step is a whole number from 0 on",
    "bad_value": r"log\(\): loss is 'high': give a number, or a list of numbers",
    "nothing_logged": r"log\(\) was given no metric: name one",
    "never_written": r"file\('plot\.png'\) was asked for and never written",
    "outside": r"a run cannot have a file called '\.\./plot\.png'",
    "a_path": r"cannot have a file called PosixPath",
    "like_ours": r"a run cannot have a file called 'result\.json'",
    "no_answers": r"predictions\(\) takes one true or false",
    "described_by_a_number": r"describe\('layers', 3\) takes two texts, a name and a value",
    "strange_fact": r"describe\(\): 'layers\?' .*cannot be a name in MLflow",
    "no_parameters": r"describe\(\): 'many' is no number of parameters",
    "no_model": r"model\(\) takes a torch\.nn\.Module, or tensors or arrays by name",
}  # fmt: skip
TAKEN = {"forks": 0.25, "numpy_scalar": 0.25, "zero_dimensional": 0.25, "whole_number": 1.0,
         "good": 0.25}  # fmt: skip


def test_whatever_a_function_does_wrong_is_one_sentence_and_no_other_run_is_lost(
    own: Own, processes
):
    """All in one command: each arm does something else."""
    arms = "".join(f"[arms.{name}]\ndoes = '{name}'\n" for name in (*REFUSED, *TAKEN, "diverges"))
    top = "train = 'mine:train'\nseeds = 1\n[run]\nworkers = 2"
    own.write(MISBEHAVING, arms, top=top)
    answer = own("run", "--json")
    assert answer.code == 1
    assert one_sentence(answer.err), answer.err
    assert (found := json.loads(answer.out))["failed"] == len(REFUSED)
    assert (found["trained"], found["elsewhere"]) == (len(TAKEN) + 1, 0)
    failures = own.failures()
    for name, expected in REFUSED.items():
        said = failures[name]
        assert said is not None, name
        assert re.search(expected, said), (name, said)
        assert "\n" not in said
    results = {n.partition("/")[0]: f.result() for n, f in own.folders().items()}
    assert {name: results[name].metrics["acc"] for name in TAKEN} == TAKEN
    diverged = results["diverges"]
    assert (diverged.status.value, diverged.diverged_at) == ("diverged", 7)
    assert diverged.metrics["loss"] == 3.0
    # nothing that it printed is between the command's own lines, and all of it is kept
    assert "before" not in answer.out + answer.err
    folder = own.folders()["good/seed=0"].path
    assert (folder / "output.log").read_bytes() == b"before good\n\xff\x00 no text\nbehind good\n"


MISTAKES: dict[str, Any] = {
    # what is named
    "no module": ({"top": "train = 'nowhere:train'"},
                  r"'nowhere:train' cannot be imported: there is no module 'nowhere' beside the"),
    "a typo": ({"top": "train = 'mien:train'"},
               r"there is no module 'mien' beside .*; did you mean 'mine'\?"),
    "no function": ({"top": "train = 'mine:trian'"},
                    r"mine has no function 'trian'; did you mean 'train'\?"),
    "no function at all": ({"code": "x = 1"}, r"mine has no function 'train': correct 'train'"),
    "not a function": ({"code": "train = 3"}, r"mine has no function 'train'"),
    "no colon": ({"top": "train = 'mine.train'"}, r"write it as 'package\.module:function'"),
    "a path": ({"top": "train = 'mine.py:train'"}, r"cannot be imported|write it as"),
    "empty": ({"top": "train = ''"}, r"train is '': write it as"),
    "a number": ({"top": "train = 3"}, r"train must be a text, not 3"),
    "not Python": ({"code": "def train(run:"},
                   r"cannot be imported: '\(' was never closed \(mine\.py, line 1\)"),
    "raises when imported": ({"code": "raise ValueError('no data here')\n\ndef train(run): ..."},
                             r"'mine:train' cannot be imported: no data here"),
    "imports what is not there": ({"code": "import nowhere_at_all\n\ndef train(run): ..."},
                                  r"cannot be imported: No module named 'nowhere_at_all'"),
    "two trainings": ({"top": "train = 'mine:train'\ncommand = 'true'"},
                      r"train and command both say what is run"),
    "code that is not there": ({"top": "train = 'mine:train'\ncode = ['data.py']"},
                               r"code names 'data\.py', and there is no"),
    "code that is everything": ({"top": "train = 'mine:train'\ncode = ['/']"},
                                r"code names '/', the whole machine"),
    "metrics of a function": ({"top": "train = 'mine:train'\nmetrics = 'stdout'"},
                              r"goes with command"),
    "no metric": ({"ranking": ""}, r"name the metric that the study is ranked by"),
    # settings
    "a field of ours": ({"more": "[settings]\nseed = 3"}, r"cannot be called 'seed', which every"),
    "the arm": ({"more": "[settings]\narm = 'a'"}, r"cannot be called 'arm'"),
    "the study": ({"more": "[settings]\nstudy = 'a'"}, r"cannot be called 'study'"),
    "the code": ({"more": "[settings]\ncode = 'a'"}, r"cannot be called 'code'"),
    "the function": ({"more": "[settings]\nfunction = 'a'"}, r"cannot be called 'function'"),
    "the training": ({"more": "[settings]\ntraining = 'a'"}, r"cannot be called 'training'"),
    "an odd name": ({"more": "[settings]\n'learning rate' = 1"},
                    r"cannot be called 'learning rate': use letters"),
    "a list": ({"more": "[settings]\nlayers = [1, 2]"}, r"the setting layers is \[1, 2\]"),
    "a table": ({"more": "[settings.inner]\nlr = 1"}, r"the setting inner is \{'lr': 1\}"),
    "not finite": ({"more": "[settings]\nlr = nan"}, r"the setting lr is nan"),
    "infinite in an arm": ({"more": "[settings]\nlr = 0.1\n[arms.a]\nlr = inf"}, r"lr .*inf"),
    "settings that are no table": ({"top": "train = 'mine:train'\nsettings = 3"},
                                   r"settings is a table"),
    "unknown in an arm": ({"more": "[settings]\nlr = 0.1\n[arms.a]\nlr = 0.2\n[arms.b]\nrl = 1"},
                          r"\[arms\.a\] lacks rl, which other arms have"),
    "another kind in an arm": ({"more": "[settings]\nlr = 0.1\n[arms.a]\nlr = 'high'"},
                               r"\[arms\.a\] lr must be a number, not 'high'"),
    "lacking in an arm": ({"more": "[arms.a]\nlr = 0.2\n[arms.b]\nwd = 1"}, r"\[arms\.a\]"),
    "an arm's name": ({"more": "[arms.'a/b']\nlr = 0.2"}, r"an arm's name is of letters"),
    # what belongs to the placements
    "dataset": ({"top": "train = 'mine:train'\ndataset = 'digits'"},
                r"dataset is for the placements of attention"),
    "training table": ({"more": "[training]\nepochs = 3"}, r"training is for the placements"),
    "fuse": ({"more": "[run]\nfuse = 3"}, r"\[run\] fuse is for the placements"),
    "variants": ({"top": "train = 'mine:train'\nvariants = ['late']"}, r"variants is for the"),
    "typed epochs": ({"arguments": ["--epochs", "3"]},
                     r"--epochs is for the placements of attention, and own runs a training of"),
    "typed dataset": ({"arguments": ["--dataset", "digits"]}, r"--dataset is for the placements"),
    "typed precision": ({"arguments": ["--precision", "bf16"]}, r"--precision is for"),
    "an arm that is not there": ({"arguments": ["--variant", "late"], "more": "[arms.later]\nx=1"},
                                 r"no arm 'late'; did you mean 'later'\?"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_study_is_told_before_anything_runs(own: Own, name, monkeypatch):
    asked, expected = MISTAKES[name]
    if "ranking" in asked:
        monkeypatch.setattr("tests.own.RANKING", asked["ranking"])
    own.write(asked.get("code", GOOD), asked.get("more", ""),
              top=asked.get("top", "train = 'mine:train'\nseeds = 2"))  # fmt: skip
    answer = own("run", *asked.get("arguments", ()))
    assert (answer.code, answer.out) == (2, ""), answer
    assert re.search(expected, answer.err), answer.err
    assert one_sentence(answer.err), answer.err
    assert len(answer.err.splitlines()) == 1
    assert not Path("mlruns/runs").exists()


DECLARED = """
from dataclasses import dataclass, field

import attnstudy


@dataclass
class Settings:
    lr: float = 0.1
    layers: int = field(default=3, metadata={"help": "How many."})
    kind: str = "plain"
    early: bool = False


FIELDS = [
    attnstudy.Field("lr", float, 0.1, "Learning rate.", above=0),
    attnstudy.Field("kind", str, "plain", "Which.", choices=("plain", "wide")),
]


@attnstudy.training(settings=SETTINGS)
def train(run):
    return {"acc": run.settings["lr"] + run.seed, "as": sum(map(ord, repr(dict(run.settings)))) }
"""


def declared(by: str) -> str:
    return DECLARED.replace("SETTINGS)", f"{by})")


WRONG = {
    "unknown": ("Settings", "layer = 3", r"no setting 'layer'; did you mean 'layers'\?"),
    "kind": ("Settings", "layers = 'three'", r"layers must be a whole number, not 'three'"),
    "no whole number": ("Settings", "layers = 2.5", r"layers must be a whole number, not 2\.5"),
    "no text": ("Settings", "kind = 1", r"kind must be a text, not 1"),
    "no bool": ("Settings", "early = 1", r"early must be true or false, not 1"),
    "true is no number": ("Settings", "lr = true", r"lr must be a number, not True"),
    "bound": ("FIELDS", "lr = 0.0", r"lr must be a number above 0, not 0"),
    "choice": ("FIELDS", "kind = 'broad'", r"kind must be one of plain, wide, not 'broad'"),
}
NOT_DECLARED = {
    "no default": ("@dataclass\nclass S:\n    lr: float", r"the setting lr of S needs a default"),
    "a list": ("@dataclass\nclass S:\n    lr: tuple = (1, 2)", r"lr of S is declared as"),
    "optional": ("@dataclass\nclass S:\n    lr: float | None = None", r"lr of S is declared as"),
    "no dataclass": ("class S:\n    lr = 0.1", r"S is neither: write @dataclass above it"),
    "no field": ("S = ['lr']", r"declared by attnstudy\.Field, not by 'lr'"),
    "our name": ("@dataclass\nclass S:\n    seed: int = 3", r"cannot be called 'seed'"),
    "its default": ("S = [attnstudy.Field('lr', float, 'x', '')]", r"lr must be a number"),
}


@pytest.mark.parametrize("name", [*WRONG, *NOT_DECLARED])
def test_declared_settings_are_checked_before_anything_runs(own: Own, name):
    if name in WRONG:
        by, line, expected = WRONG[name]
        own.write(declared(by), f"[settings]\n{line}\n")
    else:
        lines, expected = NOT_DECLARED[name]
        own.write(
            "from dataclasses import dataclass\nimport attnstudy\n\n"
            f"{lines}\n\n@attnstudy.training(settings=S)\ndef train(run): ...\n"
        )
    answer = own("run")
    assert (answer.code, answer.out) == (2, "")
    assert re.search(expected, answer.err), answer.err
    assert len(answer.err.splitlines()) == 1, answer.err
    assert not Path("mlruns/runs").exists()


def settings_of(own: Own) -> dict[str, dict[str, object]]:
    """Return the settings that each arm was run with."""
    return {f.started().spec.arm_name: dict(f.started().spec.settings)
            for f in own.folders().values()}  # fmt: skip


def test_settings_are_what_the_dataclass_and_the_file_say(own: Own):
    """Defaults, the file's and the arms' values, each of its kind; a study names only some."""
    own.write(
        declared("Settings"),
        "[settings]\nlr = 1\n[arms.a]\n[arms.b]\nlayers = 5\nearly = true",
        top="train = 'mine:train'\nseeds = 1",
    )
    answer = own("run")
    assert answer.code == 0, answer.err
    plain = {"lr": 1.0, "layers": 3, "kind": "plain", "early": False}
    found = settings_of(own)
    assert found == {"a": plain, "b": {**plain, "layers": 5, "early": True}}
    assert {name: type(value) for name, value in found["a"].items()} == {
        "lr": float, "layers": int, "kind": str, "early": bool,
    }  # fmt: skip
    assert {name: found["acc"] for name, found in own.metrics().items()} == {
        "a/seed=0": 1.0, "b/seed=0": 1.0,
    }  # fmt: skip


def test_settings_that_nobody_declared_are_of_the_kind_of_their_values(own: Own):
    """A whole number is a number where an arm, or the search, gives it a part."""
    own.write(
        GOOD,
        """
        [settings]
        lr = 1
        depth = 2
        width = 3
        name = "plain"
        variant = "of mine"
        dataset = "mine too"
        early = true
        [arms.a]
        lr = 1
        [arms.b]
        lr = 0.5
        [tuning.space]
        width = { low = 0.5, high = 3.0 }
        """,
        top="train = 'mine:train'\nseeds = 2",
    )
    answer = own("run")
    assert answer.code == 0, answer.err
    shared = {"depth": 2, "width": 3.0, "name": "plain", "variant": "of mine",
              "dataset": "mine too", "early": True}  # fmt: skip
    found = settings_of(own)
    assert found == {"a": {"lr": 1.0, **shared}, "b": {"lr": 0.5, **shared}}
    assert {type(one["lr"]) for one in found.values()} == {float}
    assert type(found["a"]["depth"]) is int
    assert type(found["a"]["width"]) is float
    ranked = json.loads(own("rank", "--json").out)
    assert {one["variant"] for one in ranked["arms"]} == {"a", "b"}


def test_code_that_changed_is_refused_by_name_until_somebody_says_what_it_means(own: Own):
    """The module, one that it imports and a declared file; accepted, run again, and put back."""
    helper = own.module("def value(): return 1.0\n", "helper")
    data = own.place / "studies" / "own" / "words.txt"
    data.write_text("a b c")
    first = own.module(f"import helper\n\n{GOOD}")
    own.write(None, top="train = 'mine:train'\nseeds = 2\ncode = ['words.txt']")
    assert own("run").code == 0, own("run").err
    before = own.metrics()
    for path in (first, helper, data):
        content = path.read_text()
        path.write_text(content + "# changed\n")
        answer = own("run")
        assert answer.code == 2
        assert re.search(
            r"2 runs of 'own' \(own/seed=[01], own/seed=[01]\) were made by other code", answer.err
        ), answer.err
        for name in ("mine.py", "helper.py", "words.txt"):
            assert name in answer.err
        assert "--accept-code" in answer.err
        assert "--rerun" in answer.err
        assert one_sentence(answer.err)
        path.write_text(content)
    # accepted once, it is so for good, and what was run stays
    helper.write_text("def value(): return 1.0  # the same\n")
    answer = own("run", "--accept-code", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["skipped"] == 2
    answer = own("run", "--seeds", "3", "--json")
    assert (json.loads(answer.out)["trained"], json.loads(answer.out)["skipped"]) == (1, 2)
    assert {name: own.metrics()[name] for name in before} == before
    ranked = own("rank", "--json")
    assert ranked.code == 0, ranked.err
    assert json.loads(ranked.out)["arms"][0]["n"] == 3
    # other code, other runs; the old code finds its own again
    changed = first.read_text()
    first.write_text(changed.replace("random()", "random() + 10"))
    answer = own("run", "--rerun", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["trained"] == 2
    assert len(own.folders()) == 3  # by name; those of seeds 0 and 1 are there twice
    first.write_text(changed)
    answer = own("run", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["skipped"] == 2


RESTLESS = """
import multiprocessing
import os
import signal
import sys
import tempfile
import warnings


def square(number):
    return number * number


def train(run):
    globals()[run.settings["does"]](run)
    print("done", run.arm)
    run.log(0, x=0.5)
    run.checkpoint({"step": 1})
    run.file("kept.txt").write_text(run.arm)
    return {"acc": float(run.rng("x").random())}


def goes_elsewhere(run):
    os.chdir(tempfile.mkdtemp())


def closes_its_output(run):
    sys.stdout.close()
    sys.stdout = sys.stderr = open(os.devnull, "w")
    sys.stderr.close()
    sys.stdout = open(os.devnull, "w")


def closes_descriptors(run):
    os.close(1)
    os.close(2)
    sys.stdout = open(os.devnull, "w")


def takes_signals(run):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def empties_the_environment(run):
    os.environ.clear()


def has_workers_of_its_own(run):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(square, range(4)) == [0, 1, 4, 9]


def refuses_warnings(run):
    warnings.simplefilter("error")


def good(run):
    pass
"""


def test_what_a_function_does_to_its_process_harms_no_other_run(own: Own, processes):
    """All in one worker, one after the other."""
    names = [*re.findall(r"^def (\w+)\(run\):", RESTLESS, re.M)]
    names.remove("train")
    arms = "".join(f"[arms.{name}]\ndoes = '{name}'\n" for name in names)
    own.write(RESTLESS, arms, top="train = 'mine:train'\nseeds = 1\n[run]\nworkers = 1")
    answer = own("run")
    assert answer.code == 0, answer.err
    assert len(own.metrics()) == len(names) >= 8
    for name, folder in own.folders().items():
        assert folder.damaged_files() == []
        assert (folder.path / "kept.txt").read_text() == name.partition("/")[0]
    last = own.folders()["good/seed=0"].path
    assert (last / "output.log").read_text() == "done good\n"


@pytest.mark.parametrize(
    "name", ["a\\tb", "a\\u202eb", "x" * 251, "../up", "a//b", "100%", "..", "..x"]
)
def test_a_metric_that_mlflow_would_not_take_is_refused_by_its_run(own: Own, name):
    own.write(f"""
        def train(run):
            run.log(step=0, **{{"{name}": 1.0}}) if run.arm == "logs" else None
            return {{"acc": 0.5, "{name}": 1.0}}
        """, "[arms.logs]\n[arms.returns]")  # fmt: skip
    answer = own("run", "--executor", "inline")
    assert answer.code == 1, answer.err
    assert {name: "cannot be the name of a metric" in (why or "") for name, why in
            own.failures().items()} == {"logs": True, "returns": True}  # fmt: skip


@pytest.mark.parametrize("count", [300, 1200])
def test_many_metrics_are_delivered_once_and_ranked(own: Own, count):
    own.write(f"""
        def train(run):
            run.log(step=0, loss=1.0)
            return {{"acc": 0.5 + run.seed, **{{f"of_class_{{n}}": 1.0 for n in range({count})}}}}
        """, top="train = 'mine:train'\nseeds = 2")  # fmt: skip
    assert own("run", "--executor", "inline").code == 0
    for _ in range(2):
        answer = own("sync")
        assert answer.code == 0, answer.err
        assert "0 runs delivered" in answer.out
        assert "2 were there already" in answer.out
    shutil.move("mlruns/runs", "aside")  # so that MLflow alone tells
    answer = own("rank", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["arms"][0]["n"] == 2
    with sqlite3.connect("mlruns/mlflow.db") as opened:  # as earlier versions left it
        opened.execute("UPDATE tags SET value = substr(value, 1, 99) WHERE key LIKE '%.metrics'")
    answer = own("rank")
    assert answer.code == 0, answer.err
    assert "acc" in answer.out
    shutil.move("aside", "mlruns/runs")
    assert "2 runs delivered" in own("sync").out, "the tags are put right"
    assert "2 were there already" in own("sync").out


def test_names_that_cannot_be_read_are_not_known():
    from attnstudy.tracking.digests import METRIC_NAMES, metric_names

    whole = json.dumps(["acc", "loss"])
    assert metric_names({METRIC_NAMES: whole}) == ("acc", "loss")
    assert metric_names({METRIC_NAMES: whole[:9], f"{METRIC_NAMES}.1": whole[9:]}) == (
        "acc", "loss",
    )  # fmt: skip
    for text in (whole[:9], "", "null", "{}", "[1]", "[" * 100_000):
        assert metric_names({METRIC_NAMES: text}) is None
    assert metric_names({}) is None

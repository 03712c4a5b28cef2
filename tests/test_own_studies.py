"""Studies of the user's own trainings from end to end: every command that works on a study."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.own import Own, computed, one_sentence, published
from tests.test_own_trainings import GOOD
from tests.waiting import PATIENCE, wait_for

ITEMS = """
import numpy as np
import attnstudy


@attnstudy.training(settings=[
    attnstudy.Field("skill", float, 0.5, "Part that is right.", least=0, most=1),
    attnstudy.Field("epochs", int, 3, "Steps.", least=1),
])
def train(run):
    noise = run.rng("noise")
    state = run.restore()
    if state:
        noise.bit_generator.state = state["noise"]
    for epoch in range(state["epoch"] if state else 0, run.settings["epochs"]):
        run.log(epoch, loss=float(noise.random()), several=[0.1, 0.2])
        run.checkpoint({"epoch": epoch + 1, "noise": noise.bit_generator.state})
    correct = noise.random(200) < run.settings["skill"]
    metrics = {"val": float(np.mean(correct)) + float(noise.random()) / 1000, "loss": 0.5}
    if not run.tuning:
        run.predictions(correct)
        metrics["acc"] = 100 * float(np.mean(correct))
    run.file("notes.txt").write_text(f"{run.study} {run.arm} {run.seed} {run.device} {run.threads}")
    run.model({"weights": noise.random(3), "bias": np.float32(0.5) * np.ones(1)})
    run.note("drawn,\\nnot learned")
    run.progress(1, 1)
    return metrics
"""
ARMS = "[arms.weak]\nskill = 0.5\n[arms.strong]\nskill = 0.8\n"


def test_what_a_function_leaves_is_kept_published_ranked_and_moved(own: Own):
    """One study through run, rank, status, export, import, sync and rank again."""
    own.write(ITEMS, ARMS, top='train = "mine:train"\nseeds = 4')
    nowhere = ("--tracking-uri", "http://127.0.0.1:9")
    answer = own("run", *nowhere)
    assert answer.code == 0, answer.err
    assert "attnstudy sync" in answer.err
    folder = own.folders()["weak/seed=0"]
    result = folder.result()
    assert result.notes == ("drawn, not learned",)
    assert set(result.files) == {"notes.txt", "predictions.csv", "weights.safetensors",
                                 "journal.jsonl"}  # fmt: skip
    assert (folder.path / "notes.txt").read_text() == "own weak 0 cpu 1"
    lines = (folder.path / "predictions.csv").read_text().splitlines()
    assert lines[0] == "item,correct"
    assert len(lines) == 201
    assert not list(folder.path.glob("checkpoint*"))

    # a metric that was logged and returned under one name: the curve, and then the result
    answer = own("sync")
    assert answer.code == 0, answer.err
    assert "8" in answer.out
    found = published(Path("mlruns"))
    assert {name: len(runs) for name, runs in found.items()} == {
        f"{arm}/seed={seed}": 1 for arm in ("weak", "strong") for seed in range(4)
    }
    status, metrics, curves, artifacts = found["weak/seed=0"][0]
    assert status == "complete"
    assert metrics["loss"] == 0.5
    assert [step for step, _ in curves["loss"]][:3] == [0, 1, 2]
    assert {"notes.txt", "predictions.csv", "weights.safetensors"} <= set(artifacts)

    ranked = own("rank", "--json")
    assert ranked.code == 0, ranked.err
    said = json.loads(ranked.out)
    assert said["status"] == "confirmatory"
    assert said["scope"]["images"] == 200
    assert said["verdict"].startswith("a full ranking is defensible: strong > weak")
    assert [arm["n"] for arm in said["arms"]] == [4, 4]
    standing = json.loads(own("status", "--json").out)
    assert re.search('"complete": 4', json.dumps(standing)), standing

    assert own("export", "own.zip").code == 0
    store = ("--store", "elsewhere")
    answer = own.cli("import", "own.zip", *store)
    assert answer.code == 0, answer.err
    answer = own("run", *store, "--json")
    assert answer.code == 0, answer.err
    assert (json.loads(answer.out)["trained"], json.loads(answer.out)["skipped"]) == (0, 8)
    moved = json.loads(own("rank", *store, "--json").out)
    assert {name: moved[name] for name in ("arms", "pairs", "scope", "verdict")} == {
        name: said[name] for name in ("arms", "pairs", "scope", "verdict")
    }
    assert computed(own.place / "elsewhere") == computed(own.place / "mlruns")


def test_predictions_of_something_else_than_the_metric_are_left_aside(own: Own):
    """They are kept; but which items the metric is of, nobody knows."""
    code = ITEMS.replace("100 * float(np.mean(correct))", "50 + 10 * float(np.mean(correct))")
    own.write(code, ARMS, top='train = "mine:train"\nseeds = 3')
    assert own("run").code == 0
    answer = own("rank", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["scope"] is None


def test_altered_predictions_are_no_result(own: Own):
    own.write(ITEMS, ARMS, top='train = "mine:train"\nseeds = 3')
    assert own("run").code == 0
    path = own.folders()["weak/seed=0"].path / "predictions.csv"
    path.write_text(path.read_text().replace(",1\n", ",0\n", 1))
    answer = own("rank")
    assert answer.code == 3
    assert "predictions.csv is damaged, so nothing is ranked" in answer.err
    assert one_sentence(answer.err)


def test_a_study_is_tuned_and_then_run_until_it_is_decided(own: Own):
    """Trials see no test data, and their seeds are not those of the ranking."""
    own.write(
        ITEMS,
        """
        [arms.short]
        epochs = 1
        [arms.long]
        epochs = 2
        [tuning]
        metric = "val"
        direction = "maximize"
        trials = 3
        seeds_per_trial = 2
        [tuning.space]
        skill = { low = 0.1, high = 0.9 }
        """,
        top='train = "mine:train"',
    )
    answer = own("tune", "--json")
    assert answer.code == 0, answer.err
    for folder in own.folders("own.tuning").values():
        result = folder.result()
        assert "acc" not in result.metrics
        assert "predictions.csv" not in result.files
        assert folder.started().spec.seed >= 1_000_000
    again = json.loads(own("tune", "--json").out)
    assert again["variants"] == json.loads(answer.out)["variants"]
    best = {one["variant"]: one["best"]["fields"]["skill"] for one in again["variants"]}
    answer = own("run", "--tuned", "--until-decided", "--looks", "3,6", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["stopped"] in ("decided", "seeds")
    specs = [folder.started().spec for folder in own.folders().values()]
    assert len(specs) in (6, 12)
    assert {(spec.arm_name, spec.settings["skill"]) for spec in specs} == set(best.items())
    ranked = own("rank")
    assert ranked.code == 0, ranked.err
    assert "CONFIRMATORY" in ranked.out


def test_a_trial_that_is_no_number_where_it_would_pause_has_failed_alone(own: Own):
    own.write(
        """
        def train(run):
            value = float("nan") if run.settings["rate"] > 2 else float(run.rng("x").random())
            for epoch in range(run.settings["epochs"]):
                run.log(epoch, val=value)
                run.checkpoint(epoch)
            return {"val": value, "acc": 0.5}
        """,
        """
        [settings]
        epochs = 2
        rate = 1
        [tuning]
        metric = "val"
        direction = "maximize"
        trials = 4
        seeds_per_trial = 1
        pruner = "median"
        [tuning.space]
        rate = [1, 2, 3]
        """,
        top='train = "mine:train"',
    )
    answer = own("tune", "--json")
    assert answer.out, answer.err
    trials = json.loads(answer.out)["variants"][0]["trials"]
    states = {(trial["fields"]["rate"] > 2, trial["state"]) for trial in trials}
    assert states == {(False, "complete"), (True, "failed")}, answer.err
    assert {trial["reason"] for trial in trials} == {None, "it diverged"}
    assert answer.code == 0, "a trial that diverged is a result, as a run is"
    shown = own.command("tune", "show", "own", "--arm", "own")
    assert shown.code == 0, shown.err


def test_a_trial_that_failed_is_told_by_the_command_that_made_it(own: Own):
    own.write(
        """
        def train(run):
            if run.settings["rate"] > 1:
                raise OSError("gone")
            return {"val": 0.5, "acc": 0.5}
        """,
        """
        [settings]
        rate = 1
        [tuning]
        metric = "val"
        direction = "maximize"
        trials = 4
        seeds_per_trial = 1
        [tuning.space]
        rate = [1, 2]
        """,
        top='train = "mine:train"',
    )
    assert [own("tune", "--executor", "inline").code for _ in range(2)] == [1, 0]


def test_inline_leaves_the_threads_of_the_process_as_they_were(own: Own, monkeypatch):
    import torch

    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        own.write('def train(run):\n    return {"acc": run.threads}\n')
        assert own("run", "--executor", "inline", "--threads", "1").code == 0
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert os.environ["OMP_NUM_THREADS"] == "3"
    assert "MKL_NUM_THREADS" not in os.environ


def test_a_seed_without_effect_is_told_and_two_equal_results_are_not(own: Own):
    """Every seed of an arm the same: not runs. Two of several the same: chance, with few values."""
    own.write(
        """
        def train(run):
            if run.arm == "fixed":
                return {"acc": 0.5}
            return {"acc": [0.1, 0.2, 0.1][run.seed]}
        """,
        "[arms.fixed]\nlr = 1\n[arms.free]\nlr = 2",
        top='train = "mine:train"\nseeds = 3',
    )
    answer = own("run")
    assert answer.code == 0
    warning = ("all seeds of fixed, 0 and 1 among them, have the same metrics to the last bit: the "
               "seed may have no effect there")  # fmt: skip
    assert warning in answer.err
    assert "free" not in answer.err
    ranked = " ".join(own("rank").out.split())
    assert warning in ranked


def test_two_equal_seeds_are_no_sign_that_the_seed_has_no_effect(own: Own):
    own.write('def train(run):\n    return {"acc": 0.5}\n')
    answer = own("run", "--executor", "inline")
    assert (answer.code, "no effect" in answer.err) == (0, False)


def test_what_failed_before_the_time_was_up_is_told(own: Own):
    own.write(
        """
        import time
        def train(run):
            if run.seed == 0:
                raise OSError("gone")
            for step in range(10_000):
                time.sleep(0.1)
                run.log(step, loss=1.0)
        """,
        top='train = "mine:train"\nseeds = 3',
    )
    words = ("--until-decided", "--looks", "3", "--max-hours", "0.0008", "--executor", "inline")
    answer = own("run", *words)
    assert "The time is up" in answer.out
    assert answer.code == 1
    assert "own/seed=0 failed: OSError: gone" in answer.out
    told = json.loads(own("run", *words, "--json").out)
    assert [(one["variant"], one["seed"]) for one in told["failed"]] == [("own", 0)]


def test_a_long_text_agrees_with_what_mlflow_keeps_of_it(own: Own):
    long = "x" * 7000
    own.write('def train(run):\n    return {"acc": run.seed / 2}\n', f'[settings]\ntext = "{long}"')
    assert own("run", "--executor", "inline").code == 0
    answer = own("rank")
    assert answer.code == 0, answer.err
    assert "altered" not in answer.out + answer.err
    own.place.joinpath("mlruns", "runs").rename(own.place / "kept")
    answer = own("rank")
    assert answer.code == 0, answer.err


def test_tied_weights_and_single_numbers_are_kept_as_they_are(own: Own):
    from safetensors.numpy import load_file

    own.write(
        """
        import numpy as np
        import torch

        class Tied(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.embed, self.out = torch.nn.Embedding(4, 2), torch.nn.Linear(2, 4, bias=False)
                self.out.weight = self.embed.weight

        def train(run):
            run.model(Tied() if run.seed == 0 else {"scale": np.float32(2) * np.ones(())})
            return {"acc": 0.5}
        """
    )
    assert own("run", "--executor", "inline").code == 0, own.failures()
    tied, single = (
        load_file(own.folders()[f"own/seed={seed}"].path / "weights.safetensors") for seed in (0, 1)
    )
    assert (tied["embed.weight"] == tied["out.weight"]).all()
    assert single["scale"].shape == ()


def test_an_import_brings_what_was_accepted_of_the_code(own: Own):
    own.write('def train(run):\n    return {"acc": 0.5}\n')
    quick = ("--executor", "inline", "--seeds")
    assert own("run", *quick, "1", "--store", "b").code == 0
    assert own("run", *quick, "1-1").code == 0
    own.module('def train(run):\n    return {"acc": 0.50}\n')
    assert own("run", *quick, "1-1", "--accept-code").code == 0
    assert own.command("export", "own", "x.zip").code == 0
    assert own.command("import", "x.zip", "--store", "b").code == 0
    answer = own("run", *quick, "2", "--store", "b")
    assert answer.code == 0, answer.err


RESTLESS = """
def train(run):
    for step in range(4):
        run.log(step, x=run.seed + step)
        run.checkpoint(step)
        if step == 2 and not run.folder.path.joinpath("tried").exists():
            run.folder.path.joinpath("tried").touch()
            raise OSError("the network is gone")
    return {"acc": float(run.seed)}
"""


def test_who_never_calls_restore_begins_anew_and_is_told(own: Own):
    own.write(RESTLESS)
    assert own("run").code == 1
    answer = own("run")
    assert answer.code == 0, answer.err
    assert "began anew, because its training never calls restore()" in answer.err
    for folder in own.folders().values():
        assert [r.step for r in folder.journal()] == [0, 1, 2, 3]
        assert len(folder.result().notes) == 1


def test_selftest_finds_a_generator_that_the_run_does_not_seed(own: Own):
    own.write(
        """
        import random

        def train(run):
            if run.arm == "unseeded":
                return {"acc": random.random()}
            return {"acc": float(run.rng("x").random())}
        """,
        "[arms.unseeded]\nlr = 1\n[arms.seeded]\nlr = 2",
    )
    answer = own("selftest")
    assert answer.code == 3, (answer.out, answer.err)
    lines = " ".join(answer.out.split())
    assert "the same run gave other results (acc): its training draws from a generator" in lines
    assert "repetition of seeded" in lines
    assert "the same run gives the same results, to the last bit" in lines
    assert "Do not trust what own says" in lines
    assert not own.folders()  # it has run elsewhere


def test_several_at_once_in_workers_are_those_in_this_process(own: Own, monkeypatch):
    own.write(ITEMS, ARMS, top='train = "mine:train"\nseeds = 2')
    assert own("run", "--store", "one").code == 0
    monkeypatch.delenv("ATTNSTUDY_EXECUTOR")
    answer = own("run", "--workers", "2", "--store", "two")
    assert answer.code == 0, answer.err
    assert computed(own.place / "one") == computed(own.place / "two")


@pytest.mark.rest
def test_two_commands_at_the_same_time_train_each_run_once(own: Own, zygote, tmp_path):
    """Each calls the function where the other does not; a file counts the calls."""
    counted = tmp_path / "counted.txt"
    own.write(
        f"""
        import time

        def train(run):
            with open({str(counted)!r}, "a") as file:
                file.write(f"{{run.arm}}/seed={{run.seed}}\\n")
            time.sleep(0.05)
            return {{"acc": float(run.rng("x").random())}}
        """,
        ARMS,
        top='train = "mine:train"\nseeds = 6',
    )
    study = str(own.place / "studies" / "own" / "study.toml")
    words = ("run", study, "--store", str(own.place / "mlruns"), "--wait", "--json")
    ended = []

    def command(number: int) -> None:
        place = tmp_path / str(number)
        place.mkdir()
        ended.append(zygote.run(*words, cwd=place, env={"ATTNSTUDY_NO_FIGURES": "1"}))

    threads = [threading.Thread(target=command, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.code for one in ended] == [0, 0], [one.err for one in ended]
    calls = counted.read_text().splitlines()
    assert len(calls) == len(set(calls)) == 12
    answers = [json.loads(one.out) for one in ended]
    assert sum(answer["trained"] for answer in answers) == 12
    assert {len(runs) for runs in published(own.place / "mlruns").values()} == {1}


SLOW_CHANGE = """
from pathlib import Path

def train(run):
    path = Path(__file__)
    path.write_text(path.read_text() + "# changed while it runs\\n")
    return {"acc": float(run.rng("x").random())}
"""


def test_code_that_is_changed_while_the_command_runs_is_not_run(own: Own, monkeypatch):
    """The first run was of the code that was meant; the others would not be, and are refused."""
    own.write(SLOW_CHANGE, top='train = "mine:train"\nseeds = 3')
    answer = own("run")
    assert answer.code == 1
    failures = [folder.failure() for folder in own.folders().values()]
    assert len([one for one in failures if one is None]) == 1
    assert {one for one in failures if one} == {
        "the source of mine:train was changed while the command ran, or is another one on this "
        "machine: run the same command again"
    }
    answer = own("run")
    assert answer.code == 2  # and which code the first run is of stays known
    assert "made by other code, for mine.py changed since" in answer.err


def test_files_of_a_command_that_are_changed_while_it_runs_are_refused(own: Own):
    own.write(None, top="command = 'sh do.sh {seed}'\nseeds = 2")
    (own.place / "studies" / "own" / "do.sh").write_text(
        """echo >> do.sh; echo '{"acc": 1}' > "$ATTNSTUDY_RUN_DIR/metrics.json"\n"""
    )
    assert own("run").code == 1
    failures = [folder.failure() for folder in own.folders().values()]
    assert {one for one in failures if one} == {
        "the files of the command were changed while it ran, or are others on this machine: run "
        "the same command again"
    }


def test_a_module_called_as_one_that_is_installed_is_refused(own: Own):
    """Which of the two Python takes depends on what was imported before."""
    path = own.module(GOOD, "json")
    own.write(None, top='train = "json:train"')
    answer = own("run", "--dry-run")
    assert answer.code == 2, answer.out
    assert re.search(
        f"'json:train' is taken from .*, which is installed, and not from {path}: rename your",
        answer.err,
    )
    assert one_sentence(answer.err)


def test_a_package_with_relative_imports_is_followed(own: Own):
    """Files of a package belong to its code, those that nothing imports do not."""
    folder = own.place / "studies" / "own" / "pack"
    (folder / "deep").mkdir(parents=True)
    for name, code in {
        "__init__.py": "",
        "main.py": "from .deep.inner import value\nfrom . import beside\n\ndef train(run):\n"
                   "    return {'acc': value + float(run.rng('x').random())}\n",
        "beside.py": "import json\n",
        "deep/__init__.py": "",
        "deep/inner.py": "value = 1.0\n",
        "unused.py": "raise SystemExit\n",
    }.items():  # fmt: skip
        (folder / name).write_text(code)
    own.write(None, top='train = "pack.main:train"\nseeds = 1')
    answer = own("run")
    assert answer.code == 0, answer.err
    (folder / "unused.py").write_text("raise SystemExit(1)\n")
    assert own("run").code == 0
    (folder / "deep" / "inner.py").write_text("value = 2.0\n")
    answer = own("run")
    assert answer.code == 2
    for name in ("pack/main.py", "pack/deep/inner.py", "pack/beside.py"):
        assert name in answer.err


ENDLESS = """
import time

def train(run):
    begun = run.folder.path.joinpath("begun")
    begun.touch()
    while begun.exists():
        time.sleep(0.05)
"""


@pytest.mark.rest
def test_a_function_that_never_ends_is_ended_by_ctrl_c_twice(own: Own):
    """It never asks whether to stop: the first leaves it a minute, the second nothing."""
    own.write(ENDLESS, top='train = "mine:train"\nseeds = 1')
    environment = {k: v for k, v in os.environ.items() if k != "ATTNSTUDY_EXECUTOR"}
    child = subprocess.Popen(
        [sys.executable, "-m", "attnstudy", "run", "own"], env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    wait_for(lambda: list(own.place.glob("mlruns/runs/own/*/begun")), child)
    child.send_signal(signal.SIGINT)
    time.sleep(1)
    assert child.poll() is None  # it waits for a checkpoint
    child.send_signal(signal.SIGINT)
    try:
        _, errors = child.communicate(timeout=25)
    except subprocess.TimeoutExpired:  # a busy machine may take two for one
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=PATIENCE)
    assert child.returncode == 130, errors
    assert "Traceback" not in errors
    (folder,) = own.folders().values()
    assert not folder.claimed
    assert folder.status.value == "interrupted"


@pytest.mark.rest
def test_a_function_that_never_ends_is_ended_by_a_limit_of_hours(own: Own, zygote):
    own.write(ENDLESS, top='train = "mine:train"\nseeds = 3')
    words = ("run", "own", "--until-decided", "--looks", "3", "--max-hours", "0.002", "--json")
    ended = []
    thread = threading.Thread(
        target=lambda: ended.append(zygote.run(*words, cwd=own.place, env={})), daemon=True
    )
    thread.start()
    thread.join(PATIENCE)  # of it a minute of grace
    in_time = bool(ended)
    while thread.is_alive():  # not to be left behind
        for path in own.place.glob("mlruns/runs/own/*/begun"):
            path.unlink()
        thread.join(0.2)
    assert in_time
    assert json.loads(ended[0].out)["stopped"] == "hours"


INTERRUPTED = ITEMS.replace(
    "        run.checkpoint",
    "        if epoch == 1 and run.folder.path.parent.parent.parent.joinpath('stop').exists():\n"
    "            raise OSError('gone')\n        run.checkpoint",
)


@pytest.mark.rest
def test_an_unfinished_run_goes_on_elsewhere_to_the_same_bits(own: Own):
    own.write(INTERRUPTED, ARMS, top='train = "mine:train"\nseeds = 1')
    assert own("run", "--store", "whole").code == 0
    (own.place / "mlruns" / "stop").touch()
    assert own("run").code == 1
    answer = own("export", "own.zip", "--unfinished")
    assert answer.code == 0, answer.err
    assert own.cli("import", "own.zip", "--store", "elsewhere").code == 0
    answer = own("run", "--store", "elsewhere")
    assert answer.code == 0, answer.err
    assert computed(own.place / "elsewhere") == computed(own.place / "whole")

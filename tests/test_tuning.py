"""A search from the command line: what it trains, keeps, resumes and refuses."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from attnstudy import runs
from attnstudy.usecases.tuning import rounds as tuning_rounds
from attnstudy.usecases.tuning.results import best_configurations
from tests.stores import one_sentence
from tests.tuning import BOTH, SMALL, STORE_DIR, numbers, space, tune, tuned_folders

JOURNAL = Path("studies", "placement", "tuning.journal")


def test_a_search_trains_each_trial_once_and_keeps_out_of_the_study(cli, workplace):
    answer, found = tune(cli, *BOTH, "--trials", "3", "--seeds-per-trial", "2")
    assert answer.code == 0, answer.err
    assert (found["trained"], found["undelivered"], found["equal_budgets"]) == (6, 0, True)
    assert found["dashboard"] == f"optuna-dashboard {JOURNAL}"
    folders = {(f.started().spec.variant, f.started().spec.seed): [] for f in tuned_folders()}
    assert set(folders) == {(v, s) for v in ("vanilla", "late") for s in (1_000_000, 1_000_001)}
    results = {f.path.name: f for f in tuned_folders()}
    assert len(results) == 12
    for tuning in found["variants"]:
        assert [trial["state"] for trial in tuning["trials"]] == ["complete"] * 3
        assert tuning["budget"]["runs"] == 6
        assert tuning["budget"]["epochs"] == 6
        best = max(tuning["trials"], key=lambda trial: trial["value"])
        assert tuning["best"] == best
        for trial in tuning["trials"]:
            mine = [
                f.result()
                for f in tuned_folders()
                if (spec := f.started().spec).variant == tuning["variant"]
                and (spec.lr, spec.batch_size)
                == (trial["fields"]["lr"], trial["fields"]["batch_size"])
            ]
            assert trial["value"] == statistics.fmean(r.metrics["val_accuracy_final"] for r in mine)

    # nothing of it is a run of the study
    assert json.loads(cli("status", "--json").out)["studies"] == []
    assert cli("rank").code == 2
    assert cli("sync").out.startswith("0 runs delivered")

    # again: nothing to do; more trials add only the new ones
    stats = {name: f.path.joinpath("result.json").stat() for name, f in results.items()}
    _, again = tune(cli, *BOTH, "--trials", "3", "--seeds-per-trial", "2")
    assert again["trained"] == 0
    assert numbers(again) == numbers(found)
    _, more = tune(cli, *BOTH, "--trials", "4", "--seeds-per-trial", "2")
    assert more["trained"] == 2
    assert {v: trials[:3] for v, trials in numbers(more).items()} == numbers(found)
    for name, before in stats.items():
        after = results[name].path.joinpath("result.json").stat()
        assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)

    shown = json.loads(cli("tune", "show", "--json").out)
    assert numbers(shown) == numbers(more)
    text = cli("tune", "show").out
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "best so far" in text
    assert cli("tune", "show", "--variant", "late").out.count("sampler tpe") == 1


def test_the_result_of_a_run_says_nothing_of_test_images(cli, workplace):
    tune(cli, "--variant", "double", "--trials", "1", "--seeds-per-trial", "1")
    (folder,) = tuned_folders()
    result = folder.result()
    assert not {"test_accuracy", "test_loss"} & set(result.metrics)
    assert set(result.files) == {"journal.jsonl"}
    assert folder.started().dataset.test_images == 0
    assert {path.name for path in folder.path.iterdir()} == {
        "run.json", "journal.jsonl", "result.json", "lock",
    }  # fmt: skip


def test_the_best_configuration_is_there_for_other_use_cases(cli, workplace):
    space("channels = [[4, 4], [8, 4]]\nlr = {low = 1e-3, high = 1e-2, log = true}")
    _, found = tune(cli, *BOTH, "--trials", "2", "--seeds-per-trial", "1")
    best = best_configurations("placement", str(JOURNAL), STORE_DIR)
    assert list(best) == ["vanilla", "late"]
    for tuning in found["variants"]:
        mine = best[tuning["variant"]]
        assert mine.trial == tuning["best"]["number"]
        assert mine.value == tuning["best"]["value"]
        assert mine.fields["channels"] in ((4, 4), (8, 4))
        assert mine.fields["lr"] == tuning["best"]["fields"]["lr"]
        assert (mine.budget.trials, mine.budget.runs) == (2, 2)
        assert mine.tuning_seeds == (1_000_000,)
    tune(cli, "--variant", "late", "--trials", "3", "--seeds-per-trial", "1")
    after = best_configurations("placement", str(JOURNAL), STORE_DIR)
    assert after["vanilla"].identity == best["vanilla"].identity
    assert after["late"].identity != best["late"].identity
    assert "vanilla 2, late 3" in cli("tune", "show").out


def test_without_the_journal_it_is_made_anew_from_the_results(cli, workplace):
    _, first = tune(cli, *BOTH, "--trials", "3", "--seeds-per-trial", "1")
    before = {f.path.name: f.path.joinpath("result.json").stat() for f in tuned_folders()}
    JOURNAL.unlink()
    _, second = tune(cli, *BOTH, "--trials", "3", "--seeds-per-trial", "1")
    assert numbers(second) == numbers(first)
    after = {f.path.name: f.path.joinpath("result.json").stat() for f in tuned_folders()}
    assert {n: s.st_ino for n, s in after.items()} == {n: s.st_ino for n, s in before.items()}


class Killed(BaseException):
    """Stands for a kill, where what a process leaves behind is all that matters."""


@pytest.mark.parametrize(
    ("place", "pruner"),
    [
        ("tuning/asked", "none"),
        ("tuning/trained", "median"),
        pytest.param("tuning/trained", "wilcoxon", marks=pytest.mark.rest),
    ],
)
def test_interrupted_anywhere_the_trials_are_those_of_an_uninterrupted_search(
    place, pruner, cli, workplace, monkeypatch
):
    """A kill between asking and training, or between training and telling, in every round."""
    options = (*BOTH, "--pruner", pruner, "--trials", "2", "--epochs", "2",
               "--seeds-per-trial", "5" if pruner == "wilcoxon" else "2")  # fmt: skip
    _, whole = tune(cli, *options, "--store", "whole", "--storage", "whole.journal")

    for time in (1, 2):
        with monkeypatch.context() as patched:
            patched.setattr(tuning_rounds, "reach", killing(place, time))
            with pytest.raises(Killed):
                tune(cli, *options)
    _, resumed = tune(cli, *options)
    assert numbers(resumed) == numbers(whole)


def killing(place, time):
    """Return what kills at a place, when it is passed the n-th time."""
    passed = []

    def reach(name: str) -> None:
        if name == place:
            passed.append(name)
            if len(passed) == time:
                raise Killed

    return reach


def test_interrupted_after_some_seeds_only_the_others_are_trained(cli, workplace, monkeypatch):
    from attnstudy.running import jobs
    from attnstudy.running.dispatch import Dispatch

    options = ("--variant", "vanilla", "--trials", "1", "--seeds-per-trial", "3")
    trained = []

    events = Dispatch.events

    def interrupted(self, tasks, *, wait=False):
        kept = 0
        for event in events(self, tasks, wait=wait):
            yield event
            kept += isinstance(event.about, jobs.Kept)
            if kept == 2:
                raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Dispatch, "events", interrupted)
        with pytest.raises(Killed):
            tune(cli, *options)
    trained = {f.path.name: f.path.joinpath("result.json").stat() for f in tuned_folders()}  # type: ignore[assignment]
    assert len(trained) == 2
    _, found = tune(cli, *options)
    assert len(tuned_folders()) == 3
    assert len(found["variants"][0]["best"]["by_seed"]) == 3
    for name, stat in trained.items():  # type: ignore[attr-defined]
        (folder,) = (f for f in tuned_folders() if f.path.name == name)
        assert folder.path.joinpath("result.json").stat().st_ino == stat.st_ino


def test_the_median_of_the_others_stops_a_trial_between_its_epochs(cli, workplace):
    space("lr = [1e-9, 3e-3]")
    options = ("--variant", "vanilla", "--pruner", "median", "--trials", "9", "--epochs", "3",
               "--seeds-per-trial", "1", "--sampler", "random")  # fmt: skip
    answer, found = tune(cli, *options)
    assert answer.code == 0, answer.err
    (tuning,) = found["variants"]
    pruned = [trial for trial in tuning["trials"] if trial["state"] == "pruned"]
    assert pruned
    for trial in pruned:
        assert trial["fields"]["lr"] == 1e-9
        assert trial["value"] is None
        assert 1 <= trial["epochs"] < 3
    budget = tuning["budget"]
    assert budget["pruned"] == len(pruned)
    assert budget["pruned_epochs"] == sum(trial["epochs"] for trial in pruned)
    assert budget["epochs"] < 27
    complete = next(trial for trial in tuning["trials"] if trial["state"] == "complete")
    assert list(complete["steps"]) == ["1", "2", "3"]
    assert complete["steps"]["3"] == complete["value"]
    assert "stopped early after" in cli("tune", "show").out
    assert not list(STORE_DIR.rglob("checkpoint*.pt"))  # nobody goes on from there


def test_seed_by_seed_a_trial_is_stopped_that_is_worse_than_the_best(cli, workplace):
    space("lr = [1e-9, 3e-3]")
    options = ("--variant", "vanilla", "--pruner", "wilcoxon", "--trials", "6",
               "--seeds-per-trial", "6", "--sampler", "random")  # fmt: skip
    _, found = tune(cli, *options)
    (tuning,) = found["variants"]
    pruned = [trial for trial in tuning["trials"] if trial["state"] == "pruned"]
    assert pruned
    for trial in pruned:
        assert trial["fields"]["lr"] == 1e-9
        assert trial["runs"] in (4, 5)
    assert tuning["budget"]["runs"] == sum(trial["runs"] for trial in tuning["trials"])


def test_a_pause_changes_no_bit_of_a_training(cli, workplace):
    space("lr = [3e-3]")
    options = ("--variant", "double", "--trials", "1", "--seeds-per-trial", "1", "--epochs", "3")
    for pruner in ("none", "median"):
        tune(cli, *options, "--pruner", pruner, "--store", pruner, "--storage", f"{pruner}.journal")
    (plain,), (paused,) = (tuned_folders(Path(pruner)) for pruner in ("none", "median"))
    assert [r.values for r in paused.journal()] == [r.values for r in plain.journal()]
    final = "val_accuracy_final"
    assert paused.result().metrics[final] == plain.result().metrics[final]
    assert set(paused.pauses()) == {1, 2}


def test_a_seed_that_diverges_is_worth_what_guessing_is(cli, workplace):
    space("lr = [1e30]")
    answer, found = tune(cli, "--variant", "vanilla", "--trials", "1", "--seeds-per-trial", "2")
    assert answer.code == 0
    (trial,) = found["variants"][0]["trials"]
    assert (trial["state"], trial["value"]) == ("complete", 10.0)
    assert trial["diverged"] == [1_000_000, 1_000_001]


def test_a_trial_whose_factory_raises_fails_and_the_others_go_on(cli, workplace):
    Path("picky.py").write_text(
        "from torch import nn\n\n\n"
        "class Picky(nn.Sequential):\n"
        "    def forward(self, images):\n"
        "        if len(images) == 25:\n"
        "            raise RuntimeError('not twenty-five')\n"
        "        return super().forward(images)\n\n\n"
        "def make(attention, image_shape, num_classes):\n"
        "    c, h, w = image_shape\n"
        "    return Picky(nn.Flatten(), nn.Linear(c * h * w, num_classes))\n"
    )
    space("batch_size = [25, 40]")
    options = ("--variant", "picky:make", "--variant", "vanilla", "--trials", "4",
               "--seeds-per-trial", "1", "--sampler", "random")  # fmt: skip
    answer, found = tune(cli, *options)
    assert answer.code == 1, answer.err
    picky, vanilla = found["variants"]
    states = {(t["fields"]["batch_size"], t["state"]) for t in picky["trials"]}
    assert states == {(40, "complete"), (25, "failed")}
    assert {t["state"] for t in vanilla["trials"]} == {"complete"}
    failed = next(t for t in picky["trials"] if t["state"] == "failed")
    assert failed["reason"] == "seed 1000000: RuntimeError: not twenty-five"
    assert "not twenty-five" in cli("tune", *SMALL, *options).out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--trials", "0"], "--trials.*0 is not in the range"),
        (["--pruner", "wilcoxn"], "there is no pruner 'wilcoxn'.*did you mean 'wilcoxon'"),
        (["--sampler", "tpee"], "there is no sampler 'tpee'.*did you mean 'tpe'"),
        (["--pruner", "wilcoxon"], "give --seeds-per-trial 5 or more"),
        (["--pruner", "median"], "there is only one: leave it out"),
        (["--tuning-seeds", "2-4"], "seed 2 is one that the study 'placement' is ranked by"),
        (["--tuning-seeds", "7,8", "--seeds-per-trial", "3"], "names 2 seeds, and.*says 3"),
        (["--storage", "redis://x"], "cannot be a storage"),
        (["--study", "a.tuning"], "'a.tuning' cannot name a study: .tuning ends"),
        (["no-such-study"], "there is no study 'no-such-study'"),
        (["show"], "the study 'placement' was not tuned in studies/placement/tuning.journal"),
    ],
)
def test_what_makes_no_sense_gets_one_sentence_and_exit_2(arguments, sentence, cli, workplace):
    import re

    words = arguments if "show" in arguments else [*SMALL, *arguments]
    answer = cli("tune", *words)
    assert answer.code == 2, answer
    assert re.search(sentence, answer.err), answer.err
    assert answer.err.count("\n") == 1
    assert not (STORE_DIR / "runs").exists()


def test_an_impossible_space_is_refused_when_the_file_is_read(cli, workplace):
    space("lr = {low = 1.0, high = 0.1}")
    for command in ("tune", "run", "rank"):
        answer = cli(command, "placement")
        assert answer.code == 2
        assert "studies/placement/study.toml: [tuning.space] lr: low is 1.0" in answer.err
    space("lr = [1e-3]", more="[tuning]\ntrails = 3")
    assert "unknown key '[tuning] trails'; did you mean 'trials'" in cli("tune", "placement").err


def test_seeds_that_the_study_was_trained_with_are_not_tuned_with(cli, workplace):
    assert cli("run", *SMALL, "--variant", "vanilla", "--seeds", "9-9").code == 0
    answer = cli("tune", *SMALL, "--tuning-seeds", "9-9")
    assert answer.code == 2
    assert "seed 9 is one that the study 'placement' is ranked by" in answer.err


def test_another_design_in_the_same_place_is_refused(cli, workplace):
    options = ("--variant", "vanilla", "--trials", "1", "--seeds-per-trial", "1")
    tune(cli, *options)
    answer = cli("tune", *SMALL, *options, "--epochs", "2")
    assert answer.code == 2
    assert "was begun with --epochs 1, not 2" in answer.err
    assert cli("tune", *SMALL, *options, "--epochs", "2", "--storage", "other.journal").code == 0


def test_a_dry_run_tells_what_is_left_and_begins_nothing(cli, workplace):
    words = ("tune", *SMALL, *BOTH, "--trials", "3", "--seeds-per-trial", "2", "--dry-run")
    answer = cli(*words)
    assert answer.code == 0, answer.err
    assert not JOURNAL.exists()
    assert not (STORE_DIR / "runs").exists()
    assert re.search(r"^12 runs to train, ", answer.out, re.MULTILINE)
    assert max(map(len, answer.out.splitlines())) <= 100
    median = cli(*words, "--pruner", "median", "--epochs", "3")
    assert re.search(r"^At most 12 runs to train, ", median.out, re.MULTILINE)
    assert "varied: batch_size 32 or 64 or 128; lr " in answer.out
    tune(cli, "--variant", "late", "--trials", "2", "--seeds-per-trial", "2")
    left = json.loads(cli(*words, "--json").out)["variants"]
    assert [(one["variant"], one["ended"], one["to_do"]) for one in left] == [
        ("vanilla", 0, 3), ("late", 2, 1),
    ]  # fmt: skip
    answer = cli(*words, "--sampler-seed", "5")
    assert answer.code == 2
    assert "was begun with --sampler-seed 0, not 5" in one_sentence(answer.err)


def test_a_database_that_is_not_there_is_told_with_exit_3(cli, workplace):
    address = "postgresql+psycopg2://me:secret@127.0.0.1:9/optuna"
    answer = cli("tune", *SMALL, "--storage", address)
    assert answer.code == 3
    assert "does not answer" in answer.err
    assert "secret" not in answer.err
    assert answer.err.count("\n") == 1


def test_two_commands_on_one_search_are_one_too_many(cli, workplace):
    from filelock import FileLock

    options = ("--variant", "vanilla", "--trials", "1", "--seeds-per-trial", "1")
    folder = runs.study_folder(STORE_DIR, "placement.tuning")
    folder.mkdir(parents=True)
    for path in (folder / "tuning.lock", JOURNAL.with_name("tuning.journal.in-use")):
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path):
            answer = cli("tune", *SMALL, *options)
        assert answer.code == 3
        assert "another 'attnstudy tune' is at work on 'placement'" in answer.err
        assert answer.err.count("\n") == 1
    assert not tuned_folders()
    assert cli("tune", *SMALL, *options).code == 0


def test_in_processes_the_trials_are_those_of_one_process(cli, workplace):
    options = (*BOTH, "--trials", "2", "--seeds-per-trial", "2")
    _, one = tune(cli, *options)
    settings = [*SMALL[:-2], "--executor", "processes", "--workers", "2"]
    answer, several = tune(
        cli, *options, "--store", "several", "--storage", "several.journal", settings=settings
    )
    assert answer.code == 0, answer.err
    assert numbers(several) == numbers(one)


def test_prune_looks_through_a_tuning_too(cli, workplace):
    tune(cli, "--variant", "vanilla", "--trials", "1", "--seeds-per-trial", "1")
    (folder,) = tuned_folders()
    left = folder.path / ".result.json-0123456789abcdef"
    left.write_text("half")
    kept = {path for path in STORE_DIR.rglob("*") if path.is_file() and path != left}
    assert cli("prune", "--yes").code == 0
    assert not left.exists()
    assert {path for path in STORE_DIR.rglob("*") if path.is_file()} >= kept


def test_seeds_that_are_trained_together_pause_together(cli, workplace):
    space("lr = [3e-3]")
    options = ("--variant", "late", "--trials", "1", "--seeds-per-trial", "3", "--epochs", "3",
               "--fuse", "3", "--pruner", "median")  # fmt: skip
    answer, found = tune(cli, *options)
    assert answer.code == 0, answer.err
    (trial,) = found["variants"][0]["trials"]
    assert list(trial["steps"]) == ["1", "2", "3"]
    assert {f.result().environment["fused"] for f in tuned_folders()} == {"3"}
    assert all(set(f.pauses()) == {1, 2} for f in tuned_folders())


@pytest.mark.rest
def test_commands_that_search_nothing_do_not_load_optuna():
    code = (
        "import sys, attnstudy.render, attnstudy.running.run_study\n"
        "import attnstudy.trainings.placement.figures\n"
        "import attnstudy.trainings.placement.training_runs\n"
        "sys.exit('optuna' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

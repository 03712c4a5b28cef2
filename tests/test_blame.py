"""A value that makes no sense is put down to the place where it was written."""

from __future__ import annotations

import pytest

from attnstudy.trainings.registry import find
from tests.conftest import SMALL
from tests.stores import one_sentence
from tests.studies import write_study

BASE = 'variants = ["vanilla", "late"]\nseeds = "0-5"\ndataset = "digits"\n'
KEYS = {
    "": [
        ('variants = ["vanila"]', "variants: unknown variant 'vanila'"),
        ("variants = []", "variants is empty"),
        ('variants = ["late", "late"]', "variants: 'late' appears twice"),
        ('variants = ["late", 3]', "variants must be texts, not 3"),
        ('seeds = "5-1"', "seeds: the range 5-1"),
        ("seeds = [1, 1]", "seeds: seed 1 appears twice"),
        ("seeds = 0", "seeds: 0 seeds would train nothing"), ("seeds = []", "seeds: seeds ''"),
        ("train_size = 0", "train_size must be"), ("val_size = -1", "val_size must be"),
        ('attention = "spacial"', "attention must be one of"),
        ("channels = [1, 2, 3]", "channels must be a list of 2 whole"),
    ],
    "training": [
        ("epochs = 0", "epochs must be"), ("batch_size = -3", "batch_size must be"),
        ("lr = 0", "lr must be a number above 0, not 0"), ("lr = nan", "lr must be"),
        ('optimizer = "adma"', "optimizer must be one of"),
        ("weight_decay = -1", "weight_decay must be"),
        ('augmentation = "flop"', "augmentation must be one of"),
        ('precision = "fp8"', "precision must be one of"),
    ],
    "ranking": [
        ("margin = -1", "margin: '-1' is not a margin"), ("alpha = 0.7", "alpha: '0.7' is not"),
        ('correction = "bonf"', "unknown correction 'bonf'"),
        ('control = "early"', "the control 'early' is no arm"),
        ('metric = "acc"', "a run has no metric 'acc'"), ("looks = [5, 3]", "looks: '5,3' are no"),
        ("looks = []", "looks: '' are no looks"), ('looks = [3, "a"]', "looks: '3,a' are no"),
        ("paired = true\nlooks = [3, 6]", "sequential looks are defined for Games-Howell alone"),
        ('correction = "holm"\nlooks = [3, 6]', "sequential looks are defined"),
    ],
    "run": [
        ("workers = 0", "workers: '0' is not"), ("fuse = 0", "fuse: '0' is not"),
        ("threads = 0", "threads: 0 is not"), ('device = "gpu"', "device: 'gpu' is not one of"),
        ('executor = "slurm"', "executor: 'slurm' is not"),
        ('address = "x y"', "address: 'x y' is"),
        ("cpus_per_run = 0", "cpus_per_run: '0' is"), ("gpus_per_run = 1.5", "gpus_per_run: '1.5'"),
    ],
    "tuning": [
        ("trials = 0", "trials: 0 is not"), ("seeds_per_trial = 0", "seeds_per_trial: 0 is not"),
        ('tuning_seeds = "x"', "tuning_seeds: seeds 'x'"),
        ("sampler_seed = -1", "sampler_seed: -1"),
        ('pruner = "nona"', "pruner: there is no pruner 'nona'"),
        ('sampler = "tp"', "sampler: there is no sampler 'tp'"),
    ],
    "arms.x": [
        ('variant = "late"\nepochs = 0', "epochs must be"),
        ('variant = "lat"', "unknown variant 'lat'"),
        ('variant = "late"\noptimizer = "sdg"', "optimizer must be one of"),
        ('variant = "late"\nchannels = [1]', "channels must be"),
        ("epochs = 3", "names no variant"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("table", "line", "said"),
    [(table, line, said) for table, lines in KEYS.items() for line, said in lines],
)
def test_the_key_of_the_file_is_named_and_no_option(table, line, said, cli, workplace, monkeypatch):
    monkeypatch.delenv("ATTNSTUDY_EXECUTOR", raising=False)  # goes before the file
    base = "" if not table else BASE
    path = write_study(workplace, "bad", f"{base}{f'[{table}]' if table else ''}\n{line}\n")
    answer = cli("study", "check", "bad")
    assert answer.code == 2, answer
    where = f"{path.relative_to(workplace)}: " + (f"[{table}] " if table else "")
    assert answer.err.startswith(f"Error: {where}{said}"), answer.err
    assert "--" not in answer.err
    assert answer.err.count("\n") == 1


def test_seeds_of_the_file_are_blamed_where_the_looks_need_more(cli, workplace):
    path = write_study(workplace, "bad", f"{BASE}[ranking]\nlooks = [5, 10]\n")
    said = cli("study", "check", "bad").err
    where = path.relative_to(workplace)
    assert f"{where}: seeds names 6 seeds (0-5), and the last look needs 10" in said
    assert "--seeds" not in said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MARGIN", "-1", ": '-1' is not a margin"), ("ALPHA", "x", ": 'x' is not an error rate"),
        ("SEEDS", "a", ": seeds 'a' are not"), ("LOOKS", "1,2", ": '1,2' are no looks"),
        ("EPOCHS", "0", " must be"), ("LR", "-1", " must be"), ("WORKERS", "0", ": '0' is not"),
        ("DEVICE", "gpu", ": 'gpu' is not one of"), ("VARIANT", "vanila", ": unknown variant"),
        ("CHANNELS", "1", " must be a list of 2"), ("UNTIL_DECIDED", "maybe", ": 'maybe' is not"),
    ],
)  # fmt: skip
def test_the_variable_of_the_environment_is_named(name, value, said, cli, workplace):
    write_study(workplace, "good", BASE)
    answer = cli("study", "check", "good", env={f"ATTNSTUDY_{name}": value})
    assert answer.code == 2, answer
    assert answer.err.startswith(f"Error: ATTNSTUDY_{name}{said}"), answer.err


@pytest.mark.parametrize(
    ("env", "arguments", "said"),
    [
        ({"MAX_SEEDS": "5"}, (), "ATTNSTUDY_MAX_SEEDS goes with --until-decided"),
        ({}, ("--max-seeds", "5"), "--max-seeds goes with --until-decided"),
        ({"ADDRESS": "host:1"}, (), "ATTNSTUDY_ADDRESS goes with --executor ray"),
        ({"MAX_SEEDS": "2"}, ("--until-decided",), "ATTNSTUDY_MAX_SEEDS is 2: the first look"),
        ({}, ("--epochs", "0"), "Error: --epochs must be"),
    ],
)
def test_an_option_is_blamed_only_where_it_was_typed(env, arguments, said, cli, workplace):
    write_study(workplace, "good", BASE)
    variables = {f"ATTNSTUDY_{name}": value for name, value in env.items()}
    answer = cli("study", "check", "good", *arguments, env=variables)
    assert answer.code == 2, answer
    assert said in answer.err


def test_rank_blames_the_file_and_the_environment_too(cli, workplace):
    path = write_study(workplace, "bad", f"{BASE}[ranking]\nmargin = -1\n")
    assert f"{path.relative_to(workplace)}: [ranking] margin: '-1'" in cli("rank", "bad").err
    said = cli("rank", "--experiment", "e", env={"ATTNSTUDY_FROM": "x.csv"}).err
    assert "--experiment and ATTNSTUDY_FROM name two things to rank" in said


def test_a_good_file_is_called_that(cli, workplace):
    write_study(workplace, "good", 'variants = ["late"]\nseeds = 1\n[tuning]\ntrials = 3\n')
    said = cli("study", "check", "good").out.splitlines()
    assert said[0] == "good: fine, 1 arm x 1 seed = 1 run"
    assert said[1:] == list(find(None).promises)


def test_code_is_accepted_where_there_is_code_of_ones_own(cli, workplace):
    answer = cli("run", *SMALL, "--variant", "late", "--seeds", "1", "--accept-code")
    assert answer.code == 2
    assert "--accept-code is for a study with a training of its own" in one_sentence(answer.err)

"""``rank`` on MLflow experiments that attnstudy did not make."""

from __future__ import annotations

import json
import math
import re
import shutil
import statistics
import time
from dataclasses import replace
from pathlib import Path

import pytest

from attnstudy import stats
from attnstudy.tables.headings import is_fold
from attnstudy.tables.seeds import whole_seed
from attnstudy.tables.words import alike, left_out, read_as
from attnstudy.tracking import resolve
from attnstudy.usecases.sources import ExperimentRequest, collect_experiment

VALUES = {
    "vanilla": [59.77, 60.81, 57.70, 59.77],
    "early": [59.39, 61.11, 60.81, 60.79],
    "late": [58.11, 61.62, 60.21, 61.46],
    "double": [67.7, 62.88, 61.76, 62.41],
}


@pytest.fixture
def foreign(workplace):
    """An experiment logged by plain MLflow code, without any tag of ours."""
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{workplace / 'mlruns' / 'mlflow.db'}")
    mlflow.create_experiment("theirs", (workplace / "artifacts").as_uri())
    mlflow.set_experiment("theirs")

    def log(model, seed, value, **params):
        with mlflow.start_run(run_name=f"{model}-{seed}"):
            mlflow.log_params({"model": model, "seed": seed, "lr": 0.1, **params})
            if value is not None:
                mlflow.log_metric("val_acc", value)

    for model, values in VALUES.items():
        for seed, value in enumerate(values):
            log(model, seed, value / 100)
    return log


def test_an_experiment_of_somebody_else_ranks_by_a_param(foreign, cli):
    bare = ("rank", "--experiment", "theirs", "--by", "params.model", "--metric", "val_acc")
    base = (*bare, "--seed-by", "params.seed")
    answer = cli(*base, "--json")
    assert answer.code == 0, answer.err
    result = json.loads(answer.out)
    expected = stats.rank({name: [v / 100 for v in own] for name, own in VALUES.items()},
                          metric="val_acc")  # fmt: skip
    assert [arm["variant"] for arm in result["arms"]] == [arm.name for arm in expected.arms]
    assert result["pairs"][0]["p_adjusted"] == pytest.approx(expected.pairs[0].p_adjusted)
    assert result["unit"] == ""
    assert "percent" not in answer.out
    assert "test images" not in answer.out
    lower = json.loads(cli(*base, "--direction", "minimize", "--json").out)
    assert lower["arms"][0]["variant"] == "vanilla"
    filtered = json.loads(cli(*base, "--filter", "params.model != 'double'", "--json").out)
    assert len(filtered["arms"]) == 3
    chosen = cli(*base, "--filter", "params.model != 'x' and metrics.`val_acc` > 0.1")
    assert chosen.code == 2
    assert "chooses runs by val_acc, the result that is ranked" in chosen.err

    foreign("double", 9, None)
    excluded = json.loads(cli(*base, "--json").out)["excluded"]
    assert excluded == [{"run": "double-9", "reason": "it has no metric val_acc"}]

    # an infinity comes back from the store as the largest double
    foreign("vanilla", 11, float("nan"))
    foreign("vanilla", 12, float("inf"))
    diverged = json.loads(cli(*base, "--json").out)
    assert {arm["variant"]: (arm["n"], arm["diverged"]) for arm in diverged["arms"]} == {
        "double": (4, 0), "early": (4, 0), "late": (4, 0), "vanilla": (4, 2),
    }  # fmt: skip
    assert len(diverged["excluded"]) == 1
    foreign("double", 10, 0.5, lr=0.2)
    refused = cli(*base)
    assert refused.code == 2
    assert "lr: 0.1 in 18 runs, 0.2 in 1 run" in refused.err
    assert "seed:" not in refused.err
    assert "seed: 0 in 4 runs" in cli(*bare).err  # one more difference, unless it is named
    allowed = cli(*base, "--allow-differences", "lr", "--json")
    assert allowed.code == 0
    notes = json.loads(allowed.out)["notes"]
    assert any(note.startswith("allowed to differ between runs: lr") for note in notes)
    foreign("double", 10, 0.5, lr=0.1)
    twice = cli(*base, "--allow-differences", "lr")
    assert twice.code == 2
    assert "two finished runs with params.seed 10" in twice.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--experiment", "thiers", "--by", "params.model", "--metric", "val_acc"), "did you mean"),
        (("--experiment", "theirs", "--by", "model", "--metric", "val_acc"), "write params.NAME"),
        (("--experiment", "theirs", "--by", "params.modle", "--metric", "val_acc"), "params.modle"),
        (("--experiment", "theirs", "--by", "params.model", "--metric", "acc"), "(there: val_acc)"),
        (
            ("--experiment", "theirs", "--by", "params.model", "--metric", "val_acc",
             "--seed-by", "params.model"),
            "not a whole number",
        ),
        (
            ("--experiment", "theirs", "--by", "params.model", "--metric", "val_acc",
             "--filter", "nonsense ("),
            "is not understood",
        ),
    ],
)  # fmt: skip
def test_wrong_names_of_an_experiment_get_one_sentence(arguments, sentence, foreign, cli):
    answer = cli("rank", *arguments)
    assert answer.code == 2, answer
    assert sentence in answer.err
    assert answer.err.count("\n") == 1


# What a benchmark of optimizers logs: for each setting a run of its own, with the mean of the
# seeds below it, and below it a run for each seed with a curve. Seeds are written as the loop that
# made them had them.
OPTIMIZERS = {"sgd": ("0", "1", "2"), "momentum": ("0.0", "1.0", "2.0"), "adam": (" 0", "1e0", "2")}
EPOCHS = 4


def accuracy(optimizer, seed, epoch):
    """A curve that is best before its end, by other epochs for validation and test."""
    base = {"sgd": 0.80, "momentum": 0.86, "adam": 0.83}[optimizer]
    return base + 0.01 * seed - 0.01 * (epoch - 2) ** 2 + 0.001 * (seed * epoch % 3)


def validation(optimizer, seed, epoch):
    return accuracy(optimizer, seed, (epoch + 1) % EPOCHS)


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory, template_store):
    """A store that plain MLflow code filled; it is only read."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    place = tmp_path_factory.mktemp("benchmark")
    shutil.copy(template_store / "mlflow.db", place / "mlflow.db")
    client = MlflowClient(f"sqlite:///{place / 'mlflow.db'}")
    now = int(time.time() * 1000)

    def log(experiment, name, params, *, parent=None, status="FINISHED", curves=(), tags=()):
        given = {"mlflow.runName": name, **dict(tags)}
        if parent is not None:
            given["mlflow.parentRunId"] = parent
        run_id = client.create_run(experiment).info.run_id
        client.log_batch(
            run_id,
            [
                Metric(metric, value, now + number, step)
                for metric, points in dict(curves).items()
                for number, (step, value) in enumerate(points)
            ],
            [Param(key, str(value)) for key, value in params.items()],
            [RunTag(key, str(value)) for key, value in given.items()],
        )
        if status != "RUNNING":
            client.set_terminated(run_id, status)
        return run_id

    def curve(of, optimizer, seed):
        return [(epoch, of(optimizer, seed, epoch)) for epoch in range(EPOCHS)]

    first = client.create_experiment("mnist_mlp")
    sweep = log(first, "sweep", {"optimizer": "sgd"}, curves={"test_acc": [(0, 0.99)]})
    for optimizer, seeds in OPTIMIZERS.items():
        mean = statistics.mean(accuracy(optimizer, seed, EPOCHS - 1) for seed in range(3))
        parent = log(first, f"{optimizer} all", {"optimizer": optimizer},
                     parent=sweep, curves={"test_acc": [(0, mean)]})  # fmt: skip
        for number, seed in enumerate(seeds):
            log(
                first, f"{optimizer} {number}", {"optimizer": optimizer, "seed": seed},
                parent=parent,
                curves={
                    "test_acc": curve(accuracy, optimizer, number),
                    "valid_acc": curve(validation, optimizer, number),
                },
                tags={"seed": f"seed_{number}", "fold": number},
            )  # fmt: skip
    other = {"optimizer": "sgd", "seed": 7}
    log(first, "died", other, status="FAILED", curves={"test_acc": [(0, 0.1)]})
    log(first, "killed", {**other, "seed": 8}, status="KILLED")
    log(first, "running", {**other, "seed": 9}, status="RUNNING", curves={"test_acc": [(0, 0.2)]})
    blown = [(0, 0.5), (1, math.nan)]
    log(
        first, "blew up", {**other, "seed": 10}, curves={"test_acc": blown, "valid_acc": blown}
    )  # fmt: skip
    log(first, "forgot", {**other, "seed": 11})
    log(first, "notes", {"seed": 12}, curves={"test_acc": [(0, 0.3)]})
    second = client.create_experiment("mnist_mlp again")
    for optimizer in ("sgd", "adam"):
        for seed in (3, 4):  # type: ignore[assignment]
            log(second, f"{optimizer} {seed}", {"optimizer": optimizer, "seed": seed},
                curves={"test_acc": [(0, 0.9), (0, accuracy(optimizer, seed, 3))]})  # fmt: skip
    third = client.create_experiment("spellings")
    for name in ("ResNet", "resnet", "vgg"):
        for number, width in enumerate((32, 64) * 2):
            log(third, f"{name} {number}", {"model": name, "width": width, "cv_fold": number},
                curves={"loss": [(100, len(name) + number / 10)]})  # fmt: skip
    return place


@pytest.fixture
def ranked(benchmark, cli, workplace):
    """Rank the benchmark by optimizer."""

    def rank(*arguments, code=0, experiment="mnist_mlp", by="params.optimizer", metric="test_acc"):
        answer = cli(
            "rank", "--tracking-uri", f"sqlite:///{benchmark / 'mlflow.db'}",
            "--experiment", experiment, "--by", by, "--metric", metric, "--json", *arguments,
        )  # fmt: skip
        assert answer.code == code, answer
        if code:
            assert answer.err.count("\n") == 1 or "differ in more than" in answer.err
            return answer.err
        return json.loads(answer.out)

    return rank


SEEDS = ("--seed-by", "params.seed")


def values(result):
    return {
        arm["variant"]: dict(zip(arm["seeds"], arm["values"], strict=True))
        for arm in result["arms"]
    }


def curves(of=accuracy, epoch=EPOCHS - 1):
    return {
        optimizer: pytest.approx({seed: of(optimizer, seed, epoch) for seed in range(3)})
        for optimizer in OPTIMIZERS
    }


def test_a_benchmark_of_optimizers_is_read_rightly(ranked):
    result = ranked(*SEEDS)
    assert values(result) == curves()
    assert {arm["variant"]: arm["diverged"] for arm in result["arms"]} == {
        "sgd": 1, "momentum": 0, "adam": 0,
    }  # fmt: skip
    reasons = {left["run"]: left["reason"] for left in result["excluded"]}
    assert reasons == {
        "died": "its status is FAILED",
        "killed": "its status is KILLED",
        "running": "its status is RUNNING",
        "forgot": "it has no metric test_acc",
        "notes": "it has no params.optimizer",
        **{f"{name} all": f"it is the parent of runs that count, such as {name} 0"
           for name in OPTIMIZERS},
        "sweep": "it is the parent of runs that count, such as sgd 0",
    }  # fmt: skip
    source = result["source"]
    assert source["name"] == "experiment mnist_mlp"
    assert source["read_as"] == (
        "3 arms (params.optimizer: sgd, momentum, adam) × 3 to 4 seeds (params.seed), metric "
        "test_acc at the last step"
    )
    assert (source["by"], source["seed_by"]) == (["params.optimizer"], "params.seed")
    assert source["left_out"] == [
        "1 run whose status is FAILED (died)",
        "1 run whose status is KILLED (killed)",
        "1 run whose status is RUNNING (running)",
        "1 run without the metric test_acc (forgot)",
        "1 run without params.optimizer (notes)",
        "4 runs above others that count (sweep, sgd all, momentum all and 1 more)",
    ]
    assert (
        "test_acc has several steps: the last counts (from step 1 to 3 by run); --at says otherwise"
        in result["notes"]
    )


def test_how_it_was_read_stands_in_every_form(benchmark, cli, workplace):
    words = (
        "experiment mnist_mlp: read as 3 arms (params.optimizer: sgd, momentum, adam) × 3 to 4 "
        "seeds (params.seed), metric test_acc at the last step; left out: 1 run whose status is"
    )
    for form, spelled in (
        ("text", words),
        ("html", words),
        ("markdown", words.replace("_", "\\_")),
    ):
        answer = cli(
            "rank", "--tracking-uri", f"sqlite:///{benchmark / 'mlflow.db'}", "--format", form,
            "--experiment", "mnist_mlp", "--by", "params.optimizer", "--metric", "test_acc",
            *SEEDS,
        )  # fmt: skip
        assert answer.code == 0, answer
        assert spelled in " ".join(answer.out.split())
        if form == "text":
            assert answer.out.splitlines()[1].startswith("experiment mnist_mlp: read as 3 arms")


def test_seeds_as_labels_in_tags_are_the_same_numbers(ranked):
    result = ranked("--seed-by", "tags.seed", "--filter", "tags.seed LIKE 'seed_%'",
                    "--allow-differences", "seed")  # fmt: skip
    assert values(result) == curves()


def test_the_point_of_a_curve(ranked):
    assert values(ranked(*SEEDS, "--at", "step=1"))["adam"] == curves(epoch=1)["adam"]
    finite = ("--filter", "attributes.run_name != 'blew up'")
    chosen = ranked(*SEEDS, *finite, "--at", "best", "--of", "valid_acc")
    for optimizer in OPTIMIZERS:
        for seed in range(3):
            steps = range(EPOCHS)
            best = max(steps, key=lambda step: validation(optimizer, seed, step))
            assert values(chosen)[optimizer][seed] == pytest.approx(accuracy(optimizer, seed, best))
    assert "metric test_acc at the step where valid_acc is best" in chosen["source"]["read_as"]
    assert not [flag for flag in chosen["flags"] if flag["kind"] == "best-epoch"]

    itself = ranked(*SEEDS, *finite, "--at", "best", "--of", "test_acc")
    assert values(itself)["sgd"][0] == pytest.approx(0.80)
    (flag,) = [flag for flag in itself["flags"] if flag["kind"] == "best-epoch"]
    assert flag["variant"] is None
    assert flag["message"].startswith("every run reports its best epoch, chosen by the ranked")
    worst = ranked(*SEEDS, *finite, "--at", "best", "--of", "test_acc", "--direction", "minimize")
    assert values(worst)["sgd"][0] == pytest.approx(0.76)

    far = ranked(*SEEDS, "--at", "step=3")
    assert {"run": "blew up", "reason": "it has no test_acc at step 3"} in far["excluded"]
    assert "step 77" in ranked(*SEEDS, "--at", "step=77", code=2)
    assert "no run has a metric 'valid_ac'; did you mean" in ranked(
        *SEEDS, "--at", "best", "--of", "valid_ac", code=2
    )


def test_what_a_missing_value_means(ranked):
    def diverged(result):
        return {arm["variant"]: arm["diverged"] for arm in result["arms"]}["sgd"]

    every = ranked(*SEEDS, "--missing", "diverged")
    assert diverged(every) == 2  # "blew up" and "forgot"; "died" has a value of a run that ended
    absent = ranked(*SEEDS, "--missing", "absent")
    assert diverged(absent) == 0
    assert {"run": "blew up", "reason": "its test_acc is not finite"} in absent["excluded"]
    said = ranked(*SEEDS, "--missing", "refuse", code=3)
    assert "the run died has no finite test_acc, as its status is FAILED, and 4 more" in said
    whole = ("--filter", "attributes.status = 'FINISHED' and attributes.run_name LIKE '% %'",
             "--filter", "attributes.run_name != 'blew up'")  # fmt: skip
    assert values(ranked(*SEEDS, *whole, "--missing", "refuse")) == curves()


def test_several_experiments_are_read_together(ranked):
    two = (*SEEDS, "--experiment", "mnist_mlp again")
    assert "experiment: mnist_mlp in 10 runs, mnist_mlp again in 4 runs" in ranked(*two, code=2)
    together = ranked(*two, "--allow-differences", "experiment")
    assert {name: len(own) for name, own in values(together).items()} == {
        "sgd": 5, "momentum": 3, "adam": 5,
    }  # fmt: skip
    # of two values at one step, the one that was logged last
    assert values(together)["sgd"][3] == pytest.approx(accuracy("sgd", 3, 3))
    assert together["source"]["name"] == "experiments mnist_mlp, mnist_mlp again"
    assert together["study"] is None
    apart = ranked(*two, by="params.optimizer,experiment")
    assert set(values(apart)) == {
        "sgd / mnist_mlp", "momentum / mnist_mlp", "adam / mnist_mlp", "sgd / mnist_mlp again",
        "adam / mnist_mlp again",
    }  # fmt: skip
    alone = ranked(*two, by="experiment", code=2)
    assert "optimizer: " in alone
    assert "numbers no repetitions" in ranked("--seed-by", "experiment", code=2)
    logged = ranked(*two, "--allow-differences", "experiment", "--log", code=2)
    assert "several experiments have no common one" in logged


def test_names_folds_and_several_fields(ranked, benchmark):
    spelled = {"experiment": "spellings", "by": "params.model, params.width", "metric": "loss"}
    result = ranked("--seed-by", "params.cv_fold", **spelled)
    assert {arm["variant"] for arm in result["arms"]} >= {"ResNet / 32", "resnet / 64", "vgg / 32"}
    assert result["source"]["read_as"] == (
        "6 arms (params.model, params.width: ResNet / 32, ResNet / 64, resnet / 32, resnet / 64, "
        "vgg / 32, vgg / 64) × 2 folds (params.cv_fold), metric loss"
    )  # a step of 100 alone makes no curve
    assert [note for note in result["notes"] if "differ in case" in note] == [
        f"'ResNet / {width}' and 'resnet / {width}' differ in case or blanks only and are ranked "
        "as 2 arms; if they are one, give them one name"
        for width in (32, 64)
    ]
    request = ExperimentRequest(
        experiments=("spellings",), by=("params.model", "params.width"), metric="loss",
        direction=None, seed_by="params.cv_fold", allowed=(), items=None,
        address=resolve(benchmark, f"sqlite:///{benchmark / 'mlflow.db'}"),
    )  # fmt: skip
    assert collect_experiment(request).folds == "params.cv_fold"
    by_seed = replace(request, seed_by=None, allowed=("cv_fold",))
    assert collect_experiment(by_seed).folds is None
    narrow = ("--filter", "params.width = '32'", "--filter", "params.model != 'vgg'")
    one = {**spelled, "by": "params.model"}
    without = ranked(*narrow, "--allow-differences", "cv_fold", **one)
    assert without["source"]["read_as"] == (
        "2 arms (params.model: ResNet, resnet), 2 runs each, metric loss"
    )


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0", 0), ("0.0", 0), (0, 0), (0.0, 0), (" 3 ", 3), ("1e3", 1000), ("-1", -1), ("007", 7),
        ("123456789012345678", 123456789012345678), (2**60 + 1, 2**60 + 1), ("seed_3", 3),
        ("seed=3", 3), ("run 4", 4), ("s0", 0), ("fold2", 2), ("#5", 5), ("Lauf 3", 3),
        ("Seed-12", 12), ("resnet18", None), ("0.5", None), (0.5, None), ("nan", None),
        (math.inf, None), ("1_000", None), ("", None), ("seed", None), (None, None), (True, None),
        ("1e999999999", None), ("1e-999999999", None), ("3.0000000000000000001", None),
    ],
)  # fmt: skip
def test_the_number_of_a_seed(written, number):
    assert whole_seed(written) == number


def test_numbers_of_numpy_are_seeds_too():
    import numpy as np

    assert [whole_seed(x) for x in (np.int64(3), np.float32(3), np.float64(3.5))] == [3, 3, None]


def test_headings_of_folds():
    for heading in ("fold", "Folds", "cv", "cv_fold", "kfold", "k-fold", "Falte", "pli",
                    "pliegue", "outer_fold", "fold_id"):  # fmt: skip
        assert is_fold(heading), heading
    for heading in ("seed", "n_folds", "cv_accuracy", "split", "manifold", ""):
        assert not is_fold(heading), heading
    assert is_fold("split", ["0", "1"])
    assert not is_fold("split", ["train", "1"])


def test_words_of_how_results_were_read():
    assert alike(["a", "A", "b ", "b", "c"]) == (
        "'a' and 'A' differ in case or blanks only and are ranked as 2 arms; if they are one, "
        "give them one name",
        "'b ' and 'b' differ in case or blanks only and are ranked as 2 arms; if they are one, "
        "give them one name",
    )
    assert alike(["a", "b", "a"]) == ()
    nine = {f"m{i}": 1 for i in range(9)}
    assert read_as(nine, by="column model", metric="acc", seed_by="column seed") == (
        "9 arms (column model: m0, m1, m2, m3, m4, m5 and 3 more) × 1 seed (column seed), metric "
        "acc"
    )
    assert left_out({"without acc": ["a", "b", "c", "d"]}, "row") == (
        "4 rows without acc (a, b, c and 1 more)",
    )


ALLOW = "--allow-differences"


@pytest.mark.parametrize(
    ("tags", "asked"),
    [
        ({"dataset": "{task}", "fold": "{seed}"}, "tags.dataset: cifar in 8 runs"),
        ({"fold": "{run}"}, "tags.fold: 0 in 2 runs"),
        ({"note": "{arm} {run}", "host": "{task}", "run": "{run}", "team": "red"}, ""),
    ],
)
def test_tags_that_part_the_runs_of_an_arm_are_asked_about(
    cli, workplace, template_store, tags, asked
):
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    client = MlflowClient(f"sqlite:///{Path('mlruns/mlflow.db').resolve()}")
    number = client.create_experiment("tagged")
    runs = [(arm, task, seed) for arm in "ab" for task in ("cifar", "svhn") for seed in range(4)]
    for place, (arm, task, seed) in enumerate(runs):
        run_id = client.create_run(number).info.run_id
        said = {"arm": arm, "task": task, "seed": seed, "run": place % 8}
        client.log_batch(
            run_id,
            [Metric("acc", 90 + (arm == "b") + place / 70, 0, 0)],
            [Param("model", arm)],
            [RunTag(name, text.format(**said)) for name, text in tags.items()],
        )
        client.set_terminated(run_id)
    words = ("rank", "--experiment", "tagged", "--by", "params.model", "--metric", "acc")
    answer = cli(*words)
    assert answer.code == (2 if asked else 0), answer.err
    assert asked in answer.err
    if asked:
        allowed = [w for name in re.findall(r"tags\.\w+", answer.err) for w in (ALLOW, name)]
        assert cli(*words, *allowed).code == 0

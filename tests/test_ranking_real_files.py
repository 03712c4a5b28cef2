"""Files as trackers, loggers, libraries and papers write them: ranked rightly, or refused."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import tukey_hsd

RESULTS = {
    "none": [68.1, 69.0, 68.4, 68.7, 68.2],
    "late": [71.2, 70.8, 71.5, 71.0, 71.3],
    "early": [70.1, 70.9, 70.3, 69.8, 70.6],
}
RUNS = [(arm, seed, value) for arm, of in RESULTS.items() for seed, value in enumerate(of)]


@pytest.fixture
def ranked(cli, workplace):
    def rank(*arguments):
        answer = cli("rank", *arguments, "--json")
        assert answer.code == 0, answer
        return json.loads(answer.out)

    return rank


@pytest.fixture
def refused(cli, workplace):
    def rank(*arguments):
        answer = cli("rank", *arguments)
        assert answer.code in (2, 3), answer
        assert answer.err.count("\n") == 1
        return answer.err

    return rank


def is_right(result, scale=1.0, results=RESULTS):
    """Whether arms, runs, differences and p-values are those of the numbers that were written."""
    assert {arm["variant"]: arm["n"] for arm in result["arms"]} == {
        name: len(values) for name, values in results.items()
    }
    names = list(results)
    truth = tukey_hsd(*results.values(), equal_var=False).pvalue
    for pair in result["pairs"]:
        a, b = pair["a"], pair["b"]
        difference = float(np.mean(results[a]) - np.mean(results[b])) * scale
        assert pair["difference"] == pytest.approx(difference, abs=1e-9)
        expected = truth[names.index(a), names.index(b)]
        assert pair["p_adjusted"] == pytest.approx(expected, rel=1e-4)
    assert len(result["pairs"]) == len(names) * (len(names) - 1) // 2
    return True


def left_out(result):
    return "; ".join(result["source"]["left_out"])


def test_the_runs_table_of_wandb(ranked, refused):
    head = (
        '"Name","State","Notes","User","Tags","Created","Runtime","Sweep","attention","batch_size",'
        '"dataset","lr","seed","_runtime","_step","_timestamp","_wandb.runtime","best_val_acc",'
        '"epoch","test/acc","train/loss","val/acc"'
    )
    rows = [
        f'"calm-river-{i}","finished","-","someone","{"good" * (i % 3 == 0)}",'
        f'"2026-03-01T10:{i:02d}:00.000Z","{40 + i}","","{arm}","64","cifar10","0.001","{seed}",'
        f'"{40.5 + i}","3900","17700{i:05d}.5","{39 + i}","{value / 100 + 0.02:.4f}","9",'
        f'"{value / 100:.4f}","{0.5 - i / 97:.5f}","{value / 100 + 0.01 + i / 9973:.5f}"'
        for i, (arm, seed, value) in enumerate(RUNS)
    ]
    failed = [
        rows[5].replace('"finished"', '"crashed"').replace('"71', '"12'),
        rows[7].replace('"finished"', '"running"').replace('"0.7', '"0.1'),
    ]
    Path("wandb.csv").write_text("\n".join([head, *rows, *failed]))
    result = ranked("--from", "wandb.csv", "--metric", "test/acc")
    assert is_right(result, 0.01)
    assert "1 run with State crashed (line 17)" in left_out(result)
    assert "1 run with State running (line 18)" in left_out(result)
    assert "name the column of values with --metric" in refused("--from", "wandb.csv")
    # a further column that a run may depend on
    hosts = [f'{row},"{("T4", "V100")[i % 2]}"' for i, row in enumerate(rows)]
    Path("hosts.csv").write_text("\n".join([f'{head},"gpu"', *hosts]))
    asked = ("--from", "hosts.csv", "--metric", "test/acc")
    assert "(gpu: T4, V100)" in refused(*asked)
    assert "--allow-differences gpu" in refused(*asked, "--by", "attention")
    allowed = ranked(*asked, "--by", "attention", "--allow-differences", "gpu")
    assert is_right(allowed, 0.01)


def test_how_far_runs_were_trained_is_no_curve(ranked, refused):
    head = "Name,State,model,seed,epoch,trainer/global_step,test_acc"
    rows = [
        f"run-{i},finished,{arm},{seed},9,3900,{value}" for i, (arm, seed, value) in enumerate(RUNS)
    ]
    Path("runs.csv").write_text("\n".join([head, *rows]))
    assert is_right(ranked("--from", "runs.csv"))
    assert "--at chooses a point of a curve" in refused("--from", "runs.csv", "--at", "epoch=9")
    Path("early.csv").write_text("\n".join([head, *rows]).replace(",1,9,3900", ",1,7,3100"))
    assert "(epoch: 9, 7; trainer/global_step: 3900, 3100)" in refused("--from", "early.csv")


@pytest.mark.parametrize("grouped", [False, True])
def test_a_chart_of_wandb_does_not_say_which_run_is_of_which_arm(grouped, refused):
    lines = [f"attention: {a}" for a in RESULTS] if grouped else [f"{a}-{s}" for a, s, _ in RUNS]
    marks = ("", "__MIN", "__MAX")
    head = ",".join(f'"{line} - test/acc{mark}"' for line in lines for mark in marks)
    rows = [
        f'"{step}",' + ",".join(f'"{0.5 + step / 10 + i / 1000}"' for i in range(3 * len(lines)))
        for step in range(4)
    ]
    Path("chart.csv").write_text(f'"Step",{head}\n' + "\n".join(rows))
    said = refused("--from", "chart.csv")
    assert "nothing says which run belongs to which arm" in said
    assert "export a table with a row per run" in said


def test_an_optuna_study(ranked, refused):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space: dict[str, Any] = {"model": list(RESULTS), "seed": [0, 1, 2, 3, 4]}
    study = optuna.create_study(
        direction="maximize",
        storage="sqlite:///study.db",
        sampler=optuna.samplers.GridSampler(space, seed=1),
    )

    def objective(trial):
        model = trial.suggest_categorical("model", space["model"])
        seed = trial.suggest_int("seed", 0, 4)
        if trial.number == 0:
            trial.report(3.0, 0)
            raise optuna.TrialPruned
        return RESULTS[model][seed]

    study.optimize(objective)
    first = study.trials[0].params
    study.enqueue_trial(first)
    study.optimize(objective, n_trials=1)
    frame = study.trials_dataframe()
    for index in (True, False):
        frame.to_csv("optuna.csv", index=index)
        result = ranked("--from", "optuna.csv")
        assert is_right(result)
        assert "1 run with state PRUNED (line 2)" in left_out(result)
        assert any("higher is assumed" in note for note in result["notes"])
        assert result["source"]["by"] == ["params_model"]
    down = ranked("--from", "optuna.csv", "--direction", "minimize")
    assert down["arms"][0]["variant"] == "none"
    assert not any("higher is assumed" in note for note in down["notes"])
    before = Path("study.db").read_bytes()
    assert "the CSV of study.trials_dataframe()" in refused("--from", "study.db")
    assert Path("study.db").read_bytes() == before


def test_a_search_is_no_repetition(refused):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(
        lambda trial: (
            trial.suggest_float("lr", 1e-4, 1e-1, log=True)
            + len(trial.suggest_categorical("optimizer", ["sgd", "adam"]))
        ),
        n_trials=12,
    )
    study.trials_dataframe().to_csv("search.csv")
    said = refused("--from", "search.csv")
    assert "runs of the same arm differ in more than the seed (params_lr:" in said


@pytest.fixture
def logged(workplace):
    """What ``mlflow.search_runs`` returns of nested runs whose parents log the mean."""
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{workplace}/mlruns/mlflow.db")
    mlflow.set_experiment("foreign")
    for arm, values in RESULTS.items():
        with mlflow.start_run(run_name=arm):
            mlflow.log_param("model", arm)
            for seed, value in enumerate(values):
                with mlflow.start_run(run_name=f"{arm}-{seed}", nested=True):
                    mlflow.log_params({"model": arm, "seed": seed, "lr": 0.1})
                    mlflow.log_metrics({"test_acc": value, "train_loss": 100 - value})
            mlflow.log_metric("test_acc", float(np.mean(values)))
    with mlflow.start_run(run_name="late-9") as run:
        mlflow.log_params({"model": "late", "seed": 9, "lr": 0.1})
        mlflow.log_metric("test_acc", 12.0)
    mlflow.MlflowClient().set_terminated(run.info.run_id, "FAILED")
    return mlflow.search_runs(experiment_names=["foreign"], output_format="pandas")


def test_the_csv_of_mlflow(ranked, logged):
    for index in (True, False):
        logged.to_csv("mlflow.csv", index=index)
        result = ranked("--from", "mlflow.csv", "--metric", "metrics.test_acc")
        assert is_right(result)
        assert "3 runs that are the parent of other runs" in left_out(result)
        assert "1 run with status FAILED (line 2)" in left_out(result)


def test_the_csv_of_mlflows_pages(ranked, refused, logged):
    """Without prefixes and parents; a row without a seed is the mean of its arm, or asked about."""
    cells = logged.astype(object).where(logged.notna(), "")
    page = pd.DataFrame(
        {
            "Start Time": "2026-03-01 10:00:00",
            "Duration": [f"{1 + i / 10:.1f}s" for i in range(len(cells))],
            "Run ID": cells["run_id"],
            "Name": cells["tags.mlflow.runName"],
            "Source Type": "LOCAL",
            "Source Name": "train.py",
            "User": "someone",
            "Status": cells["status"],
            "lr": cells["params.lr"],
            "model": cells["params.model"],
            "seed": cells["params.seed"],
            "test_acc": cells["metrics.test_acc"],
            "train_loss": cells["metrics.train_loss"],
        }
    )
    page.to_csv("runs.csv", index=False)
    result = ranked("--from", "runs.csv", "--metric", "test_acc")
    assert is_right(result)
    assert "3 rows without a seed, empty or the mean of their arm" in left_out(result)
    best = page.copy()
    best.loc[best["seed"] == "", "test_acc"] = 71.5
    best.to_csv("best.csv", index=False)
    said = refused("--from", "best.csv", "--metric", "test_acc")
    assert "has no seed: fill it in, or leave such rows out with --filter 'seed!='" in said
    chosen = ranked("--from", "best.csv", "--metric", "test_acc", "--filter", "seed!=")
    assert is_right(chosen)


def test_one_result_a_task_of_an_evaluation_harness(ranked, refused):
    """One value of a model on a task is no repetition, in whatever shape it comes."""
    tasks = ("arc_easy", "boolq", "piqa")
    results = {
        model: {
            "results": {
                task: {"acc,none": base + i / 20, "acc_stderr,none": 0.01 + i / 1e4, "alias": task}
                for i, task in enumerate(tasks)
            }
        }
        for model, base in (("small", 0.6), ("large", 0.63))
    }
    long = pd.DataFrame(
        [
            {"model": m, "task": t, "acc": of["acc,none"], "acc_stderr": of["acc_stderr,none"]}
            for m, found in results.items()
            for t, of in found["results"].items()
        ]
    )
    Path("results.json").write_text(json.dumps(results["small"]))
    assert "turn it into a table with a row per run" in refused("--from", "results.json")
    pd.json_normalize(results["small"]).to_csv("flat.csv", index=False)
    assert "has a single row and no column that names the arms" in refused("--from", "flat.csv")
    long.to_csv("long.csv", index=False)
    assert "rank over them with --task-by task, or one task at a time with" in refused(
        "--from", "long.csv"
    )
    long.pivot(index="task", columns="model", values="acc").to_csv("by_task.csv")
    assert "rank over several tasks with --task-by task" in refused("--from", "by_task.csv")
    long.pivot(index="model", columns="task", values="acc").to_csv("by_model.csv")
    assert "can be read in two ways" in refused("--from", "by_model.csv")
    one = ranked("--from", "long.csv", "--filter", "task=piqa", "--metric", "acc")
    assert [(arm["variant"], arm["n"]) for arm in one["arms"]] == [("large", 1), ("small", 1)]
    assert one["verdict"].startswith("descriptive")


@pytest.fixture(scope="module")
def iris():
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    return x + np.random.default_rng(5).normal(0, 0.8, x.shape), y


def test_cross_validate_of_scikit_learn(ranked, refused, iris):
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_validate
    from sklearn.svm import SVC

    frames = []
    for name, estimator in (("logistic", LogisticRegression(max_iter=500)), ("svc", SVC())):
        frame = pd.DataFrame(cross_validate(estimator, *iris, cv=5, return_train_score=True))
        frames.append(frame.assign(model=name))
    joined = pd.concat(frames)
    joined.rename_axis("fold").to_csv("folds.csv")
    joined.to_csv("unnamed.csv")
    joined.to_csv("bare.csv", index=False)
    for name in ("folds.csv", "unnamed.csv", "bare.csv"):
        result = ranked("--from", name, "--metric", "test_score")
        assert [arm["n"] for arm in result["arms"]] == [5, 5]
        assert all(pair["p_adjusted"] is None for pair in result["pairs"]), name
        assert "folds of a cross-validation" in result["verdict"]
    compared = ranked("--from", "folds.csv", "--metric", "test_score", "--folds", "120/30")
    a, b = (frame["test_score"].to_numpy() for frame in frames)
    t = (a - b).mean() / np.sqrt((1 / 5 + 30 / 120) * (a - b).var(ddof=1))
    from scipy.stats import t as student

    (pair,) = compared["pairs"]
    assert pair["p_adjusted"] == pytest.approx(2 * student.sf(abs(t), 4), rel=1e-6)
    unnamed = ("--from", "unnamed.csv", "--metric", "test_score", "--folds", "120/30")
    assert "name the column that numbers the folds with --seed-by" in refused(*unnamed)


@pytest.mark.parametrize("train", [False, True])
def test_a_search_of_scikit_learn(train, ranked, refused, iris):
    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import SVC

    grid = {"C": [0.1, 1], "kernel": ["rbf", "linear"]}
    search = GridSearchCV(SVC(), grid, cv=5, return_train_score=train).fit(*iris)
    pd.DataFrame(search.cv_results_).to_csv("grid.csv")
    if train:
        assert "runs of several metrics (split_test_score, split_train_score)" in refused(
            "--from", "grid.csv"
        )
    result = ranked("--from", "grid.csv", "--metric", "test_score")
    means = {arm["variant"]: arm["mean"] for arm in result["arms"]}
    assert means == {
        str(params): pytest.approx(mean)
        for params, mean in zip(
            search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
        )
    }
    assert [arm["n"] for arm in result["arms"]] == [5] * 4
    assert "folds of a cross-validation" in result["verdict"]
    assert "(column params:" in result["source"]["read_as"]
    assert ranked("--from", "grid.csv", "--metric", "test_score", "--folds", "120/30")["pairs"]


PAPER = {
    "plain": ("93.1 ± 0.2", "94.0 ± 0.1"),
    "latex": (r"$93.1 \pm 0.2$", r"$\mathbf{94.0} \pm 0.1$"),
    "below": (r"$93.1_{\pm 0.2}$", r"$94.0_{\pm 0.1}$"),
    "bold": ("93.1 (0.2)", r"\textbf{94.0} (0.1)"),
    "markdown": ("93.1 +/- 0.2", "**94.0** +/- 0.1"),
}


@pytest.mark.parametrize("cells", PAPER.values(), ids=PAPER)
def test_a_table_of_a_paper(cells, refused, cli):
    base, ours = cells
    Path("one.csv").write_text(f"Method,Accuracy\nBase,{base}\nOurs,{ours}\n")
    assert "a ranking needs the values, not their summary" in refused("--from", "one.csv")
    read = cli("audit", "one.csv", "--n", "5", "--json")
    assert read.code in (0, 1), read
    two = f"Method,CIFAR-10,CIFAR-100\nBase,{base},{base}\nOurs,{ours},{ours}\n"
    Path("two.csv").write_text(two)
    said = refused("--from", "two.csv")
    assert "the cells of two.csv are summaries, such as" in said
    assert "chosen with --metric (CIFAR-10, CIFAR-100)" in said
    assert cli("audit", "two.csv", "--n", "5", "--metric", "CIFAR-100").code in (0, 1)


@pytest.mark.parametrize(("mark", "kind"), [(" | ", "Markdown"), (" & ", "LaTeX")])
def test_markup_that_is_no_csv(mark, kind, refused):
    rows = (("Method", "run 1", "run 2"), ("Base", "93.1", "93.2"), ("Ours", "94.1", "94.0"))
    Path("table.md").write_text("\n".join(mark.join(row) for row in rows))
    assert f"is a table in {kind}" in refused("--from", "table.md")


def files(pattern, text):
    """Write a file for every run; return the options that name them."""
    said = []
    for arm, seed, value in RUNS:
        path = Path(pattern.format(arm=arm, seed=seed))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(seed, value))
        said += ["--from", str(path)]
    return said


def test_the_metrics_of_lightning(ranked, refused):
    def text(seed, value):
        lines = ["epoch,step,train_loss,val_acc"]
        for epoch in range(3):
            lines.append(f"{epoch},{50 * epoch + 49},{1 - epoch / 10 + seed / 100},")
            lines.append(f"{epoch},{50 * epoch + 49},,{value - 2 + epoch:.1f}")
        return "\n".join(lines)

    said = files("logs/{arm}/version_{seed}/metrics.csv", text)
    asked = (*said, "--metric", "val_acc")
    result = ranked(*asked)
    assert is_right(result)
    assert "(column arm in file name: none, late, early) × 5 seeds" in result["source"]["read_as"]
    assert "at the last step" in result["source"]["read_as"]
    first = {arm["variant"]: arm["mean"] for arm in result["arms"]}
    for point in ("epoch=1", "step=99"):
        earlier = ranked(*asked, "--at", point)
        for arm in earlier["arms"]:
            assert arm["mean"] == pytest.approx(first[arm["variant"]] - 1)
    assert is_right(ranked(*asked, "--at", "best", "--of", "train_loss"))
    assert "name the column of values with --metric: train_loss, val_acc" in refused(*said)
    alone = refused("--from", said[1], "--metric", "val_acc")
    assert "nothing says which run belongs to which arm" in alone


def test_the_logs_of_keras(ranked):
    def text(seed, value):
        head = "epoch,accuracy,loss,val_accuracy,val_loss\n"
        return head + "\n".join(
            f"{e},{value / 100 + 0.01 + e / 100},{1 - e / 10},{value / 100 - 0.02 + e / 100:.4f},"
            f"{1.2 - e / 10}"
            for e in range(3)
        )

    said = files("{arm}_seed{seed}.csv", text)
    assert is_right(ranked(*said, "--metric", "val_accuracy"), 0.01)
    best = ranked(*said, "--metric", "val_accuracy", "--at", "best", "--of", "val_loss")
    assert is_right(best, 0.01)


def test_the_scalars_of_tensorboard(ranked):
    def text(seed, value):
        return "Wall time,Step,Value\n" + "\n".join(
            f"17700{seed}{i}.25,{100 * i},{value / 100 - 0.02 + i / 100:.4f}" for i in range(3)
        )

    result = ranked(*files("run-{arm}_{seed}-tag-test_acc.csv", text))
    assert is_right(result, 0.01)
    assert any("higher is assumed" in note for note in result["notes"])


def test_results_of_reinforcement_learning(ranked, refused):
    rng = np.random.default_rng(7)
    scores = {
        (env, algo): np.round(rng.normal(mean + add, 60, 5), 1)
        for env, add in (("Ant-v4", 0), ("Hopper-v4", 300))
        for algo, mean in (("PPO", 1000), ("SAC", 1500), ("TD3", 1450))
    }
    rows = [
        f"{env},{algo},{seed},{value}"
        for (env, algo), values in scores.items()
        for seed, value in enumerate(values)
    ]
    Path("rl.csv").write_text("\n".join(["env,algo,seed,score", *rows]))
    assert "never pooled: rank over them with --task-by env, or one task at a time" in refused(
        "--from", "rl.csv"
    )
    ant = {algo: list(values) for (env, algo), values in scores.items() if env == "Ant-v4"}
    assert is_right(ranked("--from", "rl.csv", "--filter", "env=Ant-v4"), results=ant)


def test_the_csv_of_a_german_spreadsheet(ranked):
    names = {"grün": RESULTS["none"], "früh": RESULTS["early"], "spät": RESULTS["late"]}
    rows = [
        f"{arm};{seed};{str(value).replace('.', ',')} %;für später"
        for arm, values in names.items()
        for seed, value in enumerate(values)
    ]
    text = "\r\n".join(["Methode;Startwert;Genauigkeit;Anmerkung", *rows])
    for encoding in ("cp1252", "utf-8-sig", "utf-16"):
        Path("german.csv").write_bytes(text.encode(encoding))
        assert is_right(ranked("--from", "german.csv"), results=names)


@pytest.mark.parametrize(
    ("names", "arms"),
    [
        (["a/late_seed0.csv", "a/none_seed0.csv", "a/none_seed1.csv"], "late none none"),
        (["resnet18_s0.csv", "resnet18_s1.csv", "resnet50_s0.csv"], "resnet18 resnet18 resnet50"),
        (["seed0_adam.csv", "seed1_adam.csv", "seed0_sgd.csv"], "adam adam sgd"),
        (["version_0/metrics.csv", "version_1/metrics.csv"], None),
        (["base.csv", "ours.csv"], None),
        (["a_1_2.csv", "b_2_1.csv"], None),
        (["a_1.csv", "a_01.csv"], None),
    ],
)
def test_what_names_of_files_tell(names, arms):
    from attnstudy.tables.file_names import arms_in_names

    for order in itertools.permutations(range(len(names))):
        found = arms_in_names([names[i] for i in order])
        told = None if found is None else [one.arm for one in found]
        assert told == (None if arms is None else [arms.split()[i] for i in order])

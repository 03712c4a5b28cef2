"""The load of the machine with each run, as MLflow measures it and its variable asks."""

from __future__ import annotations

import json
import re
import sys

from attnstudy.tracking import SYSTEM_METRICS

ASKED = {SYSTEM_METRICS: "true", "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL": "0.05"}
PATIENT = """
import os
import sqlite3
import time

def train(run):
    # until MLflow has something of this run's machine, of which it is told in the background
    until = time.monotonic() + 250
    while time.monotonic() < until and not measured(f"%seed={run.seed}"):
        time.sleep(0.05)
    return {"acc": float(run.rng("x").random())}

def measured(name):
    asked = "select count(*) from metrics m join runs r on m.run_uuid = r.run_uuid"
    of_this = " where m.key like 'system/cpu%' and r.name like ?"
    with sqlite3.connect(f"file:{os.environ['DATABASE']}?mode=ro", uri=True) as connection:
        return connection.execute(asked + of_this, [name]).fetchone()[0]
"""


def load(store) -> dict[str, dict[str, int]]:
    """Return for each run how many values of each of the machine's metrics MLflow has."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("own")
    return {
        run.info.run_name: {
            name: len(client.get_metric_history(run.info.run_id, name))
            for name in run.data.metrics
            if name.startswith("system/")
        }
        for run in client.search_runs([experiment.experiment_id])
    }


def test_each_run_has_the_load_of_its_machine(own):
    own.write(PATIENT, "[arms.a]")
    database = own.place / "mlruns" / "mlflow.db"
    asked = {**ASKED, "DATABASE": str(database), "ATTNSTUDY_EXECUTOR": "processes"}
    ended = own("run", env=asked)
    assert ended.code == 0, ended.err
    first = load(own.place / "mlruns")
    assert len(first) == 2
    for name, values in first.items():
        assert values["system/cpu_utilization_percentage"] >= 1, name
        assert values["system/system_memory_usage_megabytes"] >= 1, name
    # nothing is measured of runs that are complete, and nothing of it is a result
    assert own("run", env=asked).code == 0
    assert load(own.place / "mlruns") == first
    assert own("sync", env=asked).code == 0
    assert load(own.place / "mlruns") == first
    ranked = own("rank", "--json")
    assert ranked.code == 0
    assert json.loads(ranked.out)["metric"] == "acc"
    other = own.command(
        "rank", "--experiment", "own", "--by", "params.arm", "--metric", "accuracy",
        "--tracking-uri", f"sqlite:///{database}",
    )  # fmt: skip
    assert other.code == 2
    assert re.search(r"no run has a metric 'accuracy'.*\(there: [^)]*acc", other.err)
    assert "system/" not in other.err


def test_nothing_is_measured_unless_asked(own):
    own.write("def train(run):\n    return {'acc': run.seed / 10}\n")
    assert own("run").code == 0
    assert own("run", "--rerun", env={SYSTEM_METRICS: "false"}).code == 0
    assert set(map(bool, load(own.place / "mlruns").values())) == {False}


def test_where_nothing_can_be_measured_that_is_said(own, monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    own.write("def train(run):\n    return {'acc': run.seed / 10}\n")
    ended = own("run", env=ASKED)
    assert ended.code == 0
    assert f"{SYSTEM_METRICS} has no effect: with --executor inline" in ended.err
    ended = own("run", env={**ASKED, "ATTNSTUDY_EXECUTOR": "processes"})
    assert ended.code == 0
    assert f"{SYSTEM_METRICS} has no effect: install psutil" in ended.err

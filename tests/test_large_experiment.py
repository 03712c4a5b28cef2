"""An experiment of more runs than a page holds: read whole, once each, and shown on the way."""

from __future__ import annotations

import json
import re
import uuid

import numpy as np
import pytest

from attnstudy.tracking import open_store, read_experiments, resolve
from tests.terminals import on_a_terminal

VARIANTS, SEEDS = 12, 100
RANK = ("rank", "--experiment", "theirs", "--by", "params.model", "--metric", "val_acc",
        "--seed-by", "params.seed")  # fmt: skip


def value_of(model: int, seed: int) -> float:
    return 0.6 + 0.01 * model + 1e-5 * ((37 * seed) % SEEDS)


@pytest.fixture
def large(workplace):
    """Plain MLflow makes the experiment and a run; copies of its rows make the other 1,199."""
    import mlflow
    import sqlalchemy as sa

    uri = f"sqlite:///{workplace / 'mlruns' / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    mlflow.create_experiment("theirs", (workplace / "artifacts").as_uri())
    mlflow.set_experiment("theirs")
    with mlflow.start_run(run_name="0-0") as first:
        mlflow.log_params({"model": 0, "seed": 0, "lr": 0.1})
        mlflow.log_metric("val_acc", value_of(0, 0))
    engine = sa.create_engine(uri)
    tables = ("runs", "params", "tags", "metrics", "latest_metrics")
    known = sa.MetaData()
    with engine.begin() as connection:
        copies: dict[str, list[dict[str, object]]] = {name: [] for name in tables}
        rows = {}
        for name in tables:
            table = sa.Table(name, known, autoload_with=connection)
            own = sa.select(table).where(table.c.run_uuid == first.info.run_id)
            rows[name] = [dict(row._mapping) for row in connection.execute(own)]
        for order in range(1, VARIANTS * SEEDS):
            model, seed = divmod(order, SEEDS)
            changed = {
                "runs": {"name": f"{model}-{seed}", "start_time": rows["runs"][0]["start_time"]},
                "model": {"value": str(model)},
                "seed": {"value": str(seed)},
                "val_acc": {"value": value_of(model, seed)},
                "mlflow.runName": {"value": f"{model}-{seed}"},
            }
            run_uuid = uuid.UUID(int=order * 2**64).hex
            for name in tables:
                copies[name] += [
                    {**row, "run_uuid": run_uuid, **changed.get(row.get("key", name), {})}
                    for row in rows[name]
                ]
        for name in tables:
            connection.execute(known.tables[name].insert(), copies[name])
    engine.dispose()
    return workplace


def test_every_run_is_read_once_page_by_page(large):
    counts: list[int] = []
    tracker = open_store(resolve(large / "mlruns", None), create=False)
    runs, _ = read_experiments(tracker, ["theirs"], progress=counts.append)
    assert sorted(run.name for run in runs) == sorted(
        f"{model}-{seed}" for model in range(VARIANTS) for seed in range(SEEDS)
    )
    assert len({run.run_id for run in runs}) == len(runs) == 1200
    assert counts[0] == 0  # shown before the first page is there
    assert counts[-1] == 1200
    # a page that takes long would run into the time that a server is given
    assert max(np.diff(counts)) <= 100
    for run in runs:
        model, seed = map(int, run.name.split("-"))
        assert run.params == {"model": str(model), "seed": str(seed), "lr": "0.1"}
        assert run.metrics == {"val_acc": pytest.approx(value_of(model, seed))}
        assert run.status == "FINISHED"


def test_all_of_them_are_ranked_and_a_plain_line_says_how_many(large, cli):
    answer = cli(*RANK, "--json")
    assert answer.code == 0, answer.err
    result = json.loads(answer.out)
    assert [(arm["variant"], arm["n"]) for arm in result["arms"]] == [
        (str(model), SEEDS) for model in reversed(range(VARIANTS))
    ]
    for arm in result["arms"]:
        assert arm["seeds"] == list(range(SEEDS))
        expected = [value_of(int(arm["variant"]), seed) for seed in range(SEEDS)]
        assert arm["values"] == pytest.approx(expected)
    lines = answer.err.splitlines()
    assert (lines[0], lines[-1]) == ("reading runs: 1,000", "reading runs: 1,200")


def test_on_a_terminal_the_count_goes_up_without_claiming_to_know_the_end(large):
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", on_a_terminal([*RANK, "--json"], {}))
    assert "reading runs" in shown
    assert re.search(r"\b1200/\?", shown)
    assert not re.search(r"\b(\d+)/\1\b", shown)

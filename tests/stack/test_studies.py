"""Studies on the stack: several processes at once, outages, back-ups."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import tarfile
import urllib.request

import pytest
import sqlalchemy

from attnstudy.runs import run_folders
from tests.conftest import SMALL
from tests.stack.compose import Stack, words
from tests.waiting import PATIENCE, wait_for

ALONE = ("--workers", "1", "--no-progress")


def begin(stack: Stack, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        stack.worker_words(*arguments), env=stack.environment("worker"), cwd=stack.folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finished(*names: str) -> list[tuple[str, str]]:
    return [(name, "FINISHED") for name in sorted(names)]


def test_several_processes_share_a_study_and_each_run_is_there_once(stack, cli, worker, workplace):
    study = ("run", "--study", "shared", *SMALL, "--variant", "vanilla", "--variant", "early",
             "--seeds", "2", "--wait", *ALONE)  # fmt: skip
    tune = ("tune", "--study", "searched", *SMALL, "--variant", "early", "--trials", "2",
            "--seeds-per-trial", "1", *ALONE)  # fmt: skip
    folder = stack.folder / "studies" / "searched"
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text("[tuning.space]\nlr = [1e-3, 1e-2]\n")
    at_once = [begin(stack, *words) for words in (study, study, tune)]
    ended = [(process.communicate(timeout=280), process.returncode) for process in at_once]
    assert [code for _, code in ended] == [0, 0, 0], ended
    names = [f"{variant}/seed={seed}" for variant in ("vanilla", "early") for seed in (0, 1)]
    assert stack.runs("shared") == finished(*names)
    assert list((stack.folder / "artifacts").rglob("MLmodel"))  # through the server, to its volume
    with urllib.request.urlopen(
        f"http://127.0.0.1:{stack.ports['dashboard']}/api/studies", timeout=PATIENCE
    ) as answer:
        summaries = json.load(answer)["study_summaries"]
    assert [summary["study_name"] for summary in summaries] == ["searched/early"]
    ranked = cli("rank", "--study", "shared", "--json", env=worker)
    assert ranked.code == 0, ranked.err
    assert len(json.loads(ranked.out)["pairs"]) == 1
    said = [text for texts, _ in ended for text in texts]
    assert not any("p@ss" in text or "p%40ss" in text for text in said)


def test_a_study_outlives_its_server_and_database(stack, cli, worker, workplace):
    study = ("--study", "outlived", *SMALL, "--variant", "vanilla")
    running = begin(stack, "run", *study, "--seeds", "3", *ALONE)
    store_dir = stack.folder / "runs"
    wait_for(lambda: any(one.result() for one in run_folders(store_dir, "outlived")), running)
    stack.postgres.stop(signal.SIGQUIT)  # as if it had crashed: it will have to recover
    out, err = running.communicate(timeout=280)
    assert running.returncode == 0, err
    assert "3 trained" in out or "3 complete" in out, out
    assert "answers with an error (50" in err
    for command in ("sync", "rank"):
        answer = cli(command, "--study", "outlived", "--store", store_dir, env=worker)
        assert answer.code == 3
        assert answer.err.count("\n") == 1
        assert "answers with an error (50" in answer.err
        assert "its database may be down" in answer.err
    stack.stop("mlflow", signal.SIGKILL)
    answer = cli("sync", "--study", "outlived", "--store", store_dir, env=worker)
    assert (answer.code, answer.err.count("does not answer")) == (3, 1)
    stack.postgres.start()
    stack.launch("mlflow", SERVER_WORKERS="1")
    stack.wait("mlflow")
    stack.wait("dashboard")  # was never stopped: it finds the database again
    answer = cli("sync", "--study", "outlived", "--store", store_dir, env=worker)
    assert answer.code == 0, answer.err
    assert stack.runs("outlived") == finished(*(f"vanilla/seed={seed}" for seed in range(3)))


@pytest.mark.long
def test_a_backup_brings_everything_back_and_sync_what_came_after_it(stack, cli, worker, workplace):
    study = ("--study", "backed-up", *SMALL, "--variant", "vanilla", "--executor", "inline")
    assert cli("run", *study, "--seeds", "1", env=worker).code == 0
    made = stack.run("backup", text=False)
    assert made.returncode == 0, made.stderr
    with tarfile.open(fileobj=io.BytesIO(made.stdout)) as inside:
        names = inside.getnames()
    assert {"mlflow.dump", "optuna.dump"} < set(names)
    assert any(name.startswith("artifacts/") and name.endswith("MLmodel") for name in names)
    assert cli("run", *study, "--seeds", "2", env=worker).code == 0
    engine = sqlalchemy.create_engine(stack.database("mlflow"))

    def count() -> int:
        with engine.connect() as connection:
            found: int = connection.execute(sqlalchemy.text("SELECT count(*) FROM runs")).scalar()
            return found

    before = count()
    cut_off = stack.run("restore", text=False, input=made.stdout[: len(made.stdout) // 20])
    assert cut_off.returncode != 0
    assert count() == before
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DROP TABLE runs CASCADE"))
    restored = stack.run("restore", text=False, input=made.stdout)
    assert restored.returncode == 0, restored.stderr
    assert count() == before - 1
    engine.dispose()
    assert stack.runs("backed-up") == finished("vanilla/seed=0")
    assert cli("sync", "--study", "backed-up", env=worker).code == 0
    assert stack.runs("backed-up") == finished("vanilla/seed=0", "vanilla/seed=1")


def test_what_the_scripts_want_is_said_in_one_sentence(stack):
    for service, variable, value, said in (
        ("migrate", "MLFLOW_DB_PASSWORD_FILE", "/nowhere", "'make secrets' creates it"),
        ("migrate", "MLFLOW_ADMIN_PASSWORD_FILE", str(stack.folder / "short"), "12 characters"),
        ("mlflow", "MLFLOW_SERVER_KEY_FILE", str(stack.folder / "empty"), "is empty"),
    ):
        (stack.folder / "short").write_text("short")
        (stack.folder / "empty").write_text("")
        done = subprocess.run(
            words(stack.services[service]), capture_output=True, text=True, timeout=PATIENCE,
            env={**stack.environment(service), variable: value},
        )  # fmt: skip
        assert done.returncode == 1
        assert said in done.stderr
        assert done.stderr.count("\n") == 1

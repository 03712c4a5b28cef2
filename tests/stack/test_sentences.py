"""What a command says of a server, or a storage, that does not let it in: one sentence."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from attnstudy.runs import run_folders
from tests.conftest import SMALL
from tests.stack.compose import Stack
from tests.tuning import space
from tests.tuning import tune as search

ONE = ("--study", "one", *SMALL, "--variant", "vanilla", "--seeds", "1", "--executor", "inline")
WRONG = {"MLFLOW_TRACKING_PASSWORD": "sesame opens"}
REFUSED = (
    "refuses the user name or the password: set MLFLOW_TRACKING_USERNAME and "
    "MLFLOW_TRACKING_PASSWORD"
)


@pytest.fixture
def without(worker, monkeypatch):
    """Variables without a name and a password."""
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    return {"MLFLOW_TRACKING_URI": worker["MLFLOW_TRACKING_URI"]}


def one_sentence(answer, *parts: str) -> None:
    assert answer.code == 3
    assert answer.err.count("\n") == 1, answer.err
    assert answer.err.startswith("Error: ")
    assert "the tracking server http://" in answer.err
    for part in parts:
        assert part in answer.err


def test_a_wrong_password_costs_a_warning_of_run_and_stops_the_others(
    cli, stack: Stack, worker, workplace, without
):
    answer = cli("run", *ONE, env={**worker, **WRONG})
    assert answer.code == 0
    assert "1 trained" in answer.out
    assert answer.err.count(REFUSED) == 1
    assert "'attnstudy sync' delivers what is missing" in answer.err
    for command in ("sync", "rank"):
        one_sentence(cli(command, "--study", "one", env={**worker, **WRONG}), REFUSED)
        wanted = "wants a user name and a password: set MLFLOW_TRACKING_USERNAME"
        one_sentence(cli(command, "--study", "one", env=without), wanted)
    told = cli("status", "--study", "one", env={**worker, **WRONG})
    assert "1 run not yet, or not as they are now, in" in told.out
    assert not any("sesame" in text for text in (answer.err, answer.out, told.err, told.out))
    assert cli("sync", "--study", "one", env=worker).code == 0
    assert stack.runs("one") == [("vanilla/seed=0", "FINISHED")]


def test_a_password_in_the_address_is_used_and_never_shown(cli, stack: Stack, workplace, without):
    place = stack.uri.removeprefix("http://")
    address = f"http://worker:sesame@{place}"
    answer = cli("rank", "--study", "one", "--tracking-uri", address, env={})
    one_sentence(answer, REFUSED, "http://worker:***@")
    assert "sesame" not in answer.err
    answer = cli("rank", "--tracking-uri", "postgres://worker:sesame@host/x")
    assert answer.code == 2
    assert "sesame" not in answer.err


def test_tune_searches_all_the_same(cli, worker, workplace):
    space("lr = [1e-3, 1e-2]")
    answer, found = search(
        cli, "--study", "placement", "--variant", "vanilla", "--trials", "1",
        "--seeds-per-trial", "1", env={**worker, **WRONG},
    )  # fmt: skip
    assert answer.code == 0
    assert [trial["state"] for trial in found["variants"][0]["trials"]] == ["complete"]
    assert answer.err.count(REFUSED) == 1
    assert "sesame" not in answer.err + answer.out


def test_wrong_hosts(cli, stack: Stack, worker, workplace):
    port = stack.ports["mlflow"]
    unknown = {**worker, "MLFLOW_TRACKING_URI": f"http://nobody.invalid:{port}"}
    said = f"the host name of the tracking server http://nobody.invalid:{port} is not known"
    one_sentence(cli("rank", "--study", "one", env=unknown), said)
    unlisted = {**worker, "MLFLOW_TRACKING_URI": f"http://0.0.0.0:{port}"}
    said = f"does not answer to that host name: add 0.0.0.0:{port} to its"
    one_sentence(cli("rank", "--study", "one", env=unlisted), said)


def test_an_account_without_permission_for_the_study(cli, stack: Stack, worker, workplace, without):
    path = "/api/2.0/mlflow/users/create"
    stack.ask(path, "admin", {"username": "eve", "password": "eve's long password"})
    stack.ask("/api/2.0/mlflow/experiments/create", "admin", {"name": "closed"})
    eve = {
        **worker,
        "MLFLOW_TRACKING_USERNAME": "eve",
        "MLFLOW_TRACKING_PASSWORD": "eve's long password",
    }
    study = ("--study", "closed", *ONE[2:])
    answer = cli("run", *study, env=eve)
    assert (answer.code, "1 trained" in answer.out) == (0, True)
    said = "the account 'eve' may not do that in the tracking server"
    assert answer.err.count(said) == 1
    answer = cli("sync", "--study", "closed", env=eve)
    assert answer.code == 3
    assert said in answer.err
    answer = cli("sync", "--study", "closed", env=worker)  # whom `migrate` allowed it
    assert answer.code == 0, answer.err
    assert stack.runs("closed") == [("vanilla/seed=0", "FINISHED")]


def test_a_wrong_password_is_told_before_hours_of_training(stack: Stack):
    command = stack.worker_words("run", "--study", "early", *SMALL, "--variant", "vanilla",
                                 "--seeds", "1", "--epochs", "100000", "--no-progress")  # fmt: skip
    wrong = stack.folder / "wrong"
    wrong.write_text("sesame opens")
    with subprocess.Popen(
        command, env=stack.environment("worker", MLFLOW_WORKER_PASSWORD_FILE=str(wrong)),
        cwd=stack.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as running:  # fmt: skip
        try:
            assert running.stderr is not None
            assert any(REFUSED in line for line in running.stderr)  # ends at the first that has it
            (folder,) = run_folders(stack.folder / "runs", "early")
            assert folder.claimed
            assert folder.result() is None
        finally:
            os.killpg(running.pid, signal.SIGKILL)


def test_a_storage_that_does_not_let_in(cli, stack: Stack, workplace):
    space("lr = [1e-3, 1e-2]", "refused")
    right = stack.database("optuna")
    told = (
        (right.set(password="sesame"), "refuses the user name or the password"),
        (right._replace(password=None), "refuses the user name or the password"),
        (right.set(host="nobody.invalid"), "could not translate host name"),
    )
    for url, said in told:
        address = url.render_as_string(hide_password=False)
        answer, _ = search(
            cli, "--study", "refused", "--trials", "1", env={"ATTNSTUDY_STORAGE": address}
        )
        assert answer.code == 3
        assert said in answer.err
        assert answer.err.count("\n") == 1
        assert "sesame" not in answer.err
        assert "p%40ss" not in answer.err

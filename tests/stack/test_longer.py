"""The stack in forms that take longer to start: two servers at once, S3, another password."""

from __future__ import annotations

import signal
import time
import urllib.error
from pathlib import Path

import pytest

from attnstudy.runs import run_folders
from tests.conftest import SMALL
from tests.stack.compose import Stack, free_port
from tests.stack.test_studies import begin, finished
from tests.waiting import wait_for

pytestmark = pytest.mark.long


@pytest.fixture
def migrated(postgres, tmp_path: Path, data_dir: Path, digits_folder: Path):
    """A stack of its own, with databases that are migrated and no server."""
    stack = Stack(tmp_path / "longer", postgres, data_dir)
    assert stack.create_databases().returncode == 0
    done = stack.run("migrate")
    assert done.returncode == 0, done.stderr
    yield stack
    stack.stop_all()


def test_two_servers_may_start_at_once_and_take_another_password(migrated: Stack):
    second = free_port()
    migrated.launch("mlflow")
    first = migrated.running.pop("mlflow")
    migrated.ports["mlflow"], port = second, migrated.ports["mlflow"]
    try:
        migrated.launch("mlflow")
        migrated.wait("mlflow")
        assert migrated.ask("/api/2.0/mlflow/experiments/search?max_results=1")["experiments"]
        migrated.stop("mlflow", signal.SIGTERM)
        migrated.ports["mlflow"] = port
        migrated.running["mlflow"] = first
        migrated.wait("mlflow")
        before = "/api/2.0/mlflow/experiments/search?max_results=1"
        assert migrated.ask(before)["experiments"]
        migrated.write_secret("mlflow_worker_password", "another password p@ss\n")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            migrated.ask(before)
        done = migrated.run("migrate")  # beside a running server
        assert "The password of 'worker' is now the one in its file." in done.stdout
        assert migrated.ask(before)["experiments"]
    finally:
        migrated.running["mlflow"] = first


def test_artifacts_go_through_the_server_to_s3(migrated: Stack):
    boto3 = pytest.importorskip("boto3")
    from moto.server import ThreadedMotoServer

    s3 = ThreadedMotoServer("127.0.0.1", port=0)
    s3.start()
    host, port = s3.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    migrated.write_secret(
        "aws_credentials",
        "[default]\naws_access_key_id = id\naws_secret_access_key = word\n",
    )
    try:
        client = boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="id",
            aws_secret_access_key="word",
        )  # fmt: skip
        client.create_bucket(Bucket="artifacts")
        migrated.launch(
            "mlflow",
            MLFLOW_ARTIFACTS_DESTINATION="s3://artifacts/team",
            MLFLOW_S3_ENDPOINT_URL=endpoint,
        )
        migrated.wait("mlflow")
        done = migrated.work(
            "run", "--study", "in-s3", *SMALL, "--variant", "vanilla", "--seeds", "1"
        )
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr
        keys = [one["Key"] for one in client.list_objects_v2(Bucket="artifacts")["Contents"]]
        assert any(key.startswith("team/") and key.endswith("weights.safetensors") for key in keys)
        assert any(key.endswith("model.pt2") for key in keys)
        assert migrated.runs("in-s3") == finished("vanilla/seed=0")
    finally:
        s3.stop()


def test_a_command_goes_on_delivering_when_server_and_database_come_back(migrated: Stack):
    migrated.launch("mlflow")
    migrated.wait("mlflow")
    # long enough that the outage, and the minute after which the server is tried again, fit in
    running = begin(migrated, "run", "--study", "outlived", *SMALL, "--variant", "vanilla",
                    "--seeds", "3", "--epochs", "400", "--workers", "1",
                    "--no-progress")  # fmt: skip
    store_dir = migrated.folder / "runs"
    wait_for(lambda: any(one.result() for one in run_folders(store_dir, "outlived")), running)
    migrated.stop("mlflow", signal.SIGKILL)
    migrated.postgres.stop(signal.SIGQUIT)
    time.sleep(2)
    migrated.postgres.start()
    migrated.launch("mlflow")
    migrated.wait("mlflow")
    _, err = running.communicate(timeout=280)
    assert running.returncode == 0, err
    if "'attnstudy sync' delivers" in err:  # all was trained before the minute was over
        assert migrated.work("sync", "--study", "outlived").returncode == 0
    assert migrated.runs("outlived") == finished(*(f"vanilla/seed={seed}" for seed in range(3)))

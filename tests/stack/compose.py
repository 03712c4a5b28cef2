"""The services of docker/compose.yaml, run as processes of this machine: what it says is tested.

A service's command and variables are taken from the file; only hosts, ports and folders are this
machine's.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.engine import URL

from tests.postgres import PASSWORD, SUPERUSER, Postgres
from tests.waiting import PATIENCE, answers, wait_for

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
SCRIPTS = DOCKER / "scripts"
IN_IMAGE = "/opt/attnstudy/scripts/"


def compose(name: str = "compose.yaml") -> dict[str, Any]:
    """Read a compose file as compose does where no variable is set."""
    content: dict[str, Any] = yaml.safe_load((DOCKER / name).read_text(encoding="utf-8"))
    return {key: _filled(value) for key, value in content.items()}


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner) for inner in value]
    return re.sub(r"\$\{\w+:-([^{}]*)\}", r"\1", value) if isinstance(value, str) else value


def words(service: Mapping[str, Any]) -> list[str]:
    """Return the command line of a service, with paths of this machine."""
    found: list[str] = []
    for part in (service.get("entrypoint", []), service.get("command", [])):
        found += shlex.split(part) if isinstance(part, str) else part
    return [here(word) for word in found]


def here(word: str) -> str:
    """Return what a word of a command in the image is on this machine."""
    if word == "python":
        return sys.executable
    for inside in (IN_IMAGE, "/scripts/"):
        if word.startswith(inside):
            return str(SCRIPTS / word.removeprefix(inside))
    return word


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class Stack:
    """One stack: its secrets, and its services on a Postgres server that several may share."""

    def __init__(self, folder: Path, postgres: Postgres, data_dir: Path) -> None:
        self.folder, self.postgres, self.data_dir = folder, postgres, data_dir
        folder.mkdir(parents=True, exist_ok=True)
        self.secrets, self.temporary = folder / "secrets", folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        subprocess.run(
            [sys.executable, SCRIPTS / "make_secrets.py", self.secrets], check=True,
            capture_output=True,
        )  # fmt: skip
        for name in ("mlflow_db", "optuna_db", "mlflow_worker", "mlflow_admin"):
            # all that has a meaning in a URL, an ini file, SQL and a shell
            self.write_secret(f"{name}_password", f"{name} p@ss%2F:/?#[]'\"$x\\`\n")
        self.name = re.sub(r"\W", "_", folder.name)
        self.ports = {"mlflow": free_port(), "dashboard": free_port()}
        self.services = compose()["services"]
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.ports['mlflow']}"

    def secret(self, name: str) -> str:
        return (self.secrets / name).read_text().rstrip("\n")

    def write_secret(self, name: str, value: str) -> None:
        (self.secrets / name).write_text(value)

    def database(self, owner: str, role: str | None = None) -> URL:
        """Return the address of a database, for its owner or for the other one."""
        role = role or owner
        return URL.create(
            "postgresql+psycopg2", f"{role}_{self.name}", self.secret(f"{role}_db_password"),
            "127.0.0.1", self.postgres.port, f"{owner}_{self.name}",
        )  # fmt: skip

    def environment(self, service: str, **changes: str) -> dict[str, str]:
        """Return the variables of a service, with hosts, ports and folders of this machine."""
        told = {
            name: value.replace("/run/secrets", str(self.secrets))
            for name, value in self.services[service].get("environment", {}).items()
        }
        mine = {
            "TMPDIR": str(self.temporary),
            "ATTNSTUDY_NO_FIGURES": "1",
            "POSTGRES_HOST": "127.0.0.1",
            "POSTGRES_PORT": str(self.postgres.port),
            "MLFLOW_DB": f"mlflow_{self.name}",
            "OPTUNA_DB": f"optuna_{self.name}",
        }
        if service in self.ports:
            mine |= {"LISTEN_HOST": "127.0.0.1", "LISTEN_PORT": str(self.ports[service])}
        for name, value in told.items():
            for port, really in (("5000", "mlflow"), ("8080", "dashboard")):
                value = re.sub(rf"\b{port}\b", str(self.ports[really]), value)
            mine.setdefault(name, value.replace("//mlflow:", "//127.0.0.1:"))
        if "MLFLOW_ARTIFACTS_DESTINATION" in told or service in ("backup", "restore"):
            mine |= dict.fromkeys(
                ("ARTIFACTS", "MLFLOW_ARTIFACTS_DESTINATION"), str(self.folder / "artifacts")
            )
        if "ATTNSTUDY_STORE" in told:
            mine |= {"ATTNSTUDY_STORE": str(self.folder / "runs")}
            mine |= {"ATTNSTUDY_DATA_DIR": str(self.data_dir)}
        outside = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MLFLOW_", "ATTNSTUDY_", "PG", "AWS_"))
        }
        return {**outside, "PYTHONPATH": str(ROOT), **mine, **changes}

    def run(self, service: str, **options: Any) -> subprocess.CompletedProcess[Any]:
        """Run a service to its end."""
        return subprocess.run(
            words(self.services[service]), env=self.environment(service), cwd=self.folder,
            capture_output=True, timeout=240, **{"text": True, **options},
        )  # fmt: skip

    def work(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run ``attnstudy`` as the service does, with other arguments."""
        return subprocess.run(
            self.worker_words(*arguments), env=self.environment("worker", **changes),
            cwd=self.folder, capture_output=True, text=True, timeout=240,
        )  # fmt: skip

    def worker_words(self, *arguments: str) -> list[str]:
        return [here(word) for word in self.services["worker"]["entrypoint"]] + list(arguments)

    def create_databases(self) -> subprocess.CompletedProcess[str]:
        """Do what the image of Postgres does with the script when its data is created."""
        return subprocess.run(
            ["sh", SCRIPTS / "create_databases.sh"],
            env={
                **self.environment("db"),
                "POSTGRES_USER": SUPERUSER,
                "PGHOST": "127.0.0.1",
                "PGPORT": str(self.postgres.port),
                "PGPASSWORD": PASSWORD,
            },
            capture_output=True, text=True,
        )  # fmt: skip

    def launch(self, service: str, **changes: str) -> None:
        """Start a server; ``wait`` waits for it."""
        with (self.folder / f"{service}.log").open("ab") as log:
            self.running[service] = subprocess.Popen(
                words(self.services[service]), env=self.environment(service, **changes),
                cwd=self.folder, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def wait(self, service: str) -> None:
        """Wait until a server's own health check finds it healthy."""
        check = [here(word) for word in self.services[service]["healthcheck"]["test"][1:]]
        address = f"http://127.0.0.1:{self.ports[service]}/"
        wait_for(lambda: answers(address), self.running[service], lambda: self.log(service))
        done = subprocess.run(check, env=self.environment(service), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr + self.log(service)

    def start(self, *services: str) -> None:
        for service in services:
            self.launch(service)
        for service in services:
            self.wait(service)

    def stop(self, service: str, number: int = signal.SIGTERM) -> int:
        """End a server and all its processes; return its exit code."""
        process = self.running.pop(service)
        os.killpg(process.pid, number)
        return process.wait(timeout=PATIENCE)

    def stop_all(self) -> None:
        for service in list(self.running):
            self.stop(service, signal.SIGKILL)

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text()

    def ask(self, path: str, user: str | None = "worker", data: Any = None, **headers: str) -> Any:
        """Ask the MLflow server as one of the two accounts; what there is to say goes as JSON."""
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(self.uri + path, body, headers)
        request.add_header("Content-Type", "application/json")
        if user is not None:
            word = f"{user}:{self.secret(f'mlflow_{user}_password')}".encode()
            request.add_header("Authorization", f"Basic {base64.b64encode(word).decode()}")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def runs(self, study: str) -> list[tuple[str, str]]:
        """Return the name and status of every run of a study that the server has, sorted."""
        path = "/api/2.0/mlflow/experiments/get-by-name?experiment_name="
        experiment = self.ask(path + study)["experiment"]["experiment_id"]
        wanted = {"experiment_ids": [experiment], "max_results": 1000, "run_view_type": "ALL"}
        found = self.ask("/api/2.0/mlflow/runs/search", data=wanted).get("runs", [])
        return sorted((run["info"]["run_name"], run["info"]["status"]) for run in found)

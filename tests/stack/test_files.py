"""The files of docker/: what they promise of every service, and scripts that need no server."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.stack.compose import DOCKER, IN_IMAGE, ROOT, SCRIPTS, compose, words

STACK = compose()
SERVICES = STACK["services"]
OWN = ("migrate", "mlflow", "dashboard", "worker")


def command(service: dict) -> list[str]:
    return [*service.get("entrypoint", []), *service.get("command", [])]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_may_do_little(name):
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    # the two of the back-up stage on disk what may be larger than memory
    assert service["read_only"] is (name not in ("backup", "restore"))
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert set(service["secrets"]) <= set(STACK["secrets"])
    assert "restart" in service


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_runs_is_a_script_that_is_there(name):
    service = SERVICES[name]
    for words_of in (command(service), service.get("healthcheck", {}).get("test", [])):
        for word in words_of:
            if word.startswith((IN_IMAGE, "/scripts/")):
                assert (SCRIPTS / word.rpartition("/")[2]).is_file()
    if name != "db":  # whose command is the image's
        assert str(SCRIPTS) in " ".join(words(service))
    told = service.get("environment", {})
    for value in told.values():
        if value.startswith("/run/secrets/"):
            assert value.removeprefix("/run/secrets/") in service["secrets"]
    assert not [key for key in told if key.endswith(("PASSWORD", "KEY"))]


def test_the_database_is_for_the_inside_alone():
    assert SERVICES["db"]["networks"] == ["inside"]
    assert STACK["networks"]["inside"] == {"internal": True}
    assert [name for name in SERVICES if "ports" in SERVICES[name]] == ["mlflow", "dashboard"]
    assert SERVICES["migrate"]["depends_on"]["db"] == {"condition": "service_healthy"}
    for name in ("mlflow", "dashboard"):
        waits = SERVICES[name]["depends_on"]["migrate"]
        assert waits == {"condition": "service_completed_successfully"}


def test_secrets_are_made_once_for_their_owner_alone(tmp_path):
    folder = tmp_path / "secrets"
    make = [sys.executable, SCRIPTS / "make_secrets.py", folder]
    subprocess.run(make, check=True, capture_output=True)
    made = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(made) == set(STACK["secrets"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    random = [text for name, text in made.items() if name != "aws_credentials"]
    assert len(set(random)) == len(random)
    assert min(map(len, random)) > 40
    again = subprocess.run(make, check=True, capture_output=True, text=True)
    assert again.stdout == ""
    assert {path.name: path.read_text() for path in folder.iterdir()} == made
    for name, value in made.items():
        assert not value or value not in again.stdout, name
    for secret in STACK["secrets"].values():
        assert secret["file"].startswith("./secrets/")
    ignored = subprocess.run(
        ["git", "check-ignore", "docker/secrets/postgres_password"], cwd=ROOT, check=False
    )
    assert ignored.returncode == 0


def test_only_what_the_image_copies_gets_to_the_builder():
    text = (DOCKER / "Dockerfile").read_text()
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    lines = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert lines[0] == "*"
    let_in = [line[1:] for line in lines if line.startswith("!")]
    assert sorted(copied) == sorted(let_in)
    for source in copied:
        assert (ROOT / source).exists(), source
    assert not any(fnmatch.fnmatch("docker/secrets/x", f"{name}/*") for name in let_in)
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert not re.search(r"https?://", text)


def install(**told: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["sh", SCRIPTS / "install.sh"], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "PATH": path, "PIP_DRY_RUN": "1", **told},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "said"),
    [({}, "TORCH_INDEX_URL"), ({"TORCH_BUILD": "gpu"}, "TORCH_BUILD is cpu or cuda, not gpu")],
)
def test_an_image_is_never_built_for_what_nobody_asked_for(told, said):
    done = install(**told)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.long
def test_what_the_image_installs_can_be_resolved():
    done = install(TORCH_BUILD="cuda")  # as if: nothing is installed
    assert done.returncode == 0, done.stderr


def test_an_image_is_checked_for_the_build_of_torch():
    mine = "cpu" if torch.version.cuda is None else "cuda"
    other = {"cpu": "cuda", "cuda": "cpu"}[mine]
    check = [sys.executable, SCRIPTS / "check_image.py"]
    wrong = subprocess.run([*check, other], capture_output=True, text=True)  # type: ignore[list-item]
    assert wrong.returncode == 1
    assert f"TORCH_BUILD is {other}, but the index served torch for {mine}" in wrong.stderr


@pytest.mark.parametrize("script", ["backup.sh", "restore.sh"])
def test_a_backup_is_never_written_to_or_read_from_a_terminal(script):
    ours, theirs = os.openpty()
    done = subprocess.run(
        ["sh", SCRIPTS / script], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, text=True
    )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 2
    assert "backup.tar" in done.stderr


def save_backup(folder: Path, answer: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the script with a ``docker`` that does what it is told here, and an open umask."""
    docker = folder / "bin" / "docker"
    docker.parent.mkdir(exist_ok=True)
    docker.write_text(f"#!/bin/sh\n{answer}\n")
    docker.chmod(0o755)
    return subprocess.run(
        ["sh", SCRIPTS / "save_backup.sh", *words], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "PATH": f"{docker.parent}{os.pathsep}{os.environ['PATH']}"}, umask=0,
    )  # fmt: skip


@pytest.mark.proof
def test_a_backup_is_for_its_owner_alone(tmp_path):
    """It holds the accounts."""
    done = save_backup(tmp_path, "echo $*", "backup.tar")
    assert (done.returncode, done.stderr) == (0, "")
    made = tmp_path / "backup.tar"
    assert made.read_text() == "compose run --rm -T backup\n"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    # an earlier one, which others may read, is neither destroyed nor written into
    made.chmod(0o644)
    again = save_backup(tmp_path, "echo other", "backup.tar")
    assert (again.returncode != 0, made.read_text()) == (True, "compose run --rm -T backup\n")
    assert save_backup(tmp_path, "echo half; exit 1", "failed.tar").returncode == 1
    assert not (tmp_path / "failed.tar").exists()

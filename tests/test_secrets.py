"""Passwords: whatever command is given an address, none of it is told to anybody else."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from attnstudy import redaction
from tests.conftest import SMALL
from tests.stores import command
from tests.waiting import PATIENCE

PASSWORD = "sw0rdf1sh"
"""Nothing listens at any of the addresses."""
SERVER = f"http://someone:{PASSWORD}@127.0.0.1:9"
TRACKING = (
    SERVER,
    f"https://someone:{PASSWORD}@127.0.0.1:9/below",
    f"postgresql+psycopg2://someone:{PASSWORD}@127.0.0.1:9/tracking",
    f"postgresql://someone:{PASSWORD}@127.0.0.1:9/tracking",
    f"postgresql+psycopg2://127.0.0.1:9/tracking?user=someone&password={PASSWORD}",
    f"mysql+pymysql://someone:{PASSWORD}@127.0.0.1:9/tracking",
    f"mssql://someone:{PASSWORD}@127.0.0.1:9/tracking",
    f"http://someone:{PASSWORD}/{PASSWORD}@127.0.0.1:9",
    f"postgresql+psycopg2://someone:x@{PASSWORD}@127.0.0.1:9/tracking",
    f"postgresql+psycopg2://someone:x#{PASSWORD}@127.0.0.1:9/tracking",
    f"postgresql+psycopg2://someone:x {PASSWORD}@127.0.0.1:9/tracking",
)
STORAGES = tuple(address for address in TRACKING if not address.startswith("http"))
WITH_A_STORE = (
    ("run", *SMALL, "--variant", "vanilla", "--seeds", "1", "-q"),
    ("run", *SMALL, "--variant", "vanilla", "--seeds", "1", "--dry-run"),
    ("rank", "--study", "placement"),
    ("rank", "--study", "placement", "--format", "html", "--output", "ranking.html"),
    ("rank", "--study", "placement", "--log"),
    ("rank", "--experiment", "placement", "--by", "params.variant", "--metric", "test_accuracy"),
    ("status",),
    ("sync", "placement"),
    ("checklist", "placement"),
    ("ui",),
    ("doctor", "--dataset", "digits"),
    ("prune", "placement"),
    ("export", "placement", "again.zip", "--force"),
    ("import", "placement.zip"),
    ("study", "show", "mine"),
    ("study", "check", "mine"),
    ("selftest", "mine", "-q"),
    ("tune", "mine", "--trials", "1", "--seeds-per-trial", "1", "-q"),
)
WITH_A_STORAGE = (
    ("tune", "mine", "--trials", "1", "--seeds-per-trial", "1", "-q"),
    ("tune", "mine", "--trials", "1", "--seeds-per-trial", "1", "--dry-run"),
    ("tune", "show", "mine"),
    ("checklist", "mine"),
    ("run", "mine", "--tuned", "--dry-run"),
    ("selftest", "mine", "--tuned", "-q"),
    ("study", "show", "mine"),
    ("study", "check", "mine"),
)
STUDY = """
variants = ["vanilla"]
seeds = 1
dataset = "digits"
train_size = 256
val_size = 60
channels = [4, 4]

[training]
epochs = 1
batch_size = 32
"""


@pytest.fixture(scope="session")
def packed(trained_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of the study."""
    path = tmp_path_factory.mktemp("packed") / "placement.zip"
    subprocess.run(
        command("export", "placement", path, "--store", trained_store),
        check=True, capture_output=True,
    )  # fmt: skip
    return path


@pytest.fixture
def place(store_dir: Path, workplace: Path, packed: Path) -> Path:
    """A working directory with a store, a study's file, and a logged report's page to be."""
    folder = workplace / "studies" / "mine"
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(STUDY)
    shutil.copy(packed, workplace / "placement.zip")
    return workplace


def _takes(arguments: tuple[str, ...], option: str) -> bool:
    from attnstudy.cli import cli as group

    found: Any = group
    for word in arguments:
        if word not in getattr(found, "commands", {}):
            break
        found = found.commands[word]
    return any(option in parameter.opts for parameter in found.params)


def test_every_command_that_takes_an_address_is_tried():
    from attnstudy.cli import cli as group

    def walk(command, words=()):
        for name, one in getattr(command, "commands", {}).items():
            yield from walk(one, (*words, name))
        if words:
            yield words, command

    for option, tried in (("--tracking-uri", WITH_A_STORE), ("--storage", WITH_A_STORAGE)):
        taking = {w for w, c in walk(group) if any(option in p.opts for p in c.params)}
        missing = {w for w in taking if not any(one[: len(w)] == w for one in tried)}
        assert missing == set(), option


def told_in_files(folder: Path) -> list[str]:
    """Return the files that have the password in them or in their names."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if PASSWORD in str(path.relative_to(folder))
        or (path.is_file() and PASSWORD.encode() in path.read_bytes())
    ]


def _with_a_store() -> Iterator[Any]:
    """Every command with an address of each kind, one with all; what trains twice with two."""
    kinds = (0, 2, 4, 7)  # a server, a database, a query, one that cannot be right
    for number, address in enumerate(TRACKING):
        for words in WITH_A_STORE:
            few = (0, 2) if words[0] == "selftest" else kinds
            if number in few or words == ("sync", "placement"):
                yield pytest.param(address, words, id=f"{number}-{' '.join(words[:3])}")


@pytest.mark.parametrize(("address", "arguments"), list(_with_a_store()))
def test_no_command_tells_the_password_of_a_store(address, arguments, place, cli, recwarn):
    if _takes(arguments, "--tracking-uri"):
        _silent(cli(*arguments, "--tracking-uri", address), place)
    _silent(cli(*arguments, env={"MLFLOW_TRACKING_URI": address}), place)
    assert not [warning for warning in recwarn if PASSWORD in str(warning.message)]


@pytest.mark.parametrize("arguments", WITH_A_STORAGE, ids=lambda words: " ".join(words[:3]))
@pytest.mark.parametrize("address", STORAGES, ids=range(len(STORAGES)))
def test_no_command_tells_the_password_of_a_storage(address, arguments, place, cli):
    if _takes(arguments, "--storage"):
        _silent(cli(*arguments, "--storage", address), place)
    _silent(cli(*arguments, env={"ATTNSTUDY_STORAGE": address}), place)


def _silent(answer, place: Path) -> None:
    assert PASSWORD not in answer.out + answer.err
    assert "Traceback" not in answer.err
    assert "study.toml" not in answer.err, "the study itself was refused"
    assert told_in_files(place) == []


def test_a_password_that_an_address_cannot_hold_is_refused(place, cli):
    for words in (("status",), ("sync", "placement"), ("ui",), ("rank", "--study", "placement")):
        answer = cli(*words, "--tracking-uri", f"http://someone:a/{PASSWORD}@127.0.0.1:9")
        assert (answer.code, answer.out) == (2, ""), words
        assert "the password in http://someone:***@127.0.0.1:9 ends too early" in answer.err
        assert "write '@' as %40, '/' as %2F" in answer.err
    answer = cli("sync", "placement", "--tracking-uri", f"http://me:a/{PASSWORD}@127.0.0.1:9")
    assert (answer.code, "http://me:***@127.0.0.1:9 ends too early" in answer.err) == (2, True)
    # a port and a path with an @ in it are none
    answer = cli("sync", "placement", "--tracking-uri", "http://127.0.0.1:9/a@b")
    assert (answer.code, "does not answer" in answer.err) == (3, True)


def test_the_ui_gives_the_address_in_the_environment(place, cli, monkeypatch):
    """As MLflow's own option it would be in the process list, and in the line that is printed."""
    from attnstudy.tracking import open_store, resolve

    address = f"postgresql+psycopg2://someone:{PASSWORD}@127.0.0.1:9/tracking"
    called = []

    def run(command, environ, **_):
        called.append((command, environ))
        return 0

    tracker = open_store(resolve(Path("mlruns"), None))  # for the address, where nothing listens
    monkeypatch.setattr("attnstudy.tracking.open_store", lambda *_, **__: tracker)
    monkeypatch.setattr("attnstudy.cli.ui._serve", run)
    answer = cli("ui", "--port", "5999", "--tracking-uri", address)
    ((command, environ),) = called
    assert PASSWORD not in " ".join(map(str, command)) + answer.out + answer.err
    assert environ["MLFLOW_BACKEND_STORE_URI"] == address
    assert "postgresql+psycopg2://someone:***@127.0.0.1:9/tracking" in answer.err


@pytest.mark.rest
def test_the_ui_opens_the_store_that_it_is_told_of(place):
    """MLflow takes the address from the environment, and its own children show none."""
    address = f"sqlite:///{place}/mlruns/mlflow.db?password={PASSWORD}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words, env = ("ui", "--port", str(port)), {"MLFLOW_TRACKING_URI": address}
    with watched(*words, said=place / "said", env=env) as seen:
        assert seen.until(lambda: "Application startup complete" in seen.said), seen.said
        listed = " ".join(seen.commands)
        assert "uvicorn" in listed, seen.commands
        assert PASSWORD not in listed + seen.said


@pytest.mark.rest
@pytest.mark.parametrize(
    "words",
    [
        ("run", *SMALL, "--variant", "early", "--seeds", "2", "--workers", "2"),
        ("tune", "mine", "--trials", "1", "--seeds-per-trial", "1"),
    ],
    ids=["run", "tune"],
)
def test_no_worker_shows_the_password_in_its_command(words, place, processes):
    # of a server nothing is known before the search begins, so this one has only a storage
    storage = f"sqlite:///{place}/trials.db?password={PASSWORD}"
    env = {"ATTNSTUDY_STORAGE": storage} if words[0] == "tune" else {"MLFLOW_TRACKING_URI": SERVER}
    with watched(*words, said=place / "said", env=env) as seen:
        assert seen.until(lambda: seen.process.poll() is not None)
    assert len(seen.commands) > 1, seen.said
    assert PASSWORD not in " ".join(seen.commands) + seen.said
    assert told_in_files(place) == []


class Watched:
    """A command in processes of its own, with what it said and their command lines."""

    def __init__(self, words: Sequence[str], said: Path, env: Mapping[str, str]) -> None:
        root = str(Path(__file__).parent.parent)
        self._said = said
        self.commands: set[str] = set()
        with said.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "attnstudy", *words],
                env={**os.environ, "PYTHONPATH": root, **env},
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self._said.read_text()

    def until(self, seen: Callable[[], bool]) -> bool:
        """Look at the processes until something is seen."""
        deadline = time.monotonic() + PATIENCE
        while not seen() and time.monotonic() < deadline:
            self.commands.update(_family(self.process.pid))
            time.sleep(0.05)  # a look costs 5 ms
        return seen()


@contextlib.contextmanager
def watched(*words: str, said: Path, env: Mapping[str, str]) -> Iterator[Watched]:
    """Run a command, and end whatever it has begun."""
    seen = Watched(words, said, env)
    try:
        yield seen
    finally:
        seen.process.terminate()  # a server has a session of its own, which its command ends
        with contextlib.suppress(subprocess.TimeoutExpired):
            seen.process.wait(timeout=PATIENCE)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(seen.process.pid, signal.SIGKILL)
        seen.process.wait(timeout=PATIENCE)


def _family(root: int) -> Iterator[str]:
    """Yield the command lines of a process and of all that it has begun."""
    parents: dict[int, int] = {}
    lines: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
            lines[int(folder.name)] = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    for number, line in lines.items():
        at = number
        while at > 1 and at != root:
            at = parents.get(at, 0)
        if at == root:
            yield line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a http://u:p@h/x, b", "a http://u:***@h/x, b"),
        ("postgresql://u:p/q@h/d?sslmode=x", "postgresql://u:***@h/d?sslmode=x"),
        (
            "mysql+pymysql://h/d?user=u&password=p&x=y",
            "mysql+pymysql://h/d?user=u&password=***&x=y",
        ),
        ("sqlite:///a.db", "sqlite:///a.db"),
        ("http://h:5000 does not answer (user@h)", "http://h:5000 does not answer (user@h)"),
    ],
)
def test_what_is_blotted_out(text, shown):
    assert redaction.without_passwords(text) == shown


NAMES = (
    "api_key", "apikey", "apiKey", "key", "sig", "signature", "access_key", "auth", "pass",
    "passphrase", "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "credential",
    "sslpassword", "client_secret", "subscription-key", "AWSAccessKey",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_is_blotted_out_by_whatever_name_it_goes(name):
    for before in ("?", "?x=y&", "#", "?x=y;"):
        said = f"no https://h/a{before}{name}=S3same/x&z=1 there"
        assert redaction.without_passwords(said) == f"no https://h/a{before}{name}=***&z=1 there"


def test_names_that_only_look_like_secrets_stay():
    said = "https://h/a?monkey=1&keyword=x&passage=2&author=ada&sigma=3&tokens=4"
    assert redaction.without_passwords(said) == said


def test_a_token_in_the_place_of_a_name_is_blotted_out():
    assert redaction.without_passwords("no https://ghp_0123456789abcdef@h/x, b") == (
        "no https://***@h/x, b"
    )
    assert redaction.without_passwords("no https://ada@h/x") == "no https://ada@h/x"


@pytest.mark.parametrize("password", ["aa S3same", "aa'S3same", 'aa"S3same'])
def test_what_stands_behind_a_blank_or_a_quote_is_blotted_out_as_well(password):
    address = f"postgresql://h/d?user=u&password={password}"
    assert "S3same" not in redaction.address_without_passwords(address)
    assert "S3same" not in redaction.command_without_passwords([f"--storage={address}"])
    if " " in password:
        assert redaction.without_passwords(f"no '{address}' there") == (
            "no 'postgresql://h/d?user=u&password=***' there"
        )

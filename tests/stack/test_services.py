"""The services as the compose file has them: migrated once, closed to strangers, used by many."""

from __future__ import annotations

import json
import stat
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.exc import OperationalError

from tests.stack.compose import here
from tests.waiting import PATIENCE

SECRET = "p@ss"  # a part of every password of the stack that its tests made


def processes(port: int) -> dict[str, Path]:
    """Return the command lines of this machine that name a port or a script of the stack."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            line = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(port) in line or "serve_dashboard" in line:
            found[line] = place
    return found


def test_two_migrations_at_once_leave_one_sound_database(migrations, stack):
    assert [(one.returncode, one.stdout) for one in migrations] == [
        (0, "The databases are ready.\n")
    ] * 2, [one.stderr for one in migrations]
    engine = sqlalchemy.create_engine(stack.database("mlflow"))
    with engine.connect() as connection:
        ask = sqlalchemy.text
        assert len(connection.execute(ask("SELECT * FROM alembic_version")).all()) == 1
        assert len(connection.execute(ask("SELECT * FROM alembic_version_auth")).all()) == 1
        users = connection.execute(
            ask("SELECT username, is_admin FROM users ORDER BY id LIMIT 2")
        ).all()
        names = connection.execute(ask("SELECT name FROM experiments")).scalars().all()
    assert users == [("admin", True), ("worker", False)]
    assert names.count("Default") == 1  # other tests may have made more
    engine.dispose()
    check = [here(word) for word in stack.services["db"]["healthcheck"]["test"][1:]]
    port = str(stack.postgres.port)
    assert subprocess.run(check, env={**stack.environment("db"), "PGPORT": port}).returncode == 0


def test_an_owner_has_one_database_and_nothing_else(stack):
    for owner, other in (("mlflow", "optuna"), ("optuna", "mlflow")):
        engine = sqlalchemy.create_engine(stack.database(owner, role=other))
        with pytest.raises(OperationalError, match="permission denied for database"):
            engine.connect()
        engine = sqlalchemy.create_engine(stack.database(owner))
        with engine.connect() as connection:
            rights = connection.execute(
                sqlalchemy.text(
                    "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles "
                    "WHERE rolname = current_user"
                )
            ).one()
        assert tuple(rights) == (False, False, False)
        engine.dispose()


def test_strangers_and_wrong_names_are_turned_away(stack):
    path = "/api/2.0/mlflow/experiments/search?max_results=1"
    for user, headers, code in ((None, {}, 401), ("worker", {"Host": "evil.example"}, 403)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            stack.ask(path, user, **headers)
        assert refused.value.code == code
    assert [one["name"] for one in stack.ask(path)["experiments"]]
    users = "/api/2.0/mlflow/users/list"
    assert {user["username"] for user in stack.ask(users, "admin")["users"]} >= {"admin", "worker"}
    studies = f"http://127.0.0.1:{stack.ports['dashboard']}/api/studies"
    with urllib.request.urlopen(studies, timeout=PATIENCE) as answer:
        assert "study_summaries" in json.load(answer)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(urllib.request.Request(studies, headers={"Host": "evil.example"}))


def test_no_password_is_in_a_command_line_or_a_log(stack):
    found = processes(stack.ports["mlflow"])
    assert len([line for line in found if "mlflow" in line]) >= 2
    assert any("serve_dashboard" in line for line in found)
    assert not any(SECRET in line or "p%40ss" in line for line in found)
    for log in (stack.log("mlflow"), stack.log("dashboard"), stack.postgres.log):
        assert SECRET not in log
        assert "p%40ss" not in log
    told = next(place for line, place in found.items() if "uvicorn" in line) / "environ"
    variables = dict(
        part.split("=", 1) for part in told.read_bytes().decode().split("\0") if "=" in part
    )
    assert variables["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    assert variables["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert "MLFLOW_AUTH_ADMIN_PASSWORD" not in variables
    accounts = Path(variables["MLFLOW_AUTH_CONFIG_PATH"])
    assert stat.S_IMODE(accounts.stat().st_mode) == 0o600
    assert stat.S_IMODE(accounts.parent.stat().st_mode) == 0o700

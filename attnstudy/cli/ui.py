"""``ui``: MLflow's own, on the right store, opened where a study's runs are."""

from __future__ import annotations

import contextlib
import http.client
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import click

from attnstudy import options
from attnstudy.cli.common import address_of, named_study, note, say, tell
from attnstudy.errors import EXIT_SIGNAL, TerminatedError, UsageError

_LOOK = 0.2  # seconds
_GRACE = 10.0
"""Seconds that the MLflow UI is given to end."""


@click.command(
    cls=options.StudyCommand,
    epilog=options.examples(
        "attnstudy ui", "attnstudy ui mine --open", "attnstudy ui --store other/mlruns --port 5001"
    ),
)
@options.study_argument
@options.study_known
@options.store
@options.option("--port", type=click.IntRange(1, 65535), default=5000, help="Port to listen on.")
@options.option("--open", "opens", is_flag=True, help="Open it in the browser once it answers.")
@options.quiet
def ui(**given: Any) -> int:
    """Serve the MLflow UI on the right store, on this machine only.

    Of STUDY the address of its runs is printed: its training runs by arm, with seed and metric.
    Without STUDY it is that of the only study, or else of all.
    """
    from attnstudy import tracking

    address = address_of(given)
    tracker = tracking.open_store(address, create=False)
    study = named_study(given)
    if study is None and len(known := tracking.tracked_studies(tracker)) == 1:
        (study,) = known
    place = "" if study is None else tracking.keep_view(tracker, study)
    if address.is_server:
        link = f"{tracking.ui_address(address.uri)}/{place}"
        say(f"The tracking server shows its own UI: open {link}")
        if given["opens"]:
            _open(link)
        return 0
    port = given["port"]
    _check_port(port)
    link = f"http://127.0.0.1:{port}/{place}"
    note(shlex.join(["mlflow", "ui", "--backend-store-uri", address.shown, "--port", str(port)]))
    note("Starting the MLflow UI (Ctrl-C ends it).")
    # loopback is MLflow's default; said all the same, so that no setting changes it. One worker,
    # for one reader: of four, a busy machine kills those that do not answer in five seconds
    return _serve(
        [sys.executable, "-m", "mlflow", "ui", "--port", str(port), "--host", "127.0.0.1",
         "--workers", "1"],
        # an argument, with a password in it, is for everybody to see who lists processes
        {**os.environ, "MLFLOW_BACKEND_STORE_URI": address.uri, "PYTHONSAFEPATH": "1"},
        quiet=given["quiet"],
        answers=lambda: _answers(port),
        answered=lambda: _shown(link, opens=given["opens"]),
    )  # fmt: skip


def _serve(
    words: list[str],
    environ: dict[str, str],
    *,
    quiet: bool = False,
    answers: Callable[[], bool],
    answered: Callable[[], None],
) -> int:
    """Run a server until it ends, or a signal asks for that; then with all that it has started.

    Args:
        words: its command.
        environ: its environment.
        quiet: whether what it says of itself is thrown away.
        answers: tells whether it answers requests.
        answered: called once it does.

    """
    said = subprocess.DEVNULL if quiet else None
    waiting = True
    server = subprocess.Popen(words, env=environ, start_new_session=True, stdout=said, stderr=said)
    try:
        # not one long wait: a signal may reach a thread of a library, and not the one that waits
        while (code := server.poll()) is None:
            if waiting and answers():
                waiting = False
                answered()
            time.sleep(_LOOK)
        return code
    except (KeyboardInterrupt, TerminatedError) as asked:
        number = asked.number if isinstance(asked, TerminatedError) else signal.SIGINT
        os.killpg(server.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(_GRACE)
        tell("The MLflow UI has ended.")
        return EXIT_SIGNAL + number
    finally:
        with contextlib.suppress(ProcessLookupError):  # nothing is left
            os.killpg(server.pid, signal.SIGKILL)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _shown(link: str, *, opens: bool) -> None:
    tell(f"Open {link}")
    if opens:
        _open(link)


def _open(link: str) -> None:
    import webbrowser

    if not webbrowser.open(link):
        tell(f"There is no browser to open here: open {link} yourself.")


def _check_port(port: int) -> None:
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(f"port {port} is in use: choose another with --port") from error


COMMANDS = (ui,)

"""``ui``, ``data``, ``doctor`` and ``selftest``."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from typing import Any

import click

from attnstudy import options
from attnstudy.cli.common import address_of, data_dir_of, named_study, say, tell
from attnstudy.errors import EXIT_ENVIRONMENT, EXIT_SIGNAL, TerminatedError, UsageError

_LOOK = 0.2  # seconds
_GRACE = 10.0
"""Seconds that the MLflow UI is given to end."""


@click.command(
    epilog=options.examples("attnstudy ui", "attnstudy ui --store other/mlruns --port 5001"),
)
@options.store
@options.option("--port", type=click.IntRange(1, 65535), default=5000, help="Port to listen on.")
def ui(**given: Any) -> int:
    """Open the MLflow UI on the right store, on this machine only."""
    from attnstudy import tracking

    address = address_of(given)
    tracking.open_store(address, create=False)
    if address.is_server:
        say(f"The tracking server shows its own UI: open {address.shown}")
        return 0
    port = given["port"]
    _check_port(port)
    shown = ["mlflow", "ui", "--backend-store-uri", address.shown, "--port", str(port)]
    tell(shlex.join(shown))
    tell(f"Open http://127.0.0.1:{port} (Ctrl-C ends it).")
    # loopback is MLflow's default; said all the same, so that no setting changes it. One worker,
    # for one reader: of four, a busy machine kills those that do not answer in five seconds
    return _serve(
        [sys.executable, "-m", "mlflow", "ui", "--port", str(port), "--host", "127.0.0.1",
         "--workers", "1"],
        # an argument, with a password in it, is for everybody to see who lists processes
        {**os.environ, "MLFLOW_BACKEND_STORE_URI": address.uri, "PYTHONSAFEPATH": "1"},
    )  # fmt: skip


def _serve(words: list[str], environ: dict[str, str]) -> int:
    """Run a server until it ends, or a signal asks for that; then with all that it has started."""
    server = subprocess.Popen(words, env=environ, start_new_session=True)
    try:
        # not one long wait: a signal may reach a thread of a library, and not the one that waits
        while (code := server.poll()) is None:
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


@click.group()
def data() -> None:
    """Fetch and check datasets."""


@data.command(epilog=options.examples("attnstudy data fetch cifar10"))
@click.argument("name", metavar="[DATASET]", default="cifar10")
@options.data_dir
@options.talk
def fetch(name: str, **given: Any) -> int:
    """Download a dataset where needed, decode it and keep it ready."""
    return _load_dataset(name, given, download=True)


@data.command(epilog=options.examples("attnstudy data verify cifar10"))
@click.argument("name", metavar="[DATASET]", default="cifar10")
@options.data_dir
@options.talk
def verify(name: str, **given: Any) -> int:
    """Check a dataset's files and its decoded images; download nothing."""
    return _load_dataset(name, given, download=False)


@click.command(
    epilog=options.examples("attnstudy doctor --dataset digits"),
)
@options.dataset
@options.data_dir
@options.store
def doctor(**given: Any) -> int:
    """Check versions, device, store and data, and say what to do about each fault."""
    from attnstudy import render
    from attnstudy.usecases import diagnosing

    findings = []
    for finding in diagnosing.diagnose(address_of(given), given["dataset"], data_dir_of(given)):
        findings.append(finding)
        say(render.finding_line(finding))
    return 0 if all(finding.good for finding in findings) else EXIT_ENVIRONMENT


@click.command(
    cls=options.StudyCommand,
    epilog=options.examples("attnstudy selftest", "attnstudy selftest mine"),
)
@options.study_argument
@options.study_name
@options.task
@options.what_to_run
@options.how_to_run
@options.tuned
@options.until_decided
@options.store
@options.talk
def selftest(**given: Any) -> int:
    """Train known cases and say whether this installation, or a study's training, can be trusted.

    On the embedded digits a seed is trained twice, a difference that is not there is looked for,
    and one that is large has to be found: about a minute. With STUDY, the first run of each of its
    arms, on each of its tasks, is repeated, and has to give the same results to the last bit.
    Nothing is kept.
    """
    import tempfile
    from itertools import chain
    from pathlib import Path

    from attnstudy import render
    from attnstudy.running.figures import run_figures
    from attnstudy.usecases import selftest as controls

    terminal = render.Terminal(quiet=given["quiet"], progress=not given["no_progress"])
    good, what = True, named_study(given) or "this installation"
    with tempfile.TemporaryDirectory() as place:
        if named_study(given) is None:
            findings = controls.controls(Path(place), terminal, run_figures)
        else:
            from attnstudy import asking

            asked = options.given_here()
            requests = asking.chosen_requests(asked, asking.run_requests(asked))
            findings = chain.from_iterable(
                controls.repetitions(request, Path(place), terminal, run_figures)
                for request in requests
            )
        for finding in findings:
            good = good and finding.good
            say(render.finding_line(finding))
    say("All checks passed." if good else f"Do not trust what {what} says: see above.")
    return 0 if good else EXIT_ENVIRONMENT


def _load_dataset(name: str, given: dict[str, Any], *, download: bool) -> int:
    from attnstudy import render
    from attnstudy.trainings.placement import data as datasets

    terminal = render.Terminal(quiet=given["quiet"], progress=not given["no_progress"])
    with terminal.decoding() as decoding:
        place = data_dir_of(given)
        found, folder = datasets.load(name, place, download=download, progress=decoding)
    say(render.dataset_text(name, found, folder))
    return 0


def _check_port(port: int) -> None:
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(f"port {port} is in use: choose another with --port") from error


COMMANDS = (ui, data, doctor, selftest)

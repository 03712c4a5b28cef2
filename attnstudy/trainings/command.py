"""A user's command as a training: ``command = "python train.py --seed {seed} --lr {lr}"``.

Any language, no shell. The command finds its run's folder, seed, arm and settings in its
environment, and leaves its metrics in ``metrics.json`` there, or in its last line of output; curves
in ``metrics.jsonl``, a JSON object with a ``step`` a line.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnstudy.errors import DataError, TrainingError, UsageError, near_miss
from attnstudy.fields import Field
from attnstudy.trainings.contract import Asked, Diverged, Ended, Materials, Training
from attnstudy.trainings.output import OUTPUT
from attnstudy.trainings.source import declared_files, digest

if TYPE_CHECKING:
    from attnstudy.study import RunSpec

METRICS, CURVES, CHECKPOINT = "metrics.json", "metrics.jsonl", "checkpoint"
DIVERGED = "diverged_at"
"""In place of a metric: the step of the first number that was not finite."""
_GIVEN = ("seed", "arm", "run_dir", "device", "threads")
_PLACE = re.compile(r"\{\{|\}\}|\{(\w*)\}")
_POLL = 0.1  # seconds
_GRACE = 20.0
"""Seconds that a command is given to end by itself."""
_PR_SET_PDEATHSIG = 1  # of Linux's prctl
_TAIL = 1 << 20
"""Bytes of the end of its output that are looked at, be it gigabytes."""
_SHOWN = 5
"""Last lines of the output that a failure tells."""
_PAIR = re.compile(r"([\w./-]+)\s*(?:=\s*|:\s+)(\S+)")  # 12:30 is a time


class CommandTraining(Training):
    """A user's command, run once for each arm and seed."""

    kind = "command"
    facts = (
        Field("command", str, None, "The command line.", role="config"),
        Field("metrics_in", str, None, "Where its metrics are: file or stdout.", role="config"),
        Field("code", str, None, "SHA-256 (hex) of the files that belong to it.", role="config"),
    )
    accepts_others = True
    promises = (
        "Each run has one result, whatever is killed; a command that was killed is started again.",
        "An interrupted run goes on to the same bits if the command goes on from what it left in "
        "the folder checkpoint/ of ATTNSTUDY_RUN_DIR, and draws by ATTNSTUDY_SEED alone: "
        "'attnstudy selftest' with the study's name tries a whole run twice.",
        "Whether a search sees test data is in the command's hands: ATTNSTUDY_TUNING is 1 there.",
    )

    def known_facts(self, asked: Asked) -> dict[str, Any]:
        """Return the command, after trying to fill it in for each arm."""
        options = asked.options
        for arm in asked.arms:
            known = {**dict.fromkeys(_GIVEN, ""), **asked.settings, **arm.settings}
            words(options["command"], known)
        return {
            "command": options["command"],
            "metrics_in": options["metrics_in"],
            "code": options["code"].identity,
        }

    def prepare(
        self,
        asked: Asked,
        *,
        sealed: bool,
        progress: Callable[[int, int], None] | None = None,
    ) -> Materials:
        """Make sure that the program is there."""
        options = asked.options
        program = shlex.split(options["command"])[0]
        found = shutil.which(program) or (options["folder"] / program).is_file()
        if "{" not in program and not found:
            raise DataError(
                f"the command {program!r} is not there: install it, or correct 'command'"
            )
        place = options["folder"], options["code"]
        return Materials(facts=self.known_facts(asked), place=place, data=options["code"])

    def open(self, place: Any, data: Any, *, sealed: bool) -> Any:
        """Return the folder to run it in, and the code that was meant."""
        return place if data is None else (None, data)

    def code(self, specs: Sequence[RunSpec], data: Any) -> Mapping[str, bytes]:
        """Return the files that belong to the command."""
        return {name: path.read_bytes() for name, path in data.here().items()}

    def train(self, runs: Sequence[Any], ended: Ended) -> None:
        """Run the command for each run."""
        for number, run in enumerate(runs):
            outcome: Mapping[str, float] | Exception
            try:
                outcome = _run(run)
            except Exception as error:
                outcome = error
            ended(number, outcome)


def words(command: str, known: Mapping[str, Any]) -> list[str]:
    """Return the words of a command line, with names in braces replaced by their values.

    Args:
        command: is split as a POSIX shell would split it, and no shell sees it; ``{{`` is a brace.
        known: values by name.

    Raises:
        UsageError: it cannot be split, or names what is not known.

    >>> words("python train.py --lr {lr}", {"lr": 0.1})
    ['python', 'train.py', '--lr', '0.1']

    """

    def value(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        name = match[1]
        if name not in known:
            raise UsageError(
                f"the command names {{{name}}}{near_miss(name, known)}, which is no setting "
                f"(there: {', '.join(known)}): correct it, or write {{{{{name}}}}} for the text"
            )
        return _text(known[name])

    try:
        split = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"the command cannot be read: {error}: {command}") from error
    if not split:
        raise UsageError("the command is empty: say what is to be run")
    return [_PLACE.sub(value, word) for word in split]


def command_files(command: str, declared: Iterable[str], folder: Path | None) -> dict[str, Path]:
    """Return the files that belong to a command: those declared, and those that it names.

    Raises:
        UsageError: a declared file is not there, or the command cannot be read.

    """
    base = folder or Path.cwd()
    try:
        named = [word for word in shlex.split(command) if (base / word).is_file()]
    except ValueError as error:
        raise UsageError(f"the command cannot be read: {error}: {command}") from error
    inside = [word for word in named if not Path(word).is_absolute()]
    return declared_files([*declared, *inside], folder)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _run(run: Any) -> Mapping[str, float]:
    folder: Path = run.folder.path
    place, code = run.data
    where = place if place is not None else _here(code)
    run.recorded["code"] = here = digest(code.here())
    if here != code.digest:
        raise UsageError(
            "the files of the command were changed while it ran, or are others on this machine: "
            "run the same command again"
        )
    known = {
        "seed": run.seed, "arm": run.arm, "run_dir": folder.resolve(), "device": run.device,
        "threads": run.threads, **run.settings,
    }  # fmt: skip
    environment = {
        **os.environ,
        "ATTNSTUDY_RUN_DIR": str(folder.resolve()),
        "ATTNSTUDY_SEED": str(run.seed),
        "ATTNSTUDY_ARM": run.arm,
        "ATTNSTUDY_SETTINGS": json.dumps(dict(run.settings)),
        "ATTNSTUDY_TUNING": "1" if run.tuning else "",
    }
    _end_left_behind(folder)
    _tidy(folder)
    curves = _Curves(run, folder / CURVES)
    with (folder / OUTPUT).open("ab") as log:
        begins_at = log.tell()
        try:
            process = subprocess.Popen(
                words(run.spec.command, known), cwd=where, env=environment, stdout=log,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )  # fmt: skip
        except OSError as error:
            raise UsageError(f"the command cannot be started: {error}") from error
        try:
            while (code_ := process.poll()) is None:
                time.sleep(_POLL)
                curves.read()
        finally:
            _end(process)
        curves.read()
    return _finished(run, code_, begins_at)


def _here(code: Any) -> Path:
    """Return the folder of the code on a machine to which it was sent."""
    within = (one for one in code.here().items() if not Path(one[0]).is_absolute())
    name, path = next(within, ("", Path.cwd()))
    return path.parents[len(Path(name).parts) - 1] if name else path


def _tidy(folder: Path) -> None:
    """Make a run's folder what a command expects that goes on, or begins anew."""
    (folder / METRICS).unlink(missing_ok=True)
    curves, kept = folder / CURVES, folder / CHECKPOINT
    if not curves.exists():
        return
    if not kept.is_dir() or not any(kept.iterdir()):
        curves.unlink()
        return
    content = curves.read_bytes()  # of a command that was killed, the last line may be half
    os.truncate(curves, content.rfind(b"\n") + 1)


def _end_with_parent() -> None:
    """Have this process, the command, killed when the worker that waits for it is.

    Nobody else would end it: it has a session of its own, so that no Ctrl-C reaches it unasked.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a command, with all that it has started, to end; insist after a while."""
    with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(_GRACE)
    with contextlib.suppress(ProcessLookupError):  # nothing is left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _end_left_behind(folder: Path) -> None:
    """End what an earlier attempt started, if its worker was killed: it would write here too.

    The command itself has ended with its worker; what it started may not have, and is found
    where the system tells the environment of a process, as Linux does.
    """
    if not (folder / OUTPUT).exists():
        return
    marked = f"ATTNSTUDY_RUN_DIR={folder.resolve()}".encode()
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # gone meanwhile, or somebody else's
            own = int(place.name) in (os.getpid(), os.getppid())
            if not own and marked in (place / "environ").read_bytes().split(b"\0"):
                os.kill(int(place.name), signal.SIGKILL)


def _finished(run: Any, code: int, begins_at: int) -> Mapping[str, float]:
    folder: Path = run.folder.path
    with (folder / OUTPUT).open("rb") as log:
        log.seek(max(begins_at, log.seek(0, os.SEEK_END) - _TAIL))
        lines = log.read(_TAIL).decode("utf-8", "replace").splitlines()
    if code != 0:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        said = " / ".join(line.strip() for line in lines[-_SHOWN:] if line.strip())
        raise TrainingError(f"the command {how}" + (f": {said}" if said else ""))
    in_output = run.spec.metrics_in == "stdout"
    metrics = _last_line(lines) if in_output else _file(folder / METRICS)
    own = folder.resolve()
    for path in sorted(folder.iterdir()):
        # what a link elsewhere leads to is not the run's, and may change
        if not (path.is_file() and path.resolve().is_relative_to(own)):
            continue
        if run.may_have(path.name) and path.stat().st_size:
            run.file(path.name)
    shutil.rmtree(folder / CHECKPOINT, ignore_errors=True)
    if isinstance(metrics, Mapping) and DIVERGED in metrics:
        step = metrics[DIVERGED]
        if not (type(step) in (int, float) and 0 <= step < math.inf and step == math.floor(step)):
            raise TrainingError(f"{DIVERGED} is {step!r}: give the step, counted from 0")
        before = {name: value for name, value in metrics.items() if name != DIVERGED}
        raise Diverged(int(step), before)
    return metrics


def _last_line(lines: Sequence[str]) -> Mapping[str, float]:
    last = next((line for line in reversed(lines) if line.strip()), "")
    pairs = _PAIR.findall(last)
    if not pairs or _PAIR.sub("", last).strip(" ,;\t"):
        raise TrainingError(
            f"the last line of its output is {last[:100]!r}, and metrics = 'stdout' reads "
            "'name=value ...' or 'name: value ...' there"
        )
    return {name: _number(name, value) for name, value in pairs}


def _number(name: str, text: str) -> float:
    try:
        return float(text.rstrip(",;"))
    except ValueError:
        raise TrainingError(f"the metric {name} is {text!r}, which is no number") from None


def _file(path: Path) -> Mapping[str, float]:
    if path.exists() and not path.is_file():  # a pipe would never end, nor would /dev/zero
        raise TrainingError(f"the command's {METRICS} is no file: write a JSON object into a file")
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise TrainingError(
            f"the command left no {METRICS} in its run's folder (ATTNSTUDY_RUN_DIR): write one, or "
            "say metrics = 'stdout' in the study's file"
        ) from None
    except (ValueError, RecursionError) as error:
        raise TrainingError(f"the command's {METRICS} is no JSON: {error}") from error
    return content  # type: ignore[no-any-return]  # the engine checks what it is


class _Curves:
    """Passes on the lines of ``metrics.jsonl`` as they are written."""

    def __init__(self, run: Any, path: Path) -> None:
        self.run, self.path, self.place = run, path, 0
        self.seen: dict[tuple[str, int], float] = {}

    def read(self) -> None:
        """Log what is new; a line that is not finished waits for its end."""
        if not self.path.is_file():
            self.run.keep_alive()
            return
        with self.path.open("rb") as file:
            file.seek(self.place)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self.place += len(whole)
        for line in whole.splitlines():
            if line.strip():
                self._log(line)
        self.run.keep_alive()

    def _log(self, line: bytes) -> None:
        try:
            values = json.loads(line)
            step = values.pop("step")
            hash(step)  # a list is none
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
            shown = line.decode("utf-8", "replace")[:100]
            raise TrainingError(
                f"a line of {CURVES} is {shown!r}: write a JSON object with a 'step'"
            ) from None
        new = {n: v for n, v in values.items() if (n, step) not in self.seen}
        self.seen |= {(name, step): value for name, value in new.items()}
        if new:  # an attempt that went on from its own checkpoint repeats some
            self.run.log(step, **new)

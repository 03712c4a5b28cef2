"""A Ray cluster: connecting to it, and what it has room for."""

from __future__ import annotations

import contextlib
import importlib
import logging
import math
import os
import re
import signal
import socket
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnstudy.errors import ClusterError, UsageError, cause
from attnstudy.executors.base import ENDING

if TYPE_CHECKING:
    from types import ModuleType

_SETTINGS = {
    # else whoever reaches a port of the cluster can run code on every machine of it
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    # a worker that was given no GPU sees none, now and in later versions
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
}
_LOOPBACK = "127.0.0.1"
_START = "local"  # what Ray calls a cluster of one's own
_KNOCKS = 10.0  # seconds
_SOON = 2.0  # seconds
_ADDRESS = re.compile(r"(?:ray://)?\[?([^/\[\]]+)\]?:(\d+)")
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRequest:
    """Which Ray cluster, and what each run is given there."""

    address: str | None = None
    """None takes ``RAY_ADDRESS``, else the cluster that runs on this machine, else starts one."""
    cpus: float | None = None
    """Processor cores a run; None takes as many as it has threads."""
    gpus: float = 0.0
    """GPUs a run; a part of one is shared with others."""

    @property
    def resources(self) -> dict[str, float]:
        """What a worker asks of a machine, in Ray's names; what it does not need is left out."""
        wanted = {"CPU": self.cpus or 1, "GPU": self.gpus}
        return {name: amount for name, amount in wanted.items() if amount}


def import_ray() -> ModuleType:
    """Return Ray, imported with our defaults for this process; the user's own settings win.

    Raises:
        ClusterError: Ray is not installed.

    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise ClusterError(
            "--executor ray needs Ray: install it with pip install 'attnstudy[ray]'"
        ) from error
    return ray  # type: ignore[no-any-return]


def check_address(text: str) -> str:
    """Return the address of a cluster, or ``auto`` for the one on this machine.

    Raises:
        UsageError: it is none.

    """
    if text != "auto" and not _ADDRESS.fullmatch(text):
        raise UsageError(
            f"{text!r} is no address of a Ray cluster: write host:6379 on a machine of it, or "
            "ray://host:10001 on another"
        )
    return text


def connect(request: ClusterRequest) -> str | None:
    """Connect this process to the cluster, unless it is; return what the user should read.

    Where no address is given and no cluster runs here, one is started on loopback; it ends with
    this process.

    Raises:
        ClusterError: no cluster answers there, or it does not let us in.

    """
    ray = import_ray()
    if ray.is_initialized():
        return None
    common = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": True}
    wanted = request.address or os.environ.get("RAY_ADDRESS") or _running_here()
    notice = None
    with _our_signals(), _reported(wanted):
        if wanted and wanted != _START:
            _knock(wanted)
            with _silence():
                ray.init(address=wanted, **common)
        else:
            ray.init(address=_START, include_dashboard=False, _node_ip_address=_LOOPBACK, **common)
            notice = (
                "no Ray cluster runs on this machine, so one was started for this command; name "
                "another with --address"
            )
    _be_quiet()
    return notice


def _running_here() -> str | None:
    """Return the address of the cluster that runs on this machine, if it still answers.

    Ray's own ``auto`` takes minutes where the last cluster did not end by itself.
    """
    noted: str | None = importlib.import_module("ray._private.utils").read_ray_address()
    if not noted:
        return None
    try:
        _knock(noted)
    except ClusterError:
        return None
    return noted


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Drop what Ray's C++ part writes on stderr, a line for every try; what matters is raised."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _knock(address: str, seconds: float = _KNOCKS) -> None:
    """See whether anything answers there: Ray itself takes minutes to say that nothing does."""
    found = _ADDRESS.fullmatch(address)
    if found is None:  # a name, or what Ray has to judge
        return
    try:
        socket.create_connection((found[1], int(found[2])), timeout=seconds).close()
    except OSError as error:
        raise ClusterError(
            f"no Ray cluster answers at {address} ({cause(error)}): start one with 'ray start "
            "--head', or check --address or RAY_ADDRESS"
        ) from error


@contextlib.contextmanager
def _our_signals() -> Iterator[None]:
    """Keep our handlers: Ray puts its own in their place, which end the process anywhere."""
    before = {number: signal.getsignal(number) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _reported(address: str | None) -> Iterator[None]:
    """Turn a failure to connect into a sentence for the reader."""
    where = f"at {address}" if address else "on this machine"
    try:
        yield
    except ClusterError:
        raise
    except Exception as error:  # Ray has no common base for what it raises here
        text = str(error)
        if isinstance(error, ConnectionError) or ("oken" in text and "uthenticat" in text):
            raise ClusterError(
                f"the Ray cluster {where} does not let this command in, or is none: it asks for "
                "the token that 'ray get-auth-token --generate' made on its head machine; name a "
                "copy of that file in RAY_AUTH_TOKEN_PATH"
            ) from error
        raise ClusterError(f"the Ray cluster {where} cannot be used: {cause(error)}") from error


def _be_quiet() -> None:
    """Keep Ray from printing pages about every process that ends into the midst of our lines.

    Ray has no setting for it: ``log_to_driver`` is about what workers print.
    """
    with contextlib.suppress(ImportError, AttributeError):
        module = importlib.import_module("ray._private.worker")
        if callable(module.print_to_stdstream):
            module.print_to_stdstream = _print_nothing  # type: ignore[attr-defined]


def _print_nothing(*_: object, **__: object) -> None:
    pass


def head_answers() -> bool:
    """Whether the head of the cluster that this process is connected to can be reached.

    Ray itself says nothing of it, and after a minute ends the process. To a client's end of
    ``ray://`` it does not happen: there Ray raises.
    """
    ray = import_ray()
    if ray.util.client.ray.is_connected():
        return True
    try:
        _knock(ray.get_runtime_context().gcs_address, _SOON)
    except ClusterError:
        return False
    return True


def machines() -> dict[str, Mapping[str, float]]:
    """Return what each machine of the cluster has in all, by Ray's id of it."""
    ray = import_ray()
    return {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}


def slots(request: ClusterRequest) -> int:
    """Return how many runs fit into the cluster at once, were it empty."""
    return sum(_fitting(request, has) for has in machines().values())


def _fitting(request: ClusterRequest, has: Mapping[str, float]) -> int:
    parts = (has.get(name, 0.0) / amount for name, amount in request.resources.items())
    return min(math.floor(part + _ROUNDING) for part in parts)


def require_room(request: ClusterRequest) -> int:
    """Return how many runs fit into the cluster at once.

    Raises:
        UsageError: not even one does; Ray would wait for ever, and not say so.

    """
    fitting = slots(request)
    if fitting:
        return fitting
    wanted = " and ".join(f"{amount:g} {name}" for name, amount in request.resources.items())
    # a head machine is often given nothing to do
    working = [m for m in machines().values() if m.get("CPU") or m.get("GPU")]
    kinds = sorted(Counter(map(_shown, working)).items())
    has = [f"{n} machine{'s' * (n != 1)} with {what}" for what, n in kinds]
    raise UsageError(
        f"no machine of the Ray cluster has {wanted} for a run: it has {', '.join(has) or 'none'}; "
        "ask for less with --cpus-per-run or --gpus-per-run, or add a machine"
    )


def _shown(has: Mapping[str, float]) -> str:
    return f"{has.get('CPU', 0):g} CPU and {has.get('GPU', 0):g} GPU"

"""A Ray cluster of several machines, simulated on this one."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_TOKEN = secrets.token_hex(32)  # one for all: Ray keeps the first that a process has


@dataclass
class Machines:
    """Each with a raylet, object store and workers of its own; the first is the head."""

    cluster: Any
    nodes: list[Any] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def add(self, **resources: Any) -> Any:
        node = self.cluster.add_node(include_dashboard=False, **resources)
        self.nodes.append(node)
        return node

    def lose(self, node: Any) -> None:
        """End a machine as a power failure would."""
        self.nodes.remove(node)
        self.cluster.remove_node(node, allow_graceful=False)


@contextmanager
def machines(*each: dict[str, Any]) -> Iterator[Machines]:
    """Start a cluster; a head that does no work, and machines with these resources."""
    before = dict(os.environ)  # perhaps of another cluster
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_AUTH_TOKEN"] = _TOKEN
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # workers import what the tests define
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *sys.path])
    import ray
    from ray.cluster_utils import Cluster

    def start() -> Machines:
        made = Machines(
            Cluster(
                initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
            )
        )
        try:
            for resources in each:
                made.add(**resources)
        except BaseException:
            made.cluster.shutdown()
            raise
        return made

    try:
        made = start()
    except Exception as error:  # it has no other class
        if "timed out during startup" not in str(error):
            raise
        made = start()  # Ray gives a machine half a minute, less than a busy one may take
    try:
        yield made
    finally:
        ray.shutdown()
        made.cluster.shutdown()
        for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "PYTHONPATH"):
            if name in before:
                os.environ[name] = before[name]
            else:
                os.environ.pop(name, None)

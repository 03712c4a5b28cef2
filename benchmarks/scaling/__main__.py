"""Measure what grows, and write it down: ``python -m benchmarks.scaling [PART ...]``.

Parts are runs, ranks, epochs, trials, workers and drivers; all of them take an hour or two on two
cores. The page is ``benchmarks/results/scaling-<machine>.md``; parts that were measured before stay
in it.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from attnstudy.executors import ClusterRequest, Processes, Ray
from benchmarks.scaling import drivers, epochs, ranks, runs, table, trials, workers

RESULTS = Path(__file__).parent.parent / "results"
T = TypeVar("T")


def sizes(text: str) -> list[int]:
    """Return the numbers of ``1000,3000``."""
    return [int(number) for number in text.split(",")]


def shown(measured: Iterable[T]) -> list[T]:
    """Collect what is measured, and show it as it comes."""
    found = []
    for one in measured:
        print(one, flush=True)
        found.append(one)
    return found


def of_runs(given: argparse.Namespace, place: Path) -> str:
    return table.of_runs(shown(runs.measure(place, given.runs, given.arms, given.repeats)))


def of_ranks(given: argparse.Namespace, place: Path) -> str:
    shapes = [(4, 250), (4, 2500), (25, 100), (100, 100)]
    return table.of_ranks(shown(ranks.measure(place, shapes)))


def of_epochs(given: argparse.Namespace, place: Path) -> str:
    return table.of_epochs(shown(epochs.measure(place, given.epochs, max(3, given.repeats))))


def of_trials(given: argparse.Namespace, place: Path) -> str:
    asked = shown(trials.bookkeeping(str(place / "trials.journal"), place, given.trials))
    return table.of_trials(asked, shown(trials.tune(place, given.trials, "inline")))


def of_workers(given: argparse.Namespace, place: Path) -> str:
    # on Ray, parts of a core, that so many fit into this machine; they train nothing
    part = ClusterRequest(cpus=0.5 / max(given.workers))
    executors: dict[str, Any] = {
        "processes": Processes,
        "Ray": lambda number: Ray(number, part),
    }
    return table.of_workers(
        (name, one)
        for name, made in executors.items()
        for one in shown(workers.measure(made(n), n, n, 50) for n in given.workers)
    )


def of_drivers(given: argparse.Namespace, place: Path) -> str:
    measured = []
    for name, server in _servers(place):
        with server as uri:
            for number in given.drivers:
                folder = place / name / str(number)
                folder.mkdir(parents=True)
                measured.append((name, drivers.measure(folder, uri, number, given.each, 1)))
                print(*measured[-1], flush=True)
    return table.of_drivers(measured)


def _servers(place: Path) -> Iterator[tuple[str, contextlib.AbstractContextManager[str]]]:
    yield "SQLite", drivers.server(place / "on-sqlite", f"sqlite:///{place}/server.db")
    with drivers.postgres() as uri:
        if uri is not None:
            yield "Postgres", drivers.server(place / "on-postgres", uri)


PARTS: dict[str, tuple[str, Callable[[argparse.Namespace, Path], str]]] = {
    "runs": ("Runs in a store", of_runs),
    "ranks": ("Arms and seeds of a ranking", of_ranks),
    "epochs": ("Epochs of a run", of_epochs),
    "trials": ("Trials of a search", of_trials),
    "workers": ("Workers of a driver", of_workers),
    "drivers": ("Drivers that publish to one server", of_drivers),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling")
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[[], *PARTS], default=[])
    parser.add_argument("--runs", type=sizes, default="1000,3000,10000")
    parser.add_argument("--arms", type=int, default=4, help="of the runs in the store")
    parser.add_argument("--epochs", type=sizes, default="10,100,1000")
    parser.add_argument("--trials", type=sizes, default="100,200,400,1000")
    parser.add_argument("--workers", type=sizes, default="4,16,64")
    parser.add_argument("--drivers", type=sizes, default="1,4")
    parser.add_argument("--each", type=int, default=25, help="runs of each driver")
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    path = RESULTS / f"scaling-{table.machine_name()}.md"
    written = _sections(path)
    for name in given.parts or PARTS:
        title, measure = PARTS[name]
        with tempfile.TemporaryDirectory() as place:
            written[title] = measure(given, Path(place))
        ordered = {known: written[known] for known, _ in PARTS.values() if known in written}
        path.write_text(table.page(ordered))
        print(written[title], flush=True)
    return 0


def _sections(path: Path) -> dict[str, str]:
    """Return what a page has already, by heading."""
    if not path.exists():
        return {}
    parts = re.split(r"^## (.+)\n", path.read_text(), flags=re.MULTILINE)[1:]
    return {title: text.strip() for title, text in zip(parts[::2], parts[1::2], strict=True)}


if __name__ == "__main__":
    sys.exit(main())

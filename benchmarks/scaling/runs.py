"""What commands cost in a store of many runs, and the pages of the UI on it."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.scaling import synthetic, timing
from benchmarks.scaling.serving import serving
from benchmarks.scaling.timing import Cost

NEW = 10
"""Runs that a ``sync`` delivers."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured at one size."""

    runs: int
    costs: dict[str, Cost]
    """By what people would call the command."""
    disk_mib: dict[str, float]
    pages: dict[str, Page]
    """Requests that the UI makes."""
    server_mib: float
    """Largest memory of the server and its workers."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of the server."""

    seconds: float
    mib: float


Answer = tuple[Page, dict[str, Any]]
"""What it took, and what it says."""


def measure(place: Path, sizes: Sequence[int], arms: int, repeats: int) -> Iterator[Measured]:
    """Grow a store through the sizes, and measure at each.

    The pattern's run counts as one.
    """
    store_dir = place / "mlruns"
    pattern = synthetic.make_pattern(store_dir)
    specs = (s for s in synthetic.specs_of(pattern, arms, 10**9) if s != pattern.started.spec)
    copier = synthetic.Copier(pattern)
    there = 1
    for size in sorted(sizes):
        began = time.perf_counter()
        wanted = list(itertools.islice(specs, size - there))
        folders = synthetic.fill(store_dir, pattern, wanted)
        copier.copy(folders)
        there = size
        print(f"{size} runs made in {time.perf_counter() - began:.0f} s", flush=True)

        def told(*words: object, repeats: int = repeats) -> Cost:
            asked = synthetic.attnstudy(*words, "--store", store_dir)
            return timing.best(lambda: timing.command(asked, place), repeats)

        seeds = -(-size // arms)
        costs = {
            "status": told("status"),
            "sync, nothing to do": told("sync"),
            "rank": told("rank", "--json"),
            "run --dry-run": told(
                "run", *synthetic.SMALL, "--variant", "all", "--seeds", seeds, "--dry-run",
                repeats=1,
            ),
            "run, all is there": told(
                "run", *synthetic.SMALL, "--variant", "all", "--seeds", seeds - 1, "-q", repeats=1
            ),
            "prune --dry-run": told("prune", "--dry-run"),
        }  # fmt: skip
        assert f"{size} were there already" in costs["sync, nothing to do"].out
        archive = place / "study.zip"
        costs["export"] = told("export", synthetic.STUDY, archive, repeats=1)
        archive.unlink()
        # runs that are not in MLflow yet
        fresh = list(itertools.islice(specs, NEW))
        synthetic.fill(store_dir, pattern, fresh)
        there += NEW
        costs[f"sync, {NEW} new"] = told("sync", repeats=1)
        assert f"{NEW} runs delivered" in costs[f"sync, {NEW} new"].out
        yield Measured(size, costs, _disk(store_dir), *_pages(store_dir, place))
    copier.close()


def _disk(store_dir: Path) -> dict[str, float]:
    sizes = {"mlflow.db": (store_dir / "mlflow.db").stat().st_size / 2**20}
    folders = [p for p in (store_dir / "runs").rglob("*") if p.is_file()]
    sizes["run folders"] = sum(p.stat().st_size for p in folders) / 2**20
    return sizes


@contextlib.contextmanager
def server(store_dir: Path, place: Path) -> Iterator[tuple[str, int]]:
    """Start the UI; gives its address and process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    words = synthetic.attnstudy("ui", "--store", store_dir, "--port", port)
    with serving(words, place, address) as pid:
        yield address, pid


def ask(address: str, path: str, content: object = None) -> Answer:
    """Make a request as the UI does."""
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(
        f"{address}/ajax-api/2.0/mlflow/{path}", data, {"Content-Type": "application/json"}
    )
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=300) as answer:
        body = answer.read()
    return Page(time.perf_counter() - began, len(body) / 2**20), json.loads(body)


def _pages(store_dir: Path, place: Path) -> tuple[dict[str, Page], float]:
    with server(store_dir, place) as (address, pid):
        _, found = ask(address, f"experiments/get-by-name?experiment_name={synthetic.STUDY}")
        experiment = found["experiment"]["experiment_id"]

        def listed(
            order: str, token: str | None = None, only: str = ""
        ) -> tuple[Page, dict[str, Any]]:
            content = {
                "experiment_ids": [experiment], "filter": only, "max_results": 100,
                "run_view_type": "ACTIVE_ONLY", "order_by": [order],
                **({} if token is None else {"page_token": token}),
            }  # fmt: skip
            return min(
                (ask(address, "runs/search", content) for _ in range(3)), key=lambda a: a[0].seconds
            )

        latest = "attributes.start_time DESC"
        newest = listed(latest)
        pages = {
            "run list, newest 100": newest[0],
            "the next 100": listed(latest, newest[1].get("next_page_token"))[0],
            "best 100 by test accuracy": listed("metrics.`test_accuracy` DESC")[0],
            "100 of one arm": listed(latest, only="tags.`attnstudy.variant` = 'double'")[0],
        }
        runs = newest[1]["runs"]
        run_id = runs[0]["info"]["run_id"]
        pages["a run"] = ask(address, f"runs/get?run_id={run_id}")[0]
        pages["a curve"] = ask(
            address, f"metrics/get-history?run_id={run_id}&metric_key=train_loss"
        )[0]
        return pages, _memory(pid)


def _memory(pid: int) -> float:
    """Return the largest resident memory of a process and its descendants, in MiB, added up."""
    total = 0.0
    for one in (pid, *_descendants(pid)):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{one}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    total += int(line.split()[1]) / 1024
    return total


def _descendants(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [found for child in map(int, children) for found in (child, *_descendants(child))]
    return []

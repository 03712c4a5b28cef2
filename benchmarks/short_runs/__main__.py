"""``python -m benchmarks.short_runs``: times them in turns, and prints a table in Markdown."""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

CONTESTANTS = {
    "attnstudy run": "ours",
    "Optuna, MLflow's callback": "optuna_mlflow",
    "joblib, plain MLflow": "joblib_mlflow",
    "submitit (local), plain MLflow": "submitit_mlflow",
}
"""By what people call them: the module of ``benchmarks.short_runs`` that runs them."""


def main() -> None:
    """Time all contestants in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="names of modules")
    asked = parser.parse_args()
    chosen = {n: m for n, m in CONTESTANTS.items() if not asked.only or m in asked.only}
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in chosen}
    missing: dict[str, str] = {}
    for _ in range(asked.repeats):
        for name, module in chosen.items():
            if name in missing:
                continue
            found = _time(module, asked.runs)
            if isinstance(found, str):
                missing[name] = found
            else:
                measured[name].append(found)
    print(_table(measured, missing, asked.runs))


def _time(module: str, runs: int) -> tuple[float, float] | str:
    """Return wall and processor seconds of a contestant, or why it cannot be timed."""
    with tempfile.TemporaryDirectory() as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        root = Path(__file__).parents[2]
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.short_runs.{module}", str(runs)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(root), "MLFLOW_DISABLE_TELEMETRY": "true"},
            capture_output=True,
            text=True,
            check=False,
        )
        wall = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir(exist_ok=True)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "it failed"
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, used


def _table(
    measured: Mapping[str, Sequence[tuple[float, float]]], missing: Mapping[str, str], runs: int
) -> str:
    lines = [
        f"| {runs} runs that do nothing | seconds | processor seconds | beside attnstudy |",
        "|---|---:|---:|---:|",
    ]
    ours = [wall for wall, _ in measured.get("attnstudy run", ())]
    for name, times in measured.items():
        if not times:
            lines.append(f"| {name} | {missing.get(name, 'not run')} | | |")
            continue
        wall = statistics.median(one for one, _ in times)
        used = statistics.median(one for _, one in times)
        ratio = f"{wall / statistics.median(ours):.2f}" if ours else ""
        lines.append(f"| {name} | {wall:.1f} | {used:.1f} | {ratio} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

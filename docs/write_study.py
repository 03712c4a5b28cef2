"""Write what a study in ``studies/`` publishes: its ranking and its runs as a table, from a store.

``python docs/write_study.py notebook --store DIR [--printed DIR]``: needs all runs of the study in
the store and says what it wrote. ``--printed`` is a folder with what the reference notebook printed
(``curves.csv``, ``logged_runs.csv``): its validation curves are drawn over those of the study.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from attnstudy import runs
from attnstudy.report.figures import written
from attnstudy.report.style import DASHES, INK, LIGHT, SERIES, styled
from attnstudy.runs import MAX_DURING_TRAINING, RunFolder

ROOT = Path(__file__).parent.parent
ITERATIONS = 766  # of an epoch of the notebook, whose log counts them from 0 in each
REPORTS = {"ranking.txt": "text", "ranking.json": "json", "ranking.html": "html"}
FIGURES = ("differences.svg", "differences.png", "runs.svg")
"""Those that are published by themselves too."""

VALIDATIONS = ("val_accuracy_max", MAX_DURING_TRAINING, "val_accuracy_final")

Floats = NDArray[np.float64]

Curves = Mapping[str, list[list[tuple[int, float]]]]
"""Variant -> its runs, each as (iteration, validation accuracy)."""


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")


def finished(store: Path, study: str) -> list[RunFolder]:
    """Return the complete runs of a study, by variant and seed."""
    folders = []
    for folder in runs.run_folders(store, study):
        started, result = folder.started(), folder.result()
        if started is None or result is None or folder.damaged_files():
            raise SystemExit(f"{folder.path} is not finished, or damaged")
        folders.append((started.spec.arm_name, started.spec.seed, folder))
    return [folder for _, _, folder in sorted(folders, key=lambda one: one[:2])]


def result_rows(folders: Sequence[RunFolder]) -> list[dict[str, Any]]:
    """Return a row for each run. Nothing in it says on whose machine it was."""
    rows: list[dict[str, Any]] = []
    for folder in folders:
        started, result = folder.started(), folder.result()
        assert started is not None
        assert result is not None
        spec, recorded, metrics = started.spec, result.environment, result.metrics
        rows.append(
            {
                "variant": spec.arm_name,
                "seed": spec.seed,
                "test_accuracy": metrics["test_accuracy"],
                **{name: metrics[name] for name in VALIDATIONS},
                "train_seconds": round(result.train_seconds, 2),
                "fingerprint": spec.fingerprint,
                "dataset_digest": spec.dataset_digest,
                "attnstudy": recorded["code_revision"],
                "torch": recorded["torch"],
                "python": recorded["python"],
                "device": recorded["hardware"],
            }
        )
    return rows


def csv_text(rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows of the same columns as a table."""
    file = io.StringIO()
    table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return file.getvalue()


def curves_of(folders: Sequence[RunFolder]) -> Curves:
    """Return the validations of runs, by variant."""
    curves: dict[str, list[list[tuple[int, float]]]] = {}
    for folder in folders:
        started = folder.started()
        assert started is not None
        curves.setdefault(started.spec.arm_name, []).append(folder.history("val_accuracy"))
    return curves


def printed_curves(printed: Path) -> dict[str, list[tuple[int, float]]]:
    """Return what the notebook printed while it trained, one run of each variant."""
    curves: dict[str, list[tuple[int, float]]] = {}
    with (printed / "curves.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            step = int(row["epoch"]) * ITERATIONS + int(row["iteration"])
            accuracy = int(row["val_correct_of_1000"]) / 10
            curves.setdefault(row["variant"], []).append((step, accuracy))
    return curves


def beside(ours: Curves, theirs: Mapping[str, list[tuple[int, float]]]) -> Figure:
    """Draw the notebook's curves over the range and the mean of ours, a panel a variant."""
    figure = Figure(figsize=(8.2, 5.6), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True, sharey=True).flat
    for place, (axes, variant) in enumerate(zip(panels, theirs, strict=True)):
        steps, table = stacked(ours[variant])
        colour = SERIES[place]
        axes.grid(visible=True, axis="both")
        axes.fill_between(
            steps, table.min(axis=0), table.max(axis=0), color=colour, alpha=0.2, linewidth=0,
            label=f"lowest to highest of {len(table)} seeds",
        )  # fmt: skip
        axes.plot(steps, table.mean(axis=0), color=colour, linewidth=1.5, label="their mean")
        axes.plot(
            *zip(*theirs[variant], strict=True), color=INK, linewidth=1.0, linestyle=DASHES[1],
            marker=".", markersize=3, label="the notebook's run",
        )  # fmt: skip
        axes.set_title(variant, fontsize=10, color=LIGHT["ink"])
        axes.legend(loc="lower right")
        if place >= 2:
            axes.set_xlabel("iteration")
        if place % 2 == 0:
            axes.set_ylabel("validation accuracy (%)")
    return figure


def stacked(curves: Sequence[Sequence[tuple[int, float]]]) -> tuple[Floats, Floats]:
    """Return iterations, shape (steps,), and accuracies, shape (runs, steps)."""
    steps = np.array([float(step) for step, _ in curves[0]])
    if any([step for step, _ in curve] != list(steps) for curve in curves):
        raise SystemExit("the runs were not validated at the same iterations")
    return steps, np.array([[accuracy for _, accuracy in curve] for curve in curves])


def compare(
    ours: Curves,
    theirs: Mapping[str, list[tuple[int, float]]],
    printed: Path,
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Say how much of each of the notebook's runs lies within the range of ours."""
    with (printed / "logged_runs.csv").open(encoding="utf-8", newline="") as file:
        logged = {row["variant"]: row for row in csv.DictReader(file)}
    for variant, curve in theirs.items():
        steps, table = stacked(ours[variant])
        values = np.array([accuracy for _, accuracy in curve])
        if [step for step, _ in curve] != list(steps):
            raise SystemExit(f"{variant}: the notebook validated at other iterations")
        within = (table.min(axis=0) <= values) & (values <= table.max(axis=0))
        above = int((values > table.max(axis=0)).sum())
        distance = (values - table.mean(axis=0)).mean()
        tests = [row["test_accuracy"] for row in rows if row["variant"] == variant]
        highest = [
            row[MAX_DURING_TRAINING]
            for row in rows if row["variant"] == variant
        ]  # fmt: skip
        # one run more of the same distribution is within the range of n with (n - 1) / (n + 1)
        expected = (len(table) - 1) / (len(table) + 1)
        say(
            f"{variant}: {within.sum()} of {len(values)} validations within the range of "
            f"{len(table)} runs (about {expected:.0%} expected of one run more), {above} above, "
            f"{len(values) - within.sum() - above} below; on average {distance:+.2f} points from "
            f"the mean; second half {(values - table.mean(axis=0))[40:].mean():+.2f}"
        )
        test = int(logged[variant]["test_correct_of_10000"]) / 100
        say(
            f"  test {test:.2f}, ours {min(tests)} to {max(tests)}, mean {np.mean(tests):.2f}, "
            f"SD {np.std(tests, ddof=1):.2f}; highest validation "
            f"{logged[variant]['max_val_accuracy']}, ours {min(highest)} to {max(highest)}, "
            f"mean {np.mean(highest):.2f}"
        )


def main() -> int:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python docs/write_study.py")
    parser.add_argument("study")
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--printed", type=Path)
    given = parser.parse_args()
    folder = ROOT / "studies" / given.study
    folders = finished(given.store, given.study)
    rows = result_rows(folders)
    (folder / "results.csv").write_text(csv_text(rows), encoding="utf-8")
    ours = curves_of(folders)
    (folder / "validations.csv").write_text(
        csv_text(
            [
                {"variant": row["variant"], "seed": row["seed"], "iteration": step,
                 "val_accuracy": accuracy}
                for row, one in zip(rows, folders, strict=True)
                for step, accuracy in one.history("val_accuracy")
            ]
        ),
        encoding="utf-8",
    )  # fmt: skip
    # by names alone: the page shows the command that made it
    store = {**os.environ, "ATTNSTUDY_STORE": str(given.store.resolve())}
    command = [Path(sys.executable).parent / "attnstudy", "rank", given.study]
    for name, form in REPORTS.items():
        page = f"studies/{given.study}/{name}"
        words = [*command, "--format", form, "--output", page]
        subprocess.run(words, check=True, cwd=ROOT, env=store)
    with tempfile.TemporaryDirectory() as drawn:
        words = [*command, "--figures", drawn]
        subprocess.run(words, check=True, cwd=ROOT, env=store, stdout=subprocess.DEVNULL)
        for name in FIGURES:
            shutil.copyfile(Path(drawn) / name, folder / name)
    if given.printed is not None:
        theirs = printed_curves(given.printed)
        compare(ours, theirs, given.printed, rows)
        with styled():
            figure = beside(ours, theirs)
        (folder / "curves.svg").write_bytes(written(figure, "curves-beside", "svg"))
    say(f"{len(rows)} runs, ranking and figures are in studies/{given.study}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

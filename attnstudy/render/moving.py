"""What ``attnstudy export`` and ``import`` did, and what to type next."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attnstudy.render.runs import command
from attnstudy.render.tables import amount, size, wrapped
from attnstudy.shown import in_line
from attnstudy.study import TUNING
from attnstudy.usecases.packing import Packed
from attnstudy.usecases.unpacking import ImportStatus

if TYPE_CHECKING:
    from attnstudy.tracking import Address
    from attnstudy.usecases.moving import ExportReport, ImportReport
    from attnstudy.usecases.unpacking import Difference

_NAMES_SHOWN = 10


def export_text(report: ExportReport) -> str:
    """Return what is in the archive, and what is not and why."""
    by_status: dict[Packed, list[str]] = {packed: [] for packed in Packed}
    for run in report.runs:
        by_status[run.packed].append(run.name)
    inside = [
        f"{amount(len(names), packed.value + ' run')}"
        for packed, names in by_status.items()
        if names and not packed.left
    ]
    what = _what(report.study)
    lines = [in_line(f"{what}: {' and '.join(inside)} in {report.file} ({size(report.size)})")]
    for packed, names in by_status.items():
        if names and packed.left:
            lines += wrapped(f"{packed.value}: {_some(names)}", "  ")
    if by_status[Packed.LEFT_UNFINISHED]:
        lines.append("  (--unfinished exports unfinished runs too, to go on with)")
    importing = f"attnstudy import {shlex.quote(report.file.name)}"
    lines += ["", in_line(f"On the other machine: {importing}")]
    return "\n".join(lines)


def _what(study: str) -> str:
    if study.endswith(TUNING):
        return in_line(f"tuning of {study.removesuffix(TUNING)}")
    return in_line(f"study {study}")


def export_json(report: ExportReport) -> dict[str, Any]:
    """Return the same for machines."""
    return {
        "schema": 1,
        "study": report.study,
        "file": str(report.file),
        "bytes": report.size,
        "runs": [
            {
                "run": run.name,
                "fingerprint": run.fingerprint,
                "exported": not run.packed.left,
                "state": run.packed.value.removeprefix("left out: "),
            }
            for run in report.runs
        ],
    }


def import_text(report: ImportReport, address: Address) -> str:
    """Return what was put in place, what was not and why, and what to type next."""
    counts = Counter(run.status for run in report.runs)
    parts = [f"{counts[status]} {status.value}" for status in ImportStatus if counts[status]]
    lines = [f"{_what(report.study)}: {amount(len(report.runs), 'run')} in the archive"]
    for part in parts:
        lines += wrapped(part, "  ")
    if report.threads is not None:
        here, there = report.threads
        lines += wrapped(
            f"The archive's runs are trained with {amount(there, 'thread')} each and this study's "
            f"with {here}: finished runs are results all the same, but an unfinished one cannot "
            "go on here to the same bits."
        )
    for run in report.refused:
        lines += ["", *wrapped(f"{run.name}: {run.status.value}"), in_line(f"  {run.path}")]
        lines += [in_line(f"  {_difference(difference)}") for difference in run.differences]
    if counts[ImportStatus.CONFLICT]:
        lines += [
            "",
            *wrapped(
                "To have the archive's result instead of the one here, move that run's folder "
                "away and import again."
            ),
        ]
    if report.study.endswith(TUNING):
        tune = command("tune --study", report.study.removesuffix(TUNING), address)
        lines += [
            "",
            *wrapped(
                f"Have the trials made of them, and go on: {tune}, with the study's file and the "
                "options that the search was begun with. Then nothing is trained twice; with "
                "others it is another search."
            ),
        ]
        return "\n".join(lines)
    lines += ["", f"Deliver them to MLflow: {command('sync', report.study, address)}"]
    lines += [f"Rank them:              {command('rank', report.study, address)}"]
    return "\n".join(lines)


def _difference(difference: Difference) -> str:
    name = difference.field.replace("_", " ")
    return f"{name} {_value(difference.here)} here, {_value(difference.there)} in the archive"


def _value(value: object) -> str:
    if value is None:
        return "none"
    return str(getattr(value, "value", value))


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _NAMES_SHOWN
    return ", ".join(listed[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def import_json(report: ImportReport) -> dict[str, Any]:
    """Return the same for machines."""
    return {
        "schema": 1,
        "study": report.study,
        "imported": sum(run.status.taken for run in report.runs),
        "refused": len(report.refused),
        "threads": None if report.threads is None else list(report.threads),
        "runs": [
            {
                "run": run.name,
                "fingerprint": run.fingerprint,
                "finished": run.finished,
                "fate": run.status.key,
                "differences": [
                    {
                        "field": difference.field,
                        "here": getattr(difference.here, "value", difference.here),
                        "archive": getattr(difference.there, "value", difference.there),
                    }
                    for difference in run.differences
                ],
            }
            for run in report.runs
        ],
    }

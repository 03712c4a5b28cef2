"""What ``attnstudy prune`` would remove, and what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attnstudy.render.tables import size
from attnstudy.shown import in_line
from attnstudy.usecases.housekeeping import Kind

if TYPE_CHECKING:
    from attnstudy.usecases.housekeeping import Findings, Leftover, Removal, Spared


def findings_text(findings: Findings) -> str:
    """Return what can go, with sizes, by kind; each place on a line of its own, to be copied."""
    if not findings.leftovers:
        return "\n".join(["Nothing to remove.", *_spared(findings.spared)])
    lines: list[str] = []
    for kind in Kind:
        own = [leftover for leftover in findings.leftovers if leftover.kind is kind]
        if own:
            lines.append(f"{kind.value}:")
            lines += map(_line, own)
    lines += [f"{size(findings.size):>10}  in all", *_spared(findings.spared)]
    return "\n".join(lines)


def _line(leftover: Leftover) -> str:
    name = "" if leftover.name is None else f"  ({leftover.name})"
    return in_line(f"{size(leftover.size):>10}  {leftover.path}{name}")


def _spared(spared: tuple[Spared, ...]) -> list[str]:
    return [in_line(f"Left alone, {reason}: {leftover.path}") for leftover, reason in spared]


def removal_text(removal: Removal) -> str:
    """Return what was removed."""
    freed = f"{len(removal.removed)} removed, {size(removal.freed)} freed."
    return "\n".join([freed, *_spared(removal.spared)])


def removal_fault(removal: Removal) -> str:
    """Return the sentence on what could not be removed."""
    leftover, reason = removal.failed[0]
    others = f" and {len(removal.failed) - 1} more" if len(removal.failed) > 1 else ""
    return (
        f"{leftover.path}{others} cannot be removed ({reason}): give write access there, then run "
        f"the same command again; {len(removal.removed)} removed before, {size(removal.freed)} "
        "freed"
    )


def findings_json(findings: Findings) -> dict[str, Any]:
    """Return what can go, for machines."""
    return {
        "schema": 1,
        "bytes": findings.size,
        "found": [_leftover(leftover) for leftover in findings.leftovers],
        "spared": _reasons(findings.spared),
    }


def removal_json(findings: Findings, removal: Removal) -> dict[str, Any]:
    """Return what was found and removed, for machines."""
    return {
        **findings_json(findings),
        "freed": removal.freed,
        "removed": [str(leftover.path) for leftover in removal.removed],
        "spared": _reasons((*findings.spared, *removal.spared)),
    }


def _leftover(leftover: Leftover) -> dict[str, Any]:
    return {
        "kind": leftover.kind.name.lower(),
        "run": leftover.name,
        "path": str(leftover.path),
        "bytes": leftover.size,
    }


def _reasons(spared: tuple[Spared, ...]) -> list[dict[str, str]]:
    return [{"path": str(leftover.path), "reason": reason} for leftover, reason in spared]

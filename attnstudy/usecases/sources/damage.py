"""What a ranking says of files that are damaged or lost: it never leaves something out unsaid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attnstudy.errors import StoreError
from attnstudy.runs import PREDICTIONS, START, RunFolder, Start, facts_path, study_facts
from attnstudy.tracking import Tracker

_NAMED = 3  # runs that a message names; the others are counted


def named(runs: Sequence[str]) -> str:
    """Return the first of some runs, and how many more there are."""
    more = f" and {len(runs) - _NAMED} more" if len(runs) > _NAMED else ""
    return ", ".join(runs[:_NAMED]) + more


def damaged(folder: RunFolder, name: str, file: str, started: Start | None) -> StoreError:
    """Return the error of a run folder that is not as it was written."""
    again = "attnstudy run --rerun" if started is None else started.spec.command_line("--rerun")
    mend = "put it back from a copy"
    if file == START and started is not None:
        mend = f"'attnstudy sync {folder.path.parent.name}' writes it anew from result.json"
    path = folder.path / file
    how = "damaged" if path.exists() else "lost"
    return StoreError(
        f"{name}: {path} is {how}, so nothing is ranked: {mend}, or repeat the run by '{again}'"
    )


def lost_plans(tracker: Tracker, study: str) -> tuple[str, ...]:
    """Return that a plan may be lost, of a study of which neither folder nor MLflow has one."""
    store_dir = tracker.address.store_dir
    if not study_facts(store_dir, study).lost:
        return ()
    return (
        f"study.json is lost: {facts_path(store_dir, study)} held the plans, and MLflow has none "
        "of this study; put it back from a copy, then rank again",
    )


def damage_notes(
    study: str, damage: Mapping[str, Sequence[str]], *, scope: bool | None
) -> Iterator[str]:
    """Give what is said of files that are damaged and of which no number comes.

    Args:
        study: its name.
        damage: files that are damaged, and of which runs.
        scope: whether the scope over new test items is told; None where no predictions are read.

    """
    for file, names in damage.items():
        what = "no number here comes from it"
        if file == PREDICTIONS and scope is not None:
            what = "read in MLflow instead, which has it as the result names it"
            if not scope:
                what = "the scope over new test items needs it, and is left out"
        yield (
            f"{named(names)}: {file} is damaged ({what}): 'attnstudy status {study} --verify' says "
            "what to do"
        )

"""``sync``: deliver to the tracking store what is missing there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from attnstudy import runs
from attnstudy.runs import Damage, Inspection, Remedy, RunFolder, Status, inspect
from attnstudy.tracking import Address, Figures, Publisher, open_store
from attnstudy.usecases.publishing import LONG_PATIENCE, BackgroundPublisher
from attnstudy.usecases.recovering import recover_facts, recover_record
from attnstudy.usecases.studies import choose_studies


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What ``sync`` did."""

    delivered: int
    """Runs of which something was sent."""
    already: int
    """Runs of which the store had everything."""
    deleted: int
    """Runs that were deleted in the UI, and are left so."""
    refused: int
    """Runs that cannot be published; why was said."""
    damaged: int
    """Other runs of which something is damaged here; what was said."""


def sync(
    address: Address,
    study: str | None,
    figures: Figures,
    progress: Callable[[int, int], None],
    warn: Callable[[str], None],
    *,
    republish: bool = False,
) -> SyncReport:
    """Deliver to the tracking store what it has not confirmed, and put states right there.

    What can be written anew of records and facts that are lost is written anew before.

    Raises:
        StoreError: the store is unreachable; what was delivered stays delivered.

    """
    names = choose_studies(address, study)
    for name in names:
        recover_facts(address, name, warn)
    looked = {name: _look(address, name, warn) for name in names}
    todo = {
        # the command that trains a run publishes it
        name: [one.folder for one in found if one.status is not Status.RUNNING]
        for name, found in looked.items()
    }
    counts: Counter[str] = Counter()
    total = sum(len(folders) for folders in todo.values())

    def settled(folder: RunFolder, changed: bool) -> None:
        deleted = folder.published(address.key).get("deleted", False)
        counts["deleted" if deleted else "delivered" if changed else "already"] += 1
        progress(counts.total(), total)

    refused: set[RunFolder] = set()
    for name, folders in todo.items():
        if not folders:
            continue
        question = runs.study_facts(address.store_dir, name).question
        connect = partial(_connect, address, name, question, figures, republish, warn)
        told: list[str] = []
        publisher = BackgroundPublisher[RunFolder](
            connect, told.append, patience=LONG_PATIENCE, settled=settled
        )
        publisher.submit_all(folders)
        publisher.close()
        for sentence in told:
            if sentence != str(publisher.down):  # which is raised
                warn(sentence)
        if publisher.down is not None:
            raise publisher.down
        refused |= set(publisher.refused)
    damaged = 0
    for found in (one for runs_of in looked.values() for one in runs_of):
        if found.folder not in refused and (harm := _harm(found)):
            damaged += 1
            for one in harm:
                warn(f"{found.name}: {one}: {found.advice(one)}")
    return SyncReport(
        counts["delivered"], counts["already"], counts["deleted"], len(refused), damaged
    )


def _look(address: Address, study: str, warn: Callable[[str], None]) -> list[Inspection]:
    """Read the runs of a study, and write lost records anew."""
    found = [inspect(one, thorough=True) for one in runs.run_folders(address.store_dir, study)]
    for one in found:
        recover_record(one, warn)
    return found


def _harm(found: Inspection) -> list[Damage]:
    """Return what is wrong with a run and cannot be written anew."""
    mended = (Remedy.RECORD, Remedy.NOTED, Remedy.RESUMED)
    return [one for one in found.damage if one.remedy not in mended]


def _connect(
    address: Address,
    study: str,
    question: str | None,
    figures: Figures,
    republish: bool,
    mended: Callable[[str], None],
) -> Publisher:
    return Publisher(open_store(address), study, question, figures, republish, mended)

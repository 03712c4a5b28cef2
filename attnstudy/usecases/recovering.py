"""What was lost of a study is written anew from where it is known as well."""

from __future__ import annotations

from collections.abc import Callable

from attnstudy import runs
from attnstudy.errors import StoreError
from attnstudy.runs import Inspection, Remedy
from attnstudy.tracking import Address, ExperimentDeletedError, open_for_reading, read_plans


def lost_facts(address: Address, study: str) -> str | None:
    """Return what is to be said of a study whose facts are lost; None if they are not."""
    if not runs.study_facts(address.store_dir, study).lost:
        return None
    path = runs.facts_path(address.store_dir, study)
    return (
        f"study.json is lost: {path} held the plans of {study!r}; 'attnstudy sync {study}' writes "
        "it anew, from the runs and from the plans that MLflow has"
    )


def recover_facts(address: Address, study: str, warn: Callable[[str], None]) -> None:
    """Write the facts of a study anew if they are lost, and say from what.

    Nothing is written while MLflow, which may have the plans, cannot be read.

    Raises:
        StoreError: the store cannot be written.

    """
    if not runs.study_facts(address.store_dir, study).lost:
        return
    try:
        tracker = open_for_reading(address)
        (plans, _), question = read_plans(tracker, study), tracker.note(study)
    except ExperimentDeletedError:  # publishing says so
        return
    except StoreError as error:
        warn(f"study.json of {study!r} is lost, and its plans cannot be read in MLflow: {error}")
        return
    with runs.changing_study_facts(address.store_dir, study) as facts:
        if not facts.lost:  # somebody else was faster
            return
        facts.plans = [one.to_json() for one in plans]
        facts.question = question
    where = runs.facts_path(address.store_dir, study)
    said = f"study.json is lost: {where} is written anew, from the runs and"
    if plans:
        warn(f"{said} {len(plans)} plan{'s' * (len(plans) != 1)} that MLflow has")
    else:
        warn(
            f"{said} without a plan, for MLflow has none: if there was one, put it back from a copy"
        )


def recover_record(found: Inspection, warn: Callable[[str], None]) -> None:
    """Write the lost record of a finished run anew, and say so.

    Raises:
        StoreError: the run's folder cannot be written.

    """
    if not any(one.remedy is Remedy.RECORD for one in found.damage):
        return
    with found.folder.claim() as mine:
        if mine and found.folder.mend_record():
            warn(f"{found.name}: run.json was damaged, and is written anew from result.json")

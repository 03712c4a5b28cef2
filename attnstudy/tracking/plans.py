"""The plans of a study, as tags of its MLflow experiment: written once, never changed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attnstudy.runs import recorded_plans, study_facts
from attnstudy.studyplan import RecordedPlan
from attnstudy.tracking.store import Tracker

if TYPE_CHECKING:
    from attnstudy.tracking.run_lookup import RunLookup

_KEY = re.compile(r"(attnstudy\.plan\.\d+\.[0-9a-f]+)\.(\d+)")
_PART = 4000  # characters; an experiment's tag may have 5000


def send_plans(lookup: RunLookup) -> None:
    """Send the plans that this store recorded and the experiment does not have yet.

    Tags are set and not appended, so it can be repeated at any time.
    """
    there = lookup.experiment.tags
    for recorded in recorded_plans(study_facts(lookup.store_dir, lookup.study)):
        for key, part in _tags(recorded).items():
            if key not in there:
                client, experiment = lookup.requests.client, lookup.experiment.experiment_id
                lookup.requests.write(
                    "record-plan", client.set_experiment_tag, experiment, key, part
                )


def _tags(recorded: RecordedPlan) -> Mapping[str, str]:
    text = json.dumps(recorded.to_json(), sort_keys=True, separators=(",", ":"))
    name, starts = _name(recorded), list(enumerate(range(0, len(text), _PART)))
    # the first part last: without it a record counts as not there yet
    return {f"{name}.{n}": text[start : start + _PART] for n, start in reversed(starts)}


def read_plans(tracker: Tracker, study: str) -> tuple[tuple[RecordedPlan, ...], int]:
    """Return the plans of a study, oldest first, and how many records are damaged."""
    experiment = tracker.experiment(study)
    texts = {} if experiment is None else _texts(experiment.tags)
    read = [_read(name, text) for name, text in texts.items()]
    found = [recorded for recorded in read if recorded is not None]
    return tuple(sorted(found, key=lambda recorded: recorded.at)), len(read) - len(found)


def _name(recorded: RecordedPlan) -> str:
    return f"attnstudy.plan.{recorded.at}.{recorded.hash}"


def _texts(tags: Mapping[str, str]) -> dict[str, str]:
    parts: dict[str, dict[int, str]] = {}
    for key, value in tags.items():
        if match := _KEY.fullmatch(key):
            parts.setdefault(match[1], {})[int(match[2])] = value
    return {
        name: "".join(part[number] for number in sorted(part))
        for name, part in parts.items()
        if 0 in part
    }


def _read(name: str, text: str) -> RecordedPlan | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    found = RecordedPlan.from_json(content) if isinstance(content, dict) else None
    return found if found is not None and _name(found) == name else None

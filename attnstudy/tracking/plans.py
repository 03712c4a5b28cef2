"""The plans of a study, as tags of its MLflow experiment: written once, never changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from attnstudy.runs import recorded_plans, study_facts
from attnstudy.studyplan import RecordedPlan
from attnstudy.tracking.store import Tracker

if TYPE_CHECKING:
    from attnstudy.tracking.shelf import Shelf

_KEY = re.compile(r"(attnstudy\.plan\.\d+\.[0-9a-f]+)\.(\d+)")
_PART = 4000  # characters; an experiment's tag may have 5000


def send_plans(shelf: Shelf) -> None:
    """Send the plans that this home recorded and the experiment does not have yet.

    Tags are set and not appended, so it can be repeated at any time.
    """
    there = shelf.experiment.tags
    for recorded in recorded_plans(study_facts(shelf.home, shelf.study)):
        for key, part in _tags(recorded).items():
            if key not in there:
                client, experiment = shelf.requests.client, shelf.experiment.experiment_id
                shelf.requests.write(
                    "record-plan", client.set_experiment_tag, experiment, key, part
                )


def _tags(recorded: RecordedPlan) -> Mapping[str, str]:
    text = json.dumps(recorded.to_json(), sort_keys=True, separators=(",", ":"))
    name = f"attnstudy.plan.{recorded.at}.{recorded.plan.hash}"
    starts = range(0, len(text), _PART)
    return {f"{name}.{n}": text[start : start + _PART] for n, start in enumerate(starts)}


def read_plans(tracker: Tracker, study: str) -> tuple[tuple[RecordedPlan, ...], int]:
    """Return the plans of a study, oldest first, and how many records are damaged."""
    experiment = tracker.experiment(study)
    texts = [] if experiment is None else list(_texts(experiment.tags))
    read = [_read(text) for text in texts]
    found = [recorded for recorded in read if recorded is not None]
    return tuple(sorted(found, key=lambda recorded: recorded.at)), len(read) - len(found)


def _texts(tags: Mapping[str, str]) -> Iterator[str]:
    parts: dict[str, dict[int, str]] = {}
    for key, value in tags.items():
        if match := _KEY.fullmatch(key):
            parts.setdefault(match[1], {})[int(match[2])] = value
    for part in parts.values():
        yield "".join(part[number] for number in sorted(part))


def _read(text: str) -> RecordedPlan | None:
    try:
        content = json.loads(text)
    except json.JSONDecodeError:
        return None
    return RecordedPlan.from_json(content) if isinstance(content, dict) else None

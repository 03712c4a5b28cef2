"""What a run in MLflow is checked by without its folder: tags that identify it, and a digest."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping

from attnstudy.runs import PREDICTIONS, Result, Start
from attnstudy.study import later_defaults, roles
from attnstudy.tracking.params import param_texts

RESULT_DIGEST = "attnstudy.result"
"""SHA-256 (hex) of everything that decides what a ranking makes of the run."""
PREDICTIONS_DIGEST = "attnstudy.predictions"
"""SHA-256 (hex) of ``predictions.csv``; part of the other digest."""
METRIC_NAMES = "attnstudy.metrics"
"""The names of the metrics of a result, as JSON, where not all runs have the same.

What a tag cannot hold goes on in ``attnstudy.metrics.1`` and so on.
"""
_TAG_LENGTH = 8000
"""Of the text of a tag: MLflow cuts what is longer."""
_PARTS = 50
"""So many tags at most: MLflow takes 100 at a time. The names of more metrics are not told."""
_IDENTITY = (
    "study", "variant", "arm", "seed", "fingerprint", "config", "dataset_digest", "test_images",
    "classes", "predictions",
)  # fmt: skip


def identity_tags(started: Start) -> dict[str, str]:
    """Return the tags that say which run it is."""
    spec, facts = started.spec, started.dataset
    tags = {
        "study": spec.study,
        "training": spec.training,
        "task": spec.task,
        "variant": spec.facts.get("variant"),
        "arm": spec.arm,
        "seed": str(spec.seed),
        "fingerprint": spec.fingerprint,
        "config": spec.config_id,
    }
    if facts is not None:
        tags |= {
            "dataset_digest": facts.digest,
            "test_images": str(facts.test_images),
            "classes": str(len(facts.class_names)),
        }
    return {f"attnstudy.{name}": text for name, text in tags.items() if text is not None}


def sealing_tags(started: Start, result: Result) -> dict[str, str]:
    """Return the tags of a finished run: which it is, and the digests of what came out."""
    tags = identity_tags(started)
    if PREDICTIONS in result.files:
        tags[PREDICTIONS_DIGEST] = result.files[PREDICTIONS]
    if started.spec.training is not None:
        tags |= _name_tags(result.metrics)
    tags[RESULT_DIGEST] = result_digest(
        started_at=started.at,
        status=result.status.value,
        tags=tags,
        params=param_texts(started.spec.to_dict()),
        metrics=result.metrics,
    )
    return tags


def _name_tags(metrics: Iterable[str]) -> dict[str, str]:
    """Return the tags that tell the names of the metrics of a result."""
    text = json.dumps(sorted(metrics))
    parts = [text[start : start + _TAG_LENGTH] for start in range(0, len(text), _TAG_LENGTH)]
    if len(parts) > _PARTS:
        return {}
    return {_part(number): part for number, part in enumerate(parts)}


def metric_names(tags: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the names that such tags tell; None if there are none, or they cannot be read."""
    parts = itertools.takewhile(bool, (tags.get(_part(n), "") for n in range(_PARTS)))
    try:
        names = json.loads("".join(parts))
    except (ValueError, RecursionError):  # cut, by an earlier version, or by somebody else
        return None
    told = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return tuple(names) if told else None


def _part(number: int) -> str:
    return f"{METRIC_NAMES}.{number}" if number else METRIC_NAMES


def result_digest(
    *,
    started_at: int,
    status: str,
    tags: Mapping[str, str],
    params: Mapping[str, str],
    metrics: Mapping[str, float],
) -> str:
    """Return the digest of a finished run.

    Args:
        started_at: when it was first started, milliseconds since the epoch.
        status: ``complete`` or ``diverged``.
        tags: its tags in MLflow; those of others are left out.
        params: its params there; fields that did not exist when it was made have no effect.
        metrics: the numbers of its result, by name.

    """
    training = tags.get("attnstudy.training")
    usual = param_texts(later_defaults(training))
    declared = roles(training) if training is None else dict.fromkeys(params)
    content = {
        "identity": {name: tags.get(f"attnstudy.{name}") for name in _IDENTITY}
        | ({} if training is None else {"training": training}),
        "metrics": {name: float(value) for name, value in metrics.items()},
        "params": {
            name: params[name]
            for name in declared
            if name in params and params[name] != usual.get(name)
        },
        "started_at": started_at,
        "status": status,
    }
    # a float is written by its shortest exact form, the same on every machine
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

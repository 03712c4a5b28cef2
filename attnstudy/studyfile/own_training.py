"""What a study's file says of the user's own training."""

from __future__ import annotations

from typing import Any

from attnstudy.errors import UsageError
from attnstudy.studyfile.checking import checked
from attnstudy.studyfile.keys import OF_PLACEMENTS, OWN_TRAINING, SETTINGS_TABLE
from attnstudy.studyfile.said import OwnTraining, Place


def own_training_of(place: Place, content: dict[str, Any]) -> OwnTraining | None:
    """Take what a file says of the user's own training out of its content."""
    given = {
        key: checked(place, "", key, content.pop(key)) for key in OWN_TRAINING if key in content
    }
    settings = content.pop(SETTINGS_TABLE, None)
    if "train" not in given and "command" not in given:
        if given or settings is not None:
            key = next(iter(given), f"[{SETTINGS_TABLE}]")
            raise UsageError(
                f"{place.of('', key)} belongs to a training of your own: name it with train = "
                "'package.module:function' or command = '...'"
            )
        return None
    if "train" in given and "command" in given:
        raise UsageError(
            f"{place.of('', 'train')} and command both say what is run: leave one of them out"
        )
    for table in ("", "training", "run"):
        inner = content if not table else content.get(table, {})
        for key in inner if isinstance(inner, dict) else ():
            if key in OF_PLACEMENTS or (not table and key == "training"):
                raise UsageError(
                    f"{place.of(table, key)} is for the placements of "
                    f"attention, and this study runs a training of its own: put its settings into "
                    f"[{SETTINGS_TABLE}]"
                )
    if not isinstance(settings, dict | None):
        raise UsageError(
            f"{place.of('', SETTINGS_TABLE)} is a table: write [{SETTINGS_TABLE}] above it"
        )
    if given.get("metrics", "file") not in ("file", "stdout") or (
        "metrics" in given and "command" not in given
    ):
        raise UsageError(f"{place.of('', 'metrics')} is 'file' or 'stdout', and goes with command")
    code = given.get("code", ())
    return OwnTraining(
        function=given.get("train"),
        command=given.get("command"),
        metrics=given.get("metrics", "file"),
        code=(code,) if isinstance(code, str) else tuple(map(str, code)),
        settings=settings or {},
    )

"""The keys that a study's file may have, table by table, and what each of them holds."""

from __future__ import annotations

import re

from attnstudy.fields import Field
from attnstudy.trainings.placement.arms import ARM_FIELDS
from attnstudy.trainings.placement.settings import SETTINGS, SIZES, setting

# table -> key -> a setting, or (types allowed, how they are called); "" is the top level
TEXT = ((str,), "a text")
_WHOLE = ((int,), "a whole number")
NUMBER = ((int, float), "a number")
_LIST = ((list, str), "a text or a list")
Kind = tuple[tuple[type, ...], str] | Field
KEYS: dict[str, dict[str, Kind]] = {
    "": {
        "question": TEXT,
        "variants": _LIST,
        "seeds": ((str, int, list), "a number, a text like '0-29' or a list"),
        "dataset": TEXT,
        "train": TEXT,
        "command": TEXT,
        "metrics": TEXT,
        "code": _LIST,
    },
    "training": {},
    "ranking": {
        "metric": TEXT,
        "direction": TEXT,
        "alpha": NUMBER,
        "correction": TEXT,
        "control": TEXT,
        "margin": NUMBER,
        "paired": ((bool,), "true or false"),
        "looks": ((list,), "a list of whole numbers"),
        "tasks": TEXT,
    },
    "run": {
        "workers": ((int, str), "a number or 'auto'"),
        "fuse": ((int, str), "a number or 'auto'"),
        "threads": _WHOLE,
        "device": TEXT,
        "executor": TEXT,
        "address": TEXT,
        "cpus_per_run": NUMBER,
        "gpus_per_run": NUMBER,
        "data_dir": TEXT,
        "store": TEXT,
        "tracking_uri": TEXT,
    },
    "tuning": {
        "trials": _WHOLE,
        "seeds_per_trial": _WHOLE,
        "tuning_seeds": ((str, list), "a text like '100-102' or a list"),
        "pruner": TEXT,
        "sampler": TEXT,
        "sampler_seed": _WHOLE,
        "storage": TEXT,
        "metric": TEXT,
        "direction": TEXT,
        "space": ((dict,), "a table of fields"),
    },
}
for _field in (*SIZES, *SETTINGS):
    KEYS.setdefault(_field.table, {})[_field.name] = _field
ARM_KEYS = {name: setting(name) for name in ARM_FIELDS}
TASK_RANKING: dict[str, Kind] = {"metric": TEXT, "direction": TEXT}
TASK_KEYS: dict[str, Kind] = {
    "dataset": TEXT,
    **{field.name: field for field in (*SIZES, *SETTINGS)},
    **TASK_RANKING,
}
ARMS = "arms"
TASKS = "tasks"
SETTINGS_TABLE = "settings"
OWN_TRAINING = ("train", "command", "metrics", "code")
"""Keys of a file that says what is run: a function, or a command."""
OF_PLACEMENTS = frozenset(
    {"dataset", "variants", *(field.name for field in (*SIZES, *SETTINGS)), "fuse", "data_dir"}
)
"""Keys that mean something to the placements alone."""
ARM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

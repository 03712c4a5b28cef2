"""Small searches for tests: on the digits, in this process, in a fraction of a second a trial."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attnstudy import runs
from attnstudy.study import tuning_of

STORE_DIR = Path("mlruns")
SMALL = (
    "--dataset", "digits", "--train-size", "200", "--val-size", "60", "--epochs", "1",
    "--channels", "4,4", "--batch-size", "32", "--seeds", "3", "--executor", "inline",
)  # fmt: skip
BOTH = ("--variant", "vanilla", "--variant", "late")


def space(text: str, study: str = "placement", more: str = "") -> None:
    """Write a study's file with a search space."""
    path = Path("studies", study, "study.toml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{more}\n[tuning.space]\n{text}\n")


def tune(cli: Any, *arguments: str, settings: Sequence[str] = SMALL, **named: Any) -> Any:
    """Run ``tune`` and return its answer and its JSON."""
    answer = cli("tune", *settings, "--json", *arguments, **named)
    return answer, json.loads(answer.out) if answer.out else None


def numbers(found: dict[str, Any]) -> dict[str, list[Any]]:
    """Return what must not differ between two searches: everything but the times."""
    timeless = ("number", "state", "fields", "value", "steps", "by_seed", "diverged", "runs",
                "epochs", "reason")  # fmt: skip
    return {
        tuning["variant"]: [{name: trial[name] for name in timeless} for trial in tuning["trials"]]
        for tuning in found["variants"]
    }


def tuned_folders(store_dir: Path = STORE_DIR, study: str = "placement") -> list[runs.RunFolder]:
    """Return the folders of all runs of a search."""
    return runs.run_folders(store_dir, tuning_of(study))

"""Study files of the tests: digits, networks of a few channels, trained in this process."""

from __future__ import annotations

from pathlib import Path

SMALL = """
dataset = "digits"
train_size = 128
val_size = 30
channels = [4, 4]
attention = "channel"
[training]
epochs = 1
batch_size = 32
[run]
executor = "inline"
"""
"""What is small, to be put behind the top level of a study's file."""


def write_study(place: Path, name: str, text: str) -> Path:
    """Write ``studies/NAME/study.toml`` below a folder and return its path."""
    path = place / "studies" / name / "study.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path

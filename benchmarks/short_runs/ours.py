"""A study of our own: two arms, each run exactly once, in worker processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_STUDY = """\
train = "benchmarks.short_runs.work:train"
seeds = "0-{last}"
[arms.a]
shift = 0
[arms.b]
shift = 1
[ranking]
metric = "score"
"""


def main() -> None:
    """Write the study's file, and have it run as a user would."""
    runs = int(sys.argv[1])
    folder = Path("studies", "nothing")
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(_STUDY.format(last=runs // 2 - 1), encoding="utf-8")
    command = [sys.executable, "-m", "attnstudy", "run", "nothing", "--quiet"]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()

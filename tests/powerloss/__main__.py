"""``python -m tests.powerloss run|tune FOLDER``: lose power at every moment, or at one again.

The study is recorded in FOLDER, or taken from there where it was. ``--every`` takes one state of so
many, ``--number`` one alone, and leaves it in FOLDER/place as it was before the command.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from tests.crashes.zygote import Zygote, start
from tests.powerloss.disk import put
from tests.powerloss.studies import recorded


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("run", "tune"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--number", type=int)
    parser.add_argument("--list", action="store_true", help="say which there are")
    asked = parser.parse_args()
    folder = asked.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    door = folder / f"door-{os.getpid()}"
    start(door, os.getpid())
    study = recorded(Zygote(door), asked.command, folder)
    tried, broken, begun = 0, 0, time.monotonic()
    for state in study.states():
        if asked.list:
            print(state)
        elif asked.number == state.number or (
            asked.number is None and not state.number % asked.every
        ):
            tried += 1
            if (wrong := study.try_state(state)) is not None:
                broken += 1
                print(wrong, flush=True)
            if asked.number is not None:
                put(state.tree, study.place)
            elif not tried % 50:
                print(f"{tried} states tried", file=sys.stderr, flush=True)
    took = time.monotonic() - begun
    print(f"{tried} states of {len(study.operations)} operations, {broken} broken, {took:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

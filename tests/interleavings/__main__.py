"""``python -m tests.interleavings FOLDER``: play schedules of several commands at once.

``--from`` and ``--schedules`` say which seeds; ``--trace`` shows in which order the actors of one
moved. A seed that breaks something does so each time.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from attnstudy.tracking import open_store, resolve
from tests.crashes.zygote import Zygote, start
from tests.interleavings.studies import woven


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="an empty one")
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--schedules", type=int, default=2000)
    parser.add_argument("--trace", action="store_true")
    asked = parser.parse_args()
    folder = asked.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    start(folder / "door", os.getpid())
    open_store(resolve(folder / "template", None))
    study = woven(Zygote(folder / "door"), folder / "made", folder / "template")
    broken, begun = 0, time.monotonic()
    for seed in range(asked.first, asked.first + asked.schedules):
        trace: list[str] = []
        wrong = study.try_seed(seed, folder / "place", trace=trace)
        if asked.trace:
            print("\n".join(trace))
        if wrong is not None:
            broken += 1
            print(wrong, flush=True)
        done = seed - asked.first + 1
        if not done % 50:
            print(f"{done} schedules played", file=sys.stderr, flush=True)
    took = time.monotonic() - begun
    print(f"{asked.schedules} schedules, {broken} broken, {took:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

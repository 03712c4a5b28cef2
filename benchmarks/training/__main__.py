"""Train the same with every contestant, in turns, and write down how fast each was.

``python -m benchmarks.training [SOURCE] [--short] [--only CONFIGURATION]``: SOURCE is ``cifar10``,
or a folder that holds it as train-*.parquet and test-*.parquet. The long form writes
``benchmarks/results/<machine>.md`` after each configuration.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from attnstudy.trainings.placement import data
from benchmarks.pages import cores
from benchmarks.training import images, limits, table
from benchmarks.training.contestant import CONTESTANTS
from benchmarks.training.study import StudyTiming, study
from benchmarks.training.work import CONFIGURATIONS, Timing, Work

SHORT = ("vanilla/channel", "early/channel", "early/spatial")
"""Without and with either attention, unless others are named."""
RESULTS = Path(__file__).parent.parent / "results"


class Contestant:
    """A process that waits until it is asked to train."""

    def __init__(self, name: str, work: Work) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.training.contestant", name,
             json.dumps(work.to_json())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.answer() == "ready"

    def answer(self) -> object:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("a contestant ended: its error stands above")
        return json.loads(line)

    def train(self) -> Timing:
        assert self.process.stdin is not None
        print(file=self.process.stdin, flush=True)
        answer = self.answer()
        assert isinstance(answer, dict)
        return Timing(**answer)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@contextlib.contextmanager
def contestants(work: Work) -> Iterator[dict[str, Contestant]]:
    """Start them all; between their trainings they wait and take no time."""
    made: dict[str, Contestant] = {}
    try:
        for name in CONTESTANTS:
            made[name] = Contestant(name, work)
        yield made
    finally:
        for one in made.values():
            one.close()


def measure(work: Work, repeats: int) -> table.Measured:
    """Let everybody train in turns; nobody has two turns while another has one."""
    operations = limits.operations(
        work.variant, work.attention
    )  # first: it fails at once if at all
    alone: dict[str, list[Timing]] = defaultdict(list)
    studies: list[StudyTiming] = []
    products: list[float] = []
    with contestants(work) as racing:
        for one in racing.values():
            one.train()  # the first iterations of a process are slow
        for _ in range(repeats):
            products.append(limits.sgemm_rate())
            for name, one in racing.items():
                alone[name].append(one.train())
            studies.append(study(work))
    return table.Measured(work, dict(alone), studies, products, *operations)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training")
    parser.add_argument("source", nargs="?", default="cifar10")
    parser.add_argument("--short", action="store_true", help="a few iterations of three, once")
    parser.add_argument("--repeats", type=int, default=None)
    parser.add_argument("--only", action="append", help="for example early/spatial")
    given = parser.parse_args()
    repeats = given.repeats or (1 if given.short else 5)
    source = given.source if given.source == "cifar10" else str(Path(given.source).resolve())
    wanted = given.only or (SHORT if given.short else ())
    measured = []
    with tempfile.TemporaryDirectory() as temporary:
        cache = Path(temporary, "cache")
        some = Path(temporary, "some")
        images.write_some(data.load(source, cache)[0], some)
        for variant, attention in CONFIGURATIONS:
            if wanted and f"{variant}/{attention}" not in wanted:
                continue
            iterations = {"channel": 30, "spatial": 5}[attention] // (5 if given.short else 1)
            work = Work(str(some), cache, variant, attention, max(2, iterations), cores())
            measured.append(measure(work, repeats))
            print(table.line(measured[-1]), flush=True)
            if not given.short and not given.only:
                path = RESULTS / f"{table.machine_name()}.md"
                path.write_text(table.page(measured, repeats))
    print(table.page(measured, repeats))
    return 0


if __name__ == "__main__":
    sys.exit(main())

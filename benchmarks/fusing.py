"""Time the updates of several seeds made at once beside those of each alone, in turns.

``python -m benchmarks.fusing [--device cuda] [--seeds 16] [--precision tf32]``. On a GPU also with
every kernel launched by itself, without CUDA graphs. The images are noise of CIFAR-10's shape: time
does not depend on what they show. Needs torch and numpy alone, so that it runs on a bare machine;
prints a table, and with ``--write`` keeps it in ``benchmarks/results``.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from attnstudy.running.environment import environment
from attnstudy.study import RunSpec
from attnstudy.trainings.placement.data import ImageSet, Split
from attnstudy.trainings.placement.data.images import CIFAR10_MEAN, CIFAR10_STD, Normalisation
from attnstudy.trainings.placement.models import build_model
from attnstudy.trainings.placement.training import Prepared, choose_device, prepare_process
from attnstudy.trainings.placement.training.batches import Batch, epoch_batches
from attnstudy.trainings.placement.training.fusing import FusedStep
from attnstudy.trainings.placement.training.graphs import PROOFS, SWITCH, WARM_UP
from attnstudy.trainings.placement.training.step import Step, check_precision
from benchmarks.pages import file_name, spread
from benchmarks.training.work import CONFIGURATIONS

SHAPE = (3, 32, 32)
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Way:
    """A way of making updates."""

    name: str
    seeds: int
    """How many are updated at once."""
    graphs: bool
    """Whether a GPU may replay them."""


def ways(seeds: int, device: torch.device) -> list[Way]:
    """Return what is compared: one and several seeds; on a GPU without and with graphs."""
    if device.type != "cuda":
        return [Way("alone", 1, False), Way(f"{seeds} at once", seeds, False)]
    return [
        Way(f"{name}{', graph' if graphs else ''}", count, graphs)
        for graphs in (False, True)
        for name, count in (("alone", 1), (f"{seeds} at once", seeds))
    ]


class Racer:
    """Makes updates in one way, as many as it is asked for."""

    def __init__(self, way: Way, spec: RunSpec, split: Split, device: torch.device) -> None:
        self.way, self.device = way, device
        specs = [dataclasses.replace(spec, seed=seed) for seed in range(way.seeds)]
        group = [
            Prepared(
                one,
                build_model(one.variant, attention=one.attention, image_shape=SHAPE,
                            channels=one.channels, seed=one.seed),
                split, device, done=0,
            )
            for one in specs
        ]  # fmt: skip
        with switched(way.graphs):
            self.step = FusedStep(group) if way.seeds > 1 else Step(group[0])
        self.batches: list[list[Batch]] = [
            epoch_batches(one, 0, len(split.train), device) for one in specs
        ]
        self.made = 0

    def seconds(self, updates: int) -> float:
        """Return what so many updates take, the end of the last included."""
        self._wait()
        start = time.perf_counter()
        for _ in range(updates):
            place = self.made % len(self.batches[0])
            self.step.update([own[place] for own in self.batches])
            self.made += 1
        self._wait()
        return time.perf_counter() - start

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


@contextmanager
def switched(graphs: bool) -> Iterator[None]:
    """Let graphs be used within the block, or not."""
    before = os.environ.pop(SWITCH, None)
    if not graphs:
        os.environ[SWITCH] = "off"
    try:
        yield
    finally:
        os.environ.pop(SWITCH, None)
        if before is not None:
            os.environ[SWITCH] = before


def race(
    spec: RunSpec, split: Split, device: torch.device, seeds: int, updates: int, repeats: int
) -> dict[str, list[float]]:
    """Return the images a second of each way, all its seeds together, one for each repeat.

    Raises:
        RuntimeError: a graph was refused, so that the figures would be of something else.

    """
    racers = [Racer(way, spec, split, device) for way in ways(seeds, device)]
    for racer in racers:
        racer.seconds(WARM_UP + PROOFS + 1 if racer.way.graphs else 1)
    rates: dict[str, list[float]] = {racer.way.name: [] for racer in racers}
    for _ in range(repeats):
        for racer in racers:
            images = updates * racer.way.seeds * spec.batch_size
            rates[racer.way.name].append(images / racer.seconds(updates))
    if refused := [r.step.replaying.refused for r in racers if r.step.replaying.refused]:
        raise RuntimeError(f"no CUDA graph was used: {refused[0]}")
    return rates


def noise(images: int) -> Split:
    """Return training images of noise; nothing is validated."""
    stream = np.random.default_rng(0)
    some = ImageSet(
        stream.integers(0, 256, (images, *SHAPE), dtype=np.uint8), stream.integers(0, 10, images)
    )
    return Split(some, some, Normalisation(255.0, CIFAR10_MEAN, CIFAR10_STD))


def row(name: str, rates: dict[str, list[float]]) -> str:
    """Return rates, and how many times that of the first way each other is, within a repeat."""
    first, *others = rates.values()
    ratios = [[a / b for a, b in zip(other, first, strict=True)] for other in others]
    cells = [spread(values, 0) for values in rates.values()]
    return f"| {' | '.join([name, *cells, *(spread(ratio, 2) for ratio in ratios)])} |"


def head(names: list[str]) -> str:
    first, *others = names
    cells = ["configuration", *names, *(f"{other} / {first}" for other in others)]
    return f"| {' | '.join(cells)} |\n|{' --- |' * len(cells)}"


def main(say: Callable[[str], object] = print) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fusing")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--precision", default="float32", choices=("float32", "tf32", "bf16"))
    parser.add_argument("--updates", type=int, default=200, help="in a turn; 4 on a CPU are enough")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", action="append", help="for example early/spatial")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    device = choose_device(given.device)
    check_precision(device, given.precision)
    prepare_process(device, given.threads)
    split = noise(64 * 64)
    lines = []
    for variant, attention in CONFIGURATIONS:
        if given.only and f"{variant}/{attention}" not in given.only:
            continue
        spec = RunSpec(
            study="bench", dataset="noise", variant=variant, attention=attention, seed=0,
            dataset_digest="0" * 32, train_size=len(split.train), val_size=1, epochs=1,
            precision=given.precision,
        )  # fmt: skip
        rates = race(spec, split, device, given.seeds, given.updates, given.repeats)
        if not lines:
            lines.append(head(list(rates)))
        name = variant if variant == "vanilla" else f"{variant}, {attention}"
        lines.append(row(name, rates))
        say(lines[-1])
    recorded = environment(device.type, given.threads)
    text = (
        f"# Seeds trained at once: {recorded['hardware']}\n\n"
        f"{datetime.date.today()}; torch {recorded['torch']}, {recorded['device']}, "
        f"{given.precision}; by `python -m benchmarks.fusing`. Images a second of all seeds "
        f"together, updates alone, median [minimum–maximum] of {given.repeats} repeats in turns of "
        f"{given.updates} updates of 64 images per seed.\n\n" + "\n".join(lines) + "\n"
    )
    say(text)
    if given.write:
        page = RESULTS / f"fusing-{file_name(recorded['hardware'])}.md"
        page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

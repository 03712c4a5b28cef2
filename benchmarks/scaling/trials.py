"""A search of many trials: what one more costs, when there are so many already."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from attnstudy.search import ArmSearch, SearchConfig, TrialState, open_storage, parse_storage
from benchmarks.scaling import synthetic, timing

SPACE = {
    "lr": {"low": 1e-4, "high": 1e-1, "log": True},
    "batch_size": [16, 32, 64],
    "weight_decay": {"low": 1e-6, "high": 1e-2, "log": True},
}
STUDY = """
dataset = "digits"
train_size = 64
val_size = 20
channels = [2, 2]
attention = "channel"
[training]
epochs = 1
[run]
executor = "{executor}"
[tuning]
seeds_per_trial = 1
[tuning.space]
lr = {{low = 1e-4, high = 1e-1, log = true}}
batch_size = [16, 32, 64]
weight_decay = {{low = 1e-6, high = 1e-2, log = true}}
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Milliseconds of the processor for one of the last trials before a size."""

    trials: int
    ask: float
    tell: float


def bookkeeping(storage: str, place: Path, sizes: Sequence[int]) -> Iterator[Asked]:
    """Propose and tell of trials that nobody trains: Optuna's part, and ours around it."""
    search = ArmSearch.begin(open_storage(parse_storage(storage), place), config())
    rng = random.Random(1)
    asked: list[float] = []
    told: list[float] = []
    for number in range(max(sizes)):
        began = time.process_time()
        trial = search.ask()
        between = time.process_time()
        ended = replace(
            trial, state=TrialState.COMPLETE, value=rng.uniform(20, 90), runs=1, epochs=1.0,
            by_seed={1_000_000: 50.0},
        )  # fmt: skip
        search.tell(ended)
        told.append(time.process_time() - between)
        asked.append(between - began)
        if number + 1 in sizes:
            yield Asked(number + 1, *(1000 * sum(v[-20:]) / 20 for v in (asked, told)))


def config() -> SearchConfig:
    """Return a search's configuration without its images."""
    return SearchConfig(
        study="many", arm="vanilla", space=SPACE, sampler="tpe", sampler_seed=0, pruner="none",
        seeds=(1_000_000,), settings={"epochs": 1}, most_epochs=1, classes=10,
        facts={"variant_source": None, "dataset": "digits", "dataset_digest": "", "train_size": 64,
               "val_size": 20},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tuned:
    """A command that brought a search from one size to the next."""

    before: int
    trials: int
    cost: timing.Cost

    @property
    def cpu_a_trial(self) -> float:
        """Seconds of all processors."""
        return self.cost.cpu / (self.trials - self.before)


def tune(place: Path, sizes: Sequence[int], executor: str) -> Iterator[Tuned]:
    """Have ``attnstudy tune`` go on from size to size, on runs of a few milliseconds."""
    file = place / "studies" / f"many-{executor}" / "study.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(STUDY.format(executor=executor))
    before = 0
    for size in sorted(sizes):
        words = synthetic.attnstudy(
            "tune", file.parent.name, "--variant", "vanilla", "--trials", size, "-q"
        )
        yield Tuned(before, size, timing.command(words, place))
        before = size

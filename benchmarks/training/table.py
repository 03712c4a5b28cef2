"""The results as a page."""

from __future__ import annotations

import datetime
import functools
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from attnstudy.running.environment import environment
from benchmarks import rank_speed
from benchmarks.pages import cores, file_name, spread
from benchmarks.training import images
from benchmarks.training.study import StudyTiming
from benchmarks.training.work import VALIDATIONS, Timing, Work

OURS = "attnstudy, one run"


@dataclass(frozen=True, slots=True)
class Measured:
    """All timings of one variant and attention, in the order in which they were taken."""

    work: Work
    alone: dict[str, list[Timing]]
    """By contestant: one process, all cores."""
    studies: list[StudyTiming]
    products: list[float]
    """Operations a second of matrix products, all cores."""
    forward: float
    """Operations an image, forward."""
    training: float
    """Operations an image, forward and backward."""

    @property
    def name(self) -> str:
        """Variant, and attention where there is one."""
        variant, attention = self.work.variant, self.work.attention
        return variant if variant == "vanilla" else f"{variant}, {attention}"

    def rates(self, contestant: str) -> list[float]:
        """Return images a second, one for each repeat."""
        return [self.work.train_size / timing.seconds for timing in self.alone[contestant]]

    @property
    def study_rates(self) -> list[float]:
        """Images a second of a study on all cores, one for each repeat."""
        return [timing.images_per_second for timing in self.studies]

    def ratios(self, contestant: str) -> list[float]:
        """Return how many times faster a study is, one for each repeat."""
        pairs = zip(self.study_rates, self.rates(contestant), strict=True)
        return [ours / theirs for ours, theirs in pairs]

    @property
    def shares(self) -> list[float]:
        """Percent of the rate of products that a study reaches, one for each repeat."""
        validated = VALIDATIONS * self.work.val_size / self.work.train_size
        an_image = self.training + validated * self.forward
        pairs = zip(self.study_rates, self.products, strict=True)
        return [100 * rate * an_image / products for rate, products in pairs]

    @property
    def possible(self) -> list[float]:
        """Return how many times the notebook's rate products alone allow, for each repeat."""
        pairs = zip(self.ratios("notebook"), self.shares, strict=True)
        return [100 * ratio / share for ratio, share in pairs]

    def peak(self, contestant: str) -> float:
        """Return the largest memory of the process, in MiB."""
        return max(timing.peak_mib for timing in self.alone[contestant])


def line(measured: Measured) -> str:
    """Return one configuration in a line, to be seen while the others run."""
    rates = ", ".join(f"{name} {spread(measured.rates(name))}" for name in measured.alone)
    return f"{measured.name}: {rates}, a study {spread(measured.study_rates)} images/s"


def machine_name() -> str:
    """Return the processor and its number of cores, for a file's name."""
    return file_name(environment("cpu", 1)["hardware"])


COLUMNS: dict[str, Callable[[Measured], str]] = {
    "configuration": lambda m: m.name,
    "notebook": lambda m: spread(m.rates("notebook")),
    "Lightning": lambda m: spread(m.rates("lightning")),
    "attnstudy, one run": lambda m: spread(m.rates(OURS)),
    "attnstudy, a study": lambda m: spread(m.study_rates),
    "study / notebook": lambda m: spread(m.ratios("notebook"), 2),
    "study / Lightning": lambda m: spread(m.ratios("lightning"), 2),
    "% of sgemm": lambda m: spread(m.shares),
    "100 % of sgemm / notebook": lambda m: spread(m.possible, 2),
}
LIMITS: dict[str, Callable[[Measured], str]] = {
    "configuration": lambda m: m.name,
    "MFLOP an image, forward / training": lambda m: (
        f"{m.forward / 1e6:.1f} / {m.training / 1e6:.1f}"
    ),
    "sgemm, GFLOP/s": lambda m: spread([rate / 1e9 for rate in m.products]),
    "peak MiB: notebook": lambda m: f"{m.peak('notebook'):.0f}",
    "Lightning": lambda m: f"{m.peak('lightning'):.0f}",
    "attnstudy": lambda m: f"{m.peak(OURS):.0f}",
    "s to the first iteration": lambda m: spread([t.to_first_iteration for t in m.studies], 1),
    "s a run beside training": lambda m: spread([t.seconds_a_run for t in m.studies], 1),
}


def table(columns: dict[str, Callable[[Measured], str]], rows: Sequence[Measured]) -> str:
    """Return a Markdown table."""
    lines = [list(columns), ["---"] * len(columns)]
    lines += [[cell(row) for cell in columns.values()] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


@functools.cache  # the page is written after each configuration
def _ranking(repeats: int) -> str:
    return rank_speed.table(repeats)


def page(measured: Sequence[Measured], repeats: int) -> str:
    """Return the page: what ran where, and both tables."""
    facts = environment("cpu", cores())
    work = {m.work.attention: m.work for m in measured}
    sizes = "; ".join(
        f"{attention}: {w.iterations} iterations of 64 images, {VALIDATIONS} validations of "
        f"{w.val_size}"
        for attention, w in work.items()
    )
    return f"""# Training speed: {facts["hardware"]}, {cores()} cores

{datetime.datetime.now(datetime.UTC):%Y-%m-%d}; torch {torch.__version__}, Python \
{platform.python_version()}; by `make bench`. Images a second while training, median
[minimum–maximum] of {repeats} repeats in turns; a ratio is taken within a repeat. The same CIFAR-10
images, float32, validation included in the share that it has in a whole run ({sizes}). The test,
which is not in the rates, is of {images.TEST} images only.

* **notebook**: its own loop: DataLoader without workers, PIL pictures transformed one by one, the
  literal attention; one process, all cores. It logs nothing.
* **Lightning**: the same model and images in a LightningModule, with MLFlowLogger and a checkpoint.
* **attnstudy, one run**: one process, all cores, with journal and checkpoint.
* **attnstudy, a study**: `attnstudy run`, one single-threaded run a core, with MLflow; its first
  epoch, beside which the command still imports MLflow, does not count.
* **% of sgemm**: products that a study computes, training and validation, beside the rate of
  2048 x 2048 float32 products on all cores, measured before each repeat. **100 % of sgemm /
  notebook** is how many times faster than the notebook that rate would be.

{table(COLUMNS, measured)}

{table(LIMITS, measured)}

All of this is on the CPU; nothing is measured on a GPU here.

## Ranking and start

{_ranking(repeats)}

What other tools take for a ranking: `make bench-peers`.
"""

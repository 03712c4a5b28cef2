"""What a checkpoint of a long run costs: does it grow with what was done before?"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from attnstudy.runs import LogRecord, RunFolder, run_folder
from attnstudy.tracking import Publisher, open_store, resolve
from benchmarks.scaling import synthetic

LOSSES, INTERVALS = 780, 8
"""Of an epoch: CIFAR-10 in batches of 64, validated every hundred."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The last of so many epochs. Seconds are of the processor, the fewest of some repeats."""

    epochs: int
    journal_mib: float
    append: float
    """Adding its lines to the journal."""
    publish: float
    """Sending it to an embedded store."""
    read: float
    """Reading the whole journal, as a resumed run does."""


def measure(place: Path, sizes: Sequence[int], repeats: int) -> Iterator[Measured]:
    """Make a run longer and longer; publish the last epoch of each size."""
    store_dir = place / "epochs"
    pattern = synthetic.make_pattern(store_dir)
    spec = replace(  # type: ignore[call-arg]
        pattern.started.spec, epochs=max(sizes) + repeats, seed=1, train_size=LOSSES * 32
    )
    folder = run_folder(store_dir, spec)
    folder.path.mkdir(parents=True)
    folder.start(spec, asdict(pattern.started.dataset))
    address = resolve(store_dir, None)
    publisher = Publisher(open_store(address), spec.study, None, _no_figures)
    done = 0
    for size in sorted(sizes):
        written: list[float] = []
        sent: list[float] = []
        while done < size - 1:
            _add(folder, done)
            done += 1
        # what is there already does not change what one more epoch costs: it need not be sent
        publisher.publish(folder) if not folder.published(address.key) else None
        place_of_last, last = folder.journal_from(0)[-1]
        noted = folder.published(address.key)
        folder.note_published(address.key, {**noted, "steps": last.step + 1, "line": place_of_last})
        for _ in range(repeats):
            began = time.process_time()
            _add(folder, done)
            done += 1
            written.append(time.process_time() - began)
            began = time.process_time()
            publisher.publish(folder)
            sent.append(time.process_time() - began)
        began = time.process_time()
        folder.journal()
        read = time.process_time() - began
        mib = (folder.path / "journal.jsonl").stat().st_size / 2**20
        yield Measured(size, mib, min(written), min(sent), read)


def _no_figures(folder: RunFolder) -> Mapping[str, bytes]:
    return {}


def _add(folder: RunFolder, epoch: int) -> None:
    """Add an epoch to the journal, in the intervals that a training has."""
    first, length = epoch * LOSSES, math.ceil(LOSSES / INTERVALS)
    for start in range(first, first + LOSSES, length):
        steps = range(start, min(start + length, first + LOSSES))
        values = {
            "train_loss": tuple(2.3 / math.sqrt(1 + step) for step in steps),
            "val_accuracy": (10.0 + 80.0 * (1 - 1 / (1 + steps[-1])),),
        }
        folder.append(LogRecord(steps[-1], 0.05 * steps[-1], values))

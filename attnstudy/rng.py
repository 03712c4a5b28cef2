"""Named random streams: one per purpose, all derived from the run's seed.

A stream is addressed by words (``stream_seed(3, "weights", "conv1")``), so adding one never
shifts another, and the layers that two variants share get the same weights for the same seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def stream_seed(seed: int, *name: str | int) -> int:
    """Return the 64-bit seed of the stream called ``name`` under the run's ``seed``.

    The words become the spawn key of a ``numpy.random.SeedSequence``, whose hashing keeps
    neighbouring seeds and names statistically independent.
    """
    digest = hashlib.sha256("/".join(map(str, name)).encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=words)
    return int(sequence.generate_state(1, np.uint64)[0])


def generator(seed: int, *name: str | int) -> torch.Generator:
    """Return a CPU generator at the start of the stream called ``name``."""
    import torch  # takes seconds, and not every training needs it

    # torch reads a seed as a signed 64-bit number
    return torch.Generator().manual_seed(stream_seed(seed, *name) >> 1)


@contextmanager
def forked(seed: int, *name: str | int, device: torch.device | None = None) -> Iterator[None]:
    """Let code that draws from torch's global generators draw from a named stream instead.

    The global state (of the CPU, and of ``device`` when that is a GPU) is put back on leaving.
    Layers only know the global generators, so this is the one way to initialise them, or to run
    a dropout, from a stream of our own.
    """
    import torch

    gpus = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        state = stream_seed(seed, *name) >> 1
        torch.default_generator.manual_seed(state)
        if gpus:
            torch.cuda.manual_seed(state)
        yield

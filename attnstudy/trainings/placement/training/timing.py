"""Timing a few iterations, for an estimate before anything has been trained."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from attnstudy import rng
from attnstudy.study import RunSpec
from attnstudy.trainings.placement.data import ImageSet
from attnstudy.trainings.placement.data.images import Normalisation, Split
from attnstudy.trainings.placement.training.augmentation import draw_changes
from attnstudy.trainings.placement.training.batches import Batch
from attnstudy.trainings.placement.training.loop import Prepared
from attnstudy.trainings.placement.training.step import Step


def time_iterations(
    spec: RunSpec,
    model: nn.Module,
    image_shape: tuple[int, int, int],
    classes: int,
    count: int,
    go_on: Callable[[], None] = lambda: None,
) -> float:
    """Return the median seconds of an iteration, measured on ``count`` of them on the CPU.

    One more iteration runs before as a warm-up. The images are noise: time does not depend on
    what they show. ``go_on`` is called before each, and may raise to end it.
    """
    size = min(spec.batch_size, spec.train_size)
    noise = np.random.default_rng(rng.stream_seed(spec.seed, "timing"))
    images = ImageSet(
        noise.integers(0, 256, (size, *image_shape), dtype=np.uint8),
        noise.integers(0, classes, size),
    )
    scaling = Normalisation(255.0, (0.5,) * image_shape[0], (0.25,) * image_shape[0])
    split, cpu = Split(images, images, scaling), torch.device("cpu")
    with rng.forked(spec.seed, "timing"):
        step = Step(Prepared(spec, model, split, cpu, done=0))
        every = Batch(torch.arange(size), draw_changes(spec, 0, size))
        seconds: list[float] = []
        for _ in range(count + 1):
            go_on()
            start = time.perf_counter()
            step.update([every])
            seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[1:]))

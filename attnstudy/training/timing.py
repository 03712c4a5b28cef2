"""Timing a few iterations, for an estimate before anything has been trained."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import nn

from attnstudy import seeding
from attnstudy.study import TrialSpec
from attnstudy.training.step import Step


def time_iterations(
    spec: TrialSpec, model: nn.Module, image_shape: tuple[int, int, int], classes: int, count: int
) -> float:
    """Return the median seconds of an iteration, measured on ``count`` of them on the CPU.

    One more iteration runs before as a warm-up. The images are noise: time does not depend on
    what they show.
    """
    step = Step(spec, model, torch.device("cpu"))
    size = min(spec.batch_size, spec.train_size)
    with seeding.forked(spec.seed, "timing"):
        images = torch.rand(size, *image_shape).contiguous(memory_format=torch.channels_last)
        labels = torch.randint(classes, (size,))
        seconds: list[float] = []
        for _ in range(count + 1):
            start = time.perf_counter()
            step(images, labels)
            seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[1:]))

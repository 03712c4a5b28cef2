"""What the machine could do: its rate of products, and the operations that a variant needs."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch.nn import functional
from torch.utils.flop_counter import (
    FlopCounterMode,
    sdpa_backward_flop_count,
    sdpa_flop_count,
)

from attnstudy.trainings.placement.models import build_model

_SIDE = 2048
Shape = tuple[int, ...]


def _flash(query: Shape, key: Shape, value: Shape, *_: Any, **__: Any) -> int:
    return sdpa_flop_count(query, key, value)


def _flash_backward(
    gradient: Shape, query: Shape, key: Shape, value: Shape, *_: Any, **__: Any
) -> int:
    return sdpa_backward_flop_count(gradient, query, key, value)


_FLASH = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _flash,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _flash_backward,
}
"""torch counts these for CUDA alone."""


def sgemm_rate(repeats: int = 5) -> float:
    """Return the best of ``repeats`` rates of float32 matrix products, in operations a second."""
    a, b = torch.rand(_SIDE, _SIDE), torch.rand(_SIDE, _SIDE)
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - start)
    return 2 * _SIDE**3 / min(seconds[1:])


def operations(variant: str, attention: str) -> tuple[float, float]:
    """Return the operations for an image of 3 x 32 x 32, forward and in training.

    A multiply-add is two. Counted are the products of this form of the model, those that the
    flash kernel repeats in its backward pass among them; nothing elementwise is.
    """
    model = build_model(variant, attention=attention).to(memory_format=torch.channels_last)
    images = torch.rand(4, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    labels = torch.zeros(4, dtype=torch.long)
    with FlopCounterMode(display=False, custom_mapping=_FLASH) as counter:
        loss = functional.cross_entropy(model(images), labels)
    forward = counter.get_total_flops()
    with counter:
        loss.backward()
    return forward / 4, (forward + counter.get_total_flops()) / 4

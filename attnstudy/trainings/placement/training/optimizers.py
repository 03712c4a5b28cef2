"""The optimizer that a specification asks for, and putting its state back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from attnstudy.study import RunSpec

MOMENTUM = 0.9
"""Of ``sgd``, without dampening and not Nesterov's: v <- 0.9 v + g, w <- w - lr v."""


def make_optimizer(parameters: Iterable[nn.Parameter], spec: RunSpec) -> Optimizer:
    """Return the optimizer of some parameters, in torch's fused form; the rest at its defaults.

    Weight decay d adds d w to the gradient (``adam``, ``sgd``: an L2 penalty), or takes lr d w off
    the weights beside the step (``adamw``: Loshchilov & Hutter, Decoupled weight decay
    regularization, 2019, Algorithm 2).
    """
    held = list(parameters)
    common: dict[str, Any] = {"lr": spec.lr, "weight_decay": spec.weight_decay, "fused": True}
    if spec.optimizer == "adam":
        return Adam(held, **common)
    if spec.optimizer == "adamw":
        return AdamW(held, **common)
    sgd = SGD(held, momentum=MOMENTUM, **common)
    # Left to itself, torch takes the momentum from the first gradient, of all parameters at once,
    # and fails where one has no gradient until later. From zero it comes to the same.
    for parameter in held:
        sgd.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return sgd


def load_state(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Go on from what ``state_dict`` of an optimizer of the same kind gave."""
    optimizer.load_state_dict(state)
    for parameter, held in optimizer.state.items():
        for name, value in held.items():
            if name != "step":  # the one that is a number
                # the fused kernels go through memory, whatever the strides say: they must agree
                # with the parameter's, and a training that was fused had others
                held[name] = torch.empty_like(parameter).copy_(value)

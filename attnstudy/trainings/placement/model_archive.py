"""A trained model as a pt2 archive, which holds no pickle."""

from __future__ import annotations

import copy
import functools
import io
import logging
import warnings
from dataclasses import dataclass, field

import torch
from torch import nn

from attnstudy.trainings.placement.models import PlacementNet


def export_model(model: nn.Module, image_shape: tuple[int, int, int]) -> bytes:
    """Return a model's archive, free in the number of images.

    A placement is traced once for all seeds: their graphs differ in the weights alone, and tracing
    takes longer than a short training. A user's own variant may keep more than weights, and is
    traced each time. The bytes are the same either way.

    Args:
        model: on the CPU, in evaluation mode.
        image_shape: (channels, height, width).

    Raises:
        Exception: whatever ``torch.export`` has against a user's own variant.

    """
    if type(model) is PlacementNet:
        program = _program_of(_Architecture.of(model, image_shape))
        with torch.no_grad():
            for name, tensor in model.state_dict().items():
                program.state_dict[name].copy_(tensor)
    else:
        program = _traced(model, image_shape)
    _forget_places(program)
    buffer = io.BytesIO()
    with _quiet():
        torch.export.save(program, buffer)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class _Architecture:
    """Everything of a placement that its graph depends on."""

    spatial: bool
    image_shape: tuple[int, int, int]
    tensors: tuple[tuple[str, torch.Size, tuple[int, ...], torch.dtype], ...]
    """Name, shape, strides and type of each; they tell which blocks there are."""
    model: PlacementNet = field(compare=False, repr=False)
    """One that has it."""

    @classmethod
    def of(cls, model: PlacementNet, image_shape: tuple[int, int, int]) -> _Architecture:
        tensors = tuple(
            (name, tensor.shape, tensor.stride(), tensor.dtype)
            for name, tensor in model.state_dict().items()
        )
        return cls(model.spatial, image_shape, tensors, model)


@functools.lru_cache(maxsize=8)
def _program_of(architecture: _Architecture) -> torch.export.ExportedProgram:
    # a copy: the program's weights are written over, and would be the model's own
    return _traced(copy.deepcopy(architecture.model), architecture.image_shape)


def _traced(model: nn.Module, image_shape: tuple[int, int, int]) -> torch.export.ExportedProgram:
    example = torch.zeros(2, *image_shape)
    with _quiet():
        return torch.export.export(model, (example,), dynamic_shapes=({0: torch.export.Dim.AUTO},))


def _forget_places(program: torch.export.ExportedProgram) -> None:
    """Take out where each step was written: paths of this machine, which a model needs not."""
    for module in program.graph_module.modules():
        if isinstance(module, torch.fx.GraphModule):
            for node in module.graph.nodes:
                node.meta.pop("stack_trace", None)


def _quiet() -> warnings.catch_warnings[None]:
    """Keep from the user what the exporter says about its own internals."""
    logging.getLogger("torch.export").setLevel(logging.ERROR)
    return warnings.catch_warnings(action="ignore")

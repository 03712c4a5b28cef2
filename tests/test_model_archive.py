"""Exported models: one tracing for all seeds, and the archives of a tracing each."""

from __future__ import annotations

import io

import pytest
import torch
from torch import nn

from attnstudy.trainings.placement import model_archive
from attnstudy.trainings.placement.model_archive import export_model
from attnstudy.trainings.placement.models import build_model
from attnstudy.trainings.placement.settings import ATTENTIONS

SHAPE = (1, 8, 8)


def model_of(seed: int, **changes: object) -> nn.Module:
    values = {"variant": "double", "attention": "spatial", "image_shape": SHAPE, "channels": (4, 6)}
    return build_model(**{**values, **changes}, seed=seed).eval()  # type: ignore[arg-type]


def alone(model: nn.Module) -> bytes:
    """Return the archive of a model that is the first of its kind."""
    model_archive._program_of.cache_clear()
    return export_model(model, SHAPE)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_each_seed_has_its_own_archive(attention):
    models = [model_of(seed, attention=attention) for seed in range(3)]
    before = [{n: t.clone() for n, t in m.state_dict().items()} for m in models]
    each = [alone(model) for model in models]
    model_archive._program_of.cache_clear()
    together = [export_model(model, SHAPE) for model in models]
    assert model_archive._program_of.cache_info().misses == 1
    assert together == each
    images = torch.randn(5, *SHAPE, generator=torch.Generator().manual_seed(1))
    for model, weights, archive in zip(models, before, together, strict=True):
        assert all(torch.equal(t, weights[n]) for n, t in model.state_dict().items())
        program = torch.export.load(io.BytesIO(archive))
        torch.testing.assert_close(program.module()(images), model(images))
        assert all(torch.equal(t, weights[n]) for n, t in program.state_dict.items())


def test_what_differs_in_more_than_weights_is_traced_anew():
    model_archive._program_of.cache_clear()
    for changes in (
        {}, {"variant": "vanilla"}, {"variant": "early"}, {"variant": "late"},
        {"variant": "early-conv"}, {"variant": "late-conv"}, {"variant": "double-conv"},
        {"attention": "channel"},
        {"channels": (4, 5)}, {"num_classes": 7}, {"image_shape": (2, 8, 8)},
        {"image_shape": (1, 4, 16)},
    ):  # fmt: skip
        model = model_of(0, **changes)
        shape = changes.get("image_shape", SHAPE)
        images = torch.randn(3, *shape, generator=torch.Generator().manual_seed(1))  # type: ignore[misc]
        program = torch.export.load(io.BytesIO(export_model(model, shape)))  # type: ignore[arg-type]
        torch.testing.assert_close(program.module()(images), model(images))
    laid_out = model_of(1).to(memory_format=torch.channels_last)
    export_model(laid_out, SHAPE)
    assert model_archive._program_of.cache_info().misses == 13


class Remembering(nn.Module):
    """A user's own variant, with something that is no weight."""

    def __init__(self, offset: float) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 10)
        self.offset = torch.full((10,), offset)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.linear(images.flatten(1)) + self.offset


def test_a_users_own_variant_is_traced_each_time():
    images = torch.zeros(3, *SHAPE)
    for offset in (1.0, 2.0):
        model = Remembering(offset).eval()
        program = torch.export.load(io.BytesIO(export_model(model, SHAPE)))
        torch.testing.assert_close(program.module()(images), model(images))

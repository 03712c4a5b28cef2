"""A variant's name becomes a model with its initial weights."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from attnstudy import rng
from attnstudy.errors import UsageError, cause, near_miss
from attnstudy.trainings.placement.models.placement import PlacementNet
from attnstudy.trainings.placement.settings import setting
from attnstudy.trainings.placement.variants import BUILT_IN, CONTROLS, is_factory


def build_model(
    variant: str,
    *,
    attention: str = "spatial",
    image_shape: Sequence[int] = (3, 32, 32),
    num_classes: int = 10,
    channels: Sequence[int] = (64, 32),
    seed: int = 0,
) -> nn.Module:
    """Build a variant with its initial weights drawn from the streams of ``seed``.

    Args:
        variant: a placement, the control of one, or ``"package.module:factory"``.
        attention: ``"spatial"`` or ``"channel"``; makes no difference to a variant without
            attention: ``vanilla`` and the controls.
        image_shape: (channels, height, width) of an image.
        num_classes: number of logits.
        channels: output channels of the two convolutions (built-in variants only).
        seed: the run's seed. Every layer is reset from its own stream, named after it, so that
            layers which variants share start alike; a factory runs under one stream.

    Raises:
        UsageError: unknown variant or attention, or a factory that does not give a model.

    """
    setting("attention").check(attention)
    if is_factory(variant):
        return _build_with_factory(variant, attention, tuple(image_shape), num_classes, seed)
    if variant not in BUILT_IN:
        raise UsageError(
            f"unknown variant {variant!r}: use one of {', '.join(BUILT_IN)}, or "
            f"'package.module:factory'{near_miss(variant, BUILT_IN)}"
        )
    placement = variant.removesuffix("-conv")
    with rng.forked(seed, "weights"):
        model = PlacementNet(
            early=placement in ("early", "double"),
            late=placement in ("late", "double"),
            attention=None if variant in CONTROLS else attention,
            image_shape=image_shape,
            num_classes=num_classes,
            channels=channels,
        )
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            with rng.forked(seed, "weights", name):
                layer.reset_parameters()
    return model


def _build_with_factory(
    variant: str, attention: str, image_shape: tuple[int, ...], num_classes: int, seed: int
) -> nn.Module:
    module_name, _, attribute = variant.partition(":")
    try:
        factory = getattr(importlib.import_module(module_name), attribute)
    except Exception as error:  # of the user's code: anything can happen
        raise UsageError(f"variant {variant!r} cannot be imported: {cause(error)}") from error
    try:
        with rng.forked(seed, "weights", "factory"):
            model = factory(attention=attention, image_shape=image_shape, num_classes=num_classes)
    except Exception as error:
        raise UsageError(
            f"variant {variant!r} cannot be built with attention, image_shape and num_classes: "
            f"{cause(error)}"
        ) from error
    if not isinstance(model, nn.Module):
        raise UsageError(
            f"variant {variant!r} gave a {type(model).__name__}: a factory must return a "
            "torch.nn.Module"
        )
    with rng.forked(seed, "probe"), torch.no_grad():
        was_training = model.training
        try:
            logits = model.eval()(torch.zeros(2, *image_shape))
        except Exception as error:
            raise UsageError(
                f"variant {variant!r} cannot take images of shape {image_shape}: {cause(error)}"
            ) from error
        finally:
            model.train(was_training)
    given = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    if given != (2, num_classes):
        raise UsageError(
            f"variant {variant!r} maps 2 images to {given}: it must give a tensor of shape "
            f"(2, {num_classes}), one logit a class"
        )
    return model

"""Augmentation: against torchvision image by image, its draws, and that training uses it right."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from attnstudy import rng
from attnstudy.trainings.placement.data.torchvision_ops import declare_missing_operators
from attnstudy.trainings.placement.settings import AUGMENTATIONS
from attnstudy.trainings.placement.training import evaluate, time_iterations
from attnstudy.trainings.placement.training.augmentation import (
    PADDING,
    Changes,
    augment,
    draw_changes,
)
from attnstudy.trainings.placement.training.batches import Batch, epoch_batches, side_by_side
from tests.test_training import CPU, bits, model_of, trained

pytestmark = pytest.mark.usefixtures("one_thread")

CHANGING = [name for name in AUGMENTATIONS if name != "none"]


@pytest.fixture(scope="module")
def torchvision():
    """Its functions on images; the reference."""
    declare_missing_operators()
    from torchvision.transforms.v2 import functional

    return functional


def reference(functional, image, offset, flip):
    """Pad, crop and mirror one image (C, H, W)."""
    height, width = image.shape[1:]
    padded = functional.pad(image, [PADDING] * 4, fill=0)
    cropped = functional.crop(padded, *map(int, offset), height, width)
    return functional.horizontal_flip(cropped) if flip else cropped


def random_images(*shape, dtype=torch.uint8):
    return torch.randint(1, 256, shape, generator=torch.Generator().manual_seed(3)).to(dtype)


# every offset with and without mirroring: 162 images
EVERY = [
    ((row, column), flip)
    for row, column in itertools.product(range(2 * PADDING + 1), repeat=2)
    for flip in (False, True)
]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 8, 8), (3, 5, 7), (2, 3, 2)])
def test_every_change_is_torchvisions(shape, layout, torchvision):
    images = random_images(len(EVERY), *shape).contiguous(memory_format=layout)
    before = images.clone()
    offsets, flips = (torch.tensor(part) for part in zip(*EVERY, strict=True))
    changed = augment(images, Changes(offsets, flips))
    assert changed.dtype == torch.uint8
    for image, one, (offset, flip) in zip(images, changed, EVERY, strict=True):
        assert torch.equal(one, reference(torchvision, image, offset, flip)), (offset, flip)
    assert torch.equal(images, before)


@pytest.mark.parametrize("name", CHANGING)
def test_batches_of_the_digits_are_torchvisions(name, torchvision, digits, make_spec):
    spec = make_spec(augmentation=name, train_size=250)
    images = torch.from_numpy(np.asarray(digits.train.images[:250]))
    drawn = draw_changes(spec, 1, 250)
    batches = epoch_batches(spec, 1, 250, CPU)
    order = torch.cat([batch.index for batch in batches])
    plain = epoch_batches(make_spec(train_size=250), 1, 250, CPU)
    assert torch.equal(order, torch.cat([batch.index for batch in plain]))
    assert [len(batch.index) for batch in batches] == [32] * 7 + [26]
    changed = torch.cat([batch.of(images) for batch in batches])
    for place in range(250):
        expected = reference(
            torchvision, images[order[place]], drawn.offsets[place], bool(drawn.flips[place])
        )
        assert torch.equal(changed[place], expected)
    together = side_by_side(batches[:2])
    assert torch.equal(together.of(images), changed[:64])


def test_without_augmentation_nothing_is_drawn_or_changed(digits, make_spec):
    spec = make_spec()
    assert draw_changes(spec, 0, 256) is None
    images = torch.from_numpy(np.asarray(digits.train.images))
    shuffle = rng.generator(spec.seed, "order", 0)
    order = torch.randperm(256, generator=shuffle)
    batches = epoch_batches(spec, 0, 256, CPU)
    assert {batch.changes for batch in batches} == {None}
    assert torch.equal(torch.cat([batch.of(images) for batch in batches]), images[order])
    assert side_by_side(batches[:2]).changes is None


def test_draws_are_uniform_and_independent(make_spec):
    count = 81_000
    drawn = draw_changes(make_spec(augmentation="crop-flip"), 0, count)
    cells = (drawn.offsets[:, 0] * 9 + drawn.offsets[:, 1]) * 2 + drawn.flips
    counts = torch.bincount(cells, minlength=162).double()
    expected = count / 162
    # chi squared, 161 degrees of freedom: .999 quantile (scipy.stats.chi2.ppf(.999, 161))
    assert float(((counts - expected) ** 2 / expected).sum()) < 222.1
    neighbours = cells[:-1].double(), cells[1:].double()
    assert abs(float(torch.corrcoef(torch.stack(neighbours))[0, 1])) < 4 / count**0.5


def test_each_kind_does_its_part_alone(make_spec):
    both, crop, flip = (
        draw_changes(make_spec(augmentation=name), 2, 500) for name in ("crop-flip", "crop", "flip")
    )
    assert torch.equal(crop.offsets, both.offsets)
    assert torch.equal(flip.flips, both.flips)
    assert not crop.flips.any()
    assert torch.equal(flip.offsets, torch.full((500, 2), PADDING))
    assert both.flips.any()
    assert set(both.offsets.unique().tolist()) == set(range(2 * PADDING + 1))


def test_epochs_and_seeds_have_draws_of_their_own_and_variants_the_same(make_spec):
    def drawn(epoch=0, **changes):
        found = draw_changes(make_spec(augmentation="crop-flip", **changes), epoch, 200)
        return found.offsets.numpy().tobytes(), found.flips.numpy().tobytes()

    several = [drawn(), drawn(epoch=1), drawn(epoch=2), drawn(seed=1), drawn(seed=1, epoch=1)]
    for parts in zip(*several, strict=True):
        assert len(set(parts)) == len(several)
    assert drawn(variant="vanilla", batch_size=7, lr=1.0) == drawn()


class Seen(nn.Module):
    """A model that remembers what it was given, by mode."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(64, 10)
        self.given = {True: [], False: []}

    def forward(self, images):
        self.given[self.training].append(images.detach().clone())
        return self.linear(images.flatten(1))


def test_training_sees_changed_images_and_scoring_the_images_as_they_are(digits, make_spec):
    spec = make_spec(augmentation="crop-flip")
    model, _, _ = trained(spec, digits, Seen())
    split = digits.split(spec.train_size, spec.val_size)
    images = torch.from_numpy(np.asarray(split.train.images))
    expected = [
        split.normalisation(batch.of(images))
        for epoch in range(spec.epochs)
        for batch in epoch_batches(spec, epoch, len(images), CPU)
    ]
    assert torch.equal(torch.cat(model.given[True]), torch.cat(expected))
    assert model.given[True][0].is_contiguous(memory_format=torch.channels_last)
    validation = split.normalisation(torch.from_numpy(np.asarray(split.validation.images)))
    for given in model.given[False]:
        assert torch.equal(given, validation)
    model.given[False].clear()
    evaluate(model, digits.test, digits.normalisation, device=CPU)
    test = digits.normalisation(torch.from_numpy(np.asarray(digits.test.images)))
    assert torch.equal(torch.cat(model.given[False]), test)


@pytest.mark.parametrize("name", CHANGING)
def test_augmented_trainings_repeat_and_differ_from_plain_ones(name, digits, make_spec):
    one, _, _ = trained(make_spec(augmentation=name), digits)
    two, _, _ = trained(make_spec(augmentation=name), digits)
    plain, _, _ = trained(make_spec(), digits)
    assert bits(one) == bits(two)
    assert bits(one) != bits(plain)


def test_the_estimate_times_augmented_iterations(make_spec, digits, monkeypatch):
    seen = []
    of = Batch.of
    monkeypatch.setattr(Batch, "of", lambda batch, images: seen.append(batch) or of(batch, images))
    spec = make_spec(augmentation="crop")
    time_iterations(spec, model_of(spec, digits), (1, 8, 8), 10, 1)
    assert [batch.changes is not None for batch in seen] == [True, True]

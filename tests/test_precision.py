"""The arithmetic of a training: what it changes, what it leaves, and who may ask for it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch.nn import functional

from attnstudy.errors import UsageError
from attnstudy.trainings.placement.training import Batch, Prepared, check_precision, evaluate
from attnstudy.trainings.placement.training.step import Step, arithmetic
from tests.conftest import SMALL
from tests.test_training import CPU, bits, model_of, trained

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("attention", ["spatial", "channel"])
def test_bf16_is_torchs_mixed_precision_with_adam_in_float32(attention, digits, make_spec):
    spec = make_spec(precision="bf16", attention=attention)
    split = digits.split(spec.train_size, spec.val_size)
    step = Step(Prepared(spec, model_of(spec, digits), split, CPU, done=0))
    reference = copy.deepcopy(step.model)
    adam = torch.optim.Adam(reference.parameters(), lr=spec.lr, fused=True)
    for first in range(0, 96, 32):
        images = split.normalisation(torch.from_numpy(split.train.images[first : first + 32]))
        labels = torch.from_numpy(split.train.labels[first : first + 32])
        (loss,) = step.update([Batch(torch.arange(first, first + 32))])
        adam.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            logits = reference(images)
        assert logits.dtype == torch.bfloat16
        expected = functional.cross_entropy(logits.float(), labels)
        expected.backward()
        adam.step()
        assert loss.item() == expected.item()
    assert bits(step.model) == bits(reference)
    assert {p.dtype for p in step.model.parameters()} == {torch.float32}


def test_scores_are_taken_in_float32(digits, make_spec):
    spec = make_spec(precision="bf16")
    model, outcome, intervals = trained(spec, digits)
    split = digits.split(spec.train_size, spec.val_size)
    score = evaluate(model, split.validation, split.normalisation, device=CPU)
    assert outcome.val_accuracy_final == score.accuracy
    plain, _, others = trained(make_spec(), digits)
    assert bits(model) != bits(plain)
    # the same images in the same order from the same weights: 8 bits of mantissa apart
    for a, b in zip(intervals[0].train_loss, others[0].train_loss, strict=True):
        assert a == pytest.approx(b, rel=2e-2)


def test_tf32_is_allowed_within_the_step_alone():
    flags: tuple[Any, ...] = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [flag.allow_tf32 for flag in flags]
    with arithmetic(CPU, "float32"):
        assert [flag.allow_tf32 for flag in flags] == before
    with arithmetic(CPU, "tf32"):
        assert all(flag.allow_tf32 for flag in flags)
    assert not any(flag.allow_tf32 for flag in flags)
    for flag, value in zip(flags, before, strict=True):
        flag.allow_tf32 = value


def test_what_a_device_cannot_compute_in_is_refused(cli, workplace):
    check_precision(CPU, "bf16")
    with pytest.raises(UsageError, match="the CPU does not compute in it"):
        check_precision(CPU, "tf32")
    answer = cli("run", *SMALL, "--device", "cpu", "--precision", "tf32", "--variant", "all")
    assert answer.code == 2
    assert answer.err == (
        "Error: --precision tf32: the CPU does not compute in it; use float32, or a GPU of compute "
        "capability 8.0 or later\n"
    )
    assert not (workplace / "mlruns" / "runs").exists()
    with pytest.raises(UsageError, match=r"precision must be .*'bf15'; did you mean 'bf16'"):
        check_spec_of("bf15")


def check_spec_of(precision):
    from attnstudy.study import RunSpec

    return RunSpec(
        study="s", dataset="digits", variant="vanilla", seed=0, dataset_digest="",
        train_size=1, val_size=1, precision=precision,
    )  # fmt: skip


def test_runs_of_different_precision_are_never_pooled(cli, workplace):
    words = ("run", *SMALL, "--variant", "vanilla", "--seeds", "3", "--executor", "inline")
    assert cli(*words).code == 0
    assert cli(*words, "--precision", "bf16").code == 0
    answer = cli("rank")
    assert answer.code == 2
    assert "precision" in answer.err
    assert "precision bf16" in cli("status").out

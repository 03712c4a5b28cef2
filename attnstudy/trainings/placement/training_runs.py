"""The runs of the placements: a network is built, trained, and scored once."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from attnstudy.runs import PARAMETERS, LogRecord
from attnstudy.trainings.contract import Ended, Metrics
from attnstudy.trainings.placement.finalizing import finalize, finalize_sealed
from attnstudy.trainings.placement.models import build_model
from attnstudy.trainings.placement.settings import BY_SEED
from attnstudy.trainings.placement.training import (
    Batch,
    Interval,
    Prepared,
    TrainingState,
    choose_device,
    drive,
    evaluate,
    prepare_process,
    training,
)
from attnstudy.trainings.placement.variants import iterations


def train_together(runs: Sequence[Any], ended: Ended) -> None:
    """Train networks whose updates are made at once where they can be.

    Args:
        runs: active runs, see ``running.run``.
        ended: told of each that is over.

    """

    def steps(number: int) -> Generator[Prepared | Batch, Any, None]:
        metrics = yield from _train(runs[number])
        ended(number, metrics)

    drive([steps(number) for number in range(len(runs))], ended)


def _train(run: Any) -> Generator[Prepared | Batch, Any, Metrics]:
    """Train one network; leaves its updates to others, see ``training.Training``."""
    spec, dataset = run.spec, run.data
    device = choose_device(run.device)
    prepare_process(device, run.threads)
    model = build_model(
        spec.variant,
        attention=spec.attention,
        image_shape=dataset.image_shape,
        num_classes=dataset.num_classes,
        channels=spec.channels,
        seed=spec.seed,
    )
    trainable = (one.numel() for one in model.parameters() if one.requires_grad)
    run.describe(PARAMETERS, str(sum(trainable)))
    drawn_by = spec.seed if spec.split == BY_SEED else None
    split = dataset.split(spec.train_size, spec.val_size, drawn_by)
    total = iterations(spec)

    def pause(state: TrainingState) -> None:
        """Score the network where the run is to pause, and leave its training there."""
        if run.pause_at is not None and (state.epoch, state.iteration) == (run.pause_at, 0):
            model.load_state_dict(state.model)
            run.pause(
                evaluate(model, split.validation, split.normalisation, device=device).accuracy
            )

    def on_start(together: int) -> None:
        # some of those it was to be trained with may be done, or stand at another update
        run.recorded["fused"] = str(together)

    def on_iteration(done: int) -> bool:
        run.progress(done, total)
        return bool(run.checkpoint_due)

    def on_interval(interval: Interval) -> None:
        # JSON has no NaN; a diverged run's last loss is told by its result
        losses = tuple(loss for loss in interval.train_loss if np.isfinite(loss))
        values = {"train_loss": losses} if losses else {}
        if interval.val_accuracy is not None:
            values["val_accuracy"] = (interval.val_accuracy,)
        step = interval.first_step + len(losses) - 1
        run.record(LogRecord(step, interval.seconds, values))

    def on_state(state: TrainingState) -> None:
        run.checkpoint({f.name: getattr(state, f.name) for f in fields(state)})
        pause(state)

    restored = run.restore()
    state = None if restored is None else TrainingState(**restored)
    if state is not None:
        pause(state)  # killed between the checkpoint and the score
    trained = yield from training(
        spec,
        model,
        split,
        device=device,
        state=state,
        on_start=on_start,
        on_iteration=on_iteration,
        on_interval=on_interval,
        on_state=on_state,
    )
    for note in trained.notes:
        run.note(note)
    if run.tuning:
        return finalize_sealed(run, trained)
    return finalize(run, model, trained, device)

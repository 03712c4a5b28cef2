"""The updates of several trainings made at once, each as if it were alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from attnstudy import rng
from attnstudy.trainings.placement.models import FusedNets, PlacementNet, can_fuse
from attnstudy.trainings.placement.training.batches import Batch, side_by_side
from attnstudy.trainings.placement.training.evaluation import on_device
from attnstudy.trainings.placement.training.graphs import Replaying, recorder_for
from attnstudy.trainings.placement.training.loop import Prepared, Updates
from attnstudy.trainings.placement.training.optimizers import make_optimizer
from attnstudy.trainings.placement.training.step import arithmetic, graph_notes, noise_state


def may_fuse(group: Sequence[Prepared]) -> bool:
    """Tell whether trainings stand at the same update and differ in nothing but their seeds."""
    specs = {(p.spec.config_id, p.spec.arm_name, p.done, p.device) for p in group}
    return len(specs) == 1 and can_fuse([prepared.model for prepared in group])


class FusedStep:
    """One update of every member: their losses are summed, so no gradient crosses over.

    A member that has left, because it diverged, keeps its place and is computed on: what its
    numbers have become touches nobody else, and nobody reads them any more.
    """

    def __init__(self, group: Sequence[Prepared]) -> None:
        first = group[0]
        self.device, self.precision = first.device, first.spec.precision
        self.scaling = first.split.normalisation.on(self.device)
        self.images, self.labels = on_device(first.split.pool, self.device)
        networks = []
        for prepared in group:
            network = prepared.model.to(self.device).train()
            assert isinstance(network, PlacementNet)  # see ``may_fuse``
            networks.append(network)
        self.nets = FusedNets(networks)
        self.optimizer = make_optimizer(self.nets.stacked.values(), first.spec)
        size, recorder = len(group) * first.spec.batch_size, recorder_for(self.device, networks)
        self.replaying = Replaying(size, self.optimizer, recorder)
        self.members: Sequence[Updates] = [
            _Member(self, number, prepared) for number, prepared in enumerate(group)
        ]

    def update(self, batches: Sequence[Batch]) -> Sequence[Tensor]:
        """Update all members, each on the N images of its own batch; return their losses.

        The losses are those before the update. Nothing here waits for the device.
        """
        return self.replaying(self._make, side_by_side(batches)).unbind()

    def _make(self, joint: Batch) -> Tensor:
        each_has = (self.nets.count, -1)
        images = self.scaling(joint.of(self.images))
        labels = self.labels.index_select(0, joint.index)
        with arithmetic(self.device, self.precision):
            logits = self.nets(images.unflatten(0, each_has))
            each = functional.cross_entropy(logits.flatten(0, 1).float(), labels, reduction="none")
            losses = each.view(each_has).mean(dim=1)
            self.optimizer.zero_grad(set_to_none=True)
            losses.sum().backward()
        self.optimizer.step()
        return losses.detach()


class _Member:
    """One training's share of the stacked parameters' optimizer."""

    def __init__(self, step: FusedStep, number: int, prepared: Prepared) -> None:
        self.step, self.number, self.prepared = step, number, prepared

    @property
    def together(self) -> int:
        """All members."""
        return self.step.nets.count

    def notes(self) -> tuple[str, ...]:
        """Return why the joint updates were not made by a CUDA graph."""
        return graph_notes(self.step.replaying)

    def optimizer_state(self) -> dict[str, Any]:
        """Return what the optimizer of the member alone would hold."""
        joint = self.step.optimizer.state_dict()
        # copies: a view of what is stacked would be kept with all of it
        state = {
            place: {
                key: value.clone() if key == "step" else value[self.number].clone()
                for key, value in held.items()
            }
            for place, held in joint["state"].items()
        }
        return {"state": state, "param_groups": joint["param_groups"]}

    def load_optimizer_state(self, state: dict[str, Any]) -> None:
        """Put the state of the member into its share."""
        joint = self.step.optimizer.state
        for place, parameter in enumerate(self.step.nets.stacked.values()):
            held = joint[parameter]
            for key, value in state["state"].get(place, {}).items():
                if key == "step":  # the same for all members, see ``may_fuse``
                    held[key] = value.to(self.step.device, torch.float32, copy=True)
                else:
                    held.setdefault(key, torch.zeros_like(parameter))[self.number] = value

    def noise(self) -> Tensor:
        """Return the start of the member's stream: networks that are fused draw nothing."""
        spec, device = self.prepared.spec, self.prepared.device
        with rng.forked(spec.seed, "noise", device=device):
            return noise_state(device)

    def set_noise(self, state: Tensor) -> None:
        """Do nothing: networks that are fused draw nothing."""

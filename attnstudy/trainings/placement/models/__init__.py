"""The four placements of self-attention, users' own variants, and several of one kind at once."""

from attnstudy.trainings.placement.models.building import build_model
from attnstudy.trainings.placement.models.fused import FusedNets, can_fuse
from attnstudy.trainings.placement.models.placement import PlacementNet

__all__ = ["FusedNets", "PlacementNet", "build_model", "can_fuse"]

"""The four placements of self-attention, users' own variants, and several of one kind at once."""

from attnstudy.models.building import build_model
from attnstudy.models.fused import FusedNets, can_fuse
from attnstudy.models.placement import PlacementNet

__all__ = ["FusedNets", "PlacementNet", "build_model", "can_fuse"]

"""Several networks of one placement computed as one, each with its own weights and images.

Nothing is shared between them but the kernels: convolutions are grouped, everything else is
batched over the networks. So a number that is not finite stays in the network it arose in.

Axis names: S networks, N images of each, C channels, H and W pixels, L = H*W positions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from attnstudy.trainings.placement.models.placement import PlacementNet, gram_matrix


def can_fuse(networks: Sequence[nn.Module]) -> bool:
    """Tell whether networks are of the built-in kind and have parameters of the same shapes."""
    first = _shapes(networks[0])
    return all(isinstance(n, PlacementNet) and _shapes(n) == first for n in networks) and (
        len({n.spatial for n in networks if isinstance(n, PlacementNet)}) == 1
    )


def _shapes(network: nn.Module) -> dict[str, torch.Size]:
    return {name: parameter.shape for name, parameter in network.named_parameters()}


class FusedNets:
    """The networks' parameters stacked, and their joint forward pass.

    From then on the networks' own parameters are views of the stacked ones: whoever scores,
    saves or exports one of them sees it as it is at that moment.
    """

    def __init__(self, networks: Sequence[PlacementNet]) -> None:
        if not can_fuse(networks):
            raise ValueError("only networks of one placement and shape can be fused")
        self.count, self.spatial = len(networks), networks[0].spatial
        self.stacked: dict[str, nn.Parameter] = {}
        for name, _ in networks[0].named_parameters():
            parts = [network.get_parameter(name) for network in networks]
            joint = torch.stack([part.detach().contiguous() for part in parts])
            self.stacked[name] = nn.Parameter(joint)
            for part, view in zip(parts, joint.unbind(), strict=True):
                part.data = view

    def __call__(self, images: Tensor) -> Tensor:
        """Map normalised images (S, N, C, H, W) to logits (S, N, classes)."""
        s, n, c, h, w = images.shape
        x = images.transpose(0, 1).reshape(n, s * c, h, w)
        x = functional.relu(self._convolution("conv1", x))
        if "attention1.query.weight" in self.stacked:
            x = functional.relu(self._attention("attention1", x))
        if "stack1.conv1.weight" in self.stacked:
            x = functional.relu(self._stack("stack1", x))
        x = functional.relu(self._convolution("conv2", x))
        if "attention2.query.weight" in self.stacked:
            x = functional.relu(self._attention("attention2", x))
        if "stack2.conv1.weight" in self.stacked:
            x = functional.relu(self._stack("stack2", x))
        weight, bias = self._layer("linear")
        features = x.reshape(n, s, -1).transpose(0, 1)
        return torch.baddbmm(bias.unsqueeze(1), features, weight.mT)

    def _layer(self, name: str) -> tuple[Tensor, Tensor]:
        return self.stacked[f"{name}.weight"], self.stacked[f"{name}.bias"]

    def _convolution(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self._layer(name)
        return functional.conv2d(
            x, weight.flatten(0, 1), bias.flatten(), padding=weight.shape[-1] // 2,
            groups=self.count,
        )  # fmt: skip

    def _stack(self, block: str, x: Tensor) -> Tensor:
        """Return what ``ResidualStack`` does."""
        inner = functional.relu(self._convolution(f"{block}.conv1", x))
        inner = functional.relu(self._convolution(f"{block}.conv2", inner))
        return x + self._convolution(f"{block}.conv3", inner)

    def _projection(self, block: str, part: str) -> tuple[Tensor, Tensor]:
        """Return the weight (S, C, C) and bias (S, C) of a 1x1 convolution."""
        weight, bias = self._layer(f"{block}.{part}")
        return weight.flatten(2).squeeze(-1), bias

    def _attention(self, block: str, x: Tensor) -> Tensor:
        n, channels, h, w = x.shape
        maps = x.reshape(n, self.count, channels // self.count, h * w)  # (N, S, C, L)
        attended = self._spatial if self.spatial else self._channel
        return (maps + attended(block, maps)).reshape(n, channels, h, w)

    def _spatial(self, block: str, maps: Tensor) -> Tensor:
        parts = [self._projection(block, part) for part in ("query", "key", "value")]
        weight = torch.cat([weight for weight, _ in parts], dim=1)  # (S, 3 C, C)
        bias = torch.cat([bias for _, bias in parts], dim=1).unsqueeze(1)
        q, k, v = (maps.mT @ weight.mT + bias).chunk(3, dim=-1)  # (N, S, L, C) each
        return functional.scaled_dot_product_attention(q, k, v).mT

    def _channel(self, block: str, maps: Tensor) -> Tensor:
        """Return the Gram form of ``ChannelAttention``, with maps (N, S, C, L)."""
        (w_q, b_q), (w_k, b_k), (w_v, b_v) = (
            self._projection(block, part) for part in ("query", "key", "value")
        )
        gram = gram_matrix(maps.mT)  # (N, S, C, C)
        total = maps.sum(dim=-1).unsqueeze(-1)  # (N, S, C, 1)
        channels, positions = maps.shape[2:]
        query_total = w_q @ total + positions * b_q.unsqueeze(-1)
        key_total = w_k @ total
        product = w_q @ gram @ w_k.mT
        product = product + query_total * b_k.unsqueeze(-2) + b_q.unsqueeze(-1) * key_total.mT
        attention = torch.softmax(product / math.sqrt(channels), dim=-1)
        return (attention @ w_v) @ maps + attention @ b_v.unsqueeze(-1)

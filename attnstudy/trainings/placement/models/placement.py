"""The four placements of self-attention in a two-convolution CNN, and their controls.

``vanilla`` has none, ``early`` one after the first convolution, ``late`` one after the second,
``double`` both. The attention block comes in two forms, both residual and both with 1x1
convolutions with bias as query, key and value:

* ``spatial``: ``X + softmax(Q K^T / sqrt(C)) V`` for X of shape (H*W, C): every position attends
  to every position (a non-local block: Wang et al., Non-local Neural Networks, 2018, eq. 6, with
  the scaling of Vaswani et al., Attention Is All You Need, 2017, eq. 1);
* ``channel``: the same expression with Q, K, V of shape (C, H*W): every channel attends to every
  channel, through a C x C map.

The controls ``early-conv``, ``late-conv`` and ``double-conv`` have, in the place of each attention
block, a residual stack of three 1x1 convolutions with exactly as many parameters. It attends to
nothing, and there is no form of attention to choose.

Axis names: N images, C channels, H and W pixels, L = H*W positions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """What both forms share: three 1x1 convolutions, parameters in the order query, key, value."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.query = nn.Conv2d(channels, channels, kernel_size=1)
        self.key = nn.Conv2d(channels, channels, kernel_size=1)
        self.value = nn.Conv2d(channels, channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, H, W): the input plus what was attended to."""
        n, c, h, w = x.shape
        # On a channels_last tensor this is a view: no copy, and the last stride is 1, which the
        # flash kernel behind scaled_dot_product_attention needs.
        tokens = x.permute(0, 2, 3, 1).reshape(n, h * w, c)
        mixed = tokens + self.attended(tokens)
        return mixed.reshape(n, h, w, c).permute(0, 3, 1, 2)

    def attended(self, tokens: Tensor) -> Tensor:
        """Map tokens (N, L, C) to what they attend to (N, L, C)."""
        raise NotImplementedError

    def attention_map(self, x: Tensor) -> Tensor:
        """Return the softmax map for images (N, C, H, W); rows sum to 1."""
        raise NotImplementedError

    def weight_of(self, convolution: nn.Conv2d) -> Tensor:
        """Return the (C, C) matrix of a 1x1 convolution."""
        return convolution.weight.reshape(self.channels, self.channels)

    def bias_of(self, convolution: nn.Conv2d) -> Tensor:
        """Return the (C,) bias of a 1x1 convolution."""
        if convolution.bias is None:  # not reachable through the constructor
            raise TypeError("the attention block needs convolutions with bias")
        return convolution.bias


class SpatialAttention(Attention):
    """Attention over positions. The L x L map is never stored while training."""

    def attended(self, tokens: Tensor) -> Tensor:
        """Map tokens (N, L, C) to (N, L, C) with one product for Q, K, V and a fused softmax."""
        parts = (self.query, self.key, self.value)
        weight = torch.cat([self.weight_of(part) for part in parts])
        bias = torch.cat([self.bias_of(part) for part in parts])
        q, k, v = functional.linear(tokens, weight, bias).unsqueeze(1).chunk(3, dim=-1)
        return functional.scaled_dot_product_attention(q, k, v).squeeze(1)

    def attention_map(self, x: Tensor) -> Tensor:
        """Return (N, L, L): row i says which positions position i looks at."""
        q, k = self.query(x).flatten(2), self.key(x).flatten(2)
        return torch.softmax(q.transpose(1, 2) @ k / math.sqrt(self.channels), dim=-1)


class _Gram(torch.autograd.Function):
    """X^T X, whose gradient X (G + G^T) is one product; autograd takes two, one for each X."""

    @staticmethod
    def forward(ctx: Any, tokens: Tensor) -> Tensor:
        ctx.save_for_backward(tokens)
        return tokens.mT @ tokens

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (tokens,) = ctx.saved_tensors
        product: Tensor = tokens @ (gradient + gradient.mT)
        return product


def gram_matrix(tokens: Tensor) -> Tensor:
    """Return X^T X, shape (..., C, C), of tokens X (..., L, C)."""
    product: Tensor = _Gram.apply(tokens)  # type: ignore[no-untyped-call]
    return product


class ChannelAttention(Attention):
    """Attention over channels, computed from the Gram matrix of the tokens.

    With G = X^T X and s = X^T 1, and Q = X W_q^T + 1 b_q^T (K, V alike), exactly::

        Q^T K = W_q G W_k^T + (W_q s) b_k^T + b_q (W_k s)^T + L b_q b_k^T
        V A^T = X (A W_v)^T + 1 (A b_v)^T

    so that the three (N, L, C) maps are never formed; for L much larger than C that saves most
    of the work.
    """

    def attended(self, tokens: Tensor) -> Tensor:
        """Map tokens (N, L, C) to (N, L, C)."""
        gram, total = gram_matrix(tokens), tokens.sum(dim=1)
        attention = torch.softmax(self.scores(gram, total, tokens.shape[1]), dim=-1)
        mix = attention @ self.weight_of(self.value)
        offset = attention @ self.bias_of(self.value)
        return torch.baddbmm(offset.unsqueeze(1), tokens, mix.transpose(1, 2))

    def scores(self, gram: Tensor, total: Tensor, positions: int) -> Tensor:
        """Return Q^T K / sqrt(C), shape (N, C, C), from G (N, C, C) and s (N, C)."""
        w_q, b_q = self.weight_of(self.query), self.bias_of(self.query)
        w_k, b_k = self.weight_of(self.key), self.bias_of(self.key)
        # The bias terms in two rank-one products: (W_q s + L b_q) b_k^T + b_q (W_k s)^T
        query_total = total @ w_q.T + positions * b_q
        key_total = total @ w_k.T
        product = w_q @ gram @ w_k.T
        product = product + query_total.unsqueeze(2) * b_k + b_q[:, None] * key_total.unsqueeze(1)
        return product / math.sqrt(self.channels)

    def attention_map(self, x: Tensor) -> Tensor:
        """Return (N, C, C): row i says which channels channel i is mixed from."""
        tokens = x.flatten(2).transpose(1, 2)
        gram = gram_matrix(tokens)
        return torch.softmax(self.scores(gram, tokens.sum(dim=1), tokens.shape[1]), dim=-1)


class ResidualStack(nn.Module):
    """Three 1x1 convolutions with ReLU between them, added to their input.

    It has as many parameters as an attention block of C channels: 3 C^2 + 3 C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, kernel_size=1)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=1)
        self.conv3 = nn.Conv2d(channels, channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, H, W); no position sees another."""
        inner = functional.relu(self.conv2(functional.relu(self.conv1(x))))
        mapped: Tensor = x + self.conv3(inner)
        return mapped


ATTENTION_CLASSES: dict[str, type[Attention]] = {
    "spatial": SpatialAttention,
    "channel": ChannelAttention,
}


class PlacementNet(nn.Module):
    """Conv, ReLU, Conv, ReLU, Linear, with an attention block and its ReLU where asked for.

    Without an ``attention`` there is a residual stack of convolutions in the place of each.
    Shapes: (N, C, H, W) normalised images to (N, classes) logits.
    """

    def __init__(
        self,
        *,
        early: bool,
        late: bool,
        attention: str | None,
        image_shape: Sequence[int],
        num_classes: int,
        channels: Sequence[int],
    ) -> None:
        super().__init__()
        depth, height, width = image_shape
        first, second = channels
        self.spatial = attention == "spatial"
        # Assignment order is parameter order: the order of the layers.
        self.conv1 = nn.Conv2d(depth, first, kernel_size=3, padding=1)
        self.attention1 = ATTENTION_CLASSES[attention](first) if early and attention else None
        self.stack1 = ResidualStack(first) if early and not attention else None
        self.conv2 = nn.Conv2d(first, second, kernel_size=3, padding=1)
        self.attention2 = ATTENTION_CLASSES[attention](second) if late and attention else None
        self.stack2 = ResidualStack(second) if late and not attention else None
        self.linear = nn.Linear(second * height * width, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images (N, C, H, W) to logits (N, classes)."""
        x = functional.relu(self.conv1(images))
        for block in (self.attention1, self.stack1):
            x = x if block is None else functional.relu(block(x))
        x = functional.relu(self.conv2(x))
        for block in (self.attention2, self.stack2):
            x = x if block is None else functional.relu(block(x))
        logits: Tensor = self.linear(x.flatten(1))
        return logits

    def attention_maps(self, images: Tensor) -> dict[str, Tensor]:
        """Return each attention block's softmax map for ``images``, by the name of the block.

        There are none without attention: of ``vanilla`` and of the controls.
        """
        maps: dict[str, Tensor] = {}
        x = functional.relu(self.conv1(images))
        if self.attention1 is not None:
            maps["attention1"] = self.attention1.attention_map(x)
            x = functional.relu(self.attention1(x))
        x = functional.relu(self.conv2(x))
        if self.attention2 is not None:
            maps["attention2"] = self.attention2.attention_map(x)
        return maps

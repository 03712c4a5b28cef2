"""The networks against a literal re-implementation in float64, their weights, and factories."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from attnstudy import rng
from attnstudy.errors import EXIT_USAGE, UsageError
from attnstudy.trainings.placement.models import build_model
from attnstudy.trainings.placement.settings import ATTENTIONS
from attnstudy.trainings.placement.variants import BUILT_IN, CONTROLS

QUERY_KEY_VALUE = ("query", "key", "value")
STACKED = ("conv1", "conv2", "conv3")


pytestmark = pytest.mark.usefixtures("one_thread")


# The definition, written down image by image and as slowly as it reads

Parameters = Mapping[str, Tensor]


def literal_convolution(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """3x3, padding 1, stride 1, of one image (C, H, W): nine shifted products."""
    _, h, w = x.shape
    padded = torch.zeros(x.shape[0], h + 2, w + 2, dtype=x.dtype)
    padded[:, 1:-1, 1:-1] = x
    out = bias[:, None, None].expand(-1, h, w)
    for i, j in product(range(3), range(3)):
        out = out + torch.einsum("oc,chw->ohw", weight[:, :, i, j], padded[:, i : i + h, j : j + w])
    return out


def literal_projection(x: Tensor, p: Parameters, block: str, which: str) -> Tensor:
    """A 1x1 convolution with bias of X (H*W, C)."""
    weight, bias = p[f"{block}.{which}.weight"], p[f"{block}.{which}.bias"]
    return x @ weight[:, :, 0, 0].T + bias


def softmax(scores: Tensor) -> Tensor:
    powers = torch.exp(scores - scores.amax(dim=1, keepdim=True).detach())
    return powers / powers.sum(dim=1, keepdim=True)


def literal_map(x: Tensor, p: Parameters, block: str, attention: str) -> Tensor:
    """The softmax map for one image (C, H, W)."""
    c = x.shape[0]
    tokens = x.reshape(c, -1).T
    query, key = (literal_projection(tokens, p, block, which) for which in ("query", "key"))
    if attention == "channel":
        query, key = query.T, key.T
    return softmax(query @ key.T / math.sqrt(c))


def literal_attention(x: Tensor, p: Parameters, block: str, attention: str) -> Tensor:
    """X + softmax(Q K^T / sqrt(C)) V, for X of shape (H*W, C), or of (C, H*W) for channel."""
    tokens = x.reshape(x.shape[0], -1).T
    value = literal_projection(tokens, p, block, "value")
    attended = literal_map(x, p, block, attention)
    mixed = attended @ value if attention == "spatial" else (attended @ value.T).T
    return (tokens + mixed).T.reshape(x.shape)


def literal_stack(x: Tensor, p: Parameters, block: str) -> Tensor:
    """X + f3(relu(f2(relu(f1(X))))), for X of shape (H*W, C)."""
    tokens = x.reshape(x.shape[0], -1).T
    inner = relu(literal_projection(tokens, p, block, "conv1"))
    inner = relu(literal_projection(inner, p, block, "conv2"))
    return (tokens + literal_projection(inner, p, block, "conv3")).T.reshape(x.shape)


def relu(x: Tensor) -> Tensor:
    return x * (x > 0)


def literal_network(
    x: Tensor, p: Parameters, variant: str, attention: str, maps: dict[str, Tensor] | None = None
) -> Tensor:
    """The logits of one image (C, H, W); ``maps`` collects the softmax maps on the way."""

    def attend(x: Tensor, block: str) -> Tensor:
        if maps is not None:
            maps[block] = literal_map(x, p, block, attention)
        return relu(literal_attention(x, p, block, attention))

    x = relu(literal_convolution(x, p["conv1.weight"], p["conv1.bias"]))
    if variant in ("early", "double"):
        x = attend(x, "attention1")
    if variant in ("early-conv", "double-conv"):
        x = relu(literal_stack(x, p, "stack1"))
    x = relu(literal_convolution(x, p["conv2.weight"], p["conv2.bias"]))
    if variant in ("late", "double"):
        x = attend(x, "attention2")
    if variant in ("late-conv", "double-conv"):
        x = relu(literal_stack(x, p, "stack2"))
    return p["linear.weight"] @ x.reshape(-1) + p["linear.bias"]


# What is compared: outputs, and gradients of a weighted sum of them


def model_of(
    variant: str,
    attention: str,
    image_shape: tuple[int, int, int] = (2, 5, 5),
    channels: tuple[int, int] = (4, 3),
    seed: int = 0,
    **more: int,
) -> nn.Module:
    return build_model(
        variant,
        attention=attention,
        image_shape=image_shape,
        channels=channels,
        seed=seed,
        **more,
    )


def images_of(batch: int, image_shape: tuple[int, ...]) -> Tensor:
    stream = rng.generator(1, "images")
    return torch.randn(batch, *image_shape, generator=stream, dtype=torch.float64)


def with_lively_attention(model: nn.Module, attention: str) -> nn.Module:
    """Widen queries and keys: at its start a network looks at all positions nearly alike."""
    if attention == "spatial":
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if ".query." in name or ".key." in name:
                    parameter.mul_(4)
    return model


def parameters_of(model: nn.Module) -> Parameters:
    return {
        name: parameter.detach().to(torch.float64, memory_format=torch.contiguous_format)
        for name, parameter in model.named_parameters()
    }


Computed = dict[str, Tensor]


def outcome(forward: Callable[[Tensor], Tensor], x: Tensor, parameters: Parameters) -> Computed:
    """Outputs and the gradients of their weighted sum, by name."""
    out = forward(x)
    weights = torch.randn(out.shape, generator=rng.generator(2, "sum"), dtype=torch.float64)
    grads = torch.autograd.grad((out * weights.to(out.dtype)).sum(), [x, *parameters.values()])
    names = ["input", *parameters]
    return {"output": out.detach(), **dict(zip(names, grads, strict=True))}


def literal_outcome(
    forward: Callable[[Tensor, Parameters], Tensor], x: Tensor, parameters: Parameters
) -> Computed:
    """The same for a literal function of one image."""
    parameters = {name: value.clone().requires_grad_() for name, value in parameters.items()}
    x = x.clone().requires_grad_()
    return outcome(lambda x: torch.stack([forward(one, parameters) for one in x]), x, parameters)


def assert_close(computed: Computed, expected: Computed, tolerance: float) -> None:
    """Agreement relative to the largest output, and to the largest of all gradients."""
    assert computed.keys() == expected.keys()
    largest = max(float(g.abs().max()) for name, g in expected.items() if name != "output")
    for name, value in expected.items():
        scale = float(value.abs().max()) if name == "output" else largest
        error = float((computed[name].to(torch.float64) - value).abs().max())
        assert error <= tolerance * scale, f"{name} is off by {error / scale:.1e}"


IMAGES = [
    ((1, 8, 8), (64, 32), 3),
    ((1, 8, 8), (4, 4), 1),
    ((3, 16, 16), (5, 7), 3),
    ((2, 4, 9), (6, 1), 3),
    ((3, 7, 3), (1, 3), 1),
    ((3, 32, 32), (8, 6), 1),
]
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("image_shape", "channels", "batch"), IMAGES)
@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("variant", BUILT_IN)
def test_network_is_the_literal_one(
    variant: str,
    attention: str,
    image_shape: tuple[int, int, int],
    channels: tuple[int, int],
    batch: int,
    layout: str,
) -> None:
    model = model_of(variant, attention, image_shape, channels, num_classes=7)
    with_lively_attention(model, attention).to(torch.float64)
    model.to(memory_format=LAYOUTS[layout])
    x = images_of(batch, image_shape)
    computed = outcome(
        model,
        x.contiguous(memory_format=LAYOUTS[layout]).requires_grad_(),
        dict(model.named_parameters()),
    )
    expected = literal_outcome(
        lambda one, p: literal_network(one, p, variant, attention), x, parameters_of(model)
    )
    assert computed["output"].shape == (batch, 7)
    assert_close(computed, expected, 1e-10)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("variant", BUILT_IN)
def test_float32_is_close_to_the_literal_network(variant: str, attention: str, layout: str) -> None:
    model = model_of(variant, attention, (3, 16, 16), (64, 32))
    model.to(memory_format=LAYOUTS[layout])
    x = images_of(2, (3, 16, 16))
    computed = outcome(
        model,
        x.float().contiguous(memory_format=LAYOUTS[layout]).requires_grad_(),
        dict(model.named_parameters()),
    )
    expected = literal_outcome(
        lambda one, p: literal_network(one, p, variant, attention),
        x.float().double(),
        parameters_of(model),
    )
    assert computed["output"].dtype == torch.float32
    assert_close(computed, expected, 1e-5)


# The controls beside torch's own layers


class Residual(nn.Module):
    """The input plus what some layers make of it."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def sequential(variant: str, image_shape: tuple[int, int, int], channels: tuple[int, int]):
    """A control, layer by layer as it reads."""
    (depth, height, width), (first, second) = image_shape, channels

    def stack(c: int) -> list[nn.Module]:
        layers = (nn.Conv2d(c, c, 1), nn.ReLU(), nn.Conv2d(c, c, 1), nn.ReLU(), nn.Conv2d(c, c, 1))
        return [Residual(*layers), nn.ReLU()]

    return nn.Sequential(
        nn.Conv2d(depth, first, 3, padding=1), nn.ReLU(),
        *(stack(first) if variant in ("early-conv", "double-conv") else []),
        nn.Conv2d(first, second, 3, padding=1), nn.ReLU(),
        *(stack(second) if variant in ("late-conv", "double-conv") else []),
        nn.Flatten(), nn.Linear(second * height * width, 10),
    )  # fmt: skip


@pytest.mark.parametrize(("image_shape", "channels", "batch"), IMAGES)
@pytest.mark.parametrize("variant", CONTROLS)
def test_a_control_is_a_sequence_of_layers(
    variant: str, image_shape: tuple[int, int, int], channels: tuple[int, int], batch: int
) -> None:
    model = model_of(variant, "spatial", image_shape, channels).double()
    layers = sequential(variant, image_shape, channels).double()
    with torch.no_grad():
        for theirs, ours in zip(layers.parameters(), model.parameters(), strict=True):
            theirs.copy_(ours)
    x = images_of(batch, image_shape)
    named = dict(model.named_parameters())
    computed = outcome(model, x.clone().requires_grad_(), named)
    same = dict(zip(named, layers.parameters(), strict=True))
    assert_close(computed, outcome(layers, x.clone().requires_grad_(), same), 1e-12)


def count(variant: str, channels: tuple[int, int] = (64, 32)) -> int:
    return sum(p.numel() for p in build_model(variant, channels=channels).parameters())


@pytest.mark.parametrize(
    ("variant", "parameters"), [("early", 360_426), ("late", 351_114), ("double", 363_594)]
)
def test_a_control_has_as_many_parameters_as_its_placement(variant: str, parameters: int) -> None:
    assert count(variant) == count(f"{variant}-conv") == parameters
    blocks = {"early": [64], "late": [32], "double": [64, 32]}[variant]
    assert parameters - count("vanilla") == sum(3 * c * c + 3 * c for c in blocks)
    assert count(variant, (5, 7)) == count(f"{variant}-conv", (5, 7))


@pytest.mark.parametrize("variant", CONTROLS)
def test_the_form_of_attention_does_not_change_a_control(variant: str) -> None:
    one, other = (model_of(variant, attention).state_dict() for attention in ATTENTIONS)
    assert list(one) == list(other)
    assert all(torch.equal(one[name], other[name]) for name in one)


# The attention block alone


def block_of(attention: str, channels: int) -> nn.Module:
    """An attention block that does not attend to everything alike."""
    model = model_of("early", attention, (1, 4, 4), (channels, 1)).double()
    return with_lively_attention(model, attention).get_submodule("attention1")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("shape", "batch"), [((1, 8, 8), 3), ((5, 6, 4), 3), ((16, 16, 16), 1), ((4, 1, 1), 2)]
)
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_attention_is_the_literal_one(
    attention: str, shape: tuple[int, int, int], batch: int, layout: str
) -> None:
    block = block_of(attention, shape[0])
    x = images_of(batch, shape)
    parameters = {f"block.{name}": value for name, value in parameters_of(block).items()}
    computed = outcome(
        block,
        x.contiguous(memory_format=LAYOUTS[layout]).requires_grad_(),
        {f"block.{name}": value for name, value in block.named_parameters()},
    )
    expected = literal_outcome(
        lambda one, p: literal_attention(one, p, "block", attention), x, parameters
    )
    assert computed["output"].shape == x.shape
    assert_close(computed, expected, 1e-10)


def test_key_bias_of_spatial_attention_has_no_gradient() -> None:
    block = block_of("spatial", 8)
    parameters = dict(block.named_parameters())
    grads = outcome(block, images_of(3, (8, 6, 6)).requires_grad_(), parameters)
    largest = max(float(grads[name].abs().max()) for name in parameters)
    assert float(grads["key.bias"].abs().max()) <= 1e-12 * largest
    for name in ("query.bias", "value.bias", "key.weight"):
        assert float(grads[name].abs().max()) > 1e-4 * largest


def test_key_bias_of_channel_attention_has_a_gradient() -> None:
    block = block_of("channel", 8)
    parameters = dict(block.named_parameters())
    grads = outcome(block, images_of(3, (8, 6, 6)).requires_grad_(), parameters)
    largest = max(float(grads[name].abs().max()) for name in parameters)
    assert float(grads["key.bias"].abs().max()) > 1e-4 * largest


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_attention_does_not_know_where_a_position_is(attention: str) -> None:
    block = block_of(attention, 6)
    x = images_of(2, (6, 4, 4))
    turned = x.flip(2).transpose(2, 3)
    assert torch.allclose(block(turned), block(x).flip(2).transpose(2, 3), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 4, 4), (5, 6, 4), (16, 8, 8)])
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_attention_map_is_the_literal_one(attention: str, shape: tuple[int, int, int]) -> None:
    block = block_of(attention, shape[0])
    x = images_of(3, shape)
    parameters = {f"block.{name}": value for name, value in parameters_of(block).items()}
    maps = block.attention_map(x).detach()  # type: ignore[operator]
    size = shape[0] if attention == "channel" else shape[1] * shape[2]
    assert maps.shape == (3, size, size)
    assert (maps >= 0).all()
    if shape[0] > 1:
        assert float(maps.max()) > 2 / size, "the map is too flat to tell mistakes"
    torch.testing.assert_close(maps.sum(dim=-1), torch.ones(3, size, dtype=torch.float64))
    for computed, one in zip(maps, x, strict=True):
        expected = literal_map(one, parameters, "block", attention)
        torch.testing.assert_close(computed, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize(
    ("variant", "blocks"),
    [
        ("vanilla", []),
        ("early", ["attention1"]),
        ("late", ["attention2"]),
        ("double", ["attention1", "attention2"]),
        *((control, []) for control in CONTROLS),
    ],
)
def test_attention_maps_of_a_network(variant: str, attention: str, blocks: list[str]) -> None:
    model = with_lively_attention(model_of(variant, attention).double(), attention)
    x = images_of(2, (2, 5, 5))
    computed = model.attention_maps(x)  # type: ignore[operator]
    assert list(computed) == blocks
    for number, one in enumerate(x):
        expected: dict[str, Tensor] = {}
        literal_network(one, parameters_of(model), variant, attention, expected)
        assert list(expected) == blocks
        for block in blocks:
            torch.testing.assert_close(
                computed[block][number], expected[block], rtol=1e-9, atol=1e-12
            )


# Parameters and their first values


def both(*layers: str) -> list[str]:
    return [f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]


ATTENTION1 = both(*(f"attention1.{part}" for part in QUERY_KEY_VALUE))
ATTENTION2 = both(*(f"attention2.{part}" for part in QUERY_KEY_VALUE))
STACK1 = both(*(f"stack1.{part}" for part in STACKED))
STACK2 = both(*(f"stack2.{part}" for part in STACKED))


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize(
    ("variant", "names"),
    [
        ("vanilla", both("conv1", "conv2", "linear")),
        ("early", [*both("conv1"), *ATTENTION1, *both("conv2", "linear")]),
        ("late", [*both("conv1", "conv2"), *ATTENTION2, *both("linear")]),
        ("double", [*both("conv1"), *ATTENTION1, *both("conv2"), *ATTENTION2, *both("linear")]),
        ("early-conv", [*both("conv1"), *STACK1, *both("conv2", "linear")]),
        ("late-conv", [*both("conv1", "conv2"), *STACK2, *both("linear")]),
        ("double-conv", [*both("conv1"), *STACK1, *both("conv2"), *STACK2, *both("linear")]),
    ],
)
def test_parameters_stand_in_the_order_of_the_layers(
    variant: str, attention: str, names: list[str]
) -> None:
    model = model_of(variant, attention)
    assert [name for name, _ in model.named_parameters()] == names
    assert list(model.state_dict()) == names


def test_defaults_are_those_of_the_notebook() -> None:
    shapes = {name: tuple(value.shape) for name, value in build_model("double").named_parameters()}
    assert shapes == {
        "conv1.weight": (64, 3, 3, 3),
        "conv1.bias": (64,),
        **{f"attention1.{part}.weight": (64, 64, 1, 1) for part in QUERY_KEY_VALUE},
        **{f"attention1.{part}.bias": (64,) for part in QUERY_KEY_VALUE},
        "conv2.weight": (32, 64, 3, 3),
        "conv2.bias": (32,),
        **{f"attention2.{part}.weight": (32, 32, 1, 1) for part in QUERY_KEY_VALUE},
        **{f"attention2.{part}.bias": (32,) for part in QUERY_KEY_VALUE},
        "linear.weight": (10, 32 * 32 * 32),
        "linear.bias": (10,),
    }


def test_spatial_attention_is_the_default() -> None:
    x = images_of(1, (3, 32, 32)).float()
    with torch.no_grad():
        default = build_model("late")(x)
        assert torch.equal(default, build_model("late", attention="spatial")(x))
        assert not torch.equal(default, build_model("late", attention="channel")(x))


def test_shared_layers_start_alike_for_the_same_seed() -> None:
    models = [
        dict(model_of(variant, attention, seed=3).named_parameters())
        for variant in BUILT_IN
        for attention in ATTENTIONS
    ]
    compared = 0
    for one, other in product(models, models):
        for name in one.keys() & other.keys():
            assert torch.equal(one[name], other[name])
            compared += one is not other
    assert compared > 6 * len(models)


@pytest.mark.parametrize("variant", BUILT_IN)
def test_layers_start_differently_for_another_seed(variant: str) -> None:
    one, other = (model_of(variant, "spatial", seed=seed) for seed in (3, 4))
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert not torch.equal(a, b)


@pytest.mark.parametrize("variant", ["double", "double-conv"])
def test_layers_of_one_shape_start_differently(variant: str) -> None:
    model = model_of(variant, "spatial", (4, 5, 5), (4, 4))
    values = [tuple(p.flatten().tolist()) for p in model.parameters()]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("variant", ["double", "double-conv"])
def test_first_weights_are_spread_as_torch_spreads_them(variant: str) -> None:
    for name, parameter in build_model(variant, seed=5).state_dict().items():
        layer = name.rpartition(".")[0]
        fan_in = {"conv1": 27, "conv2": 576, "linear": 32768}.get(layer, 0)
        bound = 1 / math.sqrt(fan_in or (64 if layer.startswith(("attention1", "stack1")) else 32))
        assert float(parameter.abs().max()) <= bound
        if parameter.numel() > 1000:
            assert float(parameter.std()) == pytest.approx(bound / math.sqrt(3), rel=0.06)
            assert abs(float(parameter.mean())) < 0.1 * bound


def global_states() -> tuple[object, ...]:
    """The state of every generator that code outside may depend on."""
    numpy_state = np.random.get_state()  # noqa: NPY002
    return (
        torch.get_rng_state().tolist(),
        [part.tolist() if isinstance(part, np.ndarray) else part for part in numpy_state],
        random.getstate(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
    )


@pytest.mark.parametrize("variant", BUILT_IN)
def test_building_touches_nothing_global(variant: str) -> None:
    before = global_states()
    model_of(variant, "spatial")
    assert global_states() == before


def test_weights_do_not_depend_on_global_state() -> None:
    built = []
    for seed in (1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            built.append(model_of("double", "channel").state_dict())
    assert all(torch.equal(built[0][name], built[1][name]) for name in built[0])


# Mistakes


def refusal(variant: str, **named) -> str:
    """What the user reads: one sentence, of the kind that ends with exit code 2."""
    with pytest.raises(UsageError) as caught:
        build_model(variant, **{"image_shape": (1, 4, 4), **named})
    text = str(caught.value)
    assert caught.value.exit_code == EXIT_USAGE
    assert "\n" not in text
    assert not re.search(r"\.( |$)", text), "one sentence, without a full stop"
    return text


@pytest.mark.parametrize(
    ("variant", "meant"),
    [("doubel", "double"), ("vanila", "vanilla"), ("early_conv", "early-conv")],
)
def test_unknown_variant_with_near_miss(variant: str, meant: str) -> None:
    message = refusal(variant)
    assert message.startswith(f"unknown variant {variant!r}")
    assert message.endswith(f"did you mean {meant!r}?")


@pytest.mark.parametrize("variant", ["", "xyz"])
def test_unknown_variant(variant: str) -> None:
    message = refusal(variant)
    assert all(known in message for known in BUILT_IN)
    assert "did you mean" not in message


@pytest.mark.parametrize("variant", ["double", "models:mine"])
@pytest.mark.parametrize(
    ("attention", "end"), [("spacial", "did you mean 'spatial'?"), ("xyz", "not 'xyz'")]
)
def test_unknown_attention(variant: str, attention: str, end: str) -> None:
    message = refusal(variant, attention=attention)
    assert message.startswith("attention must be one of spatial, channel, not ")
    assert message.endswith(end)


# Factories of the user's

FACTORIES = """
import torch
from torch import nn

CALLS = []

class Probabilistic(nn.Module):
    def __init__(self, image_shape, num_classes):
        super().__init__()
        c, h, w = image_shape
        self.dropout = nn.Dropout(0.5)
        self.linear = nn.Linear(c * h * w, num_classes)

    def forward(self, x):
        return self.linear(self.dropout(x.flatten(1)))

def good(**named):
    CALLS.append(named)
    return Probabilistic(named["image_shape"], named["num_classes"])

def good_in_eval_mode(*, attention, image_shape, num_classes):
    return good(image_shape=image_shape, num_classes=num_classes).eval()

def other_arguments(depth):
    return good(image_shape=(1, 4, 4), num_classes=10)

def raising(**named):
    raise KeyError("first line\\nsecond line")

def text(**named):
    return "a model"

def a_class(**named):
    return Probabilistic

def wrong_classes(*, attention, image_shape, num_classes):
    return good(image_shape=image_shape, num_classes=num_classes + 1)

def wrong_rank(**named):
    return nn.Identity()

def other_images(*, attention, image_shape, num_classes):
    return good(image_shape=(3, 32, 32), num_classes=num_classes)

class Pair(Probabilistic):
    def forward(self, x):
        return super().forward(x), x

def pair(*, attention, image_shape, num_classes):
    return Pair(image_shape, num_classes)

class Stumbling(Probabilistic):
    def forward(self, x):
        return super().forward(x, x)

def stumbling(*, attention, image_shape, num_classes):
    return Stumbling(image_shape, num_classes)

not_callable = 3
"""


@pytest.fixture
def factories(tmp_path: Path, monkeypatch) -> str:
    """The name of a module of factories that can be imported."""
    name = f"factories_of_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(FACTORIES, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_a_factory_builds_a_model(factories: str) -> None:
    model = build_model(
        f"{factories}:good", attention="channel", image_shape=(1, 4, 4), num_classes=5, seed=3
    )
    calls = __import__(factories).CALLS
    assert calls == [{"attention": "channel", "image_shape": (1, 4, 4), "num_classes": 5}]
    assert model(torch.zeros(7, 1, 4, 4)).shape == (7, 5)


@pytest.mark.parametrize(("factory", "training"), [("good", True), ("good_in_eval_mode", False)])
def test_a_model_keeps_the_mode_its_factory_left_it_in(
    factories: str, factory: str, training: bool
) -> None:
    model = build_model(f"{factories}:{factory}", image_shape=(1, 4, 4))
    assert {module.training for module in model.modules()} == {training}


def test_weights_of_a_factory_follow_the_seed_and_nothing_else(factories: str) -> None:
    def weights(seed: int) -> Tensor:
        torch.rand(seed + 1)  # moves the global generator
        model = build_model(f"{factories}:good", image_shape=(1, 4, 4), seed=seed)
        return model.state_dict()["linear.weight"]

    assert torch.equal(weights(3), weights(3))
    assert not torch.equal(weights(3), weights(4))


@pytest.mark.parametrize("factory", ["good", "raising", "wrong_classes"])
def test_a_factory_touches_nothing_global(factories: str, factory: str) -> None:
    before = global_states()
    if factory == "good":
        build_model(f"{factories}:{factory}", image_shape=(1, 4, 4))
    else:
        refusal(f"{factories}:{factory}")
    assert global_states() == before


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("missing", "cannot be imported"),
        ("not_callable", "cannot be built"),
        ("other_arguments", "cannot be built"),
        ("raising", "cannot be built"),
        ("text", "gave a str: a factory must return a torch.nn.Module"),
        ("a_class", "gave a type: a factory must return a torch.nn.Module"),
        ("wrong_classes", "maps 2 images to (2, 11): it must give a tensor of shape (2, 10)"),
        ("wrong_rank", "maps 2 images to (2, 1, 4, 4)"),
        ("pair", "maps 2 images to tuple"),
        ("other_images", "cannot take images of shape (1, 4, 4)"),
        ("stumbling", "cannot take images of shape (1, 4, 4)"),
    ],
)
def test_a_factory_that_does_not_work(factories: str, factory: str, said: str) -> None:
    message = refusal(f"{factories}:{factory}")
    assert message.startswith(f"variant '{factories}:{factory}' ")
    assert said in message


@pytest.mark.parametrize(
    "source", ["import no_such_module_at_all", "def (", "1 / 0", "raise SystemError"]
)
def test_a_module_that_cannot_be_imported(tmp_path: Path, monkeypatch, source: str) -> None:
    name = f"broken_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert f"variant '{name}:make' cannot be imported: " in refusal(f"{name}:make")


def test_a_module_that_is_not_there() -> None:
    assert "cannot be imported" in refusal("no_such_module_at_all:make")

"""The bytes of a checkpoint: whatever goes in comes out equal, or is refused by its place."""

from __future__ import annotations

import collections
import math
import struct
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnstudy.errors import UsageError
from attnstudy.runs import Checkpoint, load_checkpoints, save_checkpoint
from attnstudy.runs.state import pack, unpack


def same(a: Any, b: Any) -> bool:
    """Whether two states are equal to the last bit, and of the same types all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, torch.Tensor):
        return (a.dtype, a.shape) == (b.dtype, b.shape) and bits(a) == bits(b)
    if isinstance(a, np.ndarray | np.generic):
        return (a.dtype, a.shape) == (b.dtype, b.shape) and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return len(a) == len(b) and all(
            same(k, l) and same(v, w) for (k, v), (l, w) in zip(a.items(), b.items(), strict=True)
        )
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def bits(tensor: torch.Tensor) -> bytes:
    return tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes()


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st.integers(-(2**15), 2**15 - 1).map(np.int16) | st.floats(width=32).map(np.float32)
    | st.booleans().map(np.bool_)
)  # fmt: skip
SHAPES = st.lists(st.integers(0, 3), max_size=3).map(tuple)
DTYPES = ("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint64", "uint32",
          "uint16", "uint8", "bool")  # fmt: skip
ARRAYS = st.builds(
    lambda shape, dtype, seed: np.random.default_rng(seed)
    .integers(0, 2**62, size=shape).astype(np.uint64).astype(dtype),
    SHAPES, st.sampled_from(DTYPES), st.integers(0, 99),
)  # fmt: skip
TENSORS = st.builds(
    lambda shape, dtype, seed: torch.randn(
        shape, generator=torch.Generator().manual_seed(seed)
    ).to(dtype),
    SHAPES,
    st.sampled_from(
        [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8,
         torch.bool]
    ),
    st.integers(0, 99),
)  # fmt: skip
KEYS = st.none() | st.booleans() | st.integers() | st.text() | st.tuples(st.text(), st.integers())
HASHABLE = st.integers() | st.text()
STATES = st.recursive(
    SCALARS | ARRAYS | TENSORS | st.sets(HASHABLE) | st.frozensets(HASHABLE),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.rest
@given(STATES)
@settings(deadline=None, max_examples=150)
def test_whatever_a_state_is_made_of_comes_back_equal(state):
    assert same(unpack(pack({"state": state}))["state"], state)


LIKE_OURS = (
    ["dict", ["a", 1]], ["float", "nan"], ["tensor", "array0"], ["array", "x"], ["list"], [], [[]],
    {"dict": ["list"]}, ("tuple", "set"), {"__metadata__": {"state": "{}"}}, "array0",
)  # fmt: skip


@pytest.mark.parametrize("state", LIKE_OURS, ids=repr)
def test_what_looks_like_our_own_marks_is_only_data(state):
    assert same(unpack(pack({"state": state}))["state"], state)


def test_the_states_of_what_trainings_use_come_back_equal():
    """Generators of NumPy, Python and torch; a model and its optimizer after a few steps."""
    import random

    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    optimizers = [
        torch.optim.Adam(model.parameters(), amsgrad=True), torch.optim.SGD(model.parameters(), 0.1)
    ]  # fmt: skip
    for _ in range(2):
        for optimizer in optimizers:
            optimizer.zero_grad()
            model(torch.randn(4, 3)).square().sum().backward()
            optimizer.step()
    state = {
        "numpy": np.random.default_rng(3).bit_generator.state,
        "mt": np.random.MT19937(3).state,
        "python": random.Random(3).getstate(),
        "torch": torch.Generator().manual_seed(3).get_state(),
        "model": dict(model.state_dict()),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
    }
    found = unpack(pack({"state": state}))["state"]
    assert same(found, state)
    generator = np.random.default_rng()
    generator.bit_generator.state = found["numpy"]
    assert generator.random() == np.random.default_rng(3).random()
    drawn = random.Random()
    drawn.setstate(found["python"])
    assert drawn.random() == random.Random(3).random()


def test_an_ordered_dictionary_keeps_its_order_and_one_of_another_class_is_refused():
    ordered = collections.OrderedDict([("b", 1), ("a", 2)])
    found = unpack(pack({"state": ordered}))["state"]
    assert list(found.items()) == [("b", 1), ("a", 2)]
    assert found == ordered
    with pytest.raises(UsageError, match="of the type Counter"):
        pack({"state": collections.Counter("ab")})


def test_views_and_copies_are_what_they_show():
    """Of a tensor or array that shares memory, only what it shows is kept."""
    base = np.arange(12.0).reshape(3, 4)
    tensor = torch.arange(12.0).reshape(3, 4)
    state = {
        "column": base[:, 1], "turned": base.T, "backwards": base[::-1],
        "fortran": np.asfortranarray(base),
        "tensor": tensor[:, 1], "tensor turned": tensor.T, "expanded": torch.ones(1).expand(3),
        "needs gradient": torch.ones(2, requires_grad=True) * 2, "shared": [tensor, tensor],
        "conjugated": torch.ones(2).conj(), "scalar": torch.tensor(3.0), "empty": torch.zeros(0, 3),
        "big endian": np.arange(3, dtype=">i4"), "odd": torch.nn.Parameter(torch.ones(2)),
    }  # fmt: skip
    found = unpack(pack({"state": state}))["state"]
    for name, value in state.items():
        if name in ("shared", "big endian", "odd"):
            continue
        assert same(found[name], value.detach() if isinstance(value, torch.Tensor) else value), name
    assert found["big endian"].tolist() == [0, 1, 2]
    assert torch.equal(found["odd"], torch.ones(2))
    found["tensor"][0] = 99  # what comes back can be trained on
    assert all(torch.equal(one, tensor) for one in found["shared"])


class Own:
    """Of a module of the user's."""


class Text(str):
    """A text that is more than one."""


NamedTuple = collections.namedtuple("NamedTuple", "a b")
REFUSED = {
    "object": (Own(), r"state, which is of the type Own: give tensors, arrays"),
    "class": ({"a": [1, Own]}, r"state\['a'\]\[1\], which is of the type type"),
    "function": ([len], r"state\[0\], which is of the type builtin_function_or_method"),
    "module": (torch.nn.Linear(1, 1), r"of the type Linear: give its state_dict\(\)"),
    "optimizer": (
        {"o": torch.optim.SGD([torch.zeros(1, requires_grad=True)])},
        r"state\['o'\], which is of the type SGD: give its state_dict\(\)",
    ),
    "text of its own": (Text("a"), r"of the type Text: give a plain number or text"),
    "named tuple": (NamedTuple(1, 2), r"of the type NamedTuple"),
    "complex": (1j, r"of the type complex"),
    "complex array": (np.zeros(2, dtype=complex), r"an array of complex128: give real numbers"),
    "complex tensor": (torch.zeros(2, dtype=torch.complex64), r"a tensor of torch\.complex64"),
    "sparse": (torch.eye(2).to_sparse(), r"a tensor of torch\.float32"),
    "objects": (np.array([Own()], dtype=object), r"an array of object"),
    "dates": (np.array(["2020-01-01"], dtype="M8[D]"), r"an array of datetime64"),
    "texts": (np.array(["a"]), r"an array of <U1"),
    "key": ({Own(): 1}, r"a key of state, which is of the type Own"),
    "generator": (np.random.default_rng(0), r"of the type Generator"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_kept_is_refused_by_its_place(name):
    value, expected = REFUSED[name]
    with pytest.raises(UsageError, match=expected):
        pack({"state": value})


def test_a_state_that_holds_itself_is_refused():
    inner: list[Any] = []
    inner.append(inner)
    with pytest.raises(UsageError, match="holds itself, or is nested too deeply"):
        pack({"state": inner})


def test_damaged_bytes_are_told_from_a_state(tmp_path):
    """Bytes of a small file changed, and lengths that it may be cut to: all of it is damage."""
    state = {"w": np.arange(3), "t": torch.ones(2), "s": "a"}
    kept = Checkpoint(state, {"torch": "1"}, ("n",), 3, 1.5)
    save_checkpoint(tmp_path, kept)
    path = tmp_path / "checkpoint.pt"
    whole = path.read_bytes()
    ((_, found),) = load_checkpoints(tmp_path)
    assert found is not None
    assert (found.records, found.notes, found.seconds) == (3, ("n",), 1.5)
    assert same(found.state, kept.state)
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert [one for _, one in load_checkpoints(tmp_path)] == [None], place
        path.write_bytes(whole[:place])
        assert [one for _, one in load_checkpoints(tmp_path)] == [None], place


@given(st.binary(max_size=200), st.integers(0, 10_000))
@settings(deadline=None, max_examples=150)
def test_bytes_that_are_no_state_are_refused_as_such(content, place):
    """Whatever they are: only ValueError, which a reader of checkpoints takes for damage."""
    whole = pack({"a": [1, np.arange(4), {"b": torch.ones(2)}]})
    at = place % len(whole)
    for wrong in (content, whole[:at] + content + whole[at + len(content) :], whole[:at]):
        if wrong == whole:
            continue
        try:
            unpack(wrong)
        except ValueError:
            continue

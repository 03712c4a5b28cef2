"""A training's state as bytes, without pickle: numbers and texts as JSON, arrays beside them.

The bytes are a safetensors file. Its metadata hold the structure as JSON, in which each container
that JSON has not, and each array, is a list that begins with its kind.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from attnstudy.errors import UsageError

Arrays = dict[str, np.ndarray[Any, Any]]
_DTYPES = {
    "float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint64", "uint32",
    "uint16", "uint8", "bool",
}  # fmt: skip


def pack(state: Mapping[str, Any]) -> bytes:
    """Return a state as bytes.

    Args:
        state: by name: None, texts, bytes, numbers, NumPy arrays, torch tensors, and dictionaries,
            lists, tuples and sets of these.

    Raises:
        UsageError: something else is in it, and where.

    """
    from safetensors.numpy import save

    arrays: Arrays = {}
    try:
        packed = {name: _packed(value, name, arrays) for name, value in state.items()}
        text = json.dumps(packed, separators=(",", ":"))
    except RecursionError:
        raise UsageError(
            "a checkpoint cannot hold what holds itself, or is nested too deeply"
        ) from None
    return save(arrays, {"state": text})


def unpack(content: bytes) -> dict[str, Any]:
    """Return the state that ``pack`` was given.

    Raises:
        ValueError: these are no bytes of ``pack``.

    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(content)
        size = int.from_bytes(content[:8], "little")
        text = json.loads(content[8 : 8 + size])["__metadata__"]["state"]
        return {name: _unpacked(value, arrays) for name, value in json.loads(text).items()}
    except (SafetensorError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("this is no saved state") from error


def _packed(value: Any, where: str, arrays: Arrays) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return _scalar(value, where)
    if isinstance(value, np.generic) and not isinstance(value, np.void):
        return ["scalar", _packed(np.asarray(value), where, arrays)]
    if isinstance(value, bytes | bytearray):
        return ["bytes", bytes(value).hex()]
    if isinstance(value, np.ndarray):
        return ["array", _array(value, where, arrays)]
    torch = sys.modules.get("torch")  # where nobody imported it, there is no tensor
    if torch is not None and isinstance(value, torch.Tensor):
        return ["tensor", _tensor(torch, value, where, arrays)]
    if isinstance(value, Mapping) and type(value).__name__ in ("dict", "OrderedDict"):
        pairs = [
            [_packed(key, f"a key of {where}", arrays), _packed(item, f"{where}[{key!r}]", arrays)]
            for key, item in value.items()
        ]
        return ["dict", *pairs]
    if type(value) in (list, tuple, set, frozenset):
        items = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
        listed = (_packed(item, f"{where}[{n}]", arrays) for n, item in enumerate(items))
        return [type(value).__name__, *listed]
    hint = ": give its state_dict()" if hasattr(value, "state_dict") else ""
    raise UsageError(
        f"a checkpoint cannot hold {where}, which is of the type {type(value).__qualname__}"
        f"{hint or ': give tensors, arrays, numbers and texts, in dictionaries and lists'}"
    )


def _scalar(value: Any, where: str) -> Any:
    if type(value) not in (type(None), bool, int, float, str):
        raise UsageError(
            f"a checkpoint cannot hold {where}, which is of the type {type(value).__qualname__}: "
            "give a plain number or text"
        )
    if isinstance(value, float) and not math.isfinite(value):
        return ["float", repr(value)]
    return value


def _array(value: np.ndarray[Any, Any], where: str, arrays: Arrays) -> str:
    if value.dtype.name not in _DTYPES:
        raise UsageError(
            f"a checkpoint cannot hold {where}, an array of {value.dtype}: give real numbers"
        )
    name = f"array{len(arrays)}"
    arrays[name] = np.ascontiguousarray(value).reshape(value.shape)
    return name


def _tensor(torch: Any, value: Any, where: str, arrays: Arrays) -> str:
    if value.layout is not torch.strided or value.is_quantized or value.is_complex():
        raise UsageError(f"a checkpoint cannot hold {where}, a tensor of {value.dtype}")
    value = value.detach().cpu()
    if value.dtype is torch.bfloat16:  # which NumPy has not
        return "bfloat16:" + _array(value.view(torch.int16).numpy(), where, arrays)
    return _array(value.numpy(), where, arrays)


def _unpacked(value: Any, arrays: Arrays) -> Any:
    if not isinstance(value, list):
        return value
    kind, *content = value
    read = _READERS.get(kind)
    if read is not None:
        return read(content[0], arrays)
    if kind == "dict":
        return {_unpacked(key, arrays): _unpacked(item, arrays) for key, item in content}
    items = [_unpacked(item, arrays) for item in content]
    return {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[kind](items)


def _read_tensor(name: str, arrays: Arrays) -> Any:
    import torch

    kind, _, name = name.rpartition(":")
    tensor = torch.from_numpy(arrays[name])
    return tensor.view(torch.bfloat16) if kind else tensor


_READERS: dict[str, Callable[[Any, Arrays], Any]] = {
    "float": lambda text, _: float(text),
    "bytes": lambda text, _: bytes.fromhex(text),
    "array": lambda name, arrays: arrays[name],
    "tensor": _read_tensor,
    "scalar": lambda packed, arrays: _unpacked(packed, arrays)[()],
}

"""The updates of a GPU as a CUDA graph: recorded once, then launched whole.

An update of these networks is a few dozen small kernels, and on a fast GPU their launches one by
one are expected to take longer than they do. A graph repeats what was recorded, at the addresses it
was recorded at. It is used only where it was seen to give what the update itself gives, bit for
bit; so it is a matter of speed alone (``docs/decisions/0017-cuda-graphs.md``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from attnstudy.trainings.placement.models import PlacementNet
from attnstudy.trainings.placement.training.batches import Batch

SWITCH = "ATTNSTUDY_CUDA_GRAPHS"
"""Environment variable: ``off`` has every kernel launched by itself."""
WARM_UP = 3
"""Updates before the recording, as torch asks for: libraries choose and allocate in them."""
PROOFS = 3
"""Updates that are made both ways: one would not tell a step count that was recorded too."""

Make: TypeAlias = Callable[[Batch], Tensor]
"""Makes an update of a batch and returns the losses before it. Waits for nothing, and changes
nothing but the optimizer's parameters and its state."""


class Recorder(Protocol):
    """A device whose work can be recorded."""

    def warm_up(self, work: Callable[[], Tensor]) -> Tensor:
        """Do the work, as it will be done while it is recorded."""
        ...

    def record(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """Record the work without doing it; return what does it and gives its result's place.

        Raises:
            RuntimeError: the work cannot be recorded; nothing has been done.

        """
        ...


class CudaRecorder:
    """The current GPU, through ``torch.cuda.graph``."""

    def __init__(self) -> None:
        self.stream = torch.cuda.Stream()

    def warm_up(self, work: Callable[[], Tensor]) -> Tensor:
        """Do the work beside the stream that it belongs to, and wait there for its end."""
        current = torch.cuda.current_stream()
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            result = work()
        current.wait_stream(self.stream)
        result.record_stream(current)
        return result

    def record(self, work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """Return what launches the work as a graph."""
        current, graph = torch.cuda.current_stream(), torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, stream=self.stream):
                result = work()
        except RuntimeError:
            torch.cuda.set_stream(current)  # torch leaves its own when the end of a recording fails
            raise

        def replay() -> Tensor:
            graph.replay()
            return result

        return replay


def recorder_for(device: torch.device, networks: Sequence[nn.Module]) -> Recorder | None:
    """Return what records the updates of networks; None where each kernel is launched by itself.

    Nobody knows what an own variant does in its forward pass: it could draw numbers, wait for the
    device, or take another way in another update. So only the built-in placements are recorded.
    """
    if device.type != "cuda" or os.environ.get(SWITCH) == "off":
        return None
    return CudaRecorder() if all(isinstance(n, PlacementNet) for n in networks) else None


class Replaying:
    """Makes updates of a batch size by a graph, once it was recorded and proved; others as given.

    ``refused`` tells why none is used: the error, or that the graph gave something else.
    """

    def __init__(self, size: int, optimizer: Optimizer, recorder: Recorder | None) -> None:
        self.size, self.optimizer, self.recorder = size, optimizer, recorder
        self.refused: str | None = None
        self._made = 0
        self._batch: Batch | None = None
        self._replay: Callable[[], Tensor] | None = None

    def __call__(self, make: Make, batch: Batch) -> Tensor:
        """Return the losses before the update of ``batch``."""
        if self.recorder is None or len(batch.index) != self.size:
            return make(batch)
        self._made += 1
        if self._made <= WARM_UP:
            return self.recorder.warm_up(lambda: make(batch))
        if self._replay is None:
            self._record(self.recorder, make, batch)
        if self._replay is None:
            return make(batch)
        if self._made <= WARM_UP + PROOFS:
            return self._proved(self._replay, make, batch)
        return self._replayed(self._replay, batch)

    def _record(self, recorder: Recorder, make: Make, batch: Batch) -> None:
        kept = self._batch = batch.clone()
        groups = self.optimizer.param_groups
        before = [dict(group) for group in groups]
        for group in groups:
            if "capturable" in group:  # asked for by Adam, whose fused form always is
                group["capturable"] = True
        try:
            self._replay = recorder.record(lambda: make(kept))
        except RuntimeError as error:
            self._refuse(str(error).partition("\n")[0])
        finally:
            for group, values in zip(groups, before, strict=True):
                group.update(values)

    def _replayed(self, replay: Callable[[], Tensor], batch: Batch) -> Tensor:
        assert self._batch is not None
        self._batch.copy_(batch)
        return replay().clone()  # the next replay writes to the same place

    def _proved(self, replay: Callable[[], Tensor], make: Make, batch: Batch) -> Tensor:
        """Make the update both ways, and keep what is made without the graph."""
        changing = self._changing()
        before = [value.clone() for value in changing]
        losses = self._replayed(replay, batch)
        replayed = [losses, *(value.clone() for value in changing)]
        with torch.no_grad():
            for value, was in zip(changing, before, strict=True):
                value.copy_(was)
        losses = make(batch)
        if not all(map(_same_bits, replayed, [losses, *changing])):
            self._refuse("the graph gave other numbers")
        return losses

    def _refuse(self, why: str) -> None:
        self.refused, self.recorder = why, None
        self._replay = self._batch = None

    def _changing(self) -> list[Tensor]:
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        held = [value for state in self.optimizer.state.values() for value in state.values()]
        return [*parameters, *(value for value in held if isinstance(value, Tensor))]


def _same_bits(one: Tensor, other: Tensor) -> bool:
    """Tell whether float32 tensors agree to the bit: one that is not a number does with itself."""
    return torch.equal(one.view(torch.int32), other.view(torch.int32))

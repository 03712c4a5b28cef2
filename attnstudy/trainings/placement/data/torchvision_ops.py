"""Makes torchvision's pure-Python parts importable beside a CPU-only torch.

The torchvision wheel on the package index is built for CUDA. Beside a CPU build of torch its
extension does not load, so the import dies on "operator torchvision::nms does not exist",
although datasets and transforms need no operator at all. Declaring the two schemas that the
import looks up is enough for it to work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = ("nms", "qnms")
_kept: list[torch.library.Library] = []  # a library's declarations live as long as it does


def declare_missing_operators() -> bool:
    """Declare torchvision's operators if they are really missing; tell whether they were.

    Must run before anything imports torchvision, also indirectly: ``mlflow.pytorch`` does when
    Lightning or torchmetrics is installed.
    """
    if _kept or _extension_loads():
        return False
    import torch

    library = torch.library.Library("torchvision", "DEF")
    for name in _OPERATORS:
        library.define(name + _SCHEMA)
    _kept.append(library)
    return True


def _extension_loads() -> bool:
    import importlib.machinery
    import importlib.util

    import torch

    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return True  # nothing to repair
    finder = importlib.machinery.PathFinder()
    extension = finder.find_spec("_C", list(spec.submodule_search_locations))
    if extension is None or extension.origin is None:
        return False
    try:
        torch.ops.load_library(extension.origin)
    except OSError:
        return False
    return hasattr(torch.ops.torchvision, "nms")

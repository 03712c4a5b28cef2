"""A user's function as a training: ``train = "package.module:function"``."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from attnstudy.errors import TerminatedError, TrainingError, UsageError, cause, near_miss
from attnstudy.fields import Field
from attnstudy.trainings.contract import Asked, Ended, Materials, Training
from attnstudy.trainings.output import OUTPUT, kept_output
from attnstudy.trainings.source import digest, is_edited, located, refuse_missing

if TYPE_CHECKING:
    from attnstudy.study import RunSpec

IN_PROCESS = "__main__"
"""The module of a function that exists in this process alone: of a script, of a notebook."""
_KNOWN: dict[str, Callable[..., Any]] = {}
"""Functions of this process, by reference."""
_CODE_OF: MutableMapping[ModuleType, str] = WeakKeyDictionary()
"""The digest of the code with which functions of a module ran in this process first."""


class FunctionTraining(Training):
    """A user's function, called once for each arm and seed."""

    kind = "function"
    facts = (
        Field("function", str, None, "package.module:function.", role="config"),
        Field("code", str, None, "SHA-256 (hex) of its source.", role="config"),
    )
    accepts_others = True
    promises = (
        "Each run is trained exactly once, whatever is killed.",
        "An interrupted run goes on to the same bits if the function calls run.restore() and "
        "run.checkpoint(), and takes all random numbers from run.rng and run.torch_generator: "
        "'attnstudy selftest' with the study's name tries a whole run twice.",
        "Whether a search sees test data is in the function's hands: run.tuning is true there.",
    )

    def known_facts(self, asked: Asked) -> dict[str, Any]:
        """Return the function, and the digest under which its runs are known."""
        return {"function": asked.options["function"], "code": asked.options["code"].identity}

    def prepare(
        self,
        asked: Asked,
        *,
        sealed: bool,
        progress: Callable[[int, int], None] | None = None,
    ) -> Materials:
        """Note which source the workers have to find."""
        code = asked.options["code"]
        return Materials(facts=self.known_facts(asked), place=code, data=code)

    def open(self, place: Any, data: Any, *, sealed: bool) -> Any:
        """Return the source that was meant."""
        return place or data

    def code(self, specs: Sequence[RunSpec], data: Any) -> Mapping[str, bytes]:
        """Return the files of the function's code."""
        return {name: path.read_bytes() for name, path in data.here().items()}

    def train(self, runs: Sequence[Any], ended: Ended) -> None:
        """Call the function for each run."""
        for number, run in enumerate(runs):
            ended(number, _outcome(run))


def _outcome(run: Any) -> Mapping[str, float] | Exception:
    """Return what the function returns or raises."""
    process, place = os.getpid(), Path.cwd()
    log = run.folder.path / OUTPUT
    try:
        with kept_output(log):
            _refuse_other_code(run)
            function = load_function(run.spec.function)
            _refuse_stale(function, run)
            outcome: Any = function(run)
    except SystemExit as error:
        outcome = TrainingError(f"it called sys.exit({error.code!r}): return its metrics instead")
    except (KeyboardInterrupt, TerminatedError):
        raise
    except BaseException as error:
        outcome = _told(error, log)
    finally:
        os.chdir(place)
    if os.getpid() != process:  # a copy of this process, which the function left behind
        os._exit(0)
    if log.exists():
        if log.stat().st_size:
            run.file(OUTPUT)
        else:
            log.unlink()
    return outcome  # type: ignore[no-any-return]  # the engine checks what it is


def _told(error: BaseException, log: Path) -> Exception:
    """Return what a function raised with its place, its traceback behind what was printed.

    What the engine raised to end the training is passed on as it is.
    """
    ours = any(kind.__module__.startswith("attnstudy.") for kind in type(error).__mro__)
    if ours and isinstance(error, Exception):
        return error
    with log.open("a", encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    last = traceback.extract_tb(error.__traceback__)[-1]
    said = str(error).strip().partition("\n")[0]
    place = f"{Path(last.filename).name}, line {last.lineno}"
    where = f"{log.parent.name}/{log.name}"  # no path of this machine: it is published
    return TrainingError(
        f"{type(error).__name__}{': ' if said else ''}{said} ({place}; all of it is in {where})"
    )


def _refuse_other_code(run: Any) -> None:
    meant = run.data
    if meant is None or run.spec.function.startswith(f"{IN_PROCESS}:"):
        return
    here = digest(meant.here(), meant.entry)
    run.recorded["code"] = here
    if here != meant.digest:
        raise UsageError(
            f"the source of {run.spec.function} was changed while the command ran, or is another "
            "one on this machine: run the same command again"
        )


def _refuse_stale(function: Callable[..., Any], run: Any) -> None:
    """Refuse a function of which this process has what its source was, not what it is now.

    A worker imports it for one command; where a command runs in the process that made it, the
    source may have been edited since.
    """
    module = sys.modules.get(getattr(function, "__module__", ""))
    now = run.recorded.get("code")
    if module is None or now is None:
        return
    if _CODE_OF.setdefault(module, now) != now or is_edited(function):
        raise UsageError(
            f"the source of {run.spec.function} was changed after this Python imported it, which "
            "still has the old one: start Python again"
        )


def load_function(reference: str) -> Callable[..., Any]:
    """Return the function that ``package.module:function`` names.

    Raises:
        UsageError: there is none.

    """
    if (known := _KNOWN.get(reference)) is not None:
        return known
    module_name, _, name = check_reference(reference).partition(":")
    located(module_name, repr(reference))  # says more than Python does of what is not there
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise UsageError(f"{reference!r} cannot be imported: {cause(error)}") from error
    function = getattr(module, name, None)
    if not callable(function):
        known_names = [n for n, value in vars(module).items() if callable(value)]
        raise UsageError(
            f"{module_name} has no function {name!r}{near_miss(name, known_names)}: correct 'train'"
        )
    return function  # type: ignore[no-any-return]


def look_for_function(reference: str) -> bool:
    """Refuse a function that is not there, without running anything; tell whether it is decorated.

    Raises:
        UsageError: there is none.

    """
    if reference in _KNOWN:
        return True
    module, _, name = check_reference(reference).partition(":")
    return refuse_missing(located(module, repr(reference)), name, module)


def register(reference: str, function: Callable[..., Any]) -> None:
    """Have a function of this process found by its reference."""
    _KNOWN[reference] = function


def check_reference(reference: str) -> str:
    """Return what ``train`` names if it is written ``package.module:function``.

    Raises:
        UsageError: it is not.

    """
    module, colon, name = reference.partition(":")
    if not colon or not name.isidentifier() or not all(p.isidentifier() for p in module.split(".")):
        raise UsageError(f"train is {reference!r}: write it as 'package.module:function'")
    return reference

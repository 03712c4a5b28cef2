"""What the columns of a table of results hold, as their headings say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

NAMES = ("variant", "model", "method", "arm", "algorithm", "system", "name")
"""Headings of the column of names, in the order in which they are looked for."""

_MEAN = frozenset({"mean", "means", "average", "averages", "avg"})
_SD = frozenset({"sd", "std", "stdev", "stddev", "deviation"})
_COUNT = frozenset({"n", "runs", "seeds", "trials", "repeats", "repetitions", "count"})
_OF_COUNT = _COUNT | {"num", "number", "no", "of", "run", "seed"}
_OTHER_STATISTICS = frozenset({
    "se", "sem", "stderr", "ci", "ci95", "iqr", "var", "variance", "min", "max", "minimum",
    "maximum", "median", "rank", "best", "worst", "range", "quantile", "percentile", "p25", "p75",
})  # fmt: skip
_NO_MEASUREMENT = frozenset({"", "seed", "index", "id", "epoch"})
# measured too, but beside an accuracy it is not the metric
_SECOND = frozenset({
    "loss", "losses", "nll", "perplexity", "ppl", "time", "latency", "runtime", "duration",
    "seconds", "secs", "sec", "minutes", "hours", "ms", "throughput",
})  # fmt: skip
# known before a run
_GIVEN = frozenset({
    "params", "param", "parameters", "weights", "flops", "gflops", "mflops", "macs", "epochs",
    "epoch", "steps", "step", "iterations", "iters", "iter", "lr", "wd", "decay", "dropout",
    "momentum", "batch", "batchsize", "size", "layers", "depth", "width", "heads", "dim", "dims",
    "hidden", "channels", "memory", "mem", "gb", "mb", "gpu", "gpus", "cpu", "cpus", "year",
    "date", "items", "images", "samples", "cost", "budget", "version", "resolution", "patience",
    "temperature", "index", "id",
})  # fmt: skip
_FALLING = frozenset({
    "loss", "losses", "error", "errors", "err", "errs", "nll", "perplexity", "ppl", "bpc", "bpd",
    "wer", "cer", "eer", "ece", "brier", "fid", "mse", "rmse", "mae", "mape", "latency",
    "runtime", "time", "duration", "seconds", "secs", "minutes", "hours", "ms", "regret",
})  # fmt: skip
_FALLING_ENDS = ("loss", "error", "rmse", "mae", "mse", "perplexity", "nll")
_COUNT_OF_SOMETHING = re.compile(r"(?:(?:n|num|number of|no\.? of)[ _.-]+|#\s*)(?=[a-z])")
_A_RUN = re.compile(r"(?:r|s|x|run|seed|trial|rep|repeat|fold|split|value|result)?[ _.#-]*\d+")


class Role(StrEnum):
    """What a column holds."""

    VALUE = "value"
    MEAN = "mean"
    SD = "SD"
    COUNT = "number of runs"
    OTHER = "other"


def words_of(heading: str) -> frozenset[str]:
    """Return the words and numbers of a heading, without case."""
    return frozenset(re.split(r"[^a-z0-9]+", heading.casefold())) - {""}


def roles(headings: Sequence[str]) -> tuple[Role, ...]:
    """Return what each column of numbers holds, the column of names left out.

    Means, SDs and numbers of runs are known by their words, and so are statistics that nothing
    is done with. Of the rest, a column that cannot be the metric beside the others (parameters
    beside losses, either of them beside accuracies) is no value.
    """
    alike = siblings(headings)
    found = [(_role(name), 0 if name in alike else _level(name)) for name in headings]
    measured = [level for role, level in found if role in (Role.VALUE, Role.MEAN)]
    metric = min(measured, default=0)
    return tuple(
        role if role is Role.COUNT or level <= metric else Role.OTHER for role, level in found
    )


def siblings(headings: Sequence[str]) -> frozenset[str]:
    """Return the headings that are those of runs: they differ from another in a number only."""
    stems = Counter(_stem(name) for name in headings if _numbered(name))
    return frozenset(name for name in headings if _numbered(name) and stems[_stem(name)] > 1)


def names_a_run(heading: str) -> bool:
    """Whether a heading is that of a run by itself, as ``run1``, ``seed 0`` or ``3``."""
    return _A_RUN.fullmatch(heading.casefold()) is not None


def less_is_better(metric: str) -> bool:
    """Whether a metric is a loss, an error or a time, as its words say."""
    words = words_of(re.sub(r"\d+", " ", metric))
    if is_accuracy(metric) or "per" in words:  # so many per second
        return False
    return bool(words & _FALLING) or any(word.endswith(_FALLING_ENDS) for word in words)


def is_accuracy(metric: str) -> bool:
    """Whether a metric is called an accuracy, as ``val_acc`` is."""
    return re.search(r"acc(?:urac(?:y|ies))?(?![a-z])", metric.casefold()) is not None


def common_stem(headings: Sequence[str]) -> str:
    """Return what numbered headings have in common, as ``err`` of ``err_0`` and ``err_1``."""
    stems = {_stem(name).strip(" _.-#") for name in headings}
    return stems.pop() if len(stems) == 1 else ""


def _stem(heading: str) -> str:
    return re.sub(r"\d+", "", heading.casefold())


def _numbered(heading: str) -> bool:
    return bool(re.search(r"\d", heading))


def _role(heading: str) -> Role:
    name, words = heading.casefold(), words_of(heading)
    if name in _NO_MEASUREMENT or words & _OTHER_STATISTICS:
        return Role.OTHER
    if name in _COUNT or ("n" in words and words <= _OF_COUNT):
        return Role.COUNT
    if counted := _COUNT_OF_SOMETHING.match(name):
        return Role.COUNT if words_of(name[counted.end() :]) <= _OF_COUNT else Role.OTHER
    if words & _SD:
        return Role.SD
    return Role.MEAN if words & _MEAN else Role.VALUE


def _level(heading: str) -> int:
    words = words_of(heading)
    return 2 if words & _GIVEN else int(bool(words & _SECOND))

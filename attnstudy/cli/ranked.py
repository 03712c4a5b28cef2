"""What ``rank`` is asked to rank: a table, an experiment of MLflow, or a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attnstudy import asking, options
from attnstudy.cli.common import address_of
from attnstudy.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attnstudy.asking import Given


def ranking_source(given: Given, *, with_curves: bool) -> Any:
    """Return what to rank: a table, any experiment, or a study; one of them."""
    from attnstudy.tables.points import point_of
    from attnstudy.usecases import sources

    named = given["study"] or given["study_argument"]
    asked = {
        options.place("study_argument" if given["study_argument"] else "study"): named,
        options.place("experiments"): given["experiments"],
        options.place("tables"): given["tables"],
    }
    several = [name for name, value in asked.items() if value]
    if len(several) > 1:
        raise UsageError(f"{' and '.join(several)} name two things to rank: give one of them")
    by = names_in(given["by"])
    of_results = {
        "metric": given["metric"],
        "direction": given["direction"],
        "by": by,
        "seed_by": given["seed_by"],
        "filters": given["filters"],
        "allowed": given["allowed"],
        "missing": given["missing"],
        "items": given["items"],
    }
    if named is None and (given["tables"] or given["experiments"]):
        _refuse(given, ("task",), "--from and --experiment: --filter selects what is ranked there")
    if given["tables"]:
        _refuse(given, ("config",), "--from: --filter selects rows there")
        return sources.TableRequest(
            **of_results,
            sources=given["tables"],
            layout=given["layout"],
            point=point_of(given["at"], given["of"]),
        )
    if given["experiments"]:
        if not by or given["metric"] is None:
            raise UsageError(
                "--experiment also needs --by (params.NAME or tags.NAME: what makes an arm) "
                "and --metric"
            )
        _refuse(given, ("config",), "--experiment: --filter selects runs there")
        _refuse(given, ("layout",), "--experiment: a run of MLflow is a run")
        return sources.ExperimentRequest(
            **of_results,
            experiments=given["experiments"],
            point=point_of(given["at"], given["of"]),
            address=address_of(given),
        )
    for name in (
        "by", "seed_by", "filters", "items", "layout", "at", "of", "missing", "folds",
    ):  # fmt: skip
        if given[name]:
            raise UsageError(
                f"{options.place(name)} goes with --experiment or --from: a study of "
                "attnstudy's own knows it"
            )
    return asking.study_source(given, with_curves=with_curves)


def form_of(given: Mapping[str, Any]) -> str:
    """Return the form of the result.

    Raises:
        UsageError: two are asked for.

    """
    if given["as_json"] and given["form"] not in ("text", "json"):
        raise UsageError(f"--json and --format {given['form']} are two forms: give one of them")
    return "json" if given["as_json"] else str(given["form"])


def names_in(given: Sequence[str]) -> tuple[str, ...]:
    """Return the names in lists with commas."""
    parts = (part.strip() for text in given for part in text.split(","))
    return tuple(filter(None, parts))


def _refuse(given: Mapping[str, Any], names: Sequence[str], where: str) -> None:
    """Refuse options that would do nothing."""
    for name in names:
        if given[name]:
            raise UsageError(f"{options.place(name)} does not go with {where}")


def refuse_empty(given: dict[str, Any]) -> None:
    """Refuse options that name nothing, as a variable of a shell that is not set does."""
    for name in ("by", "seed_by", "metric", "task_by", "of", "at"):
        texts = given.get(name)
        texts = [] if texts is None else [texts] if isinstance(texts, str) else texts
        if any(not text.strip(", ") for text in texts):
            raise UsageError(f"{options.place(name)} is empty: give a name, or leave it out")

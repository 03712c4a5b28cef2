"""Whether the runs that a study has were made by the code that is there now.

The first code that a study's runs are made by gives them their identity. Code that changed later
makes other runs, unless the user says that the change does not matter: then it is written down as
accepted, and what was run before stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attnstudy import runs
from attnstudy.errors import UsageError
from attnstudy.runs import StudyFacts
from attnstudy.trainings.source import Code

_NAMED = 5  # files that a message names


def settled_code(
    store: Path, study: str, what: str, code: Code, *, accept: bool, again: bool
) -> Code:
    """Return the code with the identity under which its runs are known.

    Args:
        store: the store's folder.
        study: its name.
        what: the function or command that the code is of.
        code: as it is now.
        accept: whether runs of other code count as made by this one.
        again: whether everything is run again.

    Raises:
        UsageError: there are runs of other code, and nobody says what is to become of them.

    """
    known = _known(runs.study_facts(store, study), what)
    for one in known:
        if code.digest in (one["identity"], *one["accepted"]):
            return code.known_as(one["identity"])
    if not known:
        return code
    latest = known[-1]["identity"]
    made = [name for name, identity in _made(store, study, what) if identity == latest]
    if not made or again:
        return code
    if accept:
        return code.known_as(latest)
    several = len(made) > 1
    files = ", ".join(code.files[:_NAMED])
    if len(code.files) > _NAMED:
        files += f" or {len(code.files) - _NAMED} others"
    raise UsageError(
        f"{len(made)} run{'s' * several} of {study!r} ({', '.join(made[:3])}"
        f"{', ...' * (len(made) > 3)}) {'were' if several else 'was'} made by other code, for "
        f"{files} changed since: give --accept-code if the change cannot change a "
        "result, or --rerun to run everything again"
    )


def note_code(facts: StudyFacts, what: str, code: Code) -> None:
    """Write down, among a study's facts, by which code its runs are made."""
    known = _known(facts, what)
    one = next((one for one in known if one["identity"] == code.identity), None)
    if one is None:
        known.append({"identity": code.identity, "accepted": []})
    elif code.digest not in (one["identity"], *one["accepted"]):
        one["accepted"].append(code.digest)
    facts.code[what] = known


def _known(facts: StudyFacts, what: str) -> list[dict[str, Any]]:
    return [
        {"identity": one["identity"], "accepted": list(one["accepted"])}
        for one in facts.code.get(what, ())
    ]


def _made(store: Path, study: str, what: str) -> Iterable[tuple[str, str]]:
    """Yield name and code of each run of a function or command that was begun."""
    for folder in runs.run_folders(store, study):
        started = folder.started()
        if started is not None and what in (
            started.spec.facts.get("function"), started.spec.facts.get("command"),
        ):  # fmt: skip
            yield started.spec.name, started.spec.code

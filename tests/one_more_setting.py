"""Run in a process of its own: declares one more setting, in one place, and does as it is told.

It reads a JSON list of commands, each a list of words and the variables of its environment, and
writes how each ended, and the identities of specifications with and without the setting.
"""

from __future__ import annotations

from attnstudy.fields import Field
from attnstudy.trainings.placement import settings

settings.SETTINGS = (
    *settings.SETTINGS,
    Field("label_smoothing", float, 0, "Share of the others.", least=0, most=1, later=5),
)

import contextlib  # noqa: E402  # whatever follows the declaration reads it when it is imported
import io  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from unittest import mock  # noqa: E402

from attnstudy.cli import main  # noqa: E402
from attnstudy.study import RunSpec  # noqa: E402
from tests.test_study import VALUES  # noqa: E402


def ask(words: list[str], variables: dict[str, str]) -> dict[str, object]:
    """Return how a command ended and what it said."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["attnstudy", *words]),
        mock.patch.dict(os.environ, variables),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ending:
            code = ending.code
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


def identities(**changes: object) -> list[object]:
    """Return what tells a run apart, and what its configuration is said to be."""
    spec = RunSpec(**{**VALUES, **changes})
    return [spec.fingerprint, spec.config_id, spec.config_fields().get("label_smoothing")]


if __name__ == "__main__":
    answers = [ask(words, variables) for words, variables in json.load(sys.stdin)]
    found = [identities(), identities(label_smoothing=0.1)]
    json.dump({"answers": answers, "identities": found}, sys.stdout)

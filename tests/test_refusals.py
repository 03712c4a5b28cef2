"""What a server's answers are told as, and that no password is among it."""

from __future__ import annotations

from pathlib import Path

import pytest

from attnstudy.errors import TrackingUnreachableError
from attnstudy.redaction import without_passwords
from attnstudy.tracking import resolve
from attnstudy.tracking.refusals import refusal

FAILED = "API request to endpoint /api/2.0/mlflow/runs/get failed with error code {} != 200. "
ADDRESS = resolve(Path("mlruns"), "http://ada:sesame@tracking.example:5000")


@pytest.mark.parametrize(
    ("text", "said", "kind"),
    [
        (FAILED.format(401), "refuses the user name or the password", False),
        (FAILED.format(403) + "Response body: 'Permission denied'", "the account 'ada'", False),
        (FAILED.format(403) + "'Invalid Host header'", "add tracking.example:5000 to its", False),
        (FAILED.format(503), "answers with an error (503)", False),
        ("too many 500 error responses", "answers with an error (500)", False),
        (FAILED.format(404) + "Response body: '<html>'", "is not an MLflow server", True),
        ("failed with exception: Failed to resolve 'x'", "is not known", True),
        ("failed with exception: Max retries exceeded", "does not answer: start it", True),
        ("for url: http://ada:sesame@tracking.example/x", "ada:***@tracking.example/x", False),
    ],
)
def test_an_answer_becomes_one_sentence_without_the_password(text, said, kind):
    error = refusal(ADDRESS, text)
    assert said in str(error)
    assert "http://ada:***@tracking.example:5000" in str(error)
    assert "sesame" not in str(error)
    assert "\n" not in str(error)
    assert isinstance(error, TrackingUnreachableError) is kind


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("--storage postgresql://me:a:b@h/d x", "--storage postgresql://me:***@h/d x"),
        ("http://me:p@ss@h:5000/x", "http://me:***@h:5000/x"),
        ("http://host:5000/x", "http://host:5000/x"),
        ("'http://me@host/x'", "'http://me@host/x'"),
    ],
)
def test_passwords_are_blotted_out(text, shown):
    assert without_passwords(text) == shown

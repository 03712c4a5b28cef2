"""Trials in a real Postgres: begun by two at once, worked on by one, and gone in the middle."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from attnstudy.errors import StoreError
from attnstudy.search import TrialState, exclusive_use, open_storage, parse_storage
from tests.postgres import PASSWORD, postgres
from tests.waiting import PATIENCE

OPEN = """
import sys
from pathlib import Path
from attnstudy.search import open_storage, parse_storage

storage = open_storage(parse_storage(sys.argv[1]), Path(sys.argv[2]))
print(type(storage.opened).__name__)
"""


@pytest.fixture(scope="module")
def address():
    with postgres() as address:
        yield address


@pytest.mark.long
def test_two_that_open_a_fresh_database_at_once_both_can_use_it(address, tmp_path):
    words = [sys.executable, "-c", OPEN, address, str(tmp_path)]
    openers = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for opener in openers:
        out, err = opener.communicate(timeout=PATIENCE)
        assert opener.returncode == 0, err
        assert out == "_CachedStorage\n"


def test_the_trials_are_those_of_a_journal(address, make_search, tmp_path):
    database, journal = make_search(address), make_search(str(tmp_path / "a.journal"))
    for search in (database, journal):
        for number in range(12):
            trial = search.ask()
            search.report(trial, {0: 50.0 + number})
            search.tell(replace(trial, state=TrialState.COMPLETE, value=50.0 + number))
    told = [
        [(t.number, t.state, t.fields, t.value, t.steps) for t in search.trials()]
        for search in (database, journal)
    ]
    assert told[0] == told[1]


def test_one_command_at_a_time_works_on_a_study(address):
    place = parse_storage(address)
    with exclusive_use(place, "a") as first:
        with exclusive_use(place, "a") as second, exclusive_use(place, "b") as other:
            assert (first, second, other) == (True, False, True)
        with exclusive_use(place, "a") as third:
            assert not third
    with exclusive_use(place, "a") as after:
        assert after


def test_a_wrong_password_is_told_without_the_right_one(address, tmp_path):
    wrong = address.replace(PASSWORD, "herring")
    with pytest.raises(StoreError, match="refuses the user name or the password") as refused:
        open_storage(parse_storage(wrong), tmp_path)
    assert "herring" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_server_that_goes_away_in_the_middle_is_told_in_one_sentence(make_search):
    with postgres() as passing:
        search = make_search(passing)
        trial = search.ask()
    with pytest.raises(StoreError, match="does not answer, or refuses") as refused:
        search.tell(replace(trial, state=TrialState.COMPLETE, value=1.0))
    assert PASSWORD not in str(refused.value)
    assert "\n" not in str(refused.value)

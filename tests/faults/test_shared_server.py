"""Several machines on one MLflow server: folders for what is here, digests for the rest."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pytest

from tests.studies import SMALL, write_study

STUDY = f"""
variants = ["vanilla", "early"]
seeds = "0-3"
{SMALL}
"""


class Machine:
    """A store of its own, and commands that publish to the server."""

    def __init__(self, cli, server, name: str, study: str) -> None:
        self.cli, self.uri, self.name, self.study = cli, server.uri, name, study
        self.database = server.folder / "server.db"

    def __call__(self, command, *words, local=False):
        where = () if local else ("--tracking-uri", self.uri)
        return self.cli(command, self.study, "--store", self.name, *where, *words)

    def run(self, *words, local=False):
        answer = self("run", "-q", *words, local=local)
        assert answer.code == 0, answer.err

    def rank(self):
        answer = self("rank", "--json")
        assert answer.code == 0, answer.err
        return json.loads(answer.out)

    def raise_accuracy(self, seed: str) -> None:
        named = (
            "SELECT run_uuid FROM tags WHERE key = 'attnstudy.seed' AND value = ? AND run_uuid IN "
            "(SELECT run_uuid FROM tags WHERE key = 'attnstudy.study' AND value = ?)"
        )
        with sqlite3.connect(self.database) as database:
            for table in ("metrics", "latest_metrics"):
                done = database.execute(
                    f"UPDATE {table} SET value = value + 5 WHERE key = 'test_accuracy' "
                    f"AND run_uuid IN ({named})",
                    (seed, self.study),
                )
                assert done.rowcount == 2


@pytest.fixture
def machines(cli, server, workplace, request):
    study = f"shared-{request.node.name.split('_')[1]}"
    # the server is shared: a study of the same would be told, and its seeds known
    lr = f"lr = {1e-3 + 1e-5 * len(study)}"
    write_study(workplace, study, STUDY.replace("[training]", f"[training]\n{lr}"))
    return [Machine(cli, server, name, study) for name in ("one", "two")]


def test_each_ranks_the_same_and_tells_what_was_altered_where(machines):
    one, two = machines
    one.run("--seeds", "0-1")
    shutil.copytree("one/runs", "kept")
    two.run("--seeds", "2-3")
    ranking = one.rank()
    assert ranking["status"] == "confirmatory", ranking["status_reason"]
    again = two.rank()
    assert (again["arms"], again["scope"]) == (ranking["arms"], ranking["scope"])

    one.raise_accuracy("0")
    answer = one("rank")
    assert answer.code == 3
    assert "about early/seed=0 (test_accuracy" in answer.err
    other = two.rank()
    assert other["status"] == "exploratory"
    assert "early/seed=0, vanilla/seed=0 have other numbers in MLflow" in other["status_reason"]
    assert one("sync").code == 0
    assert two.rank()["arms"] == ranking["arms"]
    assert two.rank()["status"] == "confirmatory"


def test_own_runs_that_were_never_sent_there_are_not_mixed_in(machines):
    one, two = machines
    one.run()
    two.run("--seeds", "0-1", local=True)
    ranking = two.rank()
    assert ranking["status"] == "confirmatory", ranking["status_reason"]
    (note,) = [note for note in ranking["notes"] if note.startswith("not ranked: ")]
    assert "and 1 more in two, of which nothing was ever sent to http://" in note
    assert ranking["arms"] == one.rank()["arms"]


def test_an_imported_study_is_checked_by_its_folders(machines, cli):
    one, two = machines
    one.run()
    assert cli("export", one.study, "study.zip", "--store", "one").code == 0
    assert cli("import", "study.zip", "--store", "two").code == 0
    assert two.rank()["arms"] == one.rank()["arms"]
    one.raise_accuracy("2")
    assert two("rank").code == 3
    assert two("sync").code == 0
    assert one.rank()["status"] == "confirmatory"

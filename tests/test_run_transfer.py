"""What is sent of a run to another machine and what comes back, without a cluster between."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from attnstudy.errors import ClusterError, StoreError
from attnstudy.executors import Busy, Stopped
from attnstudy.running import jobs, worker
from attnstudy.running.run_transfer import FilePart, RunTransport, RunUpdate, train_remotely
from attnstudy.running.worker import train_together
from attnstudy.runs import RunFolder, Status
from tests.stores import held


@dataclass
class Said:
    """A channel that keeps what is said, and asks for the end after some messages."""

    messages: list[Any] = field(default_factory=list)
    enough: int = 10**6

    def report(self, message: object) -> None:
        self.messages.append(message)

    def stopping(self) -> bool:
        return len(self.messages) >= self.enough


@pytest.fixture
def job(make_spec, tmp_path, digits_folder):
    return jobs.Job(
        spec=make_spec(), folder=tmp_path / "run", place=digits_folder, device="cpu", threads=1,
        code_revision="test",
    )  # fmt: skip


@pytest.fixture
def transport(digits) -> RunTransport:
    return RunTransport(digits)


def bring(transfer, work, digits, said=None):
    """Do the work elsewhere and take in what comes of it."""
    remote = said or Said()
    try:
        train_remotely(work, transfer.payload, digits, remote)
    finally:
        for message in remote.messages:
            transfer.receive(message)
        transfer.close()
    return remote


def test_the_folder_comes_back_as_if_it_had_been_trained_here(job, transport, digits):
    transfer = transport.submit([job], Said())
    folder = RunFolder(job.folder)
    assert folder.claimed
    bring(transfer, train_together, digits)
    assert folder.status is Status.COMPLETE
    assert folder.damaged_files() == []
    assert not list(job.folder.glob("checkpoint*"))
    assert not folder.claimed


def test_stopped_there_it_goes_on_from_there_with_the_same_bits(job, transport, digits, tmp_path):
    with pytest.raises(Stopped):
        bring(transport.submit([job], Said()), train_together, digits, Said(enough=2))
    folder = RunFolder(job.folder)
    assert folder.status is Status.INTERRUPTED
    assert (job.folder / "checkpoint.pt").exists()
    bring(transport.submit([job], Said()), train_together, digits)

    other = replace(job, folder=tmp_path / "whole")
    train_together([other], Said())
    mine, whole = folder.result(), RunFolder(other.folder).result()
    for name in ("weights.safetensors", "predictions.csv"):
        assert mine.files[name] == whole.files[name]
    losses = [(r.step, r.values["train_loss"]) for r in RunFolder(other.folder).journal()]
    assert [(r.step, r.values["train_loss"]) for r in folder.journal()] == losses


def test_what_is_done_or_held_is_not_submitted(job, transport, digits):
    folder = RunFolder(job.folder)
    folder.path.mkdir()
    with held(folder):
        said = Said()
        assert transport.submit([job], said) is None
        assert [m.message for m in said.messages] == [jobs.Elsewhere(False)]
        with pytest.raises(Busy):
            transport.submit([replace(job, wait=True)], Said())
    bring(transport.submit([job], Said()), train_together, digits)
    said = Said()
    assert transport.submit([job], said) is None
    assert [m.message for m in said.messages] == [jobs.AlreadyDone()]


def test_of_several_only_those_are_submitted_that_are_left(
    job, transport, digits, make_spec, tmp_path
):
    others = [
        replace(job, spec=make_spec(seed=seed), folder=tmp_path / str(seed)) for seed in (1, 2)
    ]
    bring(transport.submit([others[0]], Said()), train_together, digits)
    said = Said()
    transfer = transport.submit([job, *others], said)
    assert [m.member for m in said.messages if m.message == jobs.AlreadyDone()] == [1]
    assert transfer.payload.places == (0, 2)
    remote = bring(transfer, train_together, digits)
    kept = [m.message.member for m in remote.messages if isinstance(m.message.message, jobs.Kept)]
    assert sorted(kept) == [0, 2]
    assert RunFolder(others[1].folder).status is Status.COMPLETE


def cut_short(parts):
    def each(part):
        short = part.name == "weights.safetensors"
        return replace(part, content=part.content[:-1]) if short else part

    return {place: tuple(map(each, some)) for place, some in parts.items()}


def test_a_result_that_did_not_come_whole_is_not_taken_for_one(job, transport, digits):
    transfer = transport.submit([job], Said())
    remote = Said()
    train_remotely(train_together, transfer.payload, digits, remote)
    cut = [replace(message, parts=cut_short(message.parts)) for message in remote.messages]
    with pytest.raises(StoreError, match=r"weights.safetensors did not come back as it was made"):
        list(map(transfer.receive, cut))
    transfer.close()
    assert RunFolder(job.folder).result() is None


def test_a_result_without_one_of_its_files_is_not_taken_for_one(job, transport, digits):
    transfer = transport.submit([job], Said())
    remote = Said()
    train_remotely(train_together, transfer.payload, digits, remote)
    for message in remote.messages:
        for place, parts in message.parts.items():
            message.parts[place] = tuple(p for p in parts if p.name != "weights.safetensors")
    with pytest.raises(StoreError, match=r"weights.safetensors did not come back as it was made"):
        list(map(transfer.receive, remote.messages))
    transfer.close()
    assert RunFolder(job.folder).result() is None


@pytest.mark.parametrize("name", ["../stolen.txt", "run.json", "lock", ".hidden", "a/b.txt", "/x"])
def test_a_worker_cannot_write_where_no_file_of_a_run_is(job, transport, name):
    transfer = transport.submit([job], Said())
    before = {path.name: path.read_bytes() for path in job.folder.iterdir()}
    with pytest.raises(ClusterError, match="which no run has"):
        transfer.receive(RunUpdate({0: (FilePart(name, b"mine"),)}))
    assert {path.name: path.read_bytes() for path in job.folder.iterdir()} == before
    assert not Path(job.folder.parent, "stolen.txt").exists()
    transfer.close()


def test_a_run_is_released_before_its_end_is_told(job, make_spec, tmp_path, monkeypatch):
    """Otherwise the command would find the run still locked, and think that it is at work."""
    finalize, told = worker.finalize, {}

    def refuse(run, outcome):
        if run.seed == 1:
            raise ValueError("no")
        return finalize(run, outcome)

    both = [replace(job, spec=make_spec(seed=n), folder=tmp_path / str(n)) for n in range(2)]

    class Looking(Said):
        def report(self, message):
            if isinstance(message.message, jobs.Kept | jobs.Failed):
                told[message.member] = RunFolder(both[message.member].folder).claimed

    monkeypatch.setattr(worker, "finalize", refuse)
    train_together(both, Looking())
    assert told == {0: False, 1: False}


@pytest.mark.parametrize("searched", [True, False])
def test_a_search_is_given_no_test_images_and_a_study_has_to_have_them(job, digits, searched):
    job = replace(job, sealed=searched)
    right, wrong = (digits.sealed(), digits) if searched else (digits, digits.sealed())
    refused = "search was given test images" if searched else "study was given no test images"
    with pytest.raises(TypeError, match=f"a run of a {refused}"):
        RunTransport(wrong).submit([job], Said())
    transfer = RunTransport(right).submit([job], Said())
    with pytest.raises(TypeError, match=f"a run of a {refused}"):
        train_remotely(train_together, transfer.payload, wrong, Said())
    transfer.close()

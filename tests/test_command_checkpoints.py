"""What a command keeps in ``checkpoint/`` goes with its unfinished run to another machine."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import shutil
import signal
import socket
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from attnstudy import runs
from attnstudy.archives import write_archive
from attnstudy.errors import StoreError
from attnstudy.running import jobs
from attnstudy.running.kept_folder import SentFolder
from attnstudy.running.run_transfer import (
    FilePart,
    Payload,
    RunTransfer,
    RunUpdate,
    _FolderChanges,
    _RemoteChannel,
)
from attnstudy.runs import RunFolder, Status
from attnstudy.runs.checkpoint_folder import PACKED
from tests.own import Own
from tests.test_run_transfer import Said

STEPS = """
cd "$ATTNSTUDY_RUN_DIR"
step=0
[ -f checkpoint/deep/in/step ] && step=$(cat checkpoint/deep/in/step)
echo "begins at $step" >> starts.txt
mkdir -p checkpoint/deep/in checkpoint/empty
printf '\\377\\000\\001' > 'checkpoint/deep/two words, \u00fc.bin'
while [ $step -lt 6 ]; do
  printf '{"step": %d, "x": %d}\\n' $step $step >> metrics.jsonl
  if [ $step = 3 ] && [ ! -f checkpoint/.hidden ]; then
    touch checkpoint/.hidden
    END
  fi
  step=$((step + 1))
  echo $step > checkpoint/new; mv checkpoint/new checkpoint/deep/in/step
done
[ -d checkpoint/empty ] && [ "$(wc -c < "checkpoint/deep/two words, \u00fc.bin")" -eq 3 ] || exit 9
echo '{"acc": 0.5}' > metrics.json
"""
EXITS, WAITS = "exit 1", "echo $$ > shell.pid; sleep 300"
KILLS = "sleep 7; kill -9 $PPID; sleep 300"
"""After the command has had its time to look."""


def steps(own: Own, end: str, *, seeds: int = 1) -> None:
    """Write a study of a command that ends in one way the first time, and goes on at the second."""
    own.write(None, top=f"command = 'sh do.sh {{seed}}'\nseeds = {seeds}")
    (own.place / "studies" / "own" / "do.sh").write_text(STEPS.replace("END", end))


def went_on(folder: RunFolder) -> None:
    """Make sure that a run was done in two attempts, and that nothing of it is missing."""
    assert folder.result().metrics["acc"] == 0.5
    assert (folder.path / "starts.txt").read_text().split("\n")[:-1] == [
        "begins at 0", "begins at 3"
    ]  # fmt: skip
    assert [(r.step, r.values["x"]) for r in folder.journal()] == [
        (step, (float(step),)) for step in range(6)
    ]
    assert not list(folder.path.glob("checkpoint*"))
    assert not list(folder.path.glob(".*"))


def listing(folder: Path) -> dict[str, object]:
    """Return what a folder holds: contents, whether they can be run, times of change."""
    return {
        str(path.relative_to(folder)): (
            None if path.is_dir() else (path.read_bytes(), os.access(path, os.X_OK)),
            round(path.stat().st_mtime, 5),
        )
        for path in sorted(folder.rglob("*"))
    }


# With an archive


@pytest.mark.parametrize("how", ["exits", pytest.param("killed", marks=pytest.mark.rest)])
def test_an_exported_run_goes_on_elsewhere_from_its_checkpoint(own: Own, how):
    steps(own, EXITS if how == "exits" else WAITS)
    if how == "exits":
        assert own("run").code == 1
    else:
        code, said = own.interrupted(
            "run", "own", "--executor", "inline", "--no-figures",
            when=lambda: bool(list(own.place.glob("mlruns/runs/own/*/shell.pid"))),
        )  # fmt: skip
        assert code == 130, said
    (here,) = own.folders().values()
    before = listing(here.path / "checkpoint")
    assert own("export", "x.zip", "--unfinished").code == 0
    assert own("export", "again.zip", "--unfinished").code == 0
    assert Path("x.zip").read_bytes() == Path("again.zip").read_bytes()
    assert listing(here.path / "checkpoint") == before
    assert not list(here.path.glob(".*"))
    assert own.command("import", "x.zip", "--store", "there").code == 0
    # from there again, before anybody went on with it
    assert own("export", "third.zip", "--unfinished", "--store", "there").code == 0
    assert own.command("import", "third.zip", "--store", "farther").code == 0
    for store in ("there", "farther"):
        answer = own("run", "--store", store)
        assert answer.code == 0, (answer.err, own.failures(store))
        (there,) = own.folders(store=store).values()
        went_on(there)
    assert own("export", "done.zip", "--unfinished", "--store", "there").code == 0
    with zipfile.ZipFile("done.zip") as packed:
        assert not [name for name in packed.namelist() if "checkpoint" in name]
    assert own.command("import", "done.zip").code == 0
    assert own.folders()["own/seed=0"].status is Status.COMPLETE


def test_a_finished_run_and_one_without_unfinished_carry_none(own: Own):
    steps(own, EXITS)
    assert own("run").code == 1
    answer = own("export", "x.zip")
    assert answer.code == 2
    assert "--unfinished exports the others" in answer.err


def test_a_checkpoint_that_was_damaged_on_its_way_is_refused(own: Own):
    steps(own, EXITS)
    assert own("run").code == 1
    assert own("export", "x.zip", "--unfinished").code == 0
    content = Path("x.zip").read_bytes()
    place = content.index(b"\xff\x00\x01")
    Path("x.zip").write_bytes(content[:place] + b"\xfe" + content[place + 1 :])
    answer = own.command("import", "x.zip", "--store", "there")
    assert answer.code == 3
    (said,) = [line for line in answer.err.splitlines() if line.startswith("Error: ")]
    assert f"{PACKED} is not as it was exported: copy it here again, or export it again" in said
    assert not list(Path("there").glob("runs/own/*/run.json"))


def test_what_cannot_travel_is_named(own: Own):
    steps(own, EXITS)
    assert own("run").code == 1
    (folder,) = own.folders().values()
    link = folder.path / "checkpoint" / "link"
    link.symlink_to(folder.path / "run.json")
    answer = own("export", "x.zip", "--unfinished")
    assert answer.code == 3
    assert "/checkpoint/link is no file and no folder, so it cannot go" in answer.err
    assert not Path("x.zip").exists()
    assert not list(folder.path.glob(".*"))


def packed(*entries: tarfile.TarInfo | tuple[str, bytes]) -> bytes:
    """Return a file as ``pack_folder`` would write it of what it never meets."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for entry in entries:
            if isinstance(entry, tuple):
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1])
                tar.addfile(info, io.BytesIO(entry[1]))
            else:
                tar.addfile(entry)
    return hashlib.sha256(content.getvalue()).digest() + content.getvalue()


def entry(name: str, kind: bytes, to: str = "", **more: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.pax_headers = kind, to, more
    return info


ROOT = entry("checkpoint", tarfile.DIRTYPE)
HOSTILE = {
    "a link": (ROOT, entry("checkpoint/x", tarfile.SYMTYPE, "/etc/passwd")),
    "a hard link": (ROOT, entry("checkpoint/x", tarfile.LNKTYPE, "checkpoint/y")),
    "a link to write through": (
        ROOT, entry("checkpoint/x", tarfile.SYMTYPE, ".."), ("checkpoint/x/lock", b"mine")),
    "a device": (ROOT, entry("checkpoint/x", tarfile.CHRTYPE)),
    "a pipe": (ROOT, entry("checkpoint/x", tarfile.FIFOTYPE)),
    "a way up": (ROOT, ("checkpoint/../stolen.txt", b"mine")),
    "a way up in the midst": (
        ROOT, entry("checkpoint/a", tarfile.DIRTYPE), ("checkpoint/a/../../stolen.txt", b"mine")),
    "the root": (ROOT, ("/stolen.txt", b"mine")),
    "beside": (ROOT, ("result.json", b"{}")),
    "a name that begins alike": (ROOT, ("checkpoints/x", b"{}")),
    "a folder up": (ROOT, entry("checkpoint/..", tarfile.DIRTYPE)),
    "no folder": (("checkpoint", b"mine"),),
    "a file with a file": (ROOT, ("checkpoint/x", b""), ("checkpoint/x/y", b"")),
    "two of a name": (ROOT, ("checkpoint/x", b"1"), ("checkpoint/x", b"2")),
    "no time": (ROOT, entry("checkpoint/x", tarfile.REGTYPE, mtime="nan")),
}  # fmt: skip


@pytest.fixture
def exported(own: Own) -> Path:
    """An archive of a run that was begun."""
    steps(own, EXITS)
    assert own("run").code == 1
    assert own("export", "x.zip", "--unfinished").code == 0
    return Path("x.zip").absolute()


def altered(archive: Path, content: bytes) -> Path:
    """Write an archive that holds another folder, as somebody could who knows its form."""
    other = archive.with_name("other.zip")
    with zipfile.ZipFile(archive) as old, write_archive(other, {"study": "own"}) as new:
        for name in old.namelist():
            if name not in ("manifest.json", "attnstudy.txt"):
                new.add_bytes(name, content if name.endswith(PACKED) else old.read(name))
    return other


def test_an_archive_whose_checkpoint_leads_elsewhere_is_refused(own: Own, exported):
    for name, entries in HOSTILE.items():
        answer = own.command("import", str(altered(exported, packed(*entries))), "--store", "there")
        assert answer.code == 3, name
        (said,) = [line for line in answer.err.splitlines() if line.startswith("Error: ")]
        assert "holds what no checkpoint has: " in said, (name, said)
        assert "export the study again" in said
    for content in (b"", bytes(40), packed(ROOT)[:-1], bytes(32) + packed(ROOT)[32:]):
        answer = own.command("import", str(altered(exported, content)), "--store", "there")
        assert answer.code == 3
        assert "holds what no checkpoint has: it is damaged" in answer.err
    assert not list(Path("there").glob("runs/own/*"))
    assert not list(Path.cwd().rglob("stolen.txt"))
    good = altered(exported, packed(ROOT, ("checkpoint/x", b"1")))
    assert own.command("import", str(good), "--store", "there").code == 0


# The file itself


def tree(run: Path) -> dict[str, object]:
    """Make a folder with all that there is; return what it holds."""
    folder = run / "checkpoint"
    (folder / "a" / "b" / "c").mkdir(parents=True)
    (folder / "a" / "b" / "model.bin").write_bytes(bytes(range(256)) * 5000)
    (folder / "a" / ".dot").touch()
    (folder / f"{'long' * 50}").write_text("x")
    (folder / "tool").write_text("#!/bin/sh\n")
    (folder / "tool").chmod(0o755)
    Path(os.fsdecode(os.fsencode(folder) + b"/odd\xff")).write_text("y")
    for number, path in enumerate(sorted(folder.rglob("*"), reverse=True)):
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number + 0.25))
    return listing(folder)


def test_a_folder_arrives_as_it_was(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    before = tree(here)
    there.mkdir()
    (there / "checkpoint" / "old").mkdir(parents=True)  # of an attempt before
    (there / PACKED).write_bytes(runs.packed_folder(here))
    (there / ".checkpoint-0123456789abcdef").mkdir()  # of a kill
    assert runs.unpack_folder(there) is None
    assert listing(there / "checkpoint") == before
    assert [path.name for path in there.iterdir()] == ["checkpoint"]
    assert runs.packed_folder(there) == runs.packed_folder(here)
    assert runs.unpack_folder(there) is None  # nothing came
    assert listing(there / "checkpoint") == before


def test_a_link_within_goes_as_what_it_names(tmp_path):
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "epoch-3").write_text("three")
    (folder / "last").symlink_to("epoch-3")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / PACKED).write_bytes(runs.packed_folder(tmp_path))
    assert runs.unpack_folder(tmp_path / "other") is None
    last = tmp_path / "other" / "checkpoint" / "last"
    assert (last.is_symlink(), last.read_text()) == (False, "three")


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


def linked(path: Path, to: str) -> None:
    path.symlink_to(to)


@pytest.mark.parametrize(
    "make",
    [os.mkfifo, bound, *(functools.partial(linked, to=to) for to in ("/etc", "gone", "x", "."))],
    ids=["pipe", "socket", "link outside", "broken link", "link to itself", "link to the folder"],
)
def test_what_is_no_file_does_not_travel(tmp_path, monkeypatch, make: Callable[[Path], None]):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoint").mkdir()
    make(tmp_path / "checkpoint" / "x")
    with pytest.raises(StoreError, match=r"checkpoint/x is no file and no folder, .* remove it"):
        runs.packed_folder(tmp_path)


@pytest.mark.parametrize("place", ["unpacked", "in-place"])
def test_a_kill_while_it_is_put_in_place_costs_nothing(tmp_path, monkeypatch, place):
    here, there = tmp_path / "here", tmp_path / "there"
    before = tree(here)
    (there / "checkpoint" / "old").mkdir(parents=True)
    (there / PACKED).write_bytes(runs.packed_folder(here))
    child = os.fork()
    if child == 0:
        monkeypatch.setenv("ATTNSTUDY_CRASH_AT", f"checkpoint-folder/{place}:1")
        runs.unpack_folder(there)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert runs.unpack_folder(there) is None
    assert listing(there / "checkpoint") == before
    assert [path.name for path in there.iterdir()] == ["checkpoint"]


def test_what_was_damaged_here_is_told_and_not_used(tmp_path):
    tree(tmp_path / "here")
    content = bytearray(runs.packed_folder(tmp_path / "here"))
    content[-5000] ^= 1
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / PACKED).write_bytes(content)
    said = runs.unpack_folder(tmp_path / "there")
    assert said == f"{tmp_path / 'there' / PACKED} was not used, because it is damaged"
    assert list((tmp_path / "there").iterdir()) == []


def test_prune_finds_the_checkpoint_of_a_run_that_is_done(own: Own):
    steps(own, "true")
    assert own("run").code == 0
    (folder,) = own.folders().values()
    (folder.path / "checkpoint").mkdir()
    (folder.path / "checkpoint" / "x").write_text("x")
    answer = own.command("prune", "--study", "own", "--yes")
    assert answer.code == 0, answer.err
    assert not (folder.path / "checkpoint").exists()


# To another machine and back


@pytest.mark.rest
def test_a_second_attempt_elsewhere_finds_what_the_first_left(own: Own, cluster):
    """There, there again, and here: each begins where the one before ended."""
    steps(own, EXITS)
    there = ("--executor", "ray", "--address", cluster.address)
    assert own("run", *there).code == 1
    (folder,) = own.folders().values()
    assert (folder.path / PACKED).exists()
    assert own("export", "x.zip", "--unfinished").code == 0
    answer = own("run", *there)
    assert answer.code == 0, (answer.err, own.failures())
    went_on(folder)
    assert own.command("import", "x.zip", "--store", "here").code == 0
    assert own("run", "--store", "here").code == 0
    (here,) = own.folders(store="here").values()
    went_on(here)


@pytest.mark.rest
def test_an_attempt_here_is_gone_on_with_there(own: Own, cluster):
    steps(own, EXITS)
    assert own("run").code == 1
    answer = own("run", "--executor", "ray", "--address", cluster.address)
    assert answer.code == 0, (answer.err, own.failures())
    (folder,) = own.folders().values()
    went_on(folder)


@pytest.mark.rest
def test_a_worker_that_is_killed_elsewhere_costs_what_came_after_its_last_look(own: Own, cluster):
    steps(own, KILLS)
    answer = own("run", "--executor", "ray", "--address", cluster.address)
    assert answer.code == 0, (answer.err, own.failures())
    assert "was killed, perhaps because memory ran out; it is tried once more" in answer.err
    (folder,) = own.folders().values()
    went_on(folder)


def test_what_did_not_come_back_whole_is_not_taken(tmp_path):
    tree(tmp_path / "there")
    content = runs.packed_folder(tmp_path / "there")
    here = RunFolder(tmp_path / "here")
    here.path.mkdir()
    transfer = RunTransfer(Payload((), (), (), {}), {0: here}, {0: contextlib.ExitStack()})
    for wrong in (content[:-1], packed(*HOSTILE["a way up"])):
        with pytest.raises(StoreError, match=r"checkpoint/ of .* did not come back as it was made"):
            transfer.receive(RunUpdate({0: (FilePart(PACKED, wrong),)}))
    assert list(here.path.iterdir()) == []
    transfer.receive(RunUpdate({0: (FilePart(PACKED, content),)}))
    assert (here.path / PACKED).read_bytes() == content


def test_only_what_changed_is_sent(tmp_path):
    tree(tmp_path / "here")
    content = runs.packed_folder(tmp_path / "here")
    there = tmp_path / "there"
    there.mkdir()
    assert SentFolder(there).changed() is None
    (there / PACKED).write_bytes(content)
    sent = SentFolder(there)
    assert sent.changed() is None
    runs.unpack_folder(there)
    assert sent.changed() is None
    (there / "checkpoint" / "tool").write_text("other")
    assert sent.changed() == runs.packed_folder(there)
    assert sent.changed() is None
    (there / "checkpoint" / "pipe").symlink_to("/dev/null")
    with pytest.raises(StoreError, match="cannot go to another machine"):
        sent.changed()
    assert sent.changed() is None, "it is said once"
    shutil.rmtree(there / "checkpoint")
    assert sent.changed() == runs.packed_folder(tmp_path)
    assert sent.changed() is None


def test_the_sender_of_a_link_is_told(tmp_path):
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "x").symlink_to("/dev/null")
    (tmp_path / "z.txt").touch()
    said = Said()
    channel = _RemoteChannel(said, (4,), {4: _FolderChanges(tmp_path)})
    (tmp_path / "more.txt").touch()
    channel.report(jobs.Of(0, jobs.Checkpointed()))
    trouble, update = said.messages
    assert (trouble.message.member, trouble.parts) == (4, {})
    assert "checkpoint/x is no file and no folder" in trouble.message.message.text
    assert [part.name for part in update.parts[4]] == ["more.txt"]

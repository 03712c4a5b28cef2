"""A command of the user's own as a training: its output, its ends, its mistakes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attnstudy.runs import Status
from tests.own import Own, one_sentence

SCRIPT = r"""
cd "$ATTNSTUDY_RUN_DIR"
echo "seed $ATTNSTUDY_SEED of $ATTNSTUDY_ARM"
good() { echo "{\"acc\": 0.$1}" > metrics.json; }
case $2 in
  good) good "$1"; echo '{"step": 0, "loss": 2}' > metrics.jsonl ;;
  exit) echo one; echo; echo "  the data are elsewhere"; exit 3 ;;
  killed) kill -9 $$ ;;
  binary) printf '\377\000\001' ; exit 1 ;;
  nothing) ;;
  no_json) echo 'acc = 1' > metrics.json ;;
  list) echo '[1, 2]' > metrics.json ;;
  empty) echo '{}' > metrics.json ;;
  nan) echo '{"acc": NaN}' > metrics.json ;;
  text) echo '{"acc": "high"}' > metrics.json ;;
  null) echo '{"acc": null}' > metrics.json ;;
  pipe) mkfifo metrics.json ;;
  endless) ln -s /dev/zero metrics.json ;;
  nested) head -c 200000 /dev/zero | tr '\0' '[' > metrics.json ;;
  other) echo '{"accuracy": 1}' > metrics.json ;;
  no_line) good 1; echo 'loss 2' > metrics.jsonl ;;
  no_step) good 1; echo '{"loss": 2}' > metrics.jsonl ;;
  list_step) good 1; echo '{"step": [1], "loss": 2}' > metrics.jsonl ;;
  nested_line) good 1; { head -c 200000 /dev/zero | tr '\0' '['; echo; } > metrics.jsonl ;;
  no_end) good 1; rm output.log; ln -s /dev/zero output.log; exit 4 ;;
  odd_step) good 1; echo '{"step": 0.5, "loss": 2}' > metrics.jsonl ;;
  bad_value) good 1; echo '{"step": 0, "loss": "high"}' > metrics.jsonl ;;
  half_line) good 1; printf '{"step": 0, "loss": 2}\n{"step": 1, "lo' > metrics.jsonl ;;
  leaves) good 2; sleep 300 & echo $! > pid.txt ;;
  diverged) echo '{"acc": 0.4, "diverged_at": 7}' > metrics.json ;;
  odd_end) echo '{"diverged_at": 0.5}' > metrics.json ;;
  big) good 3; mkdir inner; echo x > inner/y; echo z > z.txt; echo > 'an odd name.txt'
    ln -s z.txt newest.txt; ln -s /etc/passwd passwd.txt; ln -s /dev/zero zero.txt; mkfifo pipe ;;
esac
"""
REFUSED = {
    "exit": r"^the command ended with exit code 3: .*one / the data are elsewhere$",
    "killed": r"^the command was ended by signal 9: seed 0 of killed$",
    "binary": r"^the command ended with exit code 1: seed 0 of binary / ",
    "nothing": r"^the command left no metrics\.json in its run's folder \(ATTNSTUDY_RUN_DIR\): "
               r"write one, or say metrics = 'stdout'",
    "no_json": r"^the command's metrics\.json is no JSON: ",
    "list": r"returned \[1, 2\]: return its metrics by name",
    "empty": r"returned \{\}: return its metrics by name",
    "nan": r"the metric acc is nan: return a finite number",
    "text": r"the metric acc is 'high': return a number",
    "null": r"the metric acc is None: return a number",
    "pipe": r"^the command's metrics\.json is no file: write a JSON object into a file$",
    "endless": r"^the command's metrics\.json is no file: ",
    "nested": r"^the command's metrics\.json is no JSON: ",
    "other": r"returned accuracy, and no acc, by which its study is judged",
    "no_line": r"a line of metrics\.jsonl is 'loss 2': write a JSON object with a 'step'",
    "no_step": r"a line of metrics\.jsonl is '\{\"loss\": 2\}': write a JSON object with a 'step'",
    "list_step": r"a line of metrics\.jsonl is .*: write a JSON object with a 'step'",
    "nested_line": r"a line of metrics\.jsonl is '\[{100}': write a JSON object with a 'step'",
    "no_end": r"^the command ended with exit code 4: ",
    "odd_step": r"log\(step=0\.5\): a step is a whole number",
    "odd_end": r"^diverged_at is 0\.5: give the step, counted from 0$",
    "bad_value": r"loss is 'high': give a number",
}  # fmt: skip
TAKEN = {"good": 0.0, "half_line": 0.1, "leaves": 0.2, "big": 0.3, "diverged": 0.4}


def test_whatever_a_command_does_wrong_is_one_sentence_and_no_other_run_is_lost(own: Own):
    """All in one command of ours: each arm has it do something else."""
    arms = "".join(f"[arms.{name}]\ndoes = '{name}'\n" for name in (*REFUSED, *TAKEN))
    own.write(None, arms, top="command = 'sh do.sh {seed} {does}'\nseeds = 1")
    (own.place / "studies" / "own" / "do.sh").write_text(SCRIPT)
    answer = own("run")
    assert answer.code == 1
    assert one_sentence(answer.err), answer.err
    failures = own.failures()
    for name, expected in REFUSED.items():
        said = failures[name]
        assert said is not None, name
        assert re.search(expected, said), (name, said)
        assert "\n" not in said
    folders = {name.partition("/")[0]: folder for name, folder in own.folders().items()}
    results = {name: folders[name].result() for name in TAKEN}
    assert {name: result.metrics["acc"] for name, result in results.items()} == TAKEN
    assert [(r.step, r.values) for r in folders["good"].journal()] == [(0, {"loss": (2.0,)})]
    diverged = results["diverged"]
    assert (diverged.status, diverged.diverged_at) == (Status.DIVERGED, 7)
    # what it leaves running does not outlive it
    left = int((folders["leaves"].path / "pid.txt").read_text())
    assert not Path(f"/proc/{left}").exists() or "Z" in Path(f"/proc/{left}/stat").read_text()
    # the files that it leaves are the run's, if a run can have a file of that name
    assert set(results["big"].files) == {
        "metrics.json", "output.log", "z.txt", "newest.txt",
    }  # fmt: skip
    assert (folders["good"].path / "output.log").read_text() == "seed 0 of good\n"


STDOUT = r"""
case $2 in
  good) echo 'epoch=1 acc=0.1'; echo 'loss=0.2, acc=0.5;'; echo ;;
  exponent) echo 'acc = 5e-1' ;;
  colon) echo 'epoch 3: acc 0.1'; echo 'loss: 0.25, acc: 0.5' ;;
  time) echo '12:30:05 acc=0.5' ;;
  nothing) ;;
  prose) echo 'the accuracy: acc=0.5' ;;
  text) echo 'acc=high' ;;
  nan) echo 'acc=nan' ;;
esac
"""
REFUSED_STDOUT = {
    "nothing": r"the last line of its output is '', and metrics = 'stdout' reads 'name=value",
    "prose": r"the last line of its output is 'the accuracy: acc=0\.5'",
    "text": r"the metric acc is 'high', which is no number",
    "time": r"the last line of its output is '12:30:05 acc=0\.5'",
    "nan": r"the metric acc is nan: return a finite number",
}


def test_metrics_can_be_in_the_last_line_of_the_output(own: Own):
    arms = "".join(
        f"[arms.{n}]\ndoes = '{n}'\n" for n in (*REFUSED_STDOUT, "good", "exponent", "colon")
    )
    own.write(None, arms,
              top="command = 'sh do.sh {seed} {does}'\nmetrics = 'stdout'\nseeds = 1")  # fmt: skip
    (own.place / "studies" / "own" / "do.sh").write_text(STDOUT)
    answer = own("run")
    assert answer.code == 1
    for name, expected in REFUSED_STDOUT.items():
        assert re.search(expected, own.failures()[name] or ""), own.failures()[name]
    assert own.metrics() == {
        "good/seed=0": {"acc": 0.5, "loss": 0.2}, "exponent/seed=0": {"acc": 0.5},
        "colon/seed=0": {"acc": 0.5, "loss": 0.25},
    }  # fmt: skip


MISTAKES = {
    "unknown placeholder": (
        "sh do.sh {sead}", r"the command names \{sead\}; did you mean 'seed'\?, which is no"),
    "setting of one arm": ("sh do.sh {rate}", r"the command names \{rate\}; did you mean 'rates'"),
    "empty": ("", r"the command is empty: say what is to be run"),
    "blank": ("  ", r"the command is empty"),
    "unbalanced": ("sh -c 'echo {seed}", r"the command cannot be read: No closing quotation"),
    "not there": ("no-such-program --seed {seed}",
                  r"the command 'no-such-program' is not there: install it, or correct 'command'"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_a_command_is_told_before_anything_runs(own: Own, name):
    command, expected = MISTAKES[name]
    own.write(None, "[settings]\nrates = 1", top=f'command = "{command}"\nseeds = 2')
    answer = own("run")
    assert answer.code in (2, 3)
    assert answer.out == ""
    assert re.search(expected, answer.err), answer.err
    assert len(answer.err.splitlines()) == 1
    assert not Path("mlruns/runs").exists()


def test_no_shell_sees_what_a_command_is_given(own: Own):
    """Settings with spaces, quotes and signs of a shell arrive as they are; so do braces."""
    own.write(
        None,
        """
        [settings]
        text = 'a b; touch "$HOME" | * {seed}'
        yes = true
        part = 0.1
        """,
        top="command = 'sh words.sh {text} {yes} {part} {seed} {{x}} \"of two\"'\nseeds = 1",
    )
    (own.place / "studies" / "own" / "words.sh").write_text(
        """for word; do echo "<$word>"; done
        echo '{"acc": 1}' > "$ATTNSTUDY_RUN_DIR/metrics.json"
        """
    )
    answer = own("run")
    assert answer.code == 0, (answer.err, own.failures())
    (folder,) = own.folders().values()
    words = ['a b; touch "$HOME" | * {seed}', "true", "0.1", "0", "{x}", "of two"]
    printed = (folder.path / "output.log").read_text()
    assert printed.splitlines() == [f"<{word}>" for word in words]


STUBBORN = """
trap '' TERM
cd "$ATTNSTUDY_RUN_DIR"
echo $$ > shell.pid
while true; do sleep 0.1; done
"""


@pytest.mark.rest
def test_a_command_that_ignores_sigterm_is_ended_all_the_same(own: Own):
    own.write(None, top="command = 'sh do.sh {seed}'\nseeds = 1")
    (own.place / "studies" / "own" / "do.sh").write_text(STUBBORN)
    code, said = own.interrupted(
        "run", "own", "--executor", "inline", "--no-figures",
        when=lambda: bool(list(own.place.glob("mlruns/runs/own/*/shell.pid"))),
    )  # fmt: skip
    assert code == 130, said
    (folder,) = own.folders().values()
    process = int((folder.path / "shell.pid").read_text())
    assert not Path(f"/proc/{process}").exists()
    assert folder.status.value == "interrupted"


GOES_ON = r"""
cd "$ATTNSTUDY_RUN_DIR"
step=0
[ -f checkpoint/step ] && step=$(cat checkpoint/step)
while [ $step -lt 6 ]; do
  printf '{"step": %d, "x": %d.%d}\n' $step $1 $step >> metrics.jsonl
  if [ $step = 3 ] && [ ! -f checkpoint/died ]; then
    mkdir -p checkpoint; touch checkpoint/died
    printf '{"step": 4, "x' >> metrics.jsonl
    [ "$2" = worker ] && { sleep 300 & echo $! > orphan.pid; kill -9 $PPID; sleep 300; }
    exit 1
  fi
  step=$((step + 1))
  mkdir -p checkpoint
  echo $step > checkpoint/new; mv checkpoint/new checkpoint/step
done
echo "{\"acc\": $1.5}" > metrics.json
"""


def test_a_second_try_goes_on_from_the_folder_for_checkpoints(own: Own):
    """Half a line of a curve, left by the first, is not read; repeated steps count once."""
    own.write(None, top="command = 'sh do.sh {seed} exit'\nseeds = 2")
    (own.place / "studies" / "own" / "do.sh").write_text(GOES_ON)
    assert own("run").code == 1
    answer = own("run")
    assert answer.code == 0, answer.err
    for name, folder in own.folders().items():
        seed = name[-1]
        assert [(r.step, r.values["x"]) for r in folder.journal()] == [
            (step, (float(f"{seed}.{step}"),)) for step in range(6)
        ]
        assert not (folder.path / "checkpoint").exists()
    assert {m["acc"] for m in own.metrics().values()} == {0.5, 1.5}


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="other systems do not tell of processes")
def test_what_a_killed_worker_leaves_running_is_ended_before_the_second_try(own: Own, processes):
    """The worker is killed: the command dies with it, what it started does at the second try."""
    own.write(None, top="command = 'sh do.sh {seed} worker'\nseeds = 1")
    (own.place / "studies" / "own" / "do.sh").write_text(GOES_ON)
    answer = own("run")
    assert answer.code == 0, answer.err
    assert "its process was killed by SIGKILL" in answer.err
    assert "it is tried once more" in answer.err
    (folder,) = own.folders().values()
    orphan = Path("/proc", (folder.path / "orphan.pid").read_text().strip())
    assert not orphan.exists() or "Z" in (orphan / "stat").read_text()
    assert [r.step for r in folder.journal()] == list(range(6))


@pytest.mark.parametrize("executor", ["ray"])
def test_a_command_on_a_cluster_is_the_command_here(own: Own, executor, cluster):
    """Its files are sent there; folders, and names that no file of a run has, stay there."""
    arms = "".join(f"[arms.{name}]\ndoes = '{name}'\n" for name in ("good", "big", "exit"))
    own.write(None, arms, top="command = 'sh do.sh {seed} {does}'\nseeds = 1")
    script = SCRIPT.replace("case $2 in", "mkdir checkpoint; echo 1 > checkpoint/step\ncase $2 in")
    (own.place / "studies" / "own" / "do.sh").write_text(script)
    assert own("run", "--store", "here").code == 1
    answer = own("run", "--executor", executor, "--address", cluster.address)
    assert answer.code == 1, answer.err
    assert one_sentence(answer.err), answer.err
    assert own.metrics() == own.metrics("here")
    assert set(own.metrics()) == {"good/seed=0", "big/seed=0"}
    assert own.failures()["exit"] == own.failures("here")["exit"]
    here, there = (own.folders(store=store)["big/seed=0"] for store in ("here", "mlruns"))
    names = set(here.result().files)
    assert {n: here.result().files[n] for n in names} == {n: there.result().files[n] for n in names}

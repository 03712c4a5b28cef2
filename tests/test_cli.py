"""The command line: help without weight, one sentence for every mistake, who overrides whom."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import click
import pytest

from attnstudy import __version__
from attnstudy.cli import cli as group
from attnstudy.runs import run_folders
from attnstudy.usecases.declaring import keep_beside_study
from tests import studies
from tests.conftest import SMALL
from tests.studies import write_study

COMMANDS = [
    ("run",), ("rank",), ("audit",), ("status",), ("sync",), ("ui",), ("doctor",), ("data",),
    ("data", "fetch"), ("data", "verify"), ("prune",), ("export",), ("import",),
    ("selftest",), ("study",), ("study", "new"), ("study", "show"), ("study", "check"),
    ("tune",), ("tune", "show"), ("checklist",),
]  # fmt: skip
HEAVY = {"torch", "mlflow", "scipy", "numpy", "rich", "matplotlib", "sklearn", "pyarrow", "optuna"}


def test_every_command_is_in_the_list():
    names: set[tuple[str, ...]] = {(name,) for name in group.commands}
    for holder in ("data", "study", "tune"):
        names |= {(holder, name) for name in group.commands[holder].commands}  # type: ignore[attr-defined]
    assert names == set(COMMANDS)


@pytest.mark.parametrize("command", [(), *COMMANDS], ids=" ".join)
def test_help_loads_nothing_heavy(command):
    code = (
        "import sys\n"
        f"sys.argv = ['attnstudy', *{list(command)!r}, '--help']\n"
        "from attnstudy.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as ending:\n"
        "    print(sorted(m for m in sys.modules if '.' not in m), file=sys.stderr)\n"
        "    sys.exit(ending.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage: attnstudy" in done.stdout
    assert HEAVY & set(json.loads(done.stderr.replace("'", '"'))) == set()


@pytest.mark.parametrize(
    ("command", "unneeded"),
    [
        (("run", *SMALL, "--variant", "vanilla", "--seeds", "1"), {"ray", "optuna"}),
        (("run", *SMALL, "--variant", "vanilla", "--seeds", "2", "--dry-run"), {"mlflow"}),
        (("status",), {"mlflow"}),
    ],
    ids=["train", "plan", "status"],
)
def test_a_command_imports_what_it_needs(command, unneeded, workplace, processes, cli):
    """Torch is for workers: it takes each process seconds to import."""
    if not metadata.version("torch").endswith("+cpu"):
        pytest.skip("this torch has to be asked whether there is a GPU")
    if "mlflow" in unneeded:  # a store that is in its place, and a run that says how long one takes
        cli("run", *SMALL, "--variant", "vanilla", "--seeds", "1")
    code = (
        "import sys\n"
        f"sys.argv = ['attnstudy', *{list(command)!r}]\n"
        "from attnstudy.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as ending:\n"
        f"    print(sorted({unneeded | {'torch'}!r} & set(sys.modules)), file=sys.stderr)\n"
        "    sys.exit(ending.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "[]"), done.stderr


def test_version(cli):
    answer = cli("--version")
    assert (answer.code, answer.out) == (0, f"attnstudy, version {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--variant", "duoble"], "unknown variant 'duoble'.*did you mean 'double'"),
        (["run", "--variant", "x:y z"], "unknown variant 'x:y z'"),
        (["run", "--variant", "nowhere:make", *SMALL], "no module 'nowhere'"),
        (["run", "--seeds", "-1"], "seeds '-1' are not understood"),
        (["run", "--seeds", "0"], "0 seeds would train nothing"),
        (["run", "--seeds", "5-3"], "the range 5-3"),
        (["run", "--epochs", "0"], "--epochs must be a whole number of at least 1, not 0"),
        (["run", "--lr", "nan"], "--lr must be a number above 0, not nan"),
        (["run", "--lr", "-1"], "--lr must be a number above 0, not -1"),
        (["run", "--batch-size", "0"], "--batch-size"),
        (["run", "--weight-decay", "-1"], "--weight-decay must be a number of at least 0, not -1"),
        (
            ["run", "--weight-decay", "inf"],
            "--weight-decay must be a number of at least 0, not inf",
        ),
        (
            ["run", "--optimizer", "adamq"],
            "one of adam, adamw, sgd, not 'adamq'; did you mean 'adam'",
        ),
        (["run", "--augmentation", "crop_flip"], "not 'crop_flip'; did you mean 'crop-flip'"),
        (
            ["run", "--augmentation", "xyz"],
            "must be one of none, flip, crop, crop-flip, not 'xyz'$",
        ),
        (["run", "--workers", "0"], "'0' is not a number of workers"),
        (
            ["run", "--channels", "64"],
            r"a list of 2 whole numbers of at least 1, not '64' \(write 64,32\)",
        ),
        (
            ["run", "--attention", "spacial"],
            "one of spatial, channel, not 'spacial'; did you mean 'spatial'",
        ),
        (["run", "--study", "a/b"], "'a/b' cannot name a study"),
        (["run", "nothing-here"], "there is no study 'nothing-here'"),
        (["run", "--sedes", "3"], "No such option.*--sedes.*--seeds"),
        (["rnu"], "No such command.*rnu.*run"),
        (["rank", "--alpha", "2"], "'2' is not an error rate"),
        (["rank"], "there is no study in"),
        (["rank", "--study", "other"], "there is no study 'other'"),
        (["status", "--study", "other"], "there is no study 'other'"),
        (["run", "--tracking-uri", "file:///x", *SMALL], "is not usable"),
        (["ui", "--port", "0"], "--port"),
    ],
)
def test_a_mistake_gets_one_sentence_and_exit_2(arguments, sentence, cli, workplace):
    import re

    answer = cli(*arguments)
    assert answer.code == 2, answer
    assert answer.out == ""
    assert re.search(sentence, answer.err), answer.err
    assert answer.err.startswith("Error: ")
    assert answer.err.count("\n") == 1
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--dataset", "no/such/folder"], "there is no dataset 'no/such/folder'"),
        (["run", *SMALL, "--train-size", "5000"], "5000 training and 60 validation images are"),
        (["data", "verify", "no/such/folder"], "there is no dataset"),
        (["data", "verify", "cifar10"], "attnstudy data fetch"),
        (["rank", "--store", "elsewhere"], "there is no tracking store in elsewhere"),
        (["ui", "--store", "elsewhere"], "there is no tracking store in elsewhere"),
        (["rank", "--tracking-uri", "http://127.0.0.1:9"], "does not answer"),
        (["ui", "--tracking-uri", "http://127.0.0.1:9"], "does not answer"),
    ],
)
def test_a_fault_of_data_or_surroundings_gets_one_sentence_and_exit_3(
    arguments, sentence, cli, workplace
):
    answer = cli(*arguments)
    assert answer.code == 3, answer
    assert sentence in answer.err
    assert answer.err.count("\n") == 1
    assert not list(Path(workplace).glob("elsewhere/*"))


def test_a_misspelt_key_of_a_study_file_is_told_with_the_near_miss(cli, workplace):
    path = workplace / "studies" / "mine" / "study.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[training]\nepohcs = 3\n")
    answer = cli("run", "mine")
    assert answer.code == 2
    assert "[training] epohcs" in answer.err
    assert "did you mean 'epochs'" in answer.err


def test_command_line_goes_before_environment_and_that_before_the_file(cli, workplace):
    path = workplace / "studies" / "mine" / "study.toml"
    path.parent.mkdir(parents=True)
    path.write_text(
        'variants = ["vanilla", "late"]\nseeds = "0-6"\ndataset = "digits"\n'
        "train_size = 100\nval_size = 50\nchannels = [4, 4]\n[training]\nepochs = 3\n"
    )

    def planned(*arguments, env=None):
        answer = cli("run", "mine", "--dry-run", "--json", *arguments, env=env)
        assert answer.code == 0, answer.err
        return json.loads(answer.out)

    def seeds(plan):
        return sorted({run["seed"] for run in plan["runs"]})

    from_file = planned()
    assert from_file["study"] == "mine"
    assert {run["variant"] for run in from_file["runs"]} == {"vanilla", "late"}
    assert seeds(from_file) == list(range(7))
    from_environment = planned(env={"ATTNSTUDY_SEEDS": "2", "ATTNSTUDY_EPOCHS": "4"})
    assert seeds(from_environment) == [0, 1]
    assert from_environment["config"] != from_file["config"]
    from_line = planned("--seeds", "7-7", "--variant", "double", env={"ATTNSTUDY_SEEDS": "2"})
    assert seeds(from_line) == [7]
    assert {run["variant"] for run in from_line["runs"]} == {"double"}
    assert planned("--epochs", "3")["config"] == from_file["config"]
    assert planned("--study", "renamed")["study"] == "renamed"


@pytest.mark.parametrize("with_file", [False, True])
def test_the_command_of_a_run_means_that_run_alone(cli, workplace, with_file):
    words: tuple[str, ...] = ("--study", "plain", *SMALL)
    if with_file:
        write_study(workplace, "plain", f'variants = ["double"]\nseeds = 3\n{studies.SMALL}')
        words = ("plain",)
    more = ("--lr", "0.002", "--variant", "double", "--seeds", "1-1", "--executor", "inline")
    assert cli("run", *words, *more, "-q").code == 0
    (folder,) = run_folders(Path("mlruns"), "plain")
    command = shlex.split(folder.started().spec.command_line("--dry-run"))
    assert command[:6] == ["attnstudy", "run", "--dry-run", "--study", "plain", "--arm"]
    plan = json.loads(cli(*command[1:], "--json").out)
    assert [(run["seed"], run["status"]) for run in plan["runs"]] == [(1, "complete")]


def test_dry_run_trains_and_writes_nothing(cli, workplace):
    answer = cli("run", *SMALL, "--variant", "double", "--seeds", "2", "--dry-run")
    assert answer.code == 0
    assert "0-1" in answer.out
    assert "About" in answer.out
    assert not (workplace / "mlruns" / "runs").exists()


def test_every_option_has_its_own_name_in_the_environment():
    def options_of(command):
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name not in ("help", "version"):
                yield parameter
        for child in getattr(command, "commands", {}).values():
            yield from options_of(child)

    for option in options_of(group):
        long = next(name for name in option.opts if name.startswith("--"))
        assert option.envvar[0] == "ATTNSTUDY_" + long[2:].replace("-", "_").upper()


def test_status_of_nothing(cli, workplace):
    answer = cli("status")
    assert (answer.code, answer.out) == (0, "No study in mlruns yet: 'attnstudy run' starts one.\n")


def test_data_fetch_and_verify(cli, workplace, digits):
    answer = cli("data", "fetch", "digits")
    assert answer.code == 0
    assert digits.digest in answer.out
    assert "1,257 training, 180 validation, 360 test images of 1x8x8, 10 classes" in answer.out
    assert cli("data", "verify", "digits").code == 0


def test_doctor_finds_everything_in_order(cli, workplace):
    answer = cli("doctor", "--dataset", "digits")
    assert answer.code == 0, answer.out
    assert "FAULT" not in answer.out
    for check in ("python", "libraries", "torchvision", "device", "threads", "store", "dataset"):
        assert f"ok     {check}" in answer.out


def test_doctor_says_what_to_do_about_each_fault(cli, workplace):
    answer = cli("doctor", "--dataset", "cifar10", "--tracking-uri", "http://127.0.0.1:9")
    assert answer.code == 3
    faults = [line for line in answer.out.splitlines() if line.startswith("FAULT")]
    assert len(faults) == 2
    assert "does not answer: start it" in faults[0]
    assert "'attnstudy data fetch' fetches it" in faults[1]


def test_ui_refuses_a_port_in_use(cli, workplace):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = cli("ui", "--port", str(port))
    assert answer.code == 2
    assert f"port {port} is in use" in answer.err


def test_output_that_cannot_be_written_is_an_error_of_the_surroundings(cli, workplace, study_here):
    Path("no").write_text("a file")
    answer = cli("rank", "--output", "no/such/folder/x.txt")
    assert answer.code == 3
    assert "cannot be written" in answer.err


@pytest.fixture
def study_here(cli, workplace):
    assert cli("run", *SMALL, "--variant", "vanilla", "--seeds", "1", "--workers", "1").code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("status", "--study", "--help"),
        ("run", "--", "--help"),
        ("rank", "--from", "-h", "x"),
        ("rank", "--from", "--help"),
        ("study", "show", "--study", "-h"),
        ("export", "--", "-h", "x.zip"),
    ],
    ids=" ".join,
)
def test_a_word_for_help_that_is_the_value_of_something_is_that_value(cli, workplace, words):
    answer = cli(*words)
    assert answer.code in (2, 3), answer.err
    assert answer.err.startswith("Error: ")
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize("words", [("run", "x", "--help"), ("rank", "-h"), ("status", "-h", "y")])
def test_help_needs_no_study(cli, workplace, words):
    answer = cli(*words)
    assert answer.code == 0
    assert "Usage: " in answer.out


@pytest.mark.parametrize("command", ["rank", "status", "sync", "prune", "checklist", "ui"])
def test_two_studies_are_refused_by_what_is_about_one(command, cli, workplace):
    answer = cli(command, "mine", "--study", "other")
    assert answer.code == 2
    assert answer.err.startswith("Error: STUDY is 'mine' and --study 'other': name one of them")
    assert "[default: placement]" not in " ".join(cli(command, "--help").out.split())


def test_a_number_of_workers_is_of_plain_digits(cli, workplace):
    answer = cli("run", "--workers", "²")
    assert (answer.code, "'²' is not a number of workers" in answer.err) == (2, True)


def test_plans_beside_a_study_are_written_anew_whatever_is_there(tmp_path):
    (tmp_path / "plans.json").write_bytes(b"\xff")
    keep_beside_study(tmp_path, [])
    assert (tmp_path / "plans.json").read_text() == "[]"

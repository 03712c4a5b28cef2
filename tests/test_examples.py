"""The worked examples: the commands of their pages run, and what is interrupted goes on."""

from __future__ import annotations

import importlib
import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.own import Own, computed

EXAMPLES = Path(__file__).parent.parent / "examples"
NEEDS = {
    "awk_command": ("awk", "install it by the system's package manager"),
    "digits_sklearn": ("sklearn", "make installs it"),
    "torch_loop": ("torch", "make installs it"),
    "lightning_callback": ("lightning.pytorch", "'make .venv/.installed-bench' installs it"),
}
REST = ("torch_loop", "lightning_callback")
"""Those that take long to import, or have more commands."""
NAMES = [pytest.param(n, marks=pytest.mark.rest) if n in REST else n for n in NEEDS]


def made_here(own: Own, name: str) -> Path:
    """Copy an example to where a test can change it; skip if what it needs is not here."""
    needed, how = NEEDS[name]
    try:
        if name == "awk_command":
            assert shutil.which(needed), "it is not on the PATH"
        else:
            importlib.import_module(needed)
    except Exception as error:  # a package may be there and not fit the others
        pytest.skip(f"the example needs {needed}, which cannot be used ({error}): {how}")
    copy = own.place / "examples" / name
    shutil.copytree(EXAMPLES / name, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def few_seeds(folder: Path, seeds: int, **settings: float) -> None:
    """Have an example's study take a moment."""
    path = folder / "study.toml"
    text = re.sub(r"^seeds = \d+$", f"seeds = {seeds}", path.read_text(), flags=re.M)
    for key, value in settings.items():
        text = re.sub(rf"^{key} = [\d.e-]+$", f"{key} = {value}", text, flags=re.M)
    path.write_text(text)


def test_each_example_is_one_of_these():
    assert {path.parent.name for path in EXAMPLES.glob("*/study.toml")} == set(NEEDS)
    for name in NEEDS:
        text = (EXAMPLES / name / "README.md").read_text()
        assert len([line for line in text.splitlines() if line]) <= 16
        assert commands(name)[0] == ["attnstudy", "run", f"examples/{name}"]


def test_the_callback_for_lightning_is_short():
    text = (EXAMPLES / "lightning_callback" / "callback.py").read_text()
    lines = text[text.index("class ") :].splitlines()
    assert len([line for line in lines if line.strip()]) <= 30


def commands(name: str) -> list[list[str]]:
    blocks = re.findall(r"^```bash\n(.*?)^```", (EXAMPLES / name / "README.md").read_text(),
                        re.M | re.S)  # fmt: skip
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_of_its_page_run(own: Own, name):
    few_seeds(made_here(own, name), 3, epochs=2, trials=2)
    for _, *words in commands(name):
        answer = own.command(*words)
        assert answer.code == 0, (words, answer.err, answer.out)
        if words[0] == "rank":
            assert "CONFIRMATORY" in answer.out
            assert "Scope: for new seeds" in answer.out or name == "awk_command"


@pytest.mark.proof
@pytest.mark.parametrize(
    "name", ["torch_loop", pytest.param("lightning_callback", marks=pytest.mark.rest)]
)
def test_interrupted_after_any_epoch_it_comes_to_the_same_bits(own: Own, name, monkeypatch):
    from attnstudy.executors import Stopped
    from attnstudy.running.run import ActiveRun

    few_seeds(made_here(own, name), 1, epochs=3)
    run = ("run", f"examples/{name}", "--no-figures")
    answer = own.command(*run, "--store", "whole")
    assert answer.code == 0, answer.err
    checkpoint = ActiveRun.checkpoint

    def stop(active, state):
        checkpoint(active, state)
        raise Stopped

    for _ in range(2):  # after the first, then after the second
        with monkeypatch.context() as context:
            context.setattr(ActiveRun, "checkpoint", stop)
            own.command(*run)
        assert len(list(own.place.glob(f"mlruns/runs/{name}/*/checkpoint.pt"))) == 2
    answer = own.command(*run)
    assert answer.code == 0, answer.err
    assert "go on from a checkpoint" in answer.err
    assert computed(own.place / "mlruns", name) == computed(own.place / "whole", name)


def test_the_command_goes_on_from_what_it_kept(own: Own):
    """Interrupted in the middle: the same numbers, and none of its curve twice."""
    few_seeds(made_here(own, "awk_command"), 1, steps=600)
    run = ("run", "examples/awk_command")
    assert own.command(*run, "--store", "whole").code == 0

    def in_the_middle() -> bool:
        return any(
            path.read_text().count("\n") > 40
            for path in own.place.glob("mlruns/runs/awk_command/*/metrics.jsonl")
        )

    code, said = own.interrupted(*run, "--executor", "inline", when=in_the_middle)
    assert code == 130, said
    (kept,) = own.place.glob("mlruns/runs/awk_command/*/checkpoint/state")
    assert 40 <= int(kept.read_text().split()[0]) < 600
    assert own.command(*run).code == 0
    whole, found = (
        {name: (metrics, journal) for name, (_, metrics, journal, _) in one.items()}
        for one in (computed(own.place / store, "awk_command") for store in ("whole", "mlruns"))
    )
    assert found == whole

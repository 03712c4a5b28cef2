"""What the tests share: the digits, decoded once, and a store that need not be migrated.

Every process of a session imports this, so it imports next to nothing: a fixture imports what it
needs when it is made.
"""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from hypothesis import settings

if TYPE_CHECKING:
    from attnstudy.study import RunSpec
    from attnstudy.trainings.placement.data import Dataset
    from tests.clusters import Machines
    from tests.crashes.zygote import Zygote
    from tests.own import Own

# One thread a process, here and in what the tests start: several processes share few cores, and
# threads that wait for one another keep them busy. Bits depend on what a run is told, not on this.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# How long an example takes says how busy the machine is.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")


SMALL = (
    "--dataset", "digits", "--train-size", "256", "--val-size", "60", "--epochs", "2",
    "--channels", "4,4", "--batch-size", "32",
)  # fmt: skip
"""Options of a study that trains in a fraction of a second a run."""


REST = (
    "crashes/", "faults/", "stack/", "data/test_real_images.py", "data/test_torchvision_ops.py",
    "powerloss/test_power_loss.py",
    "report/test_figure_looks.py", "report/test_page_in_browser.py", "report/test_run_figures.py",
    "search/test_postgres.py",
    "tasks/test_task_figures.py", "test_checklist.py", "test_estimating.py", "test_examples.py",
    "test_fusing.py", "test_large_experiment.py", "test_memory.py", "test_model_archive.py",
    "test_moving_tuning.py", "test_optimizers.py", "test_own_modules.py", "test_peers.py",
    "test_ray.py", "test_reading_stores.py", "test_related_studies.py", "test_scaling.py",
    "test_site.py", "test_split_by_seed.py", "test_tuning_tracking.py", "test_worker_pool.py",
)  # fmt: skip
"""What ``make test`` leaves to ``make test-rest``, but for single tests marked ``proof``."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say which tests are the rest; leave the long proofs to ``make chaos``."""
    for item in items:
        left = _place(item.nodeid).startswith(REST) or _on_ray(item.nodeid)
        if left and not item.get_closest_marker("proof"):
            item.add_marker("rest")
    if os.environ.get("ATTNSTUDY_CHAOS"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in set(long)]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Have one process start a cluster or the stack, or fill a module's fixtures, for all.

    This stands for ``--dist loadgroup``: xdist 3.8 cannot tell groups by marks since pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

    return Together(config, log) if config.getvalue("dist") == "loadgroup" else None


def together(nodeid: str) -> str:
    """Return a name for the tests that one process runs: one test, those of a module, or more."""
    place = _place(nodeid)
    if _on_ray(nodeid):
        return "ray"
    if place.startswith("stack/"):
        return "stack"
    return place if _has_module_fixtures(place) else nodeid


@functools.cache
def _has_module_fixtures(place: str) -> bool:
    return 'scope="module"' in (Path(__file__).parent / place).read_text()


def _place(nodeid: str) -> str:
    """Return the module of a test, below this folder."""
    return nodeid.partition("::")[0].removeprefix("tests/")


def _on_ray(nodeid: str) -> bool:
    return _place(nodeid) in ("test_ray.py", "test_worker_pool.py") or "[ray" in nodeid


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that is filled once for all processes of a session of tests."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, done = base / name, base / f"{name}.done"
    with FileLock(base / f"{name}.lock"):
        if not done.exists():
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of decoded images for the whole session."""
    return made_once(tmp_path_factory, "data", Path.mkdir)


@pytest.fixture(scope="session")
def digits(data_dir: Path) -> Dataset:
    from attnstudy.trainings.placement import data

    return data.load("digits", data_dir)[0]


@pytest.fixture(scope="session")
def digits_folder(data_dir: Path) -> Path:
    from attnstudy.trainings.placement import data

    return data.load("digits", data_dir)[1]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Compute with one thread, so that bits can be compared."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images; without it the test is skipped."""
    folder = os.environ.get("ATTNSTUDY_TEST_DATA")
    if folder is None:
        pytest.skip("ATTNSTUDY_TEST_DATA does not name a folder with cifar10/ and notebook/")
    return Path(folder)


@pytest.fixture(scope="session")
def template_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store: MLflow takes seconds to create one, a copy takes none."""
    from attnstudy.tracking import open_store, resolve

    return made_once(
        tmp_path_factory, "template", lambda store_dir: open_store(resolve(store_dir, None))
    )


@pytest.fixture
def workplace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_dir: Path, template_store: Path
) -> Path:
    """An empty working directory with a fresh store; no setting of the user's gets in.

    Commands train in their own process and draw no figures, which are most of a small run, unless
    a test asks for ``processes`` or ``figures``.
    """
    for name in list(os.environ):
        if name.startswith(("ATTNSTUDY_", "MLFLOW_TRACKING")) and name != "ATTNSTUDY_TEST_DATA":
            monkeypatch.delenv(name)
    monkeypatch.setenv("ATTNSTUDY_DATA_DIR", str(data_dir))
    monkeypatch.setenv("ATTNSTUDY_EXECUTOR", "inline")
    monkeypatch.setenv("ATTNSTUDY_NO_FIGURES", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlruns").mkdir()
    shutil.copy(template_store / "mlflow.db", tmp_path / "mlruns" / "mlflow.db")
    return tmp_path


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch, workplace: Path) -> None:
    """Have runs trained in processes of their own, as users do."""
    monkeypatch.delenv("ATTNSTUDY_EXECUTOR")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch, workplace: Path) -> None:
    """Have figures drawn, as users do."""
    monkeypatch.delenv("ATTNSTUDY_NO_FIGURES")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Machines]:
    """A Ray cluster of three simulated machines: a head, one with fake GPUs, one without."""
    from tests.clusters import machines

    with machines({"num_cpus": 2}, {"num_cpus": 2, "num_gpus": 1}) as made:
        yield made


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Zygote:
    """What runs commands in processes of their own: one for all processes of the session."""
    from tests.crashes.zygote import Zygote, start

    # the processes of xdist are children of the one that the session ends with
    owner = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()

    def make(folder: Path) -> None:
        folder.mkdir()
        start(folder / "door", owner)

    return Zygote(made_once(tmp_path_factory, "zygote", make) / "door")


@pytest.fixture(scope="session")
def trained_store(
    tmp_path_factory: pytest.TempPathFactory, data_dir: Path, template_store: Path
) -> Path:
    """A store with a study of four finished runs and one that was killed; for copies only."""
    from tests.stores import LONG, VARIANTS, train, train_and_kill

    def make(store_dir: Path) -> None:
        store_dir.mkdir()
        shutil.copy(template_store / "mlflow.db", store_dir / "mlflow.db")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ATTNSTUDY_DATA_DIR", str(data_dir))
            patch.setenv("ATTNSTUDY_NO_FIGURES", "1")  # what was published is not part of it
            train(store_dir, *VARIANTS, "--seeds", "2")
            train_and_kill(store_dir, *LONG)

    return made_once(tmp_path_factory, "trained", make)


@pytest.fixture
def store_dir(workplace: Path, trained_store: Path) -> Path:
    """The store of the working directory, with that study in it, not yet in its MLflow."""
    shutil.copytree(trained_store / "runs", workplace / "mlruns" / "runs")
    for notes in workplace.glob("mlruns/runs/*/*/published"):
        shutil.rmtree(notes)
    return Path("mlruns")


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


Cli = Callable[..., Answer]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """Run a command in this process, through the entry point of the console script."""
    from attnstudy.cli import main

    def call(*arguments: str, env: Mapping[str, str] | None = None) -> Answer:
        capfd.readouterr()
        with monkeypatch.context() as context:
            context.setattr("sys.argv", ["attnstudy", *map(str, arguments)])
            for name, value in (env or {}).items():
                context.setenv(name, value)
            with pytest.raises(SystemExit) as ending:
                main()
        printed = capfd.readouterr()
        code = ending.value.code
        return Answer(code if isinstance(code, int) else 0, printed.out, printed.err)

    return call


@pytest.fixture
def own(workplace: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Own:
    """A study of a training of its own in the working directory, and commands on it."""
    from tests.own import Own

    monkeypatch.delenv("ATTNSTUDY_DATA_DIR")  # of the placements, and refused
    return Own(workplace, cli, monkeypatch)


@pytest.fixture
def make_spec(digits: Dataset) -> Callable[..., RunSpec]:
    """Make the specification of a small run on the digits."""
    from attnstudy.study import RunSpec

    def make(**changes: object) -> RunSpec:
        values: dict[str, object] = {
            "study": "small",
            "dataset": "digits",
            "variant": "double",
            "seed": 0,
            "dataset_digest": digits.digest,
            "train_size": 256,
            "val_size": 60,
            "epochs": 2,
            "batch_size": 32,
            "channels": (4, 4),
        }
        return RunSpec(**{**values, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def case(real_data) -> Callable[[str], str]:
    folder = real_data.parent / "cases" / "tables"
    if not folder.is_dir():
        pytest.skip("the cases are not beside the test data")
    return lambda name: str(folder / name)

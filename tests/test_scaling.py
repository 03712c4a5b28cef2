"""What one more epoch or trial costs does not grow with how many there were: counted, not timed."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import asdict, replace

import optuna
import pytest

from attnstudy import runs
from attnstudy.runs import LogRecord, RunFolder
from attnstudy.search import ArmSearch, TrialState, open_storage, parse_storage
from attnstudy.tracking import Publisher, SearchPublisher, TrialRecord, open_store, resolve
from attnstudy.usecases.tuning.publishing import search_record
from attnstudy.usecases.tuning.results import ArmTuning
from benchmarks.scaling import workers
from benchmarks.scaling.trials import config

EPOCH = 4  # updates


@pytest.fixture
def tracker(workplace):
    return open_store(resolve(workplace / "mlruns", None))


@pytest.fixture
def begun(workplace, make_spec, digits) -> RunFolder:
    """A run that was started, and has no journal yet."""
    facts = runs.DatasetFacts(
        name="digits", source="digits", digest=digits.digest, image_shape=digits.image_shape,
        class_names=digits.class_names, test_images=360, normalisation={},
    )  # fmt: skip
    folder = runs.run_folder(workplace / "mlruns", make_spec())
    folder.path.mkdir(parents=True)
    folder.start(make_spec(), asdict(facts))
    return folder


def train_epoch(folder: RunFolder, epoch: int, *, seconds: float = 0.0) -> None:
    """Add an epoch of two intervals to the journal."""
    for first in range(epoch * EPOCH, (epoch + 1) * EPOCH, 2):
        losses = (1.0 / (1 + first), 1.0 / (2 + first))
        values = {"train_loss": losses, "val_accuracy": (float(first),)}
        folder.append(LogRecord(first + 1, seconds + first + 2.0, values))


def publisher(tracker) -> Publisher:
    return Publisher(tracker, "small", None, lambda folder: {})


def steps_shown(tracker, folder: RunFolder, name: str) -> list[int]:
    run_id = folder.published("embedded")["run_id"]
    return sorted(point.step for point in tracker.client.get_metric_history(run_id, name))


def test_a_checkpoint_has_only_its_own_lines_read(tracker, begun, monkeypatch):
    read: list[int] = []
    journal_from = RunFolder.journal_from

    def counted(folder, place):
        found = journal_from(folder, place)
        read.append(len(found))
        return found

    monkeypatch.setattr(RunFolder, "journal_from", counted)
    sender = publisher(tracker)
    with begun.claim():
        for epoch in range(12):
            train_epoch(begun, epoch)
            sender.publish(begun)
        # its own two lines and the one before them, however long the journal is
        assert read == [2, *[3] * 11]
        publisher(tracker).publish(begun)  # as another command would, much later
        assert read[-1] == 1
    assert steps_shown(tracker, begun, "train_loss") == list(range(48))
    assert steps_shown(tracker, begun, "val_accuracy") == list(range(1, 48, 2))


def test_lines_that_were_written_again_are_found_and_not_sent_twice(tracker, begun):
    with begun.claim():
        for epoch in range(3):
            train_epoch(begun, epoch)
        publisher(tracker).publish(begun)
        begun.keep_records(3)  # killed, and resumed from a checkpoint before the last lines
        begun.append(replace(begun.journal()[-1], step=7, seconds=1234.5))
        publisher(tracker).publish(begun)  # the journal reaches less far than what was sent
        for epoch in (2, 3):
            train_epoch(begun, epoch, seconds=2000.0)
        publisher(tracker).publish(begun)
        train_epoch(begun, 4, seconds=2000.0)
        publisher(tracker).publish(begun)
    assert steps_shown(tracker, begun, "train_loss") == list(range(20))
    assert steps_shown(tracker, begun, "val_accuracy") == list(range(1, 20, 2))


def told(search: ArmSearch, number: int):
    """Have a trial asked for, and end it."""
    trial = replace(search.ask(), state=TrialState.COMPLETE, value=50.0 + number % 7, runs=1)
    return search.tell(trial)


def test_a_search_hands_each_trial_to_the_sampler_once(tmp_path, monkeypatch):
    handed = Counter()
    add_trials = optuna.Study.add_trials

    def counted(study, trials):
        trials = list(trials)
        handed.update(trial.number for trial in trials)
        add_trials(study, trials)

    monkeypatch.setattr(optuna.Study, "add_trials", counted)
    storage = open_storage(parse_storage(str(tmp_path / "trials.journal")), tmp_path)
    search = ArmSearch.begin(storage, config())
    for number in range(30):
        told(search, number)
    assert handed == dict.fromkeys(range(29), 1)
    # and whoever reads them all anew is proposed the same
    anew = ArmSearch.begin(
        open_storage(parse_storage(str(tmp_path / "trials.journal")), tmp_path), config()
    )
    shutil.copy(tmp_path / "trials.journal", tmp_path / "copy.journal")
    other = ArmSearch.begin(
        open_storage(parse_storage(str(tmp_path / "copy.journal")), tmp_path), config()
    )
    assert anew.trials() == search.trials()
    assert other.ask().fields == search.ask().fields


def test_one_more_trial_costs_a_server_as_many_runs_read_as_the_first(workplace, monkeypatch):
    """A database elsewhere, as a server: what was made is looked for, since answers may be lost."""
    tracker = open_store(resolve(workplace / "mlruns", f"sqlite:///{workplace}/elsewhere.db"))
    read: list[int] = []
    search_runs = tracker.client.search_runs

    def counted(*arguments, **named):
        page = search_runs(*arguments, **named)
        read.append(len(page))
        return page

    monkeypatch.setattr(tracker.client, "search_runs", counted)
    trials: list[TrialRecord] = []
    tuning = ArmTuning(config(), (), {})
    sender = SearchPublisher(
        tracker, "many.tuning", "many", None, lambda _: search_record(tuning, tuple(trials), 9)
    )
    for number in range(8):
        trials.append(
            TrialRecord(
                number=number, state="complete", params={"lr": "0.1"}, value=50.0, values=[50.0],
                seconds=1.0, reason=None, started_at=1000 + number, finished_at=2000 + number,
            )
        )  # fmt: skip
        sender.publish("vanilla")
    # the survey, the search's own run, and then each trial alone
    assert read == [0, 1, *[1] * 8]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_one_more_run_is_not_looked_for_among_all(workplace, make_spec, begun, elsewhere):
    """Elsewhere it is looked for by its time once it was made, since answers may be lost."""
    store_dir = workplace / "mlruns"
    address = resolve(store_dir, f"sqlite:///{workplace}/elsewhere.db" if elsewhere else None)
    tracker = open_store(address)
    asked: list[str] = []
    search_runs = tracker.client.search_runs

    def noted(experiments, filter_string, *arguments, **named):
        asked.append(filter_string)
        return search_runs(experiments, filter_string, *arguments, **named)

    tracker.client.search_runs = noted  # type: ignore[assignment, method-assign]
    publisher = Publisher(tracker, "small", None, lambda _: {})
    facts = asdict(begun.started().dataset)
    for seed in range(4):
        folder = runs.run_folder(store_dir, make_spec(seed=seed))
        folder.path.mkdir(parents=True, exist_ok=True)
        if folder.started() is None:
            folder.start(make_spec(seed=seed), facts)
        assert publisher.publish(folder)
    times = [
        f"attributes.start_time = {f.started().at}" for f in runs.run_folders(store_dir, "small")
    ]
    assert asked[0] == ""
    assert sorted(asked[1:]) == (sorted(times) if elsewhere else [])


def test_a_driver_hears_everything_that_many_workers_say():
    from attnstudy.executors import Processes

    heard = workers.measure(Processes(6), workers=6, jobs=9, reports=10)
    assert heard.heard == heard.expected == 9 * 11

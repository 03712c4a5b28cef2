"""Publishing is cut off at every request, in every way, and repeated: the content is the same."""

from __future__ import annotations

import contextlib

import pytest

from attnstudy.errors import StoreError
from attnstudy.tracking import Publisher, delivery_state, open_store, requests, resolve, store
from attnstudy.tracking.digests import sealing_tags
from tests.faults.conftest import CHAOS, figures
from tests.faults.content import embedded_content, store_content
from tests.faults.proxy import Proxy, passing, proxy_before


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


class Reached:
    """Notes the crash points that are reached, and ends there at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        self.end_at = 0
        for module in (requests, delivery_state, store):
            monkeypatch.setattr(module, "reach", self)

    def __call__(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self.end_at:
            raise Killed(name)

    def begin(self, end_at: int = 0) -> None:
        self.names, self.end_at = [], end_at


@pytest.fixture
def reached(monkeypatch):
    return Reached(monkeypatch)


def same_but_for_the_study(content, study, folder):
    """Replace what differs between copies of a run in several studies."""
    fingerprint = folder.started().spec.fingerprint
    (only,) = content["double/seed=0"]
    tags, params = dict(only["tags"]), dict(only["params"])
    assert tags.pop("attnstudy.study") == params.pop("study") == study
    assert tags.pop("attnstudy.fingerprint") == fingerprint
    sealed = sealing_tags(folder.started(), folder.result())
    assert tags.pop("attnstudy.result") == sealed["attnstudy.result"]
    assert content["models"] == 1
    files = {name: d for name, d in only["files"].items() if name != "figure.svg"}
    assert len(files) == len(only["files"]) - 1
    models = [
        {
            **model,
            "tags": {k: v.replace(f"**{study}**", "**STUDY**") for k, v in model["tags"].items()},
        }
        for model in only["models"]
    ]
    return {**only, "tags": tags, "params": params, "files": files, "models": models}


@pytest.mark.proof
def test_killed_at_any_point_the_next_publishing_gives_the_same(workplace, copy_run, reached):
    store_dir = workplace / "mlruns"
    tracker = open_store(resolve(store_dir, None))
    folder = copy_run(store_dir, "whole")
    assert Publisher(tracker, "whole", "why?", figures).publish(folder)
    names = list(reached.names)
    assert len(names) > 30
    expected = same_but_for_the_study(embedded_content(store_dir, "whole"), "whole", folder)
    assert expected["status"] == "FINISHED"
    assert [model["status"] for model in expected["models"]] == ["READY"]
    for place, name in enumerate(names, start=1):
        if name.startswith("publish/before") and place > 1:
            continue  # the same state as after the point before
        study = f"cut{place}"
        folder = copy_run(store_dir, study)
        reached.begin(place)
        with pytest.raises(Killed, match=name):
            Publisher(tracker, study, "why?", figures).publish(folder)
        reached.begin()
        Publisher(tracker, study, "why?", figures).publish(folder)
        found = same_but_for_the_study(embedded_content(store_dir, study), study, folder)
        assert found == expected, name
        reached.begin()
        assert not Publisher(tracker, study, "why?", figures).publish(folder), name
        assert reached.names == [], name


def test_killed_while_a_run_has_no_result_the_result_is_published_the_same(
    workplace, copy_run, reached
):
    store_dir = workplace / "mlruns"
    tracker = open_store(resolve(store_dir, None))
    whole = copy_run(store_dir, "whole")
    assert Publisher(tracker, "whole", "why?", figures).publish(whole)
    expected = same_but_for_the_study(embedded_content(store_dir, "whole"), "whole", whole)
    for place in range(1, 60):
        study = f"cut{place}"
        folder = copy_run(store_dir, study)
        result = (folder.path / "result.json").read_bytes()
        (folder.path / "result.json").unlink()
        reached.begin(place)
        try:
            Publisher(tracker, study, "why?", figures).publish(folder)
            break
        except Killed as killed:
            name = str(killed)
        (folder.path / "result.json").write_bytes(result)
        reached.begin()
        Publisher(tracker, study, "why?", figures).publish(folder)
        found = same_but_for_the_study(embedded_content(store_dir, study), study, folder)
        assert found == expected, name
    assert {"publish/after-log-params", "publish/after-log-metrics"} < set(reached.names)


def test_a_run_that_was_made_and_lost_after_the_survey_is_found(workplace, copy_run, reached):
    """Two commands: the one that read all runs before goes on with what the other left."""
    store_dir = workplace / "mlruns"
    tracker = open_store(resolve(store_dir, None))
    first = Publisher(tracker, "cut", "why?", figures)
    assert first.publish(copy_run(store_dir, "cut"))
    folder = copy_run(store_dir, "cut", seed=1)
    other = Publisher(tracker, "cut", "why?", figures)
    other._opened()
    reached.begin(4)  # behind the two points of the note
    with pytest.raises(Killed, match="publish/after-create-run"):
        other.publish(folder)
    reached.begin()
    assert first.publish(folder)
    content = embedded_content(store_dir, "cut")
    assert [len(found) for name, found in content.items() if name != "models"] == [1, 1]


def test_killed_again_and_again_publishing_still_ends_with_the_same(workplace, copy_run, reached):
    store_dir = workplace / "mlruns"
    tracker = open_store(resolve(store_dir, None))
    whole, folder = copy_run(store_dir, "whole"), copy_run(store_dir, "again")
    Publisher(tracker, "whole", None, figures).publish(whole)
    attempts = 0
    for end_at in range(3, 60):
        reached.begin(end_at)
        attempts += 1
        with contextlib.suppress(Killed):
            Publisher(tracker, "again", None, figures).publish(folder)
            break
    assert attempts > 5
    assert same_but_for_the_study(
        embedded_content(store_dir, "again"), "again", folder
    ) == same_but_for_the_study(embedded_content(store_dir, "whole"), "whole", whole)


@pytest.fixture(scope="module")
def proxy(server):
    with proxy_before(server.port) as proxy:
        yield proxy


class OnServer:
    """Publishes to the server and says what it then holds."""

    def __init__(self, store_dir, server, proxy: Proxy, copy_run) -> None:
        self.store_dir, self.server, self.proxy, self.copy = store_dir, server, proxy, copy_run

    def publish(self, study, folder):
        tracker = open_store(resolve(self.store_dir, self.proxy.uri))
        return Publisher(tracker, study, "why?", figures).publish(folder)

    def content(self, study, folder):
        database = self.server.folder / "server.db"
        found = store_content(database, study, self.server.folder / "artifacts")
        return same_but_for_the_study(found, study, folder)


@pytest.fixture
def on_server(workplace, server, proxy, copy_run):
    return OnServer(workplace / "mlruns", server, proxy, copy_run)


def requests_of_one_publishing(on_server, study):
    folder = on_server.copy(on_server.store_dir, study)
    on_server.proxy.set(passing)
    assert on_server.publish(study, folder)
    return folder, list(on_server.proxy.seen)


def interesting(seen, every):
    return [r.number for r in seen if r.writes and (CHAOS or r.number % every == 0)]


def test_an_answer_that_is_lost_once_doubles_nothing(on_server):
    """MLflow's client repeats the request, which the server has carried out already."""
    whole, seen = requests_of_one_publishing(on_server, "lost")
    expected = on_server.content("lost", whole)
    for number in interesting(seen, 3):
        study = f"lost{number}"
        folder = on_server.copy(on_server.store_dir, study)
        on_server.proxy.set(lambda r, n=number: "lose" if r.number == n else "pass")
        with contextlib.suppress(StoreError):  # where the server refuses the repetition
            on_server.publish(study, folder)
        on_server.proxy.set(passing)
        on_server.publish(study, folder)
        assert on_server.content(study, folder) == expected, seen[number - 1]


@pytest.mark.parametrize("way", ["drop", "lose", "half"])
def test_a_server_that_is_gone_from_any_request_on_gets_the_rest_later(on_server, way):
    whole, seen = requests_of_one_publishing(on_server, f"gone-{way}")
    expected = on_server.content(f"gone-{way}", whole)
    for number in interesting(seen, 4):
        study = f"gone-{way}{number}"
        folder = on_server.copy(on_server.store_dir, study)

        def rule(request, number=number):
            if request.number < number:
                return "pass"
            return way if request.number == number else "drop"

        on_server.proxy.set(rule)
        with pytest.raises(StoreError):
            on_server.publish(study, folder)
        on_server.proxy.set(passing)
        on_server.publish(study, folder)
        assert on_server.content(study, folder) == expected, seen[number - 1]
        assert not on_server.publish(study, folder)

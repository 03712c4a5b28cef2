"""What answers at the tracking address is not MLflow, or answers as no MLflow server does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from mlflow.store.entities import PagedList

from attnstudy.tracking.requests import StrangeAnswerError, pages
from tests.own import one_sentence

EXPERIMENT = {
    "experiment_id": "1", "name": "x", "artifact_location": "mlflow-artifacts:/1",
    "lifecycle_stage": "active", "last_update_time": 1, "creation_time": 1, "tags": [],
}  # fmt: skip


def run(number: int) -> dict[str, Any]:
    metric = {"key": "acc", "value": 0.5 + number / 100, "timestamp": 1, "step": 0}
    params = {"model": "ab"[number % 2], "seed": str(number // 2)}
    return {
        "info": {
            "run_id": f"{number:032x}", "run_uuid": f"{number:032x}", "experiment_id": "1",
            "status": "FINISHED", "start_time": 1_700_000_000_000 + number, "end_time": 0,
            "artifact_uri": "mlflow-artifacts:/1/r", "lifecycle_stage": "active",
        },
        "data": {
            "metrics": [metric], "tags": [],
            "params": [{"key": name, "value": value} for name, value in params.items()],
        },
    }  # fmt: skip


RUNS = [run(number) for number in range(8)]
TYPED = {**run(0), "data": {"metrics": [{"key": 5, "value": "x", "timestamp": [], "step": {}}]}}
STRANGE = {
    "html": {"": b"<html>hello</html>"},
    "a list": {"": []},
    "a number": {"": 5},
    "null": {"": None},
    "nested deeply": {"": b"[" * 100_000},
    "an experiment of wrong types": {"get-by-name": {"experiment": {"experiment_id": {}}}},
    "runs that are a number": {"runs/search": {"runs": 7}},
    "runs of wrong types": {"runs/search": {"runs": [TYPED]}},
    "the same page again and again": {"runs/search": {"runs": RUNS, "next_page_token": "next"}},
    "an empty page before the next": {"runs/search": {"runs": [], "next_page_token": "next"}},
    "experiments in a circle": {
        "experiments/search": {"experiments": [EXPERIMENT], "next_page_token": "next"}
    },
}
"""What -> the end of a path -> what is answered there; elsewhere it is what MLflow answers."""
USUAL = {"get-by-name": {"experiment": EXPERIMENT}, "runs/search": {"runs": RUNS},
         "experiments/search": {"experiments": [EXPERIMENT]}, "": {}}  # fmt: skip


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, Any]], str]]:
    """Serve answers; returns the address."""
    servers: list[ThreadingHTTPServer] = []

    def served(answers: dict[str, Any]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.partition("?")[0]
                ends = [end for end in (*answers, *USUAL) if path.endswith(end)]
                answer = answers.get(ends[0], USUAL.get(ends[0]))
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield served
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_usual_answers_are_ranked(cli, workplace, serve):
    answer = cli(
        "rank", "--experiment", "x", "--tracking-uri", serve({}), "--by", "params.model",
        "--seed-by", "params.seed", "--metric", "acc", "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert [arm["n"] for arm in json.loads(answer.out)["arms"]] == [4, 4]


@pytest.mark.parametrize("what", STRANGE)
def test_a_strange_answer_is_one_sentence(cli, workplace, serve, what):
    address = serve(STRANGE[what])
    commands = {
        "experiments in a circle": ("rank", "x"),
        "": ("rank", "--experiment", "x", "--by", "params.model", "--metric", "acc"),
    }
    answer = cli(*commands.get(what, commands[""]), "--tracking-uri", address)
    said = " ".join((answer.out + answer.err).split())
    assert (answer.code, "Traceback" in said) == (3, False), said
    assert one_sentence(answer.err)
    assert f"what answers at {address} is not an MLflow server" in said


def test_pages_are_read_to_the_last_and_not_in_a_circle():
    book: dict[str | None, PagedList[int]] = {
        None: PagedList([1], "b"), "b": PagedList([2, 3], "c"), "c": PagedList([], None)
    }  # fmt: skip
    assert [item for page in pages(book.__getitem__) for item in page] == [1, 2, 3]
    book["c"] = PagedList([4], "b")
    with pytest.raises(StrangeAnswerError):
        list(pages(book.__getitem__))

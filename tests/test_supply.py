"""What comes from others: whether images and versions are checked truly, and the list of a release.

A server on this machine stands for endoflife.date, Docker's registry and OSV. It answers as their
descriptions say (API v1 of endoflife.date, the distribution specification, OSV's query), with what
was true of these branches on 2026-08-22.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import attnstudy

ROOT = Path(__file__).parents[1]
NOW, BEFORE = f"sha256:{'1f' * 32}", f"sha256:{'e9' * 32}"
PYTHON, POSTGRES = "3.11.16-slim-bookworm", "17.11-bookworm"
OCI = "application/vnd.oci.image.index.v1+json"


class Sources:
    """The answers of a server, by path; what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], str]] = {}
        self.asked: list[str] = []
        sources = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sources.asked.append(f"{self.command} {self.path}")
                status, headers, body = sources.answer(self.path, self.headers)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body.encode())

            do_HEAD = do_GET

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.path = f"/osv/{asked['package']['name']}"
                self.do_GET()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, path: str, headers: Any) -> tuple[int, dict[str, str], str]:
        if path.startswith("/v2/"):
            # anybody gets a token, and nobody an answer without one
            if headers["Authorization"] != "Bearer anybody":
                where = f'realm="{self.address}/token",service="here",scope="a:b:pull"'
                return 401, {"WWW-Authenticate": f"Bearer {where}"}, ""
            assert OCI in headers["Accept"]
        if path.startswith("/osv/"):
            return self.answers.get(path, (200, {}, "{}"))
        return self.answers.get(path, (404, {}, "not here"))

    def give(self, path: str, content: object, status: int = 200, **headers: str) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = (status, named, text)

    def tag(self, name: str, tag: str, digest: str = NOW) -> None:
        self.give(f"/v2/library/{name}/manifests/{tag}", "", Docker_Content_Digest=digest)


def release(name: str, newest: str, day: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name, "codename": None, "label": name, "releaseDate": "2022-10-24",
        "isLts": False, "ltsFrom": None, "isEol": False, "eolFrom": "2027-10-31",
        "isMaintained": True, "latest": {"name": newest, "date": day, "link": None}, **changes,
    }  # fmt: skip


def of_branch(found: dict[str, Any]) -> dict[str, Any]:
    return {"schema_version": "1.2.1", "generated_at": "2026-08-22T09:00:00Z", "result": found}


PYTHON_3_11 = "/api/v1/products/python/releases/3.11/"
POSTGRES_17 = "/api/v1/products/postgresql/releases/17/"
DEBIAN = "/api/v1/products/debian/"
BOOKWORM = release(
    "12", "12.15", "2026-07-11", codename="Bookworm", isEol=True, eolFrom="2026-07-11",
    isEoes=False, eoesFrom="2028-06-30",
)  # fmt: skip


@pytest.fixture
def sources() -> Iterator[Sources]:
    made = Sources()
    made.give(PYTHON_3_11, of_branch(release("3.11", "3.11.16", "2026-08-13")))
    made.give(POSTGRES_17, of_branch(release("17", "17.11", "2026-08-10", eolFrom="2029-11-08")))
    trixie = release("13", "13.6", "2026-07-11", codename="Trixie")
    made.give(DEBIAN, of_branch({"name": "debian", "releases": [trixie, BOOKWORM]}))
    made.give("/token?service=here&scope=a%3Ab%3Apull", {"token": "anybody"})
    made.tag("python", PYTHON)
    made.tag("postgres", POSTGRES)
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


class Docker:
    """A copy of the files with images of its own, and the check on it."""

    def __init__(self, folder: Path, sources: Sources) -> None:
        self.folder, self.sources = folder, sources
        for name in ("Dockerfile", "compose.yaml"):
            shutil.copy(ROOT / "docker" / name, folder)

    def pin(self, python: str = f"{PYTHON}@{NOW}", postgres: str = f"{POSTGRES}@{NOW}") -> None:
        for name, before, tag in (
            ("Dockerfile", "=python:", python), ("compose.yaml", "TAG:-", postgres),
        ):  # fmt: skip
            file = self.folder / name
            file.write_text(re.sub(rf"(?<={before})[\w.@:-]+", tag, file.read_text()))

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, ROOT / "docker" / "check_images.py", "--folder", self.folder,
             "--releases", self.sources.address, "--registry", self.sources.address, *options],
            capture_output=True, text=True,
        )  # fmt: skip

    def text(self) -> str:
        return "".join((self.folder / name).read_text() for name in ("Dockerfile", "compose.yaml"))


@pytest.fixture
def docker(tmp_path: Path, sources: Sources) -> Docker:
    folder = tmp_path / "docker"
    folder.mkdir()
    made = Docker(folder, sources)
    made.pin()
    return made


def test_the_newest_images_pinned_by_digest_are_in_order(docker):
    done = docker.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"python:{PYTHON} (docker/Dockerfile)",
        "  3.11.16 of 2026-08-13 is the newest release of 3.11",
        "  python 3.11 gets fixes until 2027-10-31",
        "  Debian bookworm gets fixes until 2028-06-30",
        "  the digest is the one that the tag has now",
        f"postgres:{POSTGRES} (docker/compose.yaml)",
        "  17.11 of 2026-08-10 is the newest release of 17",
        "  postgres 17 gets fixes until 2029-11-08",
        "  Debian bookworm gets fixes until 2028-06-30",
        "  the digest is the one that the tag has now",
    ]


def test_an_older_release_is_told(docker):
    docker.pin(postgres="17.7-bookworm")
    docker.sources.tag("postgres", "17.7-bookworm")
    done = docker.run()
    assert done.returncode == 1
    assert "  OLD: 17.11 of 2026-08-10 is the newest release of 17\n" in done.stdout
    assert "  NOT PINNED: " in done.stdout
    # 17.7 is older than 17.11, although it comes later in the alphabet
    assert done.stdout.count("OLD") == 1
    assert done.stdout.splitlines()[-1].startswith("'make pins' writes")


def test_a_version_that_the_list_does_not_have_yet_is_not_old(docker):
    docker.pin(postgres=f"17.12-bookworm@{NOW}")
    docker.sources.tag("postgres", "17.12-bookworm")
    assert docker.run().returncode == 0


@pytest.mark.parametrize(
    ("pins", "changed", "said"),
    [
        ({"python": f"{PYTHON}@{BEFORE}"}, None, "OLD: the tag was built anew since"),
        ({"python": PYTHON}, None, "NOT PINNED: "),
        ({"postgres": f"17.13-bookworm@{NOW}"}, None, "MISSING: the registry has no such tag"),
        (
            {},
            (POSTGRES_17, of_branch(release("17", "17.11", "2029-11-08", isMaintained=False))),
            "END OF LIFE: postgres 17 got its last fixes on 2027-10-31",
        ),
        (
            {},
            (DEBIAN, of_branch({"releases": [{**BOOKWORM, "isMaintained": False}]})),
            "END OF LIFE: Debian bookworm got its last fixes on 2028-06-30",
        ),
    ],
)
def test_whatever_else_makes_an_image_old_is_told(docker, pins, changed, said):
    docker.pin(**pins)
    if changed:
        docker.sources.give(*changed)
    done = docker.run()
    assert done.returncode == 1
    assert f"  {said}" in done.stdout


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line in which a check says that it could not look."""
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith(": the images were not checked; try again where it answers\n")
    return done.stderr


RELEASE = release("17", "17.11", "2026-08-10")
REGISTRY = f"/v2/library/python/manifests/{PYTHON}"
TOKEN = "/token?service=here&scope=a%3Ab%3Apull"


@pytest.mark.parametrize(
    ("path", "content", "status", "said"),
    [
        (POSTGRES_17, "<html>a page for those who want in</html>", 200, "it is no JSON"),
        (POSTGRES_17, ["a list"], 200, "'result' is missing"),
        (POSTGRES_17, of_branch({"latest": None}), 200, "'name' is missing"),
        (POSTGRES_17, of_branch({**RELEASE, "isMaintained": "yes"}), 200, "'isMaintained' is of"),
        (
            POSTGRES_17,
            of_branch({**RELEASE, "latest": {"name": "\x1b[31mnew"}}),
            200,
            r"'\x1b[31mnew' is no version",
        ),
        (POSTGRES_17, "", 404, "status 404"),
        (POSTGRES_17, "slowly", 429, "status 429"),
        (DEBIAN, of_branch({"releases": []}), 200, "it knows no Debian bookworm"),
        (DEBIAN, of_branch({"releases": {"12": BOOKWORM}}), 200, "'releases' is of another type"),
        (REGISTRY, "", 200, "'' is no digest"),
        (REGISTRY, "", 503, "status 503"),
        (TOKEN, {"token": None}, 200, "'token' is of another type"),
        (TOKEN, "none", 500, "status 500"),
    ],
)
def test_an_answer_that_is_none_is_one_sentence(docker, path, content, status, said):
    docker.sources.give(path, content, status)
    before = docker.text()
    assert said in sentence(docker.run())
    if path != DEBIAN:  # which nothing is written of
        assert said in sentence(docker.run("--write"))
        assert docker.text() == before


def test_a_source_that_nobody_hears_is_one_sentence(docker, sources):
    said = sentence(docker.run("--registry", "http://127.0.0.1:9"))
    assert said.startswith("127.0.0.1:9 cannot be reached: ")
    assert sentence(docker.run("--releases", "http://127.0.0.1:9", "--write")) == said


def test_nobody_asks_a_registry_that_was_not_named(docker, monkeypatch):
    monkeypatch.delenv("REGISTRY", raising=False)
    done = docker.run("--registry", "")
    assert (done.returncode, done.stdout) == (2, "")
    assert "say which registry the images come from" in done.stderr


def test_a_token_is_fetched_from_the_web_alone(docker, sources, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text('{"token": "of this machine"}')
    challenge = f'Bearer realm="file://{secret}"'
    sources.answer = lambda path, headers: (
        (401, {"WWW-Authenticate": challenge}, "")
        if path.startswith("/v2/")
        else sources.answers[path]
    )
    assert "does not say where to get a token" in sentence(docker.run())


def test_pins_are_written_with_digests_and_hold_afterwards(docker, sources):
    docker.pin("3.11.14-slim-bookworm", "17.7-bookworm")
    rest = docker.text()
    done = docker.run("--write")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"ARG PYTHON_IMAGE=python:{PYTHON}@{NOW}\n" in docker.text()
    assert f"image: postgres:${{POSTGRES_TAG:-{POSTGRES}@{NOW}}}\n" in docker.text()
    assert re.sub(r"[\d.]+-(slim-)?bookworm(@\S+[0-9a-f])?", "", docker.text()) == re.sub(
        r"[\d.]+-(slim-)?bookworm", "", rest
    )
    assert docker.run().returncode == 0
    # built anew: another digest takes the place of this one
    sources.tag("postgres", POSTGRES, BEFORE)
    assert docker.run().returncode == 1
    assert docker.run("--write").returncode == 0
    assert f"{POSTGRES}@{BEFORE}" in docker.text()
    assert docker.text().count("sha256:") == 2
    # and both are what their own tools take
    tools = Path(sys.executable).parent
    for command in (
        [tools / "hadolint", docker.folder / "Dockerfile"],
        [tools / "check-jsonschema", "--builtin-schema", "vendor.compose-spec",
         docker.folder / "compose.yaml"],
    ):  # fmt: skip
        checked = subprocess.run(command, capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_the_registry_does_not_have_yet_is_left_as_it_was(docker, sources):
    docker.pin(postgres="17.7-bookworm")
    del sources.answers[f"/v2/library/postgres/manifests/{POSTGRES}"]
    done = docker.run("--write")
    assert done.returncode == 1
    assert f"postgres:{POSTGRES} is not in the registry: left as it was" in done.stdout
    assert "TAG:-17.7-bookworm}" in docker.text()


def test_an_image_without_a_whole_version_is_refused(docker):
    docker.pin(postgres="17-bookworm")
    done = docker.run()
    assert done.returncode == 1
    assert "names no image by its whole version" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_images_of_the_stack_are_ones_that_the_check_knows(tmp_path, sources):
    folder = tmp_path / "docker"
    folder.mkdir()
    docker = Docker(folder, sources)
    told = re.findall(r"^(\w+:[\w.-]+) \(docker/", docker.run().stdout, re.MULTILINE)
    assert [name.partition(":")[0] for name in told] == ["python", "postgres"]
    assert re.findall(r"^FROM (?!\$\{PYTHON_IMAGE\})", docker.text(), re.MULTILINE) == []


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment of ``make audit`` and ``make sbom``, installed as they do."""
    folder = tmp_path_factory.mktemp("audit")
    done = subprocess.run(
        ["make", folder / ".installed", f"AUDIT={folder}", f"PYTHON={sys.executable}"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"pip-audit and cyclonedx-bom cannot be installed here: {done.stderr[-300:]}")
    return folder


def check_constraints(tools: Path, folder: Path, address: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tools / "bin" / "python", ROOT / "docker" / "check_constraints.py",
         "--constraints", folder / "constraints.txt", "--judged", folder / "judged.md",
         "--advisories", address],
        capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.rest
def test_known_vulnerabilities_are_told_and_judged_ones_are_no_fault(tools, tmp_path, sources):
    (tmp_path / "constraints.txt").write_text("# with a comment\ngunicorn==26.2.0\nclick==8.5.1\n")
    (tmp_path / "judged.md").write_text("Nothing yet.\n")
    address = f"{sources.address}/v1/query"
    clean = check_constraints(tools, tmp_path, address)
    assert (clean.returncode, clean.stderr) == (0, "")
    assert clean.stdout == (
        "constraints.txt: 2 packages; known vulnerabilities that docs/security.md does not "
        "judge: 0\n"
    )
    events = [{"introduced": "25.2.0"}, {"fixed": "27.0.0"}]
    package = {"name": "gunicorn", "ecosystem": "PyPI"}
    sources.give(
        "/osv/gunicorn",
        {"vulns": [{
            "id": "PYSEC-2026-1", "aliases": ["CVE-2026-134820"], "details": "smuggled requests",
            "modified": "2026-11-23T16:18:42Z", "published": "2026-11-22T21:22:05Z",
            "affected": [{
                "package": package, "versions": ["26.2.0"],
                "ranges": [{"type": "ECOSYSTEM", "events": events}],
            }],
        }]},
    )  # fmt: skip
    found = check_constraints(tools, tmp_path, address)
    assert found.returncode == 1
    first, last = found.stdout.splitlines()
    assert first == "gunicorn 26.2.0: PYSEC-2026-1 = CVE-2026-134820, fixed in 27.0.0"
    assert last.endswith("does not judge: 1")
    (tmp_path / "judged.md").write_text("| gunicorn | CVE-2026-134820: not reached |\n")
    judged = check_constraints(tools, tmp_path, address)
    assert judged.returncode == 0
    assert judged.stdout.splitlines()[0] == f"{first}, judged in docs/security.md"
    # a longer number is another one
    (tmp_path / "judged.md").write_text("| gunicorn | CVE-2026-1348201 |\n")
    assert check_constraints(tools, tmp_path, address).returncode == 1


@pytest.mark.rest
@pytest.mark.parametrize("content", ["<html>", "[]", None])
def test_advisories_that_cannot_be_had_are_one_sentence(tools, tmp_path, sources, content):
    (tmp_path / "constraints.txt").write_text("click==8.5.1\n")
    (tmp_path / "judged.md").touch()
    address = "http://127.0.0.1:9/v1/query"
    if content is not None:
        sources.give("/osv/click", content, status=503)
        address = f"{sources.address}/v1/query"
    done = check_constraints(tools, tmp_path, address)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert "constraints.txt was not checked; try again where 127.0.0.1:" in done.stderr


@pytest.mark.long  # a minute, for what each release makes anyway
def test_the_list_of_a_release_names_versions_and_licenses(tools, tmp_path):
    """Of this environment: to install one anew takes minutes, and shows the same of these."""
    made = tmp_path / "made.cdx.json"

    def make() -> bytes:
        done = subprocess.run(
            ["make", "sbom", f"AUDIT={tools}", f"RELEASED={sys.prefix}", f"SBOM={made}",
             "-o", f"{sys.prefix}/.installed-released", "-o", f"{tools}/.installed"],
            cwd=ROOT, capture_output=True, text=True, env={**os.environ, "MAKEFLAGS": ""},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return made.read_bytes()

    content = make()
    assert make() == content  # nothing in it of time or chance
    assert str(ROOT).encode() not in content
    bill = json.loads(content)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    root = bill["metadata"]["component"]
    assert (root["name"], root["version"]) == ("attnstudy", attnstudy.__version__)
    assert root["licenses"][0]["license"]["id"] == "Apache-2.0"
    parts = {part["name"].lower(): part for part in bill["components"]}
    for name, license in (("torch", "BSD-3-Clause"), ("mlflow", "Apache"), ("optuna", "MIT")):
        assert parts[name]["version"] == version(name)
        assert license in json.dumps(parts[name]["licenses"])
        assert parts[name]["purl"].startswith(f"pkg:pypi/{name}@{version(name).partition('+')[0]}")
    needed = next(one for one in bill["dependencies"] if one["ref"] == root["bom-ref"])
    assert f"mlflow=={version('mlflow')}" in needed["dependsOn"]

"""Say which images of the stack are older than the newest release of their branch; pin the newest.

Images are those of ``Dockerfile`` and ``compose.yaml`` beside this file. ``make audit`` runs this,
``make pins`` with ``--write``. It asks endoflife.date for the newest release of a branch and for
how long it is maintained, and the registry for the digest that a tag has now.

Exit codes: 0 all images are the newest; 1 an image is not, or is not pinned by digest; 3 a source
did not answer, or not as its API promises.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

_FILES = ("Dockerfile", "compose.yaml")
_PRODUCTS = {"python": ("python", 2), "postgres": ("postgresql", 1)}
"""For each image: its name at endoflife.date, and how many numbers of a version name a branch."""
_DIGEST = r"sha256:[0-9a-f]{64}"
_PIN = re.compile(
    rf"(?P<name>{'|'.join(_PRODUCTS)}):(?P<variable>\$\{{\w+:-)?"
    rf"(?P<version>\d+(?:\.\d+)+)(?P<variant>[\w.-]*)(?:@(?P<digest>{_DIGEST}))?"
)
_MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
"""An index comes first: its digest is that of the image for all architectures."""
_PATIENCE = 20
"""Seconds that an answer is waited for."""


class SourceError(Exception):
    """A source did not answer, or not as its API promises; says which one, and why."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image as a file pins it.

    Attributes:
        file: the file that names it
        text: how it stands there
        name: ``python`` or ``postgres``
        version: of the program, such as ``17.12``
        variant: the rest of the tag, such as ``-slim-bookworm``
        digest: ``sha256:...``, or None if the tag alone is named

    """

    file: Path
    text: str
    name: str
    version: str
    variant: str
    digest: str | None

    @property
    def tag(self) -> str:
        """The name under which the registry has it."""
        return self.version + self.variant

    @property
    def branch(self) -> str:
        """The part of the version that stays when only bugs are fixed."""
        return ".".join(self.version.split(".")[: _PRODUCTS[self.name][1]])

    def moved(self, version: str, digest: str) -> str:
        """Return the text that pins another version by digest."""
        old = self.tag + (f"@{self.digest}" if self.digest else "")
        return self.text.removesuffix(old) + f"{version}{self.variant}@{digest}"


@dataclass(frozen=True, slots=True)
class Branch:
    """What is known of a branch of releases.

    Attributes:
        newest: its newest version
        date: the day of that release, if it is known
        maintained: whether it still gets fixes
        until: the last day of fixes, if it is known

    """

    newest: str
    date: str | None
    maintained: bool
    until: str | None


def main() -> None:
    """Check the images, or write newer ones, and end with the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="pin the newest releases by digest")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="of the files")
    parser.add_argument("--releases", default="https://endoflife.date", help="address")
    parser.add_argument("--registry", default=os.environ.get("REGISTRY"), help="address")
    asked = parser.parse_args()
    if not asked.registry:
        parser.error("say which registry the images come from: REGISTRY=https://... or --registry")
    images = list(_images(asked.folder))
    try:
        if asked.write:
            code = _write(images, asked.releases, asked.registry)
        else:
            code = _check(images, asked.releases, asked.registry)
    except SourceError as error:
        print(f"{error}: the images were not checked; try again where it answers", file=sys.stderr)
        code = 3
    raise SystemExit(code)


def _images(folder: Path) -> Iterator[Image]:
    """Find the images in the files of a folder."""
    for file in (folder / name for name in _FILES):
        pins = list(_PIN.finditer(file.read_text(encoding="utf-8")))
        if not pins:
            raise SystemExit(f"{file} names no image by its whole version, such as postgres:17.12")
        for found in pins:
            yield Image(
                file, found[0], found["name"], found["version"], found["variant"], found["digest"]
            )


def _check(images: list[Image], releases: str, registry: str) -> int:
    """Print what is found of each image; return the exit code."""
    reports = [(image, *_findings(image, releases, registry)) for image in images]
    for image, faults, notes in reports:
        print(f"{image.name}:{image.tag} ({image.file.parent.name}/{image.file.name})")
        for line in (*faults, *notes):
            print(f"  {line}")
    wrong = any(faults for _, faults, _ in reports)
    if wrong:
        print("'make pins' writes the newest release of each branch, with its digest")
    return int(wrong)


def _findings(image: Image, releases: str, registry: str) -> tuple[list[str], list[str]]:
    """Return what is wrong with an image, and what is right."""
    faults, notes = [], []
    newest = _branch(releases, _PRODUCTS[image.name][0], image.branch)
    day = f" of {newest.date}" if newest.date else ""
    if _numbers(image.version) < _numbers(newest.newest):
        faults.append(f"OLD: {newest.newest}{day} is the newest release of {image.branch}")
    else:
        notes.append(f"{newest.newest}{day} is the newest release of {image.branch}")
    suite = image.variant.rpartition("-")[2]
    below = _debian(releases, suite) if suite else None
    for name, branch in ((f"{image.name} {image.branch}", newest), (f"Debian {suite}", below)):
        if branch is None:
            continue
        until = branch.until or "a day that is not known"
        if branch.maintained:
            notes.append(f"{name} gets fixes until {until}")
        else:
            faults.append(f"END OF LIFE: {name} got its last fixes on {until}")
    now = _digest(registry, image.name, image.tag)
    if now is None:
        faults.append("MISSING: the registry has no such tag")
    elif image.digest is None:
        faults.append("NOT PINNED: a tag can be moved, and this one is named without a digest")
    elif image.digest != now:
        faults.append("OLD: the tag was built anew since, with newer packages of Debian")
    else:
        notes.append("the digest is the one that the tag has now")
    return faults, notes


def _write(images: list[Image], releases: str, registry: str) -> int:
    """Write the newest release of each branch into the files; nothing if a source fails."""
    newest = []
    for image in images:
        listed = _branch(releases, _PRODUCTS[image.name][0], image.branch).newest
        number = max(listed, image.version, key=_numbers)
        newest.append((number, _digest(registry, image.name, number + image.variant)))
    code = 0
    for image, (number, digest) in zip(images, newest, strict=True):
        if digest is None:
            print(f"{image.name}:{number}{image.variant} is not in the registry: left as it was")
            code = 1
            continue
        text = image.moved(number, digest)
        content = image.file.read_text(encoding="utf-8").replace(image.text, text)
        image.file.write_text(content, encoding="utf-8")
        print(f"{image.file.parent.name}/{image.file.name}: {text}")
    return code


def _branch(releases: str, product: str, branch: str) -> Branch:
    """Ask endoflife.date for a branch of a product."""
    address = f"{releases}/api/v1/products/{product}/releases/{branch}/"
    return _read(address, _json(_ask(address)))


def _debian(releases: str, suite: str) -> Branch:
    """Ask endoflife.date for the release of Debian with a code name."""
    address = f"{releases}/api/v1/products/debian/"
    for release in _part(address, _json(_ask(address)), "result", "releases", kind=list):
        if str(_part(address, release, "codename", kind=object)).lower() == suite:
            return _read(address, {"result": release})
    raise _unexpected(address, f"it knows no Debian {suite}")


def _read(address: str, answer: object) -> Branch:
    """Read the description of a branch, as version 1 of the API gives it."""
    release = _part(address, answer, "result", kind=dict)
    newest = _part(address, release, "latest", "name", kind=str)
    if not re.fullmatch(r"\d+(\.\d+)*", newest):
        raise _unexpected(address, f"{newest[:40]!r} is no version")
    days = {
        name: str(day) for name in ("eolFrom", "eoesFrom") if (day := release.get(name)) is not None
    }
    return Branch(
        newest,
        _part(address, release, "latest", kind=dict).get("date"),
        _part(address, release, "isMaintained", kind=bool),
        max(days.values(), default=None),  # of ISO dates the later one
    )


def _digest(registry: str, name: str, tag: str) -> str | None:
    """Ask the registry for the digest of a tag; None if it has no such tag."""
    address = f"{registry}/v2/library/{name}/manifests/{tag}"
    headers = {"Accept": _MANIFESTS}
    answer = _ask(address, head=True, headers=headers)
    if answer.status_code == 401:  # also what is public wants a token, which anybody gets
        headers["Authorization"] = f"Bearer {_token(answer)}"
        answer = _ask(address, head=True, headers=headers)
    if answer.status_code == 404:
        return None
    digest = _fine(answer).headers.get("Docker-Content-Digest", "")
    if not re.fullmatch(_DIGEST, digest):
        raise _unexpected(address, f"{digest[:40]!r} is no digest")
    return digest


def _token(refused: requests.Response) -> str:
    """Return the token that a refusal says where to get."""
    kind, _, rest = refused.headers.get("WWW-Authenticate", "").partition(" ")
    told = urllib.request.parse_keqv_list(urllib.request.parse_http_list(rest))
    if kind.lower() != "bearer" or not told.get("realm", "").startswith(("https://", "http://")):
        raise _unexpected(refused.url, "it refuses, and does not say where to get a token")
    answer = _ask(told["realm"], {key: told[key] for key in ("service", "scope") if key in told})
    token: str = _part(answer.url, _json(answer), "token", kind=str)
    return token


def _ask(
    address: str,
    parameters: dict[str, str] | None = None,
    *,
    head: bool = False,
    headers: dict[str, str] | None = None,
) -> requests.Response:
    """Send a request; whatever status comes back is an answer."""
    method = "HEAD" if head else "GET"
    try:
        return requests.request(
            method, address, params=parameters, headers=headers, timeout=_PATIENCE,
            allow_redirects=True,
        )  # fmt: skip
    except requests.Timeout as error:
        raise SourceError(f"{_host(address)} did not answer within {_PATIENCE} s") from error
    except requests.RequestException as error:
        raise SourceError(f"{_host(address)} cannot be reached") from error


def _fine(answer: requests.Response) -> requests.Response:
    """Return an answer whose status is that of success."""
    if answer.status_code != 200:
        raise SourceError(f"{_host(answer.url)} answered with status {answer.status_code}")
    return answer


def _json(answer: requests.Response) -> object:
    """Return the JSON of an answer."""
    try:
        content: object = _fine(answer).json()
    except ValueError as error:
        raise _unexpected(answer.url, "it is no JSON") from error
    return content


def _part(address: str, value: object, *keys: str, kind: type) -> Any:
    """Return what is below the keys, and of the kind that the API promises."""
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            raise _unexpected(address, f"{key!r} is missing")
        value = value[key]
    if not isinstance(value, kind):
        raise _unexpected(address, f"{keys[-1]!r} is of another type")
    return value


def _unexpected(address: str, why: str) -> SourceError:
    return SourceError(f"{_host(address)} answered something else than its API promises ({why})")


def _host(address: str) -> str:
    return urlsplit(address).netloc


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


if __name__ == "__main__":
    main()

"""Redaction: messages, commands and failures without passwords, tokens and a machine's folders."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable

from attnstudy.errors import UsageError

_FOLDERS = re.compile(r"(^|^--[\w-]+=|:///?)/(?:[^/]+/)*(?=[^/])")
"""The folders of an absolute path that a word is, or of a file's address."""
_PASSWORD = re.compile(
    r"(?P<web>://[^/@:\s]*):\S*@|(?<!http)(?<!https)(?P<database>://[^/@:\s]*):[^/@\n]*@"
)
"""That of a database may hold a space."""
_TOKEN = re.compile(r"(?<=://)[^/@:\s'\"]{16,}(?=@)")
"""Before the host, where a name is: services take a token there, which is longer than names are."""
_SECRETS = (
    r"[\w-]*passw(?:or)?d|[\w-]*passphrase|pwd|pass|[\w-]*token|[\w-]*secret|[\w-]*signature|sig|"
    r"[\w-]*credentials?|auth|authorization|(?:[\w-]*[_-])?key|\w*(?:api|access|secret|private)key"
)
_NAMED = re.compile(rf"([?&;#](?:{_SECRETS})=)[^&;#\s'\"]*", re.IGNORECASE)
_NAMED_IN_ADDRESS = re.compile(rf"([?&;#](?:{_SECRETS})=)[^&;#]*", re.IGNORECASE)
"""The same in what is an address from its first to its last character: blanks belong to it."""
_QUOTED_ADDRESS = re.compile(
    r"(?<=')[a-z][a-z0-9+.-]*://[^'\n]*(?=')|(?<=\")[a-z][a-z0-9+.-]*://[^\"\n]*(?=\")",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^/@:]*:(.*)@", re.IGNORECASE | re.DOTALL)
_QUOTED = {"@": "%40", "/": "%2F", "#": "%23", "?": "%3F", " ": "%20"}
"""Characters of a password that would end it in an address, and how they are written there."""


def without_passwords(text: str) -> str:
    """Return a text with the passwords and tokens of the addresses in it blotted out."""
    blotted = _PASSWORD.sub(lambda m: f"{m['web'] or m['database']}:***@", text)
    blotted = _TOKEN.sub("***", blotted)
    blotted = _QUOTED_ADDRESS.sub(lambda m: _NAMED_IN_ADDRESS.sub(r"\1***", m[0]), blotted)
    return _NAMED.sub(r"\1***", blotted)


def address_without_passwords(address: str) -> str:
    """Return the same of a text that is an address and nothing else."""
    return _NAMED_IN_ADDRESS.sub(r"\1***", without_passwords(address))


def command_without_passwords(words: Iterable[str]) -> str:
    """Return the shell line that some words are, with the passwords in it blotted out."""
    # word by word: quoted for a shell, a password with a space in it would be two
    return shlex.join(without_passwords(_blotted(word)) for word in words)


def command_elsewhere(words: Iterable[str]) -> str:
    """Return such a line for readers on other machines: of absolute paths the last name is left.

    >>> command_elsewhere(["rank", "--from=/home/me/a b.csv", "--store", "sqlite:////home/me/x.db"])
    "rank '--from=a b.csv' --store sqlite:///x.db"

    """
    return command_without_passwords(_FOLDERS.sub(r"\1", word) for word in words)


def check_password(address: str) -> None:
    """Refuse a password that is not written as addresses want it.

    Part of it would be taken for the host's name, which is what errors and logs tell.

    Raises:
        UsageError: it is not.

    """
    found = _ADDRESS.match(address)
    # `http://host:5000/a@b` has a port and no password
    if found is None or re.match(r"\d+/", found[1]):
        return
    # SQLAlchemy, which reads the addresses of databases, writes and takes a space as it is
    web = address.lower().startswith("http")
    if any(c in _QUOTED or c.isspace() for c in found[1] if web or c != " "):
        raise UsageError(
            f"the password in {without_passwords(_blotted(address))} ends too early: write "
            f"{', '.join(f'{a!r} as {b}' for a, b in _QUOTED.items())} in it"
        )


def _blotted(word: str) -> str:
    """Return a word without its password if all of it is an address."""
    if "://" in word:
        word = _NAMED_IN_ADDRESS.sub(r"\1***", word)
    found = _ADDRESS.match(word)
    return word if found is None else f"{word[: found.start(1)]}***{word[found.end(1) :]}"


_FILE = r"(?<![\w+.-])(?:[\w+.-]*:///|file://[\w.-]+/|[\w+.-]*:(?=/(?!/)))"
"""What stands before an absolute path that is written as an address, or behind a colon."""
_START = rf"(?:(?P<start>{_FILE})/?|(?<![\w:/.*-])/+)"
_QUOTED_PATH = re.compile(
    rf"(?P<quote>['\"])(?:(?P<start>{_FILE})|(?=/))(?P<path>[^\n]*?)(?P=quote)"
)
"""Between quotes the folders may have blanks in their names."""
_PATH_FOLDERS = re.compile(rf"{_START}(?:[^\s/:'\"]+/)+")
_HOME = re.compile(rf"{_START}(?:home|Users)/[^\s/:'\",;)]+/?(?![^\s:'\",;)])")
"""A home folder and nothing below it: its name is that of a person."""
_HOME_ALONE = re.compile(r"/*(?:home|Users)/[^/]+/?")


def without_folders(text: str) -> str:
    """Return a text with absolute paths cut to the names of their files, for other machines."""
    text = _without_home(text)
    text = _QUOTED_PATH.sub(_quoted_name, text)
    text = _HOME.sub(lambda m: f"{m['start'] or ''}~", text)
    return _PATH_FOLDERS.sub(lambda m: m["start"] or "", text)


def told_elsewhere(text: str) -> str:
    """Return what went wrong, for servers and other machines: without passwords and folders."""
    # the folders later: a password may hold a slash
    return without_folders(without_passwords(text))


def _without_home(text: str) -> str:
    """Return a text that does not name this user's home, which may have blanks in its name."""
    home = os.path.expanduser("~").rstrip("/")  # noqa: PTH111 - Path.home() may fail
    if not home:
        return text
    there = rf"(?<![\w.-]){re.escape(home)}"
    return re.sub(rf"{there}(?![\w/.-])", "~", re.sub(rf"{there}(?=/.)", "/~", text))


def _quoted_name(found: re.Match[str]) -> str:
    """Return the last name of a path between quotes, with them."""
    path, quote = found["path"].rstrip("/"), found["quote"]
    if _HOME_ALONE.fullmatch(path) is not None:
        name = "~"
    elif "/" in path.lstrip("/"):
        name = path.rpartition("/")[2]
    else:
        return found[0]
    return f"{quote}{found['start'] or ''}{name}{quote}"

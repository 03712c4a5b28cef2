"""What a tracking server answers when it does not do what was asked, as a sentence."""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import urlsplit

from attnstudy.errors import StoreError, TrackingUnreachableError
from attnstudy.redaction import without_passwords
from attnstudy.tracking.address import Address

_STATUS = re.compile(r"failed with error code (\d{3})|too many (\d{3}) error responses")
_SETTING = "--tracking-uri or MLFLOW_TRACKING_URI"


def not_mlflow(address: Address) -> StoreError:
    """Return the error that something else than MLflow answers."""
    return TrackingUnreachableError(
        f"what answers at {address.shown} is not an MLflow server: check the address in {_SETTING}"
    )


def refusal(address: Address, text: str, status: int | None = None) -> StoreError:
    """Return the error that a server's answer means.

    Args:
        address: of the server.
        text: what MLflow, or the library below it, says.
        status: of HTTP, where it is known; else it is looked for in the text.

    """
    shown = address.shown
    if status is None and (found := _STATUS.search(text)):
        status = int(found[1] or found[2])
    if status == HTTPStatus.UNAUTHORIZED:
        return StoreError(_unknown(address))
    if status == HTTPStatus.FORBIDDEN and "Invalid Host header" in text:
        return StoreError(
            f"the tracking server {shown} does not answer to that host name: add "
            f"{urlsplit(address.uri).netloc.rpartition('@')[2]} to its "
            "MLFLOW_SERVER_ALLOWED_HOSTS, or call it by another name"
        )
    if status == HTTPStatus.FORBIDDEN:
        return StoreError(
            f"the account {_account(address) or 'nobody'!r} may not do that in the tracking server "
            f"{shown}: have its administrator give it EDIT permission for the experiment"
        )
    if "valid JSON" in text or "Response body: '<" in text:
        return not_mlflow(address)
    if status is not None and status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return StoreError(
            f"the tracking server {shown} answers with an error ({status}): its database may be "
            "down, and its log says why; 'attnstudy sync' delivers what is missing when it is up"
        )
    if "Failed to resolve" in text:
        return TrackingUnreachableError(
            f"the host name of the tracking server {shown} is not known: check the address in "
            f"{_SETTING}"
        )
    if "Max retries" in text or "failed with" in text:
        return unreachable(address)
    return StoreError(f"the tracking server {shown} refuses: {without_passwords(text)[:300]}")


def unreachable(address: Address) -> TrackingUnreachableError:
    """Return the error of a server that does not answer at all."""
    return TrackingUnreachableError(
        f"the tracking server {address.shown} does not answer: start it, or check the address in "
        f"{_SETTING}"
    )


def _account(address: Address) -> str | None:
    """Return who we say that we are, if we do."""
    from mlflow.utils.credentials import read_mlflow_creds

    name: str | None = read_mlflow_creds().username or urlsplit(address.uri).username
    return name


def _unknown(address: Address) -> str:
    if _account(address) is None:
        return (
            f"the tracking server {address.shown} wants a user name and a password: set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )
    return (
        f"the tracking server {address.shown} refuses the user name or the password: set "
        "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD to those of an account there"
    )

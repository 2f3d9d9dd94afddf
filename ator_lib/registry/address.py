"""Where a server is, and what may be sent there."""

from __future__ import annotations

import logging
from functools import cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from ator_lib.errors import SettingsError

_log = logging.getLogger("ator_lib")


def is_http(target: str) -> bool:
    """Whether a target is a server's address."""
    return target.lower().startswith(("http://", "https://"))


def checked_address(url: str) -> str:
    """Return a server's address without a slash at its end.

    Raises
    ------
    SettingsError
        It is none, or holds what does not belong there; the message repeats nothing of it, as that may be a secret.
    """
    try:
        parts = urlsplit(url.strip())
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_host = False
    if not is_http(url.strip()) or not has_host:
        raise SettingsError("a server's address is http(s)://host:port, such as http://127.0.0.1:8000")
    if "@" in parts.netloc:
        raise SettingsError("the server's address holds a user or a password: give a token instead, in ATOR_TOKEN")
    if parts.query or parts.fragment:
        raise SettingsError("the server's address ends before ? and #; a token is given in ATOR_TOKEN")
    return url.strip().rstrip("/")


def checked_token(token: str) -> str:
    """Return a token as it can stand in a header.

    Raises
    ------
    SettingsError
        It cannot; the message does not repeat it.
    """
    text = token.strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise SettingsError("the token is no ATOR token: it is one word, as `ator token create` printed it")
    return text


def is_loopback(url: str) -> bool:
    """Whether an address is of this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@cache
def warn_of_the_clear(url: str) -> None:
    """Say once for each server that a token travels unencrypted."""
    _log.warning("the token travels unencrypted to %s, where others may read it: use https:// if you can", url)

"""Text that tools print for people: whole, and within bounds."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ator_lib.errors import ResultsError
from ator_lib.readers.base import Source

LARGEST_TEXT = 64 * 2**20
"""Bytes of a text that is read as a whole; what tools print for people is far smaller."""

ALL_REQUESTS = "all requests"
"""Name of the requests of a tool that does not say what it called."""

# what tools print, and no more digits than fit: a longer run of them would make a search quadratic
WHOLE = r"\d{1,15}"
NUMBER = r"\d{1,15}(?:\.\d{0,15})?"

_ESCAPE = re.compile(r"\x1b\[[\d;]*[A-Za-z]")  # colours, and the clearing of screens


def head(source: Source) -> str:
    """Give the beginning of a file as text, whatever it is."""
    return _decoded(source.head)


def load(source: Source) -> str:
    """Read a whole text, its lines ended by a line feed each, without escape sequences and NUL characters.

    Raises
    ------
    ResultsError
        It is too large.
    """
    size = source.path.stat().st_size
    if size > LARGEST_TEXT:
        raise ResultsError(f"{source.name} has {size} bytes, more than a text of {LARGEST_TEXT} that a tool prints.")
    return _decoded(source.path.read_bytes())


def path_of(url: str) -> str:
    """Give the path of a URL, without the host, and without the query, which may hold secrets.

    Examples
    --------
    >>> path_of("http://user:password@127.0.0.1:8080/items?token=1")
    '/items'
    >>> path_of("http://127.0.0.1")
    '/'
    """
    try:
        return urlsplit(url).path or "/"
    except ValueError:
        return ALL_REQUESTS


def _decoded(content: bytes) -> str:
    text = content.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    return _ESCAPE.sub("", text).replace("\0", "\ufffd")

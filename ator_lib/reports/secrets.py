"""What must not appear in a notebook's outputs and in reports: passwords and tokens."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from ator_lib.masking import MASK, SHORTEST, is_secret_name

_URL_PASSWORD = re.compile(r"(://[^\s/:@\"'<>]*):[^\s/@\"'<>]+@")
_PATTERNS = (
    re.compile(r"(authorization[\"']?\s?[:=]\s?[\"']?(?:(?:Bearer|Basic|Token)\s)?)[^\s&;,<>\"']+", re.IGNORECASE),
    re.compile(r"(\b(?:Bearer|Basic)\s)(?=\S*\d)[\w.~+/=-]{6,}", re.IGNORECASE),
    re.compile(
        r"((?:password|passwd|secret|token|(?:api|access)[_-]?key)[\w-]{0,40}"
        r"(?:=|[\"']?\s?[:=]\s?(?=[^\s&;,<>]{6}))[\"']?)[^\s&;,<>\"']+",
        re.IGNORECASE,
    ),
)
"""What stands before a secret in a text, and the secret."""
_HINTS = ("://", "bearer", "basic", "passw", "secret", "token", "key", "authorization")
"""One of these is in every text that the patterns find something in; most texts have none."""


class Redaction:
    """Replaces secrets in whatever a kernel sends back, or a report says.

    A secret is the password of a URL, the value of something that is named like one, and what a text itself
    says is one: ``password=…``, ``Authorization: Bearer …``.

    Parameters
    ----------
    named
        Names and values: an environment, the attributes of runs, parameters. What is in mappings within is taken, too.

    Examples
    --------
    >>> redaction = Redaction({"ATOR_DATABASE_URL": "postgresql://ann:s3cret%21@db/ator"})
    >>> redaction.scrub({"text": "no route to postgresql://ann:s3cret%21@db/ator (s3cret!)"})
    {'text': 'no route to postgresql://ann:***@db/ator (***)'}
    """

    def __init__(self, *named: Mapping[str, Any]) -> None:
        found = {text for values in named for name, value in values.items() for text in _secrets_of(name, value)}
        self._secrets = sorted(found, key=len, reverse=True)

    def scrub(self, value: Any) -> Any:
        """Return the JSON-like ``value`` with every secret masked."""
        if isinstance(value, str):
            return self._scrub_text(value)
        if isinstance(value, Mapping):
            return {name: self._scrub_named(name, item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.scrub(item) for item in value]
        return value

    def _scrub_named(self, name: Any, value: Any) -> Any:
        return MASK if isinstance(value, str) and value and is_secret_name(str(name)) else self.scrub(value)

    def _scrub_text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, f":{MASK}@" if secret.startswith(":") else MASK)
        lowered = text.lower()
        if not any(hint in lowered for hint in _HINTS):
            return text
        text = _URL_PASSWORD.sub(rf"\1:{MASK}@", text)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\1{MASK}", text)
        return text


def _secrets_of(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for within, item in value.items():
            yield from _secrets_of(str(within), item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _secrets_of(name, item)
    elif isinstance(value, str):
        password = _url_password(value)
        if password:
            forms = [password, unquote(password)]
            yield from (f":{form}@" for form in forms)
        else:  # of a header such as "Bearer k3y", the key alone is one, too
            forms = [value, *value.split()[-1:]] if is_secret_name(name) else []
        yield from (shown for form in forms if len(form) >= SHORTEST for shown in _spellings(form))


def _spellings(secret: str) -> set[str]:
    """Give a secret as it stands in plain text and in a page."""
    return {secret, html.escape(secret, quote=False), html.escape(secret)}


def _url_password(value: str) -> str | None:
    if "://" not in value:
        return None
    try:
        return urlsplit(value).password
    except ValueError:  # no URL after all
        return None

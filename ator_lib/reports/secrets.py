"""What must not appear in a notebook's outputs: passwords and tokens of the kernel's environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from ator_lib.masking import MASK, SHORTEST

_SECRET_NAME = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY", re.IGNORECASE)


class Redaction:
    """Replaces the secrets of an environment in whatever a kernel sends back.

    A secret is the password of a URL, and the value of a variable that is named like one.

    Examples
    --------
    >>> redaction = Redaction({"ATOR_DATABASE_URL": "postgresql://ann:s3cret%21@db/ator"})
    >>> redaction.scrub({"text": "no route to postgresql://ann:s3cret%21@db/ator (s3cret!)"})
    {'text': 'no route to postgresql://ann:***@db/ator (***)'}
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        found = {text for name, value in environment.items() for text in _secrets_of(name, value)}
        self._secrets = sorted(found, key=len, reverse=True)

    def scrub(self, value: Any) -> Any:
        """Return the JSON-like ``value`` with every secret masked."""
        if not self._secrets:
            return value
        if isinstance(value, str):
            return self._scrub_text(value)
        if isinstance(value, dict):
            return {name: self.scrub(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.scrub(item) for item in value]
        return value

    def _scrub_text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, f":{MASK}@" if secret.startswith(":") else MASK)
        return text


def _secrets_of(name: str, value: str) -> list[str]:
    password = _url_password(value)
    if password:
        forms = {password, unquote(password)}
        return [f":{form}@" for form in forms] + [form for form in forms if len(form) >= SHORTEST]
    return [value] if _SECRET_NAME.search(name) and len(value) >= SHORTEST else []


def _url_password(value: str) -> str | None:
    if "://" not in value:
        return None
    try:
        return urlsplit(value).password
    except ValueError:  # no URL after all
        return None

"""Secrets cut out of texts that are kept or shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "***"

SHORTEST = 6
"""A shorter value ("1", "true") stands in ordinary text: cutting it out would only maim that."""


_SECRET_NAME = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|API[_-]?KEY|ACCESS[_-]?KEY|AUTHORIZATION", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether what is named so is a secret: a variable, a header, an attribute of a run.

    Examples
    --------
    >>> is_secret_name("CI_JOB_TOKEN"), is_secret_name("git_commit")
    (True, False)
    """
    return bool(_SECRET_NAME.search(name))


def secret_words(values: Iterable[str]) -> list[str]:
    """Give what must not be shown of some secret values: each whole, and each long word of it, longest first.

    Examples
    --------
    >>> secret_words(["Bearer k3y-of-ann", "1"])
    ['Bearer k3y-of-ann', 'k3y-of-ann', 'Bearer']
    """
    words = {word for value in values for word in (value, *value.split()) if len(word) >= SHORTEST}
    return sorted(words, key=lambda word: (-len(word), word))


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return the text with ``***`` for each of the secrets, in their order."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text

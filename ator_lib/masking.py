"""Secrets cut out of texts that are kept or shown."""

from __future__ import annotations

from collections.abc import Iterable

MASK = "***"

SHORTEST = 6
"""A shorter value ("1", "true") stands in ordinary text: cutting it out would only maim that."""


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

"""Which attributes of two runs differ: what may have changed between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ator_lib.analysis.wording import listed

_LONGEST = 40
_MOST_SPOKEN = 8


@dataclass(frozen=True, kw_only=True)
class AttributeChange:
    """An attribute that differs; of lists only what one of them has; ``None``: the run does not have it."""

    attribute: str
    before: Any
    after: Any

    def __str__(self) -> str:
        if isinstance(self.before, list) and isinstance(self.after, list):
            signed = [f"-{_short(item)}" for item in self.before] + [f"+{_short(item)}" for item in self.after]
            return f"{self.attribute} {' '.join(signed)}"
        return f"{self.attribute} {_short(self.before)} → {_short(self.after)}"


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[AttributeChange, ...]:
    """Return what differs, in the order of the newer facts; nested ones are named ``outer.inner``.

    Examples
    --------
    >>> older = {"git_commit": "0f3c", "tags": ["a", "b"], "build": {"jdk": 17, "os": "linux"}, "host": "h1"}
    >>> newer = {"git_commit": "91ab", "tags": ["b", "c"], "build": {"jdk": 21, "os": "linux"}, "host": "h1"}
    >>> spoken(changed(older, newer))
    'git_commit 0f3c → 91ab; tags -a +c; build.jdk 17 → 21'
    """
    old, new = dict(_flat(before)), dict(_flat(after))
    names = [*new, *(name for name in old if name not in new)]
    return tuple(_between(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


def spoken(changes: Sequence[AttributeChange]) -> str:
    """Tell what differs in a line; of many the first."""
    return listed(changes, _MOST_SPOKEN, sign="; ")


def _flat(facts: Mapping[str, Any], outer: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{outer}{name}.")
        else:
            yield f"{outer}{name}", list(value) if isinstance(value, list | tuple) else value


def _between(name: str, before: Any, after: Any) -> AttributeChange:
    if isinstance(before, list | None) and isinstance(after, list | None):
        old, new = before or [], after or []
        gone, come = [item for item in old if item not in new], [item for item in new if item not in old]
        if gone or come:
            return AttributeChange(attribute=name, before=gone, after=come)
    return AttributeChange(attribute=name, before=before, after=after)


def _short(value: Any) -> str:
    text = "none" if value is None else " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

"""Go's gob encoding, a value at a time: the definitions of types with which a stream begins.

See https://pkg.go.dev/encoding/gob, "Encoding Details". Values are decoded in bulk, by ``columns``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

WIDEST = 8
"""Bytes of the largest integer."""


class Damaged(Exception):  # noqa: N818 – no error by itself: whoever reads on says what and where
    """The bytes are no gob; ``offset`` tells where."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class Kind(IntEnum):
    """How the values of a field stand in a message; what ``OTHER`` needs to be skipped is not known here."""

    INT = 2
    UINT = 3
    BYTES = 5
    STRING = 6
    OTHER = -1


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A type that a stream defines: the fields of a struct (name → id of its type), or else how it is written."""

    id: int
    fields: tuple[tuple[str, int], ...] | None
    kind: Kind


def uint(data: bytes, place: int) -> tuple[int, int]:
    """Read an unsigned integer; gives it and the place behind it."""
    if place >= len(data):
        raise Damaged(place)
    first = data[place]
    if first < 128:
        return first, place + 1
    end = place + 1 + 256 - first
    if 256 - first > WIDEST or end > len(data):
        raise Damaged(place)
    return int.from_bytes(data[place + 1 : end]), end


def sint(data: bytes, place: int) -> tuple[int, int]:
    """Read a signed integer; gives it and the place behind it."""
    value, end = uint(data, place)
    return ~(value >> 1) if value & 1 else value >> 1, end


def definition(message: bytes) -> Definition:
    """Read a message that defines a type.

    Raises
    ------
    Damaged
        It does not.
    """
    negative, place = sint(message, 0)
    which, place = uint(message, place)  # the wireType has one field, by which the type is known
    if which == _STRUCT:
        return Definition(id=-negative, fields=_fields(message, place), kind=Kind.OTHER)
    return Definition(id=-negative, fields=None, kind=Kind.BYTES if which in _MARSHALERS else Kind.OTHER)


_STRUCT = 3  # the number of each field of wireType, and one more
_MARSHALERS = (5, 6, 7)  # types that write themselves, such as a time


def _fields(data: bytes, place: int) -> tuple[tuple[str, int], ...]:
    delta, place = uint(data, place)
    if delta == 1:
        _, _, place = _named(data, place)
        delta, place = uint(data, place)
    if delta == 0:
        return ()
    count, place = uint(data, place)
    fields = []
    for _ in range(count):  # ends at the latest with the message
        name, type_, place = _named(data, place)
        fields.append((name, type_))
    return tuple(fields)


def _named(data: bytes, place: int) -> tuple[str, int, int]:
    """Read a struct of a name and the id of a type, either of which may be left out."""
    name, type_ = "", 0
    number = 0
    while True:
        delta, place = uint(data, place)
        if delta == 0:
            return name, type_, place
        number += delta
        if number == 1:
            length, place = uint(data, place)
            if length > len(data) - place:
                raise Damaged(place)
            name, place = data[place : place + length].decode(errors="replace"), place + length
        elif number == 2:
            type_, place = sint(data, place)
        else:
            raise Damaged(place)

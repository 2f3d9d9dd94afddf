"""Writes vegeta's results as Go's encoding/gob does, with the definitions of types from a recorded stream."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.readings import RECORDED

_UNIX_EPOCH = 62_135_596_800  # in seconds from the year 1, from which Go counts
FIELDS = (
    "attack",
    "seq",
    "code",
    "timestamp_ns",
    "latency_ns",
    "bytes_out",
    "bytes_in",
    "error",
    "body",
    "method",
    "url",
)
_SIGNED = ("latency_ns",)


def stream(results: Sequence[dict[str, int | str | bytes]]) -> bytes:
    """Write results of the fields that they have; what is zero or empty is left out, as Go does."""
    return definitions() + b"".join(framed(_sint(65) + _fields(result)) for result in results)


def definitions() -> bytes:
    """Give the beginning of a recorded stream, up to its first result."""
    recorded = (RECORDED / "vegeta" / "results.gob").read_bytes()
    place = 0
    while True:
        start, end = frame(recorded, place)
        if recorded[start + 1] % 2 == 0:  # ids of definitions are negative, and odd in their encoding
            return recorded[:place]
        place = end


def frame(data: bytes, place: int) -> tuple[int, int]:
    """Find where the message begins and ends whose length stands at a place."""
    width = 0 if data[place] < 128 else 256 - data[place]
    start = place + 1 + width
    length = int.from_bytes(data[place + 1 : start]) if width else data[place]
    return start, start + length


def framed(message: bytes) -> bytes:
    """Put its length before a message."""
    return _uint(len(message)) + message


def _fields(result: dict[str, int | str | bytes]) -> bytes:
    written, before = b"", -1
    for number, name in enumerate(FIELDS):
        if value := result.get(name):
            written += _uint(number - before) + _value(name, value)
            before = number
    return written + _uint(0)


def _value(name: str, value: int | str | bytes) -> bytes:
    if isinstance(value, int) and name != "timestamp_ns":
        return _sint(value) if name in _SIGNED else _uint(value)
    content = _time(value) if isinstance(value, int) else value.encode() if isinstance(value, str) else value
    return _uint(len(content)) + content


def _time(epoch_ns: int) -> bytes:
    seconds, nanoseconds = divmod(epoch_ns, 10**9)
    utc = b"\xff\xff"  # the offset of Go's UTC
    return b"\x01" + (seconds + _UNIX_EPOCH).to_bytes(8) + nanoseconds.to_bytes(4) + utc


def _uint(value: int) -> bytes:
    if value < 128:
        return bytes([value])
    content = value.to_bytes((value.bit_length() + 7) // 8)
    return bytes([256 - len(content)]) + content


def _sint(value: int) -> bytes:
    return _uint(~value << 1 | 1 if value < 0 else value << 1)

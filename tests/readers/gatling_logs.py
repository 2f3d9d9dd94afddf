"""Writes logs as Gatling does, by the layouts in its LogFileDataWriter; whatever is made with it is synthetic."""

from __future__ import annotations

import struct
from dataclasses import dataclass

START_MS = 1_763_730_000_000
"""When the runs start: 2025-11-21 13:00:00 UTC."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request; times are milliseconds since the start of the run."""

    name: str = "GET /items"
    groups: tuple[str, ...] = ()
    start: int = 0
    end: int = 100
    ok: bool = True
    message: str = ""


def string(text: str) -> bytes:
    """Encode as ``BufferedFileChannelWriter.writeString``: the bytes that the JVM holds, and which kind they are."""
    if not text:
        return struct.pack(">i", 0)
    try:
        value, coder = text.encode("latin-1"), 0
    except UnicodeEncodeError:
        value, coder = text.encode("utf-16-le", "surrogatepass"), 1
    return struct.pack(">i", len(value)) + value + bytes([coder])


class BinaryLog:
    """A binary log of Gatling 3.13 or newer, and the cache of strings that its writer has."""

    def __init__(self, *, version: str = "3.14.3", start_ms: int = START_MS, description: str = "") -> None:
        self._numbers: dict[str, int] = {}
        head = b"\x00" + string(version) + string("example.ShopSimulation") + struct.pack(">q", start_ms)
        scenarios = struct.pack(">i", 2) + string("Browse") + string("Buy")
        self.data = bytearray(head + string(description) + scenarios + struct.pack(">ii", 1, 3) + b"\x00\x03\x02")

    def request(self, request: Request) -> None:
        times = struct.pack(">ii?", request.start, request.end, request.ok)
        self.data += b"\x01" + self._groups(request.groups) + self._cached(request.name)
        self.data += times + self._cached(request.message)

    def user(self, at: int, *, starts: bool, scenario: int = 0) -> None:
        self.data += b"\x02" + struct.pack(">i?i", scenario, starts, at)

    def group(self, groups: tuple[str, ...], start: int, end: int) -> None:
        self.data += b"\x03" + self._groups(groups) + struct.pack(">iii?", start, end, end - start, True)

    def error(self, message: str, at: int) -> None:
        self.data += b"\x04" + self._cached(message) + struct.pack(">i", at)

    def _groups(self, groups: tuple[str, ...]) -> bytes:
        return struct.pack(">i", len(groups)) + b"".join(map(self._cached, groups))

    def _cached(self, text: str) -> bytes:
        if text in self._numbers:
            return struct.pack(">i", -self._numbers[text])
        self._numbers[text] = len(self._numbers) + 1
        return struct.pack(">i", self._numbers[text]) + string(text)

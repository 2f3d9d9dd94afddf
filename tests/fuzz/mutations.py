"""Ways in which a file gets damaged: each takes its bytes, a source of chance and another file's bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

SECRET = "the-content-of-another-file"
"""What an external entity would show."""

Mutation = Callable[[bytes, Random, bytes], bytes]

_VALUE = re.compile(rb"[\w.+-]+")
_STRANGE = [
    *(b"", b"0", b"-1", b"NaN", b"-Infinity", b"inf", b"1e308", b"1e999", b"-0", b"0x10", b"1,5", b"1_000", b"9" * 400),
    *(
        b"null",
        b"None",
        b"N/A",
        b"-",
        b"true",
        b"[]",
        b"{}",
        b'{"a": [1, {}]}',
        b'"',
        b"'",
        b"\\",
        b"\\u0000",
        b"\\ud800",
    ),
    *(b"2026-13-45T99:99:99Z", b"0001-01-01T00:00:00Z", b"253402300800000", b"-62135596801", b"9223372036854775808"),
    *(b"'; DROP TABLE ingests; --", b"%s%n", b"../../etc/passwd", b"&lt;", b"]]>", b"<!--", b"\x1b[2J", b"\0"),
    *("Ⅷ".encode(), "١٢٣".encode(), "🫘".encode() * 50, "é".encode("latin-1"), b"\xed\xa0\x80", b"\xff\xfe"),
]
_BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' if n else '<!ENTITY e0 "lol">' for n in range(10))
_ENTITIES = [
    f"<!DOCTYPE bomb [{_BOMB}]>",
    '<!DOCTYPE out [<!ENTITY e9 SYSTEM "file://{secret}">]>',
    '<!DOCTYPE out [<!ENTITY % all SYSTEM "file://{secret}"> %all; <!ENTITY e9 "x">]>',
    '<!DOCTYPE out SYSTEM "http://127.0.0.1:9/never.dtd">',
]


def truncated(content: bytes, random: Random, other: bytes) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def beheaded(content: bytes, random: Random, other: bytes) -> bytes:
    return content[random.randrange(len(content) + 1) :]


def flipped(content: bytes, random: Random, other: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice([1, 1, 2, 8, 64])):
        if changed:
            changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def cut_out(content: bytes, random: Random, other: bytes) -> bytes:
    start = random.randrange(len(content) + 1)
    return content[:start] + content[start + random.choice([1, 4, 100, 2000]) :]


def doubled(content: bytes, random: Random, other: bytes) -> bytes:
    return content * random.choice([2, 2, 3])


def spliced(content: bytes, random: Random, other: bytes) -> bytes:
    start, there = random.randrange(len(content) + 1), random.randrange(len(other) + 1)
    return content[:start] + other[there : there + random.choice([10, 500, 10_000])] + content[start:]


def lines_doubled(content: bytes, random: Random, other: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(line * random.choice([1, 1, 1, 2, 5]) for line in lines)


def lines_lost(content: bytes, random: Random, other: bytes) -> bytes:
    return b"".join(line for line in content.splitlines(keepends=True) if random.random() < 0.8)


def lines_shuffled(content: bytes, random: Random, other: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    random.shuffle(lines)
    return b"".join(lines)


def columns_swapped(content: bytes, random: Random, other: bytes) -> bytes:
    """Swap two columns, with or without their header."""
    lines = content.split(b"\n")
    delimiter = max((b",", b";", b"\t", b" ", b"|"), key=lines[0].count)
    share = random.choice([0.02, 0.5, 1.0])
    first = random.choice([0, 1])
    for number in range(first, len(lines)):
        fields = lines[number].split(delimiter)
        if len(fields) > 1 and random.random() < share:
            one, two = random.randrange(len(fields)), random.randrange(len(fields))
            fields[one], fields[two] = fields[two], fields[one]
            lines[number] = delimiter.join(fields)
    return b"\n".join(lines)


def values_strange(content: bytes, random: Random, other: bytes) -> bytes:
    found = list(_VALUE.finditer(content))
    places = sorted(
        random.sample(found, min(len(found), random.choice([1, 1, 3, 20]))), key=lambda place: place.start()
    )
    for place in reversed(places):
        content = content[: place.start()] + random.choice(_STRANGE) + content[place.end() :]
    return content


def encodings_mixed(content: bytes, random: Random, other: bytes) -> bytes:
    start = random.randrange(len(content) + 1)
    text = "prüfung ✓ №".encode(random.choice(["utf-8", "utf-16", "utf-32-be", "cp1251"]), errors="replace")
    return content[:start] + text + content[start:]


def recoded(content: bytes, random: Random, other: bytes) -> bytes:
    return content.decode(errors="replace").encode(
        random.choice(["utf-16", "utf-16-be", "utf-32", "utf-8-sig", "utf-7"])
    )


def marked(content: bytes, random: Random, other: bytes) -> bytes:
    return random.choice([b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2, b"\xff\xfe", b"\xfe\xff"]) + content


def line_ends(content: bytes, random: Random, other: bytes) -> bytes:
    return content.replace(b"\n", random.choice([b"\r\n", b"\r", b"\n\n", b"\r\r\n", b"", b"\0\n", b"\x0b"]))


def line_long(content: bytes, random: Random, other: bytes) -> bytes:
    return _with_long_line(content, random, random.choice([10_000, 1_000_000]))


def line_huge(content: bytes, random: Random, other: bytes) -> bytes:
    return _with_long_line(content, random, 100_000_000)


def _with_long_line(content: bytes, random: Random, length: int) -> bytes:
    start = random.choice([0, len(content), random.randrange(len(content) + 1)])
    part = random.choice([b"x", b"1", b'"', b"<", b"\0", b",", b"[", b" ", b'{"a":', b"<a>", b"(", b"1,"])
    return content[:start] + (part * length)[:length] + content[start:]


def entities(content: bytes, random: Random, other: bytes) -> bytes:
    """Declare entities that grow or lead elsewhere, and use one in texts and attributes."""
    declared = random.choice(_ENTITIES).encode()
    end = content.find(b"?>") + 2 if content.startswith(b"<?xml") else 0
    body = re.sub(rb'(>|=")(?=[^<"])', lambda found: found[0] + random.choice([b"", b"", b"&e9;"]), content[end:])
    return content[:end] + declared + body


MUTATIONS: dict[str, Mutation] = {
    mutation.__name__: mutation
    for mutation in (
        *(truncated, beheaded, flipped, cut_out, doubled, spliced, lines_doubled, lines_lost, lines_shuffled),
        *(columns_swapped, values_strange, encodings_mixed, recoded, marked, line_ends, line_long, entities),
    )
}

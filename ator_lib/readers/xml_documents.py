"""XML of strangers: streamed in bounded memory, without entities, and mended where tools write what XML forbids."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Protocol
from xml.parsers.expat import ErrorString, ExpatError, ParserCreate

from ator_lib.errors import ResultsError
from ator_lib.readers.base import Findings, Source

DEEPEST = 100
"""Elements within elements, more than which no tool writes."""

LONGEST_TAG = 16 * 2**20
"""Bytes of one tag or comment, which a parser must hold as a whole."""

_CHUNK = 2**20
_LONGEST_REFERENCE = 16  # bytes: "&#x0010FFFF;" and some to spare

_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*\?>")
_ENCODING = re.compile(rb"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z][\w.:-]*)["']""")
_REFERENCE = re.compile(rb"&#(?:x([0-9A-Fa-f]+)|([0-9]+));")
_CONTROLS = bytes({*range(32)} - {9, 10, 13})
_FORBIDDEN = re.compile(b"[" + re.escape(_CONTROLS) + b"]|\xef\xbf[\xbe\xbf]")  # the latter are U+FFFE and U+FFFF
_REPLACEMENT = "\ufffd".encode()
# atomic and possessive: the bytes of a stranger must not make it backtrack
_PROLOGUE = rb"(?>\s+|<\?(?>.*?\?>)|<!--(?>.*?-->)|<!DOCTYPE(?>[^\[>]*(?:\[.*?\]\s*)?>))*+"
_ROOT = re.compile(_PROLOGUE + rb"<([A-Za-z_][\w.:-]*)", re.DOTALL)


class Handler(Protocol):
    """Takes the elements of a document in their order; may raise ``ResultsError``."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        ...

    def end(self, name: str) -> None:
        """Take the end of an element."""
        ...

    def text(self, data: str) -> None:
        """Take text between tags, perhaps only a part of it."""
        ...


class Document:
    """A document on its way through the parser, a piece at a time."""

    def __init__(self, source: Source, handler: Handler) -> None:
        self.depth = 0
        """Elements that are open."""
        self._source = source
        self._handler = handler
        self._fed = 0
        self._parser = ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.buffer_size = 2**16
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = handler.text
        self._parser.EntityDeclHandler = self._refuse

    @property
    def line(self) -> int:
        """The line that is being parsed, from 1."""
        return self._parser.CurrentLineNumber

    def parse(self, piece: bytes) -> None:
        """Parse one of the ``pieces``, or a part of it.

        Raises
        ------
        ResultsError
            It is not well-formed, declares entities, is nested too deeply or has an endless tag.
        """
        try:
            self._parser.Parse(piece)
        except ExpatError as error:
            place = f"line {error.lineno}, column {error.offset + 1}"
            words = ErrorString(error.code)
            raise ResultsError(f"{self._source.name} is no well-formed XML: {words} ({place}).") from error
        self._fed += len(piece)
        if self._fed - self._parser.CurrentByteIndex > LONGEST_TAG:
            raise self._too("has a tag or comment that does not end")

    def finish(self, findings: Findings) -> None:
        """Say that this was all; a document that just ends is truncated, and ``findings`` say so."""
        try:
            self._parser.Parse(b"", True)
        except ExpatError:
            findings.truncated = True

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._too(f"has elements nested more than {DEEPEST} deep")
        self._handler.start(name, attributes)

    def _end(self, name: str) -> None:
        self._handler.end(name)
        self.depth -= 1

    def _refuse(self, name: str, *_: object) -> None:
        raise self._too(f"declares an entity ({name[:60]!r}), which may be a bomb or reach for other files")

    def _too(self, fault: str) -> ResultsError:
        return ResultsError(f"{self._source.name} {fault} (line {self.line}): it is not read. Is it what a tool wrote?")


def read(source: Source, handler: Handler, findings: Findings) -> None:
    """Hand all elements of a document to ``handler``.

    Raises
    ------
    ResultsError
        As ``Document.parse``.
    """
    document = Document(source, handler)
    for piece in pieces(source):
        document.parse(piece)
    document.finish(findings)


def root(source: Source) -> str | None:
    """Give the name of the outermost element, as far as the head of the file tells; ``None`` if it is no XML."""
    found = _ROOT.match(source.head)
    return found[1].decode(errors="replace") if found else None


def pieces(source: Source) -> Iterator[bytes]:
    """Yield a document as UTF-8 that a parser takes, whatever its encoding.

    Bytes that are none of its encoding, control characters and references to such (``&#0;``) become U+FFFD; NULs
    behind the last byte, which a killed process leaves on some disks, are left out.
    """
    decoder = codecs.getincrementaldecoder(_encoding(source))(errors="replace")
    held, is_first = b"", True
    for chunk in _chunks(source):
        text = decoder.decode(chunk)
        if is_first:
            text, is_first = _without_declaration(text), False
        piece = held + text.encode()
        cut = piece.rfind(b"&", max(len(piece) - _LONGEST_REFERENCE, 0))  # a reference may stand across
        cut = len(piece) if cut < 0 else cut
        held = piece[cut:]
        yield _mended(piece[:cut])
    yield _mended(held + decoder.decode(b"", final=True).encode())


def _chunks(source: Source) -> Iterator[bytes]:
    has_nuls = False
    with source.path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            kept = chunk.rstrip(b"\0")
            if kept:
                yield b"\0" * has_nuls + kept
            has_nuls = len(kept) < len(chunk)


def _encoding(source: Source) -> str:
    declared = _ENCODING.match(source.head)
    name = declared[1].decode().lower() if declared else "utf-8"
    try:
        is_text = "<?xml".encode(name) == b"<?xml"  # not so UTF-16, which .NET declares and does not write
        codecs.getincrementaldecoder(name)(errors="replace").decode(b"<?xml")
    except (LookupError, UnicodeError):
        is_text = False
    return name if is_text else "utf-8"


def _without_declaration(text: str) -> str:
    """Blank what tells the encoding, as it is decoded already: then white space may stand before it, too."""
    text = text.removeprefix("\ufeff")
    declaration = _DECLARATION.match(text)
    return re.sub(r"\S", " ", declaration[0]) + text[declaration.end() :] if declaration else text


def _mended(piece: bytes) -> bytes:
    if b"&#" in piece:
        piece = _REFERENCE.sub(_allowed, piece)
    if b"\xef\xbf" in piece or len(piece.translate(None, _CONTROLS)) < len(piece):
        piece = _FORBIDDEN.sub(_REPLACEMENT, piece)
    return piece


def _allowed(reference: re.Match[bytes]) -> bytes:
    digits, base = (reference[1], 16) if reference[1] else (reference[2], 10)
    code = int(digits, base) if len(digits) < _LONGEST_REFERENCE else 0
    is_surrogate = 0xD800 <= code <= 0xDFFF
    is_character = code in (9, 10, 13) or (32 <= code <= 0x10FFFF and code not in (0xFFFE, 0xFFFF) and not is_surrogate)
    return reference[0] if is_character else _REPLACEMENT

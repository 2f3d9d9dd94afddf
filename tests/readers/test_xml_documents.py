"""XML of strangers: mended, cut short, in any encoding, and hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from ator_lib.errors import ResultsError
from ator_lib.readers import xml_documents
from ator_lib.readers.base import Findings
from tests.support.readings import source

DECLARED = '<?xml version="1.0" encoding="{}"?>\n'


class Seen:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements.append((name, attributes))

    def end(self, name: str) -> None:
        self.words += "|"

    def text(self, data: str) -> None:
        self.words += data


def parsed(folder: Path, content: bytes) -> tuple[Seen, Findings]:
    path, seen, findings = folder / "run.xml", Seen(), Findings()
    path.write_bytes(content)
    xml_documents.read(source(path), seen, findings)
    return seen, findings


def fault(folder: Path, content: bytes) -> str:
    with pytest.raises(ResultsError) as raised:
        parsed(folder, content)
    return str(raised.value)


def test_a_document_is_handed_over(tmp_path: Path) -> None:
    """Elements with their attributes, and the text between."""
    seen, findings = parsed(tmp_path, b'<a x="1 &amp; 2">one<b/>two</a>\n')
    assert seen.elements == [("a", {"x": "1 & 2"}), ("b", {})]
    assert seen.words == "one|two|"
    assert not findings.truncated


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("&#0;&#31;&#x1f;&#xD800;&#xFFFE;&#99999999;&#99999999999999999999;", "\ufffd" * 7),
        ("&#9;&#x41;&#128512;", "\tA\U0001f600"),
        ("a\x00b\x1b[31m", "a\ufffdb\ufffd[31m"),
        ("\ufffe\uffff\ufffd", "\ufffd" * 3),
    ],
)
def test_characters_that_xml_forbids_are_replaced(tmp_path: Path, written: str, read: str) -> None:
    """JMeter refers to them in bodies, and others write the colours of terminals."""
    seen, _ = parsed(tmp_path, f'<a x="{written}">{written}</a>'.encode())
    assert seen.elements[0][1]["x"].replace(" ", "\t") == read
    assert seen.words == f"{read}|"


@pytest.mark.parametrize("shift", range(12))
def test_what_stands_across_two_pieces_is_mended_too(tmp_path: Path, shift: int) -> None:
    """A reference to a character and the bytes of one, wherever the file is cut."""
    filler = "x" * (2**20 - len("<a>") - shift)
    seen, _ = parsed(tmp_path, f"<a>{filler}&#x1f;é</a>".encode())
    assert seen.words == f"{filler}\ufffdé|"


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "windows-1255", "shift_jis"])
def test_the_encoding_is_the_declared_one(tmp_path: Path, encoding: str) -> None:
    """Also one of many bytes, which the parser itself does not know."""
    word = {"utf-8": "é", "iso-8859-1": "é", "windows-1255": "ש", "shift_jis": "日本"}[encoding]
    seen, _ = parsed(tmp_path, (DECLARED.format(encoding) + f"<a>{word}</a>").encode(encoding))
    assert seen.words == f"{word}|"


@pytest.mark.parametrize("encoding", ["utf-16", "no-such", "zip", "idna"])
def test_an_encoding_that_cannot_be_is_not_believed(tmp_path: Path, encoding: str) -> None:
    """.NET declares UTF-16 and writes UTF-8; bytes that are no UTF-8 are replaced."""
    seen, _ = parsed(tmp_path, DECLARED.format(encoding).encode() + b"<a>\xc3\xa9\xff</a>")
    assert seen.words == "é\ufffd|"


@pytest.mark.parametrize("before", [b"\n\n  ", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_white_space_may_stand_before_the_declaration(tmp_path: Path, before: bytes) -> None:
    """Though the parser refuses that, and lines are counted all the same."""
    document = before + DECLARED.format("utf-8").encode() + b"<a>"
    assert parsed(tmp_path, document + b"</a>")[0].elements == [("a", {})]
    line = 2 + before.count(b"\n")
    assert f"(line {line}, column 6)" in fault(tmp_path, document + b"</b></a>")


@pytest.mark.parametrize("tail", [b"", b"<b", b'<b x="', b"text", b"&am", b"&#1", b"<!-- ", b"\xc3", b"\0" * 3_000_000])
def test_a_document_that_just_ends_is_truncated(tmp_path: Path, tail: bytes) -> None:
    """Whatever it ends in; what is whole counts. NULs are what a disk keeps of a killed process."""
    seen, findings = parsed(tmp_path, b"<a><c/>" + tail)
    assert ("c", {}) in seen.elements
    assert findings.truncated


def test_nuls_behind_a_whole_document_are_nothing(tmp_path: Path) -> None:
    """It is not truncated."""
    assert not parsed(tmp_path, b"<a/>\n" + bytes(100))[1].truncated


def test_a_break_in_the_middle_is_told_with_its_place(tmp_path: Path) -> None:
    """Nobody knows what the rest would mean."""
    told = fault(tmp_path, b"<a>\n  <b></c>\n</a>\n")
    assert told == "run.xml is no well-formed XML: mismatched tag (line 2, column 8)."


@pytest.mark.parametrize(
    "declared",
    [
        b'<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">',
        b'<!ENTITY xxe SYSTEM "file:///etc/hostname">',
        b'<!ENTITY % remote SYSTEM "http://127.0.0.1:1/x.dtd">',
    ],
)
def test_entities_are_refused(tmp_path: Path, declared: bytes) -> None:
    """Bombs and references to other files; nothing is fetched or expanded."""
    told = fault(tmp_path, b"<!DOCTYPE a [" + declared + b"]><a>&lol2;</a>")
    assert "declares an entity" in told
    assert "(line 1)" in told


def test_a_doctype_of_elsewhere_is_not_fetched(tmp_path: Path) -> None:
    """It is passed over, and what it would declare stays out."""
    document = b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a>x&unknown;y</a>'
    assert parsed(tmp_path, document)[0].words == "xy|"


def test_elements_without_end_are_refused(tmp_path: Path) -> None:
    """They would fill the memory."""
    assert "nested more than 100 deep (line 3)" in fault(tmp_path, b"\n\n" + b"<a>" * 1000)


@pytest.mark.parametrize("begin", [b'<a x="', b"<!-- "])
def test_a_tag_without_end_is_refused(tmp_path: Path, begin: bytes) -> None:
    """The parser would keep it all, and look through it again and again."""
    told = fault(tmp_path, b"<a>\n" + begin + b"x" * (xml_documents.LONGEST_TAG + 3 * 2**20))
    assert "has a tag or comment that does not end (line 2)" in told


def test_long_text_is_no_endless_tag(tmp_path: Path) -> None:
    """Bodies of responses may be long."""
    seen, _ = parsed(tmp_path, b"<a>" + b"x" * (xml_documents.LONGEST_TAG + 2**20) + b"</a>")
    assert len(seen.words) == xml_documents.LONGEST_TAG + 2**20 + 1


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (b"<testsuite>", "testsuite"),
        (b"\n <?xml version='1.0'?><?style a>b?><!-- <x> --><!DOCTYPE a [<!ENTITY b '<c>'>]>\n<a:b-c x='1'", "a:b-c"),
        (b"<!DOCTYPE a SYSTEM 'x'><a/>", "a"),
        (b"", None),
        (b"text <a>", None),
        (b"<?xml version='1.0'", None),
        (b"<!DOCTYPE a [", None),
        (b"<?a?>" * 10_000 + b"<!", None),
    ],
)
def test_the_root_is_told_by_the_head(tmp_path: Path, document: bytes, name: str | None) -> None:
    """Without parsing, and quickly, whatever the bytes."""
    path = tmp_path / "run.xml"
    path.write_bytes(document)
    assert xml_documents.root(source(path)) == name

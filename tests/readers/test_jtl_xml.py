"""JMeter's results as XML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import pytest

from ator_lib.errors import ResultsError
from tests.support.readings import RECORDED, Read, read, recognises

NESTED = RECORDED / "jtl-xml" / "nested.jtl"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<testResults version="1.2">\n'
SAMPLE = {"t": "12", "lt": "8", "ct": "1", "ts": "1795183200000", "s": "true", "lb": "GET /", "rc": "200", "rm": "OK"}


def element(inside: str | None = None, name: str = "httpSample", **changes: str) -> str:
    return written(changes, inside, name)


def written(changes: Mapping[str, str | None], inside: str | None = None, name: str = "httpSample") -> str:
    """Write a sample; a change to ``None`` takes the attribute out."""
    attributes = {key: value for key, value in {**SAMPLE, **changes}.items() if value is not None}
    tag = f"<{name} " + " ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items())
    return f"{tag}/>\n" if inside is None else f"{tag}>\n{inside}</{name}>\n"


def read_text(folder: Path, body: str, end: str = "</testResults>\n") -> Read:
    path = folder / "run.jtl"
    path.write_text(HEAD + body + end)
    assert recognises("jtl-xml", path)
    return read("jtl-xml", path)


def one(folder: Path, body: str) -> dict[str, Any]:
    (row,) = read_text(folder, body).samples
    return row


def test_requests_are_read_whatever_they_are_nested_in() -> None:
    """Requests in transactions count, with these as their group; redirects and sums do not."""
    found = read("jtl-xml", NESTED)
    assert [(row["name"], row["duration_ms"], row["group"]) for row in found.samples] == [
        ("GET /items", 120.0, None),
        ("POST /basket", 100.0, "Checkout"),
        ("POST /payment", 370.0, "Checkout / Pay"),
        ("GET /old", 90.0, None),
        ("http://shop.test/items", 21.0, None),
        ("Statistics", 100.0, None),
        ("Statistics", 100.0, None),
    ]
    assert found.findings.rows_read == 7 + 3 + 2
    assert found.findings.notes[1:] == [
        "3 transaction controllers were left out: they add up requests",
        "2 redirects and embedded resources were left out: parts of requests",
    ]
    assert (found.reading.tool, found.reading.precision) == ("jmeter", "exact")


def test_all_that_a_sample_says_is_kept() -> None:
    """Milliseconds and bytes as they stand there, times in UTC."""
    row = read("jtl-xml", NESTED).samples[0]
    assert row == {
        "started_at": datetime(2026, 11, 20, 14, tzinfo=UTC),
        "duration_ms": 120.0,
        "name": "GET /items",
        "method": None,
        "status_code": 200,
        "success": True,
        "error": None,
        "connect_ms": 10.0,
        "ttfb_ms": 80.0,
        "bytes_sent": 130,
        "bytes_received": 900,
        "user": "Shop 1-1",
        "worker": "generator-1",
        "group": None,
        "scenario": None,
        "weight": 1,
    }


@pytest.mark.parametrize(
    ("name", "left_out"),
    [("defaults.jtl", (1, 2)), ("redirects.jtl", (4, 8)), ("transactions-as-parents.jtl", (2, 4))],
)
def test_what_jmeter_wrote_is_read(name: str, left_out: tuple[int, int]) -> None:
    """Each label as often, and with the times, as the elements say that are requests of their own."""
    path = RECORDED / "jtl-xml" / name
    outermost = list(ElementTree.parse(path).getroot())
    requests = [
        request
        for sample in outermost
        for request in (sample.findall("httpSample") if sample.tag == "sample" else [sample])
    ]
    found = read("jtl-xml", path)
    assert [(row["name"], row["duration_ms"], row["success"]) for row in found.samples] == [
        (request.attrib["lb"], float(request.attrib["t"]), request.attrib["s"] == "true") for request in requests
    ]
    assert {row["group"] for row in found.samples} <= {None, "visit"}
    assert found.findings.rows_read == len(requests) + sum(left_out) == sum(1 for _ in _samples(path))
    failed = {row["name"]: row["error"] for row in found.samples if not row["success"]}
    assert failed == {
        'list, of "things"': "Test failed: text expected to contain /yes/",
        "missing": "Not Found",
        "broken": "Internal Server Error",
        "nobody there": "java.net.ConnectException: Connection refused",
    }


def _samples(path: Path) -> Iterator[ElementTree.Element]:
    for name in ("sample", "httpSample"):
        yield from ElementTree.parse(path).getroot().iter(name)


def test_failures_say_why() -> None:
    """In the words of the assertion, of the exception, or of the server; what had no answer has no status."""
    rows = read("jtl-xml", NESTED).samples
    assert [(row["name"], row["status_code"], row["error"]) for row in rows if not row["success"]] == [
        ("POST /payment", 200, "Test failed: text expected to contain /receipt/"),
        ("http://shop.test/items", None, "java.net.UnknownHostException: shop.test: unknown"),
        ("Statistics", 500, "Internal Server Error"),
    ]
    assert (rows[4]["ttfb_ms"], rows[1]["method"]) == (None, "POST")


def test_a_row_of_several_requests_is_shared_out() -> None:
    """Of 4 requests in 400 ms and 4000 bytes, 1 failed."""
    rows = read("jtl-xml", NESTED).samples[-2:]
    assert [(row["success"], row["weight"], row["bytes_received"]) for row in rows] == [
        (False, 1, 1000),
        (True, 3, 1000),
    ]


def test_secrets_stay_behind() -> None:
    """Headers, bodies, and in a label that is a URL the login and the query."""
    told = repr(read("jtl-xml", NESTED))
    assert "tok-4711-secret" in NESTED.read_text()
    assert "tok-4711-secret" not in told
    assert "password" not in told


@pytest.mark.parametrize("message", ["Done", "Number of samples in transaction : 1, number of failing samples : 0"])
def test_a_sample_that_holds_requests_is_a_transaction(tmp_path: Path, message: str) -> None:
    """With JMeter's own message or another; redirects inside those requests are parts all the same."""
    inside = element(element(lb="redirect"), lb="POST /")
    row = one(tmp_path, element(inside, name="sample", lb="Order", rm=message))
    assert (row["name"], row["group"]) == ("POST /", "Order")


def test_a_sample_in_a_sample_is_a_part_of_it(tmp_path: Path) -> None:
    """Samplers that are no HTTP have parts, too."""
    assert one(tmp_path, element(element(name="sample", lb="part"), name="sample", lb="query"))["name"] == "query"


@pytest.mark.parametrize(
    ("changes", "status_code", "success", "error"),
    [
        ({"s": None}, 200, True, None),
        ({"s": None, "rc": "500", "rm": "Sorry"}, 500, False, "Sorry"),
        ({"s": "true", "rc": "404", "rm": "Not Found"}, 404, True, None),
        ({"s": "false", "rc": "", "rm": ""}, None, False, None),
        ({"s": "false", "rc": "ORA-1", "rm": "OK"}, None, False, "ORA-1"),
        ({"s": "false", "rc": None, "rm": None}, None, False, None),
    ],
)
def test_success_is_what_jmeter_says(
    tmp_path: Path, changes: dict[str, str | None], status_code: int | None, success: bool, error: str | None
) -> None:
    """And where it says nothing, what the status says; codes that are no numbers are words."""
    row = one(tmp_path, written(changes))
    assert (row["status_code"], row["success"], row["error"]) == (status_code, success, error)


@pytest.mark.parametrize(
    ("inside", "error"),
    [
        ("<failure>true</failure><failureMessage>no receipt</failureMessage>", "no receipt"),
        ("<error>true</error><failureMessage></failureMessage>", "a receipt"),
        ("<failure>false</failure><failureMessage>none</failureMessage>", "Created"),
    ],
)
def test_the_first_assertion_that_failed_says_why(tmp_path: Path, inside: str, error: str) -> None:
    """By its message, or its name."""
    results = "".join(
        f"<assertionResult><name>{name}</name>{failed}</assertionResult>\n"
        for name, failed in (("status", "<failure>false</failure>"), ("a receipt", inside))
    )
    assert one(tmp_path, element(results, s="false", rm="Created"))["error"] == error


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"t": None}, "it has no elapsed time (t)"),
        ({"t": "-3"}, "its elapsed time (t) is '-3', no number of milliseconds"),
        ({"t": "1" + "0" * 12}, "its elapsed time (t) is '1000000000000', no number of milliseconds"),
        ({"ts": "2026/11/20"}, "its time stamp (ts) is '2026/11/20', no number of milliseconds since 1970"),
    ],
)
def test_samples_that_cannot_be_read_are_told(tmp_path: Path, changes: dict[str, str | None], reason: str) -> None:
    """With their lines and reasons, and all others count, though hundreds of lines stand around them."""
    body = element() * 300 + written(changes) + element() * 300
    found = read_text(tmp_path, body)
    assert len(found.samples) == 600
    (rejected,) = found.findings.rejected
    assert (rejected.line, rejected.reason) == (303, reason)
    assert rejected.text is not None
    assert rejected.text.startswith("<httpSample ")


def test_what_was_not_saved_is_null(tmp_path: Path) -> None:
    """An elapsed time alone is a request; of numbers that are none, nothing is known."""
    row = one(tmp_path, '<sample t="5" lt="soon" by="-1"/>')
    known = {key: value for key, value in row.items() if value is not None}
    assert known == {"duration_ms": 5.0, "name": "all requests", "success": False, "weight": 1}
    assert one(tmp_path, element(lb=""))["name"] == "unnamed"


VARIANTS = {
    "alike": element() * 400,
    "other values": "".join(element(t=str(number), lb=f"GET /{number % 7}?a=1&b=<2>") for number in range(400)),
    "failures between": (element() * 60 + element("<x>1</x>\n", s="false")) * 7,
    "transactions between": element(rm="Number of samples in transaction : 1") * 30 + element(name="sample") * 300,
    "nested lines": element(element() * 100) + element() * 200,
    "parts in a transaction": element(element() * 100, name="sample") + element() * 200,
    "several requests": element(sc="4", ec="1", t="400") * 300,
    "other attributes": element() * 200 + element(hn="a") * 200,
    "other order": element() * 200 + '<sample lb="x" t="1" s="true"/>\n' * 200,
    "references": (element() * 30 + element(rm="a\nb")) * 10,
    "quotes": (element() * 30 + element().replace('"', "'")) * 10,
    "on one line": element().strip() * 400,
    "indented": f"  {element()}" * 400,
    "blank lines": f"{element()}\n\n" * 400,
    "carriage returns": element().replace("\n", "\r\n") * 400,
    "in a comment": element() * 200 + f"<!--\n{element() * 200}-->\n" + element() * 200,
    "in characters": element() * 200 + f"<![CDATA[\n{element() * 200}]]>\n" + element() * 200,
    "beyond bounds": element() * 200 + element(t="9" * 13) + element(by="9" * 19) * 200,
    "NULs": element() * 200 + element(lb="a\0b") * 200,
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_lines_in_bulk_say_what_each_by_itself_says(tmp_path: Path, variant: str) -> None:
    """The quick way through lines that are a sample each, and the slow way through all else, give the same rows.

    A comment at the beginning, in which samples might hide, leaves only the slow way.
    """
    body = VARIANTS[variant]
    quick, slow = read_text(tmp_path, body), read_text(tmp_path, "<!-- slow -->" + body)
    assert quick.samples == slow.samples
    assert len(quick.samples) >= 200
    assert quick.findings == slow.findings


def test_pieces_of_a_long_file_join(tmp_path: Path) -> None:
    """Wherever a file of megabytes is cut, each sample counts once, in its order."""
    body = "".join(element(None if number % 50 else "<x/>\n", ts=str(number)) for number in range(30_000))
    found = read_text(tmp_path, body)
    started = [round(row["started_at"].timestamp() * 1000) for row in found.samples]
    assert (tmp_path / "run.jtl").stat().st_size > 2 * 2**20
    assert started == list(range(30_000))


@pytest.mark.parametrize("end", ["", "<httpSam", element().strip()[:-2], element("<x>")[:40], "\0" * 500])
def test_a_run_that_was_killed_is_truncated(tmp_path: Path, end: str) -> None:
    """Whole samples count, and it is said."""
    found = read_text(tmp_path, element() * 3, end=end)
    assert len(found.samples) == 3
    assert found.findings.truncated
    assert not found.findings.rejected


def test_several_files_are_one_run(tmp_path: Path) -> None:
    """Each load generator writes its own; who names no host is called by its file."""
    for name, host in (("a.jtl", "one"), ("b.jtl", None)):
        (tmp_path / name).write_text(HEAD + written({"hn": host}) + "</testResults>")
    found = read("jtl-xml", tmp_path / "a.jtl", tmp_path / "b.jtl")
    assert [row["worker"] for row in found.samples] == ["one", "b.jtl"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("", "run.jtl holds no sample of JMeter."),
        ("<com.example.Sample><t>1</t></com.example.Sample>", "run.jtl holds no sample of JMeter."),
        (element(rm="Number of samples in transaction : 1"), "1 transactions, which are sums, and no request"),
        (element() * 2 + "</b>\n" + element(), "run.jtl is no well-formed XML: mismatched tag (line 5, column 3)."),
        (element() + "<!DOCTYPE a>", "(line 4, column 3)"),
    ],
)
def test_what_cannot_be_taken_in_is_told(tmp_path: Path, body: str, told: str) -> None:
    """In one sentence, with the place."""
    with pytest.raises(ResultsError) as raised:
        read_text(tmp_path, body)
    assert told in str(raised.value)


def test_results_of_others_are_not_recognised(tmp_path: Path) -> None:
    """Only JMeter's outermost element is."""
    path = tmp_path / "run.jtl"
    path.write_text("<testsuite/>")
    assert not recognises("jtl-xml", path)

"""HTTP archives."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ator_lib.errors import ResultsError
from ator_lib.readers.base import NO_OPTIONS, ReadOptions
from tests.support.readings import RECORDED, Read, read, recognises

FILES = RECORDED / "har"
ENTRY: dict[str, Any] = {
    "startedDateTime": "2026-11-20T10:00:00Z",
    "time": 12,
    "request": {"method": "GET", "url": "http://shop.test/items"},
    "response": {"status": 200, "statusText": "OK"},
    "timings": {"send": 1, "wait": 10, "receive": 1},
}


def read_entries(folder: Path, *entries: object, options: ReadOptions = NO_OPTIONS) -> Read:
    path = folder / "page.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    assert recognises("har", path)
    return read("har", path, options=options)


def test_entries_are_samples() -> None:
    """Named by their path; the first byte comes after all that was before it, and -1 is no time."""
    found = read("har", FILES / "browsers.har")
    first, second, third = found.samples
    assert first["started_at"] == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert (first["name"], first["method"], first["status_code"], first["success"]) == ("/items", "GET", 200, True)
    assert (first["duration_ms"], first["connect_ms"]) == (100.5, 20.0)
    assert first["ttfb_ms"] == 2.5 + 8 + 20 + 0 + 60
    assert (first["bytes_sent"], first["bytes_received"]) == (300, 1200)
    assert (second["started_at"], second["duration_ms"]) == (datetime(2026, 11, 20, 10, 0, 0, 300_000, UTC), 1 + 30 + 4)
    assert (second["connect_ms"], second["ttfb_ms"], second["bytes_received"]) == (None, 31.0, None)
    assert (second["success"], second["error"]) == (False, "Internal Server Error")
    assert (third["status_code"], third["success"], third["error"]) == (None, False, "net::ERR_NAME_NOT_RESOLVED")
    assert third["ttfb_ms"] is None
    assert (found.reading.tool, found.reading.tool_version) == ("WebInspector", "537.36")


def test_what_went_to_no_server_is_left_out() -> None:
    """A cache, a web socket that was open for a minute, and an image in the page; and it is said."""
    found = read("har", FILES / "browsers.har")
    assert len(found.samples) == 3
    assert found.findings.notes == [
        "startedDateTime has no time zone: its times were read as UTC",
        "3 entries were left out: they came from a cache, or are web sockets or data in the page",
    ]


def test_a_recording_of_playwright_is_read() -> None:
    """Its durations are those in the file, and what was refused has no status."""
    found = read("har", FILES / "playwright.har")
    entries = json.loads((FILES / "playwright.har").read_text())["log"]["entries"]
    assert [row["duration_ms"] for row in found.samples] == [entry["time"] for entry in entries]
    assert [(row["name"], row["status_code"], row["success"]) for row in found.samples] == [
        ("/", 200, True),
        ("/api/items", 200, True),
        ("/", None, False),
        ("/api/items/9", 404, False),
        ("/api/login", 200, True),
    ]
    assert found.samples[2]["error"] == "net::ERR_UNSAFE_PORT"
    assert (found.reading.tool, found.reading.tool_version) == ("Playwright", "1.65.1")


@pytest.mark.parametrize("name", ["browsers.har", "playwright.har"])
def test_secrets_stay_behind(name: str) -> None:
    """Logins and queries of URLs, cookies, headers and bodies."""
    found = read("har", FILES / name)
    told = repr((found, found.samples))
    assert "tok-4711-secret" in (FILES / name).read_text()
    for secret in ("tok-4711-secret", "password", "s3cr3t"):
        assert secret not in told


def test_times_without_zone_are_the_users(tmp_path: Path) -> None:
    """And it is said which one was taken."""
    entry = ENTRY | {"startedDateTime": "2026-11-20T11:00:00.1234567"}
    found = read_entries(tmp_path, entry, options=ReadOptions(zone=ZoneInfo("Europe/Berlin")))
    assert found.samples[0]["started_at"] == datetime(2026, 11, 20, 10, 0, 0, 123_456, UTC)
    assert found.findings.notes == ["startedDateTime has no time zone: its times were read as Europe/Berlin"]


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({"startedDateTime": "today"}, {"started_at": None}),
        ({"timings": None}, {"duration_ms": 12.0, "ttfb_ms": None, "connect_ms": None}),
        ({"time": "12"}, {"duration_ms": 12.0}),
        ({"response": None}, {"status_code": None, "success": False, "error": "no response"}),
        ({"response": {"status": 1e30}}, {"status_code": None, "success": False}),
        ({"request": {"url": "http://[bad"}}, {"name": "all requests", "method": None}),
        ({"request": {"url": "http://shop.test/a\0"}}, {"name": "/a\ufffd"}),
        ({"response": {"status": 200, "_transferSize": 9, "bodySize": 5}}, {"bytes_received": 9}),
    ],
)
def test_what_is_missing_or_strange_is_null(tmp_path: Path, changes: dict[str, Any], known: dict[str, Any]) -> None:
    """The request counts all the same."""
    (row,) = read_entries(tmp_path, ENTRY | changes).samples
    assert {key: row[key] for key in known} == known


@pytest.mark.parametrize("strange", [None, 3, {}, ENTRY | {"time": -1, "timings": {}}])
def test_an_entry_without_any_time_is_rejected(tmp_path: Path, strange: object) -> None:
    """How long it took is what a sample is about."""
    found = read_entries(tmp_path, ENTRY, strange)
    assert len(found.samples) == 1
    assert [row.reason for row in found.findings.rejected] == ["it has no time"]


def test_a_truncated_archive_gives_its_whole_entries(tmp_path: Path) -> None:
    """And says so."""
    path = tmp_path / "page.har"
    content = (FILES / "playwright.har").read_bytes()
    path.write_bytes(content[: content.rindex(b'"startedDateTime"')])
    found = read("har", path)
    assert len(found.samples) == 4
    assert found.findings.truncated


@pytest.mark.parametrize("content", ["", "{}", '{"log": {"entries": []}}', '{"log": {"entries": ['])
def test_an_archive_of_nothing_is_told(tmp_path: Path, content: str) -> None:
    """By its name."""
    path = tmp_path / "page.har"
    path.write_text(content)
    with pytest.raises(ResultsError, match=r"page\.har holds no request to a server\."):
        read("har", path)


@pytest.mark.parametrize(
    "content", ["", "{}", '{"log": 3}', '{"log": {"level": "info"}}', '[{"log": {"entries": []}}]']
)
def test_other_json_is_not_recognised(tmp_path: Path, content: str) -> None:
    """A log may be many things."""
    path = tmp_path / "page.har"
    path.write_text(content)
    assert not recognises("har", path)

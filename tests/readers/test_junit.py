"""JUnit XML of several producers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ator_lib.errors import ResultsError
from ator_lib.readers.base import NO_OPTIONS, Reading, ReadOptions
from ator_lib.readers.junit import LONGEST_TEXT
from tests.support.readings import RECORDED, read, recognises

FILES = RECORDED / "junit"


def cases(reading: Reading) -> list[dict[str, Any]]:
    assert reading.cases is not None
    assert reading.samples is None
    rows: list[dict[str, Any]] = reading.cases.to_pylist()
    return rows


def read_text(folder: Path, text: str, options: ReadOptions = NO_OPTIONS) -> Reading:
    path = folder / "results.xml"
    path.write_text(text)
    assert recognises("junit", path)
    return read("junit", path, options=options).reading


def one(folder: Path, inside: str = "", attributes: str = "", suite: str = "shop") -> dict[str, Any]:
    """Read one case."""
    text = f'<testsuite name="{suite}"><testcase name="adds" {attributes}>{inside}</testcase></testsuite>'
    (row,) = cases(read_text(folder, text))
    return row


def test_a_folder_of_maven_is_one_run() -> None:
    """A file for each class; a case is called by its method, as the suite has the name of the class."""
    folder = FILES / "maven"
    reading = read("junit", *sorted(folder.iterdir())).reading
    assert [(row["suite"], row["case"], row["status"], row["duration_ms"]) for row in cases(reading)] == [
        ("shop.BasketTest", "adds", "passed", 1_230_250.0),
        ("shop.BasketTest", "removes", "failed", 4.0),
        ("shop.BasketTest", "pays", "error", 0.0),
        ("shop.BasketTest", "ships", "skipped", None),
        ("shop.LoginTest", "logs in", "passed", 125.0),
    ]
    assert (reading.tool, reading.started_at, reading.ended_at) == ("surefire", None, None)


def test_reruns_are_told() -> None:
    """A case that passed in the end has passed, and a note; output is not read."""
    rows = cases(read("junit", *sorted((FILES / "maven").iterdir())).reading)
    removes, pays, logs_in = rows[1], rows[2], rows[4]
    assert removes["message"] == "expected: <1> but was: <2> (and again in 1 reruns)"
    assert removes["details"].endswith("at shop.BasketTest.removes(BasketTest.java:12)")
    assert pays["message"] == "java.lang.NullPointerException"
    assert logs_in["message"] == "flaky: passed after 1 failed: no answer"
    assert logs_in["details"].startswith("java.lang.AssertionError: no answer")
    assert "output" not in repr(rows)


def test_pytest_names_the_class_or_module() -> None:
    """As all of its suites are called ``pytest``."""
    reading = read("junit", FILES / "pytest.xml").reading
    rows = cases(reading)
    assert [(row["case"], row["status"]) for row in rows] == [
        ("test_shop.test_lists_items", "passed"),
        ("test_shop.test_has_a_price", "failed"),
        ("test_shop.test_basket", "skipped"),
        ("test_shop.test_stores_orders", "error"),
        ("test_shop.TestLogin.test_user[ann]", "passed"),
        ("test_shop.TestLogin.test_user[bob\\x00]", "passed"),
        ("test_shop.TestLogin.test_known", "skipped"),
    ]
    assert {row["suite"] for row in rows} == {"pytest"}
    assert rows[2]["message"] == "no basket yet"
    assert reading.tool == "pytest"
    assert reading.started_at == datetime(2026, 11, 21, 14, 53, 5, 621_110, UTC)
    assert reading.ended_at == reading.started_at + timedelta(milliseconds=99)
    assert reading.findings.notes == []


def test_newmans_own_ways_are_known() -> None:
    """Times are those of requests; what broke without an assertion is a case all the same."""
    reading = read("junit", FILES / "newman.xml").reading
    rows = {(row["suite"], row["case"]): row for row in cases(reading)}
    assert {key: row["status"] for key, row in rows.items()} == {
        ("Catalogue / List items", "status is 200"): "passed",
        ("Catalogue / List items", "nobody sees the token"): "failed",
        ("Catalogue / List items", "later"): "passed",  # it was skipped, which Newman does not say here
        ("Catalogue / Missing item", "status is 404"): "passed",
        ("Login", "side request"): "passed",
        ("Broken script", "request and scripts"): "error",
        ("Nobody listens", "request and scripts"): "error",
    }
    refused = rows["Nobody listens", "request and scripts"]
    assert refused["message"] == "RequestError: Error: connect ECONNREFUSED 127.0.0.1:1"
    assert {row["duration_ms"] for row in rows.values()} == {None}
    assert (reading.tool, reading.ended_at) == ("newman", None)
    assert reading.started_at is not None
    assert reading.findings.notes == ["Newman gives each case the time of its request: that is no duration of the case"]


def test_google_test_tells_skips_by_attributes() -> None:
    """And may have several failures in one case."""
    reading = read("junit", FILES / "google-test.xml").reading
    rows = cases(reading)
    assert [row["status"] for row in rows] == ["passed", "failed", "skipped", "skipped"]
    assert rows[1]["message"] == "prices.cc:13\nExpected equality of these values: (and 1 more)"
    assert "prices.cc:14" in rows[1]["details"]
    assert reading.findings.notes == ["timestamp has no time zone: its times were read as UTC"]


def test_suites_may_be_nested() -> None:
    """A case is in all of them; cases of one name stay apart, and some have none."""
    reading = read("junit", FILES / "nested.xml").reading
    assert [(row["suite"], row["case"], row["status"], row["duration_ms"]) for row in cases(reading)] == [
        ("shop / basket", "adds", "passed", 12.0),
        ("shop / basket", "adds", "passed", 14.0),
        ("shop / basket", "unnamed", "passed", None),
        ("shop / basket", "rendering › shows a price", "passed", None),
        ("shop", "smoke.Tests.starts", "failed", 1.0),
    ]
    assert reading.started_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert reading.ended_at == datetime(2026, 11, 20, 10, 0, 3, tzinfo=UTC)


def test_a_truncated_file_gives_its_whole_cases() -> None:
    """One of which nobody knows how it went on is none."""
    reading = read("junit", FILES / "truncated.xml").reading
    assert [row["case"] for row in cases(reading)] == ["adds"]
    assert reading.findings.truncated


@pytest.mark.parametrize(
    ("written", "duration_ms"),
    [
        ("0.5", 500.0),
        ("1,234.5", 1_234_500.0),
        ("1,234", 1_234_000.0),
        ("1,234,567.25", 1_234_567_250.0),
        ("0,25", 250.0),
        ("12,5", 12_500.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("inf", None),
    ],
)
def test_seconds_are_written_in_many_ways(tmp_path: Path, written: str, duration_ms: float | None) -> None:
    """With marks for thousands, a decimal comma, or not at all."""
    assert one(tmp_path, attributes=f'time="{written}"')["duration_ms"] == duration_ms


@pytest.mark.parametrize(
    ("suite", "classname", "case"),
    [
        ("shop", "", "adds"),
        ("shop.Basket", "shop.Basket", "adds"),
        ("Catalogue / List items", "CatalogueListItems", "adds"),
        ("Café", "Cafe", "adds"),
        ("shop", "Basket", "Basket.adds"),
        ("", "Basket", "Basket.adds"),
        ("shop", "adds", "adds"),
    ],
)
def test_a_class_is_named_once(tmp_path: Path, suite: str, classname: str, case: str) -> None:
    """Not when it is only the suite's name again, however that is written."""
    assert one(tmp_path, attributes=f'classname="{classname}"', suite=suite)["case"] == case


@pytest.mark.parametrize(
    ("inside", "status", "message"),
    [
        ("<failure>\n  no\n  luck\n</failure>", "failed", "no"),
        ('<failure type="T">no</failure>', "failed", "T"),
        ('<skipped/><failure message="a"/><error message="b"/>', "error", "b"),
        ("<failure/>", "failed", None),
        ('<system-err>oh</system-err><properties><property name="x"/></properties>', "passed", None),
        ('<failure message="&#27;[31mno"/>', "failed", "\ufffd[31mno"),
    ],
)
def test_the_worst_is_the_status(tmp_path: Path, inside: str, status: str, message: str | None) -> None:
    """And its message, type or first words say why."""
    row = one(tmp_path, inside)
    assert (row["status"], row["message"]) == (status, message)


def test_long_texts_are_shortened(tmp_path: Path) -> None:
    """A log in a case is no reason to keep megabytes."""
    message, log = "m" * 50_000, "l" * 50_000
    row = one(tmp_path, f'<failure message="{message}">{log}</failure>')
    assert (len(row["message"]), len(row["details"])) == (LONGEST_TEXT, LONGEST_TEXT)


@pytest.mark.parametrize(
    ("zone", "told", "hours"),
    [
        (None, "UTC", 0),
        (ZoneInfo("Europe/Berlin"), "Europe/Berlin", 1),
        (timezone(timedelta(hours=-5)), "UTC-05:00", -5),
    ],
)
def test_times_without_zone_are_the_users(tmp_path: Path, zone: ZoneInfo | None, told: str, hours: int) -> None:
    """And it is said which one was taken."""
    text = '<testsuite name="shop" timestamp="2026-11-20T10:00:00" time="2"><testcase name="a"/></testsuite>'
    reading = read_text(tmp_path, text, ReadOptions(zone=zone))
    assert reading.started_at == datetime(2026, 11, 20, 10 - hours, tzinfo=UTC)
    assert reading.findings.notes == [f"timestamp has no time zone: its times were read as {told}"]


@pytest.mark.parametrize("stamp", ["", "yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_times_that_are_none_are_left_out(tmp_path: Path, stamp: str) -> None:
    """The cases count all the same."""
    reading = read_text(tmp_path, f'<testsuite timestamp="{stamp}" time="9"><testcase name="a"/></testsuite>')
    assert (reading.started_at, reading.ended_at) == (None, None)


@pytest.mark.parametrize("outermost", ["test-run", "TestRun", "FinalStatus", "suites", "testResults", "html"])
def test_other_xml_is_not_recognised(tmp_path: Path, outermost: str) -> None:
    """That of NUnit, Visual Studio, Taurus and others."""
    path = tmp_path / "results.xml"
    path.write_text(f'<?xml version="1.0"?>\n<{outermost}><testsuite/></{outermost}>')
    assert not recognises("junit", path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<testsuites/>", "results.xml holds no test case"),
        ('<testsuites><testsuite name="a" errors="2"/></testsuites>', "results.xml holds no test case"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite>&x;</testsuite>', "declares an entity"),
        ("<testsuite><testcase></testsuite>", "mismatched tag (line 1, column 24)"),
    ],
)
def test_what_cannot_be_taken_in_is_told(tmp_path: Path, text: str, told: str) -> None:
    """In one sentence."""
    with pytest.raises(ResultsError) as raised:
        read_text(tmp_path, text)
    assert told in str(raised.value)


def test_a_run_that_ends_behind_the_calendar_has_no_end(tmp_path: Path) -> None:
    """Its cases count."""
    path = tmp_path / "report.xml"
    path.write_text(
        '<testsuite name="s" timestamp="9999-12-31T00:00:00" time="100000000"><testcase name="a"/></testsuite>'
    )
    found = read("junit", path).reading
    assert found.started_at == datetime(9999, 12, 31, tzinfo=UTC)
    assert found.ended_at is None

"""Text logs of Gatling, of every layout that it has written; all of them are synthetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from ator_lib.errors import ResultsError
from ator_lib.readers.base import NO_OPTIONS, Findings, Reading, Source
from ator_lib.readers.duck import Query
from ator_lib.readers.gatling.text import GatlingReader

RECORDED = Path(__file__).parents[1] / "recorded" / "gatling"
START = 1_763_730_000_000
RUN = f"RUN\texample.ShopSimulation\tshop\t{START}\t \t3.9.5\n"
REQUEST = f"REQUEST\t\tHome\t{START}\t{START + 120}\tOK\t \n"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A reading whose samples were consumed as a store does."""

    reading: Reading
    rows: list[dict[str, Any]]

    @property
    def findings(self) -> Findings:
        return self.reading.findings


def source(path: Path) -> Source:
    return Source(path=path, name=path.name)


def read(*paths: Path) -> Kept:
    reading = GatlingReader().read([source(path) for path in paths], NO_OPTIONS)
    assert isinstance(reading.samples, Query)
    rows = reading.samples.connection.sql(reading.samples.sql).to_arrow_table()
    unread = rows.column("duration_ms").null_count
    if unread and reading.explain:
        reading.explain(unread)
    return Kept(reading=reading, rows=rows.filter(pc.is_valid(rows.column("duration_ms"))).to_pylist())


ReadText = Callable[[str | bytes], Kept]


@pytest.fixture
def read_text(tmp_path: Path) -> ReadText:
    """Read a text as a log."""

    def read_it(text: str | bytes) -> Kept:
        path = tmp_path / "simulation.log"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read(path)

    return read_it


CELLS = {  # where a version has group, name, start, end and status
    "2.1": (3, 4, 5, 8, 9),
    "2.3": (3, 4, 5, 6, 7),
    "3.3": (2, 3, 4, 5, 6),
    "3.9": (1, 2, 3, 4, 5),
}


def expected(version: str) -> list[tuple[Any, ...]]:
    """Read a recorded log without the reader."""
    lines = (RECORDED / f"gatling-{version}.log").read_text().splitlines()
    requests = [line.split("\t") for line in lines if "REQUEST" in line]
    rows = []
    for cells in requests:
        group, name, start, end, status = (cells[place] for place in CELLS[version])
        error = cells[CELLS[version][-1] + 1].strip() or None
        groups = group.replace(",", " / ") or None
        rows.append((int(start), int(end) - int(start), name, groups, status == "OK", error))
    return rows


def without(row: dict[str, Any], *columns: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in columns}


@pytest.mark.parametrize("version", CELLS)
def test_each_layout_gives_its_requests(version: str) -> None:
    """Start, duration, name, groups, outcome and message are those of the line, whatever cells a version has."""
    kept = read(RECORDED / f"gatling-{version}.log")
    found = [
        (
            round(row["started_at"].timestamp() * 1000),
            row["duration_ms"],
            row["name"],
            row["group"],
            row["success"],
            row["error"],
        )
        for row in kept.rows
    ]
    assert found == expected(version)
    assert not kept.findings.rejected
    assert not kept.findings.truncated
    assert {row["user"] for row in kept.rows} == (set("12345") if version < "3.4" else {None})
    assert {row["scenario"] for row in kept.rows} == ({"Buy"} if version < "3" else {None})


def test_all_layouts_tell_the_same_run() -> None:
    """One simulation, written by four versions, has the same summary; its groups and users are no requests."""
    logs = [read(RECORDED / f"gatling-{version}.log") for version in ("2.1", "2.3", "3.3", "3.9")]
    first, *others = ([without(row, "user", "scenario") for row in log.rows] for log in logs)
    assert all(other == first for other in others)
    assert len(first) == 80
    assert [log.reading.tool_version for log in logs] == ["2", "2", "3.3.1", "3.9.5"]
    assert all(log.reading.metrics.column("value") == logs[0].reading.metrics.column("value") for log in logs)


def test_users_are_counted_as_in_gatlings_charts(read_text: ReadText) -> None:
    """A user counts in every second in any part of which it ran."""
    events = [(0, "START"), (100, "START"), (1900, "END"), (4000, "START"), (4500, "END"), (5000, "END")]
    text = RUN + REQUEST + "".join(f"USER\tBuy\t{kind}\t{START + at}\n" for at, kind in events)
    kept = read_text(text)
    users = {
        round(row["timestamp"].timestamp()) - START // 1000: row["value"] for row in kept.reading.metrics.to_pylist()
    }
    assert users == {0: 2, 2: 1, 4: 2, 5: 1, 6: 0}
    assert {row["metric"] for row in kept.reading.metrics.to_pylist()} == {"users"}


def test_a_log_of_failures_only() -> None:
    """Every request is kept, failed and with the message of its check."""
    kept = read(RECORDED / "all-failed.log")
    assert [row["success"] for row in kept.rows] == [False] * 10
    assert {row["error"] for row in kept.rows} == {"status.find.in(200,201), but actually found 503"}


def test_logs_of_injectors_are_one_run() -> None:
    """Together they hold what one log would; each request and each count of users says whose it is."""
    parts = sorted((RECORDED / "injectors").iterdir())
    kept, whole = read(*parts), read(RECORDED / "gatling-3.9.log")
    told = {str(without(row, "worker")) for row in kept.rows}
    assert told == {str(without(row, "worker")) for row in whole.rows}
    counts = {path.name: path.read_text().count("REQUEST\t") for path in parts}
    assert Counter(row["worker"] for row in kept.rows) == counts
    assert set(kept.reading.metrics.column("source").to_pylist()) == set(counts)


def test_bad_requests_are_rejected_with_line_and_reason(read_text: ReadText) -> None:
    """Each is named; the good ones around them are kept."""
    bad = [
        f"REQUEST\t\tHome\t{START}\t{START + 5}\tMAYBE\t ",
        f"REQUEST\t\tHome\t{START}",
        f"REQUEST\t\tHome\tnoon\t{START + 5}\tOK\t ",
        f"REQUEST\t\tHome\t{START + 5}\t{START}\tOK\t ",
        f"REQUEST\t\tHome\t{START}\t9999999999999999\tOK\t ",
        f"REQUEST\t\tHo\0me\t{START}\t{START + 5}\tOK\t ",
    ]
    kept = read_text(RUN + REQUEST + "\n".join(bad) + "\n" + REQUEST)
    assert len(kept.rows) == 2
    assert [row.line for row in kept.findings.rejected] == [3, 4, 5, 6, 7, 8]
    reasons = [row.reason for row in kept.findings.rejected]
    assert reasons[0] == "its status is 'MAYBE', not OK or KO"
    assert reasons[1] == "its status is None, not OK or KO"
    assert "'noon'" in reasons[2]
    assert reasons[3] == "it ends before it starts"
    assert "'9999999999999999'" in reasons[4]
    assert reasons[5] == "it holds a NUL character"


@pytest.mark.parametrize("tail", ["REQ", "REQUEST\t\tHome\t176373", f"REQUEST\t\tHome\t{START}\t{START + 5}\tO"])
def test_a_truncated_tail_is_said_and_not_rejected(read_text: ReadText, tail: str) -> None:
    """Gatling writes blocks that end anywhere."""
    kept = read_text(RUN + REQUEST + REQUEST + tail)
    assert len(kept.rows) == 2
    assert kept.findings.truncated
    assert not kept.findings.rejected


def test_a_tail_that_is_whole_but_for_its_end_is_kept(read_text: ReadText) -> None:
    """Its outcome is there; that the file may go on is said."""
    kept = read_text(RUN + REQUEST + REQUEST.rstrip())
    assert len(kept.rows) == 2
    assert kept.findings.truncated


def test_messages_that_no_check_waited_for_are_no_requests(read_text: ReadText) -> None:
    """Gatling logs them with the end 0."""
    kept = read_text(RUN + REQUEST + f"REQUEST\t\tWs\t{START}\t0\tOK\t \n" * 3)
    assert len(kept.rows) == 1
    assert not kept.findings.rejected
    assert any("no check waited for, which are no requests: 3" in note for note in kept.findings.notes)


def test_errors_of_the_simulation_are_said(read_text: ReadText) -> None:
    """They stand on lines of their own, with a stack below; a quotation mark in a message opens nothing."""
    error = f'ERROR\tj.l.Exception: it said "no\n\tat a.B(B.scala:1)\n\tat c.D(D.scala:2)\t{START}\n'
    failed = f"REQUEST\t\tPay\t{START}\t{START + 9}\tKO\tjsonPath($.a).find.is(\"b), found 'c'\n"
    kept = read_text(RUN + error + failed + REQUEST)
    assert [row["error"] for row in kept.rows] == ["jsonPath($.a).find.is(\"b), found 'c'", None]
    assert any("errors of the simulation itself" in note and ": 1" in note for note in kept.findings.notes)


def test_a_request_without_a_name_is_kept(read_text: ReadText) -> None:
    """Simulations made by converters leave it out."""
    assert read_text(RUN + REQUEST.replace("Home", "")).rows[0]["name"] == "unnamed"


def test_windows_line_ends(read_text: ReadText) -> None:
    """They are no part of messages or versions."""
    text = (RUN + REQUEST + REQUEST.replace("OK\t ", "KO\tno")).replace("\n", "\r\n")
    kept = read_text(text)
    assert [row["error"] for row in kept.rows] == [None, "no"]
    assert kept.reading.tool_version == "3.9.5"
    assert not kept.findings.truncated


def test_text_that_is_not_utf_8(read_text: ReadText) -> None:
    """It is read as Latin-1, and that is said; UTF-8 is not touched."""
    assert read_text(RUN + REQUEST.replace("Home", "Käufe 🛒")).rows[0]["name"] == "Käufe 🛒"
    kept = read_text((RUN + REQUEST.replace("Home", "Käufe")).encode("latin-1"))
    assert kept.rows[0]["name"] == "Käufe"
    assert any("Latin-1" in note for note in kept.findings.notes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (RUN, "holds no request"),
        (RUN + "REQUEST\tnonsense\n" * 3, "holds no request"),
        (RUN + REQUEST + "x" * 3_000_000 + "\n", "a line in it is too long"),
        (RUN + REQUEST + "x" * 3_000_000, "a line in it is too long, 3000000 bytes in line 3"),
    ],
)
def test_what_cannot_be_read_is_refused(read_text: ReadText, text: str, words: str) -> None:
    """The message names the file and the reason."""
    with pytest.raises(ResultsError, match=rf"simulation\.log.*{words}"):
        read_text(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (RUN, True),
        (REQUEST, True),
        ("ASSERTION\tAAMDAAMDAAAAAAAAwFhA\n", True),
        (f"example.Shop\tshop\tRUN\t{START}\t \t2.0\n", True),
        ("ERROR\tsomething happened\n", False),
        ("timeStamp\telapsed\tlabel\n", False),
        ("", False),
    ],
)
def test_it_is_known_by_its_first_line(tmp_path: Path, text: str, is_one: bool) -> None:
    """Other tab-separated files, and other tools' errors, are not taken for a log."""
    path = tmp_path / "file"
    path.write_text(text)
    assert GatlingReader().recognises(source(path)) is is_one

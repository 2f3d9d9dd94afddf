"""JMeter's CSV: all of its layouts, what is no request in it, and what is wrong with damaged rows."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ator_lib.errors import ResultsError
from ator_lib.model import IngestReport
from ator_lib.readers.base import NO_OPTIONS, ReadOptions
from ator_lib.readers.formats import FORMATS, reader
from ator_lib.readers.jtl import leftovers, lines
from ator_lib.results.parquet import ParquetStore
from tests.support.readings import RECORDED, recognises, source

RUNS = RECORDED / "jtl"
HEADER = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,bytes,Latency"
START = datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)
START_MS = 1_760_000_000_000


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What became of files in a store."""

    samples: list[dict[str, Any]]
    users: list[tuple[datetime, float, str | None]]
    rejected: list[tuple[int | None, str]]
    report: IngestReport

    def column(self, name: str) -> list[Any]:
        return [sample[name] for sample in self.samples]


def kept(*files: Path, options: ReadOptions = NO_OPTIONS) -> Kept:
    """Keep files as a run and look at it."""
    with TemporaryDirectory() as folder:
        store = ParquetStore(Path(folder) / "results")
        staged = store.write(reader("jtl").read([source(file) for file in files], options))
        metrics = store.metrics(staged.ingest_id).to_pylist()
        return Kept(
            samples=store.samples(staged.ingest_id).to_pylist(),
            users=[(row["timestamp"], row["value"], row["source"]) for row in metrics],
            rejected=[(row["line"], row["reason"]) for row in staged.rejected.to_pylist()],
            report=staged.report,
        )


def row(number: int = 0, **columns: Any) -> str:
    """Write a row with the columns of ``HEADER``, a second after the one before it."""
    values = {
        "timeStamp": START_MS + number * 1000,
        "elapsed": 12,
        "label": "item",
        "responseCode": 200,
        "responseMessage": "OK",
        "threadName": "shoppers 1-1",
        "success": "true",
        "bytes": 300,
        "Latency": 11,
    }
    return ",".join(str(value) for value in (values | columns).values())


def written(folder: Path, *lines: str, header: str = HEADER, end: str = "\n", name: str = "results.jtl") -> Path:
    path = folder / name
    path.write_bytes("".join(line + end for line in (header, *lines) if line).encode())
    return path


def by_hand(path: Path, delimiter: str = ",", columns: Sequence[str] | None = None) -> list[dict[str, str]]:
    """Read the requests of a recorded file by Python's own reader."""
    rows = csv.DictReader(io.StringIO(path.read_text()), columns, delimiter=delimiter)
    return [row for row in rows if not row["responseMessage"].startswith("Number of samples in transaction")]


# --- recorded by JMeter ---


def test_a_file_without_header_has_the_columns_of_its_version() -> None:
    """JMeter 2.13 wrote 32 samples, 20 of them failed, by its own summary; 4 of each are transactions."""
    path = RUNS / "defaults-without-header.jtl"
    columns = ["timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName", "dataType", "success"]
    found, expected = kept(path), by_hand(path, columns=[*columns, "bytes", "grpThreads", "allThreads", "Latency"])
    assert (len(found.samples), found.column("success").count(False)) == (32 - 4, 20 - 4)
    for sample, line in zip(found.samples, expected, strict=True):
        assert sample["started_at"] == datetime.fromtimestamp(int(line["timeStamp"]) / 1000, UTC)
        assert sample["duration_ms"] == int(line["elapsed"])
        assert (sample["name"], sample["user"]) == (line["label"], line["threadName"])
        assert sample["success"] == (line["success"] == "true")
        assert sample["bytes_received"] == int(line["bytes"])
        assert sample["weight"] == 1
    assert found.report.rows_read == 32
    assert found.report.notes[-1] == "rows of transaction controllers left out, as they add up requests: 4"


def test_all_columns_in_any_delimiter_and_date_format() -> None:
    """Connections, generators and words of failures; times without a zone are those of the zone that is given."""
    path = RUNS / "all-columns.csv"
    found = kept(path, options=ReadOptions(zone=ZoneInfo("Europe/Berlin")))
    expected = by_hand(path, delimiter=";")
    first = datetime.strptime(expected[0]["timeStamp"], "%Y/%m/%d %H:%M:%S.%f")  # noqa: DTZ007
    assert found.samples[0]["started_at"] == first.replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert found.column("connect_ms") == [int(line["Connect"]) for line in expected]
    assert set(found.column("worker")) == {"generator-1"}
    assert {(sample["name"], sample["status_code"], sample["error"]) for sample in found.samples} == {
        ("home", 200, None),
        ('list, of "things"', 200, "Test failed: text expected to contain /yes/"),
        ("old address", 200, None),
        ("slow", 200, None),
        ("missing", 404, "Not Found"),
        ("broken", 500, "Internal Server Error"),
        ("nobody there", None, "java.net.ConnectException: Connection refused"),
    }
    assert {sample["ttfb_ms"] for sample in found.samples if sample["status_code"] is None} == {None}
    assert "timeStamp has no time zone: its times were read as Europe/Berlin" in found.report.notes


def test_users_are_the_most_of_each_second_and_generator() -> None:
    """Each file of a run is one of its load generators, unless it names its hosts."""
    paths = sorted((RUNS / "two-generators").iterdir())
    found = kept(*paths)
    most: Counter[tuple[datetime, str]] = Counter()
    for path in paths:
        for line in by_hand(path):
            second = datetime.fromtimestamp(int(line["timeStamp"]) // 1000, UTC)
            most[second, path.name] = max(most[second, path.name], int(line["allThreads"]))
    assert {(second, worker): users for second, users, worker in found.users} == most
    assert Counter(found.column("worker")) == {"generator-1.jtl": 28, "generator-2.jtl": 28}


def test_redirects_and_embedded_resources_are_parts_of_their_request() -> None:
    """JMeter 5 writes them as rows behind it; samplers that are only called alike are requests of their own."""
    found = kept(RUNS / "redirects-5.6.csv")
    assert found.column("name") == ["login", "page", "login", "item", "item-1", "item-2", "search", "old address"]
    assert found.report.rows_read == 18
    assert "rows of redirects and embedded resources left out, as parts of requests: 9" in found.report.notes


# --- what is no request ---


def test_samplers_called_alike_are_kept(tmp_path: Path) -> None:
    """A number behind a name is no part of a request of another thread, nor of one that had ended."""
    lines = [
        row(0, elapsed=500, label="item"),
        row(0, elapsed=100, label="item-0", threadName="shoppers 1-2"),
        row(1, elapsed=100, label="item-0"),
    ]
    assert len(kept(written(tmp_path, *lines)).samples) == 3


def test_only_transactions_are_refused(tmp_path: Path) -> None:
    """Sums are no requests, and their parts are not there."""
    path = written(
        tmp_path, row(responseMessage='"Number of samples in transaction : 2, number of failing samples : 0"')
    )
    with pytest.raises(ResultsError, match=r"results\.jtl holds 1 transactions, which are sums, and no request"):
        kept(path)


def test_rows_of_several_requests_are_taken_apart(tmp_path: Path) -> None:
    """What JMeter added up is shared among them; those that failed are a row of their own."""
    header = f"{HEADER},SampleCount,ErrorCount"
    path = written(tmp_path, row(n=1, e=0), row(1, elapsed=400, bytes=800, Latency=40, n=4, e=1), header=header)
    found = kept(path)
    columns = ("duration_ms", "success", "weight", "bytes_received", "ttfb_ms")
    assert [tuple(sample[column] for column in columns) for sample in found.samples] == [
        (12, True, 1, 300, 11),
        (100, False, 1, 200, 10),
        (100, True, 3, 200, 10),
    ]
    assert found.report.precision == "means of several requests"


def test_a_header_in_the_middle_is_no_row(tmp_path: Path) -> None:
    """Somebody put two files into one."""
    found = kept(written(tmp_path, row(), HEADER, row(1)))
    assert (len(found.samples), found.rejected) == (2, [])


# --- layouts ---


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^"])
def test_columns_are_found_by_name(tmp_path: Path, delimiter: str) -> None:
    """In any order, with others that nobody knows, quoted or with white space around them."""
    columns = ["Latency", " elapsed", "label", "what else", "success", "timeStamp", "responseCode"]
    values = ["3", "12", "item", "x", "false", str(START_MS), "503"]
    path = written(tmp_path, delimiter.join(values), header=delimiter.join(f'"{name}"' for name in columns))
    assert recognises("jtl", path)
    (sample,) = kept(path).samples
    assert (sample["started_at"], sample["duration_ms"], sample["ttfb_ms"]) == (START, 12, 3)
    assert (sample["status_code"], sample["success"], sample["user"]) == (503, False, None)


@pytest.mark.parametrize(
    ("time", "moment"),
    [
        (str(START_MS + 1), START + timedelta(milliseconds=1)),
        ("2025/10/09 08:53:20.007", START + timedelta(milliseconds=7)),
        ("2025-10-09 08:53:20", START),
        ("2025-10-09T10:53:20.5+02:00", START + timedelta(milliseconds=500)),
        ("2025-10-09T08:53:20Z", START),
        ("10/09/25 08:53:20", START),
        ("09.10.2025 08:53:20.070", START + timedelta(milliseconds=70)),
    ],
)
def test_times_in_any_form(tmp_path: Path, time: str, moment: datetime) -> None:
    """Those without a zone are UTC, which is said."""
    found = kept(written(tmp_path, row(timeStamp=time)))
    assert found.column("started_at") == [moment]
    is_naive = time[-1] not in "Z0" or "T" not in time
    says_so = "timeStamp has no time zone: its times were read as UTC" in found.report.notes
    assert says_so == (is_naive and not time.isdecimal())


def test_a_zone_may_be_an_offset(tmp_path: Path) -> None:
    """Not every zone has a name."""
    path = written(tmp_path, row(timeStamp="2025-10-09 08:53:20"))
    found = kept(path, options=ReadOptions(zone=timezone(timedelta(hours=-3, minutes=-30))))
    assert found.column("started_at") == [START + timedelta(hours=3, minutes=30)]


def test_what_a_file_does_not_say_is_null(tmp_path: Path) -> None:
    """No label, no time, no outcome but the status."""
    path = written(tmp_path, "10,200,5", "20,OK,", header="elapsed,responseCode,Latency")
    found = kept(path)
    assert found.column("name") == ["all requests"] * 2
    assert found.column("started_at") == [None, None]
    assert (found.column("status_code"), found.column("success")) == ([200, None], [True, False])
    assert (found.column("error"), found.column("ttfb_ms")) == ([None, "OK"], [5, None])
    assert found.users == []


def test_no_outcome_at_all_is_said(tmp_path: Path) -> None:
    """Neither success nor a status: somebody should know."""
    found = kept(written(tmp_path, f"{START_MS},12,", header="timeStamp,elapsed,label"))
    assert (found.column("success"), found.column("name")) == ([True], ["unnamed"])


def test_a_latency_of_0_without_a_status_is_none(tmp_path: Path) -> None:
    """JMeter writes it where nobody answered."""
    found = kept(
        written(tmp_path, f"{START_MS},12,item,0", f"{START_MS},12,item,3", header="timeStamp,elapsed,label,Latency")
    )
    assert found.column("ttfb_ms") == [None, 3]
    assert any("neither success nor responseCode" in note for note in found.report.notes)


def test_urls_as_labels_lose_what_may_be_secret(tmp_path: Path) -> None:
    """Passwords and queries; other labels stay as they are."""
    labels = ["http://ann:pw@shop.test/a?token=1-0", "http://shop.test/a@b", "why?", "x@y"]
    found = kept(written(tmp_path, *(row(number, label=label) for number, label in enumerate(labels))))
    assert found.column("name") == ["http://shop.test/a", "http://shop.test/a@b", "why?", "x@y"]


def test_parts_of_urls_are_still_known_by_their_number(tmp_path: Path) -> None:
    """JMeter writes the number behind the query."""
    url = "http://shop.test/a?token=1"
    lines = [row(elapsed=100, label=url), row(elapsed=50, label=f"{url}-0"), row(elapsed=20, label=f"{url}-1")]
    found = kept(written(tmp_path, *lines))
    assert found.column("name") == ["http://shop.test/a"]


def test_text_of_one_byte_a_character(tmp_path: Path) -> None:
    """Old versions write in the encoding of the machine."""
    path = tmp_path / "results.jtl"
    path.write_bytes(f"{HEADER}\n{row(label='Kölle')}\n".encode("latin-1"))
    found = kept(path)
    assert found.column("name") == ["Kölle"]
    assert "the text is not UTF-8: it was read as Latin-1" in found.report.notes


@pytest.mark.parametrize("name", ["[1] results*.jtl", "it's.jtl", "results.jtl.gz"])
def test_any_name_of_a_file(tmp_path: Path, name: str) -> None:
    """It is no pattern, no SQL, and no evidence of compression."""
    assert len(kept(written(tmp_path, row(), row(1), name=name)).samples) == 2


_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff\ufffd"), max_size=12)
_ROWS = st.lists(st.tuples(st.integers(0, 4_000_000), _TEXTS, st.booleans(), _TEXTS), min_size=1, max_size=20)


@settings(max_examples=10, deadline=None)
@given(rows=_ROWS)
def test_rows_come_back_as_they_were_written(rows: list[tuple[int, str, bool, str]]) -> None:
    """Quotes, delimiters and line ends in texts are of the text."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "results.jtl"
        with path.open("w", newline="", encoding="utf-8") as file:
            lines = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
            lines.writerow(["timeStamp", "elapsed", "label", "success", "failureMessage"])
            lines.writerows([START_MS, elapsed, f"x{name}", success, said] for elapsed, name, success, said in rows)
        found = kept(path)
    assert found.column("duration_ms") == [elapsed for elapsed, *_ in rows]
    assert found.column("name") == [f"x{name}" for _, name, *_ in rows]
    assert found.column("success") == [success for _, _, success, _ in rows]
    # to DuckDB the text null is null, which JMeter writes for what it does not know
    expected = [None if success or said in ("", "null") else said for *_, success, said in rows]
    assert found.column("error") == expected


# --- damage ---


def test_bad_rows_are_said_with_their_lines(tmp_path: Path) -> None:
    """Lines are those of an editor, also behind a text of several lines."""
    lines = [
        row(label='"two\nlines"'),
        row(1, elapsed=-3),
        row(2, elapsed="soon"),
        row(3, timeStamp=""),
        row(4).rpartition(",")[0],
        row(5) + ",more",
        row(6, success="maybe"),
        row(7, timeStamp="99999999999999"),
        row(8),
    ]
    found = kept(written(tmp_path, *lines))
    assert len(found.samples) == 2
    assert found.rejected == [
        (4, "elapsed '-3' is no time in milliseconds"),
        (5, "elapsed 'soon' is no time in milliseconds"),
        (6, "has no timeStamp"),
        (7, "has 8 columns instead of 9"),
        (8, "has too many columns"),
        (9, "success 'maybe' is no true or false"),
        (10, "timeStamp '99999999999999' is no time"),
    ]
    assert not found.report.truncated
    assert found.report.rows_read == 9


def test_an_impossible_date_is_a_bad_row(tmp_path: Path) -> None:
    """There is no month 20."""
    found = kept(written(tmp_path, row(timeStamp="2001/20/20 12:05:05.123")))
    assert found.rejected == [(2, "timeStamp '2001/20/20 12:05:05.123' is no time")]


def test_times_of_an_unknown_form_are_refused(tmp_path: Path) -> None:
    """With the line where the first one stands."""
    path = written(tmp_path, row(timeStamp="yesterday"))
    with pytest.raises(ResultsError, match=r"results\.jtl has times .*'yesterday' in line 2"):
        kept(path)


def test_a_negative_fraction_is_a_bad_row(tmp_path: Path) -> None:
    """Others than JMeter write fractions of milliseconds."""
    found = kept(written(tmp_path, row(elapsed=12.25), row(1, elapsed=-0.5)))
    assert (found.column("duration_ms"), len(found.rejected)) == ([12.25], 1)
    assert found.rejected == [(3, "elapsed '-0.5' is no time in milliseconds")]


@pytest.mark.parametrize("cut", [1, 7, 15, 30, 50])
def test_a_cut_end_is_no_bad_row(tmp_path: Path, cut: int) -> None:
    """JMeter writes blocks: when it is killed, the last line is half a one."""
    path = written(tmp_path, row(), row(1, threadName='"shoppers, 1-1"'))
    path.write_bytes(path.read_bytes()[: len(HEADER) + 1 + len(row()) + 1 + cut])
    found = kept(path)
    assert (len(found.samples), found.rejected, found.report.truncated) == (1, [], True)


def test_rows_behind_an_open_quote_are_not_lost(tmp_path: Path) -> None:
    """It makes one text of all lines that follow; each of them counts as one that cannot be read."""
    found = kept(written(tmp_path, row(), row(1, label='"open'), row(2), row(3)))
    assert len(found.samples) == 1
    assert [line for line, _ in found.rejected] == [3, 4, 5]
    assert not found.report.truncated


def test_rows_within_a_quote_are_not_lost(tmp_path: Path) -> None:
    """The next quote ends it, in whatever row that stands: the rows before it count as ones that cannot be read."""
    lines = [row(0, label='"open'), row(1), row(2, label='"two, words"'), row(3)]
    found = kept(written(tmp_path, *lines))
    assert found.column("started_at") == [START + timedelta(seconds=3)]
    assert [line for line, _ in found.rejected] == [2, 3, 4]


@pytest.mark.parametrize("first", ["\r\n", "\n"])
def test_lines_may_end_in_different_ways(tmp_path: Path, first: str) -> None:
    """Files of several machines were put into one."""
    path = written(tmp_path, row(), row(1), end=first)
    with path.open("ab") as file:
        file.write(f"{row(2)}\n{row(3)}\r\n".encode())
    assert len(kept(path).samples) == 4


def test_a_line_without_end_is_one_bad_row(tmp_path: Path) -> None:
    """It is not taken into memory to the last."""
    path = written(tmp_path, row(), row(1, label="x" * 5_000_000), row(2))
    found = kept(path)
    assert (len(found.samples), found.rejected) == (2, [(3, "is too long for a row")])


def test_a_line_that_duckdb_may_lose_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at pieces of a file, and of a line that is longer than a piece it says nothing."""
    monkeypatch.setattr(lines, "LONGEST_LINE", 30_000)
    for number in range(3):
        rows = [row(), row(1), row(2)]
        rows[number] = row(number, label="x" * 40_000)
        with pytest.raises(ResultsError, match=rf"results\.jtl cannot be read: line {number + 2} is longer than 30000"):
            kept(written(tmp_path, *rows))
        rows[number] = row(number, label="x" * 29_000)
        assert len(kept(written(tmp_path, *rows)).samples) == 3


@pytest.mark.parametrize("before", ["", '"two, words",', '"two\nlines",'])
def test_a_line_of_very_many_columns_is_refused(tmp_path: Path, before: str) -> None:
    """DuckDB would copy it for each of them, for hours."""
    path = written(tmp_path, row(), f"{before}{'1,' * 300_000}", row(1))
    with pytest.raises(ResultsError, match=r"line \d has 30000\d columns instead of 9"):
        kept(path)


def test_a_message_may_hold_very_many_commas(tmp_path: Path) -> None:
    """Also in a line of its own: they are no columns."""
    message = f'"[{"1," * 60_000}\n{"2," * 60_000}]"'
    found = kept(written(tmp_path, row(), row(1, responseMessage=message, success="false"), row(2)))
    assert found.column("error") == [None, message.strip('"'), None]


def test_a_quote_that_swallows_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What DuckDB makes of the rows behind it is anybody's guess."""
    monkeypatch.setattr(leftovers, "_LONGEST_RECORD", 2**17)
    path = written(tmp_path, row(), row(1, label='"open'), *map(row, range(2, 3000)))
    with pytest.raises(ResultsError, match=r"behind line 3: a row is longer than 131072 bytes, or a quotation mark"):
        kept(path)


def test_a_quote_that_is_not_closed_is_found_in_a_large_file(tmp_path: Path) -> None:
    """Beyond 32 MB DuckDB tells of the row before it."""
    path = written(tmp_path, row(), row(1, label='"open'))
    with path.open("a") as file:
        file.write(f"{row(2)}\n" * (34_000_000 // len(row(2))))
    with pytest.raises(ResultsError, match="behind line 3: a row is longer than"):
        kept(path)


@pytest.mark.parametrize("time", ["-1", "0", str(START_MS // 1000)])
def test_a_time_before_there_were_tools_is_a_bad_row(tmp_path: Path, time: str) -> None:
    """One of them would stretch the run over decades."""
    rows = [row(), row(1, timeStamp=time), row(2, elapsed="soon", timeStamp=time), row(3)]
    found = kept(written(tmp_path, *rows))
    assert found.column("started_at") == [START, START + timedelta(seconds=3)]
    assert sorted(found.rejected) == [
        (3, f"timeStamp '{time}' is no time in milliseconds"),
        (4, "elapsed 'soon' is no time in milliseconds"),
    ]
    assert found.report.rows_read == 4


def test_times_in_seconds_are_refused(tmp_path: Path) -> None:
    """What is said is what to write."""
    path = written(tmp_path, row(timeStamp=START_MS // 1000), row(1, timeStamp=START_MS // 1000))
    with pytest.raises(ResultsError, match=r"'1760000000' in line 2: write milliseconds since 1970"):
        kept(path)


@pytest.mark.parametrize("content", [HEADER, f"{HEADER}\n", f"\n\n{HEADER}\n{START_MS},1"])
def test_a_file_without_a_whole_row_is_refused(tmp_path: Path, content: str) -> None:
    """A header alone is no run."""
    path = tmp_path / "results.jtl"
    path.write_text(content)
    with pytest.raises(ResultsError, match=r"results\.jtl holds no request"):
        kept(path)


def test_blank_lines_before_the_header_count(tmp_path: Path) -> None:
    """They are lines, though not rows."""
    path = written(tmp_path, row(), row(1, elapsed="x"), header=f"\n \n{HEADER}")
    found = kept(path)
    assert (len(found.samples), [line for line, _ in found.rejected]) == (1, [5])


@pytest.mark.parametrize("line", ["elapsed;when;what", "a,b,c", "1,2,3,4,5,6,7,8,9,10", "", '"', "Type,Name"])
def test_other_text_is_not_recognised(tmp_path: Path, line: str) -> None:
    """One word of JMeter makes no JTL; named as one, it is refused."""
    path = tmp_path / "other.csv"
    path.write_text(f"{line}\n")
    assert not recognises("jtl", path)
    with pytest.raises(ResultsError, match=r"other\.csv is no JTL"):
        kept(path)


def test_the_format_is_listed() -> None:
    """Under the name that ``format=`` takes."""
    assert FORMATS["jtl"].about.tool == "jmeter"

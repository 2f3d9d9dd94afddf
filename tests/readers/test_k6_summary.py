"""Summaries of k6 in their three forms, which all tell of the run in ``recorded/k6/http.json``."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers.base import ReadOptions
from tests.support.readings import RECORDED, Read, read, recognises

FORMS = RECORDED / "k6-summary"
OLD, EXPORT, NEW = (FORMS / name for name in ("handle-summary.json", "summary-export.json", "machine-readable.json"))
BASKET = "{name:add to basket}"

every_form = pytest.mark.parametrize("path", [OLD, EXPORT, NEW], ids=lambda path: path.stem)


def points(metric: str) -> list[float]:
    """Give the values of a metric in the run."""
    lines = (json.loads(line) for line in (RECORDED / "k6" / "http.json").read_text().splitlines())
    return [line["data"]["value"] for line in lines if line["metric"] == metric and line["type"] == "Point"]


def changed(path: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Read:
    """Read a summary that has been changed."""
    document = json.loads(path.read_text())
    change(document)
    copy = tmp_path / path.name
    copy.write_text(json.dumps(document))
    return read("k6-summary", copy)


@every_form
def test_figures_are_those_of_the_run(path: Path) -> None:
    """The matches of http_req_failed are the failures, whatever they are called."""
    result = read("k6-summary", path)
    durations = points("http_req_duration")
    total = result.total
    assert (total["requests"], total["failures"]) == (len(durations), sum(points("http_req_failed"))) == (6, 2)
    assert (total["min_ms"], total["max_ms"]) == (min(durations), max(durations))
    assert total["mean_ms"] == pytest.approx(sum(durations) / 6, abs=1e-6)
    assert total["p50_ms"] == pytest.approx(sum(sorted(durations)[2:4]) / 2)
    assert total["bytes_received"] == sum(points("data_received"))
    assert total["duration_s"] == pytest.approx(2.25)
    assert total["throughput_rps"] == pytest.approx(6 / 2.25)
    assert (total["stddev_ms"], total["p75_ms"], total["precision"]) == (None, None, "tool summary")
    assert result.reading.tool == "k6"
    assert result.reading.samples is None


@every_form
def test_percentiles_are_those_that_there_are(path: Path) -> None:
    """The option summaryTrendStats chooses them; p99 is not among those of the default."""
    total = read("k6-summary", path).total
    assert (total["p90_ms"], total["p95_ms"]) == (151.35, 196.025)
    assert (total["p99_ms"], total["p99_9_ms"]) == ((231.765, 239.8065) if path == OLD else (None, None))


@every_form
def test_names_with_thresholds_have_rows(path: Path) -> None:
    """Submetrics of anything else are no names; values in a query are left out."""
    rows = {row["name"]: row for row in read("k6-summary", path).summaries}
    assert {name: (row["requests"], row["failures"]) for name, row in rows.items()} == {
        "add to basket": (2, 1),
        "https://shop.test/products": (3, 1),
        "https://shop.test/orders?token&page": (1, 0),
    }
    assert rows["add to basket"]["max_ms"] == 240.7


@pytest.mark.parametrize("path", [OLD, EXPORT], ids=["old", "export"])
def test_checks_and_thresholds_are_cases(path: Path) -> None:
    """In an export true means crossed, in the other form ok is false."""
    cases = read("k6-summary", path).reading.cases
    assert cases is not None
    told = {(row["suite"], row["case"]): (row["status"], row["message"]) for row in cases.to_pylist()}
    assert told == {
        ("checks", "is answered"): ("failed", "1 of 3 failed"),
        ("basket", "is created"): ("failed", "1 of 2 failed"),
        ("thresholds", "http_req_duration: p(95)<500"): ("passed", None),
        ("thresholds", "http_req_failed: rate<0.1"): ("failed", "crossed: rate is 0.333333"),
        ("thresholds", f"http_req_duration{BASKET}: p(95)<200"): ("failed", "crossed: p(95) is 231.765"),
        ("thresholds", f"http_req_duration{BASKET}: avg<200"): ("passed", None),
        ("thresholds", f"http_req_failed{BASKET}: rate<1"): ("passed", None),
        ("thresholds", f"http_reqs{BASKET}: count>0"): ("passed", None),
        ("thresholds", "http_req_duration{name:https://shop.test/products}: max<100"): ("passed", None),
    }


def test_the_new_form_knows_version_and_time() -> None:
    """It knows no groups of checks, and no thresholds."""
    reading = read("k6-summary", NEW).reading
    assert reading.tool_version == "2.2.0"
    assert reading.ended_at == datetime(2026, 5, 4, 7, 30, 2, 498_750, tzinfo=UTC)
    assert reading.started_at == reading.ended_at - timedelta(seconds=2.25)
    assert reading.cases is not None
    assert [(row["suite"], row["case"]) for row in reading.cases.to_pylist()] == [
        ("checks", "is answered"),
        ("checks", "is created"),
    ]


def test_the_new_form_as_its_schema_has_it(tmp_path: Path) -> None:
    """The published schema writes some keys in another way than files have them."""

    def respell(document: dict[str, Any]) -> None:
        document["metadata"] = {"k6Version": "2.0.0", "generatedAt": "2026-05-04T07:30:02Z"}
        for metric in document["results"]["metrics"]:
            metric["values"] = {
                {"p90": "p(90)", "p95": "p(95)"}.get(name, name): value for name, value in metric["values"].items()
            }

    result = changed(NEW, tmp_path, respell)
    assert (result.reading.tool_version, result.total["p95_ms"]) == ("2.0.0", 196.025)


def test_older_forms_are_told_when_the_run_was() -> None:
    """They do not say it themselves, which is said."""
    start = datetime(2026, 5, 4, 7, 30, tzinfo=UTC)
    told = read("k6-summary", OLD, options=ReadOptions(started_at=start)).reading
    assert (told.started_at, told.ended_at) == (start, start + timedelta(seconds=2.25))
    untold = read("k6-summary", OLD)
    assert untold.reading.started_at is None
    assert "the summary does not say when the run was: give it (started_at=)" in untold.findings.notes


def test_a_name_without_a_count_has_no_row(tmp_path: Path) -> None:
    """Nobody knows how many requests its percentiles are of, or how many of them failed."""
    without = changed(EXPORT, tmp_path, lambda document: document["metrics"].pop(f"http_req_failed{BASKET}"))
    assert "add to basket" not in {row["name"] for row in without.summaries}
    (note,) = (note for note in without.findings.notes if "left out" in note)
    assert note == f"left out: http_req_duration{BASKET}, as there is no http_req_failed{BASKET} that counts them"


def test_without_any_failure_a_name_has_none(tmp_path: Path) -> None:
    """What holds of the whole run holds of its parts."""

    def succeed(document: dict[str, Any]) -> None:
        del document["metrics"][f"http_req_failed{BASKET}"]
        document["metrics"]["http_req_failed"] = {"value": 0, "passes": 0, "fails": 6}

    rows = {row["name"]: row for row in changed(EXPORT, tmp_path, succeed).summaries}
    assert (rows["add to basket"]["requests"], rows["add to basket"]["failures"]) == (2, 0)


def test_unknown_failures_are_said(tmp_path: Path) -> None:
    """Versions before 0.31 have no http_req_failed."""
    result = changed(EXPORT, tmp_path, lambda document: document["metrics"].pop("http_req_failed"))
    assert (result.total["requests"], result.total["failures"]) == (6, 0)
    assert any("how many requests failed is unknown" in note for note in result.findings.notes)


def test_a_run_without_requests_has_its_checks(tmp_path: Path) -> None:
    """As one of web sockets; statistics of no request, which k6 writes as 0, are none."""
    names = ("http_reqs", "http_req_failed", "http_req_duration")
    result = changed(OLD, tmp_path, lambda document: [document["metrics"].pop(name) for name in names])
    assert result.reading.summaries is None
    assert result.reading.cases is not None
    assert result.reading.cases.num_rows == 7

    def empty(document: dict[str, Any]) -> None:
        document["metrics"] = {"http_reqs": {"count": 0, "rate": 0}, "http_req_duration": {"avg": 0, "max": 0}}

    assert changed(EXPORT, tmp_path, empty).total["mean_ms"] is None


KEYS = (
    *("metrics", "http_reqs", "values", "count", "passes", "matches", "avg", "thresholds", "checks", "root_group"),
    *("groups", "path", "name", "state", "testRunDurationMs", "results", "config", "duration", "metadata"),
    *("generated_at", "k6_version"),
)


def replaced(key: str, value: object, found: dict[str, Any]) -> dict[str, Any]:
    return found | {key: value} if key in found else found


@every_form
@pytest.mark.parametrize("value", ["null", '"x"', "[]", "[[]]", "{}", "-1", "1e999", "true", '"\\ud800\\u0000"'])
def test_values_of_other_kinds_are_left_out(tmp_path: Path, path: Path, value: str) -> None:
    """Whatever stands in place of a number, an object or a list: no error but ours."""
    for key in KEYS:
        copy = tmp_path / f"{key}.json"
        replace = partial(replaced, key, json.loads(value))
        copy.write_text(json.dumps(json.loads(path.read_text(), object_hook=replace)))
        with suppress(ResultsError):
            summaries = read("k6-summary", copy).reading.summaries
            assert summaries is None or summaries.schema.equals(schema.SUMMARIES)


def test_something_else_is_no_summary(tmp_path: Path) -> None:
    """The message names the file."""
    path = tmp_path / "report.json"
    path.write_text('{"root_group": {}, "metrics": {}}')
    assert recognises("k6-summary", path)
    with pytest.raises(ResultsError, match=r"report\.json has no requests and no checks of k6"):
        read("k6-summary", path)
    path.write_text('{"root_group": {')
    with pytest.raises(ResultsError, match=r"report\.json is no whole JSON document"):
        read("k6-summary", path)
    path.write_text('{"stats": {}, "metrics": {}}')
    assert not recognises("k6-summary", path)


def test_two_summaries_are_two_runs() -> None:
    """Percentiles cannot be put together."""
    with pytest.raises(ResultsError, match="has one file a run"):
        read("k6-summary", OLD, EXPORT)

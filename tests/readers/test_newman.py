"""Newman's JSON report."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ator_lib.errors import ResultsError
from ator_lib.readers.newman import LONGEST_TEXT
from tests.support.readings import RECORDED, Read, read, recognises

SHOP = RECORDED / "newman" / "shop.json"
REPORT: dict[str, Any] = {"collection": {"item": []}, "environment": {}, "globals": {}}


def execution(**changes: Any) -> dict[str, Any]:
    return {
        "cursor": {"ref": "r1"},
        "item": {"id": "i1", "name": "List items"},
        "id": "i1",
        "request": {"method": "GET"},
        "response": {"code": 200, "status": "OK", "responseTime": 12, "responseSize": 38},
        **changes,
    }


def read_report(folder: Path, *executions: object, **changes: Any) -> Read:
    path = folder / "report.json"
    run = {"stats": {}, "timings": {"started": 1795183200000, "completed": 1795183201500}, "executions": executions}
    path.write_text(json.dumps({**REPORT, "run": run, **changes}))
    assert recognises("newman", path)
    return read("newman", path)


def cases(found: Read) -> list[dict[str, Any]]:
    assert found.reading.cases is not None
    rows: list[dict[str, Any]] = found.reading.cases.to_pylist()
    return rows


def test_a_run_is_read() -> None:
    """Requests with a response are samples; when each started Newman does not say, but when the run did."""
    found = read("newman", SHOP)
    rows = [(row["group"], row["name"], row["method"], row["status_code"], row["success"]) for row in found.samples]
    assert rows == [
        ("Catalogue", "List items", "GET", 200, False),
        ("Catalogue", "Missing item", "GET", 404, True),  # as its assertion expects
        (None, "Login (pm.sendRequest)", "GET", 200, True),
        (None, "No assertions", "GET", 404, False),
        (None, "Broken script", "GET", 200, False),
    ]
    assert [row["duration_ms"] for row in found.samples] == [25.0, 5.0, 43.0, 44.0, 45.0]
    assert {row["started_at"] for row in found.samples} == {None}
    assert [row["bytes_received"] for row in found.samples] == [38, 40, 38, 40, 38]
    window = json.loads(SHOP.read_text())["run"]["timings"]
    assert (found.reading.started_at, found.reading.ended_at) == (
        datetime.fromtimestamp(window["started"] / 1000, UTC),
        datetime.fromtimestamp(window["completed"] / 1000, UTC),
    )


def test_assertions_and_what_broke_are_cases() -> None:
    """In the suite of their item and its folders."""
    assert [(row["suite"], row["case"], row["status"], row["message"]) for row in cases(read("newman", SHOP))] == [
        ("Catalogue / List items", "status is 200", "passed", None),
        ("Catalogue / List items", "nobody sees the token", "failed", "expected '***' to equal 'x'"),
        ("Catalogue / List items", "later", "skipped", None),
        ("Catalogue / Missing item", "status is 404", "passed", None),
        ("Login", "side request", "passed", None),
        ("Broken script", "test script", "error", "ReferenceError: nothing is not defined"),
        ("Nobody listens", "request", "error", "connect ECONNREFUSED 127.0.0.1:1"),
    ]


def test_failures_say_why() -> None:
    """By the assertion or script that failed, or by the status."""
    assert [row["error"] for row in read("newman", SHOP).samples if not row["success"]] == [
        "nobody sees the token: expected '***' to equal 'x'",
        "404 Not Found",
        "test script: ReferenceError: nothing is not defined",
    ]


def test_what_has_no_sample_is_told() -> None:
    """Requests that Newman overwrote, and those without a response."""
    assert read("newman", SHOP).findings.notes == [
        "1 requests have no sample: Newman overwrites them with those that their scripts send (pm.sendRequest)",
        "1 requests got no response: each is no sample but a case, as error",
        "Newman does not say when each request started",
    ]


def test_secrets_stay_behind() -> None:
    """Of the environment, headers, bodies and cookies, and also where a message repeats one."""
    found = read("newman", SHOP)
    told = repr((found, found.samples, cases(found)))
    for secret in ("tok-4711-secret", "hunter2", "s3cr3t"):
        assert secret in SHOP.read_text()
        assert secret not in told


def test_globals_and_variables_of_the_collection_are_secret_too(tmp_path: Path) -> None:
    """Wherever a message has them from."""
    words = {"globals": "global-secret", "collection": "collection-secret"}
    failed = {"assertion": "a", "error": {"message": " and ".join(words.values())}}
    found = read_report(
        tmp_path,
        execution(assertions=[failed]),
        globals={"values": [{"key": "a", "value": words["globals"]}, {"key": "b", "value": 7}]},
        collection={"item": [], "variable": [{"key": "c", "value": words["collection"]}]},
    )
    assert cases(found)[0]["message"] == "*** and ***"


def test_several_collections_are_one_run(tmp_path: Path) -> None:
    """Its window is that of all."""
    read_report(tmp_path, execution())
    found = read("newman", SHOP, tmp_path / "report.json")
    assert len(found.samples) == 6
    assert found.reading.started_at == datetime(2026, 11, 20, 14, tzinfo=UTC)


def test_a_truncated_report_gives_its_whole_requests(tmp_path: Path) -> None:
    """Bodies of the next one are no request."""
    path = tmp_path / "report.json"
    content = SHOP.read_bytes()
    path.write_bytes(content[: content.index(b'"No assertions"', content.index(b'"executions"'))])
    found = read("newman", path)
    assert [row["name"] for row in found.samples] == ["List items", "Missing item", "Login (pm.sendRequest)"]
    assert found.findings.truncated


def test_nothing_but_refused_requests_are_cases(tmp_path: Path) -> None:
    """There is no duration of theirs."""
    found = read_report(tmp_path, execution(response=None, requestError={"code": "ETIMEDOUT"}))
    assert found.reading.samples is None
    assert [(row["status"], row["message"]) for row in cases(found)] == [("error", "ETIMEDOUT")]


@pytest.mark.parametrize(
    "strange",
    [
        None,
        7,
        [],
        execution(item=None, cursor=[], request="x", id=[1]),
        execution(response={"code": "200", "responseTime": "12"}, assertions={"a": 1}),
        execution(response={"code": 1e30, "responseTime": -1}, assertions=[None, 3]),
        execution(testScript=[None], prerequestScript="x", requestError=None),
    ],
)
def test_what_stands_where_something_else_is_expected_is_passed_over(tmp_path: Path, strange: object) -> None:
    """Others count all the same."""
    found = read_report(tmp_path, strange, execution(cursor={"ref": "r2"}), collection={"item": [None, {"item": 3}]})
    assert found.samples[-1]["name"] == "List items"


def test_characters_that_texts_cannot_hold_are_replaced(tmp_path: Path) -> None:
    """NUL, and halves of characters."""
    item = {"id": "i1", "name": "a\0b\ud800"}
    assert read_report(tmp_path, execution(item=item)).samples[0]["name"] == "a\ufffdb?"


@pytest.mark.parametrize("content", ["", "{}", '{"collection": {"info": {}, "item": []}}', '{"collection": {'])
def test_what_holds_no_run_is_told(tmp_path: Path, content: str) -> None:
    """An empty report, a collection, or less than one."""
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(
        ResultsError, match=r"report\.json holds no request that was made: is it a report of newman run"
    ):
        read("newman", path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"collection": {tok-4711-secret}}', "is no JSON document: lexical error: invalid"),
        (
            '{"collection": {"a": "' + chr(0xD7) + 'tok-4711-secret"}}',
            "is no JSON document: lexical error: invalid bytes in UTF8",
        ),
        ('{"collection": {"item": [}, "run": 1}', "is no JSON document: parse error"),
        ('{"collection": {"item": "' + "x" * 36_000_000, "has a text of more than 33554432 bytes"),
        ('{"collection": {"item": ' + "[" * 100_000, "is nested too deeply for a result of a tool"),
    ],
    ids=["no JSON", "no UTF-8", "no end of an array", "endless text", "endless nesting"],
)
def test_garbage_is_told(tmp_path: Path, content: str, told: str) -> None:
    """In few words, which show nothing of what stands there, and without filling the memory."""
    path = tmp_path / "report.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(ResultsError) as raised:
        read("newman", path)
    assert f"report.json {told}" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("content", ["", "{}", '{"info": {"name": "Shop"}, "item": []}', '[{"collection": {}}]'])
def test_other_json_is_not_recognised(tmp_path: Path, content: str) -> None:
    """A collection by itself is what Newman runs, and no report."""
    path = tmp_path / "report.json"
    path.write_text(content)
    assert not recognises("newman", path)


SECRET = "secret-of-4711"
SECRETS = {"values": [{"key": "token", "value": SECRET}]}


def test_a_secret_is_masked_before_a_text_is_cut(tmp_path: Path) -> None:
    """Its beginning would stay otherwise."""
    told = "x" * (LONGEST_TEXT - 8) + SECRET
    failed = {"assertion": "a", "error": {"message": told, "stack": told}}
    (case,) = cases(read_report(tmp_path, execution(assertions=[failed]), environment=SECRETS))
    assert case["message"] == case["details"] == "x" * (LONGEST_TEXT - 8) + "***"


def test_secrets_in_names_are_masked(tmp_path: Path) -> None:
    """Scripts may put them into the names of assertions, and so into why a request failed."""
    item = {"id": "i1", "name": f"List {SECRET}"}
    failed = {"assertion": f"is {SECRET}", "error": {"message": "no"}}
    folder = {"name": f"Of {SECRET}", "item": [item]}
    found = read_report(
        tmp_path,
        execution(item=item, assertions=[failed], request={"method": SECRET}),
        environment=SECRETS,
        collection={"item": [folder]},
    )
    (case,), (sample,) = cases(found), found.samples
    assert (case["suite"], case["case"]) == ("Of *** / List ***", "is ***")
    shown = [sample[column] for column in ("group", "name", "method", "error")]
    assert shown == ["Of ***", "List ***", "***", "is ***: no"]

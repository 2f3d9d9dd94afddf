from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from random import Random
from string import ascii_letters

import httpx
import pytest
from sqlalchemy import make_url

import ator_lib
from ator_lib import errors
from ator_lib.errors import AtorError
from ator_lib.registry.problems import PROBLEMS
from ator_lib.workspace.workspace import Workspace
from tests.server.conftest import refused, registered
from tests.support.served import BLANK, served

JSON = {"content-type": "application/json"}


@pytest.fixture
def quiet() -> Iterator[None]:
    """Keep tracebacks that are meant to come out of the test's output."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def every_error() -> list[type[AtorError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AtorError)]


def test_every_error_has_a_status_and_a_code() -> None:
    """Those that are not in the table have their base's; only the root is internal by itself."""
    for kind in every_error():
        status, code = next(PROBLEMS[base] for base in kind.__mro__ if base in PROBLEMS)
        assert (status, code) != (500, "internal") or not issubclass(kind, errors.UsageError), kind


def test_unknown_addresses_and_methods_have_the_same_shape(empty_api: httpx.Client) -> None:
    """The methods that are possible are still told."""
    refused(empty_api.get("/nowhere"), 404, "not_found")
    answer = empty_api.delete("/status")

    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b'{"factor": 1' + b"0" * 5000 + b"}",
        b'{"attributes": ' + b'{"a":' * 100_000, b'{"attributes": ' + b'{"a":' * 100 + b"1" + b"}" * 101,
        b'{"attributes": {"a": NaN}}', b'{"attributes": {"a": "\\ud800"}}', b'{"attributes": {"a\\u0000": 1}}',
        b'{"test": "a\\u0000b"}', b'{"test": "\\ud800"}', b'{"\\ud800": 1}', b'{"test": 5}', b'{"test": ["a"]}',
        b'{"factor": true}', b'{"factor": "half"}', b'{"factor": []}', b'{"lease_s": 1e999}', b'{"lease_s": NaN}',
        b'{"lease_s": 0}', b'{"priority": 1e9}', b'{"tags": "a"}', b'{"tags": [""]}', b'{"unknown": 1}',
    ],
    ids=lambda body: repr(body[:30]),
)  # fmt: skip
def test_a_body_that_cannot_be_meant_is_refused(empty_api: httpx.Client, body: bytes) -> None:
    """Nothing is registered, and nothing breaks."""
    refused(empty_api.post("/register", content=body, headers=JSON), 422, "invalid")
    assert empty_api.get("/history").json()["executions"] == []


@pytest.mark.parametrize("factor", ["NaN", "Infinity", "-Infinity", "1e999", "1e308", '"1e99999"', "-0.1"])
def test_a_factor_beyond_all_bounds_is_never_admissible(empty_api: httpx.Client, factor: str) -> None:
    """Also those numbers that JSON does not have and Python reads."""
    answer = empty_api.post("/register", content=b'{"factor": %s}' % factor.encode(), headers=JSON)

    refused(answer, 422, "never_admissible")


def test_fields_are_named_and_values_are_not_repeated(empty_api: httpx.Client) -> None:
    """A secret in the wrong field does not get into a log of answers."""
    answer = empty_api.post(
        "/heartbeat", json={"run_id": "hunter2", "lease_id": ["hunter2"], "progress": {"users": "hunter2"}}
    )
    problem = refused(answer, 422, "invalid")

    assert {field["field"] for field in problem["fields"]} == {
        "run_id",
        "lease_id",
        "progress.elapsed_s",
        "progress.users",
    }
    assert all(field["field"] in problem["message"] for field in problem["fields"])
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("kind", [None, "application/x-www-form-urlencoded", "text/plain"])
def test_a_body_that_is_not_called_json_is_refused(empty_api: httpx.Client, kind: str | None) -> None:
    """As `curl -d` sends it: the answer says which header is missing."""
    headers = {"content-type": kind} if kind else {}
    answer = empty_api.post("/register", content=b'{"test": "checkout"}', headers=headers)

    assert "send it with Content-Type: application/json" in refused(answer, 422, "invalid")["message"]
    assert empty_api.get("/history").json()["executions"] == []


def test_booleans_are_no_run_ids(api: httpx.Client) -> None:
    """``true`` is not run 1."""
    registered(api)

    refused(api.post("/cancel", json={"run_id": True}), 422, "invalid")


def test_too_much_is_refused(api: httpx.Client) -> None:
    """Ten megabytes by their length, a name of 501 characters by its field."""
    refused(api.post("/register", json={"test": "x" * 10_000_000}), 413, "too_large")
    refused(api.post("/register", json={"test": "x" * 501}), 422, "invalid")
    refused(api.post("/register", json={"dashboard_url": "x" * 10_001}), 422, "invalid")
    registered(api, test="x" * 500, dashboard_url="x" * 10_000)


def test_texts_come_back_as_they_went_in(api: httpx.Client) -> None:
    """Markup, quotes and characters beyond the basic plane are only text."""
    texts = [
        "<script>alert(1)</script>",
        "'; DROP TABLE test_executions; --",
        "a\tb\r\n",
        "日本語 🚀 \u202e",
        "%_\\",
        "\x7f\x01",
    ]
    for text in texts:
        assert registered(api, test=text, attributes={text: text})["test"] == text

    assert [run["test"] for run in api.get("/status").json()["running"]] == texts


@pytest.mark.usefixtures("quiet")
def test_a_surprise_is_told_without_internals(
    api: httpx.Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer has an id and the security headers; nothing of what broke."""

    def break_down() -> None:
        raise RuntimeError("secret details")

    monkeypatch.setattr(workspace.parts.registry, "running", break_down)
    answer = api.get("/status")

    assert refused(answer, 500, "internal")["id"] in answer.json()["message"]
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "content-security-policy" in answer.headers


def test_the_log_has_what_the_answer_has_not(
    api: httpx.Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Under the same id, with the traceback."""
    monkeypatch.setattr(workspace.parts.registry, "running", lambda: 1 / 0)
    log_id = api.get("/status").json()["id"]
    record = next(record for record in caplog.records if log_id in record.getMessage())

    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.usefixtures("quiet")
def test_a_database_that_is_away_can_be_asked_again(postgres_url: str, tmp_path: Path) -> None:
    """503, without a word on where it is; all is well when it is back."""
    workspace = ator_lib.connect(tmp_path / "data", database_url=postgres_url)
    [door] = Path(str(make_url(postgres_url).query["host"])).glob(".s.PGSQL.*[0-9]")
    with served(workspace, BLANK) as server, httpx.Client(base_url=server.url) as api:
        workspace.parts.engine.dispose()
        away = door.rename(door.with_name("away"))
        try:
            answer = api.get("/status", timeout=60)
        finally:
            away.rename(door)

        assert refused(answer, 503, "store_unavailable")["in_doubt"] is False
        assert str(door.parent) not in answer.text
        assert api.get("/status").json() == {"running": []}


def test_a_text_of_any_content_fits_every_index(postgres_url: str, tmp_path: Path) -> None:
    """The longest names that are let in, of characters that no compression helps with."""
    workspace = ator_lib.connect(tmp_path / "data", database_url=postgres_url)
    chance = Random(1)
    longest = "".join(chance.choices([chr(number) for number in range(0x20000, 0x2A000)], k=500))
    names = ("repo", "lac", "stream", "test", "type", "environment", "triggered_by", "location")
    with served(workspace, BLANK) as server, httpx.Client(base_url=server.url) as api:
        key = {"Idempotency-Key": "".join(chance.choices(ascii_letters, k=500))}
        answer = api.post("/register", json=dict.fromkeys(names, longest), headers=key)

        assert answer.status_code == 200, answer.text
        assert len(api.get("/history", params={"test": longest}).json()["executions"]) == 1


@pytest.mark.usefixtures("quiet")
def test_a_database_that_breaks_is_not_described(api: httpx.Client, workspace: Workspace) -> None:
    """Neither its place nor its driver's words; health still answers."""
    workspace.parts.engine.dispose()
    database = workspace.data / "ator.db"
    database.rename(database.with_suffix(".away"))
    database.write_bytes(b"this is no database" * 100)
    answer = api.get("/status")

    assert answer.status_code in (500, 503)
    assert str(workspace.data) not in answer.text
    assert "sqlite" not in json.dumps(answer.json()).lower()
    assert api.get("/health").status_code == 200

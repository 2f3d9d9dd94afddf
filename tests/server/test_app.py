from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import panel as pn
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

import ator_lib
from tests.support.served import served

PAGES = {"/overview": lambda workspace, visitor: pn.Row("hello"), "/run": lambda workspace, visitor: pn.Row("run")}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Speak to a real server."""
    with (
        served(ator_lib.connect(tmp_path_factory.mktemp("data")), PAGES) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        yield client


def origin_of(client: httpx.Client) -> str:
    """Give the server's own origin."""
    return str(client.base_url).rstrip("/")


def test_health_tells_status_version_and_utc_time(client: httpx.Client) -> None:
    """``/health`` answers with the package's version and the time now."""
    answer = client.get("/health").json()

    assert answer["status"] == "ok"
    assert answer["version"].count(".") == 2
    assert abs((datetime.fromisoformat(answer["time"]) - datetime.now(UTC)).total_seconds()) < 3600


def test_start_leads_to_the_first_page(client: httpx.Client) -> None:
    """``/`` redirects to the first of the pages, which is served."""
    answer = client.get("/")

    assert (answer.status_code, answer.headers["location"]) == (307, "/overview")
    assert "text/html" in client.get("/overview").headers["content-type"]


def test_pages_are_loaded_anew_by_the_back_button(client: httpx.Client) -> None:
    """The session of a page that was left is gone, so a copy that the browser kept would be dead."""
    assert client.get("/overview").headers["cache-control"] == "no-store"
    assert "cache-control" not in client.get("/health").headers


def test_pages_are_not_in_the_document(client: httpx.Client) -> None:
    """``openapi.json`` is about REST only."""
    paths = client.get("/openapi.json").json()["paths"]

    assert "/health" in paths
    assert not set(PAGES) & set(paths)


def test_no_page_that_needs_another_host(client: httpx.Client) -> None:
    """FastAPI's own documentation pages, which load scripts from a CDN, are not served."""
    assert client.get("/redoc").status_code == 404
    assert "https:" not in client.get("/docs").text


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_loopback_names_are_answered_on_any_port(client: httpx.Client, host: str) -> None:
    """An SSH tunnel may use another port."""
    assert client.get("/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "[::1"])
def test_foreign_host_is_refused(client: httpx.Client, host: str) -> None:
    """A name that was rebound to loopback gets nothing."""
    answer = client.get("/health", headers={"host": host})

    assert answer.status_code == 403
    assert "version" not in answer.text


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "null"])
def test_foreign_origin_is_refused(client: httpx.Client, origin: str) -> None:
    """A page of another origin, even of another port of this machine, gets nothing."""
    assert client.get("/health", headers={"origin": origin}).status_code == 403


def test_own_origin_is_answered(client: httpx.Client) -> None:
    """Our own pages send their origin with some requests."""
    assert client.get("/health", headers={"origin": origin_of(client)}).status_code == 200


def test_websocket_of_a_foreign_origin_is_refused(client: httpx.Client) -> None:
    """The guard covers websockets too: none is accepted for a page of another origin."""
    address = origin_of(client).replace("http://", "ws://") + "/overview/ws"
    with pytest.raises(InvalidStatus) as refused, connect(address, origin=Origin("http://evil.example")):
        pass

    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("path", ["/health", "/overview", "/nowhere"])
def test_every_answer_has_the_security_headers(client: httpx.Client, path: str) -> None:
    """Browsers are told to load nothing from elsewhere and to put no page into a frame."""
    headers = client.get(path).headers

    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"

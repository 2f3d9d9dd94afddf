from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import httpx
import pytest

from ator_lib.model import Run, RunStatus
from ator_lib.server.tables import is_link, status_table
from tests.server.conftest import EXAMPLE, registered
from tests.support.browser import GuardedPage

PUBLISHED = {
    *("id", "run_id", "repo", "lac", "stream", "test", "type", "environment", "triggered_by"),
    *("status", "start_time", "end_time", "factor", "dashboard_url", "location"),
}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</table></title></style><b>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &amp;",
]


class Page(HTMLParser):
    """What a browser would make of it: every element with its attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(api: httpx.Client, path: str, expected: int = 200, **params: Any) -> Page:
    answer = api.get(path, params=params)
    assert (answer.status_code, answer.headers["content-type"]) == (expected, "text/html; charset=utf-8")
    return Page(answer.text)


def run_ids(page: Page) -> list[str]:
    return [text for text in page.texts if text.isdecimal()]


@pytest.mark.parametrize("path", ["/status-html", "/history-html", "/history-html-filter"])
def test_the_tables_show_every_published_field(api: httpx.Client, path: str) -> None:
    """With headings that screen readers can follow, a language and a title."""
    run = registered(api, **EXAMPLE)
    page = page_of(api, path)

    assert set(page.texts) >= PUBLISHED
    assert set(page.texts) >= {str(run[name]) for name in PUBLISHED - {"start_time", "end_time"}}
    assert page.all("time")[0]["datetime"] == run["start_time"]
    assert all(heading["scope"] in ("col", "row") for heading in page.all("th"))
    assert (len(page.all("caption")), len(page.all("title")), page.all("html")[0]["lang"]) == (1, 1, "en")


def test_the_form_has_a_label_for_every_field(api: httpx.Client) -> None:
    """And needs no script."""
    page = page_of(api, "/history-html")
    fields = {field["id"] for tag in ("input", "select") for field in page.all(tag)}

    assert fields == {label["for"] for label in page.all("label")}
    assert page.all("script") == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_only_text(api: httpx.Client, text: str) -> None:
    """In cells and in the form: they make no element and no attribute."""
    plain = page_of(api, "/history-html")
    fields = dict.fromkeys(("test", "stream", "repo", "lac", "type", "environment", "triggered_by"), text)
    registered(api, **fields, location=text, dashboard_url=text)
    page = page_of(api, "/history-html", **fields)

    known = {(tag, name) for tag, attributes in plain.elements for name in attributes}
    known |= {("time", "datetime"), ("bdi", "title")}
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in plain.elements} | {"time", "bdi"}
    assert {(tag, name) for tag, attributes in page.elements for name in attributes} <= known
    assert page.texts.count(text) == len(fields) + 2
    assert [field["value"] for field in page.all("input") if field["name"] in fields] == [text] * len(fields)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:a()", "\x01javascript:",
        " http://example.org", "ht\ntp://example.org", "data:text/html,<script>alert(1)</script>", "vbscript:x",
        "//example.org", "/login", "http:", "http://", "https:alert(1)", "http://[", "file:///etc/passwd", "",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_no_link(url: str) -> None:
    """It is shown as text."""
    assert not is_link(url)


@pytest.mark.parametrize("url", ["https://example.org/d/1", "HTTP://example.org", "https://user@[::1]:3000/?a=<b>#c"])
def test_web_addresses_are_links(api: httpx.Client, url: str) -> None:
    """That give the other side neither a handle on our page nor its address."""
    registered(api, dashboard_url=url)
    link = next(link for link in page_of(api, "/status-html").all("a") if link.get("rel"))

    assert link == {"href": url, "rel": "noopener noreferrer"}


def test_the_stream_filter_ignores_case(api: httpx.Client) -> None:
    """The published address: ``%`` stands for any text, and an empty filter for none."""
    for stream in ("main", "MAIN-2", "release"):
        registered(api, stream=stream)

    assert run_ids(page_of(api, "/history-html-filter", stream="Main%")) == ["2", "1"]
    assert run_ids(page_of(api, "/history-html-filter", stream="", test="", status="")) == ["3", "2", "1"]
    assert "No run matches." in page_of(api, "/history-html-filter", stream="x").texts


def test_the_next_page_keeps_the_filters(api: httpx.Client) -> None:
    """Following the links shows each run once."""
    for _ in range(5):
        registered(api, stream="a&b=c")
    registered(api, stream="other")
    seen, address = [], "/history-html-filter?stream=A%26b%3DC&limit=2"
    while address:
        page = Page(api.get(address).text)
        seen.append(run_ids(page))
        address = next((str(link["href"]) for link in page.all("a") if link.get("rel") == "next"), "")

    assert seen == [["5", "4"], ["3", "2"], ["1"]]


def test_one_long_text_keeps_its_row_low(api: httpx.Client, served_page: Callable[[str], GuardedPage]) -> None:
    """It is cut to a few lines and is whole in its title."""
    name, url = "n" * 500, f"https://example.org/{'d/' * 2500}"
    registered(api, test=name, location=name, dashboard_url=url)
    page = served_page(str(api.base_url)).page
    page.goto(f"{api.base_url}/status-html")
    row = page.locator("tbody tr").bounding_box()

    assert row is not None
    assert row["height"] < 120
    assert max(cell["width"] for cell in (box.bounding_box() for box in page.locator("td").all()) if cell) < 500
    assert {name, url} <= {text.get_attribute("title") for text in page.locator("bdi").all()}


@pytest.mark.parametrize(
    ("name", "value"), [("limit", "zzz"), ("limit", "0"), ("cursor", "q"), ("colour", "red"), ("since", "yesterday")]
)
def test_what_cannot_be_asked_is_told_in_the_page(empty_api: httpx.Client, name: str, value: str) -> None:
    """Whoever finds it out, in words that name the field."""
    page = page_of(empty_api, "/history-html", expected=422, test="checkout", **{name: value})

    assert any(name in text or value in text for text in page.texts if "is invalid" in text or "is no" in text)
    assert next(field["value"] for field in page.all("input") if field["name"] == "test") == "checkout"


def test_a_filter_that_makes_no_sense_is_explained(api: httpx.Client) -> None:
    """In the page, with what was typed still in the form."""
    page = page_of(api, "/history-html", expected=422, since="<yesterday>")

    assert any("<yesterday>" in text and "is no time" in text for text in page.texts)
    assert next(field["value"] for field in page.all("input") if field["name"] == "since") == "<yesterday>"


def test_a_forgotten_run_is_marked() -> None:
    """One without a lease, after a day; half a character that another program wrote does not break the page."""
    started = datetime.now(UTC) - timedelta(hours=25)
    forgotten = Run(id=UUID(int=1), run_id=1, status=RunStatus.RUNNING, start_time=started, test="half \ud800")
    leased = Run(
        id=UUID(int=2),
        run_id=2,
        status=RunStatus.RUNNING,
        start_time=started,
        lease_expires_at=started,
        factor=Decimal("0.10"),
    )

    assert "stale" in Page(status_table([forgotten])).texts
    assert "half ?" in Page(status_table([forgotten])).texts
    assert "stale" not in Page(status_table([leased])).texts
    assert "0.10" in Page(status_table([leased])).texts

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from ator_lib.analysis.comparison import CompareOptions, compare
from ator_lib.analysis.verdicts import Verdict
from ator_lib.figures import markup
from ator_lib.figures.markup import Cell, Column
from ator_lib.figures.summary import SummaryTable
from ator_lib.figures.tables import (
    changes_html,
    checks_html,
    comparison_html,
    errors_html,
    run_html,
    side_by_side_html,
)
from ator_lib.model import LoadProfile, Run, RunStatus
from tests.analysis.synthetic import Truth, made_run
from tests.support.browser import GuardedPage

EVIL = "<img src=x onerror=alert(1)>"
TRUTHS = {"/a": Truth(), "/b": Truth(median_ms=60), EVIL: Truth()}
SLOWER = compare(
    [made_run({**TRUTHS, "/b": Truth(median_ms=120)}, seed=2, label=EVIL, location="lab-2")],
    [made_run(TRUTHS, seed=1)],
    CompareOptions(replicates=100),
).to_dict()


def _text(html: str) -> str:
    return re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)


def test_a_comparison_shows_verdict_evidence_checks_and_limits():
    """The verdict first, then what speaks for it, the checks that say no, and every note."""
    html = comparison_html(SLOWER)
    text = " ".join(_text(html).split())
    assert text.index("regressed") < text.index("GET /b") < text.index("location differs")
    assert all(note in text.replace("&#x27;", "'") for note in SLOWER["notes"])
    assert "at most 2 % of the alarms" in text
    assert "GET /a" not in text  # nothing clear is known of it: the table has it


def test_names_are_text():
    """Whatever endpoints, runs and errors are called, they are no markup."""
    error = {"name": EVIL, "method": None, "status_code": None, "error": EVIL, "requests": 1}
    for html in (comparison_html(SLOWER), changes_html(SLOWER["rows"]), errors_html([error])):
        assert "<img" not in html
        assert "&lt;img" in html


def test_every_row_of_a_comparison_has_figures_with_units():
    """Change with its sign and unit, the interval beside it, both sides' figures, and the verdict with its sign."""
    row = next(r for r in SLOWER["rows"] if (r["name"], r["metric"]) == ("/b", "p95_ms"))
    text = " ".join(_text(changes_html([row])).split())
    assert re.search(r"GET /b p95 ◆ regressed \+\d+ % \+\d+ … \+\d+ \d+(\.\d)? ms \d+(\.\d)? ms", text)


def test_columns_without_anything_to_say_are_left_out():
    """Common shift, what could be seen and remarks stand only where a row has them."""
    silent = {"common": None, "detectable": None, "runs_needed": None, "reason": None}
    row = {**SLOWER["rows"][0], **silent}
    assert "Remark" not in changes_html([row])
    told = changes_html([row, {**row, "common": 0.1, "detectable": 0.12, "runs_needed": 7, "reason": "too few"}])
    assert all(words in told for words in ("Beside the common shift of", "+10 %", ">12 %<", "7", "too few", "–"))


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"ok": True}, "passed"),
        ({"ok": None}, "unknown"),
        ({"ok": False, "blocking": True}, "failed"),
        ({"ok": False, "blocking": False}, "differs"),
        ({"ok": False, "blocking": True, "waived": True}, "waived"),
    ],
)
def test_a_check_says_how_it_came_out(change, shown):
    """A waiver is told, and so is what does not block."""
    text = _text(checks_html([{**SLOWER["checks"][0], "blocking": False, "waived": False, **change}])).split()
    assert shown in text


def test_a_run_shows_its_facts_and_why_it_ended():
    """What is not known has no row."""
    run = Run(
        id=uuid4(),
        run_id=7,
        status=RunStatus.FAILURE,
        status_reason="requests_failed",
        test=EVIL,
        location="lab-1",
        factor=Decimal("0.4"),
        start_time=datetime(2026, 3, 1, 12, tzinfo=UTC),
        end_time=datetime(2026, 3, 1, 12, 2, tzinfo=UTC),
        load_profile=LoadProfile(users=1200, spawn_rate=2.5),
    )
    text = " ".join(_text(run_html(run)).split())
    assert "Run 7 · &lt;img" in text
    assert "failure Requests failed." in text
    assert "lab-1, factor 0.4" in text
    assert "2026-03-01 12:00:00 UTC" in text
    assert "2 min 00 s" in text
    assert "1,200 users, 2.5 started per second (closed model)" in text
    assert "Stream" not in text
    assert "None" not in _text(run_html(replace(run, test=None, status_reason=None, load_profile=None)))


def test_every_verdict_has_a_sign_of_its_own():
    """Signs tell verdicts apart where colours do not."""
    assert len({markup.MOODS[str(verdict)][0] for verdict in Verdict}) == len(Verdict)


def test_a_long_table_ends_and_says_so():
    """A page holds four hundred rows; how many more there are is told."""
    html = markup.table([{"n": n} for n in range(1000)], [Column(heading="n", write=lambda r: str(r["n"]))], name="n")
    assert html.count("<tr>") == 401
    assert "600 more rows are not shown." in html


@pytest.mark.parametrize("width", [390, 1280])
def test_a_wide_table_scrolls_in_its_own_box(offline_page: GuardedPage, width: int):
    """The page is as wide as the screen, on a phone and on a desk, and the first column stays in sight."""
    columns = [Column(heading="Name", write=lambda r: r["name"])]
    columns += [Column(heading=f"Figure {i}", write=lambda _: Cell(text="123,456.7 ms")) for i in range(30)]
    offline_page.page.set_viewport_size({"width": width, "height": 800})
    rows = [{"name": "GET /" + "long/" * 30}] * 3
    offline_page.page.set_content(
        '<meta name="viewport" content="width=device-width">' + markup.shown(markup.table(rows, columns, name="wide"))
    )
    assert offline_page.page.evaluate("document.documentElement.scrollWidth") == width
    box = offline_page.page.locator(".ator-rows")
    box.evaluate("box => box.scrollLeft = 600")
    assert box.evaluate("box => box.scrollLeft") > 0
    left = offline_page.page.evaluate(
        """() => document.querySelector("tbody th").getBoundingClientRect().left
            - document.querySelector(".ator-rows").getBoundingClientRect().left"""
    )
    assert left == pytest.approx(0, abs=1)


def test_runs_side_by_side_are_a_row_each():
    """Run, verdict with its sign, and what speaks for it."""
    text = " ".join(_text(side_by_side_html([{"run_id": 8, **SLOWER}, {"run_id": 9, **SLOWER}])).split())
    assert re.search(r"run 8 ◆ regressed GET /b p\d+ \+\d+ %.* run 9 ◆ regressed", text)


def test_three_hundred_endpoints_scroll_below_their_headings(offline_page: GuardedPage):
    """The box is lower than a screen; headings and total stay in sight; nothing comes from elsewhere."""
    many = made_run({f"/{i}": Truth(requests=20) for i in range(300)}, seed=1)
    page = offline_page.page
    page.set_content(SummaryTable(summaries=many.summaries, computed=True)._repr_html_())
    page.locator(".ator-rows").evaluate("box => box.scrollTop = 3000")
    top, bottom, head, foot = page.evaluate(
        """() => {
            const edges = (name) => document.querySelector(name).getBoundingClientRect();
            const box = edges(".ator-rows");
            return [box.top, box.bottom, edges("thead th").top, edges("tfoot th").bottom];
        }"""
    )
    assert bottom - top <= 480
    assert head == pytest.approx(top, abs=1)
    assert foot <= bottom + 1
    assert offline_page.requests_made == []

import html as html_text
import re

import pyarrow as pa
import pytest

from ator_lib import schema
from ator_lib.figures.summary import SummaryTable
from tests.analysis.synthetic import Truth, made_run

RULE = schema.PERCENTILE_RULE


def _html(summaries: pa.Table, *, computed: bool = True) -> str:
    return SummaryTable(summaries=summaries, computed=computed)._repr_html_()


def _rows(**changes) -> pa.Table:
    row = made_run({"/a": Truth(requests=20)}, seed=1).summaries.to_pylist()[0]
    return pa.Table.from_pylist([{**row, **changes}], schema.SUMMARIES)


def _cells(html: str) -> list[str]:
    body = html[html.index("<tbody>") :]
    return [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td.*?</td>|<th scope=.row.*?</th>", body)]


def test_endpoints_come_by_requests_and_the_total_apart():
    """Most requests first; the total stands in the foot, which stays in sight."""
    html = _html(made_run({"/few": Truth(requests=20), "/many": Truth(requests=90)}, seed=1).summaries)
    names = re.findall(r'<th scope="row">(.*?)</th>', html)
    assert names == ["GET /many", "GET /few", "total"]
    assert html.index("<tfoot>") < html.index(">total<")


def test_numbers_have_sensible_digits_and_what_is_missing_is_a_dash():
    """Three digits that matter, thousands apart, null never zero."""
    row = {
        "requests": 12345,
        "failures": 0,
        "error_rate": 0.0,
        "throughput_rps": 0.5,
        "mean_ms": 12.345,
        "p50_ms": None,
    }
    cells = _cells(_html(_rows(**row, p90_ms=1234.5, p95_ms=99.96, p99_ms=0.01234, max_ms=0.0)))
    assert cells == ["GET /a", "12,345", "0", "0 %", "0.500", "12.3", "–", "1,234", "100", "0.0123", "0"]


@pytest.mark.parametrize(("rate", "shown"), [(0.00001, "▲ < 0.01 %"), (0.05, "▲ 5.00 %"), (0.9999, "▲ > 99.9 %")])
def test_failures_have_a_sign(rate, shown):
    """An error rate above 0 is marked by more than a colour, and never reads as none or all."""
    assert _cells(_html(_rows(error_rate=rate)))[3] == html_text.escape(shown)


def test_names_are_text_and_long_ones_keep_their_whole_in_the_tooltip():
    """Markup in a name stays text; a long name is cut in its middle."""
    name = '/<img src=x onerror="alert(1)">/' + "x" * 100
    html = _html(_rows(name=name))
    assert "<img" not in html
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;/" + "x" * 100 + '"' in html
    assert "…" in html


def test_precision_is_said_once_and_the_rule_where_it_holds():
    """The rule is for percentiles that were computed; a tool's own have the tool's precision."""
    exact, own, coarse = (
        _html(_rows()),
        _html(_rows(precision="±1%"), computed=False),
        _html(_rows(precision="0.1 ms")),
    )
    assert exact.count(RULE) == 1
    assert RULE not in own
    assert own.count("±1%") == 1
    assert "Precision of durations: 0.1 ms. " + RULE in coarse


def test_no_requests_are_said():
    """A run of cases only has no empty table."""
    assert _html(schema.SUMMARIES.empty_table()) == "<p>No requests.</p>"

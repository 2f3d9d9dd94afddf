import pyarrow as pa

from ator_lib import schema
from ator_lib.figures.errors import errors_figure


def _errors(*rows: tuple[str, int | None, str | None, int]) -> pa.Table:
    columns = ("name", "status_code", "error", "requests")
    return pa.Table.from_pylist(
        [{**dict(zip(columns, row, strict=True)), "method": "GET"} for row in rows], schema.ERRORS
    )


def _bars(figure) -> dict[str, list]:
    return {trace.name: list(trace.x) for trace in figure.data if trace.type == "bar"}


def test_a_bar_per_kind_and_a_part_per_endpoint():
    """Status and words name a kind; the most frequent is on top; names are escaped."""
    figure = errors_figure(_errors(("/a", 500, "<b>broken", 7), ("/b", 500, "<b>broken", 2), ("/a", None, None, 4)))
    assert list(figure.layout.yaxis.ticktext) == ["500 · &lt;b&gt;broken", "failed, no reason given"]
    assert _bars(figure) == {"GET /a": [7, 4], "GET /b": [2, None]}
    assert [text.strip() for text in figure.data[-1].text] == ["9 (69%)", "4 (31%)"]


def test_kinds_and_endpoints_beyond_the_top_are_summed_up():
    """Ten kinds and five endpoints have names; no failure is left out."""
    figure = errors_figure(_errors(*((f"/{i}", 500, f"kind {j}", 1) for i in range(300) for j in range(20))))
    assert len(figure.layout.yaxis.ticktext) == 11
    assert figure.layout.yaxis.ticktext[-1] == "10 other kinds"
    bars = _bars(figure)
    assert list(bars)[-1] == "295 other endpoints"
    assert sum(sum(part) for part in bars.values()) == 6000


def test_no_failure_is_said():
    """A run without failures is words, not a plot of nothing."""
    figure = errors_figure(schema.ERRORS.empty_table())
    assert not figure.data
    assert figure.layout.annotations[0].text == "no request failed"

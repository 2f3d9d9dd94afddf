from __future__ import annotations

import pyarrow as pa

from ator_lib.figures.progress import progress_figure


def progress(*rows: tuple[float, float | None]) -> pa.Table:
    """Make a table of points: seconds, and the share of failed requests."""
    columns = {"throughput_rps": 10.0, "users": 5, "p95_ms": 40.0}
    return pa.Table.from_pylist(
        [{"elapsed_s": elapsed_s, "error_rate": share, **columns} for elapsed_s, share in rows],
        pa.schema([(name, pa.float64()) for name in ("elapsed_s", "error_rate", *columns)]),
    )


def test_a_panel_each_for_throughput_users_latency_and_errors() -> None:
    """Their columns are told, and what is not known is a gap."""
    figure = progress_figure(progress((2, None), (4, 0.1)))

    assert [trace.meta for trace in figure.data] == ["throughput_rps", "users", "p95_ms", "error_rate"]
    assert [trace.x for trace in figure.data] == [(2, 4)] * 4
    assert figure.data[3].y == (None, 0.1)
    assert len({trace.yaxis for trace in figure.data}) == 4


def test_nothing_yet_is_a_figure_to_add_to() -> None:
    """With the same traces."""
    assert [trace.x for trace in progress_figure(progress()).data] == [()] * 4

"""Trends as users hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ator_lib.analysis.trend.query import NAMES, TOTAL, TREND_METRICS, TrendQuery
from ator_lib.analysis.wording import near, plural
from ator_lib.errors import NotFoundError, UsageError
from ator_lib.execution.mirror import MIRROR_ERROR
from ator_lib.masking import is_secret_name
from ator_lib.model import SUPERVISOR, Run
from ator_lib.registry.annotations import Annotations
from ator_lib.registry.history import TEXTS, ids_query
from ator_lib.registry.lookups import runs_by_id, texts_of
from ator_lib.registry.statements import ENDED
from ator_lib.results import index
from ator_lib.results.trend import history
from ator_lib.workspace.annotations import annotations_frame
from ator_lib.workspace.ingest import INGESTED_FROM
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.shown import shown_frame

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ator_lib.analysis.trend.data import History
    from ator_lib.analysis.trend.result import TrendResult

_CHANGES = (
    *("series", "run_id", "started_at", "before", "after", "change", "low", "high", "p_value"),
    *("verdict", "kind", "what", "text", "previous_run_id"),
)
_OWN = frozenset({SUPERVISOR, INGESTED_FROM, MIRROR_ERROR})
"""Attributes of ATOR's own, that say nothing of what was tested."""
_MOST_NAMED = 10


class Trend:
    """The answer to "since when?". Shows itself in a notebook."""

    def __init__(self, result: TrendResult) -> None:
        self._result = result

    @property
    def verdict(self) -> str | None:
        """Where the series stand by their last changes: ``regressed`` if any of them did, else ``improved``.

        ``no change`` where none was found that nobody explained by a mark, which rules none out; ``not enough
        evidence`` where more than a tenth of the series have fewer than 6 runs, too few to see one; null where the
        metric has no good direction.
        """
        return self._result.verdict and str(self._result.verdict)

    @property
    def headline(self) -> str:
        """The answer in one sentence: the latest change that speaks for the verdict, and how many others there are."""
        return self._result.headline

    @property
    def table(self) -> pd.DataFrame:
        """A row per run and series: series, run_id, started_at, value, is_outlier, level."""
        frame: pd.DataFrame = self._result.table().to_pandas()
        return frame

    @property
    def changes(self) -> pd.DataFrame:
        """Where levels changed, by run.

        series, run_id and started_at (the first run of the new level), before, after, change (relative), low and high
        (the interval of ``change``, of ``after - before`` for the error rate), p_value, verdict (``regressed``,
        ``improved``, or null: not judged), kind (``change``, ``common shift``, ``unit fault`` or ``marked``), what (the
        attributes in which this run and the one before it differ), text (of the mark), previous_run_id.
        """
        from ator_lib.figures.trend_html import changes_html

        rows = [change.to_row() for change in self._result.changes]
        frame = pd.DataFrame(rows, columns=list(_CHANGES))
        frame["started_at"] = pd.to_datetime(frame["started_at"], utc=True)
        metric = self._result.query.metric
        return shown_frame(frame, lambda rows: changes_html(rows, metric))

    @property
    def marks(self) -> pd.DataFrame:
        """What people said of these runs: annotation_id, run_id, text, resets, metric, name, created_by, created_at."""
        return annotations_frame(self._result.marks)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader must know of how far the answer carries."""
        return self._result.notes

    @property
    def parameters(self) -> dict[str, Any]:
        """What was asked, ready for JSON: ``ws.trend(**trend.parameters)`` is the same again."""
        return self._result.query.to_dict()

    def figure(self, series: str | Sequence[str] | None = None) -> Figure:
        """Draw the series, their levels and changes over time.

        Up to six series have a panel each; of more, those whose changes are the latest, above a map of all of them.
        ``series`` names some.
        """
        from ator_lib.figures.trend import trend_figure

        return trend_figure(self._result, None if series is None else self._named(series))

    def _named(self, series: str | Sequence[str]) -> list[str]:
        labels = [one.label for one in self._result.series]
        asked = [series] if isinstance(series, str) or not isinstance(series, Sequence) else list(series)
        for label in asked:
            if label not in labels:
                raise UsageError(f"there is no series {label!r} in this trend{near(str(label), labels)}")
        return asked

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return self._result.to_dict()

    def __repr__(self) -> str:
        return f"Trend({self.headline!r})"

    def _repr_html_(self) -> str:
        from ator_lib.figures.trend_html import trend_html

        return trend_html(self._result)


def trend_of(parts: Parts, asked: Mapping[str, Any]) -> Trend:
    """Follow a metric over a history; see ``Workspace.trend``."""
    from ator_lib.analysis.trend.trend import Evidence, conclude, find  # SciPy: not for those who only register

    known = [field.name for field in fields(TrendQuery)]
    if unknown := sorted(set(asked) - set(known)):
        raise UsageError(f"a trend has no option {', '.join(unknown)}: it has {', '.join(known)}")
    query = TrendQuery(**asked)
    read = _history(parts, query)
    found = find(read, query)
    suspects = found.beside_unit_changes
    evidence = Evidence(
        facts=_facts(parts, read, found.beside_changes),
        summaries=index.summaries(parts.engine, suspects) if suspects else None,
    )
    return Trend(conclude(found, evidence))


def _history(parts: Parts, query: TrendQuery) -> History:
    """Read the history, or say what of it there is not."""
    matching = ids_query({**query.where(), "status": ENDED})
    is_attribute = query.by not in (NAMES, TOTAL, *TEXTS)
    read = history(parts.engine, matching, query.metric, by=query.by, is_attribute=is_attribute, last=query.last)
    if not read.runs.num_rows:
        raise NotFoundError(_no_runs(parts, query))
    if is_attribute and read.runs["series"].null_count == read.runs.num_rows:
        raise UsageError(_no_attribute(parts, read, query.by))
    if read.values["value"].null_count == read.values.num_rows:
        raise NotFoundError(_no_values(parts, read, query))
    return replace(read, annotations=tuple(Annotations(parts.engine).list()))


def _no_runs(parts: Parts, query: TrendQuery) -> str:
    tests = [query.test] if isinstance(query.test, str) else list(query.test)
    known = texts_of(parts.engine, "test", {})
    for test in tests:
        if "%" not in test and test not in known:
            return f"there is no run of a test {test!r}{near(test, known)}"
    where = query.where()
    asked = ", ".join(f"{name}={value!r}" for name, value in query.to_dict().items() if name in where)
    streams = texts_of(parts.engine, "stream", {"test": query.test})
    places = f"; its streams are {', '.join(streams[:_MOST_NAMED])}" if streams and "stream" in where else ""
    return f"no run with results that succeeded or failed has {asked}{places}: ask for fewer of these"


def _no_attribute(parts: Parts, read: History, by: str) -> str:
    latest = read.runs["run_id"][-1].as_py()
    run = runs_by_id(parts.engine, [latest]).get(latest)
    attributes = sorted(set(run.attributes) - _OWN) if run else []
    has = f"; the latest one has the attributes {', '.join(attributes)}" if attributes else ""
    return f"by={by!r} tells no runs apart{near(by, [NAMES, TOTAL, *TEXTS, *attributes])}{has}"


def _no_values(parts: Parts, read: History, query: TrendQuery) -> str:
    if not read.values.num_rows:
        scope = "an endpoint: by='total' looks at whole runs" if query.by == NAMES else "requests"
        return f"of {plural(read.runs.num_rows, 'run')} none has figures of {scope}"
    rows = index.summaries(parts.engine, [read.runs["run_id"][-1].as_py()])
    known = [name for name in TREND_METRICS if rows[name].null_count < rows.num_rows]
    return (
        f"of {plural(read.runs.num_rows, 'run')} none has a figure {query.metric}: their tools report none; the latest "
        f"one has {', '.join(known)}"
    )


def _facts(parts: Parts, read: History, run_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Look up what is known of runs; those that have just been deleted are left out."""
    beside = read.runs.filter(pc.is_in(read.runs["run_id"], pa.array(run_ids, pa.int64())))
    runs = runs_by_id(parts.engine, run_ids)
    return {row["run_id"]: _known(row, runs[row["run_id"]]) for row in beside.to_pylist() if row["run_id"] in runs}


def _known(row: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Give what may have changed from one run to another, the tool and place first."""
    told = [name for name in run.attributes if name not in _OWN and not is_secret_name(name)]
    profile = vars(run.load_profile) if run.load_profile else {}
    return {
        **{name: row[name] for name in ("tool", "tool_version", "environment", "location", "stream")},
        **{name: run.attributes[name] for name in told},
        "test": run.test,
        "load_profile": profile,
        "factor": None if run.factor is None else format(run.factor.normalize(), "f"),
        **{name: getattr(run, name) for name in ("repo", "lac", "type")},
    }

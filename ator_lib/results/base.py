"""What the results room hands out: staged results, what became of them, and the time blocks of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from ator_lib.model import IngestReport

PARQUET = "parquet"
POSTGRES = "postgres"
"""Where bulk rows are kept, as it stands in ``ingests.store``."""


@dataclass(frozen=True, kw_only=True)
class StagedResults:
    """A complete set of results that no run points at yet; ``index.record`` makes it visible.

    Attributes
    ----------
    samples
        Rows in the samples table; a row whose weight is above 1 stands for several requests.
    summaries
        ``schema.SUMMARIES``, computed from all samples, or the tool's own; no rows if it has neither.
    errors
        ``schema.ERRORS``: failed requests, the most frequent kind first.
    cases
        ``schema.CASES``.
    rejected
        ``schema.REJECTED``: what could not be taken in.
    report
        What was read, and what became of it.
    store
        Where its bulk rows are kept.
    """

    ingest_id: str
    samples: int
    summaries: pa.Table = field(repr=False)
    errors: pa.Table = field(repr=False)
    cases: pa.Table = field(repr=False)
    rejected: pa.Table = field(repr=False)
    report: IngestReport
    store: str = PARQUET


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """What is known of the results of a run: where they are kept, and what was read.

    Attributes
    ----------
    started_at, ended_at
        The load window in UTC; ``None`` when no sample says when it started.
    content_hash
        SHA-256 of what was read; ``None`` for what ATOR captured itself.
    store
        Where the bulk rows are kept.
    report
        What was read, and what became of it; ``None`` for results of before there were reports.
    samples_purged_at
        When the samples expired; summaries, timeline and distributions are there still. ``None``: they are kept.
    """

    ingest_id: str
    run_id: int
    created_at: datetime
    samples: int
    started_at: datetime | None
    ended_at: datetime | None
    tool: str | None
    tool_version: str | None
    precision: str | None
    truncated: bool
    schema_version: int
    content_hash: str | None
    store: str
    report: IngestReport | None
    samples_purged_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """A run cut into time blocks that start at its first request, or at a later time.

    Attributes
    ----------
    distributions
        ``schema.DISTRIBUTIONS`` per block, for each name and method and for the run (name null).
    timeline
        ``schema.TIMELINE`` of the same blocks: ``interval_start`` is the ``block_start`` of the
        distributions. Of blocks that were counted from samples it has requests, failures and throughput
        alone. The last block may be shorter than the others. A block without a request is a row
        here and none there. Requests of unknown start are left out here and have block_start null there.
    since
        Where they begin, if what started before is left out.
    summaries
        ``schema.SUMMARIES`` of that part; null where nothing is left out, or there are no samples any more.
    """

    distributions: pa.Table = field(repr=False)
    timeline: pa.Table = field(repr=False)
    since: datetime | None = None
    summaries: pa.Table | None = field(default=None, repr=False)

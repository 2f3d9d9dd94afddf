"""Results that come from elsewhere: of files, of InfluxDB, over the network."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from ator_lib.execution.files import Files
from ator_lib.workspace.analyses import Analyses
from ator_lib.workspace.influx import answered, influx_of
from ator_lib.workspace.ingest import AnyFiles, ingest, paths_of, read_options
from ator_lib.workspace.parts import Parts
from ator_lib.workspace.preview import Preview, preview
from ator_lib.workspace.run import RunHandle
from ator_lib.workspace.uploads import Uploads


class Intake(Analyses):
    """What a workspace takes in; ``Workspace`` adds what it executes and gives away."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.uploads = Uploads(parts.data)
        """Files that came over the network and are not ingested yet, for the server and its pages."""

    def ingest(
        self,
        files: AnyFiles,
        *,
        run: int | RunHandle | None = None,
        format: str | None = None,
        columns: Mapping[str, str] | None = None,
        timezone: str | tzinfo | None = None,
        started_at: datetime | str | None = None,
        max_rejected_rate: float | None = None,
        **identity: Any,
    ) -> RunHandle:
        """Read result files into a registered run, or into a finished run of their own.

        All of it or nothing; the same content again changes nothing. ``run.ingest_report()`` says what was read.

        Parameters
        ----------
        files
            A file, a folder or several of the same run; ``.zip`` and ``.gz`` are looked into.
        run
            The run that the results are of. Without one a finished run is made of what ``identity`` says (what
            ``register`` takes) and of the times in the files.
        format
            Name of the reader; without it the content tells. ``ator_lib.formats()`` lists them.
        columns
            For a table of samples with names of its own: ours → its, ``{"duration_ms": "latency:s"}``.
        timezone
            Zone of times that have none ("Europe/Berlin"); without it they are read as UTC, and a note says so.
        started_at
            When the run started, for files that hold only offsets from there.
        max_rejected_rate
            Share of rows that may be left out because they cannot be read; default: the setting, 0.01.

        Raises
        ------
        ResultsError
            The files cannot be read, or too many of their rows; nothing was kept.
        ConflictError
            The run has other results already.
        """
        run_id = None if run is None else self._one(run).run_id
        given = self._files(files, format, columns, timezone, started_at, max_rejected_rate)
        return self._foreign(ingest(self.parts, given, run_id, identity))

    def preview(
        self,
        files: AnyFiles,
        *,
        format: str | None = None,
        columns: Mapping[str, str] | None = None,
        timezone: str | tzinfo | None = None,
        started_at: datetime | str | None = None,
        max_rejected_rate: float | None = None,
    ) -> Preview:
        """Say what an ingest of these files would read, and keep nothing of them.

        The parameters are those of ``ingest``.

        Raises
        ------
        ResultsError
            The files cannot be read, or too many of their rows.
        """
        return preview(self.parts, self._files(files, format, columns, timezone, started_at, max_rejected_rate))

    def _files(
        self,
        files: AnyFiles,
        format: str | None,
        columns: Mapping[str, str] | None,
        timezone: str | tzinfo | None,
        started_at: datetime | str | None,
        max_rejected_rate: float | None,
    ) -> Files:
        options = read_options(columns, timezone, started_at)
        allowed = self.parts.max_rejected_rate if max_rejected_rate is None else max_rejected_rate
        return Files(paths=paths_of(files), format=format, options=options, max_rejected_rate=allowed)

    def ingest_flux(
        self,
        flux: str,
        *,
        url: str | None = None,
        bucket: str | None = None,
        org: str | None = None,
        token: str | None = None,
        **options: Any,
    ) -> RunHandle:
        """Ask InfluxDB with a Flux query, and ingest the answer: measurements, or a timeline if it has its columns.

        ``options`` are those of ``ingest``: ``run=``, or the test, stream … of a new run.

        Raises
        ------
        StoreError
            InfluxDB cannot be reached, or does not take the query.
        ResultsError
            The answer holds no measurement.
        """
        target = influx_of(self.parts.influx, url=url, bucket=bucket, org=org, token=token)
        with answered(target, flux) as file:
            return self.ingest(file, format="influx", **options)

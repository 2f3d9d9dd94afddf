"""The one table of readers: name → class; and which of them some files are for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from ator_lib.errors import ResultsError, UsageError
from ator_lib.readers.ab import AbReader
from ator_lib.readers.artillery.reader import ArtilleryReader
from ator_lib.readers.autocannon import AutocannonReader
from ator_lib.readers.base import NO_OPTIONS, Format, Reader, ReadOptions, Source
from ator_lib.readers.capture.reader import CaptureReader
from ator_lib.readers.gatling.binary import GatlingBinaryReader
from ator_lib.readers.gatling.stats import GatlingStatsReader
from ator_lib.readers.gatling.text import GatlingReader
from ator_lib.readers.har import HarReader
from ator_lib.readers.hey import HeyReader
from ator_lib.readers.influx import InfluxReader
from ator_lib.readers.jmeter_statistics import JmeterStatisticsReader
from ator_lib.readers.jtl.reader import JtlReader
from ator_lib.readers.jtl_xml.reader import JtlXmlReader
from ator_lib.readers.junit import JUnitReader
from ator_lib.readers.k6.csv import K6CsvReader
from ator_lib.readers.k6.ndjson import K6Reader
from ator_lib.readers.k6.summary import K6SummaryReader
from ator_lib.readers.locust.reader import LocustReader
from ator_lib.readers.newman import NewmanReader
from ator_lib.readers.oha import OhaReader
from ator_lib.readers.pytest_benchmark import PytestBenchmarkReader
from ator_lib.readers.samples.reader import SamplesReader
from ator_lib.readers.siege import SiegeReader
from ator_lib.readers.vegeta.reader import VegetaReader
from ator_lib.readers.vegeta_report import VegetaReportReader
from ator_lib.readers.wrk import WrkReader

ENTRY_POINTS = "ator.readers"
"""Group of entry points by which other packages add readers: name of the format → class."""

FORMATS: dict[str, type[Reader]] = {
    reader.about.name: reader
    for reader in (
        CaptureReader,
        LocustReader,
        JtlReader,
        JtlXmlReader,
        JmeterStatisticsReader,
        K6Reader,
        K6CsvReader,
        K6SummaryReader,
        GatlingReader,
        GatlingBinaryReader,
        GatlingStatsReader,
        NewmanReader,
        JUnitReader,
        PytestBenchmarkReader,
        VegetaReader,
        VegetaReportReader,
        WrkReader,
        HeyReader,
        AbReader,
        SiegeReader,
        ArtilleryReader,
        AutocannonReader,
        OhaReader,
        HarReader,
        InfluxReader,
        SamplesReader,
    )
}
"""Ours, in the order in which they are asked: who knows a clear mark comes before who guesses."""


def formats() -> list[Format]:
    """List what can be read, ours first, then what other packages added."""
    return [reader.about for reader in _all().values()]


def unusable() -> list[str]:
    """Say which readers of other packages cannot be used, and why: a sentence each."""
    return [found for found in _added().values() if isinstance(found, str)]


def reader(format: str) -> Reader:
    """Give the reader of that name.

    Raises
    ------
    UsageError
        There is none, and the message lists those that there are; or it comes from a package that is broken.

    Examples
    --------
    >>> reader("capture").about.name
    'capture'
    """
    if (found := _all().get(format)) is not None:
        return found()
    if isinstance(reason := _added().get(format), str):
        raise UsageError(reason)
    raise UsageError(f"there is no reader for {format!r}. There are: {_listed()}.")


def reader_for(
    sources: Sequence[Source], format: str | None = None, options: ReadOptions = NO_OPTIONS
) -> tuple[Reader, list[Source]]:
    """Give the reader of that name, or the one that recognises the files by their content, never by their names.

    Files whose columns are named in the options are tables of samples.

    Returns
    -------
    The reader and those of the files that are for it; a folder may hold others, too.

    Raises
    ------
    UsageError
        There is no reader of that name, or it reads no columns and they were named.
    ResultsError
        No reader recognises any file, or they are of several formats.
    """
    if options.columns:
        return _reader_of_columns(format), list(sources)
    by_format: dict[str, list[Source]] = {}
    for source in sources:
        if (found := _recognised(source, format)) is not None:
            by_format.setdefault(found, []).append(source)
    if format is not None:  # named: also what it does not recognise is for it, if it is all that there is
        return reader(format), by_format.get(format) or list(sources)
    if len({reader(name).about.tool or name for name in by_format}) > 1:
        kinds = "; ".join(f"{name}: {files[0].name}" for name, files in by_format.items())
        raise ResultsError(f"these are files of several formats ({kinds}). Name the one to read (format=).")
    for name in _all():  # of one tool's several the first: the finest
        if name in by_format:
            return reader(name), by_format[name]
    raise ResultsError(_unknown(sources))


def _reader_of_columns(format: str | None) -> Reader:
    tables = SamplesReader.about.name
    if format not in (None, tables):
        raise UsageError(f"columns= is for tables of samples (format={tables!r}), and not for format={format!r}.")
    return reader(tables)


def _recognised(source: Source, format: str | None) -> str | None:
    names = list(_all()) if format is None else [format]
    return next((name for name in names if _recognises(name, source)), None)


def _recognises(name: str, source: Source) -> bool:
    try:
        return reader(name).recognises(source)
    except OSError as error:
        raise ResultsError(f"{source.name} cannot be read: {error.strerror}.") from error
    except Exception:
        if name in FORMATS:
            raise
        return False  # what other packages stumble over must not keep ours from it


def _unknown(sources: Sequence[Source]) -> str:
    which = "is" if len(sources) == 1 else f"and {len(sources) - 1} more are"
    return " ".join(
        [
            f"{sources[0].name} {which} in no format that is known here: {_listed()}.",
            "Look whether it is cut short at its beginning, or name its format (format=);",
            "of a table of requests, name the columns (columns=).",
            *unusable(),
        ]
    )


def _all() -> dict[str, type[Reader]]:
    return FORMATS | {name: found for name, found in _added().items() if not isinstance(found, str)}


@cache
def _added() -> dict[str, type[Reader] | str]:
    """Load the readers of other packages; one that cannot be used is the sentence that says why."""
    points = sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)
    return {point.name: _loaded(point) for point in points if point.name not in FORMATS}


def _loaded(point: EntryPoint) -> type[Reader] | str:
    try:
        loaded: type[Reader] = point.load()
        if loaded.about.name != point.name:
            raise TypeError(f"it is the reader of {loaded.about.name!r}")
    except Exception as error:  # whatever the package of somebody else does when it is imported
        package = point.dist.name if point.dist else point.module
        reason = f"{type(error).__name__}: {error}"
        return f"The reader {point.name!r} of {package} cannot be used ({reason}): repair or uninstall that package."
    return loaded


def _listed() -> str:
    return ", ".join(sorted(_all()))

"""Reads the results of vegeta."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import tables
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source
from ator_lib.readers.vegeta import gob, text
from ator_lib.readers.vegeta.results import is_whole, samples


@dataclass(frozen=True, kw_only=True)
class _Encoding:
    """One of the three ways in which vegeta writes the same results; ``has_lines``: places in it are lines."""

    recognises: Callable[[Source], bool]
    results: Callable[[Source, Findings], Iterator[pa.RecordBatch]]
    has_lines: bool = True


_ENCODINGS = (
    _Encoding(recognises=gob.recognises, results=gob.results, has_lines=False),
    _Encoding(recognises=text.recognises_json, results=text.results_of_json),
    _Encoding(recognises=text.recognises_csv, results=text.results_of_csv),
)


class VegetaReader:
    """Reads results in any encoding; several files are parts of one run, such as those of several machines."""

    about: ClassVar[Format] = Format(
        name="vegeta",
        tool="vegeta",
        files="results of vegeta attack (gob), or of vegeta encode --to json or csv (9 and 12 columns)",
        gives="samples",
        precision=schema.EXACT,
        limits="before version 12.6 results hold no URL and no method: requests are named by the attack",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether it begins with vegeta's struct as a gob, or with a result in JSON or CSV."""
        return any(encoding.recognises(source) for encoding in _ENCODINGS)

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read results; of files in several encodings those of the first only, as they hold the same.

        Raises
        ------
        ResultsError
            No file begins with a result of vegeta. While the samples are consumed: a file is damaged, or there is no
            result at all.
        """
        findings = Findings()
        by_encoding = [[source for source in sources if encoding.recognises(source)] for encoding in _ENCODINGS]
        found = next((number for number, files in enumerate(by_encoding) if files), None)
        if found is None:
            raise ResultsError(f"{sources[0].name} begins with no result of vegeta, in none of its encodings.")
        for source in sources:
            if source not in by_encoding[found]:
                findings.note(f"not read: {source.name}")
        batches = _samples(_ENCODINGS[found], by_encoding[found], findings)
        return Reading(tool="vegeta", precision=schema.EXACT, samples=tables.stream(batches), findings=findings)


def _samples(encoding: _Encoding, sources: Sequence[Source], findings: Findings) -> Iterator[pa.RecordBatch]:
    count = 0
    for source in sources:
        for results in encoding.results(source, findings):
            whole = is_whole(results)
            _reject(results.filter(pc.invert(whole)), source, encoding, findings)
            batch = samples(results.filter(whole))
            count += batch.num_rows
            yield batch
    if not count:
        raise ResultsError(
            f"{sources[0].name} holds no whole result of vegeta: there was no request, or it is cut short."
        )


def _reject(results: pa.RecordBatch, source: Source, encoding: _Encoding, findings: Findings) -> None:
    for place in results.column("place").to_pylist():
        if encoding.has_lines:
            findings.reject(source, place, "its time, code, latency or bytes are missing, or no sound numbers")
        else:
            findings.reject(source, None, f"the result at byte {place} is damaged")

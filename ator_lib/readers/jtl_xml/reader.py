"""The reader of JMeter's XML: in bulk what can be, an element at a time what must be.

A sample inside another is a redirect or an embedded resource, and the outer one is the request that a user waits for.
A Transaction Controller is no request: the requests inside it count, and it is their group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import ResultsError
from ator_lib.readers import tables, xml_documents
from ator_lib.readers.base import Findings, Format, Reading, ReadOptions, Source
from ator_lib.readers.jtl_xml import lines
from ator_lib.readers.jtl_xml.elements import Elements
from ator_lib.readers.jtl_xml.rows import requests, samples

_BATCH = 50_000
_START = "ts was taken for the start of each request, as JMeter is set up by default (sampleresult.timestamp.start)"


class JtlXmlReader:
    """Reads any number of files, a piece at a time."""

    about: ClassVar[Format] = Format(
        name="jtl-xml",
        tool="jmeter",
        files="results of JMeter as XML (*.jtl, *.xml), whatever detail was saved; a file for each worker",
        gives="samples",
        precision="exact, in whole milliseconds",
        limits="bodies and headers are not read, nor how many threads ran; nested samples count once, transactions not",
    )

    def recognises(self, source: Source) -> bool:
        """Say whether its outermost element is ``testResults``."""
        return xml_documents.root(source) == "testResults"

    def read(self, sources: Sequence[Source], options: ReadOptions) -> Reading:
        """Read the files of a run; times of JMeter are epoch milliseconds and need no zone.

        Raises
        ------
        ResultsError
            While the samples are consumed: a file is no well-formed XML, or there is no sample in any.
        """
        findings = Findings(notes=[_START])
        return Reading(
            tool="jmeter",
            precision=schema.EXACT,
            samples=tables.stream(_samples(sources, findings)),
            findings=findings,
        )


def _samples(sources: Sequence[Source], findings: Findings) -> Iterator[pa.RecordBatch]:
    kept = transactions = parts = 0
    for source in sources:
        elements = Elements(source, findings)
        for batch in _batches(_rows(source, elements, findings)):
            found = requests(batch)
            transactions += batch.num_rows - found.num_rows
            made = samples(found, source.name if len(sources) > 1 else None)
            kept += made.num_rows
            yield made
        transactions += elements.transactions
        parts += elements.parts
    if transactions:
        findings.note(f"{transactions} transaction controllers were left out: they add up requests")
    if parts:
        findings.note(f"{parts} redirects and embedded resources were left out: parts of requests")
    findings.rows_read = kept + len(findings.rejected) + transactions + parts
    if not kept and not findings.rejected:
        told = f"{transactions} transactions, which are sums, and no request: let JMeter save sub-results, too"
        named = ", ".join(source.name for source in sources[:5])
        raise ResultsError(f"{named} holds {told if transactions else 'no sample of JMeter'}.")


def _batches(rows: Iterator[pa.Table]) -> Iterator[pa.RecordBatch]:
    """Gather rows to batches of a size that is worth its overhead."""
    gathered, number = [], 0
    for table in rows:
        gathered.append(table)
        number += len(table)
        if number >= _BATCH:
            yield from pa.concat_tables(gathered).combine_chunks().to_batches()
            gathered, number = [], 0
    yield from pa.concat_tables(gathered).combine_chunks().to_batches()


def _rows(source: Source, elements: Elements, findings: Findings) -> Iterator[pa.Table]:
    is_plain, tail = True, b""
    for piece in xml_documents.pieces(source):
        end = piece.rfind(b"\n") + 1
        whole, tail = tail + piece[:end], piece[end:]
        is_plain = is_plain and b"<!" not in whole  # in a comment or CDATA, what looks like a sample is none
        if is_plain:
            yield from _rows_in(whole, elements)
        else:
            elements.document.parse(whole)
        yield elements.taken()
    elements.document.parse(tail)
    elements.document.finish(findings)
    yield elements.taken()


def _rows_in(whole: bytes, elements: Elements) -> Iterator[pa.Table]:
    """Read whole lines, those in bulk that are samples; the parser gets line feeds for them, to count lines."""
    parts = list(lines.parts(whole))
    rows = lines.read(b"".join(part for part, is_simple in parts if is_simple))
    first = 0
    for part, is_simple in parts:
        number = part.count(b"<") if is_simple else 0
        if is_simple and rows is not None and elements.document.depth == 1:
            yield elements.taken()
            yield rows.slice(first, number)
            elements.document.parse(b"\n" * part.count(b"\n"))
        else:
            elements.document.parse(part)
        first += number

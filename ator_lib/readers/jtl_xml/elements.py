"""Samples as elements, one by one: with what is inside them, and told why one cannot be taken in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from ator_lib.readers.base import Findings, Source
from ator_lib.readers.jtl_xml.rows import ELAPSED_END_MS, NUMBERS, ROWS, TEXTS, TIME_END_MS, TRANSACTION
from ator_lib.readers.xml_documents import Document

_SAMPLES = ("httpSample", "sample")
_ASSERTION = "assertionResult"
_KEPT = ("method", "name", "failure", "error", "failureMessage")
_LONGEST_TEXT = 20_000


@dataclass(kw_only=True, slots=True)
class _Sample:
    element: str
    attributes: dict[str, str]
    line: int
    method: str | None = None
    failure: str | None = None
    inside: list[_Sample] = field(default_factory=list)

    @property
    def parts(self) -> int:
        return len(self.inside) + sum(inner.parts for inner in self.inside)

    @property
    def is_transaction(self) -> bool:
        """By the message of JMeter's own controller, or since only such a one holds requests and is none itself."""
        return self.attributes.get("rm", "").startswith(TRANSACTION) or (
            self.element == "sample" and any(inner.element == "httpSample" for inner in self.inside)
        )


class Elements:
    """Takes the elements of a document, and gives the rows that came of them."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self.document = Document(source, self)
        self.transactions = 0
        self.parts = 0
        """Redirects and embedded resources."""
        self._source = source
        self._findings = findings
        self._rows: list[tuple[_Sample, str | None]] = []
        self._open: list[_Sample] = []
        self._texts: dict[str, str] = {}
        self._text: str | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open a sample, or begin to keep a text about one."""
        if name in _SAMPLES:
            sample = _Sample(element=name, attributes=attributes, line=self.document.line)
            if self._open:
                self._open[-1].inside.append(sample)
            self._open.append(sample)
        elif self._open:
            self._text = "" if name in _KEPT else None
            if name == _ASSERTION:
                self._texts = {}

    def text(self, data: str) -> None:
        """Keep the text that is asked for, within bounds: bodies of responses are none of it."""
        if self._text is not None:
            self._text += data[: _LONGEST_TEXT - len(self._text)]

    def end(self, name: str) -> None:
        """Close a sample, and take the outermost one in with all that is inside."""
        if self._text is not None:
            self._texts[name], self._text = self._text.strip(), None
        if not self._open:
            return
        sample = self._open[-1]
        if name == sample.element:
            self._open.pop()
            if not self._open:
                self._take(sample, group=None)
        elif name == "method":
            sample.method = self._texts["method"] or None
        elif name == _ASSERTION and "true" in (self._texts.get("failure"), self._texts.get("error")):
            said = self._texts.get("failureMessage") or self._texts.get("name")
            sample.failure = sample.failure or said or "an assertion failed"

    def taken(self) -> pa.Table:
        """Give the ``ROWS`` since it was last asked."""
        rows, self._rows = self._rows, []
        attributes = [sample.attributes for sample, _ in rows]
        columns: list[Sequence[object]] = [
            *([_number(values.get(name)) for values in attributes] for name in NUMBERS),
            *([values.get(name) for values in attributes] for name in TEXTS),
            [group for _, group in rows],
            [sample.method for sample, _ in rows],
            [sample.failure for sample, _ in rows],
        ]
        return pa.table([pa.array(values, field.type) for values, field in zip(columns, ROWS, strict=True)], ROWS)

    def _take(self, sample: _Sample, group: str | None) -> None:
        if sample.is_transaction:
            self.transactions += 1
            label = sample.attributes.get("lb", "")
            for inner in sample.inside:
                self._take(inner, label if group is None else f"{group} / {label}")
        elif (fault := _fault(sample.attributes)) is not None:
            shown = " ".join(f'{name}="{value}"' for name, value in sample.attributes.items())
            self._findings.reject(self._source, sample.line, fault, f"<{sample.element} {shown}")
        else:
            self.parts += sample.parts
            self._rows.append((sample, group))


def _fault(attributes: dict[str, str]) -> str | None:
    elapsed, stamp = attributes.get("t"), attributes.get("ts")
    if elapsed is None:
        return "it has no elapsed time (t)"
    if (number := _number(elapsed)) is None or number >= ELAPSED_END_MS:
        return f"its elapsed time (t) is {elapsed[:40]!r}, no number of milliseconds"
    if stamp is not None and ((number := _number(stamp)) is None or number >= TIME_END_MS):
        return f"its time stamp (ts) is {stamp[:40]!r}, no number of milliseconds since 1970"
    return None


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and value.isdecimal() and len(value) < 19 else None

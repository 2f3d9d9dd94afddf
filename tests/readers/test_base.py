"""What all readers share beside the tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from ator_lib.errors import ResultsError
from ator_lib.readers import base, csv_documents, duck
from ator_lib.readers.base import Findings, Source


def test_there_is_a_most_of_rejected_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large file of another kind would fill the memory with them."""
    monkeypatch.setattr(base, "MOST_REJECTED", 3)
    findings, source = Findings(), Source(path=Path("a.csv"), name="a.csv")
    for line in range(3):
        findings.reject(source, line, "is no number")
    with pytest.raises(ResultsError, match=r"a\.csv: more than 3 rows cannot be read: is it damaged"):
        findings.reject(source, 4, "is no number")


def test_a_table_of_too_many_bad_rows_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrow, which finds them, passes nothing on that is raised meanwhile."""
    monkeypatch.setattr(base, "MOST_REJECTED", 3)
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n" + "1,2,3\n" * 4)
    with pytest.raises(ResultsError, match=r"a\.csv: more than 3 rows cannot be read"):
        list(csv_documents.read(Source(path=path, name="a.csv"), Findings(), ["a", "b"]))


def test_an_error_without_words_is_told_by_its_kind() -> None:
    """Rather than to fail over it."""
    assert duck.first_line(duck.DuckError("")) == "Error"
    assert duck.first_line(duck.DuckError("Parser Error: no such thing\nLINE 1: x")) == "no such thing"

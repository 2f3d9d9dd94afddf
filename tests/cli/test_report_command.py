"""What ``ator report`` passes on, and how it makes an index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ator
from tests.reports.test_index import made
from tests.support.recording_workspace import RecordingWorkspace


@pytest.fixture
def reported(workspace: RecordingWorkspace) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Note what reports are asked for."""
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def report(*positional: Any, **named: Any) -> Path:
        calls.append((positional, named))
        return Path(positional[1])

    workspace.report = report  # type: ignore[assignment]  # not the one of an ingest
    return calls


@pytest.mark.parametrize(
    ("words", "run", "path", "baseline"),
    [
        (("2",), 2, "report.html", None),
        (("run", "2", "-o", "r.xml"), 2, "r.xml", None),
        (("release-7", "--output", "r.md"), "release-7", "r.md", None),
        (("2", "--baseline", "1", "--baseline", "nightly"), 2, "report.html", [1, "nightly"]),
        (("--baseline", "previous:5", "2"), 2, "report.html", "previous:5"),
    ],
)
def test_a_run_needs_no_word_of_its_own(
    words: tuple[str, ...], run: Any, path: str, baseline: Any, ator: Ator, reported: list[Any]
) -> None:
    """``ator report 2`` is ``ator report run 2``; the path is the answer."""
    result = ator("report", *words)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{path}\n"
    assert reported == [((run, Path(path)), {"baseline": baseline})]


def test_help_names_both_commands(ator: Ator) -> None:
    """Without words and with --help it explains itself."""
    for words in ((), ("--help",)):
        assert "index" in ator("report", *words).output


def test_an_index_says_what_it_skipped(ator: Ator, tmp_path: Path) -> None:
    """The page's path is the answer; on stderr stand what was skipped and how many reports there are."""
    made(tmp_path / "a.html", "Run 1")
    (tmp_path / "b.html").write_text("<p>foreign</p>")
    result = ator("report", "index", tmp_path)
    assert result.exit_code == 0
    assert result.stdout == f"{tmp_path / 'index.html'}\n"
    assert (
        result.stderr == f"skipped {tmp_path / 'b.html'}: it is no report of ATOR, or of an earlier version\n1 report\n"
    )
    assert ator("report", "index", tmp_path / "nowhere").exit_code == 2

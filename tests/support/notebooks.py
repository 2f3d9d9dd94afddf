"""Small notebooks for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

MakeNotebook = Callable[..., Path]


@pytest.fixture
def make_notebook(tmp_path: Path) -> MakeNotebook:
    """Write a notebook of the given cells: text is code, ("tag", code) is tagged, ("markdown", text) is prose."""

    def make(*cells: str | tuple[str, str], name: str = "small.ipynb") -> Path:
        return write_notebook(tmp_path / name, *cells)

    return make


def write_notebook(path: Path, *cells: str | tuple[str, str]) -> Path:
    """Write a notebook where ``make_notebook`` cannot be used: in fixtures of a whole module."""
    nbformat.write(v4.new_notebook(cells=[_cell(cell) for cell in cells]), path)
    return path


def _cell(cell: str | tuple[str, str]) -> nbformat.NotebookNode:
    if isinstance(cell, str):
        return v4.new_code_cell(cell)
    kind, source = cell
    return v4.new_markdown_cell(source) if kind == "markdown" else v4.new_code_cell(source, metadata={"tags": [kind]})

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import plotly.io as pio
import pytest

import ator_lib
from ator_lib.reports.notebook import bundled_notebooks

NOTEBOOKS = sorted(bundled_notebooks().values())
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_of(path: Path) -> str:
    """Return all code of a notebook."""
    cells = nbformat.read(path, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def test_the_notebooks_of_the_job_are_there() -> None:
    """One executes a run, one analyses it, two look at several, and one is for people who are new."""
    assert set(bundled_notebooks()) == {"analyze_run", "compare_runs", "execute_run", "quickstart", "trend"}


@each_notebook
def test_is_a_clean_template(path: Path) -> None:
    """Valid, for the python3 kernel, with parameters, and without outputs, so that versions can be compared."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if "parameters" in cell.metadata.get("tags", [])] == ["parameters"]
    assert all(cell.execution_count is None and cell.outputs == [] for cell in code)


@each_notebook
def test_cell_ids_are_names(path: Path) -> None:
    """Ids say what a cell is, and so stay the same when the notebook is edited."""
    ids = [cell.id for cell in nbformat.read(path, as_version=4).cells]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in ids)


@each_notebook
def test_uses_public_names_only(path: Path) -> None:
    """Notebooks are what users copy from: no room inside the package is imported."""
    tree = ast.parse(code_of(path))
    imported = [
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    ]
    assert [name for name in imported if name.startswith(("ator_lib", "panel_app"))] == ["ator_lib"]
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ator"
    }
    assert used <= set(ator_lib.__all__)


@each_notebook
def test_is_prose_with_little_code(path: Path) -> None:
    """A colleague can read it: a title, words before each figure, and results that show themselves."""
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
    assert "remove-cell" not in cells[0].metadata.get("tags", [])
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    assert sum(len(text.split()) for text in prose) >= 60
    assert not re.search(r"<[a-z]+|def |to_html", code_of(path).replace("def search", "").replace("def products", ""))


@pytest.mark.parametrize(
    ("name", "required"), [("analyze_run", "run_id"), ("compare_runs", "contender"), ("trend", "test")]
)
def test_asks_for_what_it_needs(name: str, required: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its first parameter a notebook ends at once, with an error of usage that names it."""
    monkeypatch.setattr(pio.renderers, "default", pio.renderers.default)  # which the notebook sets
    with pytest.raises(ator_lib.UsageError, match=f"{name} needs the parameter {required}:"):
        exec(code_of(bundled_notebooks()[name]), {})

"""Parameterised notebooks: find one, run it, and say clearly which cell failed."""

from __future__ import annotations

import ast
import html
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import nbformat
from papermill.execute import ERROR_MARKER_TAG, remove_error_markers
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from papermill.utils import find_first_tagged_cell_index

from ator_lib import errors
from ator_lib.errors import AtorError, ExitCode, NotebookError, NotFoundError, StoreError, UsageError
from ator_lib.reports.kernel import KERNEL, CellFailure, run_cells

_LONGEST_MESSAGE = 500


def bundled_notebooks() -> dict[str, Path]:
    """Return the notebooks that come with the package: name → file, sorted by name."""
    return {notebook.stem: notebook for notebook in sorted(_bundled_folder().glob("*.ipynb"))}


def find_notebook(name_or_path: str | Path) -> Path:
    """Return a bundled notebook by its name (``"analyze_run"``), or the caller's own by its path.

    Raises
    ------
    NotFoundError
        There is neither; the message lists the bundled ones.
    """
    path = Path(name_or_path)
    bundled = bundled_notebooks()
    if str(name_or_path) in bundled:
        return bundled[str(name_or_path)]
    if path.is_file():
        return path.resolve()
    if path.name == str(path) and path.stem in bundled and path.suffix == ".ipynb":
        return bundled[path.stem]
    known = ", ".join(bundled) or "none"
    raise NotFoundError(
        f"no notebook {str(name_or_path)!r}. Give the path of an .ipynb file, or the name of a bundled one: {known}."
    )


def run_notebook(
    notebook: Path,
    output: Path,
    *,
    parameters: Mapping[str, Any],
    env: Mapping[str, str],
    timeout_s: float | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Run a notebook in a kernel of the running interpreter, in the caller's working directory.

    Parameters
    ----------
    notebook
        The notebook to run; it is not changed.
    output
        Where the executed notebook goes, saved after each cell; missing folders are made.
    parameters
        Values for names of the cell tagged ``parameters``. They are written into ``output``: hand secrets
        over by ``env``.
    env
        Extra environment of the kernel's process. It is not written anywhere, and passwords and tokens
        in it are masked in the outputs.
    timeout_s
        Longest time that one cell may take; ``None`` is no limit.
    on_progress
        Called in this thread with (cells done, cells in all) after each cell.

    Returns
    -------
    Path
        ``output``.

    Raises
    ------
    UsageError
        The file is no notebook, a parameter is unknown or has no plain value.
    NotebookError
        A cell failed or took too long; the partial notebook is kept in ``output``.
    BrokenError
        The kernel does not start.
    StoreError
        ``output`` cannot be written.
    """
    if output.exists() and output.samefile(notebook):
        raise UsageError(f"{notebook} would overwrite itself. Choose another output.")
    prepared = _prepared(notebook, parameters)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        failure = run_cells(prepared, output.absolute(), env=env, timeout_s=timeout_s, on_progress=on_progress)
    except OSError as error:
        raise StoreError(f"the notebook cannot be written to {output}: {error.strerror or error}.") from error
    if failure is not None:
        _raise_failure(failure, prepared, notebook, output)
    return output


def _bundled_folder() -> Path:
    """Inside the package in a wheel, beside it in a checkout."""
    packaged = Path(__file__).parents[1] / "notebooks"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "notebooks"


def _prepared(notebook: Path, parameters: Mapping[str, Any]) -> nbformat.NotebookNode:
    try:
        loaded: nbformat.NotebookNode = load_notebook_node(str(notebook.absolute()))
    except OSError as error:
        raise NotFoundError(f"the notebook {notebook} cannot be read: {error.strerror or error}.") from error
    except (ValueError, AttributeError, nbformat.ValidationError) as error:  # nbformat's own errors are ValueErrors
        raise UsageError(f"{notebook} is not a Jupyter notebook (version 4).") from error
    _check_names(notebook, loaded, parameters)
    plain = {name: _plain(name, value) for name, value in parameters.items()}
    if plain:
        loaded = parameterize_notebook(loaded, plain, kernel_name=KERNEL, language="python")
    loaded = remove_error_markers(loaded)
    loaded.metadata.papermill["input_path"] = notebook.name  # a name tells enough; folders stay private
    loaded.metadata.kernelspec = {"name": KERNEL, "display_name": "Python 3", "language": "python"}
    return loaded


def _check_names(notebook: Path, loaded: nbformat.NotebookNode, parameters: Mapping[str, Any]) -> None:
    known = _parameter_names(loaded)
    unknown = [name for name in parameters if name not in known]
    if not unknown:
        return
    names = ", ".join(repr(name) for name in unknown)
    if not known:
        raise UsageError(f"{notebook.name} takes no parameters (it has no cell tagged 'parameters'), but got {names}.")
    raise UsageError(f"{notebook.name} has no parameter {names}. It has: {', '.join(known)}.")


def _parameter_names(loaded: nbformat.NotebookNode) -> list[str]:
    """Return the names that the parameters cell assigns, in order.

    Read from the syntax tree: papermill's own inspection overlooks annotations such as ``int | None``.
    """
    index = find_first_tagged_cell_index(loaded, "parameters")
    if index < 0:
        return []
    try:
        body = ast.parse(loaded.cells[index].source).body
    except SyntaxError as error:
        raise UsageError(f"the notebook's parameters cell is not Python: {error.msg} (line {error.lineno}).") from error
    targets = [
        target
        for statement in body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
    ]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _plain(name: str, value: Any) -> Any:
    """Turn a value into what both Python source and JSON can say."""
    if isinstance(value, Enum):
        return _plain(name, value.value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Path | Decimal):
        return str(value)
    if isinstance(value, date):  # a datetime too
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(name, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(name, item) for item in value]
    if hasattr(value, "item"):  # a NumPy scalar, for example a run_id from a DataFrame
        return _plain(name, value.item())
    raise UsageError(f"the notebook parameter {name!r} is a {type(value).__name__}; give a text, number, list or dict.")


def _raise_failure(failure: CellFailure, executed: nbformat.NotebookNode, notebook: Path, output: Path) -> None:
    if failure.error == SystemExit.__name__ and failure.message in ("", "0", "None"):
        return  # the cell ended the notebook on purpose
    place = f"cell In [{failure.cell}]" if failure.cell else "a cell"
    message = failure.message.strip()[:_LONGEST_MESSAGE]
    said = f"{place} failed: {failure.error}: {message}"
    _mark_failed(executed, said, output)
    raise NotebookError(
        f"{notebook.name}: {said} (partial notebook: {output})",
        notebook=output,
        exit_code=_exit_code(failure.error),
    )


def _mark_failed(executed: nbformat.NotebookNode, said: str, output: Path) -> None:
    """Say at the top of the kept notebook what failed, tagged so that papermill removes it from a next run."""
    note = f'<pre style="color: #b42318">This notebook is incomplete: {html.escape(said)}</pre>'
    executed.cells.insert(0, nbformat.v4.new_markdown_cell(note, metadata={"tags": [ERROR_MARKER_TAG]}))
    with suppress(OSError):  # the notebook without the note is there, and the failure matters more
        nbformat.write(executed, output)


def _exit_code(error_name: str) -> ExitCode:
    """Return the exit code of the error if it is one of ours, which says more than "a cell failed"."""
    kind = getattr(errors, error_name, None)
    if isinstance(kind, type) and issubclass(kind, AtorError) and kind is not NotebookError:
        return kind.exit_code
    return ExitCode.FAILED

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import nbformat
import numpy as np
import pytest

from ator_lib.errors import BrokenError, ExitCode, NotebookError, NotFoundError, StoreError, UsageError
from ator_lib.reports.notebook import bundled_notebooks, find_notebook, run_notebook
from tests.support.notebooks import MakeNotebook, write_notebook


def printed(notebook: Path) -> str:
    """Return what the cells printed to standard output."""
    cells = nbformat.read(notebook, as_version=4).cells
    return "".join(out.text for cell in cells for out in cell.get("outputs", []) if out.get("name") == "stdout")


@dataclass(frozen=True, kw_only=True)
class Done:
    """A notebook that was run: where to, what it printed, and which steps were told."""

    output: Path
    folder: Path
    lines: list[str]
    steps: list[tuple[int, int]]


CELLS = (
    ("parameters", "run_id: int | None = None\nfactor = '0'\nfolder = ''\nnames = []\nkept = 7"),
    "print(run_id, factor, folder, names, kept)",
    "import os, sys; print(sys.executable, os.getcwd())",
    ("raises-exception", "1 / 0"),
    "print('on')",
    ("markdown", "prose"),
    "sys.exit(0)",
    "print('never')",
)
GIVEN = {"run_id": np.int64(3), "factor": Decimal("0.4"), "folder": Path("a/b"), "names": ("x", None)}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Run a notebook in a difficult place: inside an event loop, with a deep TMPDIR and somebody's own "python3"."""
    folder = tmp_path_factory.mktemp("here")
    deep = folder / ("deep" * 25)
    deep.mkdir()
    kernel = folder / "jupyter" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(json.dumps({"argv": ["/bin/false"], "display_name": "x", "language": "python"}))
    notebook = write_notebook(folder / "small.ipynb", *CELLS)
    steps: list[tuple[int, int]] = []

    async def inside() -> Path:
        output = Path("new", "out{run_id}.ipynb")
        return run_notebook(notebook, output, parameters=GIVEN, env={}, on_progress=lambda *step: steps.append(step))

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder / "jupyter"))
        patch.setenv("PATH", "/usr/bin:/bin")
        patch.setattr("tempfile.tempdir", str(deep))
        patch.chdir(folder)
        output = asyncio.run(inside())
    return Done(output=output, folder=folder, lines=printed(folder / output).splitlines(), steps=steps)


def test_parameters_reach_the_cells(done: Done) -> None:
    """Values of the usual kinds arrive; annotations such as ``int | None`` are no obstacle."""
    assert done.lines[0] == "3 0.4 a/b ['x', None] 7"


def test_kernel_is_this_interpreter_in_the_callers_folder(done: Done) -> None:
    """A kernel called python3 that stands in the user's own Jupyter folder is not taken; the path is the caller's."""
    assert done.lines[1] == f"{sys.executable} {done.folder}"
    assert done.output == Path("new", "out{run_id}.ipynb")


def test_errors_that_a_cell_is_meant_to_show_are_no_failure(done: Done) -> None:
    """Cells tagged raises-exception go on, and so does exit(0), which ends the notebook."""
    assert done.lines[2:] == ["on"]


def test_progress_is_told(done: Done) -> None:
    """After each cell: how many are done, of how many, the cell that the given parameters stand in among them."""
    assert done.steps == [(step, len(CELLS) + 1) for step in range(1, len(CELLS))]


def test_finds_bundled_notebooks_by_name_and_own_ones_by_path(make_notebook: MakeNotebook) -> None:
    """A bare name is a bundled notebook; a path is the caller's own file."""
    own = make_notebook("1")
    assert find_notebook("analyze_run") == find_notebook("analyze_run.ipynb") == bundled_notebooks()["analyze_run"]
    assert find_notebook(own) == own.resolve()


def test_unknown_notebook_lists_the_bundled_ones() -> None:
    """Who mistypes a name is told the right ones."""
    with pytest.raises(NotFoundError, match=r"analyse_run.*analyze_run, .*execute_run"):
        find_notebook("analyse_run")


def test_unknown_parameter_names_those_that_exist(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    """A mistyped parameter is refused before anything runs."""
    notebook = make_notebook(("parameters", "run_id = 1\nbaseline: int | None = None"))
    with pytest.raises(UsageError, match=r"no parameter 'runid'. It has: run_id, baseline"):
        run_notebook(notebook, tmp_path / "out.ipynb", parameters={"runid": 3}, env={})
    assert not (tmp_path / "out.ipynb").exists()


def test_parameter_without_a_plain_value_is_refused(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    """An object that Python source cannot spell is refused with its type."""
    notebook = make_notebook(("parameters", "run_id = 1"))
    with pytest.raises(UsageError, match="'run_id' is a object"):
        run_notebook(notebook, tmp_path / "out.ipynb", parameters={"run_id": object()}, env={})


def test_a_notebook_never_overwrites_itself(make_notebook: MakeNotebook) -> None:
    """Output and input must differ."""
    notebook = make_notebook("1")
    with pytest.raises(UsageError, match="overwrite itself"):
        run_notebook(notebook, notebook, parameters={}, env={})


@pytest.mark.parametrize("content", ["no json", "[]", '{"a": 1}'])
def test_a_file_that_is_no_notebook(content: str, tmp_path: Path) -> None:
    """One sentence instead of a parser's traceback."""
    path = tmp_path / "broken.ipynb"
    path.write_text(content)
    with pytest.raises(UsageError, match="not a Jupyter notebook"):
        run_notebook(path, tmp_path / "out.ipynb", parameters={}, env={})


def test_secrets_of_the_environment_are_in_no_file(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    """The kernel sees them, but no file has them, not even after a printed environment or in an error."""
    notebook = make_notebook(
        "import os; url = os.environ['ATOR_DATABASE_URL']; assert len(url) == 42, len(url)",
        "print(dict(os.environ)); url",
        "raise RuntimeError('cannot reach ' + url)",
    )
    url = "postgresql://ann:correct-horse@db.local/at"
    with pytest.raises(NotebookError) as caught:
        run_notebook(notebook, tmp_path / "out.ipynb", parameters={}, env={"ATOR_DATABASE_URL": url})
    assert "postgresql://ann:***@db.local/at" in str(caught.value)
    written = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(written) == 2
    assert not [path for path, text in written.items() if "correct-horse" in text]
    assert "ATOR_DATABASE_URL" not in os.environ


def test_failing_cell_keeps_the_partial_notebook(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    """The error names the cell and what it said, with the exit code of an error of ours; later cells did not run."""
    notebook = make_notebook(
        "print('first')", "import ator_lib as ator; raise ator.NotFoundError('no run 99')", "print('never')"
    )
    with pytest.raises(NotebookError, match=r"small.ipynb: cell In \[2\] failed: NotFoundError: no run 99") as caught:
        run_notebook(notebook, tmp_path / "out.ipynb", parameters={}, env={})
    assert caught.value.notebook == tmp_path / "out.ipynb"
    assert caught.value.exit_code == ExitCode.USAGE
    assert printed(caught.value.notebook) == "first\n"


def test_cell_over_time_is_interrupted_and_may_clean_up(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    """A time limit interrupts the cell, as Ctrl-C would: its finally blocks run."""
    notebook = make_notebook(
        "import time\ntry:\n    time.sleep(60)\nfinally:\n    print('stopped the load')",
        "print('never')",
    )
    with pytest.raises(
        NotebookError, match=r"In \[1\] failed: CellTimeoutError: the cell took longer than 0.5 s"
    ) as caught:
        run_notebook(notebook, tmp_path / "out.ipynb", parameters={}, env={}, timeout_s=0.5)
    assert caught.value.exit_code == ExitCode.FAILED
    assert printed(tmp_path / "out.ipynb") == "stopped the load\n"


def test_kernel_that_dies_is_a_failure(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    """A killed kernel (out of memory) ends the notebook with a clear word, not with a hang."""
    notebook = make_notebook("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(NotebookError, match="kernel's process died"):
        run_notebook(notebook, tmp_path / "out.ipynb", parameters={}, env={})


def test_kernel_that_does_not_start(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    """What Python said on standard error is told, and what to do."""
    notebook = make_notebook("1")
    with pytest.raises(BrokenError, match=r"does not start: .*rror.*pip install"):
        run_notebook(notebook, tmp_path / "out.ipynb", parameters={}, env={"PYTHONHOME": str(tmp_path)})


def test_missing_kernel_says_what_to_install(
    make_notebook: MakeNotebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without ipykernel there is no kernel to be found."""
    monkeypatch.setitem(sys.modules, "ipykernel.kernelspec", None)
    with pytest.raises(BrokenError, match="Is ipykernel installed"):
        run_notebook(make_notebook("1"), tmp_path / "out.ipynb", parameters={}, env={})


def test_output_that_cannot_be_written(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    """A file where the output's folder should be is named."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreError, match="taken"):
        run_notebook(make_notebook("1"), tmp_path / "taken" / "out.ipynb", parameters={}, env={})


def test_runs_in_parallel_with_own_environments(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    """Several at once do not mix environments or outputs, and our working directory stays."""
    notebook = make_notebook(("parameters", "n = 0"), "import os; print(n, os.environ['ATOR_DATA'])")
    before = Path.cwd()

    def run(n: int) -> str:
        out = tmp_path / f"{n}.ipynb"
        return printed(run_notebook(notebook, out, parameters={"n": n}, env={"ATOR_DATA": f"folder-{n}"}))

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(run, range(3))) == [f"{n} folder-{n}\n" for n in range(3)]
    assert Path.cwd() == before


CALLER = """
import sys
from pathlib import Path
from ator_lib.reports.notebook import run_notebook
run_notebook(Path(sys.argv[1]), Path(sys.argv[2]), parameters={}, env={})
"""


def test_interrupt_stops_the_cell_and_leaves_no_kernel(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    """Ctrl-C reaches the cell, which cleans up; then the caller gets its KeyboardInterrupt, and the kernel is gone."""
    notebook = make_notebook(
        f"import os, pathlib; pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))",
        f"import time\ntry:\n    pathlib.Path({str(tmp_path / 'on')!r}).touch()\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    print('stopped the load')",
        "print('never')",
    )
    output = tmp_path / "out.ipynb"
    caller = subprocess.Popen([sys.executable, "-c", CALLER, notebook, output], stderr=subprocess.PIPE, text=True)
    try:
        while not (tmp_path / "on").exists():
            assert caller.poll() is None
            time.sleep(0.05)
        caller.send_signal(signal.SIGINT)
        _, said = caller.communicate(timeout=60)
    finally:
        caller.kill()
    assert said.strip().splitlines()[-1] == "KeyboardInterrupt"
    assert printed(output) == "stopped the load\n"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)

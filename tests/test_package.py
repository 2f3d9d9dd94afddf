"""The package as it is installed: what the wheel carries, what an import costs, what is pinned."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest

import ator_lib

ROOT = Path(ator_lib.__file__).parents[1]
HEAVY = {
    *("pandas", "numpy", "pyarrow", "duckdb", "sqlalchemy", "alembic", "pydantic", "plotly", "panel", "bokeh"),
    *("fastapi", "uvicorn", "locust", "gevent", "papermill", "nbconvert", "typer", "rich"),
}


@pytest.fixture(scope="module")
def wheel_files(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build the wheel from the checkout and give the names of the files in it."""
    folder = tmp_path_factory.mktemp("wheel")
    argv = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    built = subprocess.run(
        [*argv, "--wheel-dir", str(folder), str(ROOT)], capture_output=True, text=True, check=False, timeout=200
    )
    assert built.returncode == 0, f"{built.stderr}\nIts build backend comes with: pip install 'ator[test]'"
    [wheel] = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def source_files(folder: str) -> set[str]:
    """Name the files below a folder of the checkout that are no by-products."""
    paths = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return {p.relative_to(ROOT).as_posix() for p in paths if "__pycache__" not in p.parts and p.name[0] != "."}


def test_wheel_has_every_file_of_both_packages(wheel_files: set[str]) -> None:
    """Templates, migrations and type marker travel with the code."""
    sources = source_files("ator_lib") | source_files("panel_app")
    assert sources <= wheel_files
    assert "ator_lib/py.typed" in sources
    assert any(name.startswith("ator_lib/sql/migrations/versions/") for name in sources)


def test_wheel_has_the_notebooks_inside_the_package(wheel_files: set[str]) -> None:
    """Notebooks are beside the library in the checkout and inside it once installed."""
    notebooks = source_files("notebooks")
    assert {f"ator_lib/{name}" for name in notebooks} <= wheel_files
    assert {"notebooks/execute_run.ipynb", "notebooks/analyze_run.ipynb"} <= notebooks


def test_wheel_claims_no_other_top_level_names(wheel_files: set[str]) -> None:
    """Nobody's ``data``, ``notebooks`` or ``tests`` are shadowed."""
    tops = {name.split("/")[0] for name in wheel_files}
    assert tops == {"ator_lib", "panel_app", f"ator-{ator_lib.__version__}.dist-info"}


def modules_after(statement: str) -> set[str]:
    """Name the top-level modules that a fresh interpreter has loaded after a statement."""
    code = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return set(ended.stdout.split())


def test_import_is_light() -> None:
    """``import ator_lib`` loads nothing heavy; whatever is named is looked up on first use."""
    assert not modules_after("import ator_lib") & HEAVY
    assert "pydantic" in modules_after("import ator_lib.settings")  # what is looked for would be seen


def test_command_line_help_is_light() -> None:
    """The command line knows its commands without the libraries that they use."""
    loaded = modules_after("import ator_lib.cli.app")
    assert not loaded & (HEAVY - {"typer", "rich"})
    assert "typer" in loaded


def test_what_records_a_load_is_light() -> None:
    """It shares a process with the load: no engine, and none of the lines that DuckDB prints when Python ends."""
    loaded = modules_after("import ator_lib.runners.locust, ator_lib.runners._locust_samples")
    assert not loaded & {"duckdb", "sqlalchemy", "pandas", "scipy", "plotly"}
    assert "pyarrow" in loaded


@pytest.mark.parametrize("name", [name for name in ator_lib.__all__ if name != "__version__"])
def test_public_name_is_its_home_s(name: str) -> None:
    """Every public name resolves lazily to the very object of the module that it lives in, or to that module."""
    home = importlib.import_module(f"ator_lib.{ator_lib._HOMES[name]}")
    assert getattr(ator_lib, name) is (home if ator_lib._HOMES[name] == name else getattr(home, name))


def test_public_names_are_all_there_are() -> None:
    """``__all__``, the table of homes and ``dir()`` agree, and other names are refused."""
    assert set(ator_lib.__all__) == {*ator_lib._HOMES, "__version__"}
    assert dir(ator_lib) == sorted(ator_lib.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Lokust'"):
        ator_lib.Lokust  # noqa: B018


def names_in(requirements: Iterable[str]) -> set[str]:
    """Name the packages of requirement lines, extras and versions left out."""
    return {re.split(r"[^\w.-]", line)[0].lower().replace("_", "-") for line in requirements} - {"ator"}


def requirements(*, tests: bool) -> set[str]:
    """Name the packages that the project asks for, all extras included, that of its tests if wanted."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [lines for name, lines in project["optional-dependencies"].items() if tests or name != "test"]
    return names_in([*project["dependencies"], *(line for lines in extras for line in lines)])


def imported_modules() -> set[str]:
    """Name the top-level modules that our packages import anywhere."""
    files = [path for package in ("ator_lib", "panel_app") for path in (ROOT / package).rglob("*.py")]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    plain = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {n.module.split(".")[0] for n in nodes if isinstance(n, ast.ImportFrom) and n.module and not n.level}


def test_imports_are_declared() -> None:
    """What our packages import is required in pyproject.toml, or comes with something that is."""
    declared = requirements(tests=False)
    lines = [line for name in declared for line in distribution(name).requires or [] if "extra ==" not in line]
    known = declared | names_in(lines)
    homes = packages_distributions()
    foreign = imported_modules() - {"ator_lib", "panel_app", *sys.stdlib_module_names}
    assert {m for m in foreign if not names_in(homes.get(m, [m])) & known} == set()


def test_constraints_pin_what_the_project_asks_for() -> None:
    """Every requirement stands in constraints.txt with one exact version, and everything there has hashes."""
    text = (ROOT / "constraints.txt").read_text()
    blocks = re.split(r"\n(?=\S)", text)
    assert {re.match(r"[\w.-]+(?=(\[\w+\])?==)", block).group() for block in blocks} >= requirements(tests=True)  # type: ignore[union-attr]
    assert all("--hash=sha256:" in block for block in blocks)


def test_constraints_carry_no_download_address() -> None:
    """The pins hold with any index: none is named."""
    text = (ROOT / "constraints.txt").read_text()
    assert not re.findall(r"://| @ |--(?:extra-)?index-url|--find-links|--trusted-host", text)

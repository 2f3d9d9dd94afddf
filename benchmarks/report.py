"""What a page costs: its CPU beyond the kernel's own start, its size, and both for a page with ten figures.

The CPU is that of this process and of all that it started, the kernel and the browser among them. The kernel's own
start is that of a notebook that does nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import nbformat
from nbformat import NotebookNode, v4

import ator_lib as ator
from ator_lib.reports.facts import ReportFacts
from ator_lib.reports.html import PLOTLY, export_html
from ator_lib.reports.images import Chromium
from ator_lib.reports.notebook import run_notebook
from ator_lib.reports.secrets import Redaction
from tests.support.shop_runs import ingest_shop_runs

FIGURES = 10


def cost_s(action: Callable[[], object]) -> float:
    """Measure the CPU of an action, with that of the processes that it starts and ends."""
    begin = _cpu_s()
    action()
    return _cpu_s() - begin


def _cpu_s() -> float:
    used = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def written(path: Path, cells: list[NotebookNode]) -> Path:
    """Write a notebook."""
    nbformat.write(v4.new_notebook(cells=cells), path)
    return path


def shown_figures(executed: Path) -> list[NotebookNode]:
    """Give the outputs of a notebook that are figures."""
    cells = nbformat.read(executed, as_version=4).cells
    return [output for cell in cells for output in cell.get("outputs", []) if PLOTLY in output.get("data", {})]


def say(name: str, cpu_s: float, page: Path) -> None:
    """Print what a page costs."""
    pictures = page.read_text().count("report-figure with-picture")
    print(
        f"{name}: {cpu_s:.1f} s of CPU (target: < 10 s), {page.stat().st_size / 1e6:.2f} MB (target: < 7 MB), "
        f"{pictures} pictures",
        flush=True,
    )


def main() -> None:
    """Measure the pages of a run, a comparison and a trend, and one of ten figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ws = ator.connect(folder / "data")
        runs = ingest_shop_runs(ws, folder)
        empty = written(folder / "empty.ipynb", [v4.new_code_cell("pass")])
        kernel_s = min(
            cost_s(lambda: run_notebook(empty, folder / "out.ipynb", parameters={}, env={})) for _ in range(2)
        )
        print(f"kernel's own start: {kernel_s:.1f} s of CPU", flush=True)
        comparison, trend = ws.compare(runs[5:], runs[:5]), ws.trend("shop", metric="p50_ms")
        for kind, subject in {"run": runs[5], "comparison": comparison, "trend": trend}.items():
            page = folder / f"{kind}.html"
            cpu_s = cost_s(lambda subject=subject, page=page: ws.report(subject, page))  # type: ignore[misc]
            say(f"page of a {kind}, beyond the kernel's start", cpu_s - kernel_s, page)
        ws.notebook("compare_runs", folder / "compared.ipynb", parameters=comparison.parameters)
        figures = shown_figures(folder / "compared.ipynb")
        cells = [v4.new_code_cell("", outputs=[figures[place % len(figures)]]) for place in range(FIGURES)]
        ten, page = written(folder / "ten.ipynb", cells), folder / "ten.html"
        about, chromium = ReportFacts(kind="notebook", title="Ten figures"), Chromium.find()
        draw = chromium.draw if chromium else None
        cpu_s = cost_s(lambda: export_html(ten, page, about, redaction=Redaction(), draw=draw))
        say(f"page of {FIGURES} figures, without a kernel", cpu_s, page)


if __name__ == "__main__":
    main()

"""``ws.gate``: real runs, held to gates, with and without something to compare with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import ator_lib
from ator_lib.errors import ConflictError, NotFoundError, UsageError
from ator_lib.settings import load_settings
from ator_lib.workspace.connect import open_workspace
from ator_lib.workspace.gate import Gate
from tests.support.racing import set_end

EXAMPLE = Path(ator_lib.__file__).parents[1] / "data" / "gates" / "shop.yaml"
ENDPOINTS = ("GET /products", "GET /products/{id}", "GET /search", "POST /orders")
RATE = 200


def load(folder: Path, seed: int, *, slower: float = 1.0, stall_s: int = 0, names: Sequence[str] = ENDPOINTS) -> Path:
    """Write 20 s of requests; ``slower`` is the search, and in a stall nothing is answered within 2 s."""
    random = np.random.default_rng(seed)
    lines = ["timeStamp,elapsed,label,responseCode,success"]
    for number in range(20 * RATE):
        name, at_ms = names[number % len(names)], number * 1000 // RATE
        took_ms = random.lognormal(4.5, 0.2) * (slower if "search" in name else 1.0)
        took_ms += 2000 * (5000 <= at_ms < 5000 + 1000 * stall_s)
        is_ok = number % 500 != 0
        start_ms = 1_772_352_000_000 + seed * 100_000 + at_ms
        lines.append(f"{start_ms},{took_ms:.0f},{name},{200 if is_ok else 500},{str(is_ok).lower()}")
    file = folder / f"load-{seed}.jtl"
    file.write_text("\n".join([*lines, ""]))
    return file


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> ator_lib.Workspace:
    """Runs 1 to 3 are alike; the search of run 4 is slower; run 5 stalled."""
    folder = tmp_path_factory.mktemp("gates")
    ws = ator_lib.connect(folder / "data")
    for seed in (1, 2, 3):
        ws.ingest(load(folder, seed), test="shop", stream="main")
    ws.ingest(load(folder, 4, slower=1.8), test="shop", stream="slow")
    ws.ingest(load(folder, 5, stall_s=4), test="shop", stream="stalled", attributes={"planned_rps": 250})
    ws.baselines.pin("release", 1)
    return ws


def outcomes(gate: Gate) -> dict[str, str]:
    return {row.gate: str(row.outcome) for row in gate.rows}


def test_the_example_passes_a_good_run_and_finds_the_slower_search(ws: ator_lib.Workspace) -> None:
    """The gate file that stands beside the demo's data."""
    good, slow = ws.gate(3, EXAMPLE), ws.gate(4, EXAMPLE)
    assert good.verdict in ("passed", "no verdict"), good.headline  # too little evidence is no failure
    assert "failed" not in outcomes(good).values()
    assert (slow.verdict, slow.exit_code) == ("failed", 1)
    failed = [row for row in slow.rows if row.outcome == "failed"]
    assert {row.gate for row in failed} == {'p95 of "%" no worse than 10 %', "nothing got worse"}
    assert failed[0].endpoint == "GET /search"
    assert failed[0].measured == pytest.approx(80, abs=8)
    assert slow.notes[0] == "compared with run 1 (main), run 2 (main), run 3 (main)"


def test_the_first_run_has_no_baseline(ws: ator_lib.Workspace) -> None:
    """No verdict, unless that is allowed: then the gates that need none decide."""
    first = ws.gate(1, EXAMPLE)
    assert (first.verdict, first.exit_code) == ("no verdict", 4)
    assert {row.reason for row in first.rows if row.outcome == "unknown"} == {"no baseline"}
    allowed = ws.gate(1, EXAMPLE, allow_no_baseline=True)
    assert (allowed.verdict, allowed.exit_code) == ("passed", 0)
    assert outcomes(allowed)["nothing got worse"] == "waived"


@pytest.mark.parametrize("baseline", [99, "no-such-name", [1, 99]])
def test_a_baseline_that_is_gone_is_no_pass(ws: ator_lib.Workspace, baseline: Any) -> None:
    """The message says what is gone."""
    gate = ws.gate(3, ["no regression"], baseline)
    assert (gate.exit_code, gate.rows[0].reason) == (4, "no baseline")
    assert ("99" if baseline != "no-such-name" else "no-such-name") in gate.rows[0].message


def test_a_relative_gate_without_any_baseline_says_what_to_write(ws: ator_lib.Workspace) -> None:
    """Neither the file nor the caller named one."""
    gate = ws.gate(3, ["p99 no worse than 10 %", "requests > 1"])
    assert gate.exit_code == 4
    assert gate.rows[0].message.startswith("no baseline is named: give one, or write such as baseline: last-success")


def test_the_callers_baseline_goes_before_the_files(ws: ator_lib.Workspace) -> None:
    """A name that is pinned, a run, several, or a search."""
    gates = {"baseline": 99, "gates": ["no regression"]}
    for baseline in ("release", [1, 2], {"stream": "main", "last": 2}):
        assert ws.gate(3, gates, baseline).rows[0].reason != "no baseline"
    assert ws.gate(3, gates).rows[0].reason == "no baseline"


def test_runs_that_cannot_be_compared_have_no_verdict(ws: ator_lib.Workspace, tmp_path: Path) -> None:
    """Until the check is waived by name, which stands in the notes."""
    other = ws.ingest(load(tmp_path, 6), test="another", stream="main")
    gates = {"baseline": 1, "gates": ["error_rate no worse than 1 point"]}
    gate = ws.gate(other, gates)
    assert (gate.exit_code, gate.rows[0].reason) == (4, "not comparable")
    waived = ws.gate(other, {**gates, "compare": {"waive": ["test"]}})
    assert waived.rows[0].reason != "not comparable"
    assert any(note.startswith("waived check test: ") for note in waived.notes)


def test_a_stall_is_seen_over_time(ws: ator_lib.Workspace) -> None:
    """Four seconds of it; the percentiles of the whole run would show it, too, but not when it was."""
    gates = [
        "never p90 > 1 s for 4 s",  # from the samples
        "never p95 > 1 s for 4 s",  # from the timeline
        "never p95 > 1 s for 5 s",
        'never mean of "POST%" > 1 s for 3 s',
        "never throughput < 150 rps for 2 s",
        "throughput >= 75 % of planned",
        "throughput >= 85 % of planned",
    ]
    gate = ws.gate(5, gates)
    assert list(outcomes(gate).values()) == ["failed", "failed", "passed", "failed", "passed", "passed", "failed"]
    assert gate.rows[0].message.startswith("above 1000 ms for 4 s from 5 s after the start, at worst 2")


def test_apdex_counts_every_request(ws: ator_lib.Workspace) -> None:
    """Against the samples themselves."""
    samples = ws.get(5).samples()
    quick = (samples.success & (samples.duration_ms <= 100)).sum()
    tolerated = (samples.success & (samples.duration_ms > 100) & (samples.duration_ms <= 400)).sum()
    row = ws.gate(5, ["apdex(100 ms) >= 0.9"]).rows[0]
    assert row.measured == pytest.approx((quick + tolerated / 2) / len(samples))


def test_results_in_postgres_give_the_same(ws: ator_lib.Workspace, postgres_url: str, tmp_path: Path) -> None:
    """Samples, timelines and cases are read through the same doors."""
    team = open_workspace(load_settings(data=tmp_path / "team", database_url=postgres_url, results="postgres"))
    team.ingest(load(tmp_path, 5, stall_s=4), test="shop", stream="stalled", attributes={"planned_rps": 250})
    gates = ["never p90 > 1 s for 4 s", "apdex(100 ms) >= 0.9", 'p99 of "%" < 1 s', "throughput >= 95 % of planned"]
    assert team.gate(1, gates).rows == ws.gate(5, gates).rows


def test_a_purged_run_is_judged_by_what_is_left(tmp_path: Path) -> None:
    """To its precision, which is told; Apdex where the histogram leaves no doubt."""
    ws = ator_lib.connect(tmp_path / "data")
    run = ws.ingest(load(tmp_path, 5, stall_s=4))
    gates = ["never p90 > 1 s for 4 s", "never p95 > 1 s for 4 s", "apdex(10 s) >= 0.9", "apdex(100 ms) >= 0.7"]
    before = ws.gate(run, gates)
    set_end(ws.parts, run.run_id, datetime(2020, 1, 1, tzinfo=UTC))
    ws.purge("1d")
    after = ws.gate(run, gates)
    assert outcomes(after) == outcomes(before)
    assert after.rows[0].message.endswith("(percentiles to 1 %, in blocks of 1 s)")
    assert after.rows[1] == before.rows[1]
    score = before.rows[3].measured
    assert ws.gate(run, [f"apdex(100 ms) >= {score}"]).rows[0].reason == "not measured"


def test_cases_are_compared_with_those_before(tmp_path: Path) -> None:
    """By name; a run of cases finds an earlier one of cases as its baseline."""
    ws = ator_lib.connect(tmp_path / "data")
    for number, broken in enumerate(("a", "a", "b")):
        bodies = {name: "<failure message='no'/>" if name == broken else "" for name in "abc"}
        cases = "".join(f"<testcase classname='s' name='{name}'>{body}</testcase>" for name, body in bodies.items())
        stamp = f"2026-11-0{number + 1}T10:00:00"
        file = tmp_path / f"{number}.xml"
        file.write_text(f"<testsuite name='unit' timestamp='{stamp}'>{cases}</testsuite>")
        ws.ingest(file, test="unit", stream="main")
    gates = {"baseline": "previous", "gates": ["no new failures", "pass_rate >= 60 %", "cases >= 3"]}
    assert outcomes(ws.gate(2, gates)) == dict.fromkeys(gates["gates"], "passed")
    assert ws.gate(3, gates).rows[0].message == "1 case, not 0 cases: unit › s.b"
    assert ws.gate(1, gates).rows[0].reason == "no baseline"
    both = ws.gate(3, ["p95 < 1 s", "p99 no worse than 10 %", "no regression"], 2)
    assert {row.message for row in both.rows} == {"the run has no requests"}


def test_a_cancelled_run_passes_nothing(tmp_path: Path) -> None:
    """Its figures are of a part of the test."""
    ws = ator_lib.connect(tmp_path / "data")
    run = ws.register(test="shop")
    ws.ingest(load(tmp_path, 1), run=run)
    with ws.parts.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE test_executions SET status = 'cancelled', status_reason = 'stopped_by_user'")
    gate = ws.gate(run.run_id, ["requests > 1"])
    assert gate.exit_code == 4
    assert "it is cancelled (stopped_by_user)" in gate.rows[0].message


def test_a_run_without_results_is_told(tmp_path: Path) -> None:
    """One that runs still, one that left nothing, and one that is not there."""
    ws = ator_lib.connect(tmp_path)
    with pytest.raises(ConflictError, match="its results are there once it has ended"):
        ws.gate(ws.register(test="shop"), ["requests > 1"])
    ws.complete(1, "success")
    with pytest.raises(NotFoundError, match="run 1 has no results"):
        ws.gate(1, ["requests > 1"])
    with pytest.raises(NotFoundError, match="99"):
        ws.gate(99, ["requests > 1"])


def test_a_gate_file_that_cannot_be_read_is_told(ws: ator_lib.Workspace, tmp_path: Path) -> None:
    """With its name, whatever is wrong with it."""
    binary, wrong = tmp_path / "binary.yaml", tmp_path / "wrong.yaml"
    binary.write_bytes(b"gates: [\xff]")
    wrong.write_text("gates:\n  - p59 < 300 ms\n")
    for path, told in (
        (tmp_path / "none.yaml", "there is no gate file"),
        (tmp_path, "cannot be read"),
        (binary, "is no text in UTF-8: byte 8"),
        (wrong, "wrong.yaml, line 2, gate 1"),
        (None, "gates are no NoneType: give a file's path"),
    ):
        with pytest.raises(UsageError, match=told):
            ws.gate(3, path)


def test_answers_of_all_kinds_say_the_same(ws: ator_lib.Workspace) -> None:
    """JSON, JUnit, Markdown, the table and the notebook's."""
    gate = ws.gate(3, ["requests > 1", "p95 < 1 ms", {"gate": "p99 < 1 ms", "waived": "known"}, "no failed cases"])
    answer = json.loads(json.dumps(gate.to_dict(), allow_nan=False))
    assert (answer["verdict"], answer["exit_code"], answer["run_id"]) == ("failed", 1, 3)
    assert [row["outcome"] for row in answer["rows"]] == ["passed", "failed", "waived", "unknown"]
    assert list(gate.table.outcome) == ["passed", "failed", "waived", "unknown"]
    suite = ElementTree.fromstring(gate.junit().encode())[0]
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["4", "1", "1", "1"]
    lines = gate.markdown().splitlines()
    assert lines[0] == "### Gates of run 3 \\(shop\\): failed"
    assert [line.split(" | ")[1] for line in lines if line.startswith("| ")][2:] == [
        "✘ failed",
        "? unknown",
        "– waived",
        "✔ passed",
    ]
    assert "<table>" in gate._repr_html_()
    assert repr(gate).startswith("Gate('failed: 1 failed, 1 unknown, 1 waived, 1 passed; p95 < 1 ms: ")


def test_what_the_reader_must_know_of_a_run_is_noted(tmp_path: Path) -> None:
    """Made-up figures, and files that end in the middle."""
    ws = ator_lib.connect(tmp_path / "data")
    file = load(tmp_path, 1)
    file.write_bytes(file.read_bytes()[:-20])
    run = ws.ingest(file, test="shop", attributes={"synthetic": True})
    assert ws.gate(run, ["requests > 1"]).notes == (
        "the run is synthetic: nothing of it was measured",
        "the end of the run's files is missing",
    )


def test_names_of_endpoints_are_no_markup(tmp_path: Path) -> None:
    """Whoever names an endpoint writes no HTML, mentions nobody and breaks no table."""
    ws = ator_lib.connect(tmp_path / "data")
    nasty = "GET /<img src=x onerror=alert(1)>|@ada`"
    run = ws.ingest(load(tmp_path, 1, names=(nasty, "GET /b")), test="<script>")
    gate = ws.gate(run, [{"metric": "p95_ms", "of": "%", "below": 1}])
    row = next(line for line in gate.markdown().splitlines() if "failed |" in line)
    assert "\\<img" in row
    assert "\\|@&#8203;ada\\`" in row
    assert "<img" not in gate._repr_html_()
    assert "<script>" not in gate._repr_html_()
    assert ElementTree.fromstring(gate.junit().encode()).find(".//failure") is not None


def test_a_summary_of_many_gates_fits_into_a_comment(ws: ator_lib.Workspace) -> None:
    """GitHub takes 65,536 characters; what failed comes first."""
    gates: list[Any] = [f"p95_ms < {limit}" for limit in range(1, 301)]
    gates = [{"name": "x" * 5000 + str(number), "gate": gate} for number, gate in enumerate(gates)]
    text = ws.gate(3, gates).markdown()
    assert len(text) < 65_536
    assert "… and 250 more gates" in text
    assert "✔ passed" not in text

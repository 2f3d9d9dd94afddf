"""``ator db``: upgrade, show, seed and reset."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

import ator_lib as ator
from ator_lib.cli.app import app
from ator_lib.errors import ConflictError, StoreVersionError
from ator_lib.workspace.database import reset
from ator_lib.workspace.workspace import Workspace


def run(*arguments: object, data: Path) -> Result:
    return CliRunner().invoke(app, ["db", *map(str, arguments), "--data", str(data)])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data folder that is not there yet."""
    return tmp_path / "data"


@pytest.fixture
def published(postgres_url: str) -> str:
    """Return the URL of a database with a published table of two rows."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE test_executions (id UUID PRIMARY KEY, run_id INTEGER, status VARCHAR)")
        row = "INSERT INTO test_executions VALUES (gen_random_uuid(), %s, %s)"
        connection.cursor().executemany(row, [(1, "failed"), (1, "success")])
    return postgres_url


# --- upgrade ---


def test_upgrade_prints_what_it_found(published: str, data: Path) -> None:
    """A line for each oddity; the second time there is nothing to say."""
    first = run("upgrade", "--database-url", published, data=data)
    assert first.exit_code == 0
    assert "- the published table test_executions was taken over with 2 rows" in first.stdout
    assert "- 1 row had the run_id of an earlier row: 1 is 2 now" in first.stdout
    second = run("upgrade", "--database-url", published, data=data)
    assert second.stdout.startswith("up to date: PostgreSQL at ")
    assert second.stdout.count("\n") == 1


def test_upgrade_answers_json(published: str, data: Path) -> None:
    """The report is a list of sentences."""
    answer = json.loads(run("upgrade", "--database-url", published, "--json", data=data).stdout)
    assert any("'failed': 'failure' now" in sentence for sentence in answer["report"])
    assert json.loads(run("upgrade", "--database-url", published, "--json", data=data).stdout)["report"] == []


def test_looking_at_a_teams_database_does_not_upgrade_it(published: str, data: Path) -> None:
    """Others use it: only ``db upgrade`` does, and a look says so."""
    with pytest.raises(StoreVersionError, match="`ator db upgrade` brings it to this version"):
        ator.connect(data, database_url=published)
    with psycopg.connect(published) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [("test_executions",)]


def test_show_says_what_there_is(data: Path) -> None:
    """Tables, columns, references, counts and the newest rows."""
    assert run("seed", data=data).exit_code == 0
    shown = run("show", "--newest", 1, data=data).stdout
    assert "test_executions: 37 rows" in shown
    assert "    ingest_id text not null → ingests.ingest_id" in shown
    assert "    secret_hash text not null (never shown)" in shown
    assert "run_id=37  repo=shop" in shown


def test_show_steers_no_terminal(data: Path) -> None:
    """Names of runs are anybody's text: each value stays on its line and does nothing."""
    ator.connect(data).register(test="\x1b[2Jgone\x9b1m\r\nnext", attributes={"a": "\x1b]0;title\x07"})
    shown = run("show", data=data).stdout
    assert "test=\N{REPLACEMENT CHARACTER}[2Jgone" in shown
    assert not re.search(r"[^\n\x20-\x7e\xa0-\uffff]", shown)
    assert "\nnext" not in shown


def test_show_answers_json(data: Path) -> None:
    """For programs: a list of tables."""
    run("seed", data=data)
    answer = json.loads(run("show", "--json", data=data).stdout)
    tables = {table["name"]: table for table in answer["tables"]}
    assert tables["test_executions"]["rows"] == 37
    assert tables["test_executions"]["newest"][0]["attributes"] == {"synthetic": True, "tags": ["synthetic"]}
    assert {"name": "run_id", "refers_to": "test_executions.run_id"}.items() <= tables["baselines"]["columns"][
        1
    ].items()


def test_seed_says_what_it_made_and_does_it_once(data: Path) -> None:
    """A second time is bad input."""
    assert len(json.loads(run("seed", "--json", data=data).stdout)["run_ids"]) == 37
    again = run("seed", data=data)
    assert (again.exit_code, "synthetic runs already" in again.stderr) == (2, True)


# --- reset ---


@pytest.fixture
def used(data: Path) -> Workspace:
    """Return a workspace with an ended run that has files, and files of somebody else in its folder."""
    workspace = ator.connect(data)
    ended = workspace.register(test="t", location="lab", factor="0.1")
    workspace.parts.registry.supervise(ended.run_id, workspace.parts.supervisor(ended.run_id))
    workspace.complete(ended.run_id, "success")
    workspace.baselines.pin("release", ended.run_id)
    workspace.tokens.create("ci", "runner")
    for name in (f"runs/{ended.run_id}", "runs/4711", "uploads/part-1", "results/somebody-else"):
        (data / name).mkdir(parents=True)
        (data / name / "file").write_text("x")
    (data / "notes.txt").write_text("mine")
    os.utime(data / "uploads" / "part-1", (0, 0))
    return workspace


def rows_of(workspace: Workspace) -> dict[str, int]:
    from ator_lib.sql.overview import overview

    return {table.name: table.rows for table in overview(workspace.parts.engine) if table.rows}


def test_reset_deletes_the_rows_and_what_belongs_to_them(used: Workspace, data: Path) -> None:
    """Runs, locations, baselines, their folders and left uploads; nothing else in the data folder, and no token."""
    done = run("reset", "--yes", data=data)
    assert done.exit_code == 0, done.stderr
    assert "1 test_executions" in done.stderr
    assert rows_of(used) == {"tokens": 1}
    left = sorted(
        str(path.relative_to(data)) for path in data.rglob("*") if path.is_file() and "ator.db" not in path.name
    )
    assert left == ["notes.txt", "results/somebody-else/file", "runs/4711/file"]


def test_reset_answers_json(used: Workspace, data: Path) -> None:
    """With the number of rows of each table."""
    answer = json.loads(run("reset", "--yes", "--tokens", "--json", data=data).stdout)
    assert {"test_executions": 1, "baselines": 1, "tokens": 1, "locations": 1}.items() <= answer["rows"].items()
    assert answer["folders"] == 2
    assert rows_of(used) == {}


def test_run_ids_go_on_after_a_reset(used: Workspace, data: Path) -> None:
    """An old link never shows another run."""
    run("reset", "--yes", data=data)
    assert used.register(test="new").run_id == 2


def test_reset_needs_a_word(used: Workspace, data: Path) -> None:
    """Where nobody can be asked, --yes must be said; nothing is deleted before."""
    refused = run("reset", data=data)
    assert refused.exit_code == 2
    assert "say --yes" in refused.stderr
    assert rows_of(used)["test_executions"] == 1


def test_reset_refuses_while_runs_are_live(used: Workspace, data: Path) -> None:
    """It names them; --force deletes them all the same."""
    live = used.register(test="live", location="lab", factor="0.5")
    refused = run("reset", "--yes", data=data)
    assert refused.exit_code == 2
    assert f"nothing was deleted, as run {live.run_id} is running: wait until they have ended" in refused.stderr
    assert rows_of(used)["test_executions"] == 2
    assert run("reset", "--yes", "--force", data=data).exit_code == 0
    assert rows_of(used) == {"tokens": 1}


def test_seeded_runs_are_no_hindrance(data: Path) -> None:
    """Nothing really runs there."""
    run("seed", data=data)
    assert run("reset", "--yes", data=data).exit_code == 0
    assert run("seed", data=data).exit_code == 0


def test_a_reset_on_postgresql(postgres_url: str, data: Path) -> None:
    """It waits for admissions under way and deletes what there is."""
    workspace = ator.connect(data, database_url=postgres_url)
    workspace.register(test="live", location="lab", factor="0.5")
    with pytest.raises(ConflictError, match="run 1 is running"):
        reset(workspace.parts)
    assert reset(workspace.parts, force=True).rows["test_executions"] == 1
    assert rows_of(workspace) == {}

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, Executable, insert, select, text

from ator_lib.errors import StoreError, UsageError
from ator_lib.sql.engine import open_engine, read, upgrade, write
from ator_lib.sql.tables import locations


def execute(engine: Engine, *statements: Executable) -> None:
    """Execute statements in one write transaction."""
    with write(engine) as connection:
        for statement in statements:
            connection.execute(statement)


def test_sqlite_has_the_promised_pragmas(tmp_path: Path) -> None:
    """WAL, so that readers and the writer do not block each other; foreign keys; synchronous NORMAL."""
    with read(open_engine(tmp_path / "a.db")) as connection:
        values = [
            connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        ]
    assert values == ["wal", 1, 1, 30_000]


def test_an_exception_rolls_back(engine: Engine) -> None:
    """What a failed write transaction wrote is not there."""

    def fail_after_writing() -> None:
        with write(engine) as connection:
            connection.execute(insert(locations).values(name="lab"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_writing()
    with read(engine) as connection:
        assert connection.execute(select(locations)).all() == []


def test_a_write_transaction_holds_sqlites_lock_from_its_start(tmp_path: Path) -> None:
    """A second writer waits, and then says in words that the file is locked; readers go on."""
    first = open_engine(tmp_path / "a.db")
    upgrade(first)
    second = open_engine(tmp_path / "a.db", busy_timeout_s=0.1)
    with write(first):  # which has written nothing yet
        with pytest.raises(StoreError, match=r"a\.db is locked by another process: try again"), write(second):
            pass
        with read(second) as connection:
            assert connection.execute(select(locations)).all() == []


def test_a_lock_on_postgresql_is_not_waited_for_without_end(postgres_url: str) -> None:
    """A process that stops in the middle of a transaction blocks others only for a while."""
    first, second = open_engine(postgres_url), open_engine(postgres_url, busy_timeout_s=0.1)
    upgrade(first)
    lock = text("LOCK TABLE locations")
    with write(first) as connection:
        connection.execute(lock)
        with pytest.raises(StoreError, match="is locked by another process"), write(second) as other:
            other.execute(lock)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_urls_go_through_psycopg(scheme: str) -> None:
    """All spellings that people write mean the driver that ATOR ships with."""
    assert open_engine(f"{scheme}://me@127.0.0.1/db").url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize("url", ["mysql://me:s3cret@h/db", "s3cret", "sqlite://", "postgresql://me:s3cret@h:x/db", ""])
def test_other_urls_are_refused_without_their_password(url: str) -> None:
    """A URL that cannot be used is the caller's error; its words hold no password."""
    with pytest.raises(UsageError, match=r"postgresql://") as caught:
        open_engine(url)
    assert "s3cret" not in str(caught.value)


def test_an_unquoted_at_in_a_password_is_named() -> None:
    """The part behind the '@' would be taken, and shown, as the host."""
    with pytest.raises(UsageError, match="%40") as caught:
        open_engine("postgresql://me:s3c@ret@host/db")
    assert "ret@" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret@127.0.0.1:9/db",
        "postgresql://127.0.0.1:9/db?user=me&password=s3cret",
        "postgresql://me@127.0.0.1:9/db?sslpassword=s3cret",
    ],
)
def test_an_unreachable_postgresql_is_named_without_its_password(url: str) -> None:
    """The error says which server; neither it, nor its cause, nor the engine's repr holds the password."""
    engine = open_engine(url)
    with pytest.raises(StoreError, match=r"PostgreSQL at 127\.0\.0\.1:9, database 'db' cannot be used") as caught:
        upgrade(engine)
    assert "s3cret" not in f"{caught.value!r} {caught.value.__cause__!r} {engine!r} {engine.url}"


def test_missing_psycopg_names_the_extra() -> None:
    """Without the driver the error says what to install."""
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from ator_lib.errors import MissingExtraError\n"
        "from ator_lib.sql.engine import open_engine\n"
        "try: open_engine('postgresql://h/db')\n"
        "except MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "psycopg is not installed. Install it with: pip install 'ator[postgres]'"


def test_a_path_that_cannot_be_opened(tmp_path: Path) -> None:
    """A folder that is a file, that is missing, or that nobody may write to."""
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "a.db", tmp_path / "missing" / "a.db", Path("/proc/a.db")):
        with pytest.raises(StoreError, match=r"a\.db cannot be opened: check that its folder exists"):
            upgrade(open_engine(path))


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """The error says so, and the file is left as it was."""
    path = tmp_path / "ator.db"
    path.write_bytes(b"these are somebody's notes\n" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is not a database: move that file away"):
        upgrade(open_engine(path))
    assert path.read_bytes() == before


def test_a_full_disk(tmp_path: Path) -> None:
    """The error says that the disk is full; what was there before is still there."""
    engine = open_engine(tmp_path / "a.db")
    upgrade(engine)
    limit = text("PRAGMA max_page_count = 1")  # SQLite's own: the file can not become larger than it is now
    with pytest.raises(StoreError, match="the disk is full: free some space"):
        execute(engine, limit, insert(locations).values(name="lab", description="x" * 1_000_000))
    with read(engine) as connection:
        assert connection.execute(select(locations)).all() == []


def test_a_read_only_database(tmp_path: Path) -> None:
    """The error says that the file cannot be written."""
    upgrade(open_engine(tmp_path / "a.db"))
    engine = open_engine(tmp_path / "a.db")
    with pytest.raises(StoreError, match="cannot be written: get write permission"):
        execute(engine, text("PRAGMA query_only = 1"), insert(locations).values(name="lab"))


def test_a_right_that_is_missing_on_postgresql(postgres_url: str) -> None:
    """A role that may not read the tables gets one sentence with its name."""
    engine = open_engine(postgres_url)
    upgrade(engine)
    with pytest.raises(StoreError, match="refused: check the rights"):
        execute(engine, text("SET LOCAL ROLE pg_monitor"), select(locations))


def test_text_that_cannot_be_kept(engine: Engine) -> None:
    """Half a character from a broken command line is the caller's error."""
    with pytest.raises(UsageError, match="cannot be kept"), write(engine) as connection:
        connection.execute(insert(locations).values(name="\udcff"))


def test_values_do_not_stand_in_errors(engine: Engine) -> None:
    """What was to be written is in no error and in no cause: it may be a secret."""
    with pytest.raises(StoreError) as caught, write(engine) as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:value)"), {"value": "s3cret"})
    assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"

"""The edge where the drivers' errors become ATOR's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Engine
from sqlalchemy.exc import DataError, DBAPIError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ator_lib.errors import AtorError, StoreError, StoreUnavailableError, UsageError
from ator_lib.masking import masked

_SQLITE_WORDS = {
    "SQLITE_CANTOPEN": "cannot be opened: check that its folder exists and that you may write to it",
    "SQLITE_READONLY": "cannot be written: get write permission on the file and its folder, or use another data folder",
    "SQLITE_PERM": "cannot be opened: get read and write permission on the file and its folder",
    "SQLITE_BUSY": "is locked by another process: try again when that has ended its work",
    "SQLITE_LOCKED": "is locked by another process: try again when that has ended its work",
    "SQLITE_FULL": "cannot be written, as the disk is full: free some space and try again",
    "SQLITE_IOERR": "cannot be read or written: check the disk (full, gone or failing) and try again",
    "SQLITE_NOTADB": "is not a database: move that file away, or use another data folder",
    "SQLITE_CORRUPT": "is damaged: restore a copy of it, or use another data folder",
}
_SQLITE_PASSING = ("SQLITE_BUSY", "SQLITE_LOCKED")

_LOCKED = {"55P03", "40P01", "40001"}
"""A lock not had in time, a deadlock that was this one's to give up, a serialisation failure."""

_PASSING = {"57P01", "57P02", "57P03", "53300"}
"""Shut down, crashed, starting up, too many connections: it may be there again soon."""

_PASSING_WORDS = ("starting up", "shutting down", "not yet accepting", "in recovery mode", "too many")
"""The same, while connecting: libpq then has no code for it."""


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Raise ATOR's errors in place of the drivers'.

    Raises
    ------
    StoreError
        The database cannot be opened, read or written.
    StoreUnavailableError
        It cannot be reached, went away, or is locked by somebody else.
    UsageError
        A value cannot be kept (a NUL character, a time without a zone, no JSON …).
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise UsageError(f"a text cannot be kept: {error.reason}; give valid Unicode") from error
    except PoolTimeoutError as error:
        raise StoreUnavailableError(
            f"all connections to {shown(engine.url)} are in use: try again in a while"
        ) from error
    except StatementError as error:
        # the driver's own text may hold what it was given, so an error with a secret in it is not chained
        cause = None if _scrubbed(str(error), engine.url) != str(error) else error
        raise _translate(error, engine.url) from cause


def constraint_of(error: DBAPIError) -> str | None:
    """Name the constraint or unique index that a row broke, where the driver says so: on PostgreSQL."""
    diagnosis = getattr(error.orig, "diag", None)
    return getattr(diagnosis, "constraint_name", None)


def is_passing(sqlstate: str) -> bool:
    """Whether PostgreSQL may well do it when it is asked again."""
    return sqlstate in _PASSING | _LOCKED or sqlstate.startswith("08")


def shown(url: URL) -> str:
    """Say where a database is, without its password and options."""
    if url.get_backend_name() == "sqlite":
        return f"the database {Path(url.database or '').absolute()}"
    host = url.host or url.query.get("host") or "the local socket"
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL at {host}{port}, database {url.database or url.username or 'postgres'!r}"


def _translate(error: StatementError, url: URL) -> AtorError:
    if not isinstance(error, DBAPIError) or isinstance(error, DataError):
        return UsageError(f"a value cannot be kept: {_line(error, url)}")
    if url.get_backend_name() == "sqlite":
        return _translate_sqlite(error, url)
    if getattr(error.orig, "sqlstate", None) in _LOCKED:
        return StoreUnavailableError(
            f"{shown(url)} is locked by another process: try again when that has ended its work"
        )
    if isinstance(error, OperationalError) or error.connection_invalidated:
        kind = StoreUnavailableError if _is_away(error) else StoreError
        return kind(f"{shown(url)} cannot be used: check that it runs and what the URL says ({_line(error, url)})")
    return StoreError(
        f"{shown(url)} refused: check the rights of {url.username!r} and the tables ({_line(error, url)})"
    )


def _is_away(error: DBAPIError) -> bool:
    """Whether asking again may do: a server that says no for good, to a password for example, is not away."""
    code = getattr(error.orig, "sqlstate", None)
    if error.connection_invalidated or code is not None:
        return error.connection_invalidated or code in _PASSING
    words = str(error.orig)
    return "FATAL:" not in words or any(passing in words for passing in _PASSING_WORDS)


def _translate_sqlite(error: DBAPIError, url: URL) -> StoreError:
    code: str = getattr(error.orig, "sqlite_errorname", "")
    for name, words in _SQLITE_WORDS.items():
        if code.startswith(name):  # SQLITE_READONLY_DBMOVED is a kind of SQLITE_READONLY
            return (StoreUnavailableError if name in _SQLITE_PASSING else StoreError)(f"{shown(url)} {words}")
    return StoreError(f"{shown(url)} refused: check that it is ATOR's own file ({_line(error, url)})")


def _line(error: StatementError, url: URL) -> str:
    """Make one short line without secrets of the driver's words."""
    words = " ".join(str(error.orig or error).split())
    return _scrubbed(words, url)[:300]


def _scrubbed(text: str, url: URL) -> str:
    return masked(text, [url.password] if url.password else [])

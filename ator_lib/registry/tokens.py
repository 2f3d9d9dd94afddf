"""API tokens: who may use a server, and as what.

A token is the text ``ator_<token_id>_<secret>``. The id is public and finds the row; of the secret
only a hash is kept. Both are hexadecimal, so that the parts are told apart, and scanners for
secrets that were published by mistake can look for the form.
"""

from __future__ import annotations

import re
import secrets
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, and_, bindparam, insert, or_, select, text, update

from ator_lib.errors import ConflictError, NotFoundError, UsageError
from ator_lib.model import Role, Token
from ator_lib.registry.checks import checked_name
from ator_lib.sql.engine import read, write
from ator_lib.sql.tables import tokens
from ator_lib.sql.types import Clock

_PREFIX = "ator_"
_TEXT = re.compile(r"ator_([0-9a-f]{16})_([0-9a-f]{64})")
_SECRET_BYTES = 32
_LONGEST_LIFE_S = 100 * 366 * 24 * 3600
_USE_NOTED_EACH_S = 60
"""How exact ``last_used_at`` is: noting every use would make each read of a client a write."""

_NO_HASH = "0" * 64

_c = tokens.c
_columns: tuple[Any, ...] = tuple(column for column in tokens.c if column is not _c.secret_hash)
_is_usable = and_(_c.revoked_at.is_(None), or_(_c.expires_at.is_(None), _c.expires_at > Clock()))
_is_unnoted = or_(_c.last_used_at.is_(None), _c.last_used_at < Clock(-_USE_NOTED_EACH_S))
_this_one = _c.token_id == bindparam("this_token")

_INSERT = insert(tokens).returning(*_columns)
_SHOWN: Select[Any] = select(*_columns, _c.secret_hash, _is_unnoted.label("is_unnoted")).where(_this_one, _is_usable)
_NOTE_USE = update(tokens).where(_this_one, _is_unnoted).values(last_used_at=Clock())
_USABLE_NAMED = select(*_columns).where(_c.name == bindparam("this_name"), _is_usable)
_ANY_USABLE = select(_c.token_id).where(_is_usable).limit(1)
_LIST = select(*_columns).order_by(_c.created_at, _c.token_id)
_REVOKE = update(tokens).where(_this_one, _c.revoked_at.is_(None)).values(revoked_at=Clock())
_GET = select(*_columns).where(_this_one)


class Tokens:
    """Makes, checks and revokes the tokens of one database.

    Nothing is cached: a revoked token is refused from the next request on. The database's clock
    decides on expiry. Every method raises ``StoreError`` when the database cannot be used.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, name: str, role: Role | str, *, expires_in_s: float | None = None) -> tuple[Token, str]:
        """Make a token.

        Parameters
        ----------
        name
            Whom it is for; 1 to 200 printable characters.
        role
            ``viewer``, ``runner`` or ``admin``.
        expires_in_s
            Seconds that it holds; ``None`` is until it is revoked.

        Returns
        -------
        tuple
            What is kept of it, and its text, which is given this once.

        Raises
        ------
        ConflictError
            A usable token has that name.
        UsageError
            The name, the role or the time is off.
        """
        secret = secrets.token_hex(_SECRET_BYTES)
        values = {
            "token_id": secrets.token_hex(8),
            "name": _checked_name(name),
            "role": _checked_role(role).value,
            "secret_hash": _hash(secret),
            "created_at": Clock(),
            "expires_at": None if expires_in_s is None else Clock(_checked_life(expires_in_s)),
        }
        with write(self._engine) as connection:
            _hold(connection)
            if connection.execute(_USABLE_NAMED, {"this_name": name}).first() is not None:
                raise ConflictError(
                    f"there is a token named {name!r} already; choose another name, or revoke that one: "
                    f"ator token revoke {name!r}"
                )
            token = _token_of(connection.execute(_INSERT.values(values)).one())
        return token, f"{_PREFIX}{token.token_id}_{secret}"

    def list(self) -> list[Token]:
        """Return all tokens, oldest first, also those that do not hold any more."""
        with read(self._engine) as connection:
            return [_token_of(row) for row in connection.execute(_LIST)]

    def revoke(self, token: str) -> Token:
        """Let a token hold no more; once more changes nothing.

        Parameters
        ----------
        token
            Its id, the name of a usable one, or its whole text (one that was found in a log).

        Raises
        ------
        NotFoundError
            There is no such token.
        """
        with write(self._engine) as connection:
            found = _find(connection, token)
            connection.execute(_REVOKE, {"this_token": found.token_id})
            return _token_of(connection.execute(_GET, {"this_token": found.token_id}).one())

    def authenticate(self, secret: str) -> Token | None:
        """Return the token of this text, or ``None`` if it does not hold; notes the use, to the minute.

        It does the same whether there is no such token or only the secret is wrong.
        """
        parts = _TEXT.fullmatch(secret)
        if parts is None:
            return None
        with read(self._engine) as connection:
            row = connection.execute(_SHOWN, {"this_token": parts[1]}).one_or_none()
        is_right = compare_digest(row.secret_hash if row is not None else _NO_HASH, _hash(parts[2]))
        if row is None or not is_right:
            return None
        if row.is_unnoted:
            with write(self._engine) as connection:  # asks again: others may have noted theirs meanwhile
                connection.execute(_NOTE_USE, {"this_token": row.token_id})
        return _token_of(row)

    def any_usable(self) -> bool:
        """Whether anybody could come in by a token now."""
        with read(self._engine) as connection:
            return connection.execute(_ANY_USABLE).first() is not None


def _hash(secret: str) -> str:
    # A slow hash protects what people choose. This is 256 random bits, which nobody can try through,
    # and it is checked on every request.
    return sha256(secret.encode()).hexdigest()


def _hold(connection: Connection) -> None:
    """Let two tokens of one name not be made at the same time; SQLite holds its write lock already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE tokens IN SHARE ROW EXCLUSIVE MODE"))


def _find(connection: Connection, token: str) -> Row[Any]:
    parts = _TEXT.fullmatch(token)
    by_id = connection.execute(_GET, {"this_token": parts[1] if parts else token}).one_or_none()
    row = by_id or connection.execute(_USABLE_NAMED, {"this_name": token}).one_or_none()
    if row is None:
        # whoever meant to give a whole token must not find it in a log
        shown = f"{_PREFIX}…" if token.startswith(_PREFIX) else token
        raise NotFoundError(f"there is no usable token {shown!r}; see the names and ids with: ator token list")
    return row


def _checked_name(name: str) -> str:
    if name.strip().startswith(_PREFIX):  # which no message must show
        raise UsageError(f"a token's name cannot begin with {_PREFIX!r}, as tokens themselves do; choose another")
    return checked_name("a token", name)


def _checked_role(role: Role | str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise UsageError(f"there is no role {role!r}; give one of {', '.join(Role)}") from None


def _checked_life(expires_in_s: float) -> float:
    if not 0 < expires_in_s <= _LONGEST_LIFE_S:
        raise UsageError(
            f"a token cannot expire in {expires_in_s} s; give seconds above 0 and up to a hundred years, or none"
        )
    return float(expires_in_s)


def _token_of(row: Row[Any]) -> Token:
    known = {column.name: getattr(row, column.name) for column in _columns}
    return Token(**{**known, "role": Role(row.role)})

"""Tokens: given once, kept as a hash, refused from the moment they are revoked or over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ator_lib.errors import ConflictError, NotFoundError, UsageError
from ator_lib.model import Role, Token
from ator_lib.registry import tokens as module
from ator_lib.registry.tokens import Tokens
from ator_lib.sql.engine import open_engine, upgrade, write

OTHER_SECRET = "0" * 64

Statements = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def tokens(engine: Engine) -> Tokens:
    """Return the tokens of a fresh database."""
    return Tokens(engine)


@pytest.fixture
def set_times(engine: Engine) -> Callable[[Token, str, str], None]:
    """Return a function that moves one of a token's times."""

    def move(token: Token, column: str, time: str) -> None:
        with write(engine) as connection:
            statement = f"UPDATE tokens SET {column} = '{time}' WHERE token_id = '{token.token_id}'"
            assert connection.execute(text(statement)).rowcount == 1

    return move


@pytest.fixture
def comparisons(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """List what is compared in constant time; the real comparison decides."""
    seen: list[tuple[str, str]] = []
    real = module.compare_digest

    def compare(kept: str, shown: str) -> bool:
        seen.append((kept, shown))
        return real(kept, shown)

    monkeypatch.setattr(module, "compare_digest", compare)
    return seen


def test_a_token_is_known_by_its_text(tokens: Tokens) -> None:
    """The text that was given once brings the token back, with its name and role."""
    made, secret = tokens.create("ci", "runner")

    assert secret.startswith(f"ator_{made.token_id}_")
    assert (made.name, made.role, made.expires_at, made.last_used_at) == ("ci", Role.RUNNER, None, None)
    assert tokens.authenticate(secret) == made


def test_no_two_tokens_are_alike(tokens: Tokens) -> None:
    """Each has an id and a secret of its own."""
    secrets = {tokens.create(f"t{n}", Role.VIEWER)[1] for n in range(20)}

    assert len({secret.split("_")[1] for secret in secrets}) == len({secret.split("_")[2] for secret in secrets}) == 20


def test_a_wrong_secret_and_an_unknown_id_are_refused_by_the_same_work(
    tokens: Tokens, comparisons: list[tuple[str, str]], statements: Statements
) -> None:
    """Both ask the database once and compare two hashes in constant time."""
    made, secret = tokens.create("ci", "viewer")
    with statements() as for_wrong:
        assert tokens.authenticate(f"ator_{made.token_id}_{OTHER_SECRET}") is None
    with statements() as for_unknown:
        assert tokens.authenticate(f"ator_{'f' * 16}_{secret[-64:]}") is None

    assert for_wrong == for_unknown
    assert [tuple(map(len, pair)) for pair in comparisons] == [(64, 64), (64, 64)]


def test_a_text_of_another_form_is_refused(tokens: Tokens) -> None:
    """Nothing is trimmed or folded: it is the text or it is not. Whatever else is sent is no error."""
    _, secret = tokens.create("ci", "viewer")
    changed = [secret.upper(), secret + "0", secret[:-1], secret + "\n", " " + secret, secret.replace("_", "-")]
    odd = ["", "\0", "\ud800", "ator_", "ator__", "ator_%_%", "٣" * 80, "x" * 10_000_000]

    assert [tokens.authenticate(text) for text in changed + odd] == [None] * 14


def test_a_revoked_token_is_refused_at_once(tokens: Tokens) -> None:
    """Also when it was used just before; revoking once more keeps the first time."""
    _, secret = tokens.create("ci", "admin")
    assert tokens.authenticate(secret) is not None
    revoked = tokens.revoke("ci")

    assert revoked.revoked_at is not None
    assert tokens.authenticate(secret) is None
    assert tokens.revoke(revoked.token_id) == revoked


def test_a_token_is_revoked_by_its_name_its_id_or_its_whole_text(tokens: Tokens) -> None:
    """Whoever finds one in a log can give what was found."""
    by_name, by_id, by_text = (tokens.create(name, "viewer") for name in ("a", "b", "c"))
    for said, (made, secret) in ((("a"), by_name), (by_id[0].token_id, by_id), (by_text[1], by_text)):
        assert tokens.revoke(said).token_id == made.token_id
        assert tokens.authenticate(secret) is None


def test_an_expired_token_is_refused_by_the_databases_clock(
    tokens: Tokens, set_times: Callable[[Token, str, str], None]
) -> None:
    """What counts is the time in the database, whatever the clock of this machine says."""
    made, secret = tokens.create("ci", "viewer", expires_in_s=3600)
    assert made.expires_at is not None
    assert (made.expires_at - made.created_at).total_seconds() == pytest.approx(3600, abs=1)
    assert tokens.authenticate(secret) is not None
    set_times(made, "expires_at", "2020-01-01 00:00:00.000000")

    assert tokens.authenticate(secret) is None
    assert not tokens.any_usable()


def test_use_is_noted_at_most_once_a_minute(
    tokens: Tokens, statements: Statements, set_times: Callable[[Token, str, str], None]
) -> None:
    """Reading with a token stays reading: only the first use in a minute writes."""
    made, secret = tokens.create("ci", "viewer")
    with statements() as first:
        tokens.authenticate(secret)
    (noted,) = tokens.list()
    with statements() as second:
        tokens.authenticate(secret)

    assert sum(statement.startswith("UPDATE") for statement in first) == 1
    assert not any(statement.startswith("UPDATE") for statement in second)
    assert noted.last_used_at is not None
    assert tokens.list() == [noted]

    set_times(made, "last_used_at", "2020-01-01 00:00:00.000000")
    tokens.authenticate(secret)
    assert (tokens.list()[0].last_used_at or noted.created_at) >= noted.last_used_at


def test_a_refused_token_is_not_noted_as_used(tokens: Tokens) -> None:
    """Guessing leaves no trace in ``last_used_at``."""
    made, _ = tokens.create("ci", "viewer")
    tokens.authenticate(f"ator_{made.token_id}_{OTHER_SECRET}")

    assert tokens.list() == [made]


def test_a_name_is_free_again_when_its_token_holds_no_more(tokens: Tokens) -> None:
    """A usable token's name is taken; after its end the next one may have it."""
    first, _ = tokens.create("ci", "viewer")
    with pytest.raises(ConflictError, match=r"named 'ci' already.*ator token revoke 'ci'"):
        tokens.create("ci", "admin")
    tokens.revoke("ci")
    second, _ = tokens.create("ci", "admin")

    assert {token.token_id for token in tokens.list()} == {first.token_id, second.token_id}
    assert tokens.revoke("ci").token_id == second.token_id


def test_one_of_many_gets_a_name(engine: Engine) -> None:
    """Of several that make a token of one name at the same time, one succeeds."""
    came: list[type] = []

    def make() -> None:
        try:
            came.append(type(Tokens(engine).create("ci", "viewer")))
        except ConflictError as error:
            came.append(type(error))

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(kind.__name__ for kind in came) == ["ConflictError"] * 5 + ["tuple"]


def test_names_are_checked(tokens: Tokens) -> None:
    """Names stand in tables and logs: they are short, can be printed, and are no token pasted by mistake."""
    for name in ("", "  ", "x" * 501, "a\0b", "a\nb", "a\x1b[2J", "a\ud800", "a\u202eb", "ator_x"):
        with pytest.raises(UsageError, match="name"):
            tokens.create(name, "viewer")
    assert tokens.list() == []


def test_names_may_be_anything_that_is_printed(tokens: Tokens) -> None:
    """They come back as they went in."""
    names = ["x" * 200, "CI of Zoë's team – 東京", "'; DROP TABLE tokens; --", "100%_\\"]
    made = [tokens.create(name, "viewer")[0] for name in names]

    assert {token.name for token in tokens.list()} == set(names)
    assert [tokens.revoke(name).token_id for name in names] == [token.token_id for token in made]


def test_unknown_roles_are_refused(tokens: Tokens) -> None:
    """The message lists those that there are."""
    for role in ("", "root", "ADMIN"):
        with pytest.raises(UsageError, match="viewer, runner, admin"):
            tokens.create("ci", role)


def test_impossible_times_are_refused(tokens: Tokens) -> None:
    """Nothing is made of them."""
    for expires_in_s in (0, -1, float("nan"), float("inf"), 1e30):
        with pytest.raises(UsageError, match="cannot expire in"):
            tokens.create("ci", "viewer", expires_in_s=expires_in_s)
    assert tokens.list() == []


def test_revoking_what_is_not_there_says_what_to_do(tokens: Tokens) -> None:
    """The message names what was given and how to see what there is."""
    with pytest.raises(NotFoundError, match=r"no usable token 'cd'.*ator token list"):
        tokens.revoke("cd")


def test_a_token_that_cannot_be_revoked_is_not_shown(tokens: Tokens) -> None:
    """Somebody's secret does not get into a log by a failed command."""
    with pytest.raises(NotFoundError) as failed:
        tokens.revoke(f"ator_{'a' * 16}_{OTHER_SECRET}")

    assert OTHER_SECRET not in str(failed.value)


def test_whether_anybody_could_come_in(tokens: Tokens) -> None:
    """Revoked tokens do not count."""
    assert not tokens.any_usable()
    tokens.create("ci", "viewer")
    assert tokens.any_usable()
    tokens.revoke("ci")
    assert not tokens.any_usable()


def test_the_secret_is_in_no_repr(tokens: Tokens) -> None:
    """What a notebook shows of a token is not enough to use it."""
    made, secret = tokens.create("ci", "viewer")

    assert secret[-64:] not in repr(made) + repr(tokens.list()) + repr(replace(made, name="other"))


def test_the_secret_is_not_in_the_database(tmp_path: Path) -> None:
    """No byte of the folder's files gives it away, neither as text nor as bytes."""
    engine = open_engine(tmp_path / "ator.db")
    upgrade(engine)
    tokens = Tokens(engine)
    _, secret = tokens.create("a-name-to-find", "viewer")
    tokens.authenticate(secret)
    tokens.revoke("a-name-to-find")
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())  # the database and its write-ahead log
    engine.dispose()

    assert b"a-name-to-find" in content
    assert secret[-64:].encode() not in content
    assert bytes.fromhex(secret[-64:]) not in content

from __future__ import annotations

import pytest

from ator_lib.reports.secrets import Redaction


@pytest.mark.parametrize(
    ("environment", "said", "shown"),
    [
        ({"ATOR_DATABASE_URL": "postgresql://ann:pw@db/ator"}, "at ann:pw@db, pw", "at ann:***@db, pw"),
        ({"ATOR_DATABASE_URL": "postgresql://ann:a%2Fb-long@db"}, "a/b-long and a%2Fb-long", "*** and ***"),
        ({"CI_JOB_TOKEN": "glpat-123456"}, "Bearer glpat-123456", "Bearer ***"),
        ({"DB_PASSWORD": "hunter2", "MY_SECRET": "hunter2-long"}, "hunter2-long hunter2", "*** ***"),
        ({"USE_TOKEN": "true", "HOME": "/home/ann"}, "true /home/ann", "true /home/ann"),
        ({"BROKEN": "http://[oops"}, "http://[oops", "http://[oops"),
    ],
)
def test_passwords_and_tokens_are_masked(environment: dict[str, str], said: str, shown: str) -> None:
    """Passwords of URLs and values of variables named like secrets go; ordinary values stay."""
    redaction = Redaction(environment)
    assert redaction.scrub({"data": [said, 3, None]}) == {"data": [shown, 3, None]}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("no route to http://ann:pw@shop/a", "no route to http://ann:***@shop/a"),
        ("Authorization: Basic dXNlcjpwdw== was refused", "Authorization: Basic *** was refused"),
        ('{"authorization": "abc", "a": 1}', '{"authorization": "***", "a": 1}'),
        ("curl -H 'X: Bearer eyJ0.eyJ1'", "curl -H 'X: Bearer ***'"),
        ("GET /login?api_key=1&page=2", "GET /login?api_key=***&page=2"),
        ("password=x; token = glpat-1234", "password=***; token = ***"),
        ("tokens per second: 12; invalid token: must not be empty", None),
        ("Basic authentication failed for user:group at 10:30", None),
    ],
)
def test_a_text_that_says_what_is_secret(said: str, shown: str | None) -> None:
    """What nobody named is found by the words around it; ordinary sentences stay."""
    assert Redaction().scrub(said) == (said if shown is None else shown)


def test_names_within_are_secret_too() -> None:
    """Of attributes and documents what is named like a secret is masked, and wherever it is said again."""
    redaction = Redaction({"run": {"headers": {"X-Api-Key": "Key k3y-<of>-ann"}, "git_commit": "c0ffee123"}})
    said = {"api_token": "any", "lines": ["k3y-<of>-ann k3y-&lt;of&gt;-ann c0ffee123"], "tokens": 3}
    assert redaction.scrub(said) == {"api_token": "***", "lines": ["*** *** c0ffee123"], "tokens": 3}


def test_long_texts_take_no_long_time() -> None:
    """A figure's bytes are megabytes of letters; every pattern goes over them once."""
    assert Redaction().scrub("token" + "a-" * 1_000_000).startswith("token")

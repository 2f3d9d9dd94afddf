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

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from ator_lib.analysis.trend.query import TrendQuery
from ator_lib.errors import UsageError


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"metric": "p96_ms"}, "no metric 'p96_ms': did you mean 'p9"),
        ({"metric": "name"}, "no metric 'name'"),
        ({"last": 0}, "last=0"),
        ({"last": True}, "last=True"),
        ({"last": 2**63}, "last=9223372036854775808"),
        ({"minimum_effect": -0.1}, "minimum_effect=-0.1"),
        ({"minimum_effect": float("nan")}, "minimum_effect=nan"),
        ({"minimum_effect": "much"}, "minimum_effect='much'"),
        ({"by": ""}, "by=''"),
        ({"by": ["name"]}, "by=['name']"),
        ({"test": None}, "a trend is of a test"),
        ({"by": 'a"b'}, "by='a\"b'"),
    ],
)
def test_what_cannot_be_asked(asked: dict[str, Any], words: str) -> None:
    """The message says what would do."""
    with pytest.raises(UsageError) as error:
        TrendQuery(**{"test": "checkout", **asked})
    assert words in str(error.value)


def test_a_query_is_ready_for_json() -> None:
    """And asks for the same again."""
    query = TrendQuery(test=("a", "b"), since=date(2026, 1, 31), last=5)
    known = json.loads(json.dumps(query.to_dict()))
    assert known["since"] == "2026-01-31"
    assert TrendQuery(**known).to_dict() == query.to_dict()
    assert query.where() == {"test": ("a", "b"), "since": date(2026, 1, 31)}

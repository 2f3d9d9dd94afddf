"""Gates as people say them: a short text becomes the fields that a mapping would have."""

from __future__ import annotations

import re

from ator_lib.analysis.gates.measures import measure_of

LONGEST = 1000
"""Characters of a text that are looked at."""

EXAMPLE = 'p95_ms of "GET /orders" < 300 ms'

_METRIC = r"(?:(?P<metric>apdex)\s*\(\s*(?P<target>[^)]*?)\s*\)|(?P<name>[\w.]+))"
_OF = r"""(?:\s+of\s+(?:"(?P<double>[^"]+)"|'(?P<single>[^']+)'|(?P<plain>[^"'\s].*?)))?"""
_LIMIT = re.compile(
    rf"(?P<never>never\s+)?{_METRIC}{_OF}\s*(?P<sign><=|>=|==|[<>=≤≥])\s*(?P<quantity>[^<>=≤≥]+?)"
    r"(?:\s+for\s+(?P<for>[^<>=]+?))?(?:\s+after\s+(?P<after>[^<>=]+?))?",
    re.DOTALL,
)
_NO_WORSE = re.compile(rf"{_METRIC}{_OF}\s+no\s+worse\s+than\s+(?P<quantity>.+)", re.DOTALL)
_WITHOUT = re.compile(rf"no\s+(?P<without>\w+(?:\s+(?!of\b)\w+)?){_OF}", re.DOTALL)

_FIELDS = {"<": "below", "<=": "at_most", "≤": "at_most", ">": "above", ">=": "at_least", "≥": "at_least"}
_NEVER = {">": "never_above", "<": "never_below"}


def fields_of(text: str) -> dict[str, object]:
    """Read a gate's text.

    Raises
    ------
    ValueError
        It cannot be read; the message says what to write.

    Examples
    --------
    >>> fields_of('p95_ms of "POST /orders" < 300')
    {'metric': 'p95_ms', 'of': 'POST /orders', 'below': '300'}
    >>> fields_of("never p90 > 1 s for 10 s")
    {'metric': 'p90', 'never_above': '1 s', 'for': '10 s'}
    >>> fields_of("p99 no worse than 10 %")
    {'metric': 'p99', 'no_worse_than': '10 %'}
    """
    text = text.strip()
    if len(text) > LONGEST:
        raise ValueError(f"the text is longer than {LONGEST} characters")
    if found := _WITHOUT.fullmatch(text):
        return {"without": " ".join(found["without"].split()), **_endpoint(found)}
    if found := _NO_WORSE.fullmatch(text):
        return {**_subject(found), "no_worse_than": found["quantity"]}
    if found := _LIMIT.fullmatch(text):
        return {**_subject(found), **_limit(found)}
    raise ValueError(_unreadable(text))


def _subject(found: re.Match[str]) -> dict[str, object]:
    target = {} if found["target"] is None else {"target": found["target"]}
    return {"metric": found["metric"] or found["name"], **target, **_endpoint(found)}


def _endpoint(found: re.Match[str]) -> dict[str, object]:
    of = found["double"] or found["single"] or found["plain"]
    return {} if of is None else {"of": of}


def _limit(found: re.Match[str]) -> dict[str, object]:
    sign, quantity = found["sign"], found["quantity"]
    times = {name: found[name] for name in ("for", "after") if found[name] is not None}
    if not (found["never"] or times):
        return {_FIELDS.get(sign, "equals"): quantity}
    is_clear = found["never"] or (sign in _NEVER and _is_bad(sign, found["metric"] or found["name"]))
    if sign not in _NEVER or not is_clear:
        raise ValueError("over time, a gate says what must never be: write such as never p90 > 1 s for 10 s")
    return {_NEVER[sign]: quantity, **times}


def _is_bad(sign: str, metric: str) -> bool:
    """Whether nobody wants a metric on that side, so that ``never`` goes without saying."""
    return measure_of(metric).higher_is_better is (sign == "<")


def _unreadable(text: str) -> str:
    if any(text.count(quote) % 2 for quote in "\"'"):
        return (
            'a quote is not closed (in YAML, " #" begins a comment and ": " a mapping: put the whole text in '
            f"single quotes): write such as {EXAMPLE}"
        )
    return (
        f"this is no gate that can be read: write such as {EXAMPLE}, never p90 > 1 s for 10 s, "
        "p99 no worse than 10 %, apdex(500 ms) >= 0.9, or no new failures"
    )

"""Gate files: what they may say, and how exactly they are told what is wrong."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ator_lib.analysis.gates.document import CompareEntry, gates_of, read_gates
from ator_lib.analysis.gates.model import Bound, GateSpec
from ator_lib.analysis.options import CompareOptions
from ator_lib.errors import UsageError


def gate(text: object) -> GateSpec:
    (found,) = gates_of([text]).gates  # type: ignore[list-item]
    return found


def problem(text: str) -> str:
    with pytest.raises(UsageError) as raised:
        read_gates(text, "gates.yaml")
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "demand", "value"),
    [
        ('p95_ms of "POST /orders" < 300', "below", Bound(value=300)),
        ("p95 <= 1.5 s", "at_most", Bound(value=1500)),
        ("mean ≤ 2 min", "at_most", Bound(value=120_000)),
        ("duration_s >= 2 min", "at_least", Bound(value=120)),
        ("error_rate < 1 %", "below", Bound(value=0.01)),
        ("error_rate < 0.01", "below", Bound(value=0.01)),
        ("requests > 1_000 requests", "above", Bound(value=1000)),
        ("throughput >= 600 rpm", "at_least", Bound(value=10)),
        ("throughput >= 95 % of planned", "at_least", Bound(value=0.95, of_planned=True)),
        ("p99.9 < 1 s", "below", Bound(value=1000)),
        ("apdex(500 ms) of 'GET /a' >= 0.9", "at_least", Bound(value=0.9)),
        ("failed_cases = 0", "equals", Bound(value=0)),
        ("pass_rate of unit >= 99 %", "at_least", Bound(value=0.99)),
        ("never p90 > 1 s for 10 s", "never_above", Bound(value=1000)),
        ("never throughput of GET /a < 10 rps for 1 min after 30 s", "never_below", Bound(value=10)),
        ("p99 no worse than 10 %", "no_worse_than", 0.1),
        ("error_rate no worse than 1 point", "no_worse_than", 0.01),
        ("no new failures", "without", "new failures"),
        ("no failed cases of smoke", "without", "failed cases"),
        ("no regression of GET /a", "without", "regression"),
    ],
)
def test_texts_say_what_they_mean(text: str, demand: str, value: object) -> None:
    """Each text asks for one thing, in the unit of its measure."""
    found = gate(text)
    assert (found.demand, getattr(found, found.demand)) == (demand, value)


def test_over_time_says_what_must_never_be() -> None:
    """Without "never", too, where only one reading makes sense."""
    for text in ("never p90 > 1 s for 10 s", "p90 > 1 s for 10 s"):
        assert (gate(text).never_above, gate(text).for_s) == (Bound(value=1000), 10)
    with pytest.raises(UsageError, match="what must never be: write such as never p90 > 1 s for 10 s"):
        gate("p90 < 1 s for 10 s")


@pytest.mark.parametrize(
    "fields",
    [
        {"metric": "p95_ms", "of": "GET /a", "below": "300 ms"},
        {"metric": "p90_ms", "never_above": "1 s", "for": "10 s"},
        {"metric": "apdex", "target": "500 ms", "at_least": 0.9},
        {"metric": "throughput_rps", "at_least": "95 % of planned"},
        {"metric": "p99_ms", "no_worse_than": "10 %"},
        {"metric": "error_rate", "no_worse_than": "1 point"},
        {"without": "new failures"},
    ],
)
def test_fields_have_a_text_that_means_the_same(fields: dict[str, object]) -> None:
    """A gate without a name is called what it would be as a text."""
    found = gate(fields)
    again = gate(found.title)
    assert again.model_dump(exclude={"gate"}) == found.model_dump(exclude={"gate"})


def test_a_gate_may_have_a_name_and_be_waived() -> None:
    """Beside its text."""
    found = gate({"name": "orders", "gate": "p95 < 1 s", "waived": "ticket 7"})
    assert (found.title, found.waived, found.below) == ("orders", "ticket 7", Bound(value=1000))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("- p59_ms < 3", "gate 1 (p59_ms < 3), metric: no metric is called 'p59_ms': did you mean 'p99_ms'"),
        ("- P95_MS < 3", "did you mean 'p95_ms'"),
        ("- p95 < 300", "below: '300' has no unit: write such as 300 ms (units: us, µs, ms, s, min, h)"),
        ("- p95_ms < 3 parsecs", "below: '3 parsecs' has the unit 'parsecs', which does not fit: write such as 3 ms"),
        ("- p95_ms < 3 %", "the unit '%', which does not fit: write such as 3 ms"),
        ("- error_rate < 5", "below: '5' has no %: write 5 % (all are 100 %)"),
        ("- error_rate < 1", "below: '1' has no %: write 1 % (all are 100 %)"),
        ("- pass_rate >= 1.0", "at_least: '1.0' has no %: write 1.0 % (all are 100 %)"),
        ("- {metric: error_rate, below: 1}", "below: '1' has no %: write 1 %"),
        ("- error_rate < 101 %", "'101 %' is not possible: give one from 0 to 100 %"),
        ("- error_rate < -1 %", "'-1 %' is not possible: give one from 0 to 100 %"),
        ("- p95_ms < nan", "below: 'nan' is no number with a unit (us,"),
        ("- p95 > 3 s", "a gate says what must hold, and p95_ms is better the other way: write <"),
        ("- throughput <= 100 rps", "throughput_rps is better the other way: write >="),
        ("- p95_ms = 100", "p95_ms is never exactly as planned: use a limit to one side"),
        ("- p75_ms no worse than 3 %", "no_worse_than: p75_ms is not compared with a baseline: use throughput_rps,"),
        ("- error_rate no worse than 3 %", "the unit '%', which does not fit: write such as 3 points"),
        ("- no regressions", "without: there is no gate of that: did you mean 'regression'?"),
        ("- apdex >= 0.9", "apdex needs its target: write such as apdex(500 ms) >= 0.9"),
        ("- apdex(0 ms) >= 0.9", "target: no request is answered within 0 ms"),
        ("- never p90 > 1 s for 10", "for: '10' has no unit: write such as 10 s"),
        ("- never p90 > 1 s for 10 ms", "for is shorter than 1 s"),
        ("- never requests > 1 for 10 s", "requests is not followed over time: use throughput_rps, error_rate,"),
        ("- {metric: p90_ms, never_above: 1 s}", "gate 1: for is missing: write such as never p90 > 1 s for 10 s"),
        ("- {metric: p90_ms, below: 1 s, for: 10 s}", "for and after need never_above or never_below"),
        ("- {metric: p90_ms, below: 1 s, above: 1 ms}", "and this one has below and above"),
        ("- {metric: p90_ms}", "and this one has none"),
        ("- {metric: p90_ms, bellow: 1 s}", "gate 1, bellow: there is no such field: did you mean 'below'?"),
        ("- {gate: p95 < 1 s, of: GET /a}", "the text of a gate says all of it, so of cannot stand beside it"),
        ("- p95_ms of 'GET /a # b' < 3", 'a quote is not closed (in YAML, " #" begins a comment'),
        ("- p95_ms of 'GET /a: b' < 3", "there is no such field"),
        ("- p95_ms 300", "this is no gate that can be read: write such as p95_ms of"),
        ("- 7", "gate 1: a gate is a text or a mapping"),
        (f"- p95_ms of {'a' * 2000} < 3", "the text is longer than 1000 characters"),
    ],
)
def test_a_wrong_gate_is_told_with_its_place(line: str, told: str) -> None:
    """The file, the line, the gate, the field, what is off, and what would do."""
    message = problem(f"version: 1\ngates:\n  {line}\n")
    assert message.startswith("gates.yaml, line 3, gate 1")
    assert told in message
    assert "\n" not in message


def test_all_problems_are_told_at_once() -> None:
    """A line each, in the order of the file; what only follows of another one is left out."""
    message = problem("gates:\n  - p59 < 3 ms\n  - requests > 1\n  - metric: p95_ms\n    below: 3 parsecs\n")
    head, *lines = message.splitlines()
    assert head == "gates.yaml has 2 problems:"
    assert [line.split(":")[0].strip() for line in lines] == [
        "line 2, gate 1 (p59 < 3 ms), metric",
        "line 5, gate 3, below",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "gates.yaml is empty"),
        ("- p95 < 1 s", "gates.yaml is no mapping"),
        ("gates: []", "line 1, gates: a list with a gate at least is needed, or nothing would be looked at"),
        ("gates: p95 < 1 s", "line 1, gates: a list with a gate at least is needed"),
        ("version: 2\ngates: [requests > 1]", "line 1, version: this ATOR reads version 1 of gate files: 2 needs"),
        ("gate: [requests > 1]", "line 1, gate: there is no such field: did you mean 'gates'?"),
        ("gates: [requests > 1]\ngates: [requests > 2]", "line 2, column 1: 'gates' stands here and in line 1, too"),
        ("gates:\n - metric: p95_ms\n   below: > 3", "line 3, column 13: expected a comment"),
        ("gates: [requests > 1]\n---\n", "but found another document"),
        ("gates: " + "[" * 500, "it is nested too deeply"),
        ("gates: [\x07]", "unacceptable character"),
        ("gates: !!python/object/apply:os.getcwd []", "could not determine a constructor for the tag"),
        ("gates: &a [*a]", "gate 1: a gate is a text or a mapping"),
        ("baseline: true\ngates: [requests > 1]", "line 1, baseline: give a run's id, a name, a list of them"),
        (
            "compare: {waiv: [tool]}\ngates: [requests > 1]",
            "compare.waiv: there is no such field: did you mean 'waive'?",
        ),
        ("compare: {confidence: 7}\ngates: [requests > 1]", "compare: confidence is 7"),
        ("compare: {waive: 7}\ngates: [requests > 1]", "compare.waive: Input should be"),
        ("x" * 100_001, "more than 100,000 characters"),
    ],
    ids=lambda text: text[:30],
)
def test_a_file_that_is_none_is_told(text: str, told: str) -> None:
    """Neither an empty file nor a broken one passes as a file without gates."""
    assert told in problem(text)


def test_options_of_the_comparison_exist() -> None:
    """A gate file has some of them, under their own names."""
    assert set(CompareEntry.model_fields) <= {option.name for option in fields(CompareOptions)}
    file = read_gates("compare: {waive: [tool], confidence: 0.9}\ngates: [requests > 1]", "gates.yaml")
    assert file.compare.options == {"waive": ["tool"], "confidence": 0.9}


def test_dates_stay_texts() -> None:
    """As the filters of the history take them."""
    file = read_gates("baseline: {stream: main, since: 2026-11-01, last: 5}\ngates: [requests > 1]", "gates.yaml")
    assert file.baseline == {"stream": "main", "since": "2026-11-01", "last": 5}


@given(
    st.text(max_size=60) | st.from_regex(r"(never )?p9\d?(_ms)? (of .{1,9} )?[<>=]{1,2} ?-?\d+ ?(ms|s|%)?( for .*)?")
)
def test_any_text_is_a_gate_or_an_error_of_ours(text: str) -> None:
    """Nothing else comes out of it."""
    with suppress(UsageError):
        gates_of([text])


@given(st.text(max_size=200))
def test_any_file_is_gates_or_an_error_of_ours(text: str) -> None:
    """Nothing else comes out of it."""
    with pytest.raises(UsageError):
        read_gates(text, "gates.yaml")

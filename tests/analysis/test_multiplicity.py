import pytest
from hypothesis import given
from hypothesis import strategies as st

from ator_lib.analysis.multiplicity import nested_q_values, q_values, simes

P_VALUES = st.lists(st.floats(0, 1), max_size=30)


def test_no_rows():
    """Nothing to correct is no error."""
    assert q_values([]) == []


@given(P_VALUES, st.floats(0.001, 0.5))
def test_discoveries_are_those_of_the_step_up_rule(p_values, level):
    """A level picks exactly the rows of Benjamini and Hochberg's own rule: all up to the last p(k) ≤ k·level/m."""
    ordered = sorted(p_values)
    passing = [p for k, p in enumerate(ordered, start=1) if p * (len(ordered) / k) <= level]
    limit = max(passing, default=-1.0)
    assert [q <= level for q in q_values(p_values)] == [p <= limit for p in p_values]


@given(P_VALUES)
def test_q_is_never_below_p(p_values):
    """Correcting never makes a row look surer."""
    assert all(q >= p for p, q in zip(p_values, q_values(p_values), strict=True))


def _brute_force(groups: list[list[float]], level: float) -> list[list[bool]]:
    """Benjamini-Bogomolov by its definition."""
    across = q_values([simes(group) for group in groups])
    selected = sum(q <= level for q in across)
    share = level * selected / len(groups)
    return [
        [q_group <= level and q <= share for q in q_values(group)]
        for q_group, group in zip(across, groups, strict=True)
    ]


@given(
    groups=st.lists(st.lists(st.floats(1e-6, 1), min_size=1, max_size=5), min_size=1, max_size=6),
    level=st.floats(0.001, 0.5),
)
def test_nested_q_values_are_the_levels_of_selection_within_selected_groups(groups, level):
    """A q value is at most the level exactly where the two steps at that level reject."""
    found = [[q <= level for q in group] for group in nested_q_values(groups)]
    assert found == _brute_force(groups, level)


def test_metrics_that_say_the_same_are_not_counted_twice():
    """Five equal p values of an endpoint are worth one."""
    assert nested_q_values([[0.01] * 5, [0.5]])[0] == pytest.approx([0.02] * 5)

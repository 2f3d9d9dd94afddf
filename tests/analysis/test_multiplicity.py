from hypothesis import given
from hypothesis import strategies as st

from ator_lib.analysis.multiplicity import q_values

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

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ator_lib.analysis.explain.decompose import Amount, decompose, mean_of

amounts = st.builds(Amount, st.integers(1, 10**7), st.floats(0, 1e9))
sides = st.dictionaries(st.sampled_from("abcdefgh"), amounts, min_size=1)


def _scale(*parts: dict[str, Amount]) -> float:
    return max(part.mean for side in parts for part in side.values()) or 1.0


@given(sides, sides)
def test_the_splits_add_up_to_the_change(baseline: dict[str, Amount], contender: dict[str, Amount]) -> None:
    """Whatever the parts, and whichever of them one side alone has."""
    splits = decompose(baseline, contender)
    assert set(splits) == {*baseline, *contender}
    change = mean_of(contender) - mean_of(baseline)
    assert sum(s.own + s.mix for s in splits.values()) == pytest.approx(change, abs=1e-9 * _scale(baseline, contender))


@given(sides, st.lists(st.floats(0.1, 10), min_size=8, max_size=8))
def test_means_alone_are_no_mix(baseline: dict[str, Amount], factors: list[float]) -> None:
    """Where all shares stay, each part contributes its own change, weighed by its share."""
    pairs = zip(baseline.items(), factors, strict=False)
    contender = {key: Amount(part.requests, part.total * factor) for (key, part), factor in pairs}
    requests = sum(part.requests for part in baseline.values())
    for key, split in decompose(baseline, contender).items():
        own = baseline[key].requests / requests * (contender[key].mean - baseline[key].mean)
        assert split.own == pytest.approx(own)
        assert split.mix == pytest.approx(0, abs=1e-9 * _scale(baseline, contender))


@given(sides, st.lists(st.integers(1, 50), min_size=8, max_size=8))
def test_shares_alone_are_all_mix(baseline: dict[str, Amount], factors: list[int]) -> None:
    """Where no part itself moved, nothing is a change of its own."""
    pairs = zip(baseline.items(), factors, strict=False)
    contender = {key: Amount(part.requests * factor, part.total * factor) for (key, part), factor in pairs}
    for split in decompose(baseline, contender).values():
        assert split.own == pytest.approx(0, abs=1e-9 * _scale(baseline, contender))


def test_more_requests_to_a_slow_endpoint_count_upwards() -> None:
    """And fewer to a fast one do so, too: both are what moved the total up."""
    baseline = {"fast": Amount(80, 800.0), "slow": Amount(20, 2000.0)}
    splits = decompose(baseline, {"fast": Amount(60, 600.0), "slow": Amount(40, 4000.0)})
    assert splits["slow"].mix > 0
    assert splits["fast"].mix > 0
    assert splits["fast"].mix + splits["slow"].mix == pytest.approx(18.0)


def test_a_new_endpoint_is_mix() -> None:
    """It has no change of its own: nobody knows what it was before."""
    splits = decompose({"old": Amount(10, 100.0)}, {"old": Amount(10, 100.0), "new": Amount(10, 1000.0)})
    assert splits["new"].own == 0
    assert splits["new"].mix + splits["old"].mix == pytest.approx(45.0)

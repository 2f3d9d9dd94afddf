"""Long lines of a text, found without reading all of it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from ator_lib.readers import long_lines


@settings(max_examples=50, deadline=None)
@given(
    lengths=st.lists(st.one_of(st.integers(0, 40), st.integers(1000, 3000)), max_size=8),
    end=st.sampled_from(["\n", "\r", "\r\n"]),
    most=st.sampled_from([0, 10, 39, 1024, 2999]),
    is_whole=st.booleans(),
)
def test_they_are_those_of_a_search_through_all(lengths: list[int], end: str, most: int, is_whole: bool) -> None:
    """Wherever they stand, however lines end, and whether or not the last one does."""
    texts = ["x" * length for length in lengths]
    content = end.join([*texts, ""] if is_whole else texts)
    expected, begin = [], 0
    for number, text in enumerate(texts, start=1):
        if len(text) > most:
            expected.append((begin, begin + len(text), number if "\n" in end else 1))
        begin += len(text) + len(end)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lines.txt"
        path.write_bytes(content.encode())
        found = [(begin, end, long_lines.number(path, begin)) for begin, end in long_lines.found(path, most)]
    assert found == expected

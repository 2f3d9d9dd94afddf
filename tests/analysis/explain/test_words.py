import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ator_lib

CAUSAL = re.compile(
    r"caus|because|due to|owing to|thanks to|reason|blame|culprit|responsib|leads? to|led to|driven by|explained by",
    re.IGNORECASE,
)
PACKAGE = Path(ator_lib.__file__).parent
SOURCES = (
    *sorted((PACKAGE / "analysis" / "explain").glob("*.py")),
    PACKAGE / "figures" / "contributions.py",
    PACKAGE / "figures" / "explanation.py",
    PACKAGE / "results" / "breakdown.py",
    PACKAGE / "workspace" / "explanation.py",
    PACKAGE / "workspace" / "location_moves.py",
)


def texts(source: Path) -> Iterator[str]:
    """Every text of a module, its documentation included."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_nothing_is_called_a_cause(source: Path) -> None:
    """Arithmetic finds where a change is; who says why must show it by a trial."""
    assert [text for text in texts(source) if CAUSAL.search(text)] == []


def test_the_words_that_are_looked_for_are_found() -> None:
    """The guard itself works."""
    assert CAUSAL.search("GET /a caused it")
    assert not CAUSAL.search("GET /a contributes +5 ms (100 %)")

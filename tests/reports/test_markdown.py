"""Markdown in which the texts of strangers stay texts."""

from __future__ import annotations

import pytest
from mistune import create_markdown  # comes with nbconvert

from ator_lib.reports.markdown import table, text

NASTY = [
    "GET /a|b",
    "`code` **bold** _it_ ~~no~~",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "[link](javascript:alert(1)) ![image](http://127.0.0.1/x.png)",
    "&lt;b&gt;",
    "a\nb\r\n| c | d |",
    "back\\slash \\| \\`",
    "# title",
    "- item",
    "1. item",
    "---",
    "> quote",
    "$x$",
    "2.33 % is not below 1 %",
]


@pytest.mark.parametrize("words", NASTY)
def test_text_is_shown_as_it_is(words: str) -> None:
    """Rendered, it has no markup but its own paragraph."""
    rendered = str(create_markdown(escape=False, plugins=["table", "strikethrough", "url"])(text(words)))
    shown = " ".join(words.split())
    escaped = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    assert rendered.replace("&#8203;", "").replace("\u200b", "") == f"<p>{escaped}</p>\n"


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("@ada", "@&#8203;ada"),
        ("org/repo#7", "org/repo#&#8203;7"),
        ("https://example.com", "https&#8203;://example.com"),
        ("www.example.com", "www&#8203;.example.com"),
        ("a @ b # c", "a @ b # c"),
    ],
)
def test_nobody_is_mentioned_and_nothing_linked(words: str, written: str) -> None:
    """GitHub and GitLab look for these in any text."""
    assert text(words) == written


def test_a_table_keeps_its_columns() -> None:
    """Whatever its cells hold; what is missing is empty."""
    made = table(["a", "b"], [[words, None] for words in NASTY])
    rendered = str(create_markdown(escape=False, plugins=["table"])(made))
    assert rendered.count("<tr>") == len(NASTY) + 1
    assert rendered.count("<td>") == 2 * len(NASTY)
    assert "<script" not in rendered
    assert "<img" not in rendered
    assert "<a " not in rendered

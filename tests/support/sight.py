"""What the eye and a screen reader meet on a page, measured in the browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_KINDS = "button|checkbox|combobox|img|link|meter|progressbar|radio|region|searchbox|slider|spinbutton|textbox"
_UNNAMED = re.compile(rf"- ({_KINDS})( \[.*\])?:?")
_WHOLE = re.compile(r'- (button|img|link) "')

_CONTRASTS = (Path(__file__).parent / "contrasts.js").read_text()

TEXT, EDGE = 4.5, 3.0
"""Contrasts that WCAG 2.2 AA asks for: of text with its ground, and of large text and of fields' edges."""


def too_pale(page: Page) -> list[str]:
    """Tell what can be seen on a page, but is too near the colour of its ground to be read by everybody."""
    found: list[str] = page.evaluate(_CONTRASTS, {"leastOfText": TEXT, "leastOfEdge": EDGE})
    return found


def unnamed(page: Page) -> list[str]:
    """Tell what a screen reader can name by its kind only; what a named thing consists of is its own."""
    found, whole = [], None
    for line in page.locator("body").aria_snapshot().splitlines():
        depth = len(line) - len(line.lstrip())
        if whole is not None and depth > whole:
            continue
        whole = depth if _WHOLE.match(line.strip()) else None
        if _UNNAMED.fullmatch(line.strip()):
            found.append(line.strip())
    return found

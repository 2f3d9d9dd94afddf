"""HTML of the pages: Jinja templates that escape every value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from panel_app import formats

FOLDER = Path(__file__).parent / "templates"

_environment = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_environment.filters.update(
    shown=formats.text,
    number=formats.count,
    decimal=formats.decimal,
    rate=formats.rate,
    ms=formats.milliseconds,
    percent=formats.percent,
    moment=formats.moment,
    duration=formats.duration,
)


def render(template: str, **values: Any) -> str:
    """Fill a template of this folder; values are escaped."""
    return _environment.get_template(template).render(values)


def source(name: str) -> str:
    """Read a file of this folder as it is."""
    return (FOLDER / name).read_text(encoding="utf-8")

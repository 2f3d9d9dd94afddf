"""HTML of the pages: Jinja templates that escape every value."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from ator_lib import written
from panel_app.moments import as_text
from panel_app.sparkline import sparkline

FOLDER = Path(__file__).parent / "templates"


def moment(value: datetime | None) -> str:
    """Write a time as an element that the browser shows in the viewer's zone, with UTC on hover."""
    if value is None or written.is_missing(value):
        return written.MISSING
    element = Markup('<time datetime="{iso}">{text}</time>')
    return element.format(iso=as_text(value), text=written.moment(value))


_environment = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_environment.filters.update(
    shown=written.text,
    number=written.count,
    decimal=written.decimal,
    rate=written.digits,
    ms=written.digits,
    percent=written.percent,
    moment=moment,
    duration=written.duration,
    because=written.because,
    sentence=written.sentence,
    bytes=written.size,
    sparkline=sparkline,
)


def render(template: str, **values: Any) -> str:
    """Fill a template of this folder; values are escaped."""
    return template_of(template).render(values)


def template_of(name: str) -> Template:
    """Read a template of this folder, once."""
    return _environment.get_template(name)


def source(name: str) -> str:
    """Read a file of this folder as it is."""
    return (FOLDER / name).read_text(encoding="utf-8")

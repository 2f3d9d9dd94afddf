"""Figures drawn by a real Chromium."""

from __future__ import annotations

import json
import os
import random
import re
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import plotly.graph_objects as go
import pytest

from ator_lib.errors import ToolError, UsageError
from ator_lib.reports.images import Chromium

HOSTILE = {
    "data": [{"type": "bar", "x": ["</script><script>document.title = 1</script>"], "y": [1]}],
    "layout": {
        "title": {"text": '<a href="javascript:alert(1)">title</a> &amp; <img src="http://example.com/x.png">'},
        "images": [{"source": "http://example.com/y.png", "x": 0, "y": 1, "sizex": 1, "sizey": 1}],
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that is the user's home and has the temporary files."""
    return tmp_path_factory.mktemp("user")


@pytest.fixture(scope="module")
def pictures(chromium: Chromium, folder: Path) -> list[str | None]:
    """Draw four figures at once: plain, of very many marks, one that wants to run and to fetch, and a broken one."""
    chance = random.Random(1)
    figures = [
        json.loads(go.Figure(go.Bar(x=["GET /a", "GET /b"], y=[1, 2]), layout={"height": 300}).to_json()),
        {
            "data": [{"mode": "markers", "x": list(range(5000)), "y": [chance.random() for _ in range(5000)]}],
            "layout": {},
        },
        HOSTILE,
        {"data": [], "layout": {"height": "tall"}},
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        patch.setattr(tempfile, "tempdir", str(folder))
        return chromium.draw(figures)


def test_a_picture_is_svg_with_the_figures_words(pictures: list[str | None]) -> None:
    """It has the size that the figure asks for, its labels as text, and no style that a policy could forbid."""
    picture = ElementTree.fromstring(pictures[0] or "")
    assert (picture.get("width"), picture.get("height")) == ("900", "300")
    assert {"GET /a", "GET /b"} <= set(picture.itertext())
    assert not [element for element in picture.iter() if element.get("style") or element.get("class")]


def test_very_many_marks_are_pixels(pictures: list[str | None]) -> None:
    """Thousands of marks would be megabytes of SVG; they become a WebP that is much smaller."""
    picture = pictures[1] or ""
    assert picture.startswith("data:image/webp;base64,")
    assert len(picture) < 400_000


def test_nothing_in_a_picture_runs_or_fetches(pictures: list[str | None]) -> None:
    """Texts of a figure stay texts; addresses go."""
    picture = pictures[2] or ""
    assert not re.search(r"<script|javascript:|href=.http|\son\w+=", picture)
    assert "</script>" in "".join(ElementTree.fromstring(picture).itertext())


def test_a_figure_that_cannot_be_drawn_costs_no_other(pictures: list[str | None]) -> None:
    """It has no picture, and those before it have theirs."""
    assert [picture is None for picture in pictures] == [False, False, False, True]


@pytest.mark.usefixtures("pictures")
def test_nothing_is_left_behind(folder: Path) -> None:
    """No file in the temporary folder or the user's home, and no process, outlives the drawing."""
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if os.access(path, os.R_OK)]
    assert not [command for command in commands if str(folder).encode() in command]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 0", "without a word"),
        ("echo 'cannot open display' >&2; exit 1", "cannot open display"),
        ("echo '<pre id=\"images\">[</pre>'", "without a word"),
        ("echo '<pre id=\"images\">[null, null]</pre>'", "without a word"),
    ],
)
def test_a_program_that_does_not_answer(script: str, said: str, tmp_path: Path) -> None:
    """The error names the program and what it said."""
    program = tmp_path / "chromium"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    with pytest.raises(ToolError, match=rf"{program}.*{said}"):
        Chromium(program=str(program)).draw([{"data": [], "layout": {}}])


def test_a_named_program_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped name is an error, not a report without pictures; with none named there may be none."""
    with pytest.raises(UsageError, match=r"nothing.*ATOR_CHROMIUM"):
        Chromium.find(str(tmp_path / "nothing"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Chromium.find() is None

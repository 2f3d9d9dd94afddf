"""Figures as still pictures, for viewers that run no script: drawn by a Chromium that is started once for all.

Chromium is asked for the page's text after its scripts have run (``--dump-dom``), in which our script leaves the
pictures. That needs no protocol, no port and no package; the page may fetch nothing, and what Chromium leaves goes
with its folder.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from ator_lib.errors import ToolError, UsageError
from ator_lib.runners.base import ToolCommand
from ator_lib.runners.process import ToolProcess

_PROGRAMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_ARGUMENTS = (
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # small in containers
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-breakpad",
    "--enable-unsafe-swiftshader",  # WebGL without a graphics card, for traces such as scattergl
    "--no-first-run",
    "--password-store=basic",
    "--log-level=3",  # its warnings would stand in the middle of the answer
    "--host-resolver-rules=MAP * ~NOTFOUND",  # whatever slips past the page's policy finds no address
    "--virtual-time-budget=10000",  # waits until the script has nothing left to do, which is not that long
    "--dump-dom",
)
_TIMEOUT_S = 90.0
_PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; \
style-src 'unsafe-inline'; img-src data: blob:; worker-src blob:">
<script>{plotly}</script>
</head><body><script type="application/json" id="figures">{figures}</script><script>{script}</script></body></html>
"""
_ANSWER = re.compile(r'<pre id="images">(.*)</pre>', re.DOTALL)
_IMAGE = re.compile(r"<svg\b.*</svg>|data:image/webp;base64,[A-Za-z0-9+/=]+", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Chromium:
    """A Chromium, or a relative such as Chrome, that draws figures."""

    program: str

    @classmethod
    def find(cls, named: str | None = None) -> Chromium | None:
        """Find the one that is named, else one under its usual names; ``None`` if there is none.

        Raises
        ------
        UsageError
            The named one is no program.
        """
        for program in [named] if named else _PROGRAMS:
            if found := shutil.which(program):
                return cls(program=found)
        if named:
            raise UsageError(f"{named} is no program that draws figures: ATOR_CHROMIUM names a Chromium, or nothing")
        return None

    def draw(self, figures: Sequence[Mapping[str, Any]]) -> list[str | None]:
        """Draw plotly figures, given as their JSON, each to stand in a page.

        Returns
        -------
        list
            For each figure the text of an ``<svg>`` element without styles of its own or, where that would be too
            long, a ``data:`` address of a WebP picture at twice its size; ``None`` if plotly.js could not draw it.

        Raises
        ------
        ToolError
            Chromium does not start, takes too long, or does not answer; or there is no room for its files.
        """
        try:
            with tempfile.TemporaryDirectory(prefix="ator-images-", ignore_cleanup_errors=True) as name:
                folder = Path(name)
                page = folder / "figures.html"
                page.write_text(_page_of(figures), encoding="utf-8")
                answer = self._ask(folder, page)
        except OSError as error:  # a full disk
            raise ToolError(f"the figures cannot be drawn in {tempfile.gettempdir()}: {error.strerror}.") from error
        images = _images_in(answer)
        if images is None or len(images) != len(figures):
            raise ToolError(f"{self.program} drew no figures: {_complaint(answer)}")
        return images

    def _ask(self, folder: Path, page: Path) -> str:
        """Open a page and give its text once its script is done; nothing of Chromium is left then."""
        log = folder / "answer.txt"
        sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()  # it refuses root otherwise
        command = ToolCommand(
            argv=(self.program, *_ARGUMENTS, *sandbox, f"--user-data-dir={folder / 'profile'}", page.as_uri()),
            env=dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), str(folder)),
            folder=folder,
            log=log,
            timeout_s=_TIMEOUT_S,
            grace_s=1.0,
        )
        process = ToolProcess.start(command)
        try:
            ended = process.wait()
        finally:
            process.kill()
            process.wait()
        if ended is not None and ended.cause == "timeout":
            raise ToolError(f"{self.program} did not draw the figures within {_TIMEOUT_S:.0f} s.")
        return log.read_text(encoding="utf-8", errors="replace")


def _page_of(figures: Sequence[Mapping[str, Any]]) -> str:
    script = (Path(__file__).parent / "templates" / "images" / "images.js").read_text(encoding="utf-8")
    text = json.dumps(figures, separators=(",", ":")).replace("<", "\\u003c")  # nothing in it can end the script
    return _PAGE.format(plotly=get_plotlyjs(), figures=text, script=script)


def _images_in(answer: str) -> list[str | None] | None:
    """Read the pictures out of a page's text; ``None`` if it is not whole."""
    found = _ANSWER.search(answer)
    if found is None:
        return None
    try:
        images: list[str | None] = json.loads(html.unescape(found[1]))
    except ValueError:  # something was written in between
        return None
    return [image if image and _IMAGE.fullmatch(image) else None for image in images]


def _complaint(answer: str) -> str:
    lines = [line.strip() for line in answer.splitlines() if line.strip() and not line.startswith("<")]
    return lines[-1][:200] if lines else "it ended without a word"

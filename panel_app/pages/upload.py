"""Upload: a result file is looked at before a run is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import param

from ator_lib import NotFoundError, formats
from panel_app.code import call
from panel_app.file_drop import FileDrop
from panel_app.fragment import Fragment
from panel_app.links import UPLOAD
from panel_app.markup import render
from panel_app.page import Page, Visitor
from panel_app.suggestions import suggestions

if TYPE_CHECKING:
    from ator_lib import Workspace


@dataclass(frozen=True, kw_only=True)
class UploadView:
    """The upload that was asked for, null if there is none; ``is_gone`` if there is none any more."""

    upload: Any = None
    is_gone: bool = False
    suggested: Mapping[str, list[str]] = field(default_factory=dict)


class UploadPage(Page):
    """A place to drop a file; then what is in it, and the form of the run that it becomes."""

    upload = param.String(default="", doc="Which upload is looked at.")

    PATH = UPLOAD
    TITLE = "Upload"

    def __init__(self, workspace: Workspace, visitor: Visitor, **state: Any) -> None:
        super().__init__(workspace, visitor, **state)
        self._head = Fragment()
        self._drop = FileDrop(html=_drop_html())
        self._preview = Fragment()

    def parts(self) -> list[Any]:
        """See ``Page``."""
        return [self._head, self._drop, self._preview]

    def read(self) -> UploadView:
        """See ``Page``."""
        if not self.upload:
            return UploadView()
        try:
            return UploadView(upload=self.workspace.uploads.get(self.upload), suggested=suggestions(self.workspace))
        except NotFoundError:
            return UploadView(is_gone=True)

    def display(self, content: UploadView) -> None:
        """See ``Page``."""
        may_run = self.visitor.may_run
        self._head.display(render("upload_head.html", gone=content.is_gone, may_run=may_run, role=self.visitor.role))
        self._drop.visible = may_run and not self.upload
        self._preview.display(self._preview_html(content))
        self.is_live = False

    def code(self, content: UploadView) -> str:
        """See ``Page``."""
        if content.upload is None:
            return ""
        how = {name: value for name, value in content.upload.how.items() if name != "file_name"}
        if how.get("columns"):
            how["columns"] = dict(pair.strip().split("=", 1) for pair in how["columns"].split(","))
        return call("ws.preview", content.upload.file_name, **how)

    def _preview_html(self, content: UploadView) -> str:
        upload = content.upload
        if upload is None:
            return ""
        report = upload.preview["report"]
        return render(
            "upload_preview.html",
            **upload.preview,
            upload_id=upload.upload_id,
            file_name=upload.file_name,
            expires_at=upload.expires_at,
            started_at=_time(report["started_at"]),
            ended_at=_time(report["ended_at"]),
            suggestions=content.suggested,
            may_run=self.visitor.may_run,
        )


def _drop_html() -> str:
    known = formats()
    tools = list(dict.fromkeys(one.tool for one in known if one.tool))
    return render("upload_drop.html", formats=known, tools=", ".join(tools))


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)

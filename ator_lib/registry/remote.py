"""The registry behind a server: the same methods, records and errors as where the database is."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from ator_lib.errors import UsageError
from ator_lib.model import (
    Admission,
    HistoryPage,
    IngestReport,
    Progress,
    ProgressPoint,
    QueuePlace,
    Run,
    RunRequest,
    RunStatus,
)
from ator_lib.registry import wire
from ator_lib.registry.admission import parse_factor
from ator_lib.registry.checks import (
    LONGEST_TEXT,
    OUTCOMES,
    check_texts,
    checked_attributes,
    checked_id,
    checked_lease,
    checked_priority,
    checked_status,
    checked_tags,
    checked_text,
)
from ator_lib.registry.client import Change, Document, ServerClient
from ator_lib.registry.history import checked_filter, texts_query
from ator_lib.registry.pages import Paging
from ator_lib.registry.records import document_of, printable
from ator_lib.registry.waiting import Pause

ASK_AGAIN_S = 0.5
"""Between a waiting client's questions whether its turn has come."""


class RemoteRegistry:
    """See ``Registry``, whose methods these are. Every one raises ``StoreUnavailableError`` without the server.

    What can be checked without the database is checked before anything is sent, in the same words.
    """

    def __init__(self, server: ServerClient) -> None:
        self._server = server

    def register(self, request: RunRequest, *, lease_s: float | None = None, idempotency_key: str | None = None) -> Run:
        """See ``Admissions.register``; without a key it makes one up, so that asking again is safe."""
        return self._enter(request, lease_s, idempotency_key, queue=False).run

    def enqueue(
        self,
        request: RunRequest,
        *,
        queue_lease_s: float,
        lease_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Admission:
        """See ``Admissions.enqueue``; for how long a place is kept says the server."""
        checked_lease(queue_lease_s)
        return self._enter(request, lease_s, idempotency_key, queue=True)

    def start(self, run_id: int, lease_id: str, *, queue_lease_s: float, lease_s: float | None = None) -> Admission:
        """See ``Admissions.start``."""
        checked_lease(queue_lease_s)
        body = {"lease_id": lease_id, "lease_s": None if lease_s is None else checked_lease(lease_s)}
        return wire.admission_from_json(self._post(run_id, "start", "started", body))

    def leave(self, run_id: int, lease_id: str, *, reason: str) -> Run:
        """See ``Admissions.leave``."""
        body = {"lease_id": lease_id, "reason": _last_words(reason)}
        return wire.run_from_json(self._post(run_id, "leave", "taken out of the queue", body))

    @contextmanager
    def listening(self, location: str) -> Iterator[Pause]:
        """Give how to pause until it is worth asking ``start`` again: nobody tells, so it is looked for."""
        yield lambda longest_s: time.sleep(min(longest_s, ASK_AGAIN_S))

    def lease(self, run_id: int, *, lease_s: float) -> Run:
        """See ``Registry.lease``."""
        once = Change(
            what=f"run {run_id}",
            done="put under a lease",
            hint="complete it if nothing looks after it",
            is_repeatable=False,
        )
        path = f"/runs/{checked_id(run_id)}/lease"
        return wire.run_from_json(self._server.change("POST", path, once, body={"lease_s": checked_lease(lease_s)}))

    def complete(
        self,
        run_id: int,
        status: RunStatus | str,
        *,
        reason: str | None = None,
        error: str | None = None,
        lease_id: str | None = None,
    ) -> Run:
        """See ``Registry.complete``."""
        body = {
            "run_id": checked_id(run_id),
            "status": checked_status(status, OUTCOMES).value,
            "reason": _last_words(reason),
            "error": _last_words(error),
            "lease_id": lease_id,
        }
        return wire.run_from_json(self._server.change("POST", "/complete", _of_run(run_id, "completed"), body=body))

    def cancel(self, run_id: int) -> Run:
        """See ``Registry.cancel``."""
        body = {"run_id": checked_id(run_id)}
        return wire.run_from_json(self._server.change("POST", "/cancel", _of_run(run_id, "cancelled"), body=body))

    def renew(self, run_id: int, lease_id: str, *, lease_s: float, progress: Progress | None = None) -> Run:
        """See ``Registry.renew``; it is given up after a third of the lease, so that the next beat is in time."""
        body = {
            "run_id": checked_id(run_id),
            "lease_id": lease_id,
            "lease_s": checked_lease(lease_s),
            "progress": document_of(progress),
        }
        renewed = _of_run(run_id, "kept alive")
        document = self._server.change("POST", "/heartbeat", renewed, body=body, within_s=lease_s / 3)
        return replace(wire.run_from_json(document), lease_id=lease_id)

    def progress(self, run_id: int, *, since_s: float | None = None) -> list[ProgressPoint]:
        """See ``Registry.progress``."""
        document = self._server.get(f"/runs/{checked_id(run_id)}/progress", since_s=since_s)
        return wire.list_from_json(document, "progress", wire.point_from_json)

    def get(self, run_id: int) -> Run:
        """See ``Registry.get``; a run's lease is told to nobody but who registered it."""
        return wire.run_from_json(self._server.get(f"/runs/{checked_id(run_id)}"))

    def running(self) -> list[Run]:
        """See ``Registry.running``."""
        return wire.list_from_json(self._server.get("/status"), "running", wire.run_from_json)

    def queue(self, location: str | None = None) -> list[QueuePlace]:
        """See ``Registry.queue``."""
        return wire.list_from_json(
            self._server.get("/queue", location=checked_text("location", location)), "queue", wire.place_from_json
        )

    def history(
        self,
        where: Mapping[str, Any] | None = None,
        *,
        limit: int = 100,
        order: str = "-run_id",
        cursor: str | None = None,
        offset: int = 0,
        figures: bool = False,
    ) -> HistoryPage:
        """See ``Registry.history``; more than the server gives at once is asked for in parts."""
        Paging(limit=limit, order=order, cursor=cursor, offset=offset, figures=figures)  # checked in the same words
        asked = {"any_of": _as_any_of(where or {}), "order": order, "figures": figures or None}
        whole = HistoryPage(runs=())
        while len(whole.runs) < limit:
            most = min(limit - len(whole.runs), wire.MOST_PER_PAGE)
            page = wire.page_from_json(
                self._server.get("/history", limit=most, cursor=cursor, offset=offset or None, **asked)
            )
            whole = replace(page, runs=whole.runs + page.runs, figures=whole.figures + page.figures)
            cursor, offset = page.next_cursor, 0
            if cursor is None:
                break
        return whole

    def count(self, where: Mapping[str, Any]) -> int:
        """See ``Registry.count``."""
        return wire.count_from_json(self._server.get("/history/count", any_of=_as_any_of(where)))

    def values(self, name: str, where: Mapping[str, Any]) -> list[str]:
        """See ``Registry.values``."""
        texts_query(name, where)  # checked in the same words
        document = self._server.get(f"/history/values/{name}", any_of=_as_any_of(where))
        return wire.list_from_json(document, "values", str)

    def update(
        self,
        run_id: int,
        *,
        dashboard_url: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
    ) -> Run:
        """See ``Registry.update``."""
        body = {
            "dashboard_url": checked_text("dashboard_url", dashboard_url),
            "attributes": checked_attributes(attributes or {}),
            "add_tags": checked_tags(add_tags),
            "remove_tags": checked_tags(remove_tags),
        }
        path = f"/runs/{checked_id(run_id)}"
        return wire.run_from_json(self._server.change("PATCH", path, _of_run(run_id, "changed"), body=body))

    def upload(self, run_id: int, path: Path, **how: Any) -> tuple[Run, IngestReport | None]:
        """Send a result file to a run; the server keeps all of it or nothing, and the same content only once.

        Parameters
        ----------
        how
            How it is to be read, as the server's parameters: format, columns, timezone …

        Returns
        -------
        The run, and what was read.

        Raises
        ------
        UsageError
            It is no file.
        ResultsError
            It cannot be read, here or by any reader there; nothing was kept.
        ConflictError
            The run has other results already.
        """
        if not path.is_file():
            kind = "a folder" if path.is_dir() else "no file"
            raise UsageError(f"{path} is {kind}: give the one file that the tool wrote")
        self.get(run_id)  # an unknown run or a wrong token is told before gigabytes are sent
        parameters = {name: checked_text(name, str(value)) for name, value in how.items() if value is not None}
        sent = _of_run(run_id, f"given the results in {path}")
        document = self._server.send_file(f"/runs/{checked_id(run_id)}/results", path, sent, **parameters)
        report = document.get("ingest", {}).get("report")
        return wire.run_from_json(document.get("run", {})), report and IngestReport.from_json(report)

    def delete(self, run_id: int) -> Run:
        """Delete a run that has ended, with its results, and return what was known of it; needs the role admin.

        Raises
        ------
        ConflictError
            It has not ended, or is pinned as a baseline.
        """
        once = replace(_of_run(run_id, "deleted"), hint="the history shows it", is_repeatable=False)
        return wire.run_from_json(self._server.change("DELETE", f"/runs/{checked_id(run_id)}", once))

    def _enter(self, request: RunRequest, lease_s: float | None, key: str | None, *, queue: bool) -> Admission:
        key = uuid4().hex if key is None else _checked_key(key)
        body = _body_of(request) | {"queue": queue}
        if lease_s is not None:
            body["lease_s"] = checked_lease(lease_s)
        change = Change(
            what="the run", done="registered", hint=f"asking again with idempotency_key={key!r} gives the same run"
        )
        headers = {"Idempotency-Key": key}
        return wire.admission_from_json(self._server.change("POST", "/register", change, body=body, headers=headers))

    def _post(self, run_id: int, verb: str, done: str, body: Document) -> Document:
        return self._server.change("POST", f"/runs/{checked_id(run_id)}/{verb}", _of_run(run_id, done), body=body)


def _as_any_of(where: Mapping[str, Any]) -> str | None:
    """Write a filter as one of "any of these", which it is: so all of its values keep their types on the way."""
    checked = checked_filter(where)
    text = json.dumps([wire.to_json(checked)])
    if len(text) > LONGEST_TEXT:
        raise UsageError(
            f"the filters have {len(text):,} characters of JSON: a server takes {LONGEST_TEXT:,}, give fewer"
        )
    return text if checked else None


def _of_run(run_id: int, done: str) -> Change:
    return Change(what=f"run {run_id}", done=done)


def _body_of(request: RunRequest) -> Document:
    check_texts(request)
    checked_priority(request.priority)
    attributes = checked_attributes(request.attributes)
    return wire.request_to_json(replace(request, factor=parse_factor(request.factor), attributes=attributes))


def _last_words(text: str | None) -> str | None:
    """Keep as much as a server takes: a long text must not lose an outcome."""
    kept = printable(text)
    return kept if kept is None else kept[:LONGEST_TEXT]


def _checked_key(key: str) -> str:
    if not key.isascii() or not key.isprintable() or not key or key != key.strip():
        raise UsageError("an idempotency key for a server has only ASCII characters, and no blanks around them")
    return key

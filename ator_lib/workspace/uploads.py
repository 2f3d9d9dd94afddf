"""Where result files that come over the network lie until they are read in."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from ator_lib.errors import NotFoundError, StoreError
from ator_lib.readers.base import named

LONGEST_NAME_BYTES = 200
"""Of an uploaded file's name as UTF-8: disks take 255 bytes, and some that encrypt fewer."""

NOT_IN_NAMES = r"/\\\x00-\x1f\x7f-\x9f"
"""What no name of an uploaded file holds, for a class of a regular expression: folders and control characters."""

KEPT_S = 3600.0
"""How long an upload waits for whoever looks at it to make a run of it."""

_LEFT_BEHIND_AFTER_S = 24 * 3600.0

_UPLOAD_ID = re.compile("[0-9a-f]{32}")
_ABOUT = "upload.json"


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that was read and is not ingested yet.

    Attributes
    ----------
    how
        What was said of how it is to be read; plain data.
    preview
        What it holds, as ``Preview.to_dict`` gives it.
    expires_at
        Until when it stays, in UTC.
    """

    upload_id: str
    file_name: str
    how: Mapping[str, Any]
    preview: Mapping[str, Any]
    expires_at: datetime


class Uploads:
    """Uploads in a data folder; several servers may share it."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def keep(self, upload_id: str, *, file_name: str, how: Mapping[str, Any], preview: Mapping[str, Any]) -> Upload:
        """Let what lies in the upload's folder stay for an hour from now."""
        about = {"file_name": file_name, "how": how, "preview": preview}
        aside = self._folder(upload_id) / f"{_ABOUT}.part"
        aside.write_text(json.dumps(about), encoding="utf-8")
        aside.replace(aside.with_name(_ABOUT))
        return self.get(upload_id)

    def get(self, upload_id: str) -> Upload:
        """Give an upload.

        Raises
        ------
        NotFoundError
            It was ingested, removed or left too long, or there never was one.
        """
        path = self._folder(upload_id) / _ABOUT
        try:
            expires_at = path.stat().st_mtime + KEPT_S
            about = json.loads(path.read_text(encoding="utf-8"))
        except OSError:
            raise _gone() from None
        if expires_at < time.time():
            raise _gone()
        return Upload(upload_id=upload_id, expires_at=datetime.fromtimestamp(expires_at, UTC), **about)

    def file_of(self, upload_id: str, file_name: str) -> Path:
        """Say where its file lies: in a folder of its own, as it may have any name."""
        return self._folder(upload_id) / "file" / file_name

    @contextmanager
    def taken(self, upload_id: str) -> Iterator[Upload]:
        """Give an upload to whoever ingests it; it is gone then, and for all others at once. An error gives it back.

        Raises
        ------
        NotFoundError
            As ``get``; also when somebody else is just ingesting it.
        """
        upload = self.get(upload_id)
        about = self._folder(upload_id) / _ABOUT
        aside = about.with_suffix(".taken")
        try:
            about.rename(aside)
        except FileNotFoundError:
            raise _gone() from None
        try:
            yield upload
        except BaseException:
            aside.rename(about)
            raise
        self.remove(upload_id)

    def remove(self, upload_id: str) -> None:
        """Remove an upload; nothing happens when there is none."""
        shutil.rmtree(self._folder(upload_id), ignore_errors=True)

    def _folder(self, upload_id: str) -> Path:
        if not _UPLOAD_ID.fullmatch(upload_id):  # it may be any text of a request, and so lead anywhere
            raise _gone()
        return uploads_in(self._data) / upload_id


def _gone() -> NotFoundError:
    return NotFoundError("this upload is not there: it was ingested or removed, or an hour has passed. Upload it again")


def upload_name(file: Path) -> str:
    """Give the name by which a server is told of a file: what it does not take is an underscore, a long one is cut."""
    name = re.sub(f"[{NOT_IN_NAMES}]", "_", named(Path(file.name)))
    cut = name.encode()[-LONGEST_NAME_BYTES:].decode(errors="ignore")
    return cut if cut.strip(".") else f"_{cut[1:]}"


def uploads_in(data: Path) -> Path:
    """Give the folder in the data folder that each upload has a folder of its own in."""
    return data / "uploads"


def is_kept(folder: Path) -> bool:
    """Whether an upload waits there for a decision."""
    return (folder / _ABOUT).exists()


@contextmanager
def temporary_folder(data: Path) -> Iterator[Path]:
    """Give a folder on the disk of the results that goes whatever happens."""
    folder = new_folder(data)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_folder(data: Path) -> Path:
    """Make a folder for an upload, and remove those that were left.

    Raises
    ------
    StoreError
        The data folder cannot be written.
    """
    for left in left_behind(data):
        shutil.rmtree(left, ignore_errors=True)
    folder = uploads_in(data) / uuid4().hex
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise StoreError(f"{named(uploads_in(data))} cannot be written: {error.strerror}.") from error
    return folder


def left_behind(data: Path) -> list[Path]:
    """Find uploads that nobody wanted, and what killed servers could not remove.

    What is younger than a day may still be coming in, at any server.
    """
    left = []
    for folder in uploads_in(data).glob("*"):
        with suppress(FileNotFoundError):  # somebody else removes it at this moment
            marked, after_s = (folder / _ABOUT, KEPT_S) if is_kept(folder) else (folder, _LEFT_BEHIND_AFTER_S)
            if marked.stat().st_mtime < time.time() - after_s:
                left.append(folder)
    return left

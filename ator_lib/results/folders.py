"""The folders of the file sets: written aside, made to last, renamed in one step, swept."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

ORPHAN_AGE_S = 3600.0
"""A set that nobody knows and nobody has written for this long belongs to a process that died."""

FRESHENED_S = ORPHAN_AGE_S / 6
"""A hidden folder in use is touched so often: a long computation writes nothing into it."""

STAGED = ".staged"
"""Marks a set that no run points at yet. Without it a set is never swept: several registries may share a folder."""

_RELEASED = ".released-"
"""Marks a set that a run is losing, with the registry that said so: that one alone knows whether it did."""

_ADDED = ".added-"

_INGEST_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{16}")
_HIDDEN = re.compile(rf"\.({_INGEST_ID.pattern})\.tmp")


def new_ingest_id() -> str:
    """Make an id: the UTC second and 64 random bits.

    Unlike a bare UUID it sorts by age, so that whoever lists the folder sees which sets are new.
    """
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(8)}"


def is_ingest_id(text: str) -> bool:
    """Whether this is an ingest id, and so no path that leads elsewhere."""
    return _INGEST_ID.fullmatch(text) is not None


@contextmanager
def staging(root: Path, ingest_id: str) -> Iterator[Path]:
    """Yield a hidden folder; on leaving it lasts through a power cut and has its final name.

    On any exception it is removed, and nothing was ever readable under the final name. That of a process that was
    killed is swept once it is older than ``ORPHAN_AGE_S``, and not before: nobody else can tell whether it is written.
    """
    root.mkdir(parents=True, exist_ok=True)
    folder = _hidden(root, ingest_id)
    folder.mkdir()
    try:
        with _kept_fresh(folder):
            yield folder
        (folder / STAGED).touch()
        for path in (*folder.iterdir(), folder):
            _sync(path)
        folder.rename(root / ingest_id)
        _sync(root)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(root / ingest_id, ignore_errors=True)
        raise


@contextmanager
def scratch(root: Path) -> Iterator[Path]:
    """Yield a hidden folder that is removed on leaving; left by a killed process it is swept as in ``staging``."""
    root.mkdir(parents=True, exist_ok=True)
    folder = _hidden(root, new_ingest_id())
    folder.mkdir()
    try:
        with _kept_fresh(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _kept_fresh(folder: Path) -> Iterator[None]:
    """Touch a folder from time to time, so that no sweep takes it, however long nothing is written there."""
    is_done = threading.Event()

    def touch() -> None:
        while not is_done.wait(FRESHENED_S):
            with suppress(OSError):
                os.utime(folder)

    thread = threading.Thread(target=touch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_done.set()
        thread.join()


@contextmanager
def adding_to(folder: Path) -> Iterator[Path]:
    """Yield a hidden folder; on leaving its files are put into the set's own, each in one step."""
    for left in folder.glob(f"{_ADDED}*"):
        if _last_written(left) < time.time() - ORPHAN_AGE_S:
            shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(prefix=_ADDED, dir=folder, ignore_cleanup_errors=True) as aside:
        yield Path(aside)
        for path in Path(aside).iterdir():
            _sync(path)
            path.replace(folder / path.name)
        _sync(folder)


def keep(root: Path, ingest_id: str) -> None:
    """Take the mark off a set that a run points at now."""
    (root / ingest_id / STAGED).unlink(missing_ok=True)


def release(root: Path, ingest_id: str, registry: str) -> None:
    """Mark a set that this registry is about to forget: once it has, the set may be swept by it, and by no other."""
    if (root / ingest_id).is_dir():
        _released_by(registry, root / ingest_id).touch()


def remove(root: Path, ingest_id: str) -> None:
    """Remove a set; readers see all of it or none. Nothing happens when there is none."""
    hidden = _hidden(root, ingest_id)
    with suppress(FileNotFoundError):
        (root / ingest_id).rename(hidden)
    with suppress(FileNotFoundError):
        shutil.rmtree(hidden)


def sweep(root: Path, known: Collection[str], registry: str) -> list[str]:
    """Remove what is older than ``ORPHAN_AGE_S`` and nobody's; returns the ids.

    That is unfinished sets, and those not in ``known`` that are staged or were released by this registry.
    Best effort: what cannot be removed now stays for the next time.
    """
    if not root.is_dir():
        return []
    kept, oldest, swept = set(known), time.time() - ORPHAN_AGE_S, []
    for path in sorted(root.iterdir()):
        hidden = _HIDDEN.fullmatch(path.name)
        ingest_id = hidden[1] if hidden else path.name
        is_unknown = is_ingest_id(ingest_id) and ingest_id not in kept
        is_orphan = hidden or (is_unknown and ((path / STAGED).exists() or _released_by(registry, path).exists()))
        if is_orphan and _last_written(path) < oldest:
            with suppress(OSError):
                shutil.rmtree(path if hidden else path.rename(_hidden(root, ingest_id)))
                swept.append(ingest_id)
    return swept


def _hidden(root: Path, ingest_id: str) -> Path:
    return root / f".{ingest_id}.tmp"


def _released_by(registry: str, folder: Path) -> Path:
    return folder / f"{_RELEASED}{sha256(registry.encode(errors='replace')).hexdigest()[:16]}"


def _last_written(folder: Path) -> float:
    """Newest change within; the infinite future when it goes away under our eyes or is not ours."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    except OSError:
        return float("inf")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""A damaged copy of recorded results for each seed: the same seed makes the same one."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.mutations import MUTATIONS, SECRET, flipped, line_huge, truncated
from tests.support.recorded import RECORDED, Recorded

HUGE_EVERY = 500
"""One mutant in so many has a line of 100 MB."""

_SHAPES = {"plain": 80, "packed": 8, "archived": 4, "emptied": 1, "bombed": 1, "piped": 1, "nested": 2, "alone": 3}
_ANYTHING = b"\x1f\x8b\x08\x00garbage, and nothing that was packed"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """Where it lies, the format that is named for it (or none), and how it came about."""

    seed: int
    path: Path
    format: str | None
    story: str


def mutant(seed: int, folder: Path) -> Mutant:
    """Make the mutant of this seed below an empty folder."""
    random = Random(seed)
    recorded = random.choice(RECORDED)
    path = _copied(recorded, folder)
    file = random.choice(sorted(filter(Path.is_file, path.rglob("*"))) if path.is_dir() else [path])
    content, steps = _mutated(file.read_bytes(), random, seed)
    file.write_bytes(content.replace(b"{secret}", os.fsencode(_secret(folder))))
    shape = random.choices(list(_SHAPES), list(_SHAPES.values()))[0]
    _shaped(shape, file, random)
    named = recorded.format if random.random() < 0.6 else None
    told = "format named" if named else "format found"
    return Mutant(seed=seed, path=path, format=named, story=f"{recorded}: {', '.join([*steps, shape, told])}")


def _copied(recorded: Recorded, folder: Path) -> Path:
    target = folder / f"mutant-{recorded.path.name}"
    if recorded.path.is_dir():
        shutil.copytree(recorded.path, target)
    else:
        shutil.copyfile(recorded.path, target)
    return target


def _mutated(content: bytes, random: Random, seed: int) -> tuple[bytes, list[str]]:
    if seed % HUGE_EVERY == HUGE_EVERY - 1:
        return line_huge(content, random, b""), ["line_huge"]
    steps = random.choices(list(MUTATIONS), k=random.choice([1, 1, 1, 2, 3]))
    for step in steps:
        files = random.choice(RECORDED).files()
        content = MUTATIONS[step](content, random, random.choice(files).read_bytes())
    return content, steps


def _secret(folder: Path) -> Path:
    secret = folder / "secret.txt"
    secret.write_text(SECRET)
    return secret


def _shaped(shape: str, file: Path, random: Random) -> None:
    """Put the file into another shape: packed, well or badly, or no file at all."""
    content = file.read_bytes()
    if shape == "packed":
        packed = gzip.compress(content)
        damaged = random.choice([lambda: packed, lambda: truncated(packed, random, b""), lambda: _ANYTHING])
        file.write_bytes(damaged())
    elif shape == "archived":
        archive = _zipped({file.name: content, "../other.txt": b"x"})
        file.write_bytes(random.choice([archive, flipped(archive, random, b""), truncated(archive, random, b"")]))
    elif shape == "emptied":
        file.write_bytes(b"")
    elif shape == "bombed":
        zeros = bytes(100 * 2**20)
        file.write_bytes(random.choice([gzip.compress(zeros), _zipped({"bomb": zeros})]))
    elif shape in ("piped", "nested", "alone"):
        file.unlink()
        _replaced(shape, file, content)


def _replaced(shape: str, path: Path, content: bytes) -> None:
    if shape == "piped":
        os.mkfifo(path)
        return
    path.mkdir()
    (path / "up").symlink_to(path)
    os.mkfifo(path / "pipe")
    if shape == "nested":
        (path / "file").write_bytes(content)
        (path / "empty").touch()


def _zipped(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()

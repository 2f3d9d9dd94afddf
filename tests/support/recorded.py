"""The recorded results in ``tests/recorded/<format>``: each file or folder there is one run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "recorded"


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What a tool left of one run, and the format that it is in."""

    format: str
    path: Path

    def __str__(self) -> str:
        return f"{self.format}/{self.path.name}"

    def files(self) -> list[Path]:
        """List its files, sorted."""
        return sorted(filter(Path.is_file, self.path.rglob("*"))) if self.path.is_dir() else [self.path]

    def is_text(self) -> bool:
        """Say whether all of it is lines of text, which may end in other ways."""
        return all(_is_text(file.read_bytes()) for file in self.files())


def _is_text(content: bytes) -> bool:
    try:
        return b"\0" not in content and b"\r" not in content and bool(content.decode())
    except UnicodeDecodeError:
        return False


RECORDED = [
    Recorded(format=folder.name, path=path)
    for folder in sorted(FOLDER.iterdir())
    for path in sorted(folder.iterdir())
    if path.name != "README.md"
]

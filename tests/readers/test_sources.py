"""From what is named to plain files: what lies in folders and archives, and what is no file at all."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import resource
import socket
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from ator_lib.errors import NotFoundError, ResultsError
from ator_lib.readers import sources
from ator_lib.readers.sources import files_of, opened

LINES = b"".join(b"line %d of a text\n" % number for number in range(5_000))
NOISE = Random(4).randbytes(300_000)  # packs to its own size, so that a part of it is a part of what is packed


JTL = "timeStamp,elapsed,label,success\n1,2,a,true\n"


def zstd(content: bytes) -> bytes:
    target = pa.BufferOutputStream()
    with pa.CompressedOutputStream(target, "zstd") as packed:
        packed.write(content)
    return bytes(target.getvalue())


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd,
}


def content_of(*paths: Path) -> dict[str, bytes]:
    """Read all that is found there."""
    with opened(paths) as found:
        assert len({source.name for source in found}) == len(found)
        return {source.name: source.path.read_bytes() for source in found}


def reason(*paths: Path) -> str:
    """Say in one sentence or two why nothing is read."""
    with pytest.raises(ResultsError) as caught, opened(paths):
        pass
    assert len(str(caught.value)) < 500
    return str(caught.value)


def written(path: Path, content: bytes | bytearray | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


# --- files and folders ---


def test_a_file_is_itself(tmp_path: Path) -> None:
    """Not a copy of it."""
    path = written(tmp_path / "run.csv", "a,b\n")
    with opened([path]) as (source,):
        assert (source.path, source.name, source.truncated) == (path, "run.csv", False)


def test_folders_are_walked_and_sorted(tmp_path: Path) -> None:
    """All the way down, named from the folder on."""
    for name in ("b.csv", "a.csv", "worker/2/z.csv", "worker/1.csv"):
        written(tmp_path / "run" / name, name)
    assert content_of(tmp_path / "run") == {
        name: name.removeprefix("run/").encode()
        for name in ("run/a.csv", "run/b.csv", "run/worker/1.csv", "run/worker/2/z.csv")
    }


def test_what_systems_and_editors_leave_does_not_count(tmp_path: Path) -> None:
    """Unless it is named itself."""
    for name in (
        ".DS_Store",
        ".~lock.run.csv#",
        "~$run.csv",
        "run.csv~",
        ".git/config",
        "__MACOSX/._run.csv",
        "run.csv",
    ):
        written(tmp_path / "run" / name, "x")
    assert list(content_of(tmp_path / "run")) == ["run/run.csv"]
    assert list(content_of(tmp_path / "run/.DS_Store")) == [".DS_Store"]


def test_links_lead_to_files_and_not_in_circles(tmp_path: Path) -> None:
    """A file that is there twice comes once; a link to a folder above is not followed, nor is one to nowhere."""
    run = tmp_path / "run"
    written(run / "worker/1.csv", "1")
    (run / "latest.csv").symlink_to(run / "worker/1.csv")
    (run / "worker/up").symlink_to(tmp_path)
    (run / "gone").symlink_to(tmp_path / "nowhere")
    (run / "itself").symlink_to(run / "itself")
    (run / "elsewhere.csv").symlink_to(written(tmp_path / "2.csv", "2"))
    assert content_of(run) == {"run/elsewhere.csv": b"2", "run/latest.csv": b"1"}
    (tmp_path / "link").symlink_to(run)
    assert len(content_of(tmp_path / "link")) == 2
    assert "Too many levels of symbolic links" in reason(run / "itself")


def test_the_same_file_twice_comes_once(tmp_path: Path) -> None:
    """Named twice, or by its folder, too: its requests were made once."""
    path = written(tmp_path / "run/1.csv", "1")
    assert len(content_of(path, path, tmp_path / "run")) == 1


def test_pipes_sockets_and_devices_are_no_files(tmp_path: Path) -> None:
    """In a folder they do not count, and nothing waits for their other end."""
    run = tmp_path / "run"
    written(run / "1.csv", "1")
    os.mkfifo(run / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(run / "socket"))
    assert list(content_of(run)) == ["run/1.csv"]
    for path in (run / "pipe", run / "socket", Path("/dev/zero")):
        assert "is no regular file and no folder" in reason(path)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """Also below a file, and what can be no path."""
    path = written(tmp_path / "run.csv", "1")
    for missing in (tmp_path / "gone", path / "below", Path("a\0b")):
        with pytest.raises(NotFoundError, match="is not there"), opened([missing]):
            pass


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """With the system's words; a part of a run that is missing would be another run."""
    unreadable = Path("/proc/self/mem")  # a regular file that fails, for everybody
    assert reason(unreadable) == "mem cannot be read: Input/output error."
    (tmp_path / "mem").symlink_to(unreadable)
    written(tmp_path / "1.csv", "1")
    assert "mem cannot be read: Input/output error" in reason(tmp_path)
    assert "File name too long" in reason(tmp_path / ("x" * 300))


def test_a_name_is_no_pattern(tmp_path: Path) -> None:
    """DuckDB would look for other files under it; it is read under a name of ours, and called by its own."""
    folder = tmp_path / "build[7]"
    folder.mkdir()
    file = folder / "what?*.jtl"
    file.write_text(JTL)
    with opened([folder]) as (source,):
        assert not set("*?[") & set(str(source.path))
        assert source.path.read_text() == JTL
        assert source.name == "build[7]/what?*.jtl"


def test_a_name_is_no_column(tmp_path: Path) -> None:
    """DuckDB would take ``label=x`` for what a column of the file holds."""
    (tmp_path / "label=x").mkdir()
    with opened([written(tmp_path / "label=x" / "run.jtl", JTL.encode())]) as (source,):
        assert "=" not in str(source.path)
        assert source.path.read_text() == JTL
        assert source.name == "run.jtl"


def test_names_need_not_be_unicode(tmp_path: Path) -> None:
    """The file is read, and its name is shown as well as it can be."""
    written(Path(os.fsdecode(os.fsencode(tmp_path) + b"/run/caf\xe9.csv")), "1")
    assert content_of(tmp_path / "run") == {"run/caf\ufffd.csv": b"1"}


def test_nothing_is_said_to_be_nothing(tmp_path: Path) -> None:
    """0 bytes, also when packed, and a folder without files; an empty file beside others does not matter."""
    empty = written(tmp_path / "run/empty.csv", b"")
    assert reason(empty).startswith(f"{empty} is empty, 0 bytes")
    assert "is empty" in reason(written(tmp_path / "empty.csv.gz", gzip.compress(b"")))
    (tmp_path / "folder").mkdir()
    assert "folder holds no file" in reason(tmp_path / "folder")
    written(tmp_path / "run/1.csv", "1")
    assert len(content_of(tmp_path / "run")) == 2


def test_too_many_files_are_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody gave the folder of all runs."""
    monkeypatch.setattr(sources, "MOST_FILES", 3)
    for number in range(4):
        written(tmp_path / f"run/{number}", "x")
    with pytest.raises(ResultsError, match="holds more than 3 files: give one run's folder"):
        files_of(tmp_path / "run")


# --- compressed files ---


@pytest.mark.parametrize("kind", PACKERS)
def test_compressed_files_are_unpacked(tmp_path: Path, kind: str) -> None:
    """By their content; their name loses its ending if it has it, and nothing stays behind."""
    pack = PACKERS[kind]
    written(tmp_path / f"run.csv.{kind}", pack(LINES))
    written(tmp_path / "other.csv", pack(b"other"))
    with opened([tmp_path]) as found:
        assert [source.path.read_bytes() for source in found] == [b"other", LINES]
        assert [source.name for source in found] == [f"{tmp_path.name}/other.csv", f"{tmp_path.name}/run.csv"]
        folder = found[0].path.parent
    assert not folder.exists()


@pytest.mark.parametrize("kind", PACKERS)
def test_members_of_a_compressed_file_are_one(tmp_path: Path, kind: str) -> None:
    """Who appends writes a second one."""
    pack = PACKERS[kind]
    assert content_of(written(tmp_path / "run", pack(b"first\n") + pack(b"second\n"))) == {"run": b"first\nsecond\n"}


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_what_a_killed_tool_packed_counts(tmp_path: Path, kind: str) -> None:
    """Up to where it was cut; it is marked."""
    content = Random(5).randbytes(2_000_000)
    packed = PACKERS[kind](content)
    with opened([written(tmp_path / "run.csv", packed[: len(packed) * 3 // 4])]) as (source,):
        held = source.path.read_bytes()
        assert source.truncated
    assert len(held) > len(content) // 3
    assert content.startswith(held)
    assert "ended before the end-of-stream marker" in reason(written(tmp_path / "run.csv", packed[:12]))


@pytest.mark.parametrize("kind", PACKERS)
def test_damaged_archives_are_refused(tmp_path: Path, kind: str) -> None:
    """Garbage behind the first bytes, and a byte that is another one: what came out could be anything."""
    packed = bytearray(PACKERS[kind](NOISE))
    path = written(tmp_path / "run", packed[:12] + Random(1).randbytes(1000))
    assert "cannot be" in reason(path)
    packed[len(packed) // 2] ^= 0xFF
    if kind != "zst":  # whose packers write no checksum
        assert "run cannot be" in reason(written(path, packed))


def test_a_compressed_file_may_be_in_an_archive(tmp_path: Path) -> None:
    """And that in another one, as CI servers do, but there is an end to it."""
    inner = zipped(tmp_path / "inner.zip", {"run.csv.gz": gzip.compress(LINES), "notes.txt": b"x"})
    outer = zipped(tmp_path / "outer.zip", {"inner.zip": inner.read_bytes()})
    name = "outer.zip: inner.zip"
    assert content_of(outer) == {f"{name}: notes.txt": b"x", f"{name}: run.csv": LINES}
    packed = b"x"
    for _ in range(4):
        packed = gzip.compress(packed)
    assert "is packed more than 3 times" in reason(written(tmp_path / "run", packed))


# --- archives ---


def test_archives_are_folders(tmp_path: Path) -> None:
    """Sorted, without what systems leave."""
    members = {"b/2.csv": b"2", "a.csv": b"1", "__MACOSX/._a.csv": b"x", "b/.DS_Store": b"x", "empty/": b""}
    assert content_of(zipped(tmp_path / "run.zip", members)) == {"run.zip: a.csv": b"1", "run.zip: b/2.csv": b"2"}
    assert "holds no file" in reason(zipped(tmp_path / "empty.zip", {}))


def test_names_in_archives_lead_nowhere(tmp_path: Path) -> None:
    """Nothing is written beside the scratch folder, whatever a member calls itself."""
    members = {"../../evil": b"1", "/etc/evil": b"2", "a/../../evil": b"3", "C:\\evil": b"4", "x" * 1000: b"5"}
    path = zipped(tmp_path / "run.zip", members)
    with opened([path]) as found:
        folder = found[0].path.parent
        assert {source.path.parent for source in found} == {folder}
        assert sorted(source.path.read_bytes() for source in found) == [b"1", b"2", b"3", b"4", b"5"]
        assert sorted(folder.iterdir()) == sorted(source.path for source in found)
    assert [file.name for file in tmp_path.rglob("*")] == ["run.zip"]


def test_encrypted_archives_are_refused(tmp_path: Path) -> None:
    """Nobody asks for a password."""
    packed = bytearray(zipped(tmp_path / "run.zip", {"run.csv": b"x"}).read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(header) + flags] |= 1
    assert "is encrypted, password required" in reason(written(tmp_path / "run.zip", packed))


def test_archives_that_were_cut_short_are_refused(tmp_path: Path) -> None:
    """Their list of contents is at their end."""
    packed = zipped(tmp_path / "run.zip", {"run.csv": NOISE}).read_bytes()
    for size in (10, len(packed) // 2, len(packed) - 10):
        assert "run.zip cannot be unpacked" in reason(written(tmp_path / "run.zip", packed[:size]))


def test_damaged_archives_raise_nothing_else(tmp_path: Path) -> None:
    """Wherever the byte is: the files in there, or one error of ours."""
    packed = zipped(tmp_path / "run.zip", {"1.csv": b"1,2\n" * 50, "é.csv": b"x"}).read_bytes()
    random = Random(7)
    for _ in range(200):
        damaged = bytearray(packed)
        for _ in range(random.randint(1, 3)):
            damaged[random.randrange(4, len(packed))] = random.randrange(256)
        with suppress(ResultsError):
            content_of(written(tmp_path / "run.zip", damaged))


@pytest.mark.parametrize(("content", "kind"), [(b"7z\xbc\xaf\x27\x1c\0", "7z"), (b"Rar!\x1a\x07\0", "rar")])
def test_archives_that_are_not_read_are_named(tmp_path: Path, content: bytes, kind: str) -> None:
    """And what to do; beside other files they do not matter."""
    path = written(tmp_path / "run/results", content)
    assert f"is a {kind} archive, which is not read: unpack it" in reason(path)
    written(tmp_path / "run/1.csv", "1")
    assert len(content_of(tmp_path / "run")) == 2


# --- bombs ---


@pytest.fixture
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte is much here."""
    monkeypatch.setattr(sources, "UNPACKED_FREE", 2**20)
    monkeypatch.setattr(sources, "UNPACKED_RATIO", 10)


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.parametrize("kind", PACKERS)
def test_bombs_do_not_go_off(tmp_path: Path, kind: str) -> None:
    """What unpacks to more than is sound is refused long before its end, and nothing stays."""
    bomb = written(tmp_path / "bomb", PACKERS[kind](bytes(16 * 2**20)))
    assert "unpacks to more than 10 times its size" in reason(bomb)
    archive = zipped(tmp_path / "bomb.zip", {"bomb": bytes(16 * 2**20)})
    assert "bomb.zip unpacks to more than" in reason(archive)


@pytest.mark.usefixtures("small_bounds")
def test_many_small_bombs_are_one(tmp_path: Path) -> None:
    """Members of an archive, archives in it, and files of a folder add up."""
    part = bytes(2**19)
    many = zipped(tmp_path / "members.zip", {str(number): part for number in range(20)})
    nested = zipped(tmp_path / "nested.zip", {str(number): gzip.compress(part) for number in range(20)})
    for number in range(20):
        written(tmp_path / f"run/{number}.gz", gzip.compress(part))
    for bomb in (many, nested, tmp_path / "run"):
        assert "unpacks to more than" in reason(bomb)


def test_many_empty_members_are_a_bomb_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They take no bytes, but time and names."""
    monkeypatch.setattr(sources, "MOST_FILES", 50)
    members = {str(number): b"x" for number in range(51)}
    assert "or to 50 files" in reason(zipped(tmp_path / "run.zip", members))
    assert "or to 50 files" in reason(zipped(tmp_path / "empty.zip", dict.fromkeys(members, b"")))


def test_what_packs_well_is_no_bomb(tmp_path: Path) -> None:
    """A log of equal lines is a hundredth of its size when packed."""
    assert len(content_of(written(tmp_path / "run.gz", gzip.compress(b"2026-11-02 GET /a 200 0.012\n" * 10**5)))["run"])


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file can grow beyond 100 KB, as when the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """With the folder that is full, and what can be done."""
    packed = written(tmp_path / "run.gz", gzip.compress(NOISE))
    archive = zipped(tmp_path / "run.zip", {"run": NOISE})
    text = written(tmp_path / "run.txt", ("x" * 200_000).encode("utf-16"))
    request.getfixturevalue("small_disk")
    for path in (packed, archive, text):
        assert "is full" in (said := reason(path))
        assert "set TMPDIR" in said


# --- text ---


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_marked_text_becomes_utf8(tmp_path: Path, encoding: str) -> None:
    """As PowerShell and Excel write it; the line ends stay, also in an archive."""
    text = "duration_ms,name\r\n1,caffè 🫘\r\n" * 50_000
    content = text.encode(encoding)
    content = b"\xfe\xff" + content if encoding == "utf-16-be" else content
    assert content_of(written(tmp_path / "run.csv", content)) == {"run.csv": text.encode()}
    assert content_of(written(tmp_path / "run.csv", gzip.compress(content))) == {"run.csv": text.encode()}


def test_xml_in_utf16_says_what_it_is_then(tmp_path: Path) -> None:
    """Or its parser would believe the first line."""
    text = """<?xml version="1.0" encoding="utf-16"?>\n<a encoding="utf-16"/>"""
    expected = """<?xml version="1.0" encoding="utf-8"?>\n<a encoding="utf-16"/>"""
    assert content_of(written(tmp_path / "run.xml", text.encode("utf-16"))) == {"run.xml": expected.encode()}


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x83\x03\x01",
        b"\xfe\xff\x12\x34",
        b"\xff\xff\xff\xff\0\0\0\0",
        b"\xff\xfe",
        b"caf\xe9,\0",
        b"PK",
        b"\x1f",
    ],
)
def test_other_bytes_stay_as_they_are(tmp_path: Path, content: bytes) -> None:
    """Numbers may begin like a mark."""
    path = written(tmp_path / "run", content)
    with opened([path]) as (source,):
        assert source.path == path


def test_a_mark_of_a_large_file_is_no_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only archives have bounds."""
    monkeypatch.setattr(sources, "UNPACKED_FREE", 10)
    monkeypatch.setattr(sources, "UNPACKED_RATIO", 0)
    assert content_of(written(tmp_path / "run", b"\xef\xbb\xbf" + LINES)) == {"run": LINES}


def test_damaged_utf16_is_shown_as_such(tmp_path: Path) -> None:
    """Half a character at the end of a file that was cut short."""
    content = io.BytesIO("ab".encode("utf-16-le")).read() + b"\x00"
    assert content_of(written(tmp_path / "run", b"\xff\xfe" + content)) == {"run": "ab\ufffd".encode()}

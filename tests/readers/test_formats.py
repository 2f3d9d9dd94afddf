"""Which reader some files are for: by their content, by name, and from other packages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ator_lib.errors import ResultsError, UsageError
from ator_lib.readers.base import Source
from ator_lib.readers.formats import FORMATS, formats, reader, reader_for
from tests.support.files import synthetic_csv

READER = """
from ator_lib.readers.base import Format, Reading
from ator_lib.readers.tables import samples_batch, stream


class TallyReader:
    about = Format(name="tally", files="lists of milliseconds", gives="samples", precision="1 ms")

    def recognises(self, source):
        return source.head.startswith(b"TALLY")

    def read(self, sources, options):
        took = [float(line) for source in sources for line in source.path.read_text().splitlines()[1:]]
        rows = samples_batch(len(took), name=["all requests"] * len(took), duration_ms=took, success=[True] * len(took))
        return Reading(tool="tally", precision="1 ms", samples=stream(iter([rows])))


class NervousReader(TallyReader):
    about = Format(name="nervous", files="none", gives="nothing", precision="none")

    def recognises(self, source):
        raise ValueError(source.name)
"""
"""A module of another package, with a reader that works and one that stumbles over every file."""

ENTRY_POINTS = """[ator.readers]
tally = tally_reader:TallyReader
nervous = tally_reader:NervousReader
samples = tally_reader:TallyReader
renamed = tally_reader:TallyReader
missing = tally_reader:MissingReader
broken = broken_reader:Reader
"""

SCRIPT = """
import json, sys
from pathlib import Path
import ator_lib as ator
from ator_lib.readers.formats import formats, reader, unusable

ws = ator.connect(sys.argv[1])
run = ws.ingest(sys.argv[2], test="tally")
own = ws.ingest(sys.argv[3], test="own")
refused = {}
for name in ("broken", "renamed", "missing", "nobody"):
    try:
        ws.ingest(sys.argv[2], test="refused", format=name)
    except ator.UsageError as error:
        refused[name] = str(error)
try:
    ws.ingest(sys.argv[4], test="unknown")
except ator.ResultsError as error:
    refused["unknown"] = str(error)
print(json.dumps({
    "names": [known.name for known in formats()],
    "report": [run.ingest_report().format, run.ingest_report().tool, run.ingest_report().rows_kept],
    "own": own.ingest_report().format,
    "notes": own.ingest_report().notes,
    "unusable": unusable(),
    "refused": refused,
}))
"""


def source(path: Path, content: bytes | None = None) -> Source:
    if content is not None:
        path.write_bytes(content)
    return Source(path=path, name=path.name)


def test_every_format_tells_what_it_is() -> None:
    """For ``ator formats``: no part is empty, and the name is the one of the table."""
    assert [about.name for about in formats()][: len(FORMATS)] == list(FORMATS)
    for about in formats():
        assert about.files
        assert about.gives
        assert about.precision


def test_the_name_of_a_file_says_nothing(tmp_path: Path) -> None:
    """Its content does."""
    path = synthetic_csv(tmp_path / "locust_stats.json")
    found, read = reader_for([source(path)])
    assert (found.about.name, [file.name for file in read]) == ("samples", ["locust_stats.json"])


@pytest.mark.parametrize(
    "content", [b"", b"\n \n", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"dear diary\n", b"{}", b"[]", b"<a/>"]
)
def test_what_nobody_knows_is_refused(tmp_path: Path, content: bytes) -> None:
    """With the formats that there are, and what to try."""
    with pytest.raises(
        ResultsError, match=r"diary\.txt is in no format that is known here: .*samples.*name its format"
    ):
        reader_for([source(tmp_path / "diary.txt", content)])


def test_others_in_a_folder_are_left_aside(tmp_path: Path) -> None:
    """What a reader recognises is read; if nothing is, the first is named."""
    table, diary = source(synthetic_csv(tmp_path / "1.csv")), source(tmp_path / "diary.txt", b"dear diary\n")
    assert reader_for([diary, table])[1] == [table]
    with pytest.raises(ResultsError, match=r"diary\.txt and 1 more are in no format that is known here"):
        reader_for([diary, source(tmp_path / "2.txt", b"no more\n")])


def test_files_of_two_tools_are_not_one_run(tmp_path: Path) -> None:
    """Whoever has both must say which."""
    table = source(synthetic_csv(tmp_path / "1.csv"))
    jtl = source(tmp_path / "2.jtl", b"timeStamp,elapsed,label,responseCode,success\n1793620800000,1,a,200,true\n")
    with pytest.raises(ResultsError, match=r"several formats .*samples: 1\.csv.*Name the one to read"):
        reader_for([table, jtl])
    assert reader_for([table, jtl], "jtl")[1] == [jtl]


def test_a_format_by_name_is_not_doubted(tmp_path: Path) -> None:
    """Whoever names it gets that reader for all files, if it recognises none; an unknown one is answered with all."""
    unknown = source(tmp_path / "diary.txt", b"dear diary\n")
    found, read = reader_for([unknown], "capture")
    assert (found.about.name, read) == ("capture", [unknown])
    with pytest.raises(UsageError, match=r"there is no reader for 'jtx'\. There are: .*capture, .*samples"):
        reader("jtx")


def test_other_packages_add_readers(tmp_path: Path) -> None:
    """By an entry point of an installed distribution; one that is broken is said, and takes no other with it."""
    site = tmp_path / "site"
    info = site / "tally-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tally\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (site / "tally_reader.py").write_text(READER)
    (site / "broken_reader.py").write_text("import a_package_that_is_not_installed\n")
    tally, unknown = tmp_path / "tally.txt", tmp_path / "diary.txt"
    tally.write_text("TALLY\n1\n2\n")
    unknown.write_text("dear diary\n")
    own = synthetic_csv(tmp_path / "own.csv")
    arguments = [sys.executable, "-c", SCRIPT, *map(str, (tmp_path / "data", tally, own, unknown))]
    ran = subprocess.run(arguments, env={"PYTHONPATH": str(site)}, capture_output=True, text=True, check=True)
    said = json.loads(ran.stdout)
    assert said["names"] == [*FORMATS, "nervous", "tally"]
    assert (said["report"], said["own"]) == (["tally", "tally", 2], "samples")
    broken, missing, renamed = said["unusable"]
    assert broken.startswith(
        "The reader 'broken' of tally cannot be used (ModuleNotFoundError: No module named 'a_pack"
    )
    assert "AttributeError" in missing
    assert "it is the reader of 'tally'" in renamed
    assert said["notes"] == said["unusable"]
    refused = said["refused"]
    assert (refused["broken"], refused["missing"], refused["renamed"]) == (broken, missing, renamed)
    assert "there is no reader for 'nobody'" in refused["nobody"]
    assert broken in refused["unknown"]

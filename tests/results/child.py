"""What the tests of atomicity run in a process of its own: ``python -m tests.results.child MODE ROOT``."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from ator_lib import schema
from ator_lib.errors import AtorError
from ator_lib.readers.base import Reading
from ator_lib.results.parquet import ParquetStore
from tests.results.synthetic import random_table, reading


def endless() -> Reading:
    """Make a reading that never ends, so that whoever writes it has to be killed."""

    def batches() -> Iterator[pa.RecordBatch]:
        batch = pa.Table.from_batches(random_table(1000).to_batches() * 200).combine_chunks().to_batches()[0]
        while True:
            yield batch
            time.sleep(0.05)

    return Reading(
        samples=pa.RecordBatchReader.from_batches(schema.SAMPLES, batches()),
        tool="synthetic",
        tool_version=None,
        precision=schema.EXACT,
    )


def main(mode: str, root: str) -> None:
    """Write ``endless``, with a ``full`` disk, or a ``normal`` one."""
    store = ParquetStore(Path(root))
    if mode == "endless":
        store.write(endless())
    if mode == "full":  # no file may become longer than this: the next write fails as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        said = store.write(reading(random_table(20_000))).ingest_id
    except AtorError as error:
        said = f"{type(error).__name__}: {error}"
    sys.stdout.write(said + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""How fast readers decode, in samples per second of one core, and how much memory that takes.

Each format in a process of its own, bound to one core, on a file made here; the best of three. What counts is the
time of the core in which all samples become Arrow batches. What a reader does before, such as counting users, is in
the second figure. Takes about a minute.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import pyarrow as pa

from ator_lib.readers.base import NO_OPTIONS, Source
from ator_lib.readers.duck import Query
from ator_lib.readers.formats import reader
from tests.readers.gatling_logs import START_MS, BinaryLog, Request

REPEATS = 3
LABELS = 50
FAILURE = "status.find.in(200,304), but actually found 500"
RECORDED_GOB = Path("tests/recorded/vegeta/results.gob")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A format, what its decoder should reach, and how a file of it with so many samples is made."""

    format: str
    target: int
    samples: int
    write: Callable[[Path, int], None]


# --- files ---


def requests(number: int) -> Iterator[Request]:
    """Give requests, every fiftieth failed, every third in two groups."""
    for index in range(number):
        start = index // 4
        yield Request(
            name=f"request {index % LABELS}",
            groups=() if index % 3 else ("Shop", "Cart"),
            start=start,
            end=start + index * 7919 % 900,
            ok=index % 50 > 0,
            message="" if index % 50 else FAILURE,
        )


def write_gatling(path: Path, number: int) -> None:
    """Write a text log of Gatling 3.9, with a user for every ten requests."""
    with path.open("w") as file:
        file.write(f"RUN\texample.ShopSimulation\tshop\t{START_MS}\t \t3.9.5\n")
        for index, request in enumerate(requests(number)):
            start, end = START_MS + request.start, START_MS + request.end
            if index % 5 == 0:
                file.write(f"USER\tBuy\t{'END' if index % 10 else 'START'}\t{start}\n")
            status = "OK" if request.ok else "KO"
            groups = ",".join(request.groups)
            file.write(f"REQUEST\t{groups}\t{request.name}\t{start}\t{end}\t{status}\t{request.message or ' '}\n")


def write_gatling_binary(path: Path, number: int) -> None:
    """Write the same as a binary log of Gatling 3.14."""
    log = BinaryLog()
    for index, request in enumerate(requests(number)):
        if index % 5 == 0:
            log.user(request.start, starts=index % 10 == 0)
        log.request(request)
    path.write_bytes(log.data)


def write_jtl_xml(path: Path, number: int) -> None:
    """Write a JTL as JMeter's default settings have it."""
    with path.open("w") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<testResults version="1.2">\n')
        for index, request in enumerate(requests(number)):
            status = 'rc="200" rm="OK"' if request.ok else 'rc="500" rm="Internal Server Error"'
            file.write(
                f'<httpSample t="{request.end - request.start}" it="0" lt="3" ct="1" ts="{START_MS + request.start}" '
                f's="{str(request.ok).lower()}" lb="{request.name}" {status} tn="Thread Group 1-{index % 100}" '
                'dt="text" by="1270" sby="116" ng="100" na="100"/>\n'
            )
        file.write("</testResults>\n")


def write_vegeta(path: Path, number: int) -> None:
    """Write the definitions of a recorded stream, and its results again and again."""
    definitions, results = [], []
    for message, defines in gob_messages(RECORDED_GOB.read_bytes()):
        (definitions if defines else results).append(message)
    path.write_bytes(b"".join([*definitions, *islice(cycle(results), number)]))


def gob_messages(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """Cut a stream of gobs into its messages; a negative number of a type, which is odd as written, defines one."""
    at = 0
    while at < len(data):
        (size, begin) = unsigned(data, at)
        (kind, _) = unsigned(data, begin)
        yield data[at : begin + size], kind % 2 == 1
        at = begin + size


def unsigned(data: bytes, at: int) -> tuple[int, int]:
    """Read a number of a gob, and say where it ends: below 128 a byte, else how many there are, negated, and they."""
    if data[at] < 128:
        return data[at], at + 1
    (length,) = struct.unpack_from("b", data, at)
    end = at + 1 - length
    return int.from_bytes(data[at + 1 : end], "big"), end


CASES = (
    Case(format="gatling", target=1_500_000, samples=1_000_000, write=write_gatling),
    Case(format="gatling-binary", target=500_000, samples=1_000_000, write=write_gatling_binary),
    Case(format="vegeta", target=200_000, samples=400_000, write=write_vegeta),
    Case(format="jtl-xml", target=150_000, samples=300_000, write=write_jtl_xml),
)


# --- measuring ---


def decode(format: str, path: Path) -> tuple[int, float, float]:
    """Read a file and consume its samples; gives their number, the seconds for that, and those before."""
    begin = time.process_time()
    samples = reader(format).read([Source(path=path, name=path.name)], NO_OPTIONS).samples
    opened = time.process_time()
    if isinstance(samples, Query):
        samples.connection.execute("SET threads = 1")
        samples = samples.connection.sql(samples.sql).to_arrow_reader()
    assert isinstance(samples, pa.RecordBatchReader)
    decoded = sum(batch.num_rows for batch in samples)
    return decoded, time.process_time() - opened, opened - begin


def measure(format: str, path: Path, samples: int) -> tuple[float, float, float]:
    """Give the shortest times in seconds of the core, for decoding and before, and the most memory in MB."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pa.set_cpu_count(1)
    decoded, decoding, before = zip(*(decode(format, path) for _ in range(REPEATS)), strict=True)
    assert set(decoded) == {samples}, f"{format}: {decoded} samples of {samples}"
    return min(decoding), min(before), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure each format."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            path = Path(folder) / case.format
            case.write(path, case.samples)
            with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as process:
                decoding, before, memory = process.submit(measure, case.format, path, case.samples).result()
            print(
                f"{case.format}: {case.samples / decoding:,.0f} samples a second of one core "
                f"(target: {case.target:,}), {case.samples / (decoding + before):,.0f} with what comes before; "
                f"{path.stat().st_size / 2**20:.0f} MB in at most {memory:.0f} MB of memory",
                flush=True,
            )
            path.unlink()


if __name__ == "__main__":
    main()

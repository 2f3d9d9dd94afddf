"""Runs to InfluxDB, and results of load tools that write there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ator_lib.errors import UsageError
from ator_lib.results.influx import Influx, answer


def influx_of(
    default: Influx | None, *, url: str | None, bucket: str | None, org: str | None, token: str | None
) -> Influx:
    """Give the InfluxDB that is meant: what is said here, and for the rest that of the settings.

    Raises
    ------
    UsageError
        Neither says where it is.
    SettingsError
        The address or the bucket cannot be.
    """
    if url is None and default is None:
        raise UsageError("where is InfluxDB? Give its address and bucket (url=, --influx; ATOR_INFLUX_URL, …_BUCKET)")
    known = default or Influx(url=url or "", bucket=bucket or "")
    return Influx(
        url=url or known.url,
        bucket=bucket or known.bucket,
        org=org or known.org,
        token=known.token if token is None else token,
    )


@contextmanager
def answered(target: Influx, flux: str) -> Iterator[Path]:
    """Yield a file with what a Flux query answers, to be ingested; it goes when it is left.

    Raises
    ------
    StoreError
        InfluxDB cannot be reached, or does not take the query.
    """
    with TemporaryDirectory(prefix="ator-") as folder:
        file = Path(folder) / "flux.csv"
        file.write_text(answer(target, flux), encoding="utf-8")
        yield file

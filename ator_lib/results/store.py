"""What every bulk store offers: sets are written whole, made visible elsewhere, and taken away again."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

import pyarrow as pa

from ator_lib.errors import AtorError, ResultsError, StoreError, UsageError
from ator_lib.readers.base import Reading
from ator_lib.results import duck
from ator_lib.results.base import StagedResults
from ator_lib.results.faults import is_full, reason
from ator_lib.results.reading import ReadableSets


class Store(ReadableSets):
    """Where sets of bulk rows are kept.

    A set is staged by ``write`` and belongs to a run by the transaction that records it (``results/index.py``).
    Whoever is killed in between leaves what ``sweep`` finds later.
    """

    @abstractmethod
    def write(self, reading: Reading) -> StagedResults:
        """Write a complete set and compute its summaries.

        Samples pass through in a stream; their exact percentiles take some 10 bytes of memory a request.

        Raises
        ------
        ResultsError
            The reader failed; nothing is left of the set.
        StoreError
            The set cannot be kept: the disk is full, the folder cannot be written, the database is away …;
            nothing is left of it.
        """

    @abstractmethod
    def keep(self, ingest_id: str) -> None:
        """Say that a run points at the set now, after the commit that made it so: it is never swept from then on."""

    @abstractmethod
    def release(self, ingest_id: str) -> None:
        """Say, before the commit that makes it so, that no run will point at the set: then it can be swept.

        Without that commit nothing happens to it: only this registry sweeps it, and only once it knows no run of it.

        Raises
        ------
        StoreError
            The store cannot be written.
        """

    @abstractmethod
    def discard(self, ingest_id: str) -> None:
        """Remove a set; nothing happens when there is none.

        Raises
        ------
        StoreError
            It cannot be removed.
        """

    @abstractmethod
    def sweep(self, known: Collection[str]) -> list[str]:
        """Remove what dead processes left: sets not kept, not in ``known``, untouched for an hour; gives their ids."""

    # --- samples that expire ---

    def condense(self, ingest_id: str, block_s: float) -> None:
        """Write what else is computed of the samples, unless that was done at ingest."""
        tables = self.condensed(ingest_id, block_s)
        if tables is not None:
            self.put(ingest_id, tables)

    @abstractmethod
    def put(self, ingest_id: str, tables: Mapping[str, pa.Table]) -> None:
        """Give a set these tables, in place of those of the same name.

        Raises
        ------
        StoreError
            They cannot be written.
        """

    @abstractmethod
    def expire(self, ingest_id: str) -> None:
        """Remove the samples of a condensed set for good; may be done again.

        Raises
        ------
        StoreError
            They cannot be removed.
        """

    @abstractmethod
    def sample_bytes(self, ingest_id: str) -> int:
        """Say about how many bytes the samples of a set take; 0 if they have expired, or there is no set."""


@contextmanager
def kept_in(where: str) -> Iterator[None]:
    """Tell what a reader stumbled over from what keeps a set from being written."""
    try:
        yield
    except UsageError as error:  # an aggregate that these samples do not allow
        raise ResultsError(f"{error}; nothing of them was kept") from error
    except AtorError:
        raise
    except Exception as error:
        device = (OSError, MemoryError, pa.ArrowException, duck.DuckError)
        if is_full(error) or (isinstance(error, device) and not isinstance(error, ValueError)):
            raise StoreError(
                f"the results cannot be kept in {where}: {reason(error)}; nothing of them was kept"
            ) from error
        raise ResultsError(f"the results cannot be read: {reason(error)}; nothing of them was kept") from error

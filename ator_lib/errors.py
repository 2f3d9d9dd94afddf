"""Every error that ATOR raises on purpose.

::

    AtorError
    ├── UsageError                 the caller's words are off; nothing was changed
    │   ├── SettingsError            a setting or environment variable
    │   ├── FactorError              a factor that is no number at all ("abc")
    │   ├── NeverAdmissibleError     a factor that no free location could ever take
    │   ├── NotFoundError            no such run, location, notebook, results …
    │   │   └── NoBaselineError        there is no run to compare with
    │   ├── AccessError              a server wants a token, or one with a higher role
    │   ├── NeedsStoreError          a server cannot do this for its clients (also an AttributeError)
    │   └── ConflictError            the run is not in a state that allows this
    │       ├── LeaseLostError       the lease that was shown is not (or no longer) the run's
    │       └── RunCancelledError    somebody cancelled the run while it waited in the queue
    ├── CapacityError              the location is full now; another time it may do
    ├── NotebookError              a cell of a notebook failed; the partial notebook is kept
    ├── BrokenError                something that ATOR stands on is missing or broke
    │   ├── MissingExtraError        an optional package is not installed
    │   ├── ToolError                a load or test tool is missing, would not start, or broke
    │   └── StoreError               the database or the results folder
    │       ├── StoreUnavailableError  it cannot be reached now; asking again may do
    │       └── StoreVersionError      it is of another version of ATOR
    └── ResultsError               result files that cannot be read

Each class carries the exit code of the command line (see ``ExitCode``), so that the
command line translates errors in one place and papermill notebooks can hand them on.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pathlib import Path

    from ator_lib.model import Refusal


class ExitCode(IntEnum):
    """Exit codes of the ``ator`` command; published, so they never change."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_CAPACITY = 3
    NO_VERDICT = 4
    BROKEN = 5
    INTERRUPTED = 130


class AtorError(Exception):
    """Base of the tree. The message says what failed, which id or file, and what to try."""

    exit_code: ClassVar[ExitCode] = ExitCode.BROKEN


class UsageError(AtorError):
    """Bad input; nothing was changed."""

    exit_code = ExitCode.USAGE


class SettingsError(UsageError):
    """A setting from the environment or ``ator.toml`` is invalid."""


class FactorError(UsageError):
    """A factor that cannot be read as a decimal number."""


class NeverAdmissibleError(UsageError):
    """The factor is below 0, not finite, or not below the location's capacity."""


class NotFoundError(UsageError):
    """A run, location, notebook or result that does not exist."""


class NoBaselineError(NotFoundError):
    """No run in the history is what the baseline asks for: there is no verdict."""

    exit_code = ExitCode.NO_VERDICT


class ConflictError(UsageError):
    """The run is in a state that does not allow this, for example already final."""


class LeaseLostError(ConflictError):
    """The lease is not, or no longer, the run's: whoever holds it must stop its tool."""

    exit_code = ExitCode.BROKEN  # nobody's words were off


class RunCancelledError(ConflictError):
    """Somebody cancelled the run while it waited in the queue."""

    exit_code = ExitCode.INTERRUPTED


class AccessError(UsageError):
    """The server wants a token, or one with a higher role."""


class NeedsStoreError(UsageError, AttributeError):
    """A remote workspace has no such method: what it does needs the database and the results themselves."""


class CapacityError(AtorError):
    """The location has no room for the factor now.

    ``refusal`` has the sum taken, the factor requested, the limit and the holders.
    """

    exit_code = ExitCode.NO_CAPACITY

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class NotebookError(AtorError):
    """A cell failed; ``notebook`` is the partial notebook, which is kept."""

    def __init__(self, message: str, *, notebook: Path, exit_code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.notebook = notebook
        self.exit_code = exit_code  # type: ignore[misc]  # the failed cell's own error may say more


class BrokenError(AtorError):
    """Something that ATOR stands on is missing or broke."""


class MissingExtraError(BrokenError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed. Install it with: pip install 'ator[{extra}]'")


class ToolError(BrokenError):
    """A load or test tool is missing, would not start, or broke."""


class StoreError(BrokenError):
    """The database or the data folder cannot be opened, read or written."""


class StoreUnavailableError(StoreError):
    """The database or the server cannot be reached, or went away in the middle: asking again may do.

    ``in_doubt`` says that what was asked may have been done all the same: only the answer was lost.
    """

    def __init__(self, message: str, *, in_doubt: bool = False) -> None:
        super().__init__(message)
        self.in_doubt = in_doubt


class StoreVersionError(StoreError):
    """The database is of another version of ATOR than this one."""


class ResultsError(AtorError):
    """Result files that cannot be read, or too little of them; nothing of them was kept."""

    exit_code = ExitCode.USAGE

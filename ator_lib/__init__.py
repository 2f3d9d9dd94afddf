"""ATOR, the API Testing Orchestrator: admit, execute, analyse and compare load and API tests.

Importing this package loads nothing heavy: the public names below are looked up on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ator_lib import written
    from ator_lib.errors import (
        AccessError,
        AtorError,
        CapacityError,
        ConflictError,
        FactorError,
        LeaseLostError,
        MissingExtraError,
        NeedsStoreError,
        NeverAdmissibleError,
        NoBaselineError,
        NotebookError,
        NotFoundError,
        ResultsError,
        RunCancelledError,
        SettingsError,
        StoreError,
        StoreUnavailableError,
        ToolError,
        UsageError,
    )
    from ator_lib.model import (
        Annotation,
        EndpointProgress,
        ErrorProgress,
        IngestReport,
        LoadProfile,
        Progress,
        Run,
        RunStatus,
        RunVerdict,
    )
    from ator_lib.readers.formats import formats
    from ator_lib.runners.locust import Locust
    from ator_lib.schema import PERCENTILE_RULE
    from ator_lib.workspace.comparison import Comparison
    from ator_lib.workspace.connect import connect
    from ator_lib.workspace.explanation import Explanation
    from ator_lib.workspace.gate import Gate
    from ator_lib.workspace.live import LiveRun
    from ator_lib.workspace.preview import Preview
    from ator_lib.workspace.remote import RemoteRun, RemoteWorkspace
    from ator_lib.workspace.run import RunHandle
    from ator_lib.workspace.side_by_side import SideBySide
    from ator_lib.workspace.trend import Trend
    from ator_lib.workspace.workspace import Workspace

_HOMES = {
    "connect": "workspace.connect",
    "Workspace": "workspace.workspace",
    "RunHandle": "workspace.run",
    "RemoteWorkspace": "workspace.remote",
    "RemoteRun": "workspace.remote",
    "LiveRun": "workspace.live",
    "Comparison": "workspace.comparison",
    "Explanation": "workspace.explanation",
    "SideBySide": "workspace.side_by_side",
    "Trend": "workspace.trend",
    "Gate": "workspace.gate",
    "Preview": "workspace.preview",
    "Locust": "runners.locust",
    "PERCENTILE_RULE": "schema",
    "LoadProfile": "model",
    "Progress": "model",
    "EndpointProgress": "model",
    "ErrorProgress": "model",
    "RunVerdict": "model",
    "IngestReport": "model",
    "Annotation": "model",
    "formats": "readers.formats",
    "Run": "model",
    "RunStatus": "model",
    "AtorError": "errors",
    "SettingsError": "errors",
    "AccessError": "errors",
    "NeedsStoreError": "errors",
    "RunCancelledError": "errors",
    "StoreUnavailableError": "errors",
    "ResultsError": "errors",
    "MissingExtraError": "errors",
    "LeaseLostError": "errors",
    "FactorError": "errors",
    "CapacityError": "errors",
    "ConflictError": "errors",
    "NeverAdmissibleError": "errors",
    "NoBaselineError": "errors",
    "NotebookError": "errors",
    "NotFoundError": "errors",
    "StoreError": "errors",
    "ToolError": "errors",
    "UsageError": "errors",
    "written": "written",
}
"""Public name → the module that it lives in, or is."""

__all__ = [
    "PERCENTILE_RULE",
    "AccessError",
    "Annotation",
    "AtorError",
    "CapacityError",
    "Comparison",
    "ConflictError",
    "EndpointProgress",
    "ErrorProgress",
    "Explanation",
    "FactorError",
    "Gate",
    "IngestReport",
    "LeaseLostError",
    "LiveRun",
    "LoadProfile",
    "Locust",
    "MissingExtraError",
    "NeedsStoreError",
    "NeverAdmissibleError",
    "NoBaselineError",
    "NotFoundError",
    "NotebookError",
    "Preview",
    "Progress",
    "RemoteRun",
    "RemoteWorkspace",
    "ResultsError",
    "Run",
    "RunCancelledError",
    "RunHandle",
    "RunStatus",
    "RunVerdict",
    "SettingsError",
    "SideBySide",
    "StoreError",
    "StoreUnavailableError",
    "ToolError",
    "Trend",
    "UsageError",
    "Workspace",
    "__version__",
    "connect",
    "formats",
    "written",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    value = home if _HOMES[name] == name else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

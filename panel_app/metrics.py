"""The figures of runs by their names, as people say them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

COMPARED: Mapping[str, str] = MappingProxyType(
    {
        "p50_ms": "p50",
        "p95_ms": "p95",
        "p99_ms": "p99",
        "mean_ms": "Mean",
        "error_rate": "Error rate",
        "throughput_rps": "Throughput",
    }
)
"""What a comparison has a change of."""

FOLLOWED: Mapping[str, str] = MappingProxyType(
    {
        **COMPARED,
        "p75_ms": "p75",
        "p90_ms": "p90",
        "p99_9_ms": "p99.9",
        "min_ms": "Min",
        "max_ms": "Max",
        "stddev_ms": "Standard deviation",
        "requests": "Requests",
        "failures": "Failures",
        "duration_s": "Duration",
        "bytes_received": "Bytes received",
    }
)
"""What a trend may be of."""

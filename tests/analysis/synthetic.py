"""Made runs with known truth (synthetic, never mistaken for measurements)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from ator_lib import schema
from ator_lib.analysis.run_data import RunData
from ator_lib.model import LoadProfile, RunStatus

START_US = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1e6)
BIN = 1.01
PROFILE = LoadProfile(model="closed", users=20, spawn_rate=10, run_time_s=60, processes=1, host="http://target")
Samples = dict[tuple[str, str], "EndpointSamples"]


@dataclass(frozen=True, kw_only=True)
class EndpointSamples:
    """Requests of one endpoint: seconds since the run's start, durations, failures."""

    at_s: np.ndarray
    duration_ms: np.ndarray
    failed: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What an endpoint is made of: lognormal durations around a median, with slow waves through the run."""

    requests: int = 3000
    median_ms: float = 40.0
    sigma: float = 0.5
    wave_sd: float = 0.05
    error_rate: float = 0.0


def made_samples(truths: Mapping[str, Truth], *, seed: int, run_sd: float = 0.02, duration_s: float = 60.0) -> Samples:
    """Draw a run: all endpoints share its run shift (lognormal, ``run_sd``) and its autocorrelated waves."""
    generator = np.random.default_rng(seed)
    shift = generator.normal(0, run_sd)
    wave = _waves(generator, int(duration_s) + 1)
    samples = {}
    for name, truth in truths.items():
        at_s = np.sort(generator.uniform(0, duration_s, truth.requests))
        noise = generator.normal(0, truth.sigma, truth.requests)
        samples[(name, "GET")] = EndpointSamples(
            at_s=at_s,
            duration_ms=truth.median_ms * np.exp(shift + truth.wave_sd * wave[at_s.astype(int)] + noise),
            failed=generator.random(truth.requests) < truth.error_rate,
        )
    return samples


def _waves(generator: np.random.Generator, seconds: int, correlation: float = 0.6) -> np.ndarray:
    """AR(1) per second with standard deviation 1."""
    wave = generator.normal(size=seconds)
    for second in range(1, seconds):
        wave[second] = correlation * wave[second - 1] + np.sqrt(1 - correlation**2) * wave[second]
    return wave


def run_data(samples: Samples, *, run_id: int = 1, duration_s: float = 60.0, block_s: float = 2.0, **facts) -> RunData:
    """Build the tables of a run from its requests, as results would."""
    parts = [*samples.items(), ((None, None), _together(samples))] if samples else []
    defaults = {
        "label": f"synthetic {run_id}",
        "tool": "locust",
        "test": "synthetic",
        "location": "lab-1",
        "load_profile": PROFILE,
        "status": RunStatus.SUCCESS,
    }
    return RunData(
        run_id=run_id,
        summaries=pa.Table.from_pylist([_summary(k, s, duration_s) for k, s in parts], schema.SUMMARIES),
        distributions=pa.concat_tables([schema.DISTRIBUTIONS.empty_table(), *(_bins(k, p, block_s) for k, p in parts)]),
        timeline=pa.concat_tables(
            [schema.TIMELINE.empty_table(), *(_intervals(k, p, block_s, duration_s) for k, p in parts)]
        ),
        **{**defaults, **facts},
    )


def made_run(truths: Mapping[str, Truth], *, seed: int, run_sd: float = 0.02, **facts) -> RunData:
    """Draw a run and build its tables."""
    duration_s = facts.get("duration_s", 60.0)
    return run_data(made_samples(truths, seed=seed, run_sd=run_sd, duration_s=duration_s), **{"run_id": seed, **facts})


def _together(samples: Samples) -> EndpointSamples:
    parts = list(samples.values())
    return EndpointSamples(
        at_s=np.concatenate([p.at_s for p in parts]),
        duration_ms=np.concatenate([p.duration_ms for p in parts]),
        failed=np.concatenate([p.failed for p in parts]),
    )


def _summary(key: tuple[str | None, str | None], s: EndpointSamples, duration_s: float) -> dict:
    n = len(s.duration_ms)
    return {
        "scope": "name" if key[0] else "total",
        "name": key[0],
        "method": key[1],
        "requests": n,
        "failures": int(s.failed.sum()),
        "duration_s": duration_s,
        "throughput_rps": n / duration_s,
        "error_rate": float(s.failed.mean()) if n else None,
        "mean_ms": float(s.duration_ms.mean()) if n else None,
        **{name: float(np.quantile(s.duration_ms, q)) if n else None for name, q in schema.PERCENTILES.items()},
        "precision": schema.EXACT,
    }


def _bins(key: tuple[str | None, str | None], s: EndpointSamples, block_s: float) -> pa.Table:
    block = (s.at_s // block_s).astype(int)
    column = np.floor(np.log(np.maximum(s.duration_ms, 1e-3)) / np.log(BIN)).astype(int)
    cells, counts = np.unique(np.column_stack([block, column]), axis=0, return_counts=True)
    columns = {
        "name": [key[0]] * len(cells),
        "method": [key[1]] * len(cells),
        "block_start": (START_US + cells[:, 0] * block_s * 1e6).astype(int),
        "lower_ms": BIN ** cells[:, 1].astype(float),
        "upper_ms": BIN ** (cells[:, 1] + 1).astype(float),
        "count": counts,
    }
    return pa.table({f.name: pa.array(columns[f.name], f.type) for f in schema.DISTRIBUTIONS}, schema.DISTRIBUTIONS)


def _intervals(key: tuple[str | None, str | None], s: EndpointSamples, block_s: float, duration_s: float) -> pa.Table:
    blocks = int(np.ceil(duration_s / block_s))
    order = np.argsort(s.at_s, kind="stable")
    block = np.minimum((s.at_s[order] // block_s).astype(int), blocks - 1)
    requests = np.bincount(block, minlength=blocks)
    inside = np.split(s.duration_ms[order], requests.cumsum()[:-1])
    figures = [np.quantile(v, [0.5, 0.95, 0.99, 1.0]) if len(v) else [None] * 4 for v in inside]
    columns = {
        "interval_start": (START_US + np.arange(blocks) * block_s * 1e6).astype(int),
        "interval_s": np.full(blocks, block_s),
        "name": [key[0]] * blocks,
        "method": [key[1]] * blocks,
        "users": [20 if key[0] is None else None] * blocks,
        "requests": requests,
        "failures": np.bincount(block, weights=s.failed[order], minlength=blocks).astype(int),
        "throughput_rps": requests / block_s,
        "mean_ms": [v.mean() if len(v) else None for v in inside],
        **{name: [f[i] for f in figures] for i, name in enumerate(("p50_ms", "p95_ms", "p99_ms", "max_ms"))},
    }
    return pa.table({f.name: pa.array(columns[f.name], f.type) for f in schema.TIMELINE}, schema.TIMELINE)

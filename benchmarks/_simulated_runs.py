"""Made runs of a made system, with the noise of real ones and known truth; made as histograms, so thousands are quick.

One run of 120 s, in blocks of 2 s. The logarithm of a request's duration is the sum of

* the endpoint's level (medians of 10 to 300 ms),
* a body and a heavy tail: lognormal (sigma 0.3 to 0.7), above the 98th percentile close to a Pareto tail with exponent
  3, as pauses and retries make it; a request follows the last one of its endpoint with an AR(1) correlation,
* waves through the run (AR(1) from second to second): one that all endpoints share (5 % standard deviation), and one of
  each endpoint (3 %),
* a warm-up: slower by about 40 % at first, half of it gone after 7 s, differently strong in every run,
* the run's own shift, which all endpoints share (2 % standard deviation), and a small one of each endpoint (0.7 %).

Failures come in bursts. Requests per second and the share of each endpoint vary as Poisson counts do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from ator_lib import schema
from ator_lib.analysis.blocks import EndpointBlocks, FloatArray, IntArray
from ator_lib.analysis.histogram import quantile
from ator_lib.analysis.run_data import TOTAL, Endpoint
from ator_lib.analysis.sides import MeasuredRun

DURATION_S = 120
BLOCK_S = 2
_BLOCKS = DURATION_S // BLOCK_S
_LOG_BIN = math.log(1.01)
_LOWEST, _HIGHEST = math.log(0.5), math.log(100_000.0)
_BINS = math.ceil((_HIGHEST - _LOWEST) / _LOG_BIN)
_EDGES = np.exp(_LOWEST + _LOG_BIN * np.arange(_BINS + 1))
_TAIL_FROM, _TAIL_STRETCH = 2.054, 1 / 6  # the 98th percentile; half of one over the exponent
_P80, _P95 = 0.8416, 1.6449


@dataclass(frozen=True, kw_only=True)
class Noise:
    """What makes identical runs differ; standard deviations on the log scale."""

    run_sd: float = 0.02
    own_sd: float = 0.007
    wave_sd: float = 0.05
    own_wave_sd: float = 0.03
    correlation: float = 0.6
    warm_up: float = 0.4
    failures: float = 0.002


@dataclass(frozen=True, kw_only=True)
class MadeEndpoint:
    """One endpoint of the made system."""

    requests: int
    level: float
    sigma: float


@dataclass(frozen=True, kw_only=True)
class Slower:
    """What the contender does to one endpoint: ``factor`` on all its durations, or (``tail_only``) on its p95.

    A change of the tail grows from nothing at the 80th percentile to ``factor`` at the 95th, and on beyond it.
    """

    endpoint: int
    factor: float
    tail_only: bool = False


def made_system(generator: np.random.Generator, requests: list[int]) -> list[MadeEndpoint]:
    """Draw a system with as many endpoints as there are counts."""
    levels = generator.uniform(math.log(10), math.log(300), len(requests))
    sigmas = generator.uniform(0.3, 0.7, len(requests))
    return [
        MadeEndpoint(requests=count, level=level, sigma=sigma)
        for count, level, sigma in zip(requests, levels, sigmas, strict=True)
    ]


def made_run(
    generator: np.random.Generator,
    system: list[MadeEndpoint],
    noise: Noise,
    *,
    run_id: int,
    slower: Slower | None = None,
) -> MeasuredRun:
    """Draw one run of the system."""
    shared = _shared_course(generator, noise)
    failure_rates = _failure_rates(generator, noise)
    drawn = {}
    for number, endpoint in enumerate(system):
        course = shared + generator.normal(0, noise.own_sd) + _waves(generator, noise.own_wave_sd, noise.correlation)
        change = slower if slower is not None and slower.endpoint == number else None
        counts = _counts(generator, endpoint, noise, course, change)
        drawn[made_name(number)] = counts, generator.binomial(counts.sum(axis=1), failure_rates)
    drawn[TOTAL] = sum(counts for counts, _ in drawn.values()), sum(failures for _, failures in drawn.values())
    blocks = {key: _blocks(counts, failures) for key, (counts, failures) in drawn.items()}
    return MeasuredRun(run_id=run_id, summaries={key: _summary(found) for key, found in blocks.items()}, blocks=blocks)


def made_name(number: int) -> Endpoint:
    """Return the key of the system's endpoint of that number."""
    return Endpoint(f"/{number:02d}", "GET")


def _shared_course(generator: np.random.Generator, noise: Noise) -> FloatArray:
    """Draw what all endpoints share, per second: the run's shift, its waves, and its warm-up."""
    strength = noise.warm_up * generator.lognormal(0, 0.3)
    warm_up = np.log1p(strength * np.exp(-np.arange(DURATION_S) / 10.0))
    course: FloatArray = (
        generator.normal(0, noise.run_sd) + _waves(generator, noise.wave_sd, noise.correlation) + warm_up
    )
    return course


def _waves(generator: np.random.Generator, sd: float, correlation: float) -> FloatArray:
    steps = generator.normal(0, sd * math.sqrt(1 - correlation**2), DURATION_S)
    waves: FloatArray = lfilter([1.0], [1.0, -correlation], steps)
    return waves


def _failure_rates(generator: np.random.Generator, noise: Noise) -> FloatArray:
    """Draw the failure rate per block: a third of all failures comes in one block of twenty."""
    bursts = np.where(generator.random(_BLOCKS) < 0.05, 20 / 3, 0.0) + 2 / 3
    rates: FloatArray = noise.failures * bursts
    return rates


def _counts(
    generator: np.random.Generator, endpoint: MadeEndpoint, noise: Noise, course: FloatArray, change: Slower | None
) -> IntArray:
    """Draw the endpoint's requests and count them: blocks × bins."""
    per_second = generator.poisson(endpoint.requests / DURATION_S, DURATION_S)
    total = int(per_second.sum())
    scale = np.float32(math.sqrt(1 - noise.correlation**2))
    steps = generator.standard_normal(total, dtype=np.float32) * scale
    x = lfilter(np.float32([1.0]), np.float32([1.0, -noise.correlation]), steps)
    log_ms = np.float32(endpoint.sigma) * x
    far = np.flatnonzero(x > _TAIL_FROM)
    log_ms[far] += np.float32(_TAIL_STRETCH) * (x[far] ** 2 - np.float32(_TAIL_FROM**2))
    if change is not None:
        log_ms += math.log(change.factor) * (np.clip((x - _P80) / (_P95 - _P80), 0, None) if change.tail_only else 1)
    log_ms += np.repeat((course + endpoint.level - _LOWEST).astype(np.float32), per_second)
    column = np.clip(log_ms * np.float32(1 / _LOG_BIN), 0, _BINS - 1).astype(np.int32)
    block = np.repeat(np.arange(DURATION_S, dtype=np.int32) // BLOCK_S, per_second)
    counts = np.bincount(block * np.int32(_BINS) + column, minlength=_BLOCKS * _BINS)
    return counts.reshape(_BLOCKS, _BINS)


def _blocks(counts: IntArray, failures: IntArray) -> EndpointBlocks:
    used = np.flatnonzero(counts.any(axis=0))
    return EndpointBlocks(
        lower_ms=_EDGES[used],
        upper_ms=_EDGES[used + 1],
        counts=counts[:, used].astype(np.float64),
        requests=counts.sum(axis=1).astype(np.float64),
        failures=failures.astype(np.float64),
    )


def _summary(blocks: EndpointBlocks) -> Mapping[str, float]:
    counts = blocks.counts.sum(axis=0)
    requests, failures = blocks.requests.sum(), blocks.failures.sum()
    cumulative = counts.cumsum()[None, :]
    centres = (blocks.lower_ms + blocks.upper_ms) / 2
    return {
        "requests": requests,
        "failures": failures,
        "duration_s": float(DURATION_S),
        "throughput_rps": requests / DURATION_S,
        "error_rate": failures / requests,
        "mean_ms": float(counts @ centres / requests),
        **{
            name: float(quantile(cumulative, blocks.lower_ms, blocks.upper_ms, q)[0])
            for name, q in schema.PERCENTILES.items()
            if name in ("p50_ms", "p95_ms", "p99_ms")
        },
    }

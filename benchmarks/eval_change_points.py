"""Change points: what is found, what is not, and what is found where there is nothing, all at the default options.

    python -m benchmarks.eval_change_points [FOLDER]      half a minute

FOLDER (or SERIES in the environment) holds the labelled series that ``_labelled_series`` describes. Without it, only
the made series are looked at.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from ator_lib.analysis.change_points import ChangePointOptions, change_points
from benchmarks._energy_divergence import Setting, energy_change_points
from benchmarks._labelled_series import Labelled, f1, mean_f1, tigerbeetle, univariate

FloatArray = npt.NDArray[np.float64]
Answer = Callable[[FloatArray], Sequence[int]]

# Means of the same 31 series by ruptures, with the default parameters that the dataset's own benchmark gives them.
QUOTED = {"PELT": 0.712, "binary segmentation": 0.725}
TARGET_F1 = 0.72
MOST_FALSE_ALARMS = 1.0
LENGTHS = {6: 400, 20: 400, 100: 100, 500: 20}
STEPS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 20)
NEAR = 2


def ours(values: FloatArray, options: ChangePointOptions | None = None) -> list[int]:
    """Return the indexes at the default options."""
    return [point.index for point in change_points(values, options)]


def otava(values: FloatArray) -> list[int]:
    """Return the indexes at Otava's default options; it knows no missing values, so they are interpolated."""
    return energy_change_points(np.asarray(pd.Series(values).interpolate(), dtype=np.float64), Setting())


PEERS: dict[str, Answer] = {"ours": ours, "never": lambda _: (), "Otava": otava}


def correlated(generator: np.random.Generator, length: int) -> FloatArray:
    """Return an AR(1) series with a correlation of 0.3 between neighbours."""
    shocks = generator.standard_normal(length + 50)
    for index in range(1, len(shocks)):
        shocks[index] += 0.3 * shocks[index - 1]
    return shocks[50:]


NOISES: dict[str, Callable[[np.random.Generator, int], FloatArray]] = {
    "normal": lambda generator, length: 100 + 3 * generator.standard_normal(length),
    "lognormal": lambda generator, length: 100 * np.exp(0.3 * generator.standard_normal(length)),
    "Student t3": lambda generator, length: 100 + 3 * generator.standard_t(3, length),
    "AR(1) 0.3": lambda generator, length: 100 + 3 * correlated(generator, length),
}


def print_false_alarms() -> None:
    """Count alarms on pure noise."""
    print(f"\nFalse alarms per 500 values of pure noise (target: at most {MOST_FALSE_ALARMS:g})")
    print(f"{'':14}" + "".join(f"{length:>8} values" for length in LENGTHS))
    for name, noise in NOISES.items():
        generator = np.random.default_rng(1)
        alarms = [
            sum(len(ours(noise(generator, length))) for _ in range(times)) / (length * times) * 500
            for length, times in LENGTHS.items()
        ]
        print(f"{name:14}" + "".join(f"{count:15.2f}" for count in alarms))


def print_power() -> None:
    """Show how often one step is found, with how much of it and how many values a side."""
    print(f"\nOne step amid normal noise: found within {NEAR} values, % of 200 (size in standard deviations)")
    print(f"{'values':14}" + "".join(f"{size:>7}" for size in STEPS))
    for side in (3, 5, 10, 20, 50, 200):
        found = [found_step(size, side, 200) for size in STEPS]
        print(f"{f'{side} | {side}':14}" + "".join(f"{share:7.0%}" for share in found))
    print("A step of 20 % amid noise of 1 % is 20 standard deviations.")


def found_step(size: float, side: int, times: int) -> float:
    """Return the share of series in which a step is found."""
    generator = np.random.default_rng([side, round(10 * size)])
    step = np.repeat([100, 100 + size], side)
    series = (step + generator.standard_normal(2 * side) for _ in range(times))
    return sum(any(abs(index - side) <= NEAR for index in ours(values)) for values in series) / times


def print_outliers() -> None:
    """Put an outlier anywhere into flat series and into steps of 20 %, amid noise of 1 %."""
    print("\nOne outlier of 50 to a billion times the noise, anywhere: what it makes and what it hides, of 300 series")
    for side in (5, 6, 10, 20):
        generator = np.random.default_rng(side)
        noises = [generator.standard_normal((2, 2 * side)) + 100 for _ in range(300)]
        clean = sum(bool(ours(noise)) for noise, _ in noises)
        flat = sum(bool(ours(with_outlier(noise, generator))) for noise, _ in noises)
        steps = [ours(with_outlier(noise + np.repeat([0, 20], side), generator)) for _, noise in noises]
        found = sum(len(indexes) == 1 and abs(indexes[0] - side) <= 1 for indexes in steps)
        print(f"{f'{side} | {side}':14}flat series with an alarm: {flat}", end="")
        print(f" (without the outlier: {clean}); steps found: {found}")


def with_outlier(values: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Add an outlier to a copy."""
    values = values.copy()
    values[generator.integers(len(values))] += generator.choice([-1e9, -1e3, -50, 50, 1e3, 1e6, 1e9])
    return values


def print_drifts() -> None:
    """Count change points in steady drifts, which have none, and in wandering levels."""
    generator = np.random.default_rng(7)
    print("\nChange points in series that never step: mean of 100 series of 60 values with a standard deviation of 1")
    for slope in (0.02, 0.05, 0.1, 0.3, 1, 3):
        found = [len(ours(slope * np.arange(60) + generator.standard_normal(60))) for _ in range(100)]
        print(f"drift of {slope:<5g}a value {np.mean(found):8.2f}")
    print(
        f"random walk           {np.mean([len(ours(generator.standard_normal(60).cumsum())) for _ in range(100)]):8.2f}"
    )


def print_speed(series: int = 20, length: int = 10_000) -> None:
    """Measure many long series with a hundred steps each, and the peer on one of them."""
    generator = np.random.default_rng(3)
    made = [
        np.repeat(generator.normal(100, 10, 100), length // 100) + generator.standard_normal(length)
        for _ in range(series)
    ]
    print(f"\nSpeed: {series} series of {length} values with 100 steps each")
    for name, answer, chosen in (("ours", ours, made), ("Otava's method in numpy", otava, made[:1])):
        began = time.process_time()
        found = [len(answer(values)) for values in chosen]
        spent = time.process_time() - began
        print(f"{name:24} {spent / len(chosen) * series:6.1f} s of CPU, {np.mean(found):.0f} points found in each")


def print_f1(series: Sequence[Labelled]) -> None:
    """Score the answers to the labelled series, one by one and on average."""
    answers = {peer: {one.name: answer(one.values) for one in series} for peer, answer in PEERS.items()}
    print(f"\nF1 of {len(series)} series of the Turing Change Point Dataset, margin 5 (target: at least {TARGET_F1})")
    print(f"{'':20}{'values':>7}" + "".join(f"{peer:>8}" for peer in PEERS) + "  found by ours")
    for one in series:
        scores = "".join(f"{f1(one.annotations, found[one.name]):8.3f}" for found in answers.values())
        print(f"{one.name:20}{len(one.values):7}{scores}  {', '.join(map(str, answers['ours'][one.name]))}")
    print(f"{'mean':27}" + "".join(f"{mean_f1(series, found):8.3f}" for found in answers.values()))
    print("as measured elsewhere: " + ", ".join(f"{peer} {score}" for peer, score in QUOTED.items()))
    print_sensitivity(series)


def print_sensitivity(series: Sequence[Labelled]) -> None:
    """Score other options, so that one can see that the defaults were not chosen for these series."""
    for options in (
        *(ChangePointOptions(max_p_value=level) for level in (0.001, 0.005, 0.02, 0.05)),
        *(ChangePointOptions(min_segment=least) for least in (4, 5)),
        ChangePointOptions(min_magnitude=0.05),
    ):
        changed = {name: value for name, value in vars(options).items() if value != vars(ChangePointOptions())[name]}
        answers = {one.name: ours(one.values, options) for one in series}
        print(f"ours with {changed}: {mean_f1(series, answers):.3f}")


def print_tigerbeetle(folder: Path) -> None:
    """Compare with Otava's answers: its method made anew, then ours at the same level and magnitude."""
    values, references = tigerbeetle(folder)
    print(f"\nTigerBeetle: {len(values)} values, Otava's answers at {len(references)} settings")
    print(f"{'window, p, magnitude':22}{'Otava':>6}  {'made anew':10}{'ours':>5}{'shared':>8}  why they differ")
    for reference in references:
        setting = reference.setting
        options = ChangePointOptions(max_p_value=setting.max_pvalue, min_magnitude=setting.min_magnitude)
        found = ours(values, options)
        anew = energy_change_points(values, setting) == list(reference.indexes)
        shared = len(set(found) & set(reference.indexes))
        name = f"{setting.window_len}, {setting.max_pvalue:g}, {setting.min_magnitude:g}"
        why = differences(reference.indexes, found, len(values))
        print(f"{name:22}{len(reference.indexes):6}  {'the same' if anew else 'differs':10}", end="")
        print(f"{len(found):5}{shared:8}  {why}")
    print("  brief: the level that begins or ends there lasts for one or two values: outliers, to ours")
    print("  weak: not significant once the p value counts all places and the correlation, or more like a drift")
    print("  only ours: the outlier at 10 hides them from Otava's test, which finds them, too, when it is taken out")
    for level in (0.1, 0.01, 0.001):
        print(f"  ours at p {level:g}: {ours(values, ChangePointOptions(max_p_value=level))}")


def differences(reference: Sequence[int], found: Sequence[int], count: int) -> str:
    """Sort the points that only one of the two has by their reason."""
    bounds = [0, *reference, count]
    missing = [
        min(index - before, after - index) < 3
        for before, index, after in zip(bounds, bounds[1:], bounds[2:], strict=False)
        if all(abs(index - other) > NEAR for other in found)
    ]
    own = [index for index in found if all(abs(index - other) > NEAR for other in reference)]
    words = [f"{sum(missing)} brief" * any(missing), f"{missing.count(False)} weak" * (False in missing)]
    words.append(f"only ours: {', '.join(map(str, own))}" * bool(own))
    return ", ".join(filter(None, words)) or "-"


def main(arguments: Sequence[str]) -> None:
    """Print the tables."""
    folder = next(iter(arguments), os.environ.get("SERIES", ""))
    if folder:
        print_f1(univariate(Path(folder)))
        print_tigerbeetle(Path(folder))
    else:
        print("No labelled series: give their folder as the argument or as SERIES for F1 and Otava's answers.")
    for table in (print_false_alarms, print_power, print_outliers, print_drifts, print_speed):
        table()


if __name__ == "__main__":
    main(sys.argv[1:])

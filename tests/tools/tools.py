"""The load tools: how each is run, what it leaves, and what it says of the run itself.

A tool that is added here is checked by ``test_agreement``.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tools.target import GOOD, MIXED

HERE = Path(__file__).parent
OUTPUT, ERRORS = "output.txt", "errors.txt"
"""What a tool prints is kept here, in its folder."""

JMETER = Path("/usr/share/jmeter")

Figures = dict[str, tuple[float, float]]
"""Column of the summary → from where to where its value may be."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A load tool.

    Parameters
    ----------
    install
        What brings it.
    command
        Its arguments, given the address of the target; it runs in a folder of its own.
    files
        What is ingested of what it leaves in its folder.
    own
        Its own figures, read from its folder by other means than those of the reader.
    prepare
        Writes what it needs into its folder.
    in_flight
        Requests that it may have sent and not counted when it ended.
    exit_codes
        How it may end when requests fail.
    """

    name: str
    program: str
    install: str
    command: Callable[[str], list[str]]
    files: tuple[str, ...] = (OUTPUT,)
    own: Callable[[Path], Figures]
    prepare: Callable[[Path, str], object] = lambda folder, address: None
    in_flight: int = 0
    exit_codes: tuple[int, ...] = (0,)

    def __str__(self) -> str:
        return self.name

    def find(self) -> str:
        """Say where the program is, beside our own Python or on the path."""
        found = shutil.which(self.program, path=str(Path(sys.executable).parent)) or shutil.which(self.program)
        assert found, f"{self.program} is missing: {self.install}"
        return found


def near(value: float, tolerance: float = 1e-9) -> tuple[float, float]:
    """Give a range around a value, the tolerance being half of its last digit."""
    return value - tolerance, value + tolerance


def printed(text: str, pattern: str) -> float:
    """Find the one number in a text that stands at the group of a pattern."""
    found = re.search(pattern, text, re.MULTILINE)
    assert found, f"{pattern} is not in {text}"
    return float(found[1])


# --- wrk ---

WRK_SCRIPT = """
done = function(summary, latency, requests)
  local file = io.open("own.json", "w")
  file:write(string.format(
    '{"requests": %d, "failures": %d, "mean": %f, "max": %f, "p50": %f, "p99": %f}',
    summary.requests, summary.errors.status, latency.mean, latency.max, latency:percentile(50), latency:percentile(99)))
  file:close()
end
"""


def _wrk_own(folder: Path) -> Figures:
    own = json.loads((folder / "own.json").read_text())
    half_of_last_digit_ms = 0.005
    durations = {
        f"{name}_ms": near(own[name] / 1000, half_of_last_digit_ms + 1e-6) for name in ("mean", "max", "p50", "p99")
    }
    return {"requests": near(own["requests"]), "failures": near(own["failures"]), **durations}


# --- hey ---


def _hey_own(folder: Path) -> Figures:
    text = (folder / OUTPUT).read_text()
    seconds = {"mean_ms": r"Average:\s+([\d.]+)", "max_ms": r"Slowest:\s+([\d.]+)", "p50_ms": r"50% in ([\d.]+)"}
    durations = {column: near(1000 * printed(text, pattern)) for column, pattern in seconds.items()}
    return {"requests": near(200), "failures": near(printed(text, r"\[500\]\s+(\d+) responses")), **durations}


def _hey_csv_own(folder: Path) -> Figures:
    with (folder / OUTPUT).open() as file:
        rows = list(csv.DictReader(file))
    durations = [1000 * float(row["response-time"]) for row in rows]
    failures = sum(row["status-code"] == "500" for row in rows)
    mean = sum(durations) / len(durations)
    return {
        "requests": near(200),
        "failures": near(failures),
        "mean_ms": near(mean, 1e-6),
        "max_ms": near(max(durations)),
    }


# --- ab, siege ---


def _ab_own(folder: Path) -> Figures:
    """Its percentiles are of another rule, between whose neighbours ours must lie."""
    text = (folder / OUTPUT).read_text()
    percents = {percent: printed(text, rf"^ +{percent}% +(\d+)") for percent in (50, 66, 98, 100)}
    return {
        "requests": near(printed(text, r"Complete requests: +(\d+)")),
        "failures": near(printed(text, r"Failed requests: +(\d+)")),
        "mean_ms": near(printed(text, r"^Total: +\d+ +(\d+)"), 1),
        "max_ms": near(percents[100]),
        "p50_ms": (percents[50] - 1, percents[66]),
        "p99_ms": (percents[98] - 1, percents[100]),
    }


def _ab_text_own(folder: Path) -> Figures:
    text = (folder / OUTPUT).read_text()
    return {
        "requests": near(printed(text, r"Complete requests: +(\d+)")),
        "failures": near(printed(text, r"Non-2xx responses: +(\d+)")),
        "p50_ms": near(printed(text, r"^ +50% +(\d+)")),
        "p99_ms": near(printed(text, r"^ +99% +(\d+)")),
    }


SIEGE_SETTINGS = "verbose = true\ncolor = off\nlogging = false\njson_output = false\nparser = false\ncsv = false\n"


def _siege_own(folder: Path) -> Figures:
    text = (folder / ERRORS).read_text()  # its lines are on the other output
    succeeded, failed = printed(text, r"^Transactions:\s+(\d+)"), printed(text, r"^Failed transactions:\s+(\d+)")
    return {
        "requests": near(succeeded + failed),
        "failures": near(failed),
        "mean_ms": near(1000 * printed(text, r"^Response time:\s+([\d.]+)"), 10),  # both to the hundredth of a second
        "max_ms": near(1000 * printed(text, r"^Longest transaction:\s+([\d.]+)"), 10),
    }


# --- JMeter ---


def _jmeter(format: str) -> Callable[[str], list[str]]:
    jars = [
        *JMETER.glob("bin/*.jar"),
        *JMETER.glob("lib/*.jar"),
        *JMETER.glob("lib/ext/*.jar"),
        "/usr/share/java/bsh.jar",
    ]

    def command(address: str) -> list[str]:
        properties = {"home": JMETER, "port": address.rpartition(":")[2], "format": format}
        settings = [f"-D{name}={value}" for name, value in properties.items()]
        return ["-cp", ":".join(map(str, jars)), *settings, "bsh.Interpreter", str(HERE / "plan.bsh")]

    return command


def _jmeter_own(folder: Path) -> Figures:
    """The last line of its summariser: whole milliseconds, cut off."""
    text = (folder / OUTPUT).read_text()
    line = re.findall(r"summary =\s+(\d+) in .* Avg:\s+(\d+) Min:\s+(\d+) Max:\s+(\d+) Err:\s+(\d+)", text)[-1]
    requests, mean, least, longest, failures = map(float, line)
    return {
        "requests": near(requests),
        "failures": near(failures),
        "mean_ms": (mean, mean + 1),
        "min_ms": near(least),
        "max_ms": near(longest),
    }


# --- Locust ---

LOCUSTFILE = """
from locust import HttpUser, constant, task

class Shopper(HttpUser):
    wait_time = constant(0)

    @task
    def mixed(self):
        self.client.get("/mixed")
"""


def _locust_own(folder: Path) -> Figures:
    """Percentiles are of durations with two digits, of which it counts each."""
    (entry,) = json.loads((folder / "run.json").read_text())
    durations = sorted(float(value) for value, count in entry["response_times"].items() for _ in range(count))
    mean = entry["total_response_time"] / entry["num_requests"]
    return {
        "requests": near(entry["num_requests"]),
        "failures": near(entry["num_failures"]),
        "mean_ms": near(mean, 1e-6),
        "max_ms": near(entry["max_response_time"], 1e-6),
        "p50_ms": near(durations[len(durations) // 2], 1),
        "p99_ms": (durations[-len(durations) // 50], durations[-1]),
    }


# --- the tools of Node ---


def _autocannon_own(folder: Path) -> Figures:
    own = json.loads((folder / OUTPUT).read_text())
    durations = {
        column: near(own["latency"][key]) for column, key in (("mean_ms", "mean"), ("p50_ms", "p50"), ("p99_ms", "p99"))
    }
    return {"requests": near(own["requests"]["total"]), "failures": near(own["non2xx"] + own["errors"]), **durations}


def _artillery_prepare(folder: Path, address: str) -> None:
    phases = [{"duration": 2, "arrivalRate": 30}]
    scenario = {"flow": [{"get": {"url": MIXED}}]}
    script = {"config": {"target": address, "phases": phases}, "scenarios": [scenario]}
    (folder / "script.json").write_text(json.dumps(script))


def _artillery_own(folder: Path) -> Figures:
    aggregate = json.loads((folder / "report.json").read_text())["aggregate"]
    counters, durations = aggregate["counters"], aggregate["summaries"]["http.response_time"]
    own = {"mean_ms": near(durations["mean"], 0.05), "p50_ms": near(durations["p50"]), "p99_ms": near(durations["p99"])}
    return {"requests": near(counters["http.requests"]), "failures": near(counters["http.codes.500"]), **own}


def _newman_prepare(folder: Path, address: str) -> None:
    check = {"listen": "test", "script": {"exec": ["pm.test('is well', () => pm.response.to.have.status(200));"]}}
    item: dict[str, Any] = {"name": "mixed", "request": {"method": "GET", "url": address + MIXED}, "event": [check]}
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    (folder / "shop.json").write_text(json.dumps({"info": {"name": "shop", "schema": schema}, "item": [item]}))


def _newman_own(folder: Path) -> Figures:
    run = json.loads((folder / "report.json").read_text())["run"]
    return {
        "requests": near(run["stats"]["requests"]["total"]),
        "mean_ms": near(run["timings"]["responseAverage"], 1e-6),
        "min_ms": near(run["timings"]["responseMin"]),
        "max_ms": near(run["timings"]["responseMax"]),
    }


def _written(name: str, content: str) -> Callable[[Path, str], object]:
    return lambda folder, address: (folder / name).write_text(content)


WRK = Tool(
    name="wrk",
    program="wrk",
    install="apt-get install wrk",
    prepare=_written("own.lua", WRK_SCRIPT),
    command=lambda address: ["-t1", "-c2", "-d2s", "--latency", "-s", "own.lua", address + MIXED],
    own=_wrk_own,
    in_flight=2,
)
HEY = Tool(
    name="hey",
    program="hey",
    install="apt-get install hey",
    command=lambda address: ["-n", "200", "-c", "2", address + MIXED],
    own=_hey_own,
)
HEY_CSV = Tool(
    name="hey-csv",
    program="hey",
    install="apt-get install hey",
    command=lambda address: ["-n", "200", "-c", "2", "-o", "csv", address + MIXED],
    own=_hey_csv_own,
)
AB = Tool(
    name="ab",
    program="ab",
    install="apt-get install apache2-utils",
    command=lambda address: ["-n", "300", "-c", "2", "-g", "rows.tsv", address + GOOD],
    files=(OUTPUT, "rows.tsv"),
    own=_ab_own,
)
AB_TEXT = Tool(
    name="ab-text",
    program="ab",
    install="apt-get install apache2-utils",
    command=lambda address: ["-n", "300", "-c", "2", address + MIXED],
    own=_ab_text_own,
)
SIEGE = Tool(
    name="siege",
    program="siege",
    install="apt-get install siege",
    prepare=_written("siegerc", SIEGE_SETTINGS),
    command=lambda address: ["-R", "siegerc", "-b", "-c", "2", "-r", "100", address + MIXED],
    files=(OUTPUT, ERRORS),
    own=_siege_own,
)
JMETER_CSV = Tool(
    name="jmeter",
    program="java",
    install="apt-get install jmeter",
    command=_jmeter("csv"),
    files=("results.jtl",),
    own=_jmeter_own,
)
JMETER_XML = Tool(
    name="jmeter-xml",
    program="java",
    install="apt-get install jmeter",
    command=_jmeter("xml"),
    files=("results.jtl",),
    own=_jmeter_own,
)
LOCUST = Tool(
    name="locust",
    program="locust",
    install="pip install locust",
    prepare=_written("locustfile.py", LOCUSTFILE),
    command=lambda address: ["--headless", "-u", "2", "-r", "2", "-t", "2s", "--json-file", "run", "-H", address],
    files=("run.json",),
    own=_locust_own,
    in_flight=2,
    exit_codes=(1,),
)
AUTOCANNON = Tool(
    name="autocannon",
    program="autocannon",
    install="npm install -g autocannon",
    command=lambda address: ["--json", "--no-progress", "-c", "2", "-d", "2", address + MIXED],
    own=_autocannon_own,
    in_flight=2,
)
ARTILLERY = Tool(
    name="artillery",
    program="artillery",
    install="npm install -g artillery",
    prepare=_artillery_prepare,
    command=lambda address: ["run", "--output", "report.json", "script.json"],
    files=("report.json",),
    own=_artillery_own,
)
NEWMAN = Tool(
    name="newman",
    program="newman",
    install="npm install -g newman",
    prepare=_newman_prepare,
    command=lambda address: ["run", "shop.json", "-n", "50", "-r", "json", "--reporter-json-export", "report.json"],
    files=("report.json",),
    own=_newman_own,
    exit_codes=(1,),
)

TOOLS = (WRK, HEY, HEY_CSV, AB, AB_TEXT, SIEGE, JMETER_CSV, JMETER_XML, LOCUST, AUTOCANNON, ARTILLERY, NEWMAN)

"""What recording every request costs Locust, and whether every request is there.

FastHttpUser against a fast server on the same machine, with and without recording in turn; the
peer is plain Locust with the same arguments. Takes about two minutes, on a machine that is calm.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from ator_lib.readers.base import NO_OPTIONS, plain_files
from ator_lib.readers.formats import reader
from ator_lib.runners.base import ARTIFACT_FOLDER
from ator_lib.runners.locust import Locust
from ator_lib.runners.process import ToolProcess
from benchmarks._report import report

PAIRS = 5
RUN_TIME_S = 8
USERS = 10
LOCUSTFILE = """
from locust import FastHttpUser, task

class Hammer(FastHttpUser):
    @task
    def get(self):
        self.client.get("/")
"""
NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 256; }}
http {{
  access_log off; keepalive_requests 100000000; default_type text/plain;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "twenty-seven bytes of text."; }} }}
}}
"""
ASGI = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        headers = [(b"content-length", b"27"), (b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"twenty-seven bytes of text."})
"""


def server_command(folder: Path, port: int) -> list[str]:
    """Choose nginx where there is one, else uvicorn with a bare ASGI app."""
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx:
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
        return [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    (folder / "bare.py").write_text(ASGI)
    uvicorn = [sys.executable, "-m", "uvicorn", "--app-dir", str(folder), "bare:app", "--port", str(port)]
    return [*uvicorn, "--log-level", "warning", "--lifespan", "off"]


@contextmanager
def fast_server(folder: Path) -> Iterator[str]:
    """Serve 27 bytes on a free port of loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = server_command(folder, port)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as serving:
        try:
            wait_until_it_answers(port)
            print(f"server: {Path(command[0]).name}", flush=True)
            yield f"http://127.0.0.1:{port}"
        finally:
            serving.terminate()


def wait_until_it_answers(port: int) -> None:
    """Give the server ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the server did not start")


def requests_per_second(runner: Locust, folder: Path, *, recording: bool) -> tuple[float, int]:
    """Run Locust once; give its rate by its own final report, and how many requests that counts."""
    folder.mkdir()
    command = runner.command(folder)
    if not recording:
        python = command.argv[: command.argv.index("ator_lib.runners._locust_capture")]
        arguments = command.argv[len(python) + 1 :]
        command = dataclasses.replace(command, argv=(*python, "locust", *arguments))
    ended = ToolProcess.start(command).wait()
    written = folder / ARTIFACT_FOLDER / "locust.json"
    if not written.exists():
        raise SystemExit(f"Locust left no report: {ended}\n{command.log.read_text()}")
    entries = json.loads(written.read_text())
    count = sum(entry["num_requests"] for entry in entries)
    begin = min(entry["start_time"] for entry in entries)
    end = max(entry["last_request_timestamp"] for entry in entries)
    return count / (end - begin), count


def recorded(runner: Locust, folder: Path) -> int:
    """Count the samples."""
    return sum(
        batch.num_rows for batch in reader(runner.format).read(plain_files(runner.results(folder)), NO_OPTIONS).samples
    )


def compare(runner: Locust, folder: Path) -> None:
    """Measure in alternation and print the medians."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    differences = []
    for pair in range(PAIRS):
        for recording in (True, False) if pair % 2 else (False, True):
            run = folder / f"{runner.processes}-{pair}-{'with' if recording else 'without'}"
            rate, count = requests_per_second(runner, run, recording=recording)
            rates[recording].append(rate)
            if recording:
                differences.append(recorded(runner, run) - count)
            print(f"  {run.name}: {rate:.0f} requests/s", flush=True)
    name = f"requests/s with recording, {runner.processes} process(es) (peer: plain Locust)"
    report(name, median(rates[True]), median(rates[False]), "ratio ≥ 0.95")
    # Their spread says what the figure above is worth: on a busy machine, nothing.
    ratios = sorted(ours / plain for ours, plain in zip(rates[True], rates[False], strict=True))
    print(f"  ratios of the pairs: {' '.join(f'{ratio:.2f}' for ratio in ratios)}", flush=True)
    print(f"samples beyond Locust's own count, run by run: {differences} (target: 0 each)", flush=True)


def main() -> None:
    """Compare for one process and for two."""
    with tempfile.TemporaryDirectory() as name, fast_server(Path(name)) as url:
        folder = Path(name)
        (folder / "hammer.py").write_text(LOCUSTFILE)
        for processes in (1, 2):
            runner = Locust(folder / "hammer.py", host=url, users=USERS, run_time=RUN_TIME_S, processes=processes)
            compare(runner, folder)


if __name__ == "__main__":
    main()

"""The admission race at full size: 64 processes for 10 s on one location, a tenth of them killed.

Nothing is compared here: it proves, from what the database recorded, that nobody was admitted too much.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from ator_lib.model import RunStatus
from ator_lib.sql.engine import open_engine, upgrade
from tests.registry.racer import check_race, run_race
from tests.support.postgres import running_server

RACERS = 64
SECONDS = 10.0


def raced(url: str) -> Counter[RunStatus]:
    """Race on a fresh database, and count how its runs ended; fails if a rule was broken."""
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    with tempfile.TemporaryDirectory() as folder:
        outcome = run_race(url, Path(folder), racers=RACERS, seconds=SECONDS)
        statuses = check_race(engine, outcome)
    engine.dispose()
    return statuses


def main() -> None:
    """Race on both databases."""
    with tempfile.TemporaryDirectory() as folder, running_server() as postgres_url:
        for name, url in {"SQLite": f"sqlite:///{folder}/ator.db", "PostgreSQL": postgres_url}.items():
            ended = ", ".join(f"{count} {status}" for status, count in sorted(raced(url).items()))
            print(f"{RACERS} processes racing for {SECONDS:g} s on {name}: no rule broken ({ended})", flush=True)


if __name__ == "__main__":
    main()

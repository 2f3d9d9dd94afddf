"""One process of the admission race: registers and completes as fast as it can.

``python racer.py URL SECONDS SEED``: says ``ready``, waits for a line, races, prints a JSON document with
the run ids that it got and how often it was refused.
"""

from __future__ import annotations

import json
import random
import sys
import time
from decimal import Decimal

from ator_lib.errors import CapacityError
from ator_lib.model import RunRequest
from ator_lib.registry.registry import Registry
from ator_lib.sql.engine import open_engine

REQUEST = RunRequest(factor=Decimal("0.3"), location="lab-1")


def main(url: str, seconds: float, seed: int) -> None:
    """Race for so many seconds. Every third run is abandoned by its racer, with a short lease."""
    chance = random.Random(seed)
    registry = Registry(open_engine(url))
    registry.history(limit=1)
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    admitted, refused = [], 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        left_alone = chance.random() < 1 / 3
        try:
            run = registry.register(REQUEST, lease_s=0.02 if left_alone else None)
        except CapacityError:
            refused += 1
            continue
        admitted.append(run.run_id)
        time.sleep(chance.random() * 0.01)
        if not left_alone:
            registry.complete(run.run_id, "success")
    print(json.dumps({"admitted": admitted, "refused": refused}))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))

"""One line per measurement: ours, the peer's, their ratio and what it should be."""

from __future__ import annotations


def report(name: str, ours: float, peer: float, target: str) -> None:
    """Print two figures of the same unit, which the name says, and their ratio."""
    print(f"{name}: ours {ours:.4g}, peer {peer:.4g}, ratio {ours / peer:.2f} (target: {target})", flush=True)

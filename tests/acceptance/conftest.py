"""Programs by others that speak to Port, each in a virtual environment of its own, which `./dev ocean` makes."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def program(environment: str, name: str) -> Path:
    """A program of one of these environments; the test is skipped where there is none."""
    found = ROOT / environment / "bin" / name
    if not found.exists():
        pytest.skip(f"there is no {environment}/bin/{name}: `./dev ocean` makes it, where it finds a Python that fits")
    return found

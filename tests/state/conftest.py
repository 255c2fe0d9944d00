"""Places for a state: a file, and a database in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portsync.state.place import StatePlace
from tests.postgres import fresh_postgres, postgres

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["fresh_postgres", "postgres"]


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StatePlace:
    """A place for a state, with nothing in it yet."""
    if request.param == "sqlite":
        return StatePlace(tmp_path / "state.db")
    return StatePlace(url=request.getfixturevalue("fresh_postgres"))

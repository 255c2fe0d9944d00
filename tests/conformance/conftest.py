"""Two servers and a local Port, for all cases of a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.conformance.runner import Place, WatchedPort, new_port
from tests.conformance.wire import Addresses, Servers, serving
from tests.postgres import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Stage


__all__ = ["postgres"]


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[Servers, Addresses]]:
    with serving() as both:
        yield both


@pytest.fixture
def port(port_stage: tuple[Stage, str]) -> WatchedPort:
    stage, _ = port_stage
    watched = new_port()
    stage.app = watched
    return watched


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, verify=False) as kept:
        yield kept


@pytest.fixture
def place(
    servers: tuple[Servers, Addresses], port_stage: tuple[Stage, str], tmp_path: Path, client: httpx.Client
) -> Place:
    client.cookies.clear()
    return Place(*servers, port_stage[1], tmp_path, client)

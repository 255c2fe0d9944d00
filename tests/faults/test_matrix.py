"""Every fault of the matrix, in the second of three runs: nothing is lost, nothing is deleted that the source still
has, what the report says is so, and the third run makes the catalog equal to the source."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portsync.emulator.app import create_app
from tests.conftest import PORT_SECRET, THING, TOKEN, LocalPort
from tests.faults import machine
from tests.faults.matrix import ROWS
from tests.faults.outcome import seen
from tests.faults.page import with_table
from tests.faults.world import World, change_of
from tests.postgres import postgres

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run, Source, Stage
    from tests.faults.matrix import Row
    from tests.faults.world import Change, Things

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "what-is-guaranteed.md"


SHARED_ROWS = [row for row in ROWS if row.where != "machine" and row.machine is machine.sound]
"""Those that do not speak of the file that a state can be: a cluster has none."""
__all__ = ["postgres"]


def environment(folder: Path, port_url: str) -> dict[str, str]:
    return {
        "XDG_STATE_HOME": str(folder / "state-home"),
        "PORT_BASE_URL": port_url,
        "PORT_CLIENT_ID": "cid",
        "PORT_CLIENT_SECRET": PORT_SECRET,
        "PORTSYNC_COMPARE_EVERY": "never",
        "PORTSYNC_INITIALIZE_RESOURCES": "false",
        "PORTSYNC_JQ_WORKERS": "1",
        "SRC_TOKEN": TOKEN,
    }


@pytest.fixture(scope="session")
def beginnings() -> dict[int, tuple[bytes, bytes]]:
    """The database of Port and the state, as the first run leaves them, by how many things there are: that run is the
    same for all rows."""
    return {}


@pytest.fixture
def begun(
    source: Source,
    port_stage: tuple[Stage, str],
    tmp_path: Path,
    portsync: Callable[..., Run],
    beginnings: dict[int, tuple[bytes, bytes]],
) -> Callable[[Change], World]:
    """A world in which a first run was good."""
    stage, url = port_stage
    world = World(source, LocalPort(url), environment(tmp_path, url), tmp_path, portsync)
    database = tmp_path / "port.db"

    def begin(change: Change) -> World:
        things = len(change.before)
        if things in beginnings:
            world.state.parent.mkdir(parents=True)
            for path, content in zip((database, world.state), beginnings[things], strict=True):
                path.write_bytes(content)
        # Port's time is that of the run, so that an outage of a minute is over when a minute was waited.
        stage.app = create_app(
            database=f"sqlite:///{database}", client_id="cid", client_secret=PORT_SECRET, clock=world.clock.time
        )
        if things not in beginnings:
            world.port.api("POST", "/blueprints", THING)
            world.establish_theirs()
            world.give(change.before)
            assert world.sync().exit_code == 0
            with closing(sqlite3.connect(database)) as connection:
                # What was written last stands in a file beside it.
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            beginnings[things] = database.read_bytes(), world.state.read_bytes()
        return world

    return begin


@pytest.fixture
def begun_over_a_cluster(
    source: Source, port_stage: tuple[Stage, str], tmp_path: Path, portsync: Callable[..., Run], postgres: str
) -> Callable[[Change], World]:
    """The same, for runs over a cluster from then on."""
    stage, url = port_stage
    env = environment(tmp_path, url) | {"PORTSYNC_STATE": postgres, "PORTSYNC_IDENTIFIER": f"world-{uuid.uuid4()}"}
    world = World(source, LocalPort(url), env, tmp_path, portsync)

    def begin(change: Change) -> World:
        stage.app = create_app(client_id="cid", client_secret=PORT_SECRET, clock=world.clock.time)
        world.port.api("POST", "/blueprints", THING)
        world.establish_theirs()
        world.give(change.before)
        assert world.sync().exit_code == 0
        world.over_cluster = True
        return world

    return begin


@pytest.mark.parametrize("row", ROWS, ids=[row.happens for row in ROWS])
def test_a_fault_costs_nothing_but_time(row: Row, begun: Callable[[Change], World]) -> None:
    strike(row, begun)


@pytest.mark.parametrize("row", SHARED_ROWS, ids=[row.happens for row in SHARED_ROWS])
def test_a_fault_costs_nothing_but_time_over_a_cluster(
    row: Row, begun_over_a_cluster: Callable[[Change], World]
) -> None:
    strike(row, begun_over_a_cluster)


def strike(row: Row, begun: Callable[[Change], World]) -> None:
    """Let a row of the matrix happen, and see that all is as it says."""
    change = change_of(row.things, row.gone_in_ten)
    world = begun(change)
    assert world.catalog() == change.before

    world.give(change.after, row.source)
    world.port.script(*row.port)
    with row.machine(world) as env:
        if row.blocks is None:
            run = world.sync(*row.options, env=env)
        else:
            run = world.sync_on_a_full_disk(*row.options, blocks=row.blocks)
    assert all(world.recover()), "a fault did not strike"
    catalog = world.catalog()
    check(run, catalog, change)

    world.give(change.after)
    after = world.sync("--max-delete", "1")
    assert after.exit_code == 0, after.err
    assert world.catalog() == change.after
    assert seen(run, catalog, change, after) == row.outcome


def check(run: Run, catalog: Things, change: Change) -> None:
    """What holds after every run, whatever befell it."""
    stay = change.before.keys() & change.after.keys()
    assert stay <= catalog.keys() <= change.before.keys() | change.after.keys()
    assert all(size in (change.before.get(name), change.after.get(name)) for name, size in catalog.items())
    if run.exit_code == 0:
        assert catalog == change.after
    totals = run.report["totals"]
    assert totals["created"] <= len(change.new & catalog.keys())
    assert totals["created"] + totals["updated"] <= len(catalog.items() & change.after.items())
    assert totals["deleted"] <= len(change.gone - catalog.keys())
    assert "Traceback" not in run.err
    assert run.exit_code != 70


def test_the_page_of_guarantees_shows_the_matrix() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_table(text) == text, "write it anew with ./dev matrix"

"""Replicas of which one lives, and is cut off from the database by something that tells nobody."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool
from starlette.responses import StreamingResponse

from portsync.serve.lease import PostgresLease
from portsync.state.postgres import postgres_engine
from tests.serve.partition import Way

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tests.conftest import Asked, LocalPort, Source


class Replica:
    """`portsync serve` in a process of its own, which shows the source who it is."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.process = process
        self._log = log

    def count(self, event: str) -> int:
        """How often it has logged this event."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return sum(json.loads(line)["event"] == event for line in lines if line.startswith("{"))

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def until(self, holds: Callable[[], object], within_s: float = 30) -> None:
        end = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < end, f"{self.name}: it did not happen\n{self.log}"
            assert self.process.poll() is None, self.log
            time.sleep(0.02)

    def runs(self, more: int) -> None:
        """Return when so many more of its runs have ended."""
        before = self.count("run.ended")
        self.until(lambda: self.count("run.ended") >= before + more)


@contextmanager
def replica(name: str, state: str, file: Path, env: dict[str, str]) -> Iterator[Replica]:
    own = {"PORTSYNC_STATE": state, "SRC_TOKEN": f"token-of-{name}", "PORTSYNC_LISTEN": "127.0.0.1:0"}
    log = file.with_name(f"{name}.log")
    with log.open("wb") as stream:
        command = [sys.executable, "-m", "portsync", "serve", str(file), "--interval", "1s"]
        process = subprocess.Popen(command, env={**os.environ, **env, **own}, stderr=stream)
    try:
        yield Replica(name, process, log)
    finally:
        process.kill()
        process.wait()


def test_the_other_takes_over_and_the_one_that_is_cut_off_in_a_run_stops(
    postgres: str,
    fresh_postgres: str,
    mapping: Callable[..., str],
    source: Source,
    local_port: LocalPort,
    port_env: dict[str, str],
    tmp_path: Path,
) -> None:
    del fresh_postgres  # nothing is in it
    held, is_holding, goes_on = threading.Event(), threading.Event(), threading.Event()

    def who(asked: Asked) -> str:
        return asked.headers["authorization"].rpartition("-")[2]

    async def late(body: str) -> AsyncIterator[str]:
        held.set()
        await asyncio.to_thread(goes_on.wait, 60)
        yield body

    def answer(asked: Asked) -> Any:
        found = {"data": [{"id": "ada", "size": len(source.asked), "name": who(asked)}]}
        if who(asked) == "first" and is_holding.is_set():
            return StreamingResponse(late(json.dumps(found)), media_type="application/json")
        return found

    source.answer = answer
    file = tmp_path / "m.yaml"
    file.write_text(mapping(properties="name: .name"), encoding="utf-8")
    with (
        Way(postgres) as way,
        replica("first", way.url, file, port_env) as first,
    ):
        first.runs(2)
        with replica("second", postgres, file, port_env) as second:
            second.until(lambda: second.count("mapping.loaded"))
            first.runs(2)
            assert second.count("run.began") == 0
            is_holding.set()
            first.until(held.is_set)

            way.cut()
            began = time.monotonic()
            second.until(lambda: second.count("run.ended"))
            assert time.monotonic() - began < 30

            asked_by_first = [who(asked) for asked in source.asked].count("first")
            goes_on.set()
            assert '"exit_code": 0' in second.log
            second.runs(2)
            first.until(lambda: first.count("lease.lost"), 60)
            first.until(lambda: first.count("run.ended") == first.count("run.began"), 60)
            way.heal()
            second.runs(3)
            assert [who(asked) for asked in source.asked].count("first") == asked_by_first
            assert local_port.entities("thing")["ada"]["properties"]["name"] == "second"
            assert first.count("lease.taken") == 1
            first.process.send_signal(signal.SIGTERM)
            assert first.process.wait(30) == 0


def test_a_statement_that_gets_no_answer_ends_and_its_connection_with_it(postgres: str, fresh_postgres: str) -> None:
    """Whoever is between says that all is well."""
    del fresh_postgres
    with Way(postgres) as way:
        threading.Timer(10, way.heal).start()
        engine = postgres_engine(way.url.replace("postgresql:", "postgresql+psycopg:"), NullPool, answer_s=0.5)
        connection = engine.connect()
        assert connection.execute(text("SELECT pg_sleep(0.2), 1")).one()[1] == 1
        way.cut()
        began = time.monotonic()
        with pytest.raises(OperationalError, match="did not answer within"):
            connection.execute(text("SELECT 1"))
        connection.close()
        assert time.monotonic() - began < 5
        assert connection.invalidated or connection.closed


def test_who_takes_over_ends_what_the_one_before_has_open(postgres: str, fresh_postgres: str, tmp_path: Path) -> None:
    """The one before is a process of its own, with a state and a lease."""
    script = """
import asyncio, sys
from portsync.serve.lease import PostgresLease
from portsync.state.place import StatePlace
from portsync.state.store import opened_state
url = sys.argv[1]
lease = PostgresLease(url, ("a",), asyncio.sleep)
asyncio.run(lease.wait())
with opened_state(StatePlace(url=url)):
    print("held", flush=True)
    sys.stdin.read()
"""
    del tmp_path, postgres
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", script, fresh_postgres], **pipes) as before:
        assert before.stdout is not None
        assert before.stdout.readline() == "held\n"
        engine = postgres_engine(fresh_postgres, NullPool)

        async def take_over() -> int:
            lease = PostgresLease(fresh_postgres, ("a",), asyncio.sleep)
            waiting = asyncio.create_task(lease.wait())
            end_lease = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = :key"
            with engine.connect() as connection:
                count = text("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE :name")
                name = f"portsync % {before.pid}"
                assert connection.execute(count, {"name": name}).scalar_one() == 2
                async with asyncio.timeout(20):
                    while lease._before is None:  # noqa: ASYNC110 - it tells nobody whom it saw
                        await asyncio.sleep(0.01)
                connection.execute(text(end_lease), {"key": lease._key})
                connection.commit()
                await asyncio.wait_for(waiting, 20)
                left: int = connection.execute(count, {"name": name}).scalar_one()
            await lease.release()
            return left

        try:
            assert asyncio.run(take_over()) == 0
        finally:
            before.kill()

"""Replicas that share a PostgreSQL database: one of them runs."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from portsync.errors import StateError
from portsync.serve.lease import PostgresLease
from portsync.settings import read_settings
from portsync.state.hook_store import HookStore
from portsync.state.place import state_place
from portsync.state.store import opened_state
from tests.postgres import driver
from tests.serve.conftest import Clock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.conftest import Asked, LocalPort, Run, Source


async def _soon(work: Awaitable[None]) -> None:
    await asyncio.wait_for(work, 20)


def test_one_has_the_lease_and_the_other_waits_until_it_is_released(fresh_postgres: str) -> None:
    async def scenario() -> None:
        clock = Clock()
        first, second = (PostgresLease(fresh_postgres, ("a", "b"), clock.sleep) for _ in range(2))
        other = PostgresLease(fresh_postgres, ("c",), clock.sleep)
        await _soon(first.wait())
        await _soon(other.wait())  # another service in the same database
        waiting = asyncio.create_task(second.wait())
        await clock.until_asleep()
        assert not waiting.done()

        await first.release()
        await clock.pass_until(waiting)
        await second.release()
        await other.release()

    asyncio.run(scenario())


def test_who_loses_the_connection_loses_the_lease(fresh_postgres: str) -> None:
    async def scenario() -> None:
        clock = Clock()
        lease = PostgresLease(fresh_postgres, ("a",), clock.sleep)
        await _soon(lease.wait())
        losing = asyncio.create_task(lease.lost())
        for _ in range(2):
            await clock.until_asleep()
            assert not losing.done()
            clock.pass_by(5)
        with driver().connect(fresh_postgres.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        await clock.pass_until(losing)
        await lease.release()

        await _soon(lease.wait())  # and it can be had again
        await lease.release()

    asyncio.run(scenario())


def test_a_database_that_is_not_there_yet_is_waited_for(
    fresh_postgres: str, capsys: pytest.CaptureFixture[str], short_folder: Path
) -> None:
    folder = fresh_postgres.partition("host=")[2]
    link = short_folder / "later"

    async def scenario() -> None:
        clock = Clock()
        lease = PostgresLease(fresh_postgres.replace(folder, str(link)), ("a",), clock.sleep)
        waiting = asyncio.create_task(lease.wait())
        for _ in range(3):
            await clock.until_asleep()
            clock.pass_by(5)
            await asyncio.sleep(0.05)
        assert not waiting.done()
        link.symlink_to(folder)
        await clock.pass_until(waiting)
        await lease.release()

    asyncio.run(scenario())
    assert capsys.readouterr().out.count("lease.unreachable") == 1


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A socket's path may have 107 characters, which pytest's own folders are too long for."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


NO_URLS = [
    ("postgresql://host:port/state", "is no URL"),
    ("postgresql://[::1/state", "is no URL"),
    ("postgresql://127.0.0.1/state?port=x", "is no URL"),
    ("postgresql://two..dots:secret@two..dots/state", "it is no URL"),
    ("postgresql://\udc80@127.0.0.1/state", "it is no URL"),
    ("postgresql://127.0.0.1:1/state?sslmod=require", "invalid connection option"),
    ("postgresql://127.0.0.1:1/state?row_factory=x", "no option of PostgreSQL's"),
]


@pytest.mark.parametrize(("url", "said"), NO_URLS)
def test_a_url_that_is_none_is_refused_in_words(url: str, said: str) -> None:
    driver()
    place = state_place(read_settings({"PORTSYNC_STATE": url}), "me")

    async def wait() -> None:
        await _soon(PostgresLease(place.url or "", ("a",), Clock().sleep).wait())

    with pytest.raises(StateError, match=said) as caught:
        asyncio.run(wait())
    assert "secret" not in str(caught.value)
    with pytest.raises(StateError, match=said):
        HookStore(place)
    with pytest.raises(StateError, match=said), opened_state(place):
        pass


@pytest.mark.parametrize("hooks", ["", "    live: {hook: things, record: .thing, signature: none}\n"])
def test_a_service_whose_state_has_such_a_url_ends_with_exit_code_2(
    hooks: str, portsync: Callable[..., Run], mapping: Callable[..., str], port_env: dict[str, str]
) -> None:
    driver()
    env = {**port_env, "PORTSYNC_LISTEN": "127.0.0.1:0"}
    for url, _ in NO_URLS[:1] + NO_URLS[3:4]:
        run = portsync("serve", mapping() + hooks, env={**env, "PORTSYNC_STATE": url})

        assert run.exit_code == 2, run.err
        assert "the URL of the state" in run.err
        assert "Traceback" not in run.err


def test_one_stands_by_and_when_the_other_loses_the_database_in_a_run_one_of_them_runs(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort, fresh_postgres: str
) -> None:
    def answer(_: Asked) -> Any:
        is_first = len(source.asked) == 1
        return Response("later", 503, {"retry-after": "4"}) if is_first else {"data": [{"id": "ada", "size": 1}]}

    source.answer = answer
    env = {"PORTSYNC_STATE": fresh_postgres.replace("+psycopg", "")}

    async def scenario() -> None:
        async with serving_of(mapping(), env=env) as first:
            await first.until(lambda: "portsync_leader 1.0" in first.metrics.text().decode())
            async with serving_of(mapping(), env=env) as second:
                await first.until(lambda: any(at - first.clock.now == 4 for at, _ in first.clock.sleepers))
                assert [
                    (await second.ask("GET", path, token=None)).status_code for path in ("/healthz", "/readyz")
                ] == [
                    200,
                    200,
                ]
                refused = await second.ask("POST", "/resync")
                assert (refused.status_code, refused.json()) == (
                    503,
                    {"error": "this replica stands by: ask the one that runs"},
                )
                assert "portsync_leader 0.0" in second.metrics.text().decode()
                second.clock.pass_by(5)
                await second.until(lambda: second.clock.sleepers)
                assert second.history.runs() == []

                with driver().connect(env["PORTSYNC_STATE"], autocommit=True) as connection:
                    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    connection.execute(others + " AND backend_type = 'client backend'")

                def is_interrupted() -> bool:
                    # Not who waits for the source: it would be asked again before the loss is seen.
                    for at, event in tuple(first.clock.sleepers):
                        if at - first.clock.now <= 3:
                            event.set()
                    return len(first.runs()) > 0

                await first.until(is_interrupted)
                assert first.runs()[0]["exit_code"] in (1, 143)

                # Whoever asks for the lease first has it now.
                def is_in() -> bool:
                    second.clock.pass_by(1)
                    return any(run["exit_code"] == 0 for run in [*first.runs(), *second.runs()])

                await second.until(is_in)
                assert len(source.asked) == 2

    asyncio.run(scenario())
    assert list(local_port.entities("thing")) == ["ada"]


def test_when_the_one_that_runs_is_killed_the_other_runs(
    fresh_postgres: str,
    mapping: Callable[..., str],
    source: Source,
    local_port: LocalPort,
    port_env: dict[str, str],
    tmp_path: Path,
) -> None:
    source.answer = lambda _: {"data": [{"id": "ada", "size": len(source.asked)}]}
    file = tmp_path / "m.yaml"
    file.write_text(mapping(), encoding="utf-8")
    state = fresh_postgres.replace("+psycopg", "")
    environment = {
        **os.environ, **port_env, "PORTSYNC_STATE": state, "PORTSYNC_INTERVAL": "1s", "PORTSYNC_LISTEN": "127.0.0.1:0",
    }  # fmt: skip

    def replica(name: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "portsync", "serve", str(file)]
        with (tmp_path / name).open("wb") as log:
            return subprocess.Popen(command, env=environment, stderr=log)

    def log(name: str) -> str:
        return (tmp_path / name).read_text(encoding="utf-8")

    first = replica("first")
    try:
        _wait_until(lambda: log("first").count('"run.ended"') >= 2)
        second = replica("second")
        try:
            _wait_until(lambda: "service.up" in log("second"))
            _wait_until(lambda: log("first").count('"run.ended"') >= 4)
            assert "run.began" not in log("second")
            first.send_signal(signal.SIGKILL)
            first.wait()
            killed = time.monotonic()
            _wait_until(lambda: "run.ended" in log("second"))
            assert time.monotonic() - killed < 30
            assert '"exit_code": 0' in log("second")
            second.send_signal(signal.SIGTERM)
            assert second.wait(20) == 0
        finally:
            second.kill()
            second.wait()
    finally:
        first.kill()
        first.wait()
    assert list(local_port.entities("thing")) == ["ada"]


def _wait_until(holds: Callable[[], Any]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)

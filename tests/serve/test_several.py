"""Several mappings in one service: told apart, side by side, and never two runs of one state."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from portsync.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Asked, LocalPort, Run, Source

NAMES = {"/a": "m", "/b": "n"}


def _things(*names: str) -> Any:
    return {"data": [{"id": name, "size": 1} for name in names]}


def test_two_files_of_one_name_are_refused_before_any_run(
    serving_of: Any, mapping: Callable[..., str], source: Source
) -> None:
    async def scenario() -> None:
        async with serving_of(None, more={"a/m.yaml": mapping(), "b/m.yaml": mapping()}):
            pass

    with pytest.raises(SettingsError, match=r"two mappings have the name `m`: .*a/m.yaml and .*b/m.yaml"):
        asyncio.run(scenario())
    assert source.asked == []


def _away_at_first(source: Source) -> None:
    """Let the source ask whoever comes first to come back after five seconds."""

    def answer(_: Asked) -> Any:
        return Response("later", 503, {"retry-after": "5"}) if len(source.asked) == 1 else _things("ada")

    source.answer = answer


async def _waits(served: Any) -> None:
    """Return when a run waits until it may ask the source again."""
    await served.until(lambda: any(at - served.clock.now == 5 for at, _ in served.clock.sleepers))


def test_runs_of_different_mappings_go_side_by_side_and_one_is_asked_for_by_its_name(
    serving_of: Any, mapping: Callable[..., str], source: Source
) -> None:
    _away_at_first(source)

    async def scenario() -> None:
        async with serving_of(mapping(kind="/a"), more={"n.yaml": mapping(kind="/b")}) as served:
            await _waits(served)
            first = NAMES[source.asked[0].path]
            assert (await served.next_run())["mapping"] != first, "it does not wait for the other one"
            served.clock.pass_by(5)
            assert (await served.next_run())["mapping"] == first
            assert (await served.ask("POST", "/resync?mapping=n")).json() == {"asked": ["n"]}
            assert (await served.next_run())["mapping"] == "n"
            missing = await served.ask("POST", "/resync?mapping=<nobody>")
            assert (missing.status_code, missing.json()) == (404, {"error": "no mapping has this name"})

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "state",
    [
        {"PORTSYNC_STATE": "one.db"},
        {"PORTSYNC_IDENTIFIER": "both"},
        {"PORTSYNC_IDENTIFIER": "both", "PORTSYNC_STATE": "none"},
    ],
    ids=["one file", "one identifier", "one identifier, nothing kept"],
)
def test_runs_that_share_a_state_or_an_identifier_take_turns(
    serving_of: Any, mapping: Callable[..., str], source: Source, tmp_path: Path, state: dict[str, str]
) -> None:
    env = {name: value.replace("one.db", str(tmp_path / "one.db")) for name, value in state.items()}
    _away_at_first(source)

    async def scenario() -> None:
        async with serving_of(mapping(kind="/a"), more={"n.yaml": mapping(kind="/b")}, env=env) as served:
            await _waits(served)
            under_way = [run["mapping"] for run in served.history.runs() if run["status"] == "running"]
            assert sorted(under_way) == ["m", "n"]
            await asyncio.sleep(0.3)  # time for what must not happen
            assert len(source.asked) == 1
            served.clock.pass_by(5)
            runs = [await served.next_run() for _ in range(2)]
            assert [run["exit_code"] for run in runs] == [0, 0]
            assert runs[0]["mapping"] == NAMES[source.asked[0].path]

    asyncio.run(scenario())


def test_one_that_is_broken_keeps_nobody_from_running_and_comes_in_when_it_is_mended(
    serving_of: Any, mapping: Callable[..., str], source: Source, tmp_path: Path
) -> None:
    async def scenario() -> None:
        source.answer = lambda _: _things("ada")
        async with serving_of(mapping(), more={"n.yaml": "resources: ["}) as served:
            runs = {run["mapping"]: run for run in [await served.next_run() for _ in range(2)]}
            assert (runs["m"]["exit_code"], runs["n"]["exit_code"]) == (0, 2)
            ready = await served.ask("GET", "/readyz", token=None)
            assert ready.json()["faults"] == ["n: no mapping that can be used"]
            (tmp_path / "n.yaml").write_text(mapping(kind="/b"), encoding="utf-8")
            await served.until_seen(lambda: len(served.runs()) > served.seen)
            assert (await served.next_run())["exit_code"] == 0
            assert (await served.ask("GET", "/readyz", token=None)).status_code == 200

    asyncio.run(scenario())


def test_what_a_broken_mapping_of_the_same_integration_gave_is_not_deleted(
    serving_of: Any,
    mapping: Callable[..., str],
    source: Source,
    local_port: LocalPort,
    portsync: Callable[..., Run],
    port_env: dict[str, str],
) -> None:
    env = {"PORTSYNC_IDENTIFIER": "both", "PORTSYNC_STATE": "none"}
    threshold = "entityDeletionThreshold: 1\n"
    source.answer = lambda _: _things("of-the-other")
    portsync("sync", mapping(), env={**port_env, **env})

    async def scenario() -> None:
        source.answer = lambda _: _things("ada")
        async with serving_of(threshold + mapping(), more={"n.yaml": "resources: ["}, env=env) as served:
            runs = {run["mapping"]: run for run in [await served.next_run() for _ in range(2)]}
            assert (runs["m"]["exit_code"], runs["n"]["exit_code"]) == (1, 2)

    asyncio.run(scenario())
    assert set(local_port.entities("thing")) == {"ada", "of-the-other"}

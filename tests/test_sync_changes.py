"""What is sent to Port, and what is not: only what changed since Port last took it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import LocalPort, Run, Source


def things(first: int, end: int, **changed: Any) -> list[dict[str, Any]]:
    return [{"id": f"t{i}", "size": i, **changed} for i in range(first, end)]


def test_a_second_run_sends_nothing_and_a_third_what_changed(source: Source, sync: Callable[..., Run]) -> None:
    source.answer = lambda _: {"data": things(0, 50)}
    first = sync()
    second = sync()
    source.answer = lambda _: {"data": [*things(0, 49), *things(49, 50, size=-1)]}
    third = sync()

    assert first.resource["created"] == 50
    assert (second.exit_code, second.resource["unchanged"], second.resource["entities"]) == (0, 50, 50)
    assert (third.resource["updated"], third.resource["unchanged"]) == (1, 49)


def test_what_is_gone_from_the_source_is_deleted(
    source: Source, sync: Callable[..., Run], local_port: LocalPort
) -> None:
    source.answer = lambda _: {"data": things(0, 10)}
    sync()
    source.answer = lambda _: {"data": things(2, 10)}
    run = sync()

    assert run.report["deletions"] == [{"blueprint": "thing", "stale": 2, "deleted": 2, "refused": None}]
    assert sorted(local_port.entities("thing")) == [f"t{i}" for i in range(2, 10)]


def test_a_letter_is_not_replayed_over_what_a_later_run_brought(
    source: Source,
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
    port_env: dict[str, str],
    local_port: LocalPort,
    tmp_path: Path,
) -> None:
    letters = tmp_path / "letters.jsonl"
    options = ("--dead-letters", str(letters))
    source.answer = lambda _: {"data": [{"id": "a", "size": "not a number"}, {"id": "b", "size": "neither"}]}
    refused = portsync("sync", mapping(), *options, env=port_env)
    source.answer = lambda _: {"data": [{"id": "a", "size": 2}, {"id": "b", "size": "neither"}]}
    old = letters.read_bytes()
    portsync("sync", mapping(), *options, env=port_env)
    letters.write_bytes(old)

    replayed = portsync("replay", None, str(letters), env=port_env)

    assert refused.resource["rejected"] == 2
    assert local_port.entities("thing")["a"]["properties"]["size"] == 2
    assert "1 superseded" in replayed.out

"""`slurp: true`: all pages of a chain as one list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Asked, LocalPort, Run, Source

SLURP = "slurp: true\npagination: {type: offset, page_size: 2}"


def pages(asked: Asked) -> Any:
    offset = int(dict(asked.query)["offset"])
    return {"data": [{"id": f"t{n % 3}", "size": n} for n in range(offset, min(offset + 2, 5))]}


def slurping(mapping: Callable[..., str], data_path: str) -> str:
    return mapping(selector=SLURP).replace("data_path: .data", f"data_path: '{data_path}'")


def test_data_path_gets_the_list_of_all_pages(
    source: Source,
    local_port: LocalPort,
    port_env: dict[str, str],
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
) -> None:
    source.answer = pages
    grouped = "[.[].data[]] | group_by(.id) | map({id: .[0].id, size: (map(.size) | add)})"

    run = portsync("sync", slurping(mapping, grouped), env=port_env)

    assert run.exit_code == 0
    sizes = {name: entity["properties"]["size"] for name, entity in local_port.entities("thing").items()}
    assert sizes == {"t0": 3, "t1": 5, "t2": 2}
    assert (run.resource["pages"], run.resource["requests"], run.resource["records"]) == (4, 4, 3)


def test_nothing_is_made_of_some_of_the_pages(
    source: Source,
    local_port: LocalPort,
    port_env: dict[str, str],
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
) -> None:
    source.answer = lambda asked: Response(status_code=404) if dict(asked.query)["offset"] == "2" else pages(asked)

    run = portsync("sync", slurping(mapping, "[.[].data[]]"), env=port_env)

    assert (run.exit_code, run.resource["verdict"], run.resource["reason"]) == (1, "incomplete", "status")
    assert local_port.entities("thing") == {}


@pytest.mark.parametrize("data_path", [".nothing", ".[0].nothing"])
def test_a_data_path_that_finds_nothing_is_no_empty_source(
    source: Source, port_env: dict[str, str], mapping: Callable[..., str], portsync: Callable[..., Run], data_path: str
) -> None:
    source.answer = pages

    run = portsync("sync", slurping(mapping, data_path), env=port_env)

    assert (run.exit_code, run.resource["reason"]) == (1, "data_path")

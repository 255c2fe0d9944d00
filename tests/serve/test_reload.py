"""Files that change below the service: mappings, and the secrets that they name."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import LocalPort, Source

PEOPLE = {"data": [{"id": "ada", "size": 1}]}


def _with_prefix(mapping: Callable[..., str], prefix: str) -> str:
    return mapping(identifier=f"'\"{prefix}-\" + .id'")


async def _taken(served: Any) -> dict[str, Any]:
    """The run that a new file brings about."""
    await served.until_seen(lambda: len(served.runs()) > served.seen)
    run: dict[str, Any] = await served.next_run()
    return run


def test_a_file_that_is_replaced_is_taken_also_through_links_and_with_the_same_time_and_size(
    serving_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort, tmp_path: Path
) -> None:
    source.answer = lambda _: PEOPLE
    file = tmp_path / "m.yaml"

    async def scenario() -> None:
        async with serving_of(_with_prefix(mapping, "a")) as served:
            await served.next_run()
            # As `mv` does.
            (tmp_path / "new").write_text(_with_prefix(mapping, "b"), encoding="utf-8")
            (tmp_path / "new").replace(file)
            assert (await _taken(served))["reasons"] == ["mapping"]

            before = file.stat()
            file.write_text(_with_prefix(mapping, "c"), encoding="utf-8")
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
            assert (file.stat().st_mtime_ns, file.stat().st_size) == (before.st_mtime_ns, before.st_size)
            assert (await _taken(served))["reasons"] == ["mapping"]

            # As Kubernetes does: m.yaml -> ..data/m.yaml, ..data -> a folder, which is another one then.
            for name in ("one", "two"):
                (tmp_path / name).mkdir()
                (tmp_path / name / "m.yaml").write_text(_with_prefix(mapping, name), encoding="utf-8")
            (tmp_path / "..data").symlink_to("one")
            (tmp_path / "link").symlink_to("..data/m.yaml")
            (tmp_path / "link").replace(file)
            assert (await _taken(served))["reasons"] == ["mapping"]
            (tmp_path / "..data_tmp").symlink_to("two")
            (tmp_path / "..data_tmp").replace(tmp_path / "..data")
            assert (await _taken(served))["reasons"] == ["mapping"]

    asyncio.run(scenario())
    assert set(local_port.entities("thing")) == {"a-ada", "b-ada", "c-ada", "one-ada", "two-ada"}


def test_a_file_that_is_written_piece_by_piece_is_taken_when_it_rests(
    serving_of: Any, mapping: Callable[..., str], source: Source, tmp_path: Path
) -> None:
    source.answer = lambda _: PEOPLE
    whole = _with_prefix(mapping, "b")

    async def scenario() -> None:
        async with serving_of(_with_prefix(mapping, "a")) as served:
            await served.next_run()
            for length in range(len(whole) - 60, len(whole), 7):
                (tmp_path / "m.yaml").write_text(whole[:length], encoding="utf-8")
                await served.until(lambda: served.clock.sleepers)
                served.clock.pass_by(2)
                await served.until(lambda: any(at - served.clock.now == 2 for at, _ in served.clock.sleepers))
            assert len(served.runs()) == 1
            assert 'portsync_mapping_valid{mapping="m"} 1.0' in served.metrics.text().decode()
            (tmp_path / "m.yaml").write_text(whole, encoding="utf-8")
            await _taken(served)

    asyncio.run(scenario())


def test_a_file_that_goes_and_comes_back(
    serving_of: Any, mapping: Callable[..., str], source: Source, tmp_path: Path
) -> None:
    source.answer = lambda _: PEOPLE
    file = tmp_path / "m.yaml"

    async def scenario() -> None:
        async with serving_of(mapping()) as served:
            await served.next_run()
            file.rename(tmp_path / "aside")
            await served.until_seen(lambda: 'mapping_valid{mapping="m"} 0.0' in served.metrics.text().decode())
            assert (await served.ask("POST", "/resync")).status_code == 202
            assert (await served.next_run())["exit_code"] == 0
            (tmp_path / "aside").rename(file)
            assert (await _taken(served))["reasons"] == ["mapping"]

    asyncio.run(scenario())


def test_a_secret_that_is_rotated_is_used_by_the_next_run_which_it_brings_about(
    serving_of: Any, mapping: Callable[..., str], source: Source, tmp_path: Path
) -> None:
    source.answer = lambda _: PEOPLE
    secret = tmp_path / "token"
    secret.write_text("the-first-token\n", encoding="utf-8")

    async def scenario() -> None:
        async with serving_of(mapping().replace("${SRC_TOKEN}", f"${{file:{secret}}}")) as served:
            await served.next_run()
            secret.write_text("the-other-token\n", encoding="utf-8")
            await _taken(served)
            assert served.redactor.clean("the-other-token") == "***"

    asyncio.run(scenario())
    assert [asked.headers["authorization"] for asked in source.asked] == [
        "Bearer the-first-token",
        "Bearer the-other-token",
    ]


def test_a_file_that_is_only_touched_brings_no_run_about(
    serving_of: Any, mapping: Callable[..., str], source: Source, tmp_path: Path
) -> None:
    source.answer = lambda _: PEOPLE

    async def scenario() -> None:
        async with serving_of(mapping()) as served:
            await served.next_run()
            (tmp_path / "m.yaml").touch()
            for _ in range(4):
                await served.until(lambda: any(at - served.clock.now == 2 for at, _ in served.clock.sleepers))
                served.clock.pass_by(2)
            assert len(served.runs()) == 1

    asyncio.run(scenario())

"""What befalls the machine that a run is on. Each is a context for the run, with variables for its environment."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.faults.world import World

    Machine = Callable[[World], AbstractContextManager[Mapping[str, str]]]

_PAGE = 4096
"""Bytes; SQLite's pages are so large."""


@contextmanager
def sound(_world: World) -> Iterator[Mapping[str, str]]:
    yield {}


@contextmanager
def without_state(world: World) -> Iterator[Mapping[str, str]]:
    world.state.unlink()
    yield {}


@contextmanager
def state_with_garbage_at_its_start(world: World) -> Iterator[Mapping[str, str]]:
    with _damaged(world.state, lambda sound: b"\xa5" * _PAGE + sound[_PAGE:]):
        yield {}


@contextmanager
def state_with_garbage_in_the_middle(world: World) -> Iterator[Mapping[str, str]]:
    def spoiled(sound: bytes) -> bytes:
        start = len(sound) // 2 // _PAGE * _PAGE
        return sound[:start] + b"\xa5" * _PAGE + sound[start + _PAGE :]

    with _damaged(world.state, spoiled):
        yield {}


@contextmanager
def state_cut_short(world: World) -> Iterator[Mapping[str, str]]:
    with _damaged(world.state, lambda sound: sound[: len(sound) // 2 + 100]):
        yield {}


@contextmanager
def no_place_for_the_state(_world: World) -> Iterator[Mapping[str, str]]:
    # Not even root can make a folder there, whoever runs the tests.
    yield {"PORTSYNC_STATE": "/dev/null/portsync/state.db"}


@contextmanager
def state_of_another_process(world: World) -> Iterator[Mapping[str, str]]:
    # The lock belongs to the open file, so that it does not matter in which process that is.
    with world.state.with_name(f"{world.state.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield {}


@contextmanager
def _damaged(state: Path, spoiled: Callable[[bytes], bytes]) -> Iterator[None]:
    """Spoil the file, and see that the run has moved it aside."""
    damaged = spoiled(state.read_bytes())
    state.write_bytes(damaged)
    yield
    assert state.with_name(f"{state.name}.damaged").read_bytes() == damaged

"""Import a file as a user does, and bring what it becomes into the local Port."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from portsync.importing import Imported, imported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from portsync.importing import System
    from tests.conftest import LocalPort, Run


def stand_ins(result: Imported) -> dict[str, str]:
    """A value for each variable that a mapping names, good enough for `check`."""
    return {
        name: "https://api.example.com" if place == "source.base_url" else "1"
        for name, place in result.variables.items()
    }


def of_text(system: System, text: str, environment: str | None = None) -> Imported:
    """The mapping of a text, which stands in `file`."""
    return imported(system, ("file", text), None if environment is None else ("env", environment))


def lost(result: Imported) -> list[str]:
    """What is not in the mapping, each with its line."""
    return [
        f"{(note.place or '').partition(':')[2]} {note.message}" for note in result.notes if note.code == "import-lost"
    ]


def said(result: Imported) -> str:
    """All notes as one text."""
    return "\n".join(f"{note.place} {note.message}" for note in result.notes)


@pytest.fixture
def check(portsync: Callable[..., Run]) -> Callable[[Imported], None]:
    """`check` has nothing against what was imported."""

    def checked(result: Imported) -> None:
        run = portsync("check", result.text, env=stand_ins(result))
        assert run.exit_code == 0, run.err + result.text
        assert "unknown-key" not in run.err

    return checked


@pytest.fixture
def bring(portsync: Callable[..., Run], local_port: LocalPort, port_env: Mapping[str, str]) -> Callable[..., Run]:
    """Sync a mapping into the local Port, in which its blueprints are created first."""

    def run(text: str, blueprints: list[dict[str, Any]], env: Mapping[str, str]) -> Run:
        for blueprint in blueprints:
            created = local_port.api("POST", "/blueprints", blueprint)
            assert created["ok"], created
        return portsync("sync", text, env={**port_env, **env})

    return run


def blueprint(identifier: str, relations: Mapping[str, str] | None = None, **properties: str) -> dict[str, Any]:
    """A blueprint with properties of these types; a relation `to[]` leads to many."""
    return {
        "identifier": identifier,
        "title": identifier,
        "schema": {"properties": {name: {"type": kind} for name, kind in properties.items()}, "required": []},
        "relations": {
            name: {"target": re.sub(r"\[\]$", "", to), "many": to.endswith("[]")}
            for name, to in (relations or {}).items()
        },
    }

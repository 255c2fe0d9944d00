"""A mapping of several resources as values, and the runs of it: `several.sync()`, `several.plan()`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.conftest import Asked, LocalPort, Run, Source

DAY_S = 86_400.0


def resource(kind: str, blueprint: str, **parts: Any) -> dict[str, Any]:
    """A resource that gives `blueprint`, or what an expression such as `.kind` says; `selector` is as in the file, all
    other parts are those of the mapping."""
    selector = {"data_path": ".data", **parts.pop("selector", {})}
    entity: dict[str, Any] = {
        "identifier": ".id",
        "blueprint": blueprint if blueprint.startswith(".") else f'"{blueprint}"',
    }
    entity |= {"properties": {"size": ".size"}, **parts}
    return {"kind": kind, "selector": selector, "port": {"entity": {"mappings": entity}}}


def things(first: int, end: int, **changed: Any) -> list[dict[str, Any]]:
    """Records `t0`, `t1`, ... in the order of their numbers."""
    return [{"id": f"t{i}", "size": i, **changed} for i in range(first, end)]


@dataclass
class Several:
    """A source with `records` under each path, and resources that map them."""

    portsync: Callable[..., Run]
    source: Source
    port: LocalPort
    env: dict[str, str]
    folder: Path
    resources: list[dict[str, Any]] = field(default_factory=lambda: [resource("/things", "thing")])
    records: dict[str, Any] = field(default_factory=dict)
    """By path: the records, or a Response in their place."""
    switches: dict[str, Any] = field(default_factory=dict)
    """Of the mapping file."""

    def __post_init__(self) -> None:
        self.source.answer = self._answer

    def _answer(self, asked: Asked) -> Any:
        answer = self.records.get(asked.path, [])
        return answer if isinstance(answer, Response) else {"data": answer}

    def blueprint(self, identifier: str, *, required: tuple[str, ...] = (), **relations: str | list[str]) -> None:
        """Create a blueprint in Port: `several.blueprint("part", of="thing", used_by=["thing"])`. A list holds the
        target of a relation that may have many."""
        self.define(identifier)
        defined = {
            name: {
                "title": name,
                "target": target if isinstance(target, str) else target[0],
                "many": not isinstance(target, str),
                "required": name in required,
            }
            for name, target in relations.items()
        }
        assert self.port.api("PATCH", f"/blueprints/{identifier}", {"relations": defined})["ok"]

    def define(self, identifier: str) -> None:
        """Create a blueprint without relations, where there is none."""
        if not self.port.api("GET", f"/blueprints/{identifier}").get("ok"):
            schema = {"properties": {"size": {"type": "number"}, "name": {"type": "string"}}, "required": []}
            body = {"identifier": identifier, "title": identifier, "schema": schema, "relations": {}}
            assert self.port.api("POST", "/blueprints", body)["ok"]

    def by_hand(self, blueprint: str, identifier: str, **parts: Any) -> None:
        """Write an entity as somebody else than portsync."""
        path = f"/blueprints/{blueprint}/entities?upsert=true&merge=true"
        assert self.port.api("POST", path, {"identifier": identifier, **parts})["ok"]

    def delete_by_hand(self, blueprint: str, identifier: str) -> None:
        """Delete an entity in Port."""
        assert self.port.api("DELETE", f"/blueprints/{blueprint}/entities/{identifier}")["ok"]

    def mapping(self, resources: list[dict[str, Any]] | None = None) -> str:
        """The mapping file's text."""
        source = {"base_url": self.source.url, "retry": {"attempts": 2, "max_wait": 1}}
        return json.dumps({"source": source, **self.switches, "resources": resources or self.resources})

    def sync(self, *options: str, env: Mapping[str, str] | None = None, **at: float) -> Run:
        """One run; `at` is its instant in epoch seconds."""
        return self.portsync("sync", self.mapping(), *options, env={**self.env, **(env or {})}, **at)

    def plan(self, *options: str, env: Mapping[str, str] | None = None, **at: float) -> Run:
        """One plan, in the form of `options`."""
        return self.portsync("plan", self.mapping(), *options, env={**self.env, **(env or {})}, **at)

    def left(self, blueprint: str = "thing") -> set[str]:
        """The identifiers of the entities that Port has."""
        return set(self.port.entities(blueprint))

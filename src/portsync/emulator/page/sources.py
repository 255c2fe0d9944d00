"""The integrations: what each reads, how it maps it, and how its last resync went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

import orjson
from sqlalchemy import func, literal, select

from portsync.emulator.page.shown import pretty
from portsync.emulator.page.texts import ago, clipped
from portsync.emulator.tables import ENTITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from starlette.requests import Request

    from portsync.emulator.workspace import Session, Workspace

_MOST = 100
_MOST_LINES = 200
_EXAMPLE = 6000
_SHORTEST, _LONGEST, _VALUES = 3, 200, 8
"""The values of a record that are looked for in identifiers: texts of this length, and so many of them."""
_TONES = {"completed": "good", "running": "warn", "failed": "bad", "aborted": "bad"}


class SourcesView:
    """`/sources` and `/sources/<installation>`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def show_all(self, _request: Request) -> Mapping[str, Any]:
        now = self._workspace.moment()
        with self._workspace.snapshot() as session:
            sources = [_summary(each, now) for each in session.integrations.all()[:_MOST]]
        return {"title": "Data sources", "sources": sources}

    def show(self, request: Request) -> Mapping[str, Any]:
        name = request.path_params["name"]
        now = self._workspace.moment()
        with self._workspace.snapshot() as session:
            integration = session.integrations.get(name)
            examples = session.integrations.examples(name)
            resources = list(self._resources(session, integration, examples))
            requested = session.integrations.resync_requested_at(name)
        config = integration.get("config")
        switches = {key: value for key, value in config.items() if key != "resources"} if _is_map(config) else {}
        return {
            **_summary(integration, now),
            "title": clipped(str(integration.get("title") or name), 120),
            "requested": ago(requested, now),
            "switches": [(clipped(key, 80), clipped(str(value), 200)) for key, value in switches.items()][:_MOST],
            "resources": resources,
            "raw": pretty(integration),
        }

    def _resources(
        self, session: Session, integration: Mapping[str, Any], examples: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        config = integration.get("config")
        resources = config.get("resources") if _is_map(config) else None
        for resource in (resources if isinstance(resources, list) else [])[:_MOST]:
            if not _is_map(resource):
                continue
            kind = str(resource.get("kind"))
            mapping = _first_mapping(resource)
            blueprint = _constant(mapping.get("blueprint"))
            kept = examples.get(kind)
            example = kept[-1]["data"] if kept else {}
            yield {
                "kind": clipped(kind, 300),
                "blueprint": blueprint,
                "selector": _lines(resource.get("selector")),
                "mapping": [line for key in mapping for line in _flat(key, mapping[key])][:_MOST_LINES],
                "example": pretty(example, _EXAMPLE) if kept else None,
                "entity": self._entity(session, blueprint, str(integration["installationId"]), example),
            }

    def _entity(
        self, session: Session, blueprint: str | None, installation: str, record: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """The entity that came of the record, as far as its identifier tells; the last written one else.

        Identifiers are mostly put together of values of the record. To run the mapping would tell exactly, but a
        view must not run programs that may never end.
        """
        found = None if blueprint is None else session.blueprints.find(blueprint)
        if blueprint is None or found is None:
            return None
        values = [value for value in record.values() if isinstance(value, str) and _SHORTEST <= len(value) <= _LONGEST]
        likeness = sum((func.instr(ENTITIES.c.identifier, value) > 0 for value in values[:_VALUES]), start=literal(0))
        row = session.connection.execute(
            select(ENTITIES.c.identifier)
            .where(ENTITIES.c.blueprint == blueprint, ENTITIES.c.datasource.contains(installation, autoescape=True))
            .order_by(likeness.desc(), ENTITIES.c.updated_at.desc())
            .limit(1)
        ).scalar_one_or_none()
        if row is None:
            return None
        reading = self._workspace.reading(
            session, found, [session.entities.load(blueprint, [row])[row]], computed=False
        )
        (printed,) = reading.printed()
        shown = {key: printed[key] for key in ("identifier", "title", "properties", "relations")}
        return {"blueprint": blueprint, "identifier": row, "json": pretty(shown, _EXAMPLE)}


def _summary(integration: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    state = integration.get("resyncState")
    state = state if _is_map(state) else {}
    status = str(state.get("status") or "never ran")
    return {
        "identifier": integration["installationId"],
        "app": clipped(str(integration.get("installationAppType") or ""), 80),
        "version": clipped(str(integration.get("version") or ""), 80),
        "status": clipped(status, 40),
        "tone": _TONES.get(status, "dim"),
        "started": ago(_text(state.get("lastResyncStart")), now),
        "ended": ago(_text(state.get("lastResyncEnd")), now),
        "next": _text(state.get("nextResync")),
        "updated": ago(_text(integration.get("updatedAt")), now),
    }


def _first_mapping(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """The mapping of a resource; of several, the first."""
    value: Any = resource
    for key in ("port", "entity", "mappings"):
        value = value.get(key) if _is_map(value) else None
    if isinstance(value, list) and value:
        value = value[0]
    return value if _is_map(value) else {}


def _flat(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """The lines of a mapping: what is filled, and the expression that fills it."""
    if _is_map(value) and key in ("properties", "relations"):
        for name, each in value.items():
            yield ("→ " if key == "relations" else "") + clipped(name, 80), _expression(each)
    else:
        yield clipped(key, 80), _expression(value)


def _expression(value: Any) -> str:
    return clipped(value if isinstance(value, str) else orjson.dumps(value).decode(), 1000)


def _lines(selector: Any) -> list[tuple[str, str]]:
    pairs = selector.items() if _is_map(selector) else ()
    return [(clipped(key, 80), _expression(value)) for key, value in pairs][:_MOST_LINES]


def _constant(expression: Any) -> str | None:
    """The text of an expression that is a JSON string, as that of a blueprint nearly always is."""
    try:
        value = orjson.loads(expression) if isinstance(expression, str) else None
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, str) else None


def _text(value: Any) -> str | None:
    return None if value is None else clipped(str(value), 40)


def _is_map(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)

"""One entity: its properties, what it relates to and what relates to it, and how it came to be so."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.emulator.errors import not_found
from portsync.emulator.page.columns import Column, Origin, columns_of
from portsync.emulator.page.links import entity_href
from portsync.emulator.page.shell import title_of
from portsync.emulator.page.shown import ALONE, Shown, pretty, show
from portsync.emulator.page.texts import clipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.history import Change
    from portsync.emulator.workspace import Session, Workspace

_MOST_PROPERTIES = 300
_MOST_RELATED = 200
_MOST_CHANGED = 40
_LINE = 200
"""A text longer than this stands below the short ones."""
_SECTIONS = {"properties": "", "relations": "relation "}
_OWN = {"title": "Title", "icon": "Icon", "team": "Team"}


@dataclass(frozen=True, slots=True)
class Related:
    """Entities that relate to this one by one relation."""

    blueprint: str
    relation: str
    links: tuple[Shown, ...]


class EntityView:
    """`/entity?blueprint=...&identifier=...`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def show(self, request: Request) -> Mapping[str, Any]:
        name = request.query_params.get("blueprint", "")
        identifier = request.query_params.get("identifier", "")
        with self._workspace.snapshot() as session:
            blueprint = session.blueprints.get(name)
            entity = session.entities.load(name, [identifier]).get(identifier)
            changes = session.history.of(name, identifier)
            relating = list(_relating(session, name, identifier))
            reading = self._workspace.reading(session, blueprint, [] if entity is None else [entity])
        if entity is None and not changes:
            raise not_found("Entity", clipped(identifier, 200))
        columns = columns_of(blueprint)
        printed = next(iter(reading.printed()), None)
        title = (printed or changes[0].before).get("title") or identifier
        return {
            "title": clipped(str(title), 200),
            "identifier": clipped(identifier, 1000),
            "blueprint": name,
            "blueprint_title": title_of(blueprint),
            "entity": entity,
            "is_gone": printed is None,
            "raw": "" if printed is None else pretty(printed, 4 * ALONE),
            "relating": relating,
            "changes": [_change(each, columns) for each in changes],
            **_values(blueprint, columns, printed),
        }


def _values(blueprint: Blueprint, columns: Mapping[str, Column], printed: Mapping[str, Any] | None) -> dict[str, Any]:
    """The properties and relations that have a value, and how many have none or are too many to show."""
    if printed is None:
        return {"values": [], "wide": [], "relations": [], "unset": [], "left": 0}
    properties = [each for each in columns.values() if each.origin in (Origin.PROPERTY, Origin.COMPUTED)]
    there = [column for column in properties if column.of(printed) is not None]
    values = [(column, show(column.of(printed), column, most=ALONE)) for column in there[:_MOST_PROPERTIES]]
    relations = [columns[f"relation.{name}"] for name in blueprint.relations]
    return {
        "values": [each for each in values if not _is_wide(each[1])],
        "wide": [each for each in values if _is_wide(each[1])],
        "relations": [(column, show(column.of(printed), column, most=ALONE)) for column in relations],
        "unset": [column.title for column in properties if column.of(printed) is None][:_MOST_PROPERTIES],
        "left": max(0, len(there) - _MOST_PROPERTIES),
    }


def _is_wide(value: Shown) -> bool:
    return value.kind == "json" or (value.kind == "text" and (len(value.text) > _LINE or "\n" in value.text))


def _relating(session: Session, name: str, identifier: str) -> Iterator[Related]:
    rows = session.entities.relating(name, identifier, _MOST_RELATED)
    groups = Counter((blueprint, relation) for blueprint, relation, _ in rows)
    for blueprint, relation in groups:
        names = [each for other, by, each in rows if (other, by) == (blueprint, relation)]
        titles = {found.identifier: found.title for found in session.entities.load(blueprint, names).values()}
        links = tuple(
            Shown("link", clipped(titles.get(each) or each, 100), entity_href(blueprint, each)) for each in names
        )
        yield Related(blueprint, relation, links)


def _change(change: Change, columns: Mapping[str, Column]) -> Mapping[str, Any]:
    differences = list(_differences(change, columns))
    return {
        "at": change.at,
        "by": change.by,
        "datasource": clipped(change.datasource or "", 200),
        "is_deletion": change.after is None,
        "differences": differences[:_MOST_CHANGED],
        "left": max(0, len(differences) - _MOST_CHANGED),
    }


def _differences(change: Change, columns: Mapping[str, Column]) -> Iterator[tuple[str, Shown, Shown]]:
    """What was and what is, for each value that differs."""
    after = change.after or {}
    for key, title in _OWN.items():
        old, new = change.before.get(key) or None, after.get(key) or None
        if old != new:
            yield title, show(old, columns["$title"]), show(new, columns["$title"])
    for section, prefix in _SECTIONS.items():
        old_values, new_values = change.before.get(section, {}), after.get(section, {})
        for key in dict.fromkeys([*old_values, *new_values]):
            old, new = old_values.get(key), new_values.get(key)
            if old != new:
                column = columns.get(("relation." if prefix else "") + key) or Column(key, key, key, Origin.PROPERTY)
                yield f"{prefix}{column.title}", _brief(old, column), _brief(new, column)


def _brief(value: Any, column: Column) -> Shown:
    """Objects as their JSON: how many keys they have says nothing about a change."""
    return Shown("json", pretty(value, 2000)) if isinstance(value, dict) else show(value, column)

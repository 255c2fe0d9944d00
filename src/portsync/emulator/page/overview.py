"""The first view: blueprints, how they relate, how many entities they have, and what happened last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.emulator.blueprints import SYSTEM_BLUEPRINTS
from portsync.emulator.page.graph import NODE_HEIGHT, NODE_WIDTH, Arc, draw
from portsync.emulator.page.runs import summary
from portsync.emulator.page.shell import Item, blueprint_items, in_order, page_title
from portsync.emulator.page.texts import ago, clipped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from starlette.requests import Request

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.history import Change
    from portsync.emulator.workspace import Workspace

_RUNS = 5
_CHANGES = 8
_LISTED = 500


@dataclass(frozen=True, slots=True)
class Row:
    """A blueprint in the list below the drawing."""

    item: Item
    identifier: str
    description: str
    properties: int
    relations: int
    updated: str


class OverviewView:
    """`/`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def show(self, _request: Request) -> Mapping[str, Any]:
        now = self._workspace.moment()
        with self._workspace.snapshot() as session:
            blueprints = in_order(session.blueprints.all())
            counts, updates = session.entities.counts(), session.entities.last_updates()
            runs = session.runs.newest(_RUNS)
            changes = session.history.newest(_CHANGES)
            pages = session.pages.all()
        shown = [each for each in blueprints if _is_worth_showing(each, blueprints, counts)]
        items = blueprint_items(blueprints, counts)
        drawn = {each.identifier: items[each.identifier] for each in shown}
        written = [at for name, at in updates.items() if name not in SYSTEM_BLUEPRINTS]
        return {
            "title": "Overview",
            "drawing": draw(drawn, _arcs(shown)),
            "node_width": NODE_WIDTH,
            "node_height": NODE_HEIGHT,
            "rows": [_row(each, items[each.identifier], updates, now) for each in shown[:_LISTED]],
            "entities": sum(counts.get(each.identifier, 0) for each in shown),
            "blueprints": len(shown),
            "last_write": ago(max(written, default=None), now),
            "runs": [summary(run, now) for run in runs],
            "changes": [_change(each, now) for each in changes],
            "dashboards": [
                {"title": page_title(page), "identifier": page["identifier"], "about": _about(page)}
                for page in pages
                if page.get("type") == "dashboard"
            ],
        }


def _is_worth_showing(blueprint: Blueprint, others: Sequence[Blueprint], counts: Mapping[str, int]) -> bool:
    """Users and teams are in every organisation: shown where somebody put one in or relates to them."""
    if blueprint.identifier not in SYSTEM_BLUEPRINTS or counts.get(blueprint.identifier):
        return True
    return any(relation.target == blueprint.identifier for each in others for relation in each.relations.values())


def _arcs(blueprints: Sequence[Blueprint]) -> list[Arc]:
    return [
        Arc(each.identifier, relation.target, clipped(name, 18), relation.many)
        for each in blueprints
        for name, relation in each.relations.items()
    ]


def _row(blueprint: Blueprint, item: Item, updates: Mapping[str, str], now: datetime) -> Row:
    return Row(
        item,
        blueprint.identifier,
        clipped(str(blueprint.body.get("description") or ""), 160),
        len(blueprint.properties),
        len(blueprint.relations),
        ago(updates.get(blueprint.identifier), now),
    )


def _change(change: Change, now: datetime) -> Mapping[str, str]:
    title = (change.after or change.before).get("title") or change.identifier
    return {
        "blueprint": change.blueprint,
        "identifier": change.identifier,
        "title": clipped(str(title), 80),
        "what": "deleted" if change.after is None else "changed",
        "at": ago(change.at, now),
    }


def _about(page: Mapping[str, Any]) -> str:
    return clipped(str(page.get("description") or ""), 160)

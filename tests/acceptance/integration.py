"""A small integration of Port's Ocean framework, as the files that `ocean sail` wants to find in its folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

MAIN = """
import json
from pathlib import Path

from port_ocean.context.ocean import ocean


@ocean.on_resync()
async def on_resync(kind):
    return json.loads(Path("records.json").read_text())[kind]
"""
PROJECT = """
[tool.poetry]
name = "things"
version = "0.1.0"
description = "Things"
authors = ["Ada <ada@acme.example>"]
"""
SPEC = """
title: Things
description: Things
icon: Box
features:
  - type: exporter
    section: Things
    resources:
      - kind: group
      - kind: thing
configurations: []
"""
MAPPING = """
deleteDependentEntities: true
createMissingRelatedEntities: true
enableMergeEntity: true
resources:
  - kind: group
    selector: {query: "true"}
    port:
      entity:
        mappings:
          identifier: .id
          title: .name
          blueprint: '"oceanGroup"'
          properties: {note: .note}
  - kind: thing
    selector: {query: "true"}
    port:
      entity:
        mappings:
          identifier: .id
          title: .name
          blueprint: '"oceanThing"'
          properties: {size: .size, made: .made}
          relations: {group: .group}
"""
_GROUP: dict[str, Any] = {
    "identifier": "oceanGroup",
    "title": "Group",
    "icon": "Box",
    "schema": {"properties": {"note": {"type": "string"}}, "required": []},
    "mirrorProperties": {},
    "calculationProperties": {},
    "relations": {},
}
_THING: dict[str, Any] = {
    **_GROUP,
    "identifier": "oceanThing",
    "title": "Thing",
    "schema": {
        "properties": {"size": {"type": "number"}, "made": {"type": "string", "format": "date-time"}},
        "required": ["size"],
    },
    "calculationProperties": {"double": {"title": "Double", "type": "number", "calculation": ".properties.size * 2"}},
    "relations": {"group": {"title": "Group", "target": "oceanGroup", "required": False, "many": False}},
}
_WIDGET = {
    "id": "count",
    "type": "entities-number-chart",
    "title": "Things",
    "unit": "none",
    "calculationBy": "entities",
    "func": "count",
    "blueprint": "oceanThing",
    "dataset": [{"combinator": "and", "rules": []}],
}
PAGE = {
    "identifier": "things_dashboard",
    "title": "Things",
    "icon": "Box",
    "type": "dashboard",
    "widgets": [
        {
            "id": "dashboard",
            "type": "dashboard-widget",
            "layout": [{"height": 400, "columns": [{"id": "count", "size": 12}]}],
            "widgets": [_WIDGET],
        }
    ],
}
Records = dict[str, list[dict[str, Any]]]


def sample_records() -> Records:
    """Twelve groups and 25 things. Ocean compares with Port what comes in batches of more than ten, and sends smaller
    ones always."""
    groups = [{"id": f"g{number}", "name": f"Group {number}", "note": "as ever"} for number in range(12)]
    things = [
        {"id": f"t{number}", "name": f"Thing {number}", "size": number, "made": "2026-01-02T03:04:05Z", "group": "g1"}
        for number in range(25)
    ]
    return {"group": groups, "thing": things}


def write_integration(folder: Path) -> None:
    """Write the integration's files into this folder."""
    resources = folder / ".port" / "resources"
    resources.mkdir(parents=True)
    (folder / "main.py").write_text(MAIN)
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / ".port" / "spec.yaml").write_text(SPEC)
    # The blueprint that relates to the other comes first, as Ocean makes them in stages.
    (resources / "blueprints.json").write_text(json.dumps([_THING, _GROUP]))
    (resources / "pages.json").write_text(json.dumps([PAGE]))
    (resources / "port-app-config.yml").write_text(MAPPING)


def write_records(folder: Path, records: Records) -> None:
    """Write what the next resync finds in the source."""
    (folder / "records.json").write_text(json.dumps(records))

"""The shipped dashboard against the shipped blueprints, and against the guide that explains it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from portsync.blueprints import read_blueprints
from portsync.shipped import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = shipped_folder()
PAGE: dict[str, Any] = json.loads((ROOT / "dashboards" / "claude.json").read_text(encoding="utf-8"))
WIDGETS: list[dict[str, Any]] = PAGE["widgets"][0]["widgets"]
BLUEPRINTS = {b["identifier"]: b for b in read_blueprints(ROOT / "blueprints" / "claude")}


def parts(widget: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each property that a widget shows, with its blueprint."""
    for one in widget.get("lines", [widget]):
        for name in (one.get("property"), one.get("measureTimeBy"), *one.get("properties", [])):
            if name is not None:
                yield one["blueprint"], re.sub(r"^(properties\.|property#)", "", name)
    for blueprint, config in widget.get("blueprintConfig", {}).items():
        shown = config["propertiesSettings"]["shown"]
        assert config["propertiesSettings"]["order"] == shown
        for name in (*shown, *(sort["property"] for sort in config["sortSettings"]["sortBy"])):
            if not name.startswith("$"):
                yield blueprint, name


def rules(widget: dict[str, Any]) -> list[dict[str, Any]]:
    dataset: Any = widget.get("dataset", [])
    found: list[dict[str, Any]] = dataset["rules"] if isinstance(dataset, dict) else dataset
    return found


@pytest.mark.parametrize("widget", WIDGETS, ids=[widget["id"] for widget in WIDGETS])
def test_a_widget_shows_what_its_blueprint_has(widget: dict[str, Any]) -> None:
    shown = list(parts(widget))

    assert shown
    for blueprint, name in shown:
        body = BLUEPRINTS[blueprint]
        assert name in {**body["schema"]["properties"], **body["calculationProperties"]}, f"{blueprint}.{name}"
    blueprints = {blueprint for blueprint, _ in shown}
    assert {rule["value"] for rule in rules(widget) if rule["property"] == "$blueprint"} <= blueprints


def test_the_guide_has_a_row_for_each_widget_in_their_order() -> None:
    text = (ROOT / "docs" / "guides" / "claude.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| ([^|]+) \|", text.split("## The widgets")[1].split("\n## ")[0])

    assert rows[1:] == [widget["title"] for widget in WIDGETS]

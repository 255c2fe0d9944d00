"""The shipped dashboards against the shipped blueprints, and against the guide that explains them."""

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
NAMES = ("claude", "claude-admin", "claude-analytics")
PAGES: dict[str, dict[str, Any]] = {
    name: json.loads((ROOT / "dashboards" / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES
}
GUIDE = (ROOT / "docs" / "guides" / "claude.md").read_text(encoding="utf-8")
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


def widgets(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = PAGES[name]["widgets"][0]["widgets"]
    return found


def test_no_shipped_dashboard_goes_untested() -> None:
    assert {path.stem for path in (ROOT / "dashboards").glob("*.json")} == set(NAMES)
    assert len({page["identifier"] for page in PAGES.values()}) == len(NAMES), "all of them fit into one Port"


@pytest.mark.parametrize(
    "widget",
    [widget for name in NAMES for widget in widgets(name)],
    ids=[f"{name}-{widget['id']}" for name in NAMES for widget in widgets(name)],
)
def test_a_widget_shows_what_its_blueprint_has(widget: dict[str, Any]) -> None:
    shown = list(parts(widget))

    assert shown
    for blueprint, name in shown:
        body = BLUEPRINTS[blueprint]
        assert name in {**body["schema"]["properties"], **body["calculationProperties"]}, f"{blueprint}.{name}"
    blueprints = {blueprint for blueprint, _ in shown}
    assert {rule["value"] for rule in rules(widget) if rule["property"] == "$blueprint"} <= blueprints


@pytest.mark.parametrize("name", NAMES)
def test_the_layout_has_a_place_for_each_widget_in_their_order(name: str) -> None:
    (dashboard,) = PAGES[name]["widgets"]
    rows = [row["columns"] for row in dashboard["layout"]]

    assert [column["id"] for row in rows for column in row] == [widget["id"] for widget in widgets(name)]
    assert {sum(column["size"] for column in row) for row in rows} == {12}


@pytest.mark.parametrize("name", NAMES)
def test_the_guide_has_a_row_for_each_widget_in_their_order(name: str) -> None:
    section = GUIDE.split(f"### `dashboards/{name}.json`")[1].split("\n## ")[0].split("\n### ")[0]
    rows = re.findall(r"(?m)^\| ([^|]+) \|", section)

    assert rows[1:] == [widget["title"] for widget in widgets(name)]


@pytest.mark.parametrize("name", NAMES[1:])
def test_the_admin_api_s_dashboards_show_no_success(name: str) -> None:
    """The API does not say it, so that there is nothing to show."""
    shown = {part for widget in widgets(name) for _, part in parts(widget)}

    assert shown.isdisjoint({"successful_requests", "failed_requests", "success_rate"})
    assert ("total_requests" in shown) is (name == "claude-analytics")

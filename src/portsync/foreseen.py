"""What Port would refuse of blueprints and pages, found before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.errors import Problem
from portsync.line_charts import without_legacy_form

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from portsync.catalog_files import Described
    from portsync.line_charts import LineCharts


def forbidden_changes(wanted: Described, existing: Mapping[str, Any]) -> Iterator[Problem]:
    """The properties whose type or format would change, to which Port answers `forbidden_format_change`. What the file
    does not name stays as Port has it."""
    before = _properties(existing)
    for name, schema in _properties(wanted.value).items():
        known = before.get(name)
        if not isinstance(known, dict) or not isinstance(schema, dict):
            continue
        if any(key in schema and schema[key] != known.get(key) for key in ("type", "format")):
            yield Problem(
                "forbidden-change",
                f"the property `{name}` of the blueprint `{wanted.identifier}` is {_kind(known)} in Port, and "
                f"{_kind(schema)} in the file; Port does not change the type or format of a property",
                wanted.place,
                "give the property another name, or delete it in Port first, with all its values",
            )


def targets_of(blueprint: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The blueprints that a blueprint leads to, each with what leads there, in words."""
    for section, word in (("relations", "relation"), ("aggregationProperties", "aggregation")):
        members = blueprint.get(section)
        for name, member in members.items() if isinstance(members, dict) else ():
            if isinstance(member, dict) and isinstance(member.get("target"), str):
                yield member["target"], f"{word} `{name}`"


def missing_targets(blueprints: Sequence[Described], known: AbstractSet[str]) -> Iterator[Problem]:
    """The relations that lead to blueprints which are not among the `known` ones."""
    for blueprint in blueprints:
        for target, by in targets_of(blueprint.value):
            if target not in known:
                yield Problem(
                    "missing-target",
                    f"the {by} of the blueprint `{blueprint.identifier}` leads to the blueprint `{target}`, which is "
                    "neither in Port nor in the files",
                    blueprint.place,
                    f"name a file with the blueprint `{target}` too, or correct the name",
                )


def page_problems(page: Described, existing: Mapping[str, Any] | None, line_charts: LineCharts) -> Iterator[Problem]:
    """Why a page cannot become what its file says."""
    if line_charts == "legacy":
        for name in without_legacy_form(page.value):
            message = f"the line chart `{name}` of the page `{page.identifier}` cannot be said in the legacy form"
            hint = "that form has one line, and no base lines; use `--line-charts multi`"
            yield Problem("line-chart", message, page.place, hint)
    if existing is None:
        return
    before, after = existing.get("type"), page.value.get("type")
    if before is not None and after is not None and before != after:
        message = f"the page `{page.identifier}` is of type {before} in Port, and {after} in the file"
        yield Problem("page-type", message, page.place, "give the page another identifier, or delete it in Port first")


def _properties(blueprint: Mapping[str, Any]) -> dict[str, Any]:
    schema = blueprint.get("schema")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return properties if isinstance(properties, dict) else {}


def _kind(schema: Mapping[str, Any]) -> str:
    return f"{schema.get('type')} ({schema['format']})" if schema.get("format") else str(schema.get("type"))

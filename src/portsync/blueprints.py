"""Blueprint files: `*.json` in a folder, one blueprint or a list of them in each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from portsync.errors import BlueprintError, Problem

if TYPE_CHECKING:
    from pathlib import Path

Blueprint = dict[str, Any]


def read_blueprints(folder: Path) -> list[Blueprint]:
    """The blueprints below `folder`, in the order of file names. Raises BlueprintError with all that is wrong."""
    if not folder.is_dir():
        raise BlueprintError(
            Problem(
                "no-blueprints",
                f"`{folder}` is not a folder",
                place=str(folder),
                hint="name a folder of *.json",
            )
        )
    problems: list[Problem] = []
    blueprints: dict[str, Blueprint] = {}
    for path in sorted(folder.rglob("*.json")):
        for blueprint in _read(path, problems):
            if (problem := _fault(blueprint, path)) is not None:
                problems.append(problem)
            elif blueprint["identifier"] in blueprints:
                message = f"the blueprint `{blueprint['identifier']}` is in two files"
                problems.append(Problem("bad-blueprint", message, place=str(path), hint="remove one"))
            else:
                blueprints[blueprint["identifier"]] = blueprint
    if not blueprints and not problems:
        problems.append(Problem("no-blueprints", f"no *.json below `{folder}`", place=str(folder)))
    if problems:
        raise BlueprintError(*problems)
    return list(blueprints.values())


def _read(path: Path, problems: list[Problem]) -> list[Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        problems.append(Problem("bad-blueprint", f"is not JSON: {error.msg}", place=place))
        return []
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem("bad-blueprint", f"cannot be read: {error}", place=str(path)))
        return []
    return value if isinstance(value, list) else [value]


def _fault(blueprint: Any, path: Path) -> Problem | None:
    """What keeps a value from being a blueprint, as far as it can be told without Port."""
    hint = "compare it with Port's documentation on blueprints"
    if not isinstance(blueprint, dict):
        return Problem("bad-blueprint", "a blueprint is a JSON object", place=str(path), hint=hint)
    missing = [key for key in ("identifier", "title", "schema") if key not in blueprint]
    if missing:
        return Problem("bad-blueprint", f"the key `{missing[0]}` is missing", place=str(path), hint=hint)
    properties = blueprint["schema"].get("properties") if isinstance(blueprint["schema"], dict) else None
    if not isinstance(properties, dict):
        return Problem("bad-blueprint", "`schema.properties` is missing", place=str(path), hint=hint)
    return None


def beside(mapping: Path) -> Path | None:
    """The folder of blueprints that belongs to a mapping file: `blueprints/<name>` beside it or one folder up."""
    for parent in (mapping.resolve().parent, mapping.resolve().parent.parent):
        folder = parent / "blueprints" / mapping.stem
        if folder.is_dir():
            return folder
    return None

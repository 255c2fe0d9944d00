"""Blueprint files: `*.json` in a folder, one blueprint or a list of them in each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from portsync.errors import BlueprintError, Problem

if TYPE_CHECKING:
    from pathlib import Path

Blueprint = dict[str, Any]


def read_blueprints(folder: Path) -> list[Blueprint]:
    """The blueprints below `folder`, in the order of file names; pages between them are passed over. Raises
    BlueprintError with all that is wrong."""
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
        for blueprint in read_values(path, problems):
            if is_page(blueprint):
                continue
            if (problem := fault_of_blueprint(blueprint, path)) is not None:
                problems.append(problem)
            elif blueprint["identifier"] in blueprints:
                message = f"the blueprint `{blueprint['identifier']}` is in two files"
                problems.append(Problem("bad-blueprint", message, place=str(path), hint="remove one"))
            else:
                blueprints[blueprint["identifier"]] = blueprint
    if not blueprints and not problems:
        problems.append(no_blueprints(folder))
    if problems:
        raise BlueprintError(*problems)
    return list(blueprints.values())


def no_blueprints(folder: Path) -> Problem:
    """The problem of a folder in which there is nothing."""
    return Problem("no-blueprints", f"no *.json below `{folder}`", place=str(folder))


def is_page(value: Any) -> bool:
    """Whether a value of a file is a page: it has `widgets`, and no `schema`, which every blueprint has."""
    return isinstance(value, dict) and "widgets" in value and "schema" not in value


def read_values(path: Path, problems: list[Problem]) -> list[Any]:
    """The values of a file: what it holds, or, of a list, each element. What is wrong with it goes to `problems`."""
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


def fault_of_blueprint(blueprint: Any, path: Path) -> Problem | None:
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
    """The folder of blueprints that belongs to a mapping file: `blueprints/<name>` beside it or one folder up,
    `blueprints` beside it where that holds some, and for a name such as `claude-admin` those of `claude`."""
    own, above = mapping.resolve().parent, mapping.resolve().parent.parent
    family = mapping.stem.partition("-")[0]
    places = [
        *(parent / "blueprints" / mapping.stem for parent in (own, above)),
        *([own / "blueprints"] if any((own / "blueprints").glob("*.json")) else []),
        *(parent / "blueprints" / family for parent in (own, above) if family),
    ]
    return next((folder for folder in places if folder.is_dir()), None)

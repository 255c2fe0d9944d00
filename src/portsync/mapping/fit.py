"""Whether a mapping fits the blueprints that it names: what Port would refuse, said before anything is sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from portsync.errors import Problem
from portsync.jq.compile import normalised
from portsync.mapping.explain import did_you_mean, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portsync.mapping.loader import LoadedMapping
    from portsync.mapping.models import EntityMapping

Path = tuple[str | int, ...]


def fit_problems(mapping: LoadedMapping, blueprints: Sequence[dict[str, Any]]) -> list[Problem]:
    """Properties and relations that a blueprint does not have, and required ones that are not mapped."""
    known = {blueprint["identifier"]: blueprint for blueprint in blueprints}
    problems: list[Problem] = []
    for index, resource in enumerate(mapping.file.resources):
        for number, entity in enumerate(resource.port.entity.mappings):
            path: Path = ("resources", index, "port", "entity", "mappings", number)
            name = constant(entity.blueprint)
            if name is None:
                continue
            if name not in known:
                hint = did_you_mean(name, list(known)) or f"the folder has {', '.join(known)}"
                problems.append(_problem(mapping, (*path, "blueprint"), f"there is no blueprint `{name}`", hint))
                continue
            problems += _entity_problems(mapping, path, entity, known[name])
    return problems


def constant(expression: str) -> str | None:
    """The text that an expression is, `'"service"'`, or None where it has to be evaluated."""
    try:
        value = json.loads(normalised(expression))
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def _entity_problems(
    mapping: LoadedMapping, path: Path, entity: EntityMapping, blueprint: dict[str, Any]
) -> Iterator[Problem]:
    name = blueprint["identifier"]
    properties = list(blueprint["schema"]["properties"])
    relations = blueprint.get("relations") or {}
    for section, mapped, there in (
        ("properties", entity.properties, properties),
        ("relations", entity.relations, list(relations)),
    ):
        word = "property" if section == "properties" else "relation"
        for key in mapped:
            if key not in there:
                message = f"the blueprint `{name}` has no {word} `{key}`"
                hint = did_you_mean(key, there) or f"it has {', '.join(there) or 'none'}"
                yield _problem(mapping, (*path, section, key), message, hint, key=True)
    required = blueprint["schema"].get("required") or []
    needed = [relation for relation, definition in relations.items() if definition.get("required")]
    for key in (
        *(k for k in required if k not in entity.properties),
        *(k for k in needed if k not in entity.relations),
    ):
        message = f"the blueprint `{name}` requires `{key}`, which is not mapped"
        yield _problem(mapping, path, message, f"map `{key}`, or Port refuses every entity")


def _problem(mapping: LoadedMapping, path: Path, message: str, hint: str, *, key: bool = False) -> Problem:
    place = mapping.document.place(path, key=key)
    return Problem(
        "blueprint-fit",
        f"{dotted(path)}: {message}",
        str(place),
        hint,
        excerpt=mapping.document.excerpt(place),
    )

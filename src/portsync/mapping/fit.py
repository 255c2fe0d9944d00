"""Whether a mapping fits the blueprints that it names: what Port would refuse, said before anything is sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from portsync.errors import Problem
from portsync.jq.results import NOTHING, constant_value, result_type
from portsync.mapping.explain import did_you_mean, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portsync.jq.program import Template
    from portsync.mapping.loader import LoadedMapping
    from portsync.mapping.models import EntityMapping

Path = tuple[str | int, ...]
Blueprint = dict[str, Any]
_COMPUTED = ("calculationProperties", "mirrorProperties", "aggregationProperties")
"""The sections of a blueprint whose properties Port fills itself."""
_MOST_SHOWN = 20


def fit_problems(mapping: LoadedMapping, blueprints: Sequence[Blueprint]) -> list[Problem]:
    """Properties and relations that a blueprint does not have, required ones that are not mapped, and values that it
    does not take."""
    known = {blueprint["identifier"]: blueprint for blueprint in blueprints}
    problems: list[Problem] = []
    for index, resource in enumerate(mapping.file.resources):
        for number, entity in enumerate(resource.port.entity.mappings):
            path: Path = ("resources", index, "port", "entity", "mappings", number)
            name = constant(entity.blueprint)
            if name is None:
                continue
            if name not in known:
                hint = did_you_mean(name, list(known)) or f"the folder has {_listed(list(known))}"
                problems.append(_problem(mapping, (*path, "blueprint"), f"there is no blueprint `{name}`", hint))
                continue
            problems += _entity_problems(mapping, path, entity, known[name])
    return problems


def constant(expression: str) -> str | None:
    """The text that an expression is, `'"service"'`, or None where it has to be evaluated."""
    value = constant_value(expression)
    return value if isinstance(value, str) else None


def _entity_problems(
    mapping: LoadedMapping, path: Path, entity: EntityMapping, blueprint: Blueprint
) -> Iterator[Problem]:
    name = blueprint["identifier"]
    properties: dict[str, Any] = blueprint["schema"]["properties"]
    relations: dict[str, Any] = blueprint.get("relations") or {}
    for key, expression in entity.properties.items():
        at = (*path, "properties", key)
        if key not in properties:
            yield _problem(mapping, at, *_unknown_property(key, blueprint, properties, relations), key=True)
        elif (found := _wrong_value(expression, properties[key])) is not None:
            yield _problem(mapping, at, *found)
    for key, template in entity.relations.items():
        at = (*path, "relations", key)
        if key not in relations:
            yield _problem(mapping, at, *_unknown_relation(key, name, properties, relations), key=True)
        elif (found := _wrong_target(template, relations[key])) is not None:
            yield _problem(mapping, at, *found)
    yield from _required_problems(mapping, path, entity, blueprint, relations)


def _required_problems(
    mapping: LoadedMapping, path: Path, entity: EntityMapping, blueprint: Blueprint, relations: dict[str, Any]
) -> Iterator[Problem]:
    """What the blueprint requires, and the mapping leaves out or makes null."""
    name = blueprint["identifier"]
    required = blueprint["schema"].get("required") or []
    needed = [relation for relation, definition in relations.items() if definition.get("required")]
    for word, section, keys in (("property", "properties", required), ("relation", "relations", needed)):
        mapped = getattr(entity, section)
        for key in keys:
            if key in mapped and mapped[key] == "null":
                message = f"the blueprint `{name}` requires the {word} `{key}`, and this is null"
                yield _problem(mapping, (*path, section, key), message, "map a value, or Port refuses every entity")
            elif key not in mapped:
                message = f"the blueprint `{name}` requires the {word} `{key}`, which is not mapped"
                yield _problem(mapping, path, message, f"map `{key}`, or Port refuses every entity")


def _unknown_property(
    key: str, blueprint: Blueprint, properties: dict[str, Any], relations: dict[str, Any]
) -> tuple[str, str]:
    name = blueprint["identifier"]
    if key in relations:
        return f"`{key}` is a relation of the blueprint `{name}`, not a property", "move it into `relations`"
    for section in _COMPUTED:
        if key in (blueprint.get(section) or {}):
            return f"Port fills the property `{key}` of the blueprint `{name}` itself", "remove it"
    message = f"the blueprint `{name}` has no property `{key}`"
    return message, did_you_mean(key, list(properties)) or f"it has {_listed(list(properties))}"


def _unknown_relation(key: str, name: str, properties: dict[str, Any], relations: dict[str, Any]) -> tuple[str, str]:
    if key in properties:
        return f"`{key}` is a property of the blueprint `{name}`, not a relation", "move it into `properties`"
    message = f"the blueprint `{name}` has no relation `{key}`"
    return message, did_you_mean(key, list(relations)) or f"it has {_listed(list(relations))}"


def _wrong_value(expression: str, schema: dict[str, Any]) -> tuple[str, str] | None:
    """Message and hint where the expression can give nothing that the property takes."""
    wanted, given = schema.get("type"), result_type(expression)
    if given in (None, "null") or not isinstance(wanted, str):
        return None
    value = constant_value(expression)
    if given != wanted:
        text = json.dumps(value, ensure_ascii=False) if value is not NOTHING else ""
        shown = f"is the {given} {text}" if text else f"gives {_a(given)}"
        return f"the property is {_a(wanted)}, and this {shown}", _converted(wanted, given, schema.get("format"))
    choices = schema.get("enum")
    if value is not NOTHING and isinstance(choices, list) and value not in choices:
        texts = [str(choice) for choice in choices]
        hint = did_you_mean(str(value), texts) or f"it takes {_listed(texts)}"
        return f"the property does not take `{value}`", hint
    return None


def _converted(wanted: str, given: str, form: Any) -> str:
    match wanted, given:
        case "string", "number" if form == "date-time":
            return "put `| todate` behind it"
        case "string", "number" | "boolean":
            return "put `| tostring` behind it"
        case "number", "string":
            return "write a number, or put `| tonumber` behind it"
        case "boolean", "string":
            return "write true or false, or compare with `==`"
        case "array", _:
            return "put it between [ and ]"
        case _:
            return f"make it give {_a(wanted)}, or change the blueprint"


def _wrong_target(template: Template, definition: dict[str, Any]) -> tuple[str, str] | None:
    """Message and hint where a relation can lead nowhere."""
    if not isinstance(template, str):
        return None
    given = result_type(template)
    if given == "array" and not definition.get("many"):
        return "the relation leads to one entity, and this gives an array", "give one identifier, such as `| first`"
    if given in ("number", "boolean"):
        return (
            f"a relation takes identifiers, which are texts, and this gives {_a(given)}",
            "put `| tostring` behind it",
        )
    return None


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'ao' else 'a'} {kind}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return (", ".join(names[:_MOST_SHOWN]) or "none") + more


def _problem(mapping: LoadedMapping, path: Path, message: str, hint: str, *, key: bool = False) -> Problem:
    place = mapping.document.place(path, key=key)
    return Problem(
        "blueprint-fit",
        f"{dotted(mapping.document.existing(path))}: {message}",
        str(place),
        hint,
        excerpt=mapping.document.excerpt(place),
    )

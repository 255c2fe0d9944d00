"""The JSON Schema of the mapping file: for editors, and for finding out which key belongs where."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import AliasChoices

from portsync.auth.login import LoginAuth, LoginRequest, LoginTemplate
from portsync.mapping.described import DescribedSchema
from portsync.mapping.models import MappingFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Schema = dict[str, Any]
_DEEPEST = 7
"""Sections do not nest further; a lookup's or a parameter's are as deep as any."""


def mapping_schema() -> Schema:
    """The JSON Schema of the mapping file."""
    schema = MappingFile.model_json_schema(by_alias=True, schema_generator=DescribedSchema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "portsync mapping file",
    }


@cache
def bare_schema() -> Schema:
    """The same without descriptions, which nobody needs to find the nearest key. It is made once: not to be changed."""
    return MappingFile.model_json_schema(by_alias=True)


def editor_schema() -> Schema:
    """The JSON Schema for editors: with the short forms and second spellings that the loader also takes."""
    schema = mapping_schema()
    definitions = schema["$defs"]
    mappings = definitions["EntitySection"]["properties"]["mappings"]
    short_forms = {
        "mappings": (definitions["EntitySection"], {"$ref": "#/$defs/EntityMapping"}, mappings),
        "timeout": (definitions["Source"], {"type": "number"}, definitions["Source"]["properties"]["timeout"]),
    }
    for name, (section, short, long) in short_forms.items():
        described = {key: long.pop(key) for key in ("description", "title", "default") if key in long}
        section["properties"][name] = {**described, "anyOf": [short, long]}
    for model in (MappingFile, LoginAuth, LoginRequest, LoginTemplate):
        section = definitions.get(model.__name__, schema)
        for field in model.model_fields.values():
            if isinstance(field.validation_alias, AliasChoices):
                first, *others = map(str, field.validation_alias.choices)
                section["properties"] |= dict.fromkeys(others, section["properties"][first])
                section["required"] = [name for name in section.get("required", ()) if name != first]
    return schema


def schema_at(schema: Schema, path: Sequence[str | int]) -> Schema:
    """The part of the schema that speaks of `path`, references followed; empty where nothing does."""
    here = schema
    for part in path:
        here = _resolved(schema, here)
        if "oneOf" in here and (target := here.get("discriminator", {}).get("mapping", {}).get(part)):
            here = {"$ref": target}
        elif isinstance(part, int):
            here = here.get("items", {})
        else:
            other = here.get("additionalProperties", {})
            here = here.get("properties", {}).get(part, other if isinstance(other, dict) else {})
    return _resolved(schema, here)


def known_keys(schema: Schema, path: Sequence[str | int]) -> list[str]:
    """The keys that the schema allows at `path`."""
    return list(schema_at(schema, path).get("properties", {}))


def homes_of(schema: Schema, key: str) -> list[str]:
    """The sections that have `key`, as users read them: `resources[].selector`; the shallow ones first."""
    found = [(where, section) for where, section in _sections(schema, schema, "", 0) if key in section["properties"]]
    return [where for where, _ in sorted(found, key=lambda pair: (pair[0].count("."), pair[0]))]


def _sections(schema: Schema, here: Schema, where: str, depth: int) -> Iterator[tuple[str, Schema]]:
    here = _resolved(schema, here)
    if depth > _DEEPEST:
        return
    if here.get("properties"):
        yield where, here
        for key, below in here["properties"].items():
            yield from _sections(schema, below, f"{where}.{key}".removeprefix("."), depth + 1)
    if isinstance(items := here.get("items"), dict):
        # The list of mappings may be left out where there is one alone, and is not spoken of.
        yield from _sections(schema, items, where if where.endswith("mappings") else f"{where}[]", depth)
    if isinstance(other := here.get("additionalProperties"), dict):
        yield from _sections(schema, other, f"{where}.NAME", depth + 1)


def _resolved(schema: Schema, here: Schema) -> Schema:
    """Follow references, and the non-null arm of optional values."""
    while True:
        if "$ref" in here:
            here = schema["$defs"][here["$ref"].rsplit("/", 1)[-1]]
        elif "anyOf" in here:
            here = next(arm for arm in here["anyOf"] if arm.get("type") != "null")
        else:
            return here

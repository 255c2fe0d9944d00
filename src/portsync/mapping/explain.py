"""Say what pydantic found in the words of the mapping file: place, nearest known key, what to do."""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import AliasChoices

from portsync.auth.login import LoginAuth, LoginRequest, LoginTemplate
from portsync.errors import Problem
from portsync.mapping.described import DescribedSchema
from portsync.mapping.models import MappingFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

    from portsync.mapping.places import Document

_MOST_SHOWN = 12
_LONGEST_NAME = 18


def explained(errors: Sequence[ErrorDetails], document: Document) -> list[Problem]:
    """The problems behind pydantic's errors. A missing key is left out where a misspelt one stands in its place."""
    schema = _bare_schema()
    misspelt = {
        (*error["loc"][:-1], _nearest(str(error["loc"][-1]), _known_keys(schema, error["loc"][:-1])))
        for error in errors
        if error["type"] == "extra_forbidden"
    }
    wanted = (error for error in errors if error["type"] != "missing" or error["loc"] not in misspelt)
    return [_explained(error, document, schema) for error in wanted]


def _explained(error: ErrorDetails, document: Document, schema: dict[str, Any]) -> Problem:
    path = error["loc"]
    context = error.get("ctx", {})
    where = dotted(document.existing(path))
    match error["type"]:
        case "extra_forbidden":
            return _unknown_key(path, document, schema)
        case "missing":
            parent = dotted(document.existing(path[:-1])) or "the file"
            place = document.place(path[:-1])
            return Problem(
                "missing-key",
                f"{parent}: the key `{path[-1]}` is missing",
                place=str(place),
                hint=f"add `{path[-1]}:` here",
                excerpt=document.excerpt(place),
            )
        case "union_tag_invalid" | "literal_error":
            expected = str(context.get("expected_tags") or context.get("expected", ""))
            given = str(context.get("tag", _text_at(document, path)))
            names = re.findall(r"'([^']+)'", expected)
            # What is too long for a name may be a key that was pasted into the wrong line.
            shown = f"`{given}`" if len(given) <= _LONGEST_NAME else "what stands here"
            code, message = "unknown-choice", f"{where}: {shown} is none of {', '.join(names)}"
            hint = did_you_mean(given, names)
            path = (*path, "type") if error["type"] == "union_tag_invalid" else path
        case "union_tag_not_found":
            code, message = "missing-key", f"{where}: the key `type` is missing"
            hint = "say which kind it is with `type:`"
        case "expression":
            code, hint = str(context["code"]), context["hint"]
            column = context["column"]
            message = f"{where} is not usable JQ: {context['message']}" + (f", column {column}" if column else "")
            place = document.of(document.nearest(path), column or 1)
            return Problem(code, message, str(place), hint, excerpt=document.excerpt(place))
        case "too_short":
            code, message, hint = "wrong-type", f"{where}: the list is empty", "give at least one"
        case _:
            code, message = "wrong-type", f"{where}: {_lowered(error['msg'])}"
            hint = context.get("hint")
    place = document.place(path)
    return Problem(code, message, str(place), hint, excerpt=document.excerpt(place))


def _lowered(message: str) -> str:
    """Pydantic's message as a clause of ours."""
    return (message[:1].lower() + message[1:]).removeprefix("input ")


def _unknown_key(path: Sequence[str | int], document: Document, schema: dict[str, Any]) -> Problem:
    name = str(path[-1])
    known = _known_keys(schema, path[:-1])
    parent = dotted(document.existing(path[:-1])) or "the file"
    place = document.place(path, key=True)
    listing = f"keys here: {', '.join(known[:_MOST_SHOWN])}"
    guess = did_you_mean(name, known)
    return Problem(
        "unknown-key",
        f"{parent}: unknown key `{name}`",
        place=str(place),
        hint=f"{guess} {listing}" if guess else listing,
        excerpt=document.excerpt(place),
    )


def did_you_mean(given: str, names: Sequence[str]) -> str | None:
    """`did you mean ...?` where one of `names` is near."""
    near = _nearest(given, names)
    return None if near is None else f"did you mean `{near}`?"


def _nearest(given: str, names: Sequence[str]) -> str | None:
    plain = {name.replace("_", "").lower(): name for name in names}
    near = difflib.get_close_matches(given.replace("_", "").lower(), plain, n=1, cutoff=0.6)
    return plain[near[0]] if near else None


def dotted(path: Sequence[str | int]) -> str:
    """A path as users read it: `resources[0].selector.query`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _known_keys(schema: dict[str, Any], path: Sequence[str | int]) -> list[str]:
    """The keys that the JSON Schema allows at `path`."""
    here = schema
    for part in path:
        here = _resolved(schema, here)
        if "oneOf" in here and (target := here.get("discriminator", {}).get("mapping", {}).get(part)):
            here = {"$ref": target}
        elif isinstance(part, int):
            here = here.get("items", {})
        else:
            here = here.get("properties", {}).get(part, here.get("additionalProperties", {}))
    return list(_resolved(schema, here).get("properties", {}))


def _resolved(schema: dict[str, Any], here: dict[str, Any]) -> dict[str, Any]:
    """Follow references, and the non-null arm of optional values."""
    while True:
        if "$ref" in here:
            here = schema["$defs"][here["$ref"].rsplit("/", 1)[-1]]
        elif "anyOf" in here:
            here = next(arm for arm in here["anyOf"] if arm.get("type") != "null")
        else:
            return here


def _text_at(document: Document, path: Sequence[str | int]) -> str:
    value = document.nearest(path).value
    return value if isinstance(value, str) else "this value"


@cache
def _bare_schema() -> dict[str, Any]:
    """The JSON Schema of the mapping file for its keys alone, which nobody changes. It takes 40 ms to make, and its
    descriptions would take 100 more."""
    return MappingFile.model_json_schema(by_alias=True)


def mapping_schema() -> dict[str, Any]:
    """The JSON Schema of the mapping file."""
    schema = MappingFile.model_json_schema(by_alias=True, schema_generator=DescribedSchema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "portsync mapping file",
    }


def editor_schema() -> dict[str, Any]:
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

"""Texts with `{{ jq }}` spans, as they stand in query parameters, headers, paths and literal bodies."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from portsync.jq.compile import find_fault, normalised
from portsync.jq.expression import compiled

_PATH = re.compile(r"\{\{.*?\}\}|\{(?P<name>[^{}]*)\}|(?:(?!\{\{|\{[^{}]*\}).)+|\{", re.DOTALL)
_SPAN = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


def _checked(value: Any) -> Any:
    match value:
        case str():
            for span in _SPAN.finditer(value):
                if (fault := find_fault(span[1])) is not None:
                    column = None if fault.column is None else span.start(1) + fault.column
                    raise PydanticCustomError(
                        "expression",
                        "{message}",
                        {"message": fault.message, "code": fault.code, "hint": fault.hint, "column": column},
                    )
        case list():
            for item in value:
                _checked(item)
        case dict():
            for item in value.values():
                _checked(item)
        case float() if not math.isfinite(value):
            raise PydanticCustomError("number", "a JSON body has no number `{value}`", {"value": str(value)})
        case _:
            pass
    return value


def _checked_body(body: Any) -> Any:
    return compiled(body) if isinstance(body, str) else _checked(body)


BodyTemplate = Annotated[Any, AfterValidator(_checked_body)]
"""A text, which is one JQ program, or a YAML value whose texts may hold spans; all of it compiles."""

TemplateText = Annotated[str, AfterValidator(_checked)]

ParameterValue = Annotated[
    str | int | float | bool | list[str | int | float | bool],
    AfterValidator(_checked),
    WithJsonSchema({"type": ["string", "number", "boolean", "array"]}),
]
"""A query parameter: a text (with spans), a number, a boolean, or a list, which repeats the parameter."""


def as_program(value: Any, place: str) -> str:
    """The JQ code that builds `value`, its spans evaluated.

    A text that is one whole span keeps the type of what it gives. A span that fails, or gives null or nothing, is
    an error that names `place`.
    """
    match value:
        case str():
            return _text_program(value, place)
        case list():
            return f"[{', '.join(as_program(item, f'{place}[{i}]') for i, item in enumerate(value))}]"
        case dict():
            members = (f"{json.dumps(str(key))}: {as_program(item, f'{place}.{key}')}" for key, item in value.items())
            return f"{{{', '.join(members)}}}"
        case _:
            return json.dumps(value)


def body_program(body: Any, place: str) -> str:
    """The JQ code for a request's body: a text is one program, anything else is literal with spans."""
    if isinstance(body, str):
        return _guarded(body, place, allow_null=True)
    return as_program(body, place)


@dataclass(frozen=True, slots=True)
class PathPart:
    """A piece of a path: text, which may hold spans, or the name of a path parameter."""

    text: str
    is_parameter: bool = False


def path_parts(path: str) -> list[PathPart]:
    """`/orgs/{org}/x` taken apart; `{` within a `{{ jq }}` span is the span's own."""
    parts: list[PathPart] = []
    for found in _PATH.finditer(path):
        if found["name"] is not None:
            parts.append(PathPart(found["name"].strip(), is_parameter=True))
        else:
            parts.append(PathPart(found[0]))
    return parts


def parameters_in(path: str) -> list[str]:
    """The names of the path parameters in `path`, each once."""
    return list(dict.fromkeys(part.text for part in path_parts(path) if part.is_parameter))


def _text_program(text: str, place: str) -> str:
    if (whole := _SPAN.fullmatch(text.strip())) is not None and "}}" not in whole[1]:
        return _guarded(whole[1], place, allow_null=False)
    parts: list[str] = []
    position = 0
    for span in _SPAN.finditer(text):
        parts.append(json.dumps(text[position : span.start()]))
        parts.append(f"({_guarded(span[1], place, allow_null=False)} | tostring)")
        position = span.end()
    parts.append(json.dumps(text[position:]))
    return f"({' + '.join(part for part in parts if part != json.dumps('')) or json.dumps('')})"


def _guarded(code: str, place: str, *, allow_null: bool) -> str:
    where = json.dumps(f"{place}: ")
    null = "." if allow_null else f'if . == null then error({where} + "the expression gave null") else . end'
    return (
        f"((try first(({normalised(code)}\n\n), null) catch "
        f'error({where} + (if type == "string" then . else tojson end))) | {null})'
    )

"""Texts with `{{ jq }}` spans, as they stand in query parameters, headers, paths and literal bodies."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from portsync.jq.compile import normalised
from portsync.jq.expression import Below, compiled, fault_in, not_usable
from portsync.jq.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATH = re.compile(r"\{\{.*?\}\}|\{(?P<name>[^{}]*)\}|(?:(?!\{\{|\{[^{}]*\}).)+|\{", re.DOTALL)
_OPEN = re.compile(r"\{\{(?!.*\}\})", re.DOTALL)
_SPAN = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


def spans_in(value: Any) -> Iterator[tuple[Below, int, str]]:
    """The expressions of the spans in the texts of `value`, each with the way to its text and its offset in that."""
    for below, text in _texts(value):
        for span in _SPAN.finditer(text):
            yield below, span.start(1), span[1]


def _texts(value: Any, below: Below = ()) -> Iterator[tuple[Below, str]]:
    match value:
        case str():
            yield below, value
        case list():
            for index, item in enumerate(value):
                yield from _texts(item, (*below, index))
        case dict():
            for key, item in value.items():
                yield from _texts(item, (*below, str(key)))
        case float() if not math.isfinite(value):
            raise PydanticCustomError("number", "a JSON body has no number `{value}`", {"value": str(value)})
        case _:
            pass


def _checked(value: Any, info: ValidationInfo) -> Any:
    faults: list[tuple[Below, int | None, Fault]] = []
    for below, text in _texts(value):
        if (opened := _OPEN.search(text)) is not None:
            hint = "close it with }}, or write {{ '{{' }} for these two characters"
            faults.append((below, opened.start(), Fault("jq-syntax", "this {{ is never closed", hint)))
    for below, start, span in spans_in(value):
        if (fault := fault_in(span, info)) is not None:
            faults.append((below, None if fault.offset is None else start + fault.offset, fault))
    if faults:
        raise not_usable(faults)
    return value


def _checked_body(body: Any, info: ValidationInfo) -> Any:
    return compiled(body, info) if isinstance(body, str) else _checked(body, info)


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

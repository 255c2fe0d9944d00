"""`{{.path}}` spans, as Ocean's login templates have them: what a login answered goes where they stand.

Ocean evaluates them with JQ. Here they are paths, such as `.data.tokens[0].value` or `.["access-token"]`: nothing that
a server answers is worth running a whole language in this process for.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from portsync.auth.answers import keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.flow import Json

_SPAN = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_STEP = re.compile(
    rf"\.(?P<name>[A-Za-z_]\w*)|\.(?P<text>{_QUOTED})|\.?\[\s*(?:(?P<index>-?\d+)|(?P<key>{_QUOTED}))\s*\]"
)


class MissingError(Exception):
    """This means that an answer does not have what a span names; its text says what, for which place, and what there
    is instead."""


def _checked(value: Any, place: str = "") -> Any:
    """`value`, every text of which has spans that can be evaluated. Raises PydanticCustomError."""
    match value:
        case str():
            for found in _SPAN.finditer(value):
                _check_path(found[1].strip(), f"`{place}`: " if place else "")
            if "{{" in _SPAN.sub("", value):
                raise PydanticCustomError("span", "a `{{` without its `}}`", {"hint": "write {{.access_token}}"})
        case list():
            for index, item in enumerate(value):
                _checked(item, f"{place}[{index}]")
        case dict():
            for key, item in value.items():
                _checked(item, f"{place}.{key}".removeprefix("."))
        case _:
            pass
    return value


def _check_path(path: str, place: str) -> None:
    if not path.startswith("."):
        message, hint = "{place}`{path}` has no leading dot", f"write {{{{.{path}}}}}"
    elif _steps(path) is None:
        message = "{place}`{path}` is no path"
        hint = 'write a path such as .data.tokens[0].value or .["access-token"]; other JQ is not possible here'
    else:
        return
    raise PydanticCustomError("span", message, {"place": place, "path": path, "hint": hint})


TextWithSpans = Annotated[str, AfterValidator(_checked)]
JsonWithSpans = Annotated[Any, AfterValidator(_checked)]


def paths_in(value: Json) -> Iterator[str]:
    """The paths of all spans in `value`."""
    match value:
        case str():
            yield from (found[1].strip() for found in _SPAN.finditer(value))
        case list():
            for item in value:
                yield from paths_in(item)
        case dict():
            for item in value.values():
                yield from paths_in(item)
        case _:
            pass


def filled(value: Json, answer: Json, place: str) -> Json:
    """`value` with what `answer` holds in place of its spans. A text that is one whole span keeps the type of what it
    stands for. Raises MissingError, which names `place`."""
    match value:
        case str():
            if (whole := _SPAN.fullmatch(value)) is not None and "}}" not in whole[1]:
                return found_at(whole[1].strip(), answer, place)
            return filled_text(value, answer, place)
        case list():
            return [filled(item, answer, f"{place}[{index}]") for index, item in enumerate(value)]
        case dict():
            return {key: filled(item, answer, f"{place}.{key}") for key, item in value.items()}
        case _:
            return value


def filled_text(text: str, answer: Json, place: str) -> str:
    """The same for a text that stays one."""

    def written(found: re.Match[str]) -> str:
        path = found[1].strip()
        match found_at(path, answer, place):
            case str() as value:
                return value
            case dict() | list():
                raise MissingError(f"`{path}` as a text or number, which `{place}` needs")
            case value:
                return json.dumps(value)

    return _SPAN.sub(written, text)


def found_at(path: str, answer: Json, place: str) -> Json:
    """What `answer` has at `path`. Raises MissingError where that is nothing, or null."""
    here, read = answer, ""
    for step, written in _steps(path) or ():
        following = _below(here, step)
        if following is None:
            inside = f"in `{read}`, " if read else ""
            raise MissingError(f"`{path}`, which `{place}` needs; {inside}{keys_of(here)}")
        here, read = following, read + written
    if here is None:
        raise MissingError(f"anything, which `{place}` needs")
    return here


def _below(value: Json, step: str | int) -> Json:
    match value, step:
        case dict(), str():
            return value.get(step)
        case list(), int() if -len(value) <= step < len(value):
            return value[step]
        case _:
            return None


def _steps(path: str) -> list[tuple[str | int, str]] | None:
    """The keys and indexes of a path, each with how it is written; None where it is none."""
    steps: list[tuple[str | int, str]] = []
    if path == ".":
        return steps
    position = 0
    while position < len(path):
        found = _STEP.match(path, position)
        if found is None:
            return None
        quoted = found["text"] or found["key"]
        try:
            name = json.loads(quoted) if quoted else found["name"]
        except ValueError:
            return None
        steps.append((int(found["index"]) if found["index"] else name, found[0]))
        position = found.end()
    return steps

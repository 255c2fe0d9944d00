"""An expression as a pydantic type: a text that was compiled when the mapping was loaded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from portsync.jq.compile import find_fault, find_faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.jq.fault import Fault

Below: TypeAlias = tuple[str | int, ...]
"""The way from a value that is validated as a whole to a text in it."""


class Expressions:
    """The expressions of one file. Given to pydantic as its context, it gathers them in a first validation, which finds
    no fault with any; after `compile` a second one knows all faults. Together they cost as much as one by one cost a
    few."""

    def __init__(self) -> None:
        self._gathered: set[str] = set()
        self._faults: dict[str, Fault] = {}

    def compile(self) -> bool:
        """Compile what was gathered. Gives whether all of it is usable."""
        self._faults = find_faults(sorted(self._gathered))
        return not self._faults

    def fault_of(self, text: str) -> Fault | None:
        """What is wrong with `text`, as far as it is known."""
        self._gathered.add(text)
        return self._faults.get(text)


def fault_in(text: str, info: ValidationInfo) -> Fault | None:
    """What is wrong with the expression `text`: as the validation's `Expressions` know, where it has some."""
    return info.context.fault_of(text) if isinstance(info.context, Expressions) else find_fault(text)


def not_usable(faults: Sequence[tuple[Below, int | None, Fault]]) -> PydanticCustomError:
    """What pydantic makes located problems of: each fault, with the way to its text, and the offset in that."""
    first = faults[0][2]
    context = {"faults": tuple(faults), "message": first.message, "hint": first.hint}
    return PydanticCustomError("expression", "{message}", context)


def as_text(value: Any) -> str:
    """The text of an expression. A YAML boolean or number where one is expected is that constant. Raises what pydantic
    makes a located problem of."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) and math.isfinite(value):
        return repr(value)
    if not isinstance(value, str):
        given = {list: "a list", dict: "keys with values", type(None): "nothing"}.get(type(value), "something else")
        hint = "write it as one text, between single quotes"
        if value is None:
            hint = "write an expression, or remove the key; null itself is  'null'"
        raise PydanticCustomError(
            "expression-type",
            "expected a JQ expression, which is a text, and found {given}",
            {"given": given, "hint": hint},
        )
    return value


def compiled(value: Any, info: ValidationInfo) -> str:
    """The text of an expression, or what pydantic makes a located problem of."""
    text = as_text(value)
    if (fault := fault_in(text, info)) is not None:
        raise not_usable([((), fault.offset, fault)])
    return text


Expression = Annotated[
    str,
    BeforeValidator(compiled),
    WithJsonSchema({"type": ["string", "boolean", "number"], "description": "a JQ expression"}),
]
"""The text of a JQ expression that compiles and keeps within the fence."""

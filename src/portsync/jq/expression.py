"""An expression as a pydantic type: a text that was compiled when the mapping was loaded."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from portsync.jq.compile import find_fault


def compiled(text: Any) -> str:
    """Give the text of an expression, or raise what pydantic makes a located problem of.

    A YAML boolean or number where an expression is expected is that constant.
    """
    if isinstance(text, bool):
        return "true" if text else "false"
    if isinstance(text, int | float) and math.isfinite(text):
        return repr(text)
    if not isinstance(text, str):
        hint = (
            "remove the key, or write an expression" if text is None else "write it as one text, between single quotes"
        )
        raise PydanticCustomError("expression-type", "expected a JQ expression, which is a text", {"hint": hint})
    if (fault := find_fault(text)) is not None:
        raise PydanticCustomError(
            "expression",
            "{message}",
            {"message": fault.message, "code": fault.code, "hint": fault.hint, "column": fault.column},
        )
    return text


Expression = Annotated[
    str,
    BeforeValidator(compiled),
    WithJsonSchema({"type": ["string", "boolean", "number"], "description": "a JQ expression"}),
]
"""The text of a JQ expression that compiles and keeps within the fence."""

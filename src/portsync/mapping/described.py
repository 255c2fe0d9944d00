"""What the keys of the mapping file are for: the text below a field is its description in the JSON Schema.

pydantic can do that itself, but reads the source of every model whenever one is imported, which was 60 ms of every
start, for a schema that hardly anybody asks for.
"""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from pydantic import AliasChoices, BaseModel
from pydantic.json_schema import GenerateJsonSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo
    from pydantic_core.core_schema import ModelSchema


class DescribedSchema(GenerateJsonSchema):
    """pydantic's JSON Schema, with a description of each key that has a text below its field."""

    def model_schema(self, schema: ModelSchema) -> dict[str, Any]:
        found = super().model_schema(schema)
        model = schema["cls"]
        for name, text in descriptions(model):
            found["properties"][_key(name, model.model_fields[name])]["description"] = text
        return found


def descriptions(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """The fields of a model that have a text below them, and that text. There are none in a package without sources."""
    for base in reversed(model.__mro__):
        if not issubclass(base, BaseModel) or base is BaseModel:
            continue
        try:
            (definition,) = ast.parse(dedent(inspect.getsource(base))).body
        except OSError:
            return
        assert isinstance(definition, ast.ClassDef)
        for one, next_one in pairwise(definition.body):
            match one, next_one:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str() as text)),
                ) if name in model.model_fields:
                    yield name, inspect.cleandoc(text)


def _key(name: str, field: FieldInfo) -> str:
    """How a field is spelt in the mapping file."""
    match field.validation_alias:
        case str() as alias:
            return alias
        case AliasChoices(choices=[first, *_]):
            return str(first)
        case _:
            return name

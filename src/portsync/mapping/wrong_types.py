"""What pydantic finds wrong with a value, as a clause of ours: what is expected, and what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.mapping.schema import Schema

KEYS, LIST, TEXT, WHOLE, NUMBER, BOOLEAN = (
    "keys with values", "a list", "a text", "a whole number", "a number", "true or false",
)  # fmt: skip
_EXPECTED = {
    "dict_type": KEYS,
    "model_type": KEYS,
    "model_attributes_type": KEYS,
    "mapping_type": KEYS,
    "list_type": LIST,
    "tuple_type": LIST,
    "string_type": TEXT,
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_from_float": WHOLE,
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "finite_number": NUMBER,
    "bool_type": BOOLEAN,
    "bool_parsing": BOOLEAN,
}
"""What is expected, by the type of pydantic's error."""
_BY_SCHEMA = {
    "object": KEYS, "array": LIST, "string": TEXT, "integer": WHOLE, "number": NUMBER, "boolean": BOOLEAN,
}  # fmt: skip
_BOUNDS = {
    "greater_than": ("gt", "more than {}"),
    "greater_than_equal": ("ge", "{} or more"),
    "less_than": ("lt", "less than {}"),
    "less_than_equal": ("le", "{} or less"),
    "too_short": ("min_length", "at least {} in the list"),
    "too_long": ("max_length", "at most {} in the list"),
}
_LENGTHS = {
    "string_too_short": ("min_length", "at least {} character{}"),
    "string_too_long": ("max_length", "at most {} character{}"),
}
LONGEST_NAME = 18


def is_of_type(kind: str) -> bool:
    """Whether an error of this kind says that a value has the wrong type."""
    return kind in _EXPECTED


def wrong_type(kind: str, node: yaml.Node, schema: Schema, keys: list[str]) -> tuple[str, str | None]:
    """Message and hint for a value of the wrong type; `schema` speaks of the value, `keys` are those it may have."""
    types = schema.get("type", ())
    several = [_BY_SCHEMA[name] for name in ([types] if isinstance(types, str) else types) if name in _BY_SCHEMA]
    wanted = several if len(several) > 1 else [_EXPECTED[kind]]
    message = f"expected {_joined(wanted)}, and found {found_at(node)}"
    return message, _hint(wanted[0], node, keys)


def out_of_bounds(kind: str, context: Mapping[str, Any], node: yaml.Node) -> str | None:
    """Message for a value that is too small, too large, too short or too long; None for errors of other kinds."""
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"expected {words.format(_number(context[name]))}, and found {found_at(node)}"
    if kind in _LENGTHS:
        name, words = _LENGTHS[kind]
        number = context[name]
        return f"expected {words.format(number, '' if number == 1 else 's')}"
    return None


def found_at(node: yaml.Node) -> str:
    """What stands there, in words; texts too long for a name may be keys that were pasted into the wrong line."""
    if isinstance(node, yaml.MappingNode):
        return KEYS
    if isinstance(node, yaml.SequenceNode):
        return LIST
    if node.tag.endswith(":null"):
        return "nothing"
    if node.tag.endswith(":bool"):
        return f"`{node.value}`"
    text = str(node.value)
    return f"`{text}`" if text and len(text) <= LONGEST_NAME else "an empty text" if not text else TEXT


def _hint(expected: str, node: yaml.Node, keys: list[str]) -> str | None:
    is_list = isinstance(node, yaml.SequenceNode)
    is_empty = node.tag.endswith(":null")
    if expected == KEYS:
        if is_list and node.value and isinstance(node.value[0], yaml.MappingNode):
            return "take the `-` away: this is one, not a list"
        listing = f"keys here: {', '.join(keys)}" if keys else "names with their values belong below it"
        return f"indent its keys further than itself; {listing}" if is_empty else listing
    if is_empty:
        return "write a value, or remove the key"
    if expected == LIST:
        return "begin each with `- `, or write [one, another]"
    if expected == TEXT:
        if isinstance(node, yaml.MappingNode):
            return "a text that begins with `{` stands between single quotes"
        return "write one of them alone" if is_list else "write it between quotes"
    if expected == BOOLEAN:
        return "write true or false, without quotes"
    return "write it in digits, without quotes or unit" if not is_list else None


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)

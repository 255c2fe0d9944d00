"""Values for requests: such as a schema describes, such as none does, and what is left of one after a mishap.

Drawn from a seeded generator, some thousands a second. Hypothesis draws values as nested as these a hundred times
slower, and a suite that has seconds for it would try next to nothing.
"""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

TEXTS = (
    "", "a", "b", "thing", "w", "/", ".", "..", "../../etc/passwd", "a/b", "a%2Fb", "%", "%00", "\x00", "a\x00b",
    "\ud800", "\udfff", "\u202e", "\u200b", "🙂", "é\u0301", "\r\nx: y", "a b", "\n", "x" * 1001,
    "$title", "$identifier", "$datasource", "2025-01-01T00:00:00Z", "2025-99-99",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "https://[", "a@b.c",
    "[[[", "{a: 1", "? [a]", "!!python/object:os.system",
    "0o8", "1_000", "(", "(?P<a", "a{99999999999}", "[a-",
    "٣", "NaN", "1e999", "9" * 5000, "-1", "true", "null", "{}", "<script>alert(1)</script>", ".properties.size",
    ".a | ", "[" * 3000, "size", "name", "day", "self", "user", "ann@example.com", "javascript:alert(1)",
)  # fmt: skip
_NUMBERS = (
    0, -0.0, 1, -1, 1.0, 0.5, 200.0, 404.0, 2**31, 2**53 + 1, 2**63, 2**64, 10**30, 1e308,
    float("inf"), float("nan"), 255,
)  # fmt: skip
_DEPTHS = (10, 230, 248, 252, 260, 900, 1100)
_DEEP = re.compile(r'"@(list|object)-(\d+)@"')
"""A text that stands for lists or objects within each other, so many levels deep: more than Python itself copies."""
_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")


def text(random: Random) -> str:
    """A text that programs tend to stumble over, or one of any characters."""
    if random.random() < 0.7:
        return random.choice(TEXTS)
    return "".join(
        chr(random.choice((random.randrange(128), random.randrange(0x110000)))) for _ in range(random.randrange(6))
    )


def anything(random: Random, depth: int = 3) -> Any:
    """Any JSON value, and some that JSON does not have."""
    kind = random.randrange(9 if depth else 6)
    match kind:
        case 0:
            return random.choice((None, True, False))
        case 1 | 2:
            return random.choice(_NUMBERS)
        case 3 | 4 | 5:
            return text(random)
        case 6:
            return [anything(random, depth - 1) for _ in range(random.randrange(3))]
        case 7:
            return {text(random): anything(random, depth - 1) for _ in range(random.randrange(3))}
        case _:
            return f"@{random.choice(('list', 'object'))}-{random.choice(_DEPTHS)}@"


def encoded(value: Any) -> bytes:
    """The value as JSON, with what stands in it for deep ones written out."""
    return _DEEP.sub(lambda found: _nested(int(found[2]), found[1]), json.dumps(value)).encode()


def _nested(depth: int, kind: str) -> str:
    return "[" * depth + "]" * depth if kind == "list" else '{"a":' * depth + "1" + "}" * depth


def like(schema: Mapping[str, Any], random: Random) -> Any:
    """A value that a JSON Schema describes, for the most part: conditions and formats are left to chance."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return random.choice(list(schema["enum"]))
    if "anyOf" in schema:
        return like(random.choice(schema["anyOf"]), random)
    if "if" in schema and "type" not in schema:
        return like(random.choice([schema[key] for key in ("then", "else") if key in schema]), random)
    kinds = schema.get("type", "object" if "properties" in schema else random.choice(_TYPES))
    match kinds if isinstance(kinds, str) else random.choice(kinds):
        case "object":
            return _object(schema, random)
        case "array":
            most = min(3, schema.get("maxItems", 3))
            number = random.randint(min(most, schema.get("minItems", 0)), most)
            return [like(schema["items"], random) if "items" in schema else anything(random) for _ in range(number)]
        case "string":
            return text(random)
        case "number" | "integer":
            least = schema.get("minimum", -5)
            return random.choice((random.choice(_NUMBERS), random.randint(least, schema.get("maximum", least + 500))))
        case "boolean":
            return random.choice((True, False))
        case _:
            return None


def _object(schema: Mapping[str, Any], random: Random) -> dict[str, Any]:
    named = schema.get("properties", {})
    required = schema.get("required", ())
    whole: dict[str, Any] = {}
    further = schema.get("additionalProperties", not named)
    if isinstance(further, dict) or (further and not named):
        each = further if isinstance(further, dict) else {}
        whole |= {text(random): like(each, random) if each else anything(random) for _ in range(random.randrange(3))}
    for name in {**named, **dict.fromkeys(required)}:
        if name in required or random.randrange(3) == 0:
            whole[name] = like(named[name], random) if name in named else anything(random)
    return whole


def marred(value: Any, random: Random) -> Any:
    """The value after up to three mishaps: a place was lost, doubled, got company or was replaced by anything."""
    whole = [copy.deepcopy(value)]
    for _ in range(random.randint(0, 3)):
        places = list(_places(whole))
        holder, key = random.choice(places)
        match random.randrange(4):
            case 0 if holder is not whole:
                del holder[key]
            case 1 if isinstance(holder, list) and holder is not whole:
                holder.append(copy.deepcopy(holder[key]))
            case 2 if isinstance(holder[key], dict):
                holder[key][text(random)] = anything(random)
            case _:
                holder[key] = anything(random)
    return whole[0]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every holder and key of the first levels: what lies deeper is one of ours."""
    found: list[tuple[Any, Any]] = []
    level = [value]
    for _ in range(8):
        pairs = [(each, key) for each in level for key in (each if isinstance(each, dict) else range(len(each)))]
        found += pairs
        level = [each[key] for each, key in pairs if isinstance(each[key], dict | list)]
    return found

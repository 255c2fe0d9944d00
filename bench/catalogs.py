"""Catalogs of Claude entities of any size, as `mappings/claude.yaml` would make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from portsync.shipped import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = "claude"
_MODELS = ("claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5")
_ORGANIZATION = "5f0d5c6a-2b1e-4c55-9a57-0d7c8a3e6b21"
_DAYS = 28
_PRIME = 7919
"""Numbers of neighbours are far from each other, so that an order by them is another one than by identifier."""


def blueprints() -> list[dict[str, Any]]:
    """The five blueprints of Claude, as they are shipped."""
    folder = shipped_folder() / "blueprints" / _FOLDER
    return [orjson.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]


def dashboard() -> dict[str, Any]:
    """The dashboard of Claude, as it is shipped."""
    found: dict[str, Any] = orjson.loads((shipped_folder() / "dashboards" / "claude.json").read_bytes())
    return found


def entity(blueprint: dict[str, Any], number: int) -> dict[str, Any]:
    """The entity of this number, every property set."""
    properties = blueprint["schema"]["properties"].items()
    return {
        "identifier": identifier(number),
        "title": f"Ada {number}",
        "properties": {name: _value(name, schema, number) for name, schema in properties},
    }


def identifier(number: int) -> str:
    """What the entity of this number is called."""
    return f"user_{number:08}@2026-11-{number % _DAYS + 1:02}"


def batches_of(blueprint: dict[str, Any], numbers: range, size: int = 20) -> Iterator[bytes]:
    """These entities of one blueprint, as bodies of bulk upserts."""
    for start in range(numbers.start, numbers.stop, size):
        some = range(start, min(start + size, numbers.stop))
        yield orjson.dumps({"entities": [entity(blueprint, number) for number in some]})


def _value(name: str, schema: dict[str, Any], number: int) -> Any:
    match schema["type"]:
        case "number":
            mixed = number * _PRIME % 10_007
            return mixed / 100 if "usd" in name else mixed
        case "boolean":
            return number % 3 > 0
        case "object":
            return {model: {"requests": number % 97, "cost_usd": number % 40 / 4} for model in _MODELS}
        case _ if schema.get("format") == "date-time":
            return f"2026-11-{number % _DAYS + 1:02}T00:00:00Z"
        case _:
            return {
                "organization_id": _ORGANIZATION,
                "organization_name": "Acme",
                "user_email": f"ada{number}@acme.example",
            }.get(name, _MODELS[number % len(_MODELS)] if "model" in name else f"{name}-{number}")

"""The generated work: records, the mapping that reads them, the blueprint that they become."""

from __future__ import annotations

import json
from functools import cache
from itertools import islice
from typing import Any

BLUEPRINT = "bench_record"
PAGE_SIZE = 500
SOURCE_PATH = "/records"

_TYPES: dict[str, dict[str, str]] = {
    "name": {"type": "string"},
    "owner": {"type": "string"},
    "url": {"type": "string", "format": "url"},
    "status": {"type": "string"},
    "region": {"type": "string"},
    "language": {"type": "string"},
    "description": {"type": "string"},
    "created_at": {"type": "string", "format": "date-time"},
    "requests": {"type": "number"},
    "errors": {"type": "number"},
    "input_tokens": {"type": "number"},
    "cost_usd": {"type": "number"},
    "latency_ms": {"type": "number"},
    "is_public": {"type": "boolean"},
    "tags": {"type": "array"},
}

USUAL_FIELDS = len(_TYPES)
"""Of a record, beside its identifier."""

_STATUSES = ("active", "paused", "retired")
_REGIONS = ("eu-west-1", "us-east-1", "ap-south-1", "sa-east-1")
_LANGUAGES = ("python", "go", "typescript", "java", "rust")


def identifier_of(number: int) -> str:
    """What the record of this number is called, in the source and in Port."""
    return f"record-{number:07d}"


def number_of(identifier: str) -> int:
    """The record that an identifier belongs to. Raises ValueError where it is none of ours."""
    number = int(identifier.removeprefix("record-"))
    if identifier_of(number) != identifier:
        raise ValueError(identifier)
    return number


def properties_of(number: int, fields: int = USUAL_FIELDS, revision: int = 0) -> dict[str, Any]:
    """The fields of a record, which are also the properties of its entity. All numbers are exact in binary. A record
    of another `revision` differs in one of them."""
    usual = {
        "name": f"Service {number}",
        "owner": f"owner-{number % 97}@example.com",
        "url": f"https://git.example.com/group-{number % 31}/service-{number}",
        "status": _STATUSES[number % 3],
        "region": _REGIONS[number % 4],
        "language": _LANGUAGES[number % 5],
        "description": f"Answers the requests of team {number % 97} and keeps the answers for {number % 30} days",
        "created_at": f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}T{number % 24:02d}:00:00Z",
        "requests": number * 37 + revision,
        "errors": number % 13,
        "input_tokens": number * 1009,
        "cost_usd": number / 8,
        "latency_ms": number % 1000 / 4,
        "is_public": number % 2 == 0,
        "tags": ["bench", f"team-{number % 97}"],
    }
    if fields == USUAL_FIELDS:
        return usual
    notes = {name: f"note {name} of record {number}" for name in _types(fields) if name not in usual}
    return {name: value for name, value in (usual | notes).items() if name in _types(fields)}


@cache
def _types(fields: int) -> dict[str, dict[str, str]]:
    """The first of the usual fields, or all of them and notes."""
    notes = {f"note_{number:02d}": {"type": "string"} for number in range(fields - USUAL_FIELDS)}
    return dict(islice((_TYPES | notes).items(), fields))


def record(number: int, fields: int = USUAL_FIELDS, revision: int = 0) -> dict[str, Any]:
    """One record as the source gives it."""
    return {"id": identifier_of(number), **properties_of(number, fields, revision)}


def blueprint(fields: int = USUAL_FIELDS) -> dict[str, Any]:
    """The blueprint, without relations."""
    properties = {name: {"title": name, **kind} for name, kind in _types(fields).items()}
    return {
        "identifier": BLUEPRINT,
        "title": "Bench record",
        "schema": {"properties": properties, "required": []},
    }


def entity_mapping(fields: int = USUAL_FIELDS) -> dict[str, Any]:
    """What makes an entity of a record."""
    return {
        "identifier": ".id",
        "blueprint": f'"{BLUEPRINT}"',
        "properties": {name: f".{name}" for name in _types(fields)},
    }


def mapping(base_url: str) -> str:
    """The mapping file, as JSON, which is YAML too."""
    pagination = {"type": "offset", "page_size": PAGE_SIZE, "has_more_path": ".has_more"}
    resource = {
        "kind": SOURCE_PATH,
        "selector": {"query": "true", "data_path": ".data"},
        "port": {"entity": {"mappings": entity_mapping()}},
    }
    return json.dumps({"source": {"base_url": base_url, "pagination": pagination}, "resources": [resource]}, indent=2)

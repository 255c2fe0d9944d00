"""Proposals for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.authoring.discover.proposal import Findings, LeftOut, Proposal, ResourceProposal
    from portsync.flow import Json


def as_json(findings: Findings) -> dict[str, Json]:
    """All that was found out. It may hold secrets that the source gave."""
    return {
        "version": 1,
        "requests": findings.requests,
        "most_requests": findings.most_requests,
        "resources": [_resource(one) for one in findings.resources],
        "left_out": [_left_out(one) for one in findings.left_out],
    }


def rows(resource: ResourceProposal) -> Iterator[tuple[str, str, Proposal[object]]]:
    """What is proposed for a resource, line by line: what it is about, the value in words, and what speaks for it."""
    for filled in resource.endpoint.filled:
        yield "parameter", filled.value, filled
    for name, parent in resource.parents.items():
        yield f"{{{name}}}", f"{parent.value.field} of {parent.value.kind}", parent
    yield "data_path", resource.data_path.value, resource.data_path
    yield "pagination", _paging(resource), resource.pagination
    yield "identifier", resource.identifier.value.expression, resource.identifier
    yield "title", resource.entity_title.value, resource.entity_title
    for one in resource.properties:
        yield "property", f"{one.value.name}: {_type(one.value.schema)}", one
    for relation in resource.relations:
        many = " (many)" if relation.value.is_many else ""
        yield "relation", f"{relation.value.name} -> {relation.value.target}{many}", relation


def _paging(resource: ResourceProposal) -> str:
    config = resource.pagination.value.config
    said = [str(value) for key, value in config.items() if key != "type" and value is not None]
    return " ".join([str(config["type"]), *said])


def _type(schema: Json) -> str:
    items = schema.get("items")
    of = f" of {items['type']}" if isinstance(items, dict) else ""
    choices = f" ({', '.join(map(str, schema['enum']))})" if "enum" in schema else ""
    return f"{schema.get('format', schema['type'])}{of}{choices}"


def _resource(resource: ResourceProposal) -> dict[str, Json]:
    endpoint = resource.endpoint
    return {
        "kind": endpoint.kind,
        "method": endpoint.method,
        "reason": endpoint.reason,
        "blueprint": resource.blueprint,
        "pages": len(resource.sample.pages),
        "records": len(resource.sample.records),
        "is_whole": resource.sample.is_whole,
        "parameters": [_proposal(one, one.value) for one in endpoint.filled],
        "path_parameters": {
            name: _proposal(one, {"from": one.value.kind, "field": one.value.field})
            for name, one in resource.parents.items()
        },
        "data_path": _proposal(resource.data_path, resource.data_path.value),
        "pagination": _proposal(resource.pagination, dict(resource.pagination.value.config)),
        "identifier": _proposal(resource.identifier, resource.identifier.value.expression),
        "title": _proposal(resource.entity_title, resource.entity_title.value),
        "properties": {
            one.value.name: {"expression": one.value.expression, **_proposal(one, dict(one.value.schema))}
            for one in resource.properties
        },
        "relations": {
            one.value.name: {
                "expression": one.value.expression,
                **_proposal(one, {"target": one.value.target, "many": one.value.is_many}),
            }
            for one in resource.relations
        },
        "left_out": [_left_out(one) for one in resource.left_out],
    }


def _proposal(proposal: Proposal[object], value: Json) -> dict[str, Json]:
    return {"value": value, "confidence": str(proposal.confidence), "reason": proposal.reason}


def _left_out(left_out: LeftOut) -> dict[str, Json]:
    return {"name": left_out.name, "reason": left_out.reason, "hint": left_out.hint}

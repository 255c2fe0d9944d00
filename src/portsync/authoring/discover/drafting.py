"""From proposals to the mapping and the blueprints that say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.authoring.discover.commented import Entry, commented_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from portsync.authoring.discover.proposal import Findings, Proposal, ResourceProposal
    from portsync.flow import Json


def draft_mapping(findings: Findings, source: Mapping[str, Json], notes: Sequence[Proposal[str]], named: str) -> str:
    """The text of the mapping file, with the reason of each part above it. `named` is what was asked."""
    head = (
        f"Written by `portsync discover` from {named}, with {findings.requests} requests.",
        "Each part says how sure it is (sure, likely, guess), and why.",
        *(f"Not taken: {one.name}: {one.reason}" for one in findings.left_out),
    )
    said = tuple(f"{note.value}: {_because(note)}" for note in notes)
    entries = [
        Entry("source", source, (*head, *said)),
        Entry("resources", [_resource(one) for one in findings.resources]),
    ]
    return commented_yaml(entries)


def draft_blueprint(resource: ResourceProposal) -> dict[str, Json]:
    """The blueprint of a resource's entities."""
    return {
        "identifier": resource.blueprint,
        "title": resource.title,
        "schema": {
            "properties": {proposal.value.name: dict(proposal.value.schema) for proposal in resource.properties},
            "required": [],
        },
        "relations": {
            relation.value.name: {
                "title": relation.value.name.replace("_", " ").capitalize()[:100],
                "target": relation.value.target,
                "required": False,
                "many": relation.value.is_many,
            }
            for relation in resource.relations
        },
    }


def _resource(resource: ResourceProposal) -> list[Entry]:
    endpoint = resource.endpoint
    mapping = [
        Entry("identifier", resource.identifier.value.expression, (_because(resource.identifier),)),
        Entry("title", resource.entity_title.value, (_because(resource.entity_title),)),
        Entry("blueprint", f'"{resource.blueprint}"'),
    ]
    if resource.properties or resource.left_out:
        properties = [Entry(one.value.name, one.value.expression, (_because(one),)) for one in resource.properties]
        left_out = tuple(f"Left out: {one.name}: {one.reason}" for one in resource.left_out)
        mapping.append(Entry("properties", properties or {}, left_out))
    if resource.relations:
        relations = [Entry(one.value.name, one.value.expression, (_because(one),)) for one in resource.relations]
        mapping.append(Entry("relations", relations))
    seen = f"{len(resource.sample.records)} records on {_pages(len(resource.sample.pages))} were seen"
    return [
        Entry("kind", endpoint.kind, (f"{endpoint.reason[:1].upper()}{endpoint.reason[1:]}; {seen}.",)),
        Entry("selector", list(_selector(resource))),
        Entry("port", [Entry("entity", [Entry("mappings", mapping)])]),
    ]


def _selector(resource: ResourceProposal) -> Iterator[Entry]:
    endpoint = resource.endpoint
    filled = tuple(_because(one) for one in endpoint.filled)
    if endpoint.method != "GET":
        yield Entry("method", endpoint.method)
    if endpoint.query_params:
        yield Entry("query_params", escaped(dict(endpoint.query_params)), filled)
        filled = ()
    if endpoint.headers:
        yield Entry("headers", escaped(dict(endpoint.headers)), filled)
        filled = ()
    if endpoint.body is not None:
        yield Entry("body", escaped(endpoint.body), filled)
    if endpoint.is_window:
        yield Entry(
            "delete_stale", value=False, comments=("It asks for a span of time: what is older is still there.",)
        )
    for name, parent in resource.parents.items():
        given = {"from": parent.value.kind, "field": escaped(parent.value.field)}
        yield Entry("path_parameters", {name: given}, (_because(parent),))
    yield Entry("data_path", escaped(resource.data_path.value), (_because(resource.data_path),))
    yield Entry("pagination", escaped(dict(resource.pagination.value.config)), (_because(resource.pagination),))


def escaped(value: Json) -> Json:
    """`value` as a selector has to write it: there `${` begins the name of a variable."""
    match value:
        case str():
            return value.replace("${", "$${")
        case dict():
            return {key: escaped(item) for key, item in value.items()}
        case list():
            return [escaped(item) for item in value]
        case _:
            return value


def _because(proposal: Proposal[object]) -> str:
    return f"{proposal.confidence}: {proposal.reason}"


def _pages(number: int) -> str:
    return f"{number} page{'' if number == 1 else 's'}"

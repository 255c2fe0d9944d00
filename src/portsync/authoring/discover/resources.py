"""One endpoint, from its first answer to all that is proposed for it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from portsync.authoring.discover.identity import find_identity, find_title
from portsync.authoring.discover.naming import blueprint_name, human, segments, singular
from portsync.authoring.discover.places import at, jq_path, key_of, words_of
from portsync.authoring.discover.properties import find_properties
from portsync.authoring.discover.proposal import Confidence, LeftOut, Parent, Proposal, Relation, ResourceProposal
from portsync.authoring.discover.reading import Reader
from portsync.authoring.discover.records import find_records, single_record
from portsync.authoring.discover.trying import Trial
from portsync.errors import ExpressionError
from portsync.jq.variables import Variables
from portsync.mapping.templates import parameters_in

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from portsync.authoring.discover.asking import Asker, Heard
    from portsync.authoring.discover.proposal import Endpoint, Identity
    from portsync.authoring.discover.records import Found
    from portsync.authoring.discover.trying import Paged
    from portsync.chains.access import Access
    from portsync.flow import Json

_PARENTS_TRIED = 5
_PARENTS_READ = 2
_UNAUTHORIZED = (401, 403)


@dataclass(frozen=True, slots=True)
class Surveyor:
    """Makes a proposal for one endpoint after the other."""

    access: Access
    asker: Asker
    credentials: str | None = None
    """What to do about an answer that says who asks is not known."""
    is_sole: bool = False
    """Whether there is but one endpoint, which the user named: then an answer without an array counts as a record."""

    async def propose(
        self, endpoint: Endpoint, earlier: Sequence[ResourceProposal], taken: Collection[str]
    ) -> ResourceProposal | LeftOut:
        """What is proposed for `endpoint`. `earlier` are those that may give its path parameters, `taken` the names of
        blueprints that are used already."""
        names = parameters_in(endpoint.kind)
        if len(names) > 1:
            return LeftOut(str(endpoint), f"its path has {len(names)} parameters; one is as many as can be found out")
        try:
            if names:
                return await self._below_parent(endpoint, names[0], earlier, taken)
            reader = Reader(endpoint, self.access, self.asker)
            heard = await reader.look()
        except ExpressionError as error:
            return LeftOut(str(endpoint), error.problems[0].message)
        found = self._records_in(heard, endpoint)
        if isinstance(found, LeftOut):
            return found
        paged = await Trial(reader, heard, found, _plain_identifier(found, endpoint)).run()
        return self._resource(endpoint, found, paged, paged.sample.records, taken)

    def _records_in(self, heard: Heard, endpoint: Endpoint) -> Found | LeftOut:
        if heard.problem is not None:
            hint = heard.problem.hint
            if heard.status in _UNAUTHORIZED:
                hint = self.credentials or "name the variable that holds the key with --auth-env NAME"
            is_refused = heard.answer is None or heard.status in _UNAUTHORIZED
            return LeftOut(str(endpoint), heard.problem.message, hint, is_refused)
        hint = (segments(endpoint.kind) or [""])[-1]
        found = find_records(heard.value, hint)
        if found is None and self.is_sole:
            found = single_record(heard.value)
        if found is None:
            return LeftOut(str(endpoint), f"its answer, {_shape(heard.value)}, holds no array of records")
        if not found.records:
            place = found.data_path.value
            reason = f"the array at `{place}` is empty, so nothing can be said of its records"
            return LeftOut(str(endpoint), reason, "ask again when there are some, or with credentials that see some")
        return found

    async def _below_parent(
        self, endpoint: Endpoint, name: str, earlier: Sequence[ResourceProposal], taken: Collection[str]
    ) -> ResourceProposal | LeftOut:
        """For an endpoint with one path parameter, whose values another endpoint's records hold. Raises
        ExpressionError."""
        prefix = endpoint.kind.partition("{")[0].rstrip("/")
        parent = next((one for one in earlier if one.kind.partition("?")[0].rstrip("/") == prefix), None)
        if parent is None or parent.parents:
            reason = f"nothing that was found gives values for `{{{name}}}`"
            return LeftOut(str(endpoint), reason, f"an endpoint {prefix or '/'} with records would")
        field = _field_for(name, parent)
        if field is None:
            return LeftOut(str(endpoint), f"no plain field of {parent.kind} can stand for `{{{name}}}`")
        values = _values_at(field, parent.sample.records)
        read: list[tuple[Json, Paged, Found]] = []
        why = LeftOut(str(endpoint), f"{parent.kind} gives no values for `{{{name}}}`")
        for value in values[:_PARENTS_TRIED]:
            reader = Reader(endpoint, self.access, self.asker, Variables({name: value}))
            found = self._records_in(heard := await reader.look(), endpoint)
            if isinstance(found, LeftOut):
                why = found
                continue
            paged = await Trial(reader, heard, found, _plain_identifier(found, endpoint)).run()
            read.append((value, paged, found))
            if len(read) == _PARENTS_READ:
                break
        if not read:
            return why
        # The one with a way to other pages knows more.
        best = max(read, key=lambda one: one[1].proposal.value.config["type"] != "none")
        enriched = [{**record, f"__{name}": value} for value, paged, _ in read for record in paged.sample.records]
        resource = self._resource(endpoint, best[2], best[1], enriched, taken)
        if isinstance(resource, LeftOut):
            return resource
        return _with_parent(resource, name, parent, field, tuple(value for value, _, _ in read))

    def _resource(
        self, endpoint: Endpoint, found: Found, paged: Paged, records: list[Json], taken: Collection[str]
    ) -> ResourceProposal | LeftOut:
        """`records` may carry what path parameters add to them."""
        sample = paged.sample
        if not sample.records:
            return LeftOut(str(endpoint), f"its records could not be read: {sample.fault or 'none came'}")
        identifier = find_identity(records, endpoint.kind)
        if identifier is None:
            reason = f"no field, and no few fields together, tell its {len(sample.records)} records apart"
            return LeftOut(str(endpoint), reason, "say what does, in a mapping of your own")
        own = [
            {name: value for name, value in record.items() if not name.startswith("__")} for record in sample.records
        ]
        is_all = sample.is_whole and not parameters_in(endpoint.kind)
        properties, left_out = find_properties(own, endpoint.schema, is_whole=is_all)
        blueprint = blueprint_name(endpoint.kind, taken, found.at[-1] if found.at else "")
        return ResourceProposal(
            replace(endpoint, query_params={**endpoint.query_params, **paged.extra}),
            blueprint,
            human(blueprint),
            found.data_path,
            found.at,
            paged.proposal,
            identifier,
            find_title(own, _as_text(identifier.value, records)),
            properties,
            sample,
            left_out=left_out,
        )


def _plain_identifier(found: Found, endpoint: Endpoint) -> str | None:
    """The records' identifier as an expression, where it is one field as it stands and the records are as they come."""
    identity = find_identity(found.records, endpoint.kind)
    is_plain = identity is not None and identity.value.is_plain and found.data_path.value == jq_path(found.at)
    return identity.value.expression if identity is not None and is_plain else None


def _as_text(identity: Identity, records: Sequence[Json]) -> str:
    """The identifier as a text, which a title has to be."""
    is_text = not identity.is_plain or all(isinstance(at(record, identity.fields[0]), str) for record in records)
    return identity.expression if is_text else f"{identity.expression} | tostring"


def _field_for(name: str, parent: ResourceProposal) -> str | None:
    """The expression over the parent's records that gives the values of a path parameter of this name."""
    record = parent.sample.records[0]
    for field, value in record.items():
        if key_of(field) == key_of(name) and isinstance(value, str | int) and not isinstance(value, bool):
            return jq_path((field,))
    identity = parent.identifier.value
    return identity.expression if identity.is_plain and len(identity.fields[0]) == 1 else None


def _values_at(field: str, records: Sequence[Json]) -> list[Json]:
    found = (record.get(name) for record in records for name in record if jq_path((name,)) == field)
    return list(
        dict.fromkeys(value for value in found if isinstance(value, str | int) and value not in ("", ".", ".."))
    )


def _with_parent(
    resource: ResourceProposal, name: str, parent: ResourceProposal, field: str, tried: tuple[Json, ...]
) -> ResourceProposal:
    """The resource with its path parameter, and the relation to the entity that gives it."""
    shown = ", ".join(str(value) for value in tried)
    reason = f"asked with `{field}` of {parent.kind} ({shown}), it gave records"
    given = Proposal(Parent(parent.kind, field, tried), Confidence.SURE, reason)
    relations: tuple[Proposal[Relation], ...] = ()
    identity: Identity = parent.identifier.value
    if identity.is_plain and identity.expression == field:
        stem = singular(words_of(parent.blueprint)[-1])
        used = {proposal.value.name for proposal in resource.properties}
        relation = stem if stem not in used else f"{stem}_relation"
        why = f"each record was asked for by the identifier of one of {parent.kind}"
        code = f"$params[{json.dumps(name)}] | tostring"
        relations = (Proposal(Relation(relation, code, parent.blueprint), Confidence.SURE, why),)
    return replace(resource, parents={name: given}, relations=relations)


def _shape(value: Json) -> str:
    match value:
        case dict():
            listed = ", ".join(f"`{name}`" for name in list(value)[:5])
            return f"an object with {listed}" if listed else "an empty object"
        case list():
            return f"an array of {len(value)} elements that are neither objects nor texts"
        case _:
            return f"a {type(value).__name__}" if value is not None else "null"

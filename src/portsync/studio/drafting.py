"""Proposals for the text in the editor, from the answers that are kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from portsync.errors import ConfigError
from portsync.pagination import NoPagination
from portsync.studio.paging_hints import paging_hint
from portsync.studio.proposals import bare, draft, propose, records_in
from portsync.studio.view import view
from portsync.studio.work import prepared

if TYPE_CHECKING:
    from portsync.flow import Json
    from portsync.studio.asked import Text
    from portsync.studio.paging_hints import PagingHint
    from portsync.studio.proposals import RecordsAt
    from portsync.studio.session import Session


async def proposals(session: Session, asked: Text) -> dict[str, Any]:
    """Where the records of the resource in view may be, and an entity for them. Raises ConfigError."""
    ready = prepared(session, asked)
    mapping, source = ready.found.mapping, ready.found.source
    if mapping is None or source is None or asked.index >= len(mapping.file.resources):
        raise ConfigError(*ready.found.problems)
    viewed, playing = await view(session, ready.settings, mapping, source, asked.index)
    places: list[RecordsAt] = []
    paging: PagingHint | None = None
    if playing.given:
        first = playing.given[0]
        try:
            body = session.answers.value_of(first)
        except ValueError:
            body = None
        places = records_in(body)
        selector = mapping.file.resources[asked.index].selector
        if isinstance(selector.pagination or source.paginator, NoPagination) and viewed.pages:
            paging = paging_hint(body, first.answer_headers, sum(page.facts.records for page in viewed.pages))
    found = propose([record.value for record in viewed.records], mapping.file.resources[asked.index].kind)
    clean = session.redactor.clean
    return {
        "places": [{"data_path": clean(one.data_path), "keys": one.keys, "reason": one.reason} for one in places[:5]],
        "paging": None if paging is None else {"config": paging.config, "reason": clean(paging.reason)},
        "entity": None if found is None else found.entity,
        "reasons": [] if found is None else [[clean(part) for part in reason] for reason in found.reasons],
    }


async def drafts(session: Session, asked: Text) -> dict[str, str]:
    """A blueprint, as text, for each that the mapping names and that is not there; and one for each that relations
    point at. What is there already gets the properties and relations that it lacks. Raises ConfigError."""
    ready = prepared(session, asked)
    mapping, source = ready.found.mapping, ready.found.source
    if mapping is None or source is None:
        raise ConfigError(*ready.found.problems)
    entities: dict[str, list[dict[str, Json]]] = {}
    for index in range(len(mapping.file.resources)):
        viewed, _ = await view(session, ready.settings, mapping, source, index)
        for record in viewed.records:
            for entity, body in zip(record.entities, record.bodies, strict=True):
                entities.setdefault(entity.blueprint, []).append(body)
    known = [*ready.blueprints, *entities]
    made = {name: draft(name, found, known) for name, found in entities.items()}
    made = {name: _joined(ready.blueprints.get(name), new) for name, new in made.items()}
    targets = {relation["target"] for new in made.values() for relation in new.get("relations", {}).values()}
    made |= {name: bare(name) for name in sorted(targets) if name not in known and not name.startswith("_")}
    return {name: f"{json.dumps(value, indent=2, ensure_ascii=False)}\n" for name, value in made.items()}


def _joined(old: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    """`old` with what only `new` has; what somebody wrote stays."""
    if old is None:
        return new
    schema = {**old["schema"], "properties": {**new["schema"]["properties"], **old["schema"]["properties"]}}
    return {**old, "schema": schema, "relations": {**new["relations"], **(old.get("relations") or {})}}

"""What `portsync discover` finds out about the resource in view: it asks the source, and tries how to get to the second
page. This is where the studio and discovery meet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from portsync.auth import TokenStore
from portsync.authoring.discover.asking import LARGEST_LOOK, Asker
from portsync.authoring.discover.discovering import discover
from portsync.authoring.discover.drafting import draft_blueprint, escaped
from portsync.authoring.discover.proposal import Endpoint
from portsync.authoring.discover.shown import rows
from portsync.chains.access import Access
from portsync.errors import ConfigError, Problem, SourceError
from portsync.studio.work import prepared
from portsync.studio.writing import endpoint_at
from portsync.surroundings import SourceWire
from portsync.wiring import source_tools

if TYPE_CHECKING:
    from portsync.authoring.discover.proposal import ResourceProposal
    from portsync.studio.asked import Text
    from portsync.studio.session import Session

MOST_REQUESTS = 20
"""For one endpoint."""


async def found_out(session: Session, asked: Text) -> dict[str, Any]:
    """A proposal for the resource in view, each part with its reason and how sure it is. Raises ConfigError, and
    SourceError where nothing can be read."""
    ready = prepared(session, asked)
    mapping, source = ready.found.mapping, ready.found.source
    if mapping is None or source is None or asked.index >= len(mapping.file.resources):
        raise ConfigError(*ready.found.problems)
    selector = mapping.file.resources[asked.index].selector
    written = endpoint_at(asked.text, asked.index)
    endpoint = Endpoint(
        mapping.file.resources[asked.index].kind,
        "it is in the mapping",
        selector.method,
        dict(selector.query_params),
        dict(selector.headers),
        selector.body,
    )
    with session.knowing(ready.found.secrets) as redactor:
        around = session.surroundings(ready.settings, SourceWire(taken=session.answers.take))
        store = TokenStore(ready.settings.token_folder)
        async with source_tools(mapping, source, around, store, session.pool, largest_answer=LARGEST_LOOK) as tools:
            asker = Asker(tools.client.send, MOST_REQUESTS, session.runtime.clock)
            findings, _ = await discover(
                Access(source, asker.send, tools.pool, session.runtime.clock, session.now),
                asker,
                named=[endpoint],
                is_bare=False,
                document=None,
                document_at=None,
                is_base_named=True,
                kinds=frozenset(),
                shown=lambda _: None,
            )
        if not findings.resources:
            raise SourceError(
                *(
                    Problem("nothing-found", redactor.clean(f"{one.name}: {one.reason}"), hint=one.hint)
                    for one in findings.left_out
                )
            )
        found = findings.resources[0]
        known = selector.query_params
        parameters = {name: value for name, value in found.endpoint.query_params.items() if name not in known}
        shown = {
            "rows": [[about, value, str(one.confidence), one.reason] for about, value, one in rows(found)],
            "requests": findings.requests,
            "data_path": escaped(found.data_path.value),
            "pagination": escaped(dict(found.pagination.value.config)),
            "query_params": {**dict(written["query_params"]), **escaped(parameters)},
            "entity": _entity(found),
            "blueprint": {found.blueprint: f"{json.dumps(draft_blueprint(found), indent=2, ensure_ascii=False)}\n"},
        }
        cleaned: dict[str, Any] = redactor.clean_json(shown)
        return cleaned


def _entity(found: ResourceProposal) -> dict[str, Any]:
    entity: dict[str, Any] = {
        "identifier": found.identifier.value.expression,
        "title": found.entity_title.value,
        "blueprint": json.dumps(found.blueprint),
        "properties": {one.value.name: one.value.expression for one in found.properties},
    }
    relations = {one.value.name: one.value.expression for one in found.relations}
    return {**entity, "relations": relations} if relations else entity

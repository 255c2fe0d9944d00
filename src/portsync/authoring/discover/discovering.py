"""THE LINE of a discovery: an address -> endpoints -> answers -> proposals -> relations between them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portsync.authoring.discover.endpoints import Found, Search
from portsync.authoring.discover.proposal import Endpoint, Findings, LeftOut, ResourceProposal
from portsync.authoring.discover.reading import Reader
from portsync.authoring.discover.relations import find_relations
from portsync.authoring.discover.resources import Surveyor
from portsync.errors import Problem, SourceError
from portsync.mapping.templates import parameters_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portsync.authoring.discover.asking import Asker, Heard
    from portsync.chains.access import Access
    from portsync.flow import Json


async def discover(
    access: Access,
    asker: Asker,
    *,
    named: Sequence[Endpoint],
    is_bare: bool,
    document: dict[str, Json] | None,
    document_at: str | None,
    is_base_named: bool,
    kinds: frozenset[str],
    shown: Callable[[str], None],
) -> tuple[Findings, str]:
    """What was found out, and the base URL that the kinds are joined to.

    `named` are the endpoints that the user named; a single one may be only the place where an API begins (`is_bare`).
    `document` is an OpenAPI document at hand; its server counts unless the base URL was named
    (`is_base_named`). Of what is found, only `kinds` are asked, where there are some. `shown` is told what is being
    asked. Raises SourceError where nothing can be read.
    """
    base_url = access.source.base_url

    async def ask(url: str) -> Heard:
        kind = url.removeprefix(base_url) or "/"
        return await Reader(Endpoint(kind, "asked"), access, asker).look()

    search = Search(ask, base_url, is_named=is_base_named)
    if document is not None:
        found = search.of_document(document, document_at)
    elif len(named) == 1 and named[0].method == "GET" and not parameters_in(named[0].kind):
        shown(str(named[0]))
        found = await search.run(named[0], is_bare=is_bare)
    else:
        found = Found(tuple(named))
    below = replace(access, source=replace(access.source, base_url=found.base_url or base_url))
    wanted = [one for one in found.endpoints if not kinds or one.kind.partition("?")[0] in kinds or one.kind in kinds]
    if not wanted:
        listed = ", ".join(one.kind for one in found.endpoints[:20])
        raise SourceError(
            Problem("nothing-found", "none of the endpoints is of this --kind", base_url, f"there are {listed}")
        )
    surveyor = Surveyor(below, asker, found.credentials, is_sole=len(wanted) == 1)
    resources, left_out = await _survey(surveyor, wanted, shown)
    linked = tuple(replace(one, relations=tuple(find_relations(one, resources))) for one in resources)
    left = (*found.left_out, *left_out) if not kinds else tuple(left_out)
    return Findings(linked, left, asker.sent, asker.most), below.source.base_url


async def _survey(
    surveyor: Surveyor, endpoints: Sequence[Endpoint], shown: Callable[[str], None]
) -> tuple[list[ResourceProposal], list[LeftOut]]:
    """The proposals, and what none is made for; endpoints with path parameters come after those that may give them."""
    resources: list[ResourceProposal] = []
    left_out: list[LeftOut] = []
    for endpoint in sorted(endpoints, key=lambda one: len(parameters_in(one.kind))):
        shown(str(endpoint))
        outcome = await surveyor.propose(endpoint, resources, {one.blueprint for one in resources})
        if isinstance(outcome, ResourceProposal):
            resources.append(outcome)
        else:
            left_out.append(outcome)
    return resources, left_out

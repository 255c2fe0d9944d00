"""Answers that were seen, made short enough for a test case, and such that they end as the source's last page does."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from portsync.authoring.discover.asking import parsed
from portsync.authoring.discover.places import at, jq_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.authoring.discover.proposal import Path, ResourceProposal
    from portsync.flow import Json
    from portsync.masking import Masking

_PAGES = 2
_RECORDS = 2
_ENDS = frozenset({"has_more_path", "total_path", "total_pages_path", "last_page_path"})


def shortened(resource: ResourceProposal, masking: Masking) -> list[dict[str, Json]]:
    """The `given` of a test case: some records of the first pages, secrets masked. Raises DecodeError."""
    pages = [page for page in resource.sample.pages if page.records][:_PAGES]
    bodies = [_cut(masking.of(parsed(page.answer)), resource.records_at, _RECORDS) for page in pages]
    if _needs_empty_page(resource):
        bodies.append(_cut(copy.deepcopy(bodies[-1]), resource.records_at, 0))
    total = sum(_count(body, resource.records_at) for body in bodies)
    given: list[dict[str, Json]] = []
    for number, body in enumerate(bodies):
        is_last = number == len(bodies) - 1
        _claim(body, resource, total, len(bodies), is_last=is_last)
        headers = {} if is_last else _links(pages[number].answer.headers, resource, masking)
        given.append({**({"headers": headers} if headers else {}), "body": body})
    return given


def below_parent(resource: ResourceProposal, parent: ResourceProposal, masking: Masking) -> list[dict[str, Json]]:
    """The `given` of a resource below another one: the record that gives its path parameter, and what is there for it.
    Each answer says which requests it is for. Raises DecodeError."""
    given_by = next(iter(resource.parents.values())).value
    wanted = str(given_by.examples[0])
    body = masking.of(parsed(parent.sample.pages[0].answer))
    kept = [record for record in _records(body, parent.records_at) if _value_at(record, given_by.field) == wanted]
    above = {"method": parent.endpoint.method, "path": parent.kind.partition("?")[0]}
    own = _cut(masking.of(parsed(resource.sample.pages[0].answer)), resource.records_at, _RECORDS)
    return [
        *({"request": above, "body": one} for one in _only_page(_put(body, parent.records_at, kept), parent)),
        *({"request": {"method": resource.endpoint.method}, "body": one} for one in _only_page(own, resource)),
    ]


def _only_page(body: Json, resource: ResourceProposal) -> list[Json]:
    """A page that is the first and the last, and what has to come after it so that it is."""
    _claim(body, resource, _count(body, resource.records_at), 1, is_last=True)
    return [body, _cut(copy.deepcopy(body), resource.records_at, 0)] if _needs_empty_page(resource) else [body]


def _value_at(record: Json, field: str) -> str | None:
    """What the plain field `field` of a record gives, as a text."""
    found = record.items() if isinstance(record, dict) else ()
    return next((str(value) for name, value in found if jq_path((name,)) == field), None)


def _needs_empty_page(resource: ResourceProposal) -> bool:
    """Whether nothing but a page without records ends the chain."""
    config = resource.pagination.value.config
    return config["type"] in ("offset", "page") and _ENDS.isdisjoint(config)


def _records(body: Json, where: Path) -> Sequence[Json]:
    found = at(body, where)
    return list(found.values()) if isinstance(found, dict) else found if isinstance(found, list) else []


def _count(body: Json, where: Path) -> int:
    return len(_records(body, where))


def _cut(body: Json, where: Path, most: int) -> Json:
    found = at(body, where)
    if isinstance(found, dict):
        return _put(body, where, dict(list(found.items())[:most]))
    return _put(body, where, found[:most]) if isinstance(found, list) else body


def _put(body: Json, where: Path, value: Json) -> Json:
    """`body` with `value` at `where`, whose objects are there."""
    if not where:
        return value
    at(body, where[:-1])[where[-1]] = value
    return body


def _claim(body: Json, resource: ResourceProposal, total: int, pages: int, *, is_last: bool) -> None:
    """Let the page say of the others what is true now."""
    values: dict[str, Json] = {
        "total": total,
        "total_pages": pages,
        "has_more": not is_last,
        "last_page": is_last,
    }
    if is_last:
        values |= {"cursor": None, "next_link": None}
    for name, where in resource.pagination.value.places.items():
        if name in values and isinstance(at(body, where[:-1]), dict):
            _put(body, where, values[name])


def _links(headers: Mapping[str, str], resource: ResourceProposal, masking: Masking) -> dict[str, str]:
    if resource.pagination.value.config["type"] != "header_link":
        return {}
    return {"link": masking.redactor.clean(", ".join(v for name, v in headers.items() if name.lower() == "link"))}

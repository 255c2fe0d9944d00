"""The mapping's `context`: small requests that are made once in a run, for every expression to see."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from portsync.chains.template import RequestTemplate, texts_of
from portsync.chains.values import RecordValues, is_text_or_number, values_reader
from portsync.errors import ExpressionError, Problem
from portsync.excerpts import cut
from portsync.extract import fetch_pages
from portsync.flow import End, Spent, Verdict
from portsync.jq.values import ValuesProgram
from portsync.jq.variables import NO_VARIABLES, Context, lookups_in
from portsync.pagination import NoPagination

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.chains.access import Access
    from portsync.mapping.models import Resource
    from portsync.mapping.requests import Lookup
    from portsync.pagination import Paginator

_RECORD = "record"
_KEY = "key"


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What came of the lookups."""

    access: Access
    """The source, with what the lookups gave."""
    failed: Mapping[str, End] = field(default_factory=dict)
    spent: Spent = field(default_factory=Spent)

    def missing_for(self, resource: Resource) -> End | None:
        """The lookup that failed and that `resource` needs."""
        if not self.failed:
            return None
        names = lookups_in(texts_of(resource.model_dump()))
        return next((end for name, end in self.failed.items() if names is None or name in names), None)


async def look_up(lookups: Mapping[str, Lookup], access: Access) -> LookedUp:
    """Make the lookups, in their order; each sees those before it."""
    failed: dict[str, End] = {}
    spent = Spent()
    for name, lookup in lookups.items():
        end, value, cost = await _look_up(name, lookup, access)
        spent += cost
        if end.verdict is Verdict.COMPLETE:
            access = replace(access, context=Context({**access.context.values, name: value}))
        else:
            failed[name] = end
    return LookedUp(access, failed, spent)


async def _look_up(name: str, lookup: Lookup, access: Access) -> tuple[End, bytes, Spent]:
    place = f"context.{name}"
    paginator = _paginator(lookup, access)
    # Of a list, the records are wanted, and of all else the document.
    is_whole = lookup.index_by is None and isinstance(paginator, NoPagination)
    if is_whole:
        # The document itself, be it a list or not, in place of its records.
        program = ValuesProgram(f"[[{lookup.data_path}\n]]", {_RECORD: "if length == 1 then .[0] else . end"})
    else:
        key = {} if lookup.index_by is None else {_KEY: lookup.index_by}
        program = ValuesProgram(lookup.data_path, {_RECORD: ".", **key}, facts=paginator.facts())
    read = partial(values_reader(program, access).read, variables=NO_VARIABLES)
    records: list[RecordValues] = []
    spent = Spent()
    end = End(Verdict.INCOMPLETE, "interrupted")
    try:
        request = await RequestTemplate(lookup.path, lookup, place, access).render(NO_VARIABLES)
        async with aclosing(fetch_pages(request, paginator, access.reading(lookup), read, place)) as pages:
            async for got in pages:
                spent += got.spent
                if isinstance(got, End):
                    end = got
                elif got.page is not None:
                    records += got.page.records
        if end.verdict is not Verdict.COMPLETE:
            return replace(end, reason="context", spent=Spent()), b"null", spent
        value = _value(lookup, records, is_whole=is_whole)
    except ExpressionError as error:
        return End(Verdict.INCOMPLETE, "context", replace(error.problems[0], place=place)), b"null", spent
    return end, value, spent


def _paginator(lookup: Lookup, access: Access) -> Paginator:
    """One document is the usual lookup; a list of records is paged as the source's other lists are."""
    is_list = lookup.data_path != "." or lookup.index_by is not None
    return lookup.pagination or (access.source.paginator if is_list else NoPagination())


def _value(lookup: Lookup, records: list[RecordValues], *, is_whole: bool) -> bytes:
    """What `$context.<name>` is: an object by key, the one document, or the list of records, as JSON text. Raises
    ExpressionError where there is none, or a key fails."""
    texts = [record.values[_RECORD] for record in records]
    if is_whole:
        if texts in ([], ["null"]):
            raise _unusable("`data_path` found nothing (null) in the answer", "check `data_path` against the answer")
        return texts[0].encode()
    if lookup.index_by is None:
        return f"[{','.join(texts)}]".encode()
    by_key: dict[str, str] = {}
    for record in records:
        if _KEY in record.errors:
            raise _unusable(f"`index_by` failed on {record.place}: {record.errors[_KEY]}", "check `index_by`")
        key = record.values[_KEY]
        if not is_text_or_number(key):
            message = f"`index_by` gave {cut(key, _EXCERPT)} on {record.place}, which is neither text nor number"
            raise _unusable(message, "check `index_by` against a record")
        by_key[key if key.startswith('"') else f'"{key}"'] = record.values[_RECORD]
    return f"{{{','.join(f'{key}:{text}' for key, text in by_key.items())}}}".encode()


_EXCERPT = 100


def _unusable(message: str, hint: str) -> ExpressionError:
    return ExpressionError(Problem("lookup", message, hint=hint))

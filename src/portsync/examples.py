"""The first records of a resource as the source gave them, before selector and mapping, for people who write mappings
on Port's page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import orjson

from portsync.errors import ExpressionError
from portsync.jq.compile import normalised
from portsync.jq.page_text import with_whole_characters
from portsync.jq.records import encoded_variables, program_head
from portsync.jq.variables import NO_VARIABLES
from portsync.masking import Masking
from portsync.pieces import plain_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.flow import Json, Page
    from portsync.jq.pool import JqPool
    from portsync.jq.variables import Variables
    from portsync.logs import Redactor

MOST_EXAMPLES = 5
"""Port takes no more in one request (Port's API reference, integrations)."""

_LONGEST_TEXT = 1_000
_LARGEST = 100_000
"""Bytes of one example: five of them fit into the 1 MiB of a request with ease."""
_SHORT_TEXT, _SHORT_LIST = 100, 10
"""What is left of the texts and lists of an example that is larger."""
_TIMEOUT_S = 2.0
_LARGEST_BODY = 2**23
"""Bytes of a page that JQ reads for this: a larger one takes it longer than examples are worth."""
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


async def first_records(
    page: Page,
    data_path: str,
    pool: JqPool,
    *,
    now: float,
    variables: Variables = NO_VARIABLES,
    context: bytes = b"{}",
    most: int = MOST_EXAMPLES,
) -> list[Json]:
    """At most `most` records of `page`, as the source gave them; none where they cannot be found.

    `now` is in epoch seconds; `variables` and `context` are what `data_path` may name. A plain path such as `.data` is
    followed here, and only those records are parsed; any other is one short run of JQ.
    """
    body = with_whole_characters(page.body)
    path = plain_path(data_path)
    try:
        if path is not None and (found := _plain(body, path, most)) is not None:
            return found
        if len(body) > _LARGEST_BODY:
            return []
        records = f'({normalised(data_path)}\n\n) | if type == "array" then .[] else . end'
        code = f"{program_head(now)}limit({most}; {records}) | tojson"
        timeout_s = min(_TIMEOUT_S, pool.limits.timeout_s)
        outputs = await pool.run([code], encoded_variables(variables), body, context=context, timeout_s=timeout_s)
        return [orjson.loads(line) for line in outputs.lines]
    except (ExpressionError, orjson.JSONDecodeError):
        return []


def _plain(body: bytes, path: Sequence[str], most: int) -> list[Json] | None:
    """The first records at `path`; None where there is no array. Raises JSONDecodeError."""
    here: bytes | msgspec.Raw = body
    try:
        for name in path:
            here = _OBJECT.decode(here)[name]
        found = _ARRAY.decode(here)[:most]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
        return None
    return [orjson.loads(bytes(raw)) for raw in found]


def examples_of(records: Sequence[Json], redactor: Redactor) -> list[dict[str, Json]]:
    """The first records that are objects, which is what Port takes: secrets masked, overlong values shortened."""
    usual = Masking(redactor, longest_text=_LONGEST_TEXT)
    short = replace(usual, longest_text=_SHORT_TEXT, longest_list=_SHORT_LIST)
    found: list[dict[str, Json]] = []
    for record in records:
        if isinstance(record, dict) and len(found) < MOST_EXAMPLES:
            example = usual.of(record)
            if len(orjson.dumps(example)) > _LARGEST:
                example = short.of(record)
            if len(orjson.dumps(example)) <= _LARGEST:
                found.append(example)
    return found

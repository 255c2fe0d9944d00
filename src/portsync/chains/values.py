"""Pages -> single values of their records: what path parameters and lookups are made of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import orjson

from portsync.errors import ExpressionError
from portsync.flow import PageFacts, place_of
from portsync.jq.records import encoded_variables
from portsync.transform import facts_of, page_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.chains.access import Access
    from portsync.flow import Page
    from portsync.jq.pool import JqPool
    from portsync.jq.values import ValuesProgram
    from portsync.jq.variables import Variables


@dataclass(frozen=True, slots=True)
class RecordValues:
    """What one record gave: JSON texts by name, so that numbers keep their digits; and what failed."""

    place: str
    values: Mapping[str, str]
    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ValuesPage:
    """A page after its values were taken."""

    facts: PageFacts
    records: tuple[RecordValues, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class ValuesReader:
    """Takes the values of a `ValuesProgram` out of pages."""

    code: str
    """The program."""
    context: bytes
    pool: JqPool

    async def read(self, page: Page, variables: Variables) -> ValuesPage:
        """The values of a page of a chain with these variables. Raises ExpressionError where it cannot be read."""
        try:
            encoded = encoded_variables(variables)
            outputs = await self.pool.run([self.code], encoded, page.body, context=self.context)
        except ExpressionError as error:
            raise ExpressionError(page_problem(page, error.problems[0])) from error
        head, *lines = outputs.lines
        said = json.loads(head)
        facts = facts_of(said)
        shell = f"{facts.records}\0{said['edges']}".encode(errors="surrogatepass")
        content = blake2b(b"\n".join([shell, *lines]), digest_size=16).digest()
        return ValuesPage(facts, tuple(_values_of(line, page) for line in lines), content)


def values_reader(program: ValuesProgram, access: Access) -> ValuesReader:
    """What reads the values of `program`, for all chains."""
    return ValuesReader(program.code(access.now), access.context.of(program.texts()), access.pool)


def is_text_or_number(value: str) -> bool:
    """Whether a JSON text is one of the two things that a path or a key can be made of."""
    return value.startswith(_TEXT_OR_NUMBER)


_TEXT_OR_NUMBER = tuple('"-0123456789')


def _values_of(line: bytes, page: Page) -> RecordValues:
    index, found = orjson.loads(line)
    values = {name: tried[0] for name, tried in found.items() if isinstance(tried, list)}
    errors = {name: tried["error"] for name, tried in found.items() if isinstance(tried, dict)}
    return RecordValues(place_of(page.number, page.first_record + index + 1, page.chain), values, errors)

"""Pages -> entities and failures. The resource's JQ program does the mapping; here its outputs are read."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, cast

import orjson

from portsync import identifiers
from portsync.batch import LARGEST_ENTITY
from portsync.decode import not_json
from portsync.errors import ExpressionError, Problem
from portsync.flow import Entity, Failure, FieldError, Json, MappedPage, Page, PageFacts
from portsync.isolate import Isolated, Part, isolate
from portsync.jq.page_text import has_long_numbers, with_whole_characters
from portsync.jq.pool import RUNAWAY, JqPool
from portsync.jq.records import NOT_ONE_VALUE, encoded_variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.jq.program import PageProgram
    from portsync.jq.variables import Variables


@dataclass(frozen=True, slots=True)
class Programs:
    """The fast program and the guarded one, for usual pages and for those with numbers of many digits."""

    usual: tuple[str, ...]
    exact: tuple[str, ...]

    def of(self, body: bytes) -> tuple[str, ...]:
        """The programs for a page."""
        return self.exact if has_long_numbers(body) else self.usual


@dataclass(frozen=True, slots=True)
class Mapper:
    """What maps the pages of a resource."""

    program: PageProgram
    now: float
    """Epoch seconds."""
    pool: JqPool
    context: bytes = b"{}"
    """What `$context` stands for."""

    def programs(self) -> Programs:
        """The programs, built once for all pages."""
        fast, guarded = self.program.fast, self.program.guarded
        exact = guarded(self.now, exact=True)
        # What nests too deeply to be passed on as values goes through where JQ writes it down.
        return Programs((fast(self.now), guarded(self.now), exact), (fast(self.now, exact=True), exact))


async def map_page(page: Page, mapper: Mapper, programs: Programs, variables: Variables) -> MappedPage:
    """What becomes of each record of `page`. Raises ExpressionError where the page as a whole cannot be mapped; its
    code is `not-json` where the page is no JSON. `programs` are the mapper's."""
    isolated: tuple[Failure, ...] = ()
    page = replace(page, body=with_whole_characters(page.body))
    chosen = programs.of(page.body)
    encoded = encoded_variables(variables)
    try:
        outputs = await mapper.pool.run(chosen, encoded, page.body, context=mapper.context)
        lines = iter(outputs.lines)
    except ExpressionError as error:
        if error.problems[0].code not in RUNAWAY:
            raise ExpressionError(page_problem(page, error.problems[0])) from error
        found = await _isolated(page, mapper, chosen, variables, error.problems[0])
        lines, isolated = iter(found.lines), found.failures
    head = _head(next(lines), page)
    entities: list[Entity] = []
    failures: list[Failure] = []
    field_errors: list[FieldError] = []
    mapped = {failure.record - page.first_record - 1 for failure in isolated}
    for line in lines:
        value = orjson.loads(line)
        if isinstance(value, dict):
            index, _, *said = value["failure"]
            mapped.add(index)
            failures.append(_expression_failure(page, index, *said))
            continue
        index, identifier, blueprint, digest, *errors = value
        mapped.add(index)
        body = next(lines)
        if (fault := _fault(page, index, identifier, blueprint, body)) is not None:
            failures.append(fault)
            continue
        is_search = not isinstance(identifier, str)
        name = identifier["search"] if is_search else identifier
        record = page.first_record + index + 1
        entities.append(
            Entity(blueprint, name, body, bytes.fromhex(digest), page.number, record, page.chain, is_search=is_search)
        )
        for field, message in errors[0] if errors else ():
            field_errors.append(FieldError(field, message, page.number, record, name, page.chain))
    return MappedPage(
        page.number,
        facts_of(head),
        filtered=head["records"] - len(mapped),
        entities=tuple(entities),
        failures=(*isolated, *failures),
        field_errors=tuple(field_errors),
        content=_content(head, entities),
    )


async def _isolated(
    page: Page, mapper: Mapper, programs: tuple[str, ...], variables: Variables, cause: Problem
) -> Isolated:
    """The lines of a page, first its facts, on which some record, or some expression, runs away."""
    pool = mapper.pool

    async def tried(programs: Sequence[str], first: int, end: int, timeout_s: float | None = None) -> tuple[bytes, ...]:
        encoded = encoded_variables(variables, first, end)
        return (await pool.run(programs, encoded, page.body, context=mapper.context, timeout_s=timeout_s)).lines

    async def run(part: Part) -> tuple[bytes, ...]:
        return (await tried(programs, part.first, part.end, part.timeout_s))[1:]

    async def name(part: Part) -> str:
        for name, code in mapper.program.named():
            try:
                await tried([mapper.program.alone(code, mapper.now)], part.first, part.end, part.timeout_s)
            except ExpressionError as error:
                if error.problems[0].code in RUNAWAY:
                    return name
        return "the expressions together"

    try:
        (facts,) = await tried(programs, 0, 0)
        records = _head(facts, page)["records"]
        found = await isolate(page.number, records, pool.limits.timeout_s, cause, run, name)
    except ExpressionError as error:
        raise ExpressionError(page_problem(page, error.problems[0])) from error
    moved = (
        replace(failure, record=failure.record + page.first_record, chain=page.chain) for failure in found.failures
    )
    return Isolated((facts, *found.lines), tuple(moved))


def _head(line: bytes, page: Page) -> dict[str, Json]:
    """The first output of a program."""
    try:
        return cast("dict[str, Json]", json.loads(line))
    except ValueError as error:
        message = f"a paging value of the page is nothing that JSON can say: {error}"
        raise ExpressionError(Problem("pagination", message, f"{page.request}, page {page.number}")) from error


def facts_of(head: dict[str, Json]) -> PageFacts:
    """The facts in the first output of a program over a page."""
    return PageFacts(
        head["records"],
        head["values"],
        missing=head["missing"],
        data_path_error=head["error"],
    )


def _content(head: dict[str, Json], entities: Sequence[Entity]) -> bytes:
    """A hash of what the page holds, without what surrounds its records, such as a request id that changes always.

    Of the first and the last record and of all entities: that two pages agree in these and yet differ needs records
    without anything to tell them apart.
    """
    state = blake2b(f"{head['records']}\0{head['edges']}".encode(errors="surrogatepass"), digest_size=16)
    for entity in entities:
        state.update(entity.digest)
    return state.digest()


def _expression_failure(page: Page, index: int, code: str, message: str, fields: str | None = None) -> Failure:
    failure = partial(Failure, code, page=page.number, record=page.first_record + index + 1, chain=page.chain)
    match code:
        case "selector-not-boolean":
            hint = '`selector.query` has to give true or false for every record, such as `.status == "active"`'
            return failure(message=message, hint=hint)
        case "identifier":
            return failure(
                message=f"the identifier {message} is what the expression gives for an empty record, but {fields}",
                identifier=orjson.loads(message),
                hint="the mapping does not fit this API: `identifier` finds none of its fields",
            )
        case _:
            return failure(message=message)


def _fault(page: Page, index: int, identifier: Json, blueprint: Json, body: bytes) -> Failure | None:
    """Why a record with this identifier and blueprint cannot become an entity, or None."""
    name = identifier if isinstance(identifier, str) else None

    def failure(code: str, message: str, hint: str) -> Failure:
        return Failure(code, message, page.number, page.first_record + index + 1, name, hint, page.chain)

    if not isinstance(blueprint, str):
        message = f"`blueprint` gave {blueprint['type']}, not a text"
        return failure("blueprint", message, "a constant is written '\"name\"'")
    if (fault := identifiers.blueprint_fault_of(blueprint)) is not None:
        return failure("blueprint", f"the blueprint {fault}", "check the expression `blueprint`")
    if (fault := identifiers.fault_of(identifier)) is not None:
        hint = "check `identifier` against the record: `data_path` may point one level too high or too low"
        return failure("identifier", f"the identifier {fault}", hint)
    if len(body) > LARGEST_ENTITY:
        message = f"the entity has {len(body):,} bytes; Port takes at most {LARGEST_ENTITY:,} in one request"
        return failure("entity-too-large", message, "map fewer or shorter properties")
    return None


def page_problem(page: Page, problem: Problem) -> Problem:
    """What a failed run of a program on a page means: no JSON at all, or an expression that fails."""
    place = f"{page.request}, page {page.number}"
    if problem.code != "jq-failed":
        return Problem(problem.code, problem.message, place, problem.hint)
    if problem.message == NOT_ONE_VALUE or problem.message.startswith(("parse error", "the body is not UTF-8")):
        return not_json(page.body, problem.message, place)
    return Problem("jq-failed", f"the page cannot be mapped: {problem.message}", place, problem.hint)

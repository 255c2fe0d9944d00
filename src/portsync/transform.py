"""Pages -> entities and failures. The resource's JQ program does the mapping; here its outputs are read."""

from __future__ import annotations

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
from portsync.jq.program import NOT_ONE_VALUE, PageProgram, encoded_variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


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
    variables: Mapping[str, Json]
    now: float
    """Epoch seconds."""
    pool: JqPool

    def programs(self) -> Programs:
        """The programs, built once for all pages."""
        fast, guarded = self.program.fast, self.program.guarded
        exact = guarded(self.now, exact=True)
        # What nests too deeply to be passed on as values goes through where JQ writes it down.
        return Programs((fast(self.now), guarded(self.now), exact), (fast(self.now, exact=True), exact))


async def map_page(page: Page, mapper: Mapper, programs: Programs) -> MappedPage:
    """What becomes of each record of `page`. Raises ExpressionError where the page as a whole cannot be mapped;
    its code is `not-json` where the page is no JSON. `programs` are the mapper's."""
    isolated: tuple[Failure, ...] = ()
    page = replace(page, body=with_whole_characters(page.body))
    chosen = programs.of(page.body)
    try:
        lines = iter((await mapper.pool.run(chosen, encoded_variables(mapper.variables), page.body)).lines)
    except ExpressionError as error:
        if error.problems[0].code not in RUNAWAY:
            raise ExpressionError(_page_problem(page, error.problems[0])) from error
        found = await _isolated(page, mapper, chosen, error.problems[0])
        lines, isolated = iter(found.lines), found.failures
    head = _facts_of(next(lines), page)
    entities: list[Entity] = []
    failures: list[Failure] = []
    field_errors: list[FieldError] = []
    mapped = {failure.record - 1 for failure in isolated}
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
        name = identifier if isinstance(identifier, str) else identifier["search"]
        entities.append(Entity(blueprint, name, body, bytes.fromhex(digest), page.number, index + 1))
        for field, message in errors[0] if errors else ():
            field_errors.append(FieldError(field, message, page.number, index + 1, name))
    return MappedPage(
        page.number,
        PageFacts(head["records"], head["values"], head["missing"], head["error"]),
        filtered=head["records"] - len(mapped),
        entities=tuple(entities),
        failures=(*isolated, *failures),
        field_errors=tuple(field_errors),
        content=_content(head, entities),
    )


async def _isolated(page: Page, mapper: Mapper, programs: tuple[str, ...], cause: Problem) -> Isolated:
    """The lines of a page, first its facts, on which some record, or some expression, runs away."""
    pool = mapper.pool

    async def run(part: Part) -> tuple[bytes, ...]:
        variables = encoded_variables(mapper.variables, part.first, part.end)
        return (await pool.run(programs, variables, page.body, timeout_s=part.timeout_s)).lines[1:]

    async def name(part: Part) -> str:
        variables = encoded_variables(mapper.variables, part.first, part.end)
        for name, code in mapper.program.named():
            try:
                await pool.run([mapper.program.alone(code, mapper.now)], variables, page.body, timeout_s=part.timeout_s)
            except ExpressionError as error:
                if error.problems[0].code in RUNAWAY:
                    return name
        return "the expressions together"

    try:
        facts = (await pool.run(programs, encoded_variables(mapper.variables, 0, 0), page.body)).lines[0]
        records = _facts_of(facts, page)["records"]
        found = await isolate(page.number, records, pool.limits.timeout_s, cause, run, name)
    except ExpressionError as error:
        raise ExpressionError(_page_problem(page, error.problems[0])) from error
    return Isolated((facts, *found.lines), found.failures)


def _facts_of(line: bytes, page: Page) -> dict[str, Json]:
    try:
        return cast("dict[str, Json]", orjson.loads(line))
    except orjson.JSONDecodeError as error:
        message = f"a paging value of the page is nothing that JSON can say: {error}"
        raise ExpressionError(Problem("pagination", message, f"{page.request}, page {page.number}")) from error


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
    failure = partial(Failure, code, page=page.number, record=index + 1)
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
    at = (page.number, index + 1)
    name = identifier if isinstance(identifier, str) else None
    if not isinstance(blueprint, str):
        message = f"`blueprint` gave {blueprint['type']}, not a text"
        return Failure("blueprint", message, *at, name, "a constant is written '\"name\"'")
    if (fault := identifiers.blueprint_fault_of(blueprint)) is not None:
        return Failure("blueprint", f"the blueprint {fault}", *at, name, "check the expression `blueprint`")
    if (fault := identifiers.fault_of(identifier)) is not None:
        hint = "check `identifier` against the record: `data_path` may point one level too high or too low"
        return Failure("identifier", f"the identifier {fault}", *at, name, hint)
    if len(body) > LARGEST_ENTITY:
        message = f"the entity has {len(body):,} bytes; Port takes at most {LARGEST_ENTITY:,} in one request"
        return Failure("entity-too-large", message, *at, name, "map fewer or shorter properties")
    return None


def _page_problem(page: Page, problem: Problem) -> Problem:
    place = f"{page.request}, page {page.number}"
    if problem.code != "jq-failed":
        return Problem(problem.code, problem.message, place, problem.hint)
    if problem.message == NOT_ONE_VALUE or problem.message.startswith(("parse error", "the body is not UTF-8")):
        return not_json(page.body, problem.message, place)
    return Problem("jq-failed", f"the page cannot be mapped: {problem.message}", place, problem.hint)

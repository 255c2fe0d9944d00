"""Pages -> entities and failures. The resource's JQ program does the mapping; here its outputs are read."""

from __future__ import annotations

import re
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING

import orjson

from portsync.errors import ExpressionError, Problem
from portsync.flow import Entity, Failure, FieldError, Json, MappedPage, Page, PageFacts
from portsync.identifiers import fault_of
from portsync.jq.program import NOT_ONE_VALUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.jq.pool import JqPool

_EXCERPT = 200


async def map_page(page: Page, programs: Sequence[str], variables: bytes, pool: JqPool) -> MappedPage:
    """What becomes of each record of `page`. Raises ExpressionError where the page as a whole cannot be mapped;
    its code is `not-json` where the page is no JSON."""
    try:
        outputs = await pool.run(programs, variables, page.body)
    except ExpressionError as error:
        raise ExpressionError(_page_problem(page, error.problems[0])) from error
    lines = iter(outputs.lines)
    head = orjson.loads(next(lines))
    facts = PageFacts(head["records"], head["values"], head["missing"], head["error"])
    entities: list[Entity] = []
    failures: list[Failure] = []
    field_errors: list[FieldError] = []
    mapped: set[int] = set()
    for line in lines:
        index, identifier, *rest = orjson.loads(line)
        mapped.add(index)
        if identifier is None and len(rest) > 1 and isinstance(rest[1], str):
            failures.append(_expression_failure(page, index, *rest))
            continue
        body = next(lines)
        blueprint = rest[0]
        fault = _head_fault(page, index, identifier, blueprint)
        if fault is not None:
            failures.append(fault)
            continue
        name = identifier if isinstance(identifier, str) else orjson.dumps(identifier).decode()
        digest = blake2b(body, digest_size=16).digest()
        entities.append(Entity(blueprint, name, body, digest, page.number, index + 1))
        for field, message in rest[1] if len(rest) > 1 else ():
            field_errors.append(FieldError(field, message, page.number, index + 1, name))
    return MappedPage(
        page.number,
        facts,
        filtered=facts.records - len(mapped),
        entities=tuple(entities),
        failures=tuple(failures),
        field_errors=tuple(field_errors),
    )


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


def _head_fault(page: Page, index: int, identifier: Json, blueprint: Json) -> Failure | None:
    """Why a record with this identifier and blueprint cannot become an entity, or None."""
    if not isinstance(blueprint, str) or not blueprint:
        message = f"`blueprint` gave {_shown(blueprint)}, which is not a text"
        return Failure("blueprint", message, page.number, index + 1, hint="a constant is written '\"name\"'")
    if (fault := fault_of(identifier)) is not None:
        return Failure(
            "identifier",
            f"the identifier {fault}",
            page.number,
            index + 1,
            identifier=identifier if isinstance(identifier, str) else None,
            hint="check `identifier` against the record: `data_path` may point one level too high or too low",
        )
    return None


def _shown(value: Json) -> str:
    return orjson.dumps(value).decode()[:_EXCERPT]


def _page_problem(page: Page, problem: Problem) -> Problem:
    place = f"{page.request}, page {page.number}"
    if problem.code != "jq-failed":
        return Problem(problem.code, problem.message, place, problem.hint)
    if problem.message == NOT_ONE_VALUE or problem.message.startswith(("parse error", "the body is not UTF-8")):
        return not_json(page, place)
    return Problem("jq-failed", f"the page cannot be mapped: {problem.message}", place, problem.hint)


def not_json(page: Page, place: str) -> Problem:
    """The problem of a page that is no JSON: an HTML page is named as such, with its first words."""
    text = page.body[:4096].decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    if re.match(r"(?i)<(!doctype html|html|head|body)", text):
        words = " ".join(re.sub(r"(?is)<(script|style).*?</\1>|<[^>]*>", " ", text).split())
        return Problem(
            "html-answer",
            f"the answer is an HTML page, not JSON: {words[:_EXCERPT]!r}",
            place,
            "check the URL; a login page means that the credentials were not taken",
        )
    shown = " ".join(text.split())[:_EXCERPT]
    message = f"the answer is not JSON: it begins {shown!r}" if shown else "the answer is empty"
    return Problem("not-json", message, place, "check the URL and the `accept` header")

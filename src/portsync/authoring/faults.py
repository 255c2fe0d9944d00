"""What a case came to, against what was expected: differences as texts that tell where to look."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from portsync.compare import differences
from portsync.excerpts import cut_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from portsync.authoring.case_run import CaseResult
    from portsync.authoring.cases import Case, Expected, ExpectedEntity
    from portsync.flow import Json

_LONGEST_VALUE = 100


def faults_of(case: Case, result: CaseResult) -> list[str]:
    """In what the case came to something else than it says, each a line or a few; none where it passes."""
    found = [f"no answer is given for {request}" for request in result.missed]
    if case.given is not None:
        found += [f"given[{index}] was never asked for" for index in result.unused]
    expect = case.expect
    if expect is None:
        return [*found, "the case expects nothing: `portsync test --update` writes down what it came to"]
    if expect.verdict is not None and expect.verdict not in (result.verdict, result.verdict.partition(" ")[0]):
        found.append(f"verdict: expected {expect.verdict}, got {result.verdict}{_why(result)}")
    elif expect.verdict is None and result.verdict != "complete" and not found:
        found.append(f"the case ended as {result.verdict}, and `expect.verdict` does not say so{_why(result)}")
    return [*found, *_request_faults(expect, result), *_entity_faults(expect, result), *_failure_faults(expect, result)]


def _why(result: CaseResult) -> str:
    return "".join(f"\n{problem.message}" for problem in result.problems[:3])


def _request_faults(expect: Expected, result: CaseResult) -> Iterator[str]:
    if expect.requests is None:
        return
    for number, (asked, request) in enumerate(zip(expect.requests, result.requests, strict=False), start=1):
        for fault in asked.faults(request):
            yield f"request {number}: {fault}"
    for number in range(len(result.requests), len(expect.requests)):
        yield f"request {number + 1}: was not made"
    for number, request in enumerate(result.requests[len(expect.requests) :], start=len(expect.requests) + 1):
        yield f"request {number}: is not expected: {request}"


def _entity_faults(expect: Expected, result: CaseResult) -> Iterator[str]:
    if expect.entities is None:
        return
    given = {(str(e["blueprint"]), name_of(e["identifier"])): e for e in result.entities}
    wanted = {(entity.blueprint, entity.identifier): entity for entity in expect.entities}
    for key, number in Counter((entity.blueprint, entity.identifier) for entity in expect.entities).items():
        if number > 1:
            yield f"entity {key[0]}/{key[1]}: is expected {number} times"
    for key, entity in wanted.items():
        if key not in given:
            yield f"entity {key[0]}/{key[1]}: is missing"
            continue
        lines = [
            f"\n  {one.name}: expected {_short(one.old)}, got {_short(one.new)}"
            for one in differences(given[key], held_form(entity), is_merge=False)
        ]
        if lines:
            yield f"entity {key[0]}/{key[1]}:{''.join(lines)}"
    for key in given:
        if key not in wanted:
            yield f"entity {key[0]}/{key[1]}: is not expected"


def held_form(entity: ExpectedEntity) -> Mapping[str, Json]:
    """The entity as Port would give it."""
    return entity.model_dump(exclude={"blueprint", "identifier"})


def name_of(identifier: Json) -> str:
    """An identifier as a text; a search for one as its JSON."""
    return identifier if isinstance(identifier, str) else json.dumps(identifier, sort_keys=True)


def _failure_faults(expect: Expected, result: CaseResult) -> Iterator[str]:
    wanted = expect.failures
    if wanted is not None or result.failures:
        rest = list(result.failures)
        for part in wanted or []:
            found = next((message for message in rest if part in message), None)
            if found is None:
                yield f"failure: none says `{part}`"
            else:
                rest.remove(found)
        for message in rest:
            yield f"failure: is not expected: {message}"
    if expect.field_errors is not None and expect.field_errors != result.field_errors:
        yield f"field_errors: expected {expect.field_errors}, got {result.field_errors}{_field_errors(result)}"
    elif expect.field_errors is None and result.field_errors:
        yield f"field_errors: expected none, got {result.field_errors}{_field_errors(result)}"


def _field_errors(result: CaseResult) -> str:
    some: Sequence[str] = [f"\n  {p.message}" for p in result.problems if p.code == "field-error"]
    return "".join(some[:3])


def _short(value: Json) -> str:
    return "nothing" if value is None else cut_json(value, _LONGEST_VALUE)

"""Expected against observed."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from tests.conformance.case import USER_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.conformance.case import Ask, Case, Expected, Moment, Observed
    from tests.conformance.wire import Asked

_PRIVATE = ("authorization", "x-api-key", "cookie", USER_HEADER)
"""What no other origin may see."""
_TOLERANCE_S = 0.05


def differences(case: Case, observed: Observed) -> list[str]:
    """In what `observed` is not as `case` wants it; empty where nothing is."""
    expected = case.expected
    return [
        *observed.faults,
        *_of_requests(expected, observed),
        *_of_moments(expected, observed),
        *_of_records(expected, observed),
        *_of_properties(expected, observed),
        *_of_the_end(expected, observed),
        *_of_privacy(case, observed),
    ]


def _of_requests(expected: Expected, observed: Observed) -> Iterator[str]:
    if expected.in_order and not expected.may_ask:
        return _in_turn(expected.requests, observed.requests)
    return _in_any_turn(expected.requests, expected.may_ask, observed.requests)


def _in_turn(wanted: Sequence[Ask], asked: Sequence[Asked]) -> Iterator[str]:
    for number, (ask, seen) in enumerate(itertools.zip_longest(wanted, asked), start=1):
        if ask is None:
            yield f"request {number} should not be: {_line(seen)}"
        elif seen is None:
            yield f"request {number} is missing: {ask.line}"
        else:
            yield from (f"request {number}: {fault}" for fault in _faults(ask, seen))


def _in_any_turn(wanted: Sequence[Ask], allowed: Sequence[Ask], asked: Sequence[Asked]) -> Iterator[str]:
    left: defaultdict[object, list[Asked]] = defaultdict(list)
    for seen in asked:
        left[_key(seen.server, seen.method, seen.target)].append(seen)
    for number, ask in enumerate((*wanted, *allowed)):
        candidates = left[_key(ask.server, ask.method, ask.target)]
        fitting = next((seen for seen in candidates if not list(_faults(ask, seen))), None)
        if fitting is not None:
            candidates.remove(fitting)
        elif number < len(wanted):
            near = [fault for seen in candidates for fault in _faults(ask, seen)]
            yield f"never asked: {ask.line} {near or ''}".strip()
    yield from (f"should not be asked: {_line(seen)}" for rest in left.values() for seen in rest)


def _faults(ask: Ask, seen: Asked) -> Iterator[str]:
    """In what one request is not the one that was wanted."""
    if _key(ask.server, ask.method, ask.target) != _key(seen.server, seen.method, seen.target):
        yield f"{_line(seen)} in place of {ask.line} to {ask.server}"
    for name, value in ask.headers.items():
        if seen.header(name) != value:
            yield f"header {name} is {seen.header(name)!r} in place of {value!r}"
    if ask.json is not None and (not seen.body or _typed(json.loads(seen.body)) != _typed(ask.json)):
        yield f"body is {seen.body!r} in place of {json.dumps(ask.json)}"
    if ask.text is not None and seen.body != ask.text.encode():
        yield f"body is {seen.body!r} in place of {ask.text!r}"
    if ask.form is not None and sorted(parse_qsl(seen.body.decode(), keep_blank_values=True)) != sorted(ask.form):
        yield f"body is {seen.body!r} in place of the form {ask.form}"


def _typed(value: object) -> str:
    """JSON in one form: 1 and true are different, the order of keys is not."""
    return json.dumps(value, sort_keys=True)


def _key(server: str, method: str, target: str) -> tuple[object, ...]:
    url = urlsplit(target)
    return server, method, url.path, tuple(sorted(parse_qsl(url.query, keep_blank_values=True)))


def _line(seen: Asked) -> str:
    return f"{seen.method} {seen.target} to {seen.server}"


def _of_moments(expected: Expected, observed: Observed) -> Iterator[str]:
    moments = [seen.at for seen in observed.requests]
    if expected.moments is None:
        return
    fit = len(moments) == len(expected.moments)
    if not fit or not all(_is_within(at, wanted) for at, wanted in zip(moments, expected.moments, strict=True)):
        yield f"moments of the requests: {moments} in place of {expected.moments}"


def _is_within(at: float, wanted: Moment) -> bool:
    earliest, latest = wanted if isinstance(wanted, tuple) else (wanted, wanted)
    return earliest - _TOLERANCE_S <= at <= latest + _TOLERANCE_S


def _of_records(expected: Expected, observed: Observed) -> Iterator[str]:
    if expected.records is not None:
        wanted = list(expected.records)
        came = _in_their_order(observed.batches, wanted)
        if not expected.records_in_order:
            wanted, came = sorted(wanted), sorted(came)
        if came != wanted:
            yield f"records: {came} in place of {wanted}"
        if expected.read is None and sum(observed.read) != len(wanted):
            yield f"records that were counted: {sum(observed.read)} in place of {len(wanted)}"
    if expected.read and observed.read != expected.read:
        yield f"records that were counted: {observed.read} in place of {expected.read}"


def _in_their_order(batches: Sequence[Sequence[str]], wanted: list[str]) -> list[str]:
    """All identifiers. Several bulk requests are under way together, so they may arrive in any order: each counts
    from the place of its first record on."""
    places = {identifier: place for place, identifier in reversed(list(enumerate(wanted)))}
    ordered = sorted(batches, key=lambda batch: places.get(batch[0], len(places)))
    return [identifier for batch in ordered for identifier in batch]


def _of_properties(expected: Expected, observed: Observed) -> Iterator[str]:
    for identifier, wanted in expected.properties.items():
        came = observed.properties.get(identifier, {})
        for name, value in wanted.items():
            if _typed(came.get(name)) != _typed(value):
                yield f"`{name}` of {identifier} is {came.get(name)!r} in place of {value!r}"


def _of_the_end(expected: Expected, observed: Observed) -> Iterator[str]:
    if observed.verdicts != expected.verdicts:
        yield f"verdicts: {observed.verdicts} in place of {expected.verdicts}"
    if observed.exit_code != expected.exit_code:
        yield f"exit code: {observed.exit_code} in place of {expected.exit_code}"
    codes = sorted(code for code, _ in observed.problems)
    if expected.codes is not None and codes != sorted(expected.codes):
        yield f"problems: {codes} in place of {sorted(expected.codes)}"
    said = [text for _, text in observed.problems]
    yield from (f"no problem says `{words}`: {said}" for words in expected.says if not any(words in t for t in said))


def _of_privacy(case: Case, observed: Observed) -> Iterator[str]:
    own = urlsplit(case.mapping()["source"]["base_url"]).hostname or ""
    for seen in observed.requests:
        if seen.server != own.removesuffix(".test"):
            yield from (f"{_line(seen)} carries {name}" for name in _PRIVATE if seen.header(name) is not None)

"""The words in which cases are written: what a source answers, and what is expected of a reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.conformance.case import Ask, Expected, incomplete
from tests.conformance.wire import Asked, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@dataclass(frozen=True)
class Turns:
    """Answers to the same request, one after the other; the last one stays."""

    answers: tuple[Any, ...]


def turns(*answers: Any) -> Turns:
    return Turns(answers)


def table(answers: Mapping[str, Any]) -> Callable[[Asked], Any]:
    """A source that knows so many requests, `GET /things?page=1`, in any order of their parameters; `away` before the
    method means the server of another origin. To all else it says 404."""
    known = {_key(line): answer for line, answer in answers.items()}

    def script(asked: Asked) -> Any:
        prefix = "away " if asked.server == "away" else ""
        answer = known.get(_key(f"{prefix}{asked.method} {asked.target}"), Reply({"unexpected": asked.target}, 404))
        if isinstance(answer, Turns):
            return answer.answers[min(asked.before, len(answer.answers) - 1)]
        return answer

    return script


def always(answer: Any) -> Callable[[Asked], Any]:
    """A source that says the same whatever it is asked, or `turns` by the number of times it was asked it."""

    def script(asked: Asked) -> Any:
        if isinstance(answer, Turns):
            return answer.answers[min(asked.before, len(answer.answers) - 1)]
        return answer

    return script


def first_then(first: Any, later: Any) -> Callable[[Asked], Any]:
    """A source that says `first` to a request without parameters, and `later` to all others."""
    return lambda asked: later if asked.query else first


def _key(line: str) -> tuple[object, ...]:
    before, _, target = line.rpartition(" ")
    url = urlsplit(target)
    return before, url.path, tuple(sorted(parse_qsl(url.query, keep_blank_values=True)))


def things(*ids: Any) -> list[dict[str, Any]]:
    return [{"id": identifier} for identifier in ids]


def ids(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(value) for value in values)


def get(target: str, **more: Any) -> Ask:
    return Ask(f"GET {target}", **more)


def post(target: str, **more: Any) -> Ask:
    return Ask(f"POST {target}", **more)


def gets(pattern: str, values: Iterable[Any]) -> tuple[Ask, ...]:
    return tuple(get(pattern.format(value)) for value in values)


def complete(requests: Iterable[Ask], records: Iterable[Any] | None, **more: Any) -> Expected:
    """Read to the last record."""
    return Expected(tuple(requests), None if records is None else ids(records), **more)


def broken(reason: str, requests: Iterable[Ask], records: Iterable[Any] | None, **more: Any) -> Expected:
    """One resource, not read to its end."""
    given: dict[str, Any] = {"verdicts": (incomplete(reason),), "exit_code": 1} | more
    return Expected(tuple(requests), None if records is None else ids(records), **given)

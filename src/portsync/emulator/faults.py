"""What a test or a trial run scripts the local Port to do wrong: which requests are struck, how often, and by what."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from portsync.emulator.errors import invalid_request
from portsync.emulator.patterns import is_harmless
from portsync.emulator.request_schemas import RequestSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

_COUNT = {"type": "integer", "minimum": 0}
_SECONDS = {"type": "number", "exclusiveMinimum": 0}
_ITEM: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "statusCode": {"type": "integer", "minimum": 400, "maximum": 599},
            "error": {"type": "string"},
            "message": {"type": "string"},
        },
        "required": ["statusCode"],
        "additionalProperties": False,
    }
)
FAULT: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "method": {"type": "string"},
            "path": {"type": "string", "format": "regex"},
            "entity": {"type": ["string", "array"], "items": {"type": "string"}},
            "more_than": _COUNT,
            "after": _COUNT,
            "times": {"type": ["integer", "null"], "minimum": 1},
            "for_s": _SECONDS,
            "status": {"type": "integer", "minimum": 200, "maximum": 599},
            "retry_after": {"type": ["number", "string"], "pattern": "^[ -~]*$"},
            "body": {"type": "string"},
            "items": _ITEM,
            "hang": {"anyOf": [{"const": True}, _SECONDS]},
            "cut": {"enum": ["before", "after"]},
        },
        "additionalProperties": False,
    }
)
_EFFECTS = (frozenset({"status", "body"}), frozenset({"items"}), frozenset({"hang"}), frozenset({"cut"}))
_REASONS = {
    401: ("unauthorized", "The access token is missing, invalid or expired"),
    413: ("payload_too_large", "Request body is too large"),
    429: ("too_many_requests", "The rate limit is exceeded"),
    500: ("internal_error", "Internal error"),
    502: ("bad_gateway", "Bad gateway"),
    503: ("service_unavailable", "Service unavailable"),
    504: ("gateway_timeout", "Gateway timeout"),
}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in place of Port's own; 401 ends the life of the current token too."""

    status: int
    retry_after: str | None
    text: str | None
    """The body, as HTML; Port's envelope where it is None."""

    @property
    def reason(self) -> tuple[str, str]:
        """Port's code for this status, and words for people."""
        return _REASONS.get(self.status, ("scripted_fault", f"A scripted fault of status {self.status}"))


@dataclass(frozen=True, slots=True)
class RefusedItems:
    """Some entities of a bulk upsert are refused, the others are written."""

    chosen: frozenset[str]
    """Identifiers; all where it is empty."""
    status: int
    error: str
    message: str


@dataclass(frozen=True, slots=True)
class Hang:
    """Nothing happens for so many seconds, or until the client gives up where it is None."""

    seconds: float | None


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection ends without an answer, before or after the request was carried out."""

    is_applied: bool


Effect = Reply | RefusedItems | Hang | Cut


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule: which requests it strikes, and what happens to them."""

    method: str | None
    path: re.Pattern[str]
    """Matched from the beginning of the path, so a prefix is a pattern too."""
    entities: frozenset[str]
    """A request has to hold one of these identifiers; any request does where it is empty."""
    more_than: int
    """A request has to hold more entities than this, or none has to be in it where it is -1."""
    after: int
    """So many matching requests go by before the first is struck."""
    times: int | None
    """How many are struck; None where there is no limit."""
    for_s: float | None
    """Seconds from the first strike, after which none is struck any more."""
    effect: Effect
    given: Mapping[str, Any]
    """The rule as it was written."""

    def matches(self, method: str, path: str, identifiers: AbstractSet[str], count: int) -> bool:
        return (
            self.method in (None, method)
            and self.path.match(path) is not None
            and count > self.more_than
            and (not self.entities or not self.entities.isdisjoint(identifiers))
        )


class FaultReader:
    """Reads rules in the form that `POST /_faults` takes."""

    def __init__(self) -> None:
        self._schema = RequestSchema(FAULT)

    def read(self, rules: object) -> tuple[Fault, ...]:
        """The rules of a list; ApiError 422 for anything else."""
        if not isinstance(rules, list | tuple):
            raise invalid_request('"body" must be array')
        return tuple(self._fault(rule, f"body.{index}") for index, rule in enumerate(rules))

    def _fault(self, rule: object, root: str) -> Fault:
        value = self._schema.check(rule, root=root)
        if sum(not effect.isdisjoint(value) for effect in _EFFECTS) != 1:
            raise invalid_request(f'"{root}" must have one of status (or body), items, hang and cut')
        if not is_harmless(value.get("path", "")):
            raise invalid_request(f'"{root}.path" must be a pattern that repeats no group and two parts at most')
        entity = value.get("entity", [])
        entities = frozenset([entity] if isinstance(entity, str) else entity)
        return Fault(
            method=value.get("method"),
            path=re.compile(value.get("path", "")),
            entities=entities,
            more_than=value.get("more_than", -1),
            after=value.get("after", 0),
            times=value.get("times", None if "for_s" in value else 1),
            for_s=value.get("for_s"),
            effect=_effect(value, entities),
            given=MappingProxyType(value),
        )


def _effect(value: Mapping[str, Any], entities: frozenset[str]) -> Effect:
    if "items" in value:
        item = value["items"]
        status = int(item["statusCode"])
        error, message = Reply(status, None, None).reason
        return RefusedItems(entities, status, item.get("error", error), item.get("message", message))
    if "hang" in value:
        return Hang(None if value["hang"] is True else float(value["hang"]))
    if "cut" in value:
        return Cut(is_applied=value["cut"] == "after")
    asked = value.get("retry_after")
    return Reply(int(value.get("status", 200)), None if asked is None else f"{asked}", value.get("body"))


class _Rule:
    """A fault, and how often it was met."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.struck = 0
        self._met = 0
        self._ends_at: float | None = None

    def strikes(self, now: float) -> bool:
        """Count a matching request; whether it is struck."""
        self._met += 1
        if self._met <= self.fault.after or not self.is_live(now):
            return False
        if self._ends_at is None and self.fault.for_s is not None:
            self._ends_at = now + self.fault.for_s
        self.struck += 1
        return True

    def is_live(self, now: float) -> bool:
        is_used_up = self.fault.times is not None and self.struck >= self.fault.times
        return not is_used_up and (self._ends_at is None or now < self._ends_at)

    def as_json(self, now: float) -> dict[str, Any]:
        left = None if self.fault.times is None else self.fault.times - self.struck
        return {**self.fault.given, "struck": self.struck, "left": left if self.is_live(now) else 0}


class Faults:
    """The rules in force. Of those that match a request, the first that is due strikes; the ones after it do not
    count that request."""

    def __init__(self, faults: Iterable[Fault], clock: Callable[[], float]) -> None:
        self._rules = [_Rule(fault) for fault in faults]
        self._clock = clock
        self._lock = threading.Lock()

    def add(self, faults: Iterable[Fault]) -> None:
        with self._lock:
            self._rules += [_Rule(fault) for fault in faults]

    def clear(self) -> None:
        with self._lock:
            self._rules = []

    def any(self) -> bool:
        return bool(self._rules)

    def strike(self, method: str, path: str, identifiers: AbstractSet[str], count: int) -> Effect | None:
        """What happens to a request that holds `count` entities; None where it is served."""
        with self._lock:
            now = self._clock()
            for rule in self._rules:
                if rule.fault.matches(method, path, identifiers, count) and rule.strikes(now):
                    return rule.fault.effect
            return None

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            now = self._clock()
            return [rule.as_json(now) for rule in self._rules]

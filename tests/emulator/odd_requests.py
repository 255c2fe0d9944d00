"""Requests to every route of the local Port: whole ones, damaged ones, and such as make no sense at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from portsync.emulator.blueprint_schema import PATCH_BLUEPRINT, POST_BLUEPRINT, PUT_BLUEPRINT
from portsync.emulator.faults import FAULT
from portsync.emulator.integration_schema import (
    PATCH_CONFIG,
    PATCH_INTEGRATION,
    PATCH_RESYNC_STATE,
    POST_EXAMPLES,
    POST_INTEGRATION,
)
from portsync.emulator.operators import OPERATORS, TIMER_OPERATORS
from portsync.emulator.page_schema import PATCH_PAGE, POST_PAGE
from portsync.emulator.request_schemas import BLUEPRINT_SEARCH, BULK_DELETE, BULK_UPSERT, ENTITY, PATCH_ENTITY, TOKEN
from portsync.emulator.widget_schemas import UNCHECKED_WIDGETS, WIDGETS
from tests.emulator.hostile_values import anything, encoded, like, marred, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    Draw = Callable[[Random], Any]

PROPERTY = POST_BLUEPRINT["properties"]["schema"]["properties"]["properties"]["additionalProperties"]
_PROPERTIES = {
    "name": {"type": "string"},
    "size": {"type": "number"},
    "day": {"type": "string", "format": "date-time"},
    "plan": {"type": "string", "format": "yaml"},
    "bag": {"type": "object"},
    "tags": {"type": "array", "items": {"type": "string"}},
    "done": {"type": "boolean"},
    "level": {"type": "string", "enum": ["low", "high"], "enumColors": {"low": "green"}},
}
THING: dict[str, Any] = {
    "identifier": "thing",
    "title": "Thing",
    "schema": {"properties": _PROPERTIES, "required": []},
    "relations": {"self": {"target": "thing"}, "many": {"target": "thing", "many": True}, "user": {"target": "_user"}},
    "calculationProperties": {"twice": {"calculation": ".properties.size * 2", "type": "number"}},
}
A: dict[str, Any] = {
    "identifier": "a",
    "title": "A",
    "icon": "i",
    "team": ["t"],
    "properties": {
        "name": "n",
        "size": 1,
        "day": "2025-01-01T00:00:00Z",
        "plan": "a: 1",
        "bag": {"k": [1]},
        "tags": ["x"],
        "done": True,
        "level": "low",
    },
    "relations": {"self": "a", "many": ["a", "b"], "user": "ann@example.com"},
}
B = {"identifier": "b", "relations": {"self": {"combinator": "and", "rules": [
    {"property": "$identifier", "operator": "=", "value": "a"}]}}}  # fmt: skip
EVERYTHING = {"combinator": "and", "rules": []}
NUMBER = {"id": "n", "type": "entities-number-chart", "unit": "none", "func": "count", "blueprint": "thing"}
MARKDOWN = {"id": "m", "type": "markdown", "markdown": "# x"}
BOARD = {
    "id": "d",
    "type": "dashboard-widget",
    "layout": [{"height": 400, "columns": [{"id": "n", "size": 6}, {"id": "m", "size": 6}]}],
    "widgets": [NUMBER, MARKDOWN],
}
PAGE = {"identifier": "p", "title": "P", "type": "dashboard", "widgets": [BOARD]}
RESOURCE = {
    "kind": "k",
    "selector": {},
    "port": {"entity": {"mappings": {"identifier": ".id", "blueprint": '"thing"'}}},
}
INTEGRATION = {"installationId": "i", "title": "I", "config": {"resources": [RESOURCE]}}
STATE = {"status": "running", "nextResync": None, "intervalInMinuets": 5}
RUN = {"run_id": "r", "mapping": "m", "status": "ok", "exit_code": 0, "resources": [{"kind": "k", "records": 1}],
       "deletions": [{}], "problems": [{"code": "c"}], "totals": {"records": 1}, "duration_s": 1.5}  # fmt: skip


@dataclass(frozen=True)
class Asking:
    """A request before it is made."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    @property
    def value(self) -> Any:
        """The body as the local Port reads it, which makes floats of numbers beyond 64 bits."""
        return orjson.loads(self.body)


def some(*choices: Any) -> Draw:
    """One of these: a value as it is, or what one of the functions draws."""

    def draw(random: Random) -> Any:
        chosen = random.choice(choices)
        return chosen(random) if callable(chosen) else chosen

    return draw


def schema(described: Mapping[str, Any]) -> Draw:
    """What a schema describes."""
    return lambda random: like(described, random)


def _widgets(random: Random) -> list[Any]:
    loose = {"id": anything(random), "widgets": anything(random), "markdown": text(random)}
    unchecked = {**loose, "type": random.choice(sorted(UNCHECKED_WIDGETS))}
    described = like(random.choice(list(WIDGETS.values())), random)
    return [random.choice((unchecked, described, NUMBER, MARKDOWN)) for _ in range(random.randrange(3))]


def _page(random: Random) -> dict[str, Any]:
    widgets = _widgets(random)
    if random.random() < 0.5:
        columns = [{"id": each.get("id"), "size": 12} for each in widgets]
        widgets = [{**BOARD, "widgets": widgets, "layout": [{"height": 400, "columns": [each]} for each in columns]}]
    return {**like(POST_PAGE, random), "identifier": random.choice(("q", "p", text(random))), "widgets": widgets}


def _path(random: Random) -> dict[str, Any]:
    hop = random.choice(("self", "many", {"relation": "self", "maxHops": 2}, anything(random)))
    return {"path": random.choice(([hop], [hop, "many"], anything(random)))} | (
        {"fromBlueprint": random.choice(("thing", anything(random)))} if random.random() < 0.5 else {}
    )


def _query(random: Random, depth: int = 2) -> dict[str, Any]:
    def rule() -> Any:
        if depth and random.randrange(4) == 0:
            return _query(random, depth - 1)
        whole = {
            "property": random.choice(
                (*_PROPERTIES, "bag.k", "$team", "$blueprint", text(random), anything(random), _path(random))
            ),
            "operator": random.choice((*OPERATORS, *TIMER_OPERATORS, "relatedTo", text(random), anything(random))),
            "value": random.choice((anything(random), "a", ["a"], 1, {"preset": "lastDay"}, {"from": 1, "to": "x"})),
            "relation": random.choice(("self", "many", "user", text(random))),
        }
        lost = random.choice(("property", "relation", "relation", "relation", "value", "operator"))
        others = {
            "blueprint": random.choice(("thing", "_user", anything(random))),
            "direction": random.choice(("upstream", "downstream", anything(random))),
            "required": random.choice((True, False, anything(random))),
            "targetProperty": random.choice(("$title", "$identifier", anything(random))),
            "propertySchema": random.choice(({"type": "string"}, {"type": anything(random)}, anything(random))),
            "context": random.choice(("user", anything(random))),
        }
        also = random.sample(sorted(others), random.randrange(3))
        return {name: value for name, value in whole.items() if name != lost} | {name: others[name] for name in also}

    rules = [rule() for _ in range(random.randrange(3))]
    return {"combinator": random.choice(("and", "or", "and", text(random))), "rules": rules}


def _entity(random: Random) -> dict[str, Any]:
    names = random.sample(sorted(_PROPERTIES), random.randrange(4))
    relations = {name: random.choice((text(random), [text(random)], _query(random))) for name in ("self", "many")}
    return {
        "identifier": random.choice(("a", "b", "new", text(random))),
        "title": text(random),
        "properties": {name: random.choice((A["properties"][name], anything(random))) for name in names},
        "relations": random.choice(({}, relations)),
    }


def _blueprint(random: Random) -> dict[str, Any]:
    more = {"p": like(PROPERTY, random)}
    return {**THING, "identifier": random.choice(("thing", "other", text(random))),
            "schema": {"properties": {**_PROPERTIES, **more}}}  # fmt: skip


def _run(random: Random) -> Any:
    return random.choice((RUN, {"runs": [RUN, marred(RUN, random)]}, marred(RUN, random)))


_BULK: Draw = lambda random: {"entities": [_entity(random) for _ in range(random.randint(1, 4))]}  # noqa: E731 - a value
ROUTES: list[tuple[str, str, Draw | None]] = [
    ("POST", "/v1/auth/access_token", schema(TOKEN)),
    ("GET", "/v1/blueprints", None),
    ("POST", "/v1/blueprints", some(schema(POST_BLUEPRINT), _blueprint)),
    ("GET", "/v1/blueprints/{b}", None),
    ("PUT", "/v1/blueprints/{b}", some(schema(PUT_BLUEPRINT), _blueprint)),
    ("PATCH", "/v1/blueprints/{b}", some(schema(PATCH_BLUEPRINT), _blueprint)),
    ("DELETE", "/v1/blueprints/{b}", None),
    ("POST", "/v1/entities/search", _query),
    ("POST", "/v1/blueprints/{b}/entities/search", schema(BLUEPRINT_SEARCH)),
    ("POST", "/v1/blueprints/{b}/entities/search", lambda random: {"query": _query(random)}),
    ("POST", "/v1/blueprints/{b}/entities/bulk", some(schema(BULK_UPSERT), _BULK, _BULK)),
    ("POST", "/v1/blueprints/{b}/bulk/entities/delete", some(schema(BULK_DELETE), {"entities": ["a", "new"]})),
    ("GET", "/v1/blueprints/{b}/entities", None),
    ("GET", "/v1/blueprints/{b}/entities-count", None),
    ("POST", "/v1/blueprints/{b}/entities", some(schema(ENTITY), _entity, A, B)),
    ("GET", "/v1/blueprints/{b}/entities/{e}", None),
    ("PUT", "/v1/blueprints/{b}/entities/{e}", some(schema(ENTITY), _entity, A, B)),
    ("PATCH", "/v1/blueprints/{b}/entities/{e}", some(schema(PATCH_ENTITY), _entity)),
    ("DELETE", "/v1/blueprints/{b}/entities/{e}", None),
    ("POST", "/v1/pages", _page),
    ("GET", "/v1/pages", None),
    ("GET", "/v1/pages/{p}", None),
    ("PATCH", "/v1/pages/{p}", some(schema(PATCH_PAGE), lambda random: {"widgets": _widgets(random)})),
    ("DELETE", "/v1/pages/{p}", None),
    ("GET", "/v1/organization", None),
    ("POST", "/v1/integration", some(schema(POST_INTEGRATION), INTEGRATION)),
    ("GET", "/v1/integration", None),
    ("GET", "/v1/integration/provision-enabled", None),
    ("GET", "/v1/integration/{i}", None),
    ("PATCH", "/v1/integration/{i}", schema(PATCH_INTEGRATION)),
    ("DELETE", "/v1/integration/{i}", None),
    ("PATCH", "/v1/integration/{i}/config", schema(PATCH_CONFIG)),
    ("PATCH", "/v1/integration/{i}/resync-state", some(schema(PATCH_RESYNC_STATE), STATE)),
    ("GET", "/v1/integration/{i}/resync-request", None),
    ("GET", "/v1/integration/{i}/kinds", None),
    ("POST", "/v1/integration/{i}/kinds/{k}/examples", schema(POST_EXAMPLES)),
    ("GET", "/_runs", None),
    ("POST", "/_runs", _run),
    ("GET", "/_faults", None),
    ("POST", "/_faults", lambda random: [like(FAULT, random) for _ in range(random.randrange(3))]),
    ("GET", "/_requests", None),
]
_KNOWN = {"b": ("thing", "thing", "_user", "other"), "e": ("a", "b", "new"), "p": ("p",), "i": ("i",), "k": ("k",)}
_FLAGS = (
    "upsert", "merge", "create_missing_related_entities", "validation_only", "delete_dependents",
    "exclude_calculated_properties", "include", "exclude", "page", "per_page",
)  # fmt: skip
_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "POST", "X", "")
_TAILS = ("/", "//", "/..", "/%2e%2e", "%", "%00", ";a", "/x" * 2000, "\xff", "/bulk", "/search")
_HEADERS = (b"user-agent", b"content-type", b"x-skip-resync", b"content-length", b"origin", b"authorization")


def asking(random: Random) -> Asking:
    """A request to one of the routes, or to none."""
    method, path, draw = random.choice(ROUTES)
    for name, known in _KNOWN.items():
        odd = random.choice((quote(text(random), safe="", errors="replace"), *"%/\\?#", "%ff", "%ED%A0%80"))
        path = path.replace(f"{{{name}}}", random.choice([*[quote(random.choice(known), safe="")] * 8, odd]))
    body = None if draw is None else draw(random)
    mood = random.randrange(12)
    if mood % 2:
        body = marred(body, random)
    raw = b"" if body is None else encoded(body)
    query = "&".join(
        f"{quote(random.choice((*_FLAGS, text(random))), errors='replace')}="
        f"{quote(random.choice(('true', 'true', 'false', '1', text(random))), errors='replace')}"
        for _ in range(random.randrange(4))
    )
    headers: list[tuple[bytes, bytes]] = []
    match mood:
        case 0:
            method = random.choice(_METHODS)
        case 1:
            path += random.choice(_TAILS)
        case 2:
            raw = random.choice((random.randbytes(20), raw[:-1], raw + b"x", b"[" * 100_000, b" " * 1_100_000))
        case 3:
            query = "".join(chr(random.randrange(256)) for _ in range(10))
        case 4:
            value = random.choice((random.randbytes(8), b"portsync/claude/1.0/main/exporter", b"true", b"9" * 30))
            headers.append((random.choice(_HEADERS), value))
    return Asking(method, path, query, tuple(headers), raw)

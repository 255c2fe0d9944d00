"""From an OpenAPI document to the endpoints that hold records, and how each wants to be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from portsync.authoring.discover.filling import Filling, filled
from portsync.authoring.discover.openapi_document import followed, schema_of, types_of
from portsync.authoring.discover.places import key_of, words_of
from portsync.authoring.discover.proposal import Endpoint, LeftOut
from portsync.mapping.templates import parameters_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portsync.flow import Json

_READING = frozenset("query search find filter list get report read fetch lookup select".split())  # noqa: SIM905
_CHANGES = ("201", "202", "204")
_HEADERS_OF_ITS_OWN = frozenset({"authorization", "accept", "contenttype", "useragent"})


class _Operation(NamedTuple):
    """One method of one path."""

    path: str
    method: str
    said: Mapping[str, Json]
    parameters: tuple[Mapping[str, Json], ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def endpoints_of(document: Mapping[str, Json]) -> tuple[list[Endpoint], list[LeftOut]]:
    """The endpoints of a document that may be asked and give records, those without path parameters first; and those
    that are left out, where somebody may miss them."""
    found: list[Endpoint] = []
    left_out: list[LeftOut] = []
    for operation in _operations(document):
        outcome = _endpoint(operation, document)
        if isinstance(outcome, Endpoint):
            found.append(outcome)
        elif outcome is not None:
            left_out.append(outcome)
    return sorted(found, key=lambda one: len(parameters_in(one.kind))), left_out


def credentials_of(document: Mapping[str, Json]) -> str | None:
    """How the document wants to be told who asks, as something to do."""
    components = followed(document.get("components"), document)
    schemes = followed(components.get("securitySchemes") or document.get("securityDefinitions"), document)
    for value in schemes.values():
        scheme = followed(value, document)
        match (scheme.get("type"), str(scheme.get("scheme", "")).lower(), scheme.get("in"), scheme.get("name")):
            case ("http", "bearer", _, _) | ("oauth2" | "openIdConnect", _, _, _):
                return (
                    "the document asks for a bearer token: put it into a variable, and name that with --auth-env NAME"
                )
            case ("http", "basic", _, _) | ("basic", _, _, _):
                return (
                    "the document asks for a name and a password: --auth-env USER --auth-env PASSWORD --auth-as basic"
                )
            case ("apiKey", _, "header" | "query" as where, str() as name):
                return f"the document asks for a key: --auth-env NAME --auth-as {where}:{name}"
            case _:
                pass
    return None


def _operations(document: Mapping[str, Json]) -> Iterator[_Operation]:
    for path, value in followed(document.get("paths"), document).items():
        item = followed(value, document)
        shared = item.get("parameters")
        for method in ("get", "post"):
            said = followed(item.get(method), document)
            if not said or not str(path).startswith("/") or (method == "post" and "get" in item):
                continue
            own = said.get("parameters")
            listed = [*(shared if isinstance(shared, list) else ()), *(own if isinstance(own, list) else ())]
            parameters = {(one.get("in"), one.get("name")): one for one in (followed(p, document) for p in listed)}
            yield _Operation(str(path), method.upper(), said, tuple(parameters.values()))


def _endpoint(operation: _Operation, document: Mapping[str, Json]) -> Endpoint | LeftOut | None:
    """The endpoint of an operation; None where it is none, and nobody would take it for one."""
    answer = _answer(operation, document)
    record = _record(answer) if answer is not None else None
    if answer is None or (answer and record is None):
        return None
    if operation.method == "POST" and not _only_reads(operation):
        reason = "a POST may change something, and the document does not say that this one only reads"
        return LeftOut(operation.name, reason, "if it does, ask it alone: URL --method POST --body JSON")
    if operation.said.get("deprecated") is True:
        return LeftOut(operation.name, "the document calls it deprecated")
    if operation.method == "GET" and not answer and parameters_in(operation.path):
        return None
    filling = _filled(operation, document)
    if isinstance(filling, LeftOut):
        return filling
    title = operation.said.get("summary")
    return Endpoint(
        operation.path,
        "named in the OpenAPI document",
        operation.method,
        filling.query,
        filling.headers,
        filling.body,
        filling.reasons,
        filling.known,
        record or None,
        title if isinstance(title, str) else None,
        filling.is_window,
    )


def _answer(operation: _Operation, document: Mapping[str, Json]) -> dict[str, Json] | None:
    """The schema of a good answer: an empty one where none is given, None where there is no JSON."""
    responses = followed(operation.said.get("responses"), document)
    good = sorted(str(status) for status in responses if str(status).upper() in ("200", "2XX", "203", "DEFAULT"))
    if not good:
        return {} if not responses else None
    response = followed(next(value for key, value in responses.items() if str(key) == good[0]), document)
    if "schema" in response:
        return schema_of(response["schema"], document)
    content = response.get("content")
    if not isinstance(content, dict):
        return {}
    for kind, media in content.items():
        if "json" in str(kind) or kind == "*/*":
            return schema_of(followed(media, document).get("schema"), document)
    return None


def _record(answer: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """The schema of one record; None where the answer holds no array of records."""
    if "array" in types_of(answer):
        items = answer.get("items")
        return items if isinstance(items, dict) else {}
    properties = answer.get("properties")
    waiting = list(properties.values()) if isinstance(properties, dict) else []
    arrays = [one for one in waiting if isinstance(one, dict) and "array" in types_of(one)]
    for one in waiting:
        if isinstance(one, dict) and isinstance(inner := one.get("properties"), dict):
            arrays += [deep for deep in inner.values() if isinstance(deep, dict) and "array" in types_of(deep)]
    for array in arrays:
        items = array.get("items")
        if isinstance(items, dict) and ("object" in types_of(items) or not items):
            return items
    if isinstance(answer.get("additionalProperties"), dict) and answer["additionalProperties"].get("properties"):
        keyed: Mapping[str, Json] = answer["additionalProperties"]
        return keyed
    return None


def _only_reads(operation: _Operation) -> bool:
    """Whether a POST only asks: nothing is created by it, and its name is that of a question."""
    responses = operation.said.get("responses")
    if isinstance(responses, dict) and any(str(status) in _CHANGES for status in responses):
        return False
    identifier = words_of(str(operation.said.get("operationId") or ""))
    last = words_of(operation.path.rsplit("/", 1)[-1])
    return bool(_READING & {*identifier[:1], *last[:1], *last[-1:]})


def _filled(operation: _Operation, document: Mapping[str, Json]) -> Filling | LeftOut:
    """What has to be sent along; LeftOut where nobody knows what."""
    filling = Filling(known=frozenset(str(one.get("name")) for one in operation.parameters if one.get("in") == "query"))
    for parameter in operation.parameters:
        name, where = str(parameter.get("name")), parameter.get("in")
        is_wanted = parameter.get("required") is True and where in ("query", "header")
        if not is_wanted or key_of(name) in _HEADERS_OF_ITS_OWN:
            continue
        schema = {**parameter, **schema_of(parameter.get("schema"), document)}
        value = filled(name, schema)
        if value is None:
            reason = f"it wants the {where} parameter `{name}`, and the document gives no example of it"
            return LeftOut(operation.name, reason, f"ask it alone: portsync discover URL?{name}=...")
        filling = filling.with_query(name, value) if where == "query" else filling.with_header(name, value)
    if operation.method != "POST":
        return filling
    schema, example = _body(operation, document)
    return filling.with_body(schema, example) or LeftOut(
        operation.name,
        "it wants a body, and the document gives no example of all that has to be in it",
        "ask it alone: URL --method POST --body JSON",
    )


def _body(operation: _Operation, document: Mapping[str, Json]) -> tuple[dict[str, Json], Json]:
    """The schema of a request's body, and an example of one."""
    for parameter in operation.parameters:
        if parameter.get("in") == "body":
            return schema_of(parameter.get("schema"), document), None
    content = followed(operation.said.get("requestBody"), document).get("content")
    for kind, value in content.items() if isinstance(content, dict) else ():
        if "json" in str(kind):
            media = followed(value, document)
            examples = media.get("examples")
            first = next(iter(examples.values()), None) if isinstance(examples, dict) else None
            example = media.get("example", followed(first, document).get("value"))
            return schema_of(media.get("schema"), document), example
    return {}, None

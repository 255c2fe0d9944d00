"""What a click of the page writes into the mapping."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from portsync.errors import ConfigError, Problem
from portsync.mapping.yaml_text import compose
from portsync.mapping.yaml_text import values as values_of
from portsync.studio.paths import each_of, name_of, path_of
from portsync.studio.tree import holds
from portsync.studio.yaml_edits import with_value
from portsync.urls import fault_of, fault_of_base

if TYPE_CHECKING:
    from portsync.studio.asked import Connect, Endpoint, Place, Proposed

_BLANK = "entity"
"""What a mapping is called in its file before somebody names it."""


def connected(asked: Connect) -> str:
    """The text with this source. The secret itself is never part of it. Raises ConfigError."""
    base_url = asked.base_url.strip()
    if (fault := fault_of(base_url) or fault_of_base(base_url)) is not None:
        raise ConfigError(Problem("bad-setting", f"the base URL {fault}", place="base_url"))
    text = with_value(asked.text, ("source", "base_url"), base_url)
    reference = f"${{{asked.variable}}}"
    auth: dict[str, Any]
    match asked.auth:
        case "none":
            auth = {"type": "none"}
        case "bearer":
            auth = {"type": "bearer", "token": reference}
        case "basic":
            auth = {"type": "basic", "username": asked.username, "password": reference}
        case "api_key":
            auth = {"type": "api_key", "key": reference, "header": asked.header}
    return with_value(text, ("source", "auth"), auth)


def with_endpoint(asked: Endpoint) -> tuple[str, int]:
    """The text in which the resource is this endpoint, and its index. A new resource begins with a mapping that every
    API can fill: what each record is called is to be clicked together. Raises ConfigError."""
    count = _resources(asked.text)
    index = count if asked.index is None else min(asked.index, count)
    kind = asked.kind.strip()
    selector: dict[str, Any] = {}
    if asked.method != "GET":
        selector["method"] = asked.method
    if asked.query_params:
        selector["query_params"] = asked.query_params
    if asked.pagination is not None:
        selector["pagination"] = asked.pagination
    if index == count:
        entity = {"identifier": ".id", "blueprint": json.dumps(blueprint_name(kind)), "properties": {}}
        resource: dict[str, Any] = {"kind": kind}
        resource |= {"selector": selector} if selector else {}
        resource["port"] = {"entity": {"mappings": entity}}
        return with_value(asked.text, ("resources", index), resource), index
    text = with_value(asked.text, ("resources", index, "kind"), kind)
    if asked.method != "GET" or _at(text, ("resources", index, "selector", "method")) is not None:
        text = with_value(text, ("resources", index, "selector", "method"), asked.method)
    if asked.query_params or _at(text, ("resources", index, "selector", "query_params")) is not None:
        text = with_value(text, ("resources", index, "selector", "query_params"), asked.query_params)
    if asked.pagination is not None:
        text = with_value(text, ("resources", index, "selector", "pagination"), asked.pagination)
    return text, index


def endpoint_at(text: str, index: int) -> dict[str, Any]:
    """The endpoint of a resource as the text has it, references and all; texts alone, for a form."""
    found = _at(text, ("resources", index))
    resource = found if isinstance(found, dict) else {}
    selector = resource.get("selector")
    selector = selector if isinstance(selector, dict) else {}
    parameters = selector.get("query_params")
    pairs = parameters.items() if isinstance(parameters, dict) else ()
    return {
        "kind": str(resource.get("kind", "")),
        "method": str(selector.get("method", "GET")),
        "pagination": selector.get("pagination") if isinstance(selector.get("pagination"), dict) else None,
        "query_params": [[str(name), str(value)] for name, value in pairs if isinstance(value, str | int | float)],
    }


def blueprint_name(kind: str) -> str:
    """A blueprint's identifier after an endpoint: `/v1/repos?x=1` is `repo`."""
    words = [word for word in kind.partition("?")[0].split("/") if word and "{" not in word]
    name = name_of([words[-1].rpartition(".")[0] or words[-1]]) if words else _BLANK
    if name.endswith("ies") and len(name) > len("series"):
        return f"{name[:-3]}y"
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us", "is")) else name


def placed(asked: Place) -> str:
    """The text in which the value that was clicked on has its role. Raises ConfigError."""
    selector = ("resources", asked.index, "selector")
    path = path_of(asked.keys)
    if asked.each:
        path = each_of(asked.keys) or path
    if asked.role == "data_path":
        return with_value(asked.text, (*selector, "data_path"), path)
    if asked.role == "items":
        return with_value(asked.text, ("resources", asked.index, "port", "itemsToParse"), path)
    entity = _entity(asked.text, asked.index, asked.mapping)
    match asked.role:
        case "property" | "relation":
            section = "properties" if asked.role == "property" else "relations"
            return with_value(asked.text, (*entity, section, asked.name or name_of(asked.keys)), path)
        case role:
            return with_value(asked.text, (*entity, role), path)


def proposed(asked: Proposed) -> str:
    """The text with what was proposed. Raises ConfigError."""
    text = asked.text
    selector = ("resources", asked.index, "selector")
    for key in ("data_path", "pagination", "query_params"):
        value = getattr(asked, key)
        if value is not None and value != {}:
            text = with_value(text, (*selector, key), value)
    if asked.entity is not None:
        text = with_value(text, _entity(text, asked.index, 0), asked.entity)
    return text


def _entity(text: str, index: int, number: int) -> tuple[str | int, ...]:
    """Where the entity mapping stands: `mappings` may be one or a list of them."""
    path = ("resources", index, "port", "entity", "mappings")
    return (*path, number) if isinstance(_at(text, path), list) else path


def _resources(text: str) -> int:
    found = _at(text, ("resources",))
    return len(found) if isinstance(found, list) else 0


def _at(text: str, path: tuple[str | int, ...]) -> Any:
    """The value at `path`; None where there is none, or the text is no YAML."""
    document = compose("mapping.yaml", text)
    if isinstance(document, Problem):
        return None
    value = values_of(document)
    for part in path:
        if not holds(value, part):
            return None
        value = value[part]
    return value

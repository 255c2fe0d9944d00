"""An OpenAPI document (3.x, or Swagger 2.0) as values: reading it, following its references, where its server is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import orjson
import yaml

from portsync.errors import Problem, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portsync.flow import Json

_DEEPEST = 8
_MOST_STEPS = 20
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast, where PyYAML was built with it."""


class _Loader(_BASE):  # type: ignore[misc]
    """Without dates: an example such as `2026-01-01` is a text."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way of saying it
        first: [pair for pair in resolvers if not pair[0].endswith(":timestamp")]
        for first, resolvers in _BASE.yaml_implicit_resolvers.items()
    }


def read_document(text: bytes, place: str) -> dict[str, Json] | None:
    """The document that `text` is, as JSON or YAML; None where it is something else. Raises SourceError where it is
    neither."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe one
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            problem = Problem("bad-openapi", f"is neither JSON nor YAML: {error}", place, "check the file or the URL")
            raise SourceError(problem) from error
    return value if is_document(value) else None


def is_document(value: Json) -> bool:
    """Whether a value is an OpenAPI document."""
    if not isinstance(value, dict) or not isinstance(value.get("paths"), dict):
        return False
    return str(value.get("openapi", "")).startswith("3.") or str(value.get("swagger", "")) == "2.0"


def base_url_of(document: Mapping[str, Json], at: str | None) -> str | None:
    """The base URL that the document names, absolute where `at`, the URL of the document itself, is known."""
    if "swagger" in document:
        host, path = document.get("host"), str(document.get("basePath") or "/")
        schemes = document.get("schemes") or [urlsplit(at).scheme if at else "https"]
        scheme = "https" if "https" in schemes else str(schemes[0])
        return _joined(at, f"{scheme}://{host}{path}" if isinstance(host, str) and host else path)
    servers = document.get("servers")
    first = servers[0] if isinstance(servers, list) and servers and isinstance(servers[0], dict) else {}
    url = str(first.get("url") or "/")
    variables = first.get("variables")
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        if isinstance(variable, dict):
            url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    return _joined(at, url)


def _joined(at: str | None, url: str) -> str | None:
    """`url`, made absolute; None where that cannot be."""
    try:
        whole = urljoin(at, url) if at else url
        is_whole = urlsplit(whole).scheme in ("http", "https") and bool(urlsplit(whole).hostname)
    except ValueError:
        return None
    return whole.rstrip("/") if is_whole else None


def followed(value: Json, document: Mapping[str, Json]) -> dict[str, Json]:
    """The object that `value` is, or refers to; an empty one where it refers to nothing, to another document, or round
    in a circle."""
    for _ in range(_MOST_STEPS):
        if not isinstance(value, dict):
            return {}
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return value
        value = _pointed(reference, document)
    return {}


def _pointed(reference: str, document: Mapping[str, Json]) -> Json:
    if not reference.startswith("#/"):
        return None
    here: Json = document
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}")
        here = here.get(name) if isinstance(here, dict) else None
    return here


def schema_of(value: Json, document: Mapping[str, Json], depth: int = 0) -> dict[str, Json]:
    """A schema with its references followed and its parts joined, as deep as anybody looks at it."""
    schema = followed(value, document)
    if depth > _DEEPEST or not schema:
        return {}
    parts = [schema_of(part, document, depth + 1) for part in _parts(schema)]
    properties: dict[str, Json] = {}
    for part in parts:
        properties |= part.get("properties", {})
    own = schema.get("properties")
    for name, inner in own.items() if isinstance(own, dict) else ():
        properties[name] = schema_of(inner, document, depth + 1)
    merged = {key: item for part in parts for key, item in part.items()}
    merged |= {key: item for key, item in schema.items() if key not in ("allOf", "oneOf", "anyOf", "properties")}
    if properties:
        merged["properties"] = properties
        merged.setdefault("type", "object")
    if "items" in merged:
        merged["items"] = schema_of(merged["items"], document, depth + 1)
        merged.setdefault("type", "array")
    return merged


def _parts(schema: Mapping[str, Json]) -> Iterator[Json]:
    """What a schema is joined of: all of `allOf`, and the first alternative that is not null."""
    joined = schema.get("allOf")
    yield from joined if isinstance(joined, list) else ()
    for key in ("oneOf", "anyOf"):
        choices = schema.get(key)
        if isinstance(choices, list):
            yield from [one for one in choices if isinstance(one, dict) and one.get("type") != "null"][:1]


def types_of(schema: Mapping[str, Json]) -> list[str]:
    """The types that a schema allows: OpenAPI 3.1 may list several."""
    kind = schema.get("type")
    return [str(one) for one in kind] if isinstance(kind, list) else [kind] if isinstance(kind, str) else []

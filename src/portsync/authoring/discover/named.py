"""What a user means by URL, MAPPING or OPENAPI, and by the options beside it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from portsync.auth import TokenStore
from portsync.authoring.discover.asking import LARGEST_LOOK, text_of
from portsync.authoring.discover.openapi_document import read_document
from portsync.authoring.discover.probing import NO_RESOURCE, probe
from portsync.authoring.discover.proposal import Endpoint
from portsync.authoring.discover.target import Target, auth_section, headers_section, target_of_url
from portsync.errors import MappingError, Problem, SendError, SettingsError, SourceError
from portsync.flow import RequestSpec
from portsync.mapping.loader import parse, read_text
from portsync.mapping.yaml_text import compose, values
from portsync.shipped import or_shipped
from portsync.surroundings import Surroundings
from portsync.urls import fault_of, origin_of
from portsync.wiring import source_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portsync.authoring.discover.order import DiscoverOrder
    from portsync.flow import Json
    from portsync.logs import Redactor
    from portsync.runtime import Runtime
    from portsync.settings import Settings

_URL = re.compile(r"(?i)https?://")


@dataclass(frozen=True, slots=True)
class Named:
    """What is asked, and the OpenAPI document that says how, where one was named."""

    target: Target
    document: dict[str, Json] | None = None
    at: str | None = None
    """The URL of the document."""


async def named_by(order: DiscoverOrder, settings: Settings, runtime: Runtime, redactor: Redactor) -> Named:
    """What `order` names. Raises ConfigError, and SourceError where a document cannot be had."""
    section, given = _section(order, settings, runtime)
    if (
        _URL.match(order.what)
        and order.base_url is not None
        and origin_of_text(order.what) != origin_of(order.base_url)
    ):
        document = await _fetched(order.what, settings, runtime, redactor)
        return Named(Target(section, given=given), document, order.what)
    if not _URL.match(order.what):
        path = or_shipped(Path(order.what))
        if path.exists():
            return _of_file(path, section, given, runtime)
        if not (order.what.startswith("/") and "base_url" in section):
            hint = "write a URL with https://, or the path of a mapping or of an OpenAPI document"
            raise SettingsError(Problem("bad-target", f"`{order.what}` is neither a URL nor a file", "URL", hint))
    url = order.what if _URL.match(order.what) else f"{section['base_url']}{order.what}"
    target = target_of_url(url, section, method=order.method, body=order.body)
    return Named(replace(target, given={**given, **target.given}))


def origin_of_text(url: str) -> str:
    """The origin of what may be no URL. Raises SettingsError."""
    if (fault := fault_of(url)) is not None:
        raise SettingsError(Problem("bad-target", f"the URL {fault}", "URL", "write it as https://host/path"))
    return origin_of(url)


def _section(order: DiscoverOrder, settings: Settings, runtime: Runtime) -> tuple[dict[str, Json], dict[str, str]]:
    """The `source` section by everything but WHAT, and values of variables that stand in it. The environment counts
    least, then the mapping, then the options."""
    section: dict[str, Json] = {}
    if settings.source_base_url is not None:
        section["base_url"] = settings.source_base_url.rstrip("/")
    if order.settings_of is not None:
        section |= _source_of(or_shipped(order.settings_of), runtime)
    if order.base_url is not None:
        origin_of_text(order.base_url)
        section["base_url"] = order.base_url.rstrip("/")
    if (auth := auth_section(order.auth_env, order.auth_as)) is not None:
        section["auth"] = auth
    headers, given = headers_section(order.headers)
    if headers:
        section["headers"] = {**section.get("headers", {}), **headers}
    section.pop("pagination", None)
    return section, given


def _source_of(path: Path, runtime: Runtime) -> dict[str, Json]:
    """The `source` section of a mapping file, as it is written. Raises MappingError."""
    return _raw(path, runtime).get("source") or {}


def _raw(path: Path, runtime: Runtime) -> dict[str, Json]:
    """A mapping file as it is written, which has no problems; it may lack `resources`. Raises MappingError."""
    text = read_text(path)
    document = compose(str(path), text)
    if isinstance(document, Problem):
        raise MappingError(document)
    written: dict[str, Json] = values(document)
    if "resources" not in written:
        text = f"{text.rstrip()}\nresources: [{json.dumps(NO_RESOURCE)}]\n"
    loaded = parse(text, path, runtime.environment)
    base_url = loaded.file.source.base_url
    source = dict(written.get("source") or {})
    if base_url is not None:
        source["base_url"] = base_url
    return {**written, "source": source}


def _of_file(path: Path, section: dict[str, Json], given: Mapping[str, str], runtime: Runtime) -> Named:
    """A mapping or an OpenAPI document on disk. Raises ConfigError and SourceError."""
    if (document := _document_in(path)) is not None:
        return Named(Target(section, given=given), document)
    written = _raw(path, runtime)
    source = {**section, **written["source"], **{key: section[key] for key in ("auth", "headers") if key in section}}
    source.pop("pagination", None)
    if "base_url" not in source:
        hint = "write it into the mapping, or set PORTSYNC_SOURCE_BASE_URL"
        raise SettingsError(Problem("no-source", "the source's base URL is not known", str(path), hint))
    endpoints = tuple(_endpoints(written))
    is_bare = not endpoints
    return Named(
        Target(source, endpoints or (Endpoint("/", "the source of the mapping"),), is_bare=is_bare, given=given)
    )


def _document_in(path: Path) -> dict[str, Json] | None:
    try:
        return read_document(path.read_bytes(), str(path))
    except OSError as error:
        problem = Problem("unreadable-file", f"cannot be read: {error.strerror}", str(path), "check the path")
        raise SettingsError(problem) from error
    except SourceError:
        return None  # as a mapping it may be told better what is wrong with it


def _endpoints(written: Mapping[str, Json]) -> Iterator[Endpoint]:
    """The endpoints of a mapping's resources, each once; those whose requests take variables are left to the user."""
    seen: set[str] = set()
    for resource in written.get("resources") or ():
        selector = resource.get("selector") or {}
        asked = {key: selector.get(key) for key in ("query_params", "headers", "body")}
        method = selector.get("method", "GET")
        if "${" in str(asked) or method not in ("GET", "POST") or str((resource["kind"], asked)) in seen:
            continue
        seen.add(str((resource["kind"], asked)))
        yield Endpoint(
            resource["kind"],
            "a resource of the mapping",
            method,
            asked["query_params"] or {},
            asked["headers"] or {},
            asked["body"],
            is_window="window" in selector or selector.get("delete_stale") is False,
        )


async def _fetched(url: str, settings: Settings, runtime: Runtime, redactor: Redactor) -> dict[str, Json]:
    """The OpenAPI document at a URL of an origin of its own, which gets no credentials. Raises SourceError."""
    mapping, source = probe({"base_url": origin_of(url), "auth": {"type": "none"}}, {}, settings)
    source = replace(source, headers={})
    around = Surroundings(settings, runtime, redactor)
    async with source_tools(mapping, source, around, TokenStore(None), largest_answer=LARGEST_LOOK) as tools:
        try:
            answer = await tools.client.send(RequestSpec("GET", url))
        except SendError as error:
            raise SourceError(*error.problems) from error
    if not answer.is_success:
        raise SourceError(Problem("source-status", f"the source answered {answer.status}", f"GET {url}"))
    document = read_document(text_of(answer), url)
    if document is None:
        hint = "it has to have `openapi` or `swagger`, and `paths`"
        raise SourceError(Problem("bad-openapi", "it is no OpenAPI document", url, hint))
    return document

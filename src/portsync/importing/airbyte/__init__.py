"""Airbyte: the manifest of a low-code connector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.errors import ConfigError, Problem
from portsync.importing.airbyte.component import Component
from portsync.importing.airbyte.references import resolved
from portsync.importing.airbyte.resources import resources_of
from portsync.importing.airbyte.specification import Specification
from portsync.importing.airbyte.stream import Stream, name_of, stream_of
from portsync.importing.durations import seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.importing.imported import Draft
    from portsync.importing.notes import Notes
    from portsync.importing.piece import Piece
    from portsync.importing.tree import Tree

__all__ = ["from_airbyte"]


def from_airbyte(file: Piece, notes: Notes) -> Draft:
    """The mapping of a manifest. Raises ConfigError where `file` is none."""
    members = file.value if isinstance(file.value, dict) else {}
    if not {"streams", "dynamic_streams"} & members.keys():
        message = "is no manifest of Airbyte: it has no `streams`"
        raise ConfigError(Problem("not-importable", message, str(file.place), "give the connector's manifest.yaml"))
    manifest = resolved(file, notes)
    top = Component(manifest, notes, _specification(manifest), None, "DeclarativeSource")
    streams = [*_streams(top)]
    limits = _limits(top)
    for each in top.items("dynamic_streams"):
        notes.lost(each.place, "a dynamic stream is made when it runs: write a resource for each")
    top.skip("version", "check", "spec", "metadata", "definitions", "schemas", "concurrency_level", "stream_groups")
    top.skip("max_concurrent_async_job_count")
    top.close()
    return resources_of(streams, limits, notes)


def _specification(manifest: Piece) -> Specification:
    spec = manifest.plain.get("spec") if isinstance(manifest.value, dict) else None
    schema = spec.get("connection_specification") if isinstance(spec, dict) else None
    return Specification(schema if isinstance(schema, dict) else {})


def _streams(top: Component) -> Iterator[tuple[str, Stream | None]]:
    """Each stream with its name; None in place of one that was left out."""
    # Null is what a reference became that leads nowhere, which was listed.
    given = (piece for piece in top.items("streams") if piece.value is not None)
    waiting = [top.made_of(piece, "streams", "DeclarativeStream") for piece in given]
    while waiting:
        component = waiting.pop(0)
        if component.type == "ConditionalStreams":
            message = "whether these streams are there depends on a setting: they are always there now"
            component.drop("condition", message)
            waiting = [*component.components("streams", "DeclarativeStream"), *waiting]
            component.close()
        else:
            yield name_of(component), stream_of(component)


def _limits(top: Component) -> Tree:
    """How much the source is asked at once."""
    found: Tree = {}
    level = top.component("concurrency_level", "ConcurrencyLevel")
    if level is not None:
        found["concurrency"] = level.fixed_value("default_concurrency")
        level.skip("max_concurrency")
        level.close()
    budget = top.component("api_budget", "HTTPAPIBudget")
    if budget is not None and (limit := _rate_limit(budget)) is not None:
        found["rate_limit"] = limit
    return {name: value for name, value in found.items() if value is not None}


def _rate_limit(budget: Component) -> Tree | None:
    policies = budget.components("policies")
    budget.skip("ratelimit_reset_header", "ratelimit_remaining_header", "status_codes_for_ratelimit_hit")
    budget.close()
    limits = [limit for policy in policies for limit in _rates(policy)]
    if len(limits) != 1:
        budget.notes.lost(budget.place, "there is one `rate_limit` for all requests", "write the strictest")
        return None
    return limits[0]


def _rates(policy: Component) -> Iterator[Tree]:
    policy.drop("matchers", "a limit holds for all requests")
    pairs: list[tuple[Any, Any]] = [(policy.integer("call_limit"), policy.fixed("period"))]
    for rate in policy.components("rates", "Rate"):
        pairs.append((rate.integer("limit"), rate.fixed("interval")))
        rate.close()
    for requests, period in pairs:
        seconds = seconds_of(period or "")
        if requests is not None and seconds:
            yield {"requests": requests, "per": int(seconds) if seconds == int(seconds) else seconds}
    policy.close()

"""The incremental reading of a stream as a window (Airbyte's reference, DatetimeBasedCursor)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portsync.importing.airbyte.paging import request_option
from portsync.importing.durations import span_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.importing.airbyte.component import Component
    from portsync.importing.airbyte.paging import Option
    from portsync.importing.tree import Tree

_WHOLE = "1000y"
"""A step that is longer than any span: one window."""
_FACTORS = {"%ms": 1000, "%epoch_microseconds": 1_000_000}


@dataclass(frozen=True, slots=True)
class Interval:
    """The window of a stream, and where its ends go."""

    section: Tree | None = None
    slices: Mapping[str, str] = field(default_factory=dict)
    """The fields of the interval, each with its JQ."""
    options: tuple[tuple[Option, str], ...] = ()
    """Places in a request, each with the JQ of what goes there."""


def interval_of(component: Component) -> Interval:
    """The window that a cursor makes; none where it cannot be said, which was listed."""
    if component.type != "DatetimeBasedCursor":
        message = f"`{component.type}` has no counterpart: all records are read in each run"
        component.notes.lost(component.place, message)
        return Interval()
    form = component.fixed("datetime_format") or ""
    start, end = _moment(component, "start_datetime"), _moment(component, "end_datetime")
    step = component.fixed("step")
    span = _WHOLE if step is None else span_of(step)
    granularity = component.fixed("cursor_granularity")
    options = [
        _ended(component, name, side, form)
        for name, side in (("start_time_option", "start"), ("end_time_option", "end"))
    ]
    names = {
        component.fixed("partition_field_start") or "start_time": _written("start", form),
        component.fixed("partition_field_end") or "end_time": _written("end", form),
    }
    _without_counterpart(component)
    component.close()
    if start is None or span in (None, ""):
        component.notes.lost(component.place, "DatetimeBasedCursor: no window can be made of it: all records are read")
        return Interval()
    section: Tree = {"start": start, "end": end, "step": span, "format": _format(form)}
    if granularity is not None and step is not None:
        section["granularity"] = span_of(granularity) or None
    return Interval(
        {key: value for key, value in section.items() if value is not None},
        names,
        tuple(option for option in options if option is not None),
    )


def _without_counterpart(component: Component) -> None:
    """What is not needed, because each run reads from the start; and what is."""
    component.skip("cursor_field", "cursor_datetime_formats", "lookback_window", "is_data_feed", "is_compare_strictly")
    component.skip("global_substream_cursor", "allow_catalog_defined_cursor_field")
    component.drop("clamping", "windows begin at `start`, and are not moved to the first of a month or week")
    if component.boolean("is_client_side_incremental"):
        component.notes.said(component.place, "records from before the start are not left out", "write it into `query`")


def _moment(component: Component, name: str) -> str | None:
    """The JQ of a MinMaxDatetime, or of a text."""
    piece = component.look(name)
    if piece is None or not isinstance(piece.value, dict):
        return component.jq(name, component.scope())
    inner = component.component(name, "MinMaxDatetime")
    assert inner is not None, "it was just seen"
    moment = inner.jq("datetime", inner.scope())
    inner.skip("datetime_format")
    inner.drop("min_datetime", "a window has one start")
    inner.drop("max_datetime", "a window has one end")
    inner.close()
    return moment


def _ended(component: Component, name: str, side: str, form: str) -> tuple[Option, str] | None:
    inner = component.component(name, "RequestOption")
    if inner is None:
        return None
    option = request_option(inner)
    inner.close()
    return None if option is None else (option, _written(side, form))


def _written(side: str, form: str) -> str:
    """The JQ of one end of the window, as the API wants it."""
    if form in _FACTORS:
        return f"($window.{side} | tonumber * {_FACTORS[form]} | tostring)"
    return f"$window.{side}"


def _format(form: str) -> str | None:
    if form in _FACTORS or form in ("%s", "%s_as_float"):
        return "%s"
    return form.replace("%_ms", "000") or None

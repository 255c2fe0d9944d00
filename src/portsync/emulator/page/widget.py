"""What all widgets have: what they need to be measured, and what they show then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.emulator.errors import not_supported
from portsync.emulator.page.columns import Column, by_widget_name
from portsync.emulator.page.texts import clipped

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from portsync.emulator.blueprints import Blueprint
    from portsync.emulator.entity import Entity
    from portsync.emulator.measures.measure import Measure
    from portsync.emulator.query import Query


@dataclass(frozen=True, slots=True)
class Around:
    """What widgets are read with."""

    find: Callable[[str], Blueprint]
    """Gives a blueprint by its identifier; ApiError 404 where there is none."""
    printed: Callable[[Blueprint, Sequence[Entity], Collection[str]], list[dict[str, Any]]]
    """Gives the JSON of entities with the computed properties that are named."""
    query: Callable[[object, str], Query]
    """Compiles a search query that stands at the place it is told; ApiError 422 where it is wrong."""
    now: datetime
    widths: tuple[float, ...]
    """Charts are drawn once for each."""


@dataclass(frozen=True, slots=True)
class Needed:
    """Measures that one widget takes of one blueprint, and the columns that they read."""

    blueprint: str
    measure: Measure
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Widget:
    """A widget that knows what it needs, and what it shows (the values of a template) when that is measured."""

    needs: tuple[Needed, ...]
    shows: Callable[[], dict[str, Any]]


def query_of(widget: Mapping[str, Any], around: Around) -> Query:
    """The widget's dataset; ApiError for one that a search would not take."""
    dataset = widget.get("dataset") or []
    whole = {"combinator": "and", "rules": dataset} if isinstance(dataset, list) else dataset
    return around.query(whole, "dataset")


def blueprint_of(widget: Mapping[str, Any], query: Query) -> str:
    """The blueprint that the widget is about."""
    named = widget.get("blueprint")
    if isinstance(named, str):
        return named
    if query.blueprints is not None and len(query.blueprints) == 1:
        return next(iter(query.blueprints))
    raise not_supported("A widget that names no blueprint")


def column_of(columns: Mapping[str, Column], name: str) -> Column:
    """The column by this name; ApiError where there is none."""
    found = by_widget_name(columns, name)
    if found is None:
        raise not_supported(f'"{clipped(name, 80)}", which the blueprint does not have,')
    return found

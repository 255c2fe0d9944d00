"""One blueprint's entities as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.emulator.page.columns import Column, columns_of, default_columns
from portsync.emulator.page.links import blueprint_href, entity_href, with_query
from portsync.emulator.page.listing import COUNTED, OPERATORS, WITHOUT_VALUE, Filter, Listing, Rows, Wanted
from portsync.emulator.page.shell import title_of
from portsync.emulator.page.shown import Shown, show
from portsync.emulator.page.texts import clipped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.datastructures import QueryParams
    from starlette.requests import Request

    from portsync.emulator.workspace import Workspace

SIZES = (25, 50, 100, 200)
_DEFAULT_SIZE = 50
_MOST_COLUMNS = 40
_MOST_CHOICES = 200
_MOST_FILTERS = 10
_LAST_PAGE = 10_000_000

Query = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for. The state of the table is in its address alone, so it can be kept and sent on."""

    wanted: Wanted
    columns: tuple[Column, ...]
    chosen: bool
    """Whether somebody chose the columns."""

    def query(self, *, without: Filter | None = None, **changes: str | None) -> Query:
        """The parameters that ask for the same, but for these changes; any of them leads back to the first page."""
        wanted = self.wanted
        sort = None if wanted.sort is None else ("-" if wanted.descending else "") + wanted.sort.name
        size = None if wanted.size == _DEFAULT_SIZE else str(wanted.size)
        values = {"q": wanted.search or None, "sort": sort, "size": size, **changes}
        query = [(name, value) for name, value in values.items() if value is not None]
        if self.chosen:
            query += [("col", column.name) for column in self.columns]
        for each in wanted.filters:
            if each is not without:
                query += [("by", each.column.name), ("op", each.operator), ("value", each.value)]
        return query


class TableView:
    """`/blueprints/<identifier>`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def show(self, request: Request) -> Mapping[str, Any]:
        name = request.path_params["name"]
        with self._workspace.snapshot() as session:
            blueprint = session.blueprints.get(name)
            columns = columns_of(blueprint)
            asked = read(request.query_params, columns)
            listing = Listing(session.connection, name, list(columns.values()))
            rows = listing.rows(asked.wanted)
            found = session.entities.load(name, rows.identifiers)
            reading = self._workspace.reading(
                session,
                blueprint,
                [found[identifier] for identifier in rows.identifiers],
                shows={column.key for column in asked.columns}.__contains__,
            )
        printed = reading.printed()
        return {
            "title": title_of(blueprint),
            "identifier": name,
            "description": clipped(str(blueprint.body.get("description") or ""), 200),
            "heads": [_head(column, asked, name) for column in asked.columns],
            "rows": [_row(each, asked.columns) for each in printed],
            "asked": asked,
            "kept": [(key, value) for key, value in asked.query() if key not in ("q", "size")],
            "kept_for_filter": asked.query(),
            "kept_for_columns": [pair for pair in asked.query() if pair[0] != "col"],
            "choices": list(columns.values())[:_MOST_CHOICES],
            "choices_left": max(0, len(columns) - _MOST_CHOICES),
            "shown": {column.name for column in asked.columns},
            "filterable": [column for column in columns.values() if column.is_stored][:_MOST_CHOICES],
            "operators": OPERATORS,
            "filters": [_chip(each, asked, name) for each in asked.wanted.filters],
            "sizes": SIZES,
            "clear": blueprint_href(name),
            **_paging(asked, rows, name),
        }


def read(params: QueryParams, columns: Mapping[str, Column]) -> Asked:
    """What the parameters ask for; what makes no sense is left out."""
    sort = params.get("sort", "")
    by = columns.get(sort.removeprefix("-"))
    chosen = [columns[name] for name in dict.fromkeys(params.getlist("col")) if name in columns]
    wanted = Wanted(
        search=params.get("q", "")[:200].strip(),
        filters=tuple(_filters(params, columns))[:_MOST_FILTERS],
        sort=by if by is not None and by.is_stored else None,
        descending=sort.startswith("-"),
        number=_whole(params.get("page", ""), 1, _LAST_PAGE),
        size=_whole(params.get("size", ""), _DEFAULT_SIZE, SIZES[-1]),
    )
    return Asked(wanted, tuple(chosen[:_MOST_COLUMNS] or _unchosen(columns, wanted.sort)), bool(chosen))


def _unchosen(columns: Mapping[str, Column], sort: Column | None) -> list[Column]:
    """The columns where nobody chose; what the table is sorted by is to be seen, next to the title."""
    shown = default_columns(columns)
    return shown if sort is None or sort in shown else [shown[0], sort, *shown[1:]]


def _filters(params: QueryParams, columns: Mapping[str, Column]) -> list[Filter]:
    parts = zip(params.getlist("by"), params.getlist("op"), params.getlist("value"), strict=False)
    return [
        Filter(columns[name], operator, value[:500])
        for name, operator, value in parts
        if name in columns and columns[name].is_stored and operator in OPERATORS
        # An empty form field is no condition.
        if value or operator in WITHOUT_VALUE
    ]


def _whole(text: str, default: int, most: int) -> int:
    """A number from 1 to `most`; the default for what is none."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
    return min(int(text), most) or default if is_number else default


def _head(column: Column, asked: Asked, name: str) -> Mapping[str, Any]:
    """A column's head, which sorts by it, and the other way round when it does already."""
    is_sorted = asked.wanted.sort is column
    reverse = is_sorted and not asked.wanted.descending
    href = with_query(blueprint_href(name), asked.query(sort=("-" if reverse else "") + column.name))
    order = ("descending" if asked.wanted.descending else "ascending") if is_sorted else None
    return {"column": column, "href": href if column.is_stored else None, "order": order}


def _row(printed: Mapping[str, Any], columns: Sequence[Column]) -> Mapping[str, Any]:
    href = entity_href(printed["blueprint"], printed["identifier"])
    return {"href": href, "cells": [(column, _cell(column, printed, href)) for column in columns]}


def _cell(column: Column, printed: Mapping[str, Any], href: str) -> Shown:
    value = column.of(printed)
    if column.name in ("$title", "$identifier"):
        return Shown("link", clipped(str(value or printed["identifier"]), 100), href, whole=str(value or "")[:1000])
    return show(value, column)


def _chip(each: Filter, asked: Asked, name: str) -> Mapping[str, str]:
    text = f"{each.column.title} {OPERATORS[each.operator]} {clipped(each.value, 60)}".rstrip()
    return {"text": text, "href": with_query(blueprint_href(name), asked.query(without=each))}


def _paging(asked: Asked, rows: Rows, name: str) -> Mapping[str, Any]:
    wanted = asked.wanted
    first = (wanted.number - 1) * wanted.size
    is_last = not rows.identifiers or (not rows.is_more and first + len(rows.identifiers) >= rows.total)

    def page(number: int) -> str:
        return with_query(blueprint_href(name), asked.query(page=str(number)))

    return {
        "total": rows.total,
        "is_more": rows.is_more,
        "first": first + 1 if rows.identifiers else 0,
        "last": first + len(rows.identifiers),
        "before": page(wanted.number - 1) if wanted.number > 1 else None,
        "after": None if is_last else page(wanted.number + 1),
        "end": page(max(1, -(-rows.total // wanted.size))) if not rows.is_more and not is_last else None,
        "start": page(1) if wanted.number > 1 else None,
        "counted": COUNTED,
    }

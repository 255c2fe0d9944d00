"""Rows of one blueprint as the table asks for them: searched, filtered, sorted and cut by the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from portsync.emulator.page.columns import Column, Origin
from portsync.emulator.tables import ENTITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COUNTED = 10_000
"""Matches are counted so far: with one pass over the table, a page of them and their number are found together."""
_PATHS = 100
"""So many paths fit into one call; SQLite bounds the arguments of a function to 127."""
_FIELD_COLUMNS = {"$identifier": "identifier", "$createdAt": "created_at", "$updatedAt": "updated_at"}
OPERATORS = {
    "is": "is",
    "not": "is not",
    "has": "contains",
    "gt": "is at least",
    "lt": "is at most",
    "empty": "is empty",
    "set": "is not empty",
}
WITHOUT_VALUE = frozenset({"empty", "set"})


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of the table."""

    column: Column
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the table is to show."""

    search: str = ""
    filters: tuple[Filter, ...] = ()
    sort: Column | None = None
    descending: bool = False
    number: int = 1
    """The page, from 1."""
    size: int = 50


@dataclass(frozen=True, slots=True)
class Rows:
    """The identifiers of one page, and how many entities there are; `is_more` where the count stopped before."""

    identifiers: list[str]
    total: int
    is_more: bool


class Listing:
    """The entities of one blueprint."""

    def __init__(self, connection: Connection, blueprint: str, columns: Sequence[Column]) -> None:
        self._connection = connection
        self._blueprint = blueprint
        self._columns = columns

    def rows(self, wanted: Wanted) -> Rows:
        """One page."""
        conditions = [*self._search(wanted.search), *(self._condition(each) for each in wanted.filters)]
        statement = select(ENTITIES.c.identifier).where(ENTITIES.c.blueprint == self._blueprint, *conditions)
        if wanted.sort is not None:
            value = _value(wanted.sort)
            statement = statement.order_by((value.desc() if wanted.descending else value.asc()).nulls_last())
        is_backwards = wanted.sort is not None and wanted.sort.name == "$identifier" and wanted.descending
        if not is_backwards:
            statement = statement.order_by(ENTITIES.c.identifier)
        start = (wanted.number - 1) * wanted.size
        if not conditions:
            return Rows(self._page(statement, start, wanted.size), self.count(), is_more=False)
        found = list(self._connection.execute(statement.limit(COUNTED + 1)).scalars())
        if start + wanted.size <= COUNTED or len(found) <= COUNTED:
            page = found[start : start + wanted.size]
        else:
            page = self._page(statement, start, wanted.size)
        return Rows(page, min(len(found), COUNTED), is_more=len(found) > COUNTED)

    def _page(self, statement: Select[Any], start: int, size: int) -> list[str]:
        return list(self._connection.execute(statement.limit(size).offset(start)).scalars())

    def count(self) -> int:
        """How many entities there are."""
        of_it = select(func.count()).select_from(ENTITIES).where(ENTITIES.c.blueprint == self._blueprint)
        return self._connection.execute(of_it).scalar_one()

    def _search(self, text: str) -> Iterator[ColumnElement[bool]]:
        """Every word has to stand in the identifier or in a value, its case aside (ASCII letters, as in SQLite)."""
        for word in text.split()[:10]:
            # The whole body first, which is cheap and leaves few rows; then without the names of the properties.
            in_body = ENTITIES.c.body.like(_pattern(_escaped(word)), escape="\\")
            values = [
                func.json_extract(ENTITIES.c.body, "$.title", *chunk).like(_pattern(_escaped(word)), escape="\\")
                for chunk in self._paths()
            ]
            of_name = ENTITIES.c.identifier.like(_pattern(word), escape="\\")
            yield or_(of_name, and_(in_body, or_(*values)))

    def _paths(self) -> list[list[str]]:
        paths = [_path(column) for column in self._columns if column.origin in (Origin.PROPERTY, Origin.RELATION)] or [
            "$.team"
        ]
        return [paths[start : start + _PATHS] for start in range(0, len(paths), _PATHS)]

    def _condition(self, wanted: Filter) -> ColumnElement[bool]:
        value = _value(wanted.column)
        operand = _operand(wanted)
        match wanted.operator:
            case "empty":
                return or_(value.is_(None), value == "")
            case "set":
                return and_(value.is_not(None), value != "")
            case "has":
                return value.like(_pattern(wanted.value), escape="\\")
            case "not":
                return or_(value.is_(None), value != operand)
            case "gt":
                return and_(_is_like(value, operand), value >= operand)
            case "lt":
                return and_(_is_like(value, operand), value <= operand)
            case _:
                return and_(_quick(wanted), value == operand)


def _value(column: Column) -> ColumnElement[Any]:
    if column.name in _FIELD_COLUMNS:
        return ENTITIES.c[_FIELD_COLUMNS[column.name]]
    return func.json_extract(ENTITIES.c.body, _path(column))


def _path(column: Column) -> str:
    name = orjson.dumps(column.key).decode()
    section = {Origin.PROPERTY: "properties.", Origin.RELATION: "relations."}.get(column.origin, "")
    return f"$.{section}{name}"


def _operand(wanted: Filter) -> Any:
    """The value as SQLite sees one of the column's type: a number, 1 and 0 for booleans, else text."""
    if wanted.column.type == "boolean":
        return int(wanted.value.lower() in ("true", "yes", "1"))
    if wanted.column.is_number:
        try:
            return float(wanted.value)
        except ValueError:
            return wanted.value
    return wanted.value


def _is_like(value: ColumnElement[Any], operand: object) -> ColumnElement[bool]:
    """Not empty, and a number where it is compared with one: in SQLite every text is more than any number."""
    kinds = ("integer", "real") if isinstance(operand, int | float) else ("text",)
    return func.typeof(value).in_(kinds)


def _quick(wanted: Filter) -> ColumnElement[bool]:
    """What holds wherever a text property has this value, and is found without parsing the body."""
    if wanted.column.origin is Origin.PROPERTY and wanted.column.type == "string":
        pair = orjson.dumps({wanted.column.key: wanted.value}).decode()[1:-1]
        return func.instr(ENTITIES.c.body, pair) > 0
    return ENTITIES.c.body.is_not(None)


def _escaped(word: str) -> str:
    """The word as it stands within JSON text."""
    return orjson.dumps(word).decode()[1:-1]


def _pattern(word: str) -> str:
    for special in ("\\", "%", "_"):
        word = word.replace(special, f"\\{special}")
    return f"%{word}%"

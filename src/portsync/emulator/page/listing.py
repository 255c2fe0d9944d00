"""Rows of one blueprint as the table asks for them: searched, filtered, sorted and cut by the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import ColumnElement, Connection, Select, UnaryExpression, and_, exists, func, null, or_, select

from portsync.emulator.page.columns import Column, Origin
from portsync.emulator.stored_values import body_holds_piece, holds_piece, is_plain, pair_text
from portsync.emulator.tables import ENTITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
        start = (wanted.number - 1) * wanted.size
        if not conditions:
            total = self.count()
            return Rows(self._page(wanted, start, total), total, is_more=False)
        found = self._found(wanted, conditions)
        if start + wanted.size <= len(found) or len(found) <= COUNTED:
            page = [identifier for identifier, _ in _in_order(found, wanted)[start : start + wanted.size]]
        if len(found) > COUNTED:
            page = self._page(wanted, start, None, *conditions)
        return Rows(page, min(len(found), COUNTED), is_more=len(found) > COUNTED)

    def _found(self, wanted: Wanted, conditions: Sequence[ColumnElement[bool]]) -> list[tuple[str, Any]]:
        """The first matches, with what they are to be sorted by: to sort here what is found saves the database a
        second pass, or the order of all that it could have found."""
        value = null() if wanted.sort is None else _value(wanted.sort)
        statement = self._of_it(ENTITIES.c.identifier, value).where(*conditions).limit(COUNTED + 1)
        return [(identifier, each) for identifier, each in self._connection.execute(statement)]

    def _page(self, wanted: Wanted, start: int, total: int | None, *conditions: ColumnElement[bool]) -> list[str]:
        """The identifiers from `start` on. Where the total is known, pages behind the middle are read from the end:
        the database has to go through all that comes before."""
        is_backwards = total is not None and start > total // 2
        size = wanted.size
        if total is not None and is_backwards:
            size = max(0, min(size, total - start))
            start = max(0, total - start - size)
        statement = self._of_it(ENTITIES.c.identifier).where(*conditions)
        statement = statement.order_by(*_order(wanted, backwards=is_backwards)).limit(size).offset(start)
        found = list(self._connection.execute(statement).scalars())
        return found[::-1] if is_backwards else found

    def count(self) -> int:
        """How many entities there are."""
        number: int = self._connection.execute(self._of_it(func.count())).scalar_one()
        return number

    def _of_it(self, *columns: Any) -> Select[Any]:
        return select(*columns).select_from(ENTITIES).where(ENTITIES.c.blueprint == self._blueprint)

    def _search(self, text: str) -> Iterator[ColumnElement[bool]]:
        """Every word has to stand in the identifier or in a value, its case aside (ASCII letters, as in SQLite)."""
        for word in text.split()[:10]:
            pattern = _pattern(_escaped(word))
            yield or_(
                ENTITIES.c.identifier.like(_pattern(word), escape="\\"),
                # All of the JSON first, which is cheap and leaves few rows; then without the names of the properties.
                *(
                    and_(_like(stored, pattern), or_(*self._surely(stored, word), *holds(pattern)))
                    for stored, holds in self._searched()
                ),
            )

    def _surely(self, stored: ColumnElement[str], word: str) -> Iterator[ColumnElement[bool]]:
        """What holds where a word in `body` certainly is one in a value, and is found without parsing: no name has it
        in it, and there are no icon and no team."""
        names = {"title", "icon", "team", "properties", "relations", "null", *(column.key for column in self._columns)}
        is_plain_word = word.isascii() and word.replace("@", "").replace(".", "").isalnum()
        if stored is ENTITIES.c.body and is_plain_word and not any(word.lower() in name.lower() for name in names):
            yield func.instr(stored, ',"icon":null,"team":[],') > 0

    def _searched(self) -> Iterator[tuple[ColumnElement[str], Callable[[str], list[ColumnElement[bool]]]]]:
        """The columns of JSON, each with what makes the conditions that a value in it is like a pattern."""
        body, wide = ENTITIES.c.body, ENTITIES.c.wide
        properties = [column for column in self._columns if column.origin is Origin.PROPERTY]
        others = ["$.title", *(_path(column) for column in self._columns if column.origin is Origin.RELATION)]
        if len(properties) > _PATHS:  # too many to name, so all that there are
            yield body, lambda pattern: [*_extracted(body, others, pattern), _each(body, "$.properties", pattern)]
            yield wide, lambda pattern: [_each(wide, "$", pattern)]
            return
        yield body, lambda pattern: _extracted(body, [*others, *map(_path, properties)], pattern)
        yield wide, lambda pattern: _extracted(wide, ['$.""', *map(_wide_path, properties)], pattern)

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


def _in_order(found: Sequence[tuple[str, Any]], wanted: Wanted) -> list[tuple[str, Any]]:
    """Pairs of identifier and value, in the order in which SQLite has them: numbers before texts, texts by their
    characters, what is empty at the end."""
    by_name = sorted(found, reverse=_is_by_name_backwards(wanted))
    if wanted.sort is None:
        return by_name
    there = [each for each in by_name if each[1] is not None]
    there.sort(key=lambda each: (isinstance(each[1], str), each[1]), reverse=wanted.descending)
    return there + [each for each in by_name if each[1] is None]


def _order(wanted: Wanted, *, backwards: bool) -> Iterator[UnaryExpression[Any]]:
    """The same order as SQL, or its reverse."""
    if wanted.sort is not None:
        value = _value(wanted.sort)
        by_value = value.desc() if wanted.descending is not backwards else value.asc()
        yield by_value.nulls_first() if backwards else by_value.nulls_last()
    name = ENTITIES.c.identifier
    yield name.desc() if _is_by_name_backwards(wanted) is not backwards else name.asc()


def _is_by_name_backwards(wanted: Wanted) -> bool:
    return wanted.sort is not None and wanted.sort.name == "$identifier" and wanted.descending


def _value(column: Column) -> ColumnElement[Any]:
    if column.name in _FIELD_COLUMNS:
        return ENTITIES.c[_FIELD_COLUMNS[column.name]]
    value = func.json_extract(ENTITIES.c.body, _path(column))
    if column.origin is not Origin.PROPERTY or column.type in ("number", "boolean"):
        return value
    return func.coalesce(value, func.json_extract(ENTITIES.c.wide, _wide_path(column)))


def _like(value: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    return value.like(pattern, escape="\\")


def _extracted(stored: ColumnElement[str], paths: Sequence[str], pattern: str) -> list[ColumnElement[bool]]:
    """That a value at one of these paths is like the pattern; some paths in one call."""
    chunks = [paths[start : start + _PATHS] for start in range(0, len(paths), _PATHS)]
    return [_like(func.json_extract(stored, *chunk), pattern) for chunk in chunks]


def _each(stored: ColumnElement[str], path: str, pattern: str) -> ColumnElement[bool]:
    """That any value of the object at this path is like the pattern."""
    each = func.json_each(stored, path).table_valued("value")
    return exists(select(each.c.value).where(_like(each.c.value, pattern)))


def _wide_path(column: Column) -> str:
    return f"$.{orjson.dumps(column.key).decode()}"


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
        pair = pair_text(wanted.column.key, wanted.value)
        return body_holds_piece(pair) if is_plain(wanted.value) else holds_piece(pair)
    return ENTITIES.c.body.is_not(None)


def _escaped(word: str) -> str:
    """The word as it stands within JSON text."""
    return orjson.dumps(word).decode()[1:-1]


def _pattern(word: str) -> str:
    for special in ("\\", "%", "_"):
        word = word.replace(special, f"\\{special}")
    return f"%{word}%"

"""The values of search rules, checked for their operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.emulator.instants import PRESETS, preset_range
from portsync.emulator.operators import Operand, TimeRange, instant
from portsync.emulator.wording import chosen, must, texts

if TYPE_CHECKING:
    from datetime import datetime

_LISTS = frozenset({"in", "notIn", "containsAny"})
_RANGES = frozenset({"=", "!="})


def operand(value: Any, operator: str, kind: Operand, now: datetime, place: str) -> Any:
    """The value as the operator takes it, a range of time as such; ApiError 422 for another kind of value."""
    match kind:
        case Operand.LIST if not isinstance(value, list):
            raise must(place, "be array")
        case Operand.ORDERED:
            if isinstance(value, bool) or not (isinstance(value, int | float) or instant(value)):
                raise must(place, 'be number or match format "date-time"')
        case Operand.RANGE:
            return _range(value, now, place)
        case _ if isinstance(value, dict):
            if operator not in _RANGES:
                raise must(place, "be string,number,boolean,array,null")
            return _range(value, now, place)
        case _ if operator == "matchAny":
            return texts(value, place)
    if operator in _LISTS and isinstance(value, list):
        _check_scalars(value, place)
    return value


def _check_scalars(values: list[Any], place: str) -> None:
    for index, each in enumerate(values):
        if isinstance(each, list | dict):
            raise must(f"{place}.{index}", "be string,number,boolean,null")


def _range(value: object, now: datetime, place: str) -> TimeRange:
    if not isinstance(value, dict):
        raise must(place, "be object")
    if value.keys() == {"preset"}:
        return TimeRange(*preset_range(chosen(value["preset"], PRESETS, f"{place}.preset"), now))
    if value.keys() != {"from", "to"}:
        raise must(place, "have 'from' and 'to', or 'preset'")
    first, last = instant(value["from"]), instant(value["to"])
    if first is None or last is None:
        raise must(place, "match format \"date-time\" in 'from' and 'to'")
    return TimeRange(first, last)

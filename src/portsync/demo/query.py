"""What a request to the sample source may ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import orjson

from portsync.demo.records import View

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_RANGE_DAYS = 366
KEYS = ("start_date", "end_date", "granularity", "group_by")


class InvalidQueryError(ValueError):
    """The body does not ask for anything this source can answer; the text says which part and why."""


@dataclass(frozen=True, slots=True)
class Query:
    """One view over the days from `start` (inclusive) to `end` (exclusive)."""

    view: View
    start: date
    end: date


def parse_query(body: bytes, *, path: str) -> Query:
    """Read the JSON `body` of a request to the report at `path`. Raises InvalidQueryError."""
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidQueryError(f"the body is not JSON: {error}") from error
    if not isinstance(asked, dict):
        raise InvalidQueryError("the body must be a JSON object")
    for key in asked:
        if key not in KEYS:
            raise InvalidQueryError(f"{key}: unknown key; known are {', '.join(KEYS)}")
    start, end = _date(asked, "start_date"), _date(asked, "end_date")
    if start >= end:
        raise InvalidQueryError("end_date: must be after start_date")
    if (end - start).days > LONGEST_RANGE_DAYS:
        raise InvalidQueryError(f"end_date: at most {LONGEST_RANGE_DAYS} days after start_date")
    if asked.get("granularity") != "day":
        raise InvalidQueryError('granularity: must be "day"')
    return Query(_view(path, asked), start, end)


def _date(asked: Mapping[str, object], key: str) -> date:
    value = asked.get(key)
    # date.fromisoformat alone also takes 20250102 and 2025-W01-2.
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise InvalidQueryError(f"{key}: no such day") from error
    raise InvalidQueryError(f"{key}: must be a date as YYYY-MM-DD")


def _view(path: str, asked: Mapping[str, object]) -> View:
    match path, asked.get("group_by", []):
        case "/v1/organizations/usage_report/messages", []:
            return View.MESSAGES
        case "/v1/organizations/usage_report/messages", ["user_id"]:
            return View.MESSAGES_BY_USER
        case "/v1/organizations/usage_report/messages", ["model_id"]:
            return View.MESSAGES_BY_MODEL
        case "/v1/organizations/usage_report/messages", _:
            raise InvalidQueryError('group_by: must be ["user_id"] or ["model_id"] where it is given')
        case "/v1/organizations/cost_report", []:
            return View.COST
        case "/v1/organizations/usage_report/claude_code", []:
            return View.CLAUDE_CODE
        case _:
            raise InvalidQueryError("group_by: this report cannot be grouped")

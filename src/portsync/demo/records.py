"""The records of the sample source: five views of the same days."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

from portsync.demo.data import Coding, Day, Usage, day_of
from portsync.demo.models import MODELS
from portsync.demo.organization import ORGANIZATION_ID, ORGANIZATION_NAME
from portsync.demo.users import DEFAULT_USERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.demo.users import SampleUser

Record: TypeAlias = dict[str, Any]


class View(StrEnum):
    """A report as it can be asked for: a path, and for the messages report the grouping."""

    MESSAGES = "messages"
    MESSAGES_BY_USER = "messages by user_id"
    MESSAGES_BY_MODEL = "messages by model_id"
    COST = "cost_report"
    CLAUDE_CODE = "claude_code"


def records_of(day: Day, view: View) -> list[Record]:
    """Give the day's records in `view`; a day, user or model without activity has no record."""
    match view:
        case View.MESSAGES:
            return _messages(day)
        case View.MESSAGES_BY_USER:
            return _messages_by_user(day)
        case View.MESSAGES_BY_MODEL:
            return _messages_by_model(day)
        case View.COST:
            return _cost(day)
        case View.CLAUDE_CODE:
            return _claude_code(day)
        case _:
            assert_never(view)


def held_days(*, today: date, days: int) -> tuple[date, ...]:
    """Give the `days` days before `today`, oldest first: those that the source has data for."""
    return tuple(today - timedelta(days=back) for back in range(days, 0, -1))


def record_counts(
    *, today: date, seed: int = 1, users: Sequence[SampleUser] = DEFAULT_USERS, days: int = 30
) -> dict[View, int]:
    """Count exactly what a source made with the same arguments holds, per view."""
    counts = dict.fromkeys(View, 0)
    for date_held in held_days(today=today, days=days):
        day = day_of(date_held, seed=seed, users=users)
        counts[View.MESSAGES_BY_USER] += len(day.user_days)
        counts[View.MESSAGES_BY_MODEL] += len({model for each in day.user_days for model in each.by_model})
        counts[View.MESSAGES] += bool(day.user_days)
        counts[View.COST] += bool(day.user_days)
        counts[View.CLAUDE_CODE] += any(each.coding for each in day.user_days)
    return counts


def _messages(day: Day) -> list[Record]:
    by_model = _by_model(day)
    if not by_model:
        return []
    return [
        _head(day) | _usage_fields(sum(by_model.values(), Usage())) | {"model_breakdown": _model_breakdown(by_model)}
    ]


def _messages_by_user(day: Day) -> list[Record]:
    return [
        _head(day)
        | {"user_id": each.user.user_id, "user_email": each.user.email}
        | _usage_fields(sum(each.by_model.values(), Usage()))
        | {"model_breakdown": _model_breakdown(each.by_model)}
        for each in day.user_days
    ]


def _messages_by_model(day: Day) -> list[Record]:
    by_model = _by_model(day)
    return [
        _head(day) | {"model_id": model.model_id, "model_name": model.name} | _usage_fields(by_model[model.model_id])
        for model in MODELS
        if model.model_id in by_model
    ]


def _cost(day: Day) -> list[Record]:
    by_model = _by_model(day)
    if not by_model:
        return []
    return [
        _head(day)
        | {
            "cost_usd": sum(usage.cents for usage in by_model.values()) / 100,
            "cost_breakdown": {model: usage.cents / 100 for model, usage in by_model.items()},
        }
    ]


def _claude_code(day: Day) -> list[Record]:
    coders = [(each.user.terminal, each.coding) for each in day.user_days if each.coding]
    if not coders:
        return []
    by_terminal: dict[str, Coding] = {}
    for terminal, coding in coders:
        by_terminal[terminal] = by_terminal.get(terminal, Coding()) + coding
    return [
        _head(day)
        | _coding_fields(sum(by_terminal.values(), Coding()))
        | {
            "active_users": len(coders),
            "breakdown": {terminal: _coding_fields(coding) for terminal, coding in by_terminal.items()},
        }
    ]


def _head(day: Day) -> Record:
    return {
        "organization_id": ORGANIZATION_ID,
        "organization_name": ORGANIZATION_NAME,
        "date": day.date.isoformat(),
    }


def _usage_fields(usage: Usage) -> Record:
    return {
        "total_requests": usage.requests,
        "successful_requests": usage.successful,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": usage.cache_creation,
        "cost_usd": usage.cents / 100,
    }


def _coding_fields(coding: Coding) -> Record:
    return {
        "sessions": coding.sessions,
        "lines_of_code_edited": coding.lines,
        "commits": coding.commits,
        "pull_requests": coding.pull_requests,
    }


def _model_breakdown(by_model: Mapping[str, Usage]) -> Record:
    return {
        model: {
            "requests": usage.requests,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cost_usd": usage.cents / 100,
        }
        for model, usage in by_model.items()
    }


def _by_model(day: Day) -> dict[str, Usage]:
    totals: dict[str, Usage] = {}
    for each in day.user_days:
        for model_id, usage in each.by_model.items():
            totals[model_id] = totals.get(model_id, Usage()) + usage
    return {model.model_id: totals[model.model_id] for model in MODELS if model.model_id in totals}

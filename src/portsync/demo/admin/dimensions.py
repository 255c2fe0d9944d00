"""By what the reports of usage and cost can be grouped and filtered, and the tokens that they sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.demo.charges import hour_writes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portsync.demo.books import Cell

Key = tuple[str | None, ...]


def dimension(cell: Cell, name: str) -> str | None:
    """What `cell` is in the dimension `name`, which is null where nothing is known."""
    match name:
        case "account_id":
            return cell.account.user_id if cell.account else None
        case "api_key_id":
            return cell.api_key.key_id if cell.api_key else None
        case "workspace_id":
            # Null is the default workspace, where people work who are signed in.
            home = cell.api_key.workspace if cell.api_key else None
            return home.workspace_id if home else None
        case "model":
            return cell.model.model_id
        case "context_window":
            return "0-200k"
        case "inference_geo":
            return "global"
        case "service_tier":
            return "standard"
        case _:
            return None


def passes(cell: Cell, filters: Iterable[tuple[str, tuple[str, ...]]]) -> bool:
    """Whether `cell` has one of the values that are asked for, in every dimension that a filter is for."""
    return all(dimension(cell, name) in values for name, values in filters)


def ordered(keys: Iterable[Key]) -> list[Key]:
    """The keys in an order that is always the same, nulls first."""
    return sorted(keys, key=lambda key: [(part is not None, part or "") for part in key])


class Tokens:
    """A sum of the tokens, searches and requests of some cells."""

    __slots__ = ("hour", "input", "minutes", "output", "read", "requests", "searches")

    def __init__(self) -> None:
        """Nothing yet."""
        self.input = self.output = self.read = self.minutes = self.hour = self.searches = self.requests = 0

    def add(self, cell: Cell) -> None:
        """Count `cell` in."""
        usage, hour = cell.usage, hour_writes(cell.usage)
        self.input += usage.input_tokens
        self.output += usage.output_tokens
        self.read += usage.cache_read
        self.hour += hour
        self.minutes += usage.cache_creation - hour
        self.searches += cell.searches
        self.requests += usage.requests

    def fields(self) -> dict[str, Any]:
        """The fields that both generations of the usage report have."""
        return {
            "uncached_input_tokens": self.input,
            "cache_creation": {"ephemeral_1h_input_tokens": self.hour, "ephemeral_5m_input_tokens": self.minutes},
            "cache_read_input_tokens": self.read,
            "output_tokens": self.output,
            "server_tool_use": {"web_search_requests": self.searches},
        }

    @property
    def total(self) -> int:
        """All tokens, of whatever kind."""
        return self.input + self.output + self.read + self.hour + self.minutes

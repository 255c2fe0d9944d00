"""What a part of a day costs, item by item. The items of a part make its whole cents, to the last digit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.demo.books import Cell
    from portsync.demo.data import Usage

UNITS = 10_000
"""An amount is in ten-thousandths of a cent."""
CACHE_WRITES_FOR_AN_HOUR = 4
"""One in so many tokens that are written to the cache stays there for an hour, the others for five minutes."""


@dataclass(frozen=True, slots=True)
class Charge:
    """An item of a bill; `token_type` is None where it is not for tokens. `amount` is in units."""

    cost_type: str
    token_type: str | None
    description: str
    amount: int


def hour_writes(usage: Usage) -> int:
    """Tokens that were written to the cache for an hour; the others of `cache_creation` are there for five minutes."""
    return usage.cache_creation // CACHE_WRITES_FOR_AN_HOUR


def charges_of(cell: Cell) -> Iterator[Charge]:
    """The items of `cell` that cost something."""
    usage, model = cell.usage, cell.model
    # In hundredths of the price of an input token: reads from the cache cost a tenth, writes for five minutes five
    # quarters, and writes for an hour twice as much (Anthropic's price list).
    weights = {
        "uncached_input_tokens": (" - Input Tokens", 100 * usage.input_tokens * model.input_price),
        "cache_read_input_tokens": (" - Input Tokens, Cache Read", 10 * usage.cache_read * model.input_price),
        "cache_creation.ephemeral_1h_input_tokens": (
            " - Input Tokens, Cache Write (1h)",
            200 * hour_writes(usage) * model.input_price,
        ),
        "cache_creation.ephemeral_5m_input_tokens": (
            " - Input Tokens, Cache Write (5m)",
            125 * (usage.cache_creation - hour_writes(usage)) * model.input_price,
        ),
        "output_tokens": (" - Output Tokens", 100 * usage.output_tokens * model.output_price),
    }
    whole = (usage.cents - cell.searches) * UNITS
    # Shares are rounded by what they come to together, so that the last one ends where the whole does.
    total = sum(weight for _, weight in weights.values())
    passed = given = 0
    for token_type, (what, weight) in weights.items():
        passed += weight
        amount = whole * passed // total - given
        given += amount
        if amount:
            yield Charge("tokens", token_type, f"{model.name} Usage{what}", amount)
    if cell.searches:
        yield Charge("web_search", None, "Web Search Usage", cell.searches * UNITS)


def cents_text(amount: int) -> str:
    """An amount in units as the API writes cents: `3`, `3.05`, `30.525`."""
    whole, part = divmod(amount, UNITS)
    return f"{whole}.{part:04d}".rstrip("0").rstrip(".")

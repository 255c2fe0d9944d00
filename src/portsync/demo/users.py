"""The people of the sample organisation."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from string import ascii_letters, digits

# Equally many first and last names: that makes the walk of _name_at meet every pair once before it repeats.
FIRST_NAMES = (
    "ada", "bram", "chloe", "dmitri", "elif", "femi", "grace", "hugo",
    "ines", "jonas", "kavya", "liam", "mei", "noor", "oskar", "priya",
)  # fmt: skip
LAST_NAMES = (
    "okafor", "lindqvist", "haddad", "moreau", "tanaka", "silva", "novak", "byrne",
    "kaya", "petrov", "rossi", "vermeer", "castillo", "nguyen", "weiss", "adeyemi",
)  # fmt: skip
TERMINALS = ("vscode", "iTerm.app", "tmux", "cursor")


@dataclass(frozen=True, slots=True)
class SampleUser:
    """A person who uses Claude; `requests_per_day` is what a usual weekday has, before the trend."""

    user_id: str
    email: str
    requests_per_day: int
    terminal: str


def sample_users(count: int) -> tuple[SampleUser, ...]:
    """Give `count` users, always the same ones: a smaller count gives the first of a larger one."""
    return tuple(_user_at(index) for index in range(count))


def _user_at(index: int) -> SampleUser:
    rng = Random(f"user/{index}")  # noqa: S311 - invented data, nothing is kept secret with it
    return SampleUser(
        user_id="user_01" + "".join(rng.choices(ascii_letters + digits, k=22)),
        email=f"{_name_at(index)}@acme.example",
        # Squared, because in real organisations a few people make most of the requests.
        requests_per_day=15 + round(105 * rng.random() ** 2),
        terminal=rng.choice(TERMINALS),
    )


def _name_at(index: int) -> str:
    lap, first = divmod(index, len(FIRST_NAMES))
    last = (first + lap) % len(LAST_NAMES)
    repeat = lap // len(LAST_NAMES)
    return f"{FIRST_NAMES[first]}.{LAST_NAMES[last]}{repeat + 1 if repeat else ''}"


DEFAULT_USERS = sample_users(8)

"""`--guess` and `--rate` of `portsync emulate`: the local Port's answers where Port's reference states none."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import click

from portsync.emulator.guesses import DEFAULT_GUESSES, Guesses
from portsync.mapping.explain import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GUESSES = tuple(field.name for field in fields(Guesses))
_WORDS = {"true": True, "false": False}
_STATUS = "_status"


def guesses_of(given: Iterable[str], rate: str | None) -> Guesses:
    """The guesses with what `NAME=VALUE` and `REQUESTS/SECONDS` change of them; `rate` counts for more. Raises click's
    error for names and values that cannot be."""
    changes: dict[str, Any] = dict(_pair(text) for text in given)
    found = replace(DEFAULT_GUESSES, **changes)
    if rate is None:
        return found
    match = re.fullmatch(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})", rate)
    if match is None:
        raise click.BadParameter(f"--rate {rate}: not REQUESTS/SECONDS, such as 100/60")
    return replace(found, rate_limit=int(match[1]), rate_period=int(match[2]))


def _pair(text: str) -> tuple[str, bool | int | str | None]:
    name, equals, value = text.partition("=")
    if name not in GUESSES:
        raise click.BadParameter(f"--guess {text}: there is no guess `{name}`; {_nearest(name, GUESSES)}")
    if not equals:
        raise click.BadParameter(f"--guess {text}: a value is missing, as in {name}={_shown(name)}")
    return name, _value(name, value)


def _value(name: str, text: str) -> bool | int | str | None:
    default = getattr(DEFAULT_GUESSES, name)
    if isinstance(default, bool):
        if text.lower() not in _WORDS:
            raise click.BadParameter(f"--guess {name}={text}: not true or false")
        return _WORDS[text.lower()]
    if isinstance(default, str):
        return text
    if text.lower() == "none" and name == "unknown_property_status":
        return None
    number = int(text) if re.fullmatch("[0-9]{1,9}", text) else 0
    if name.endswith(_STATUS) and number not in set(HTTPStatus):
        raise click.BadParameter(f"--guess {name}={text}: not a status of HTTP")
    if number < 1:
        raise click.BadParameter(f"--guess {name}={text}: not a whole number of 1 or more")
    return number


def _shown(name: str) -> str:
    return str(getattr(DEFAULT_GUESSES, name)).lower()


def _nearest(name: str, names: Sequence[str]) -> str:
    return did_you_mean(name, names) or f"there are {', '.join(names)}"

"""JSON that others may see: without secrets, without overlong texts, and such that it can be written as JSON at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from portsync.excerpts import CUT, cut

if TYPE_CHECKING:
    from portsync.flow import Json
    from portsync.logs import Redactor

MASK = "***"

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SECRETS = frozenset(
    """
    apikey apikeys auth authorization bearer cookie cookies credential credentials jwt passcode passphrase passwd
    password passwords pat pwd secret secrets signature token tokens
    """.split()  # noqa: SIM905 - as a list it would fill a page
)
_KEYS = frozenset("access api auth client encryption master private secret shared signing subscription".split())  # noqa: SIM905
_CARRIERS = frozenset({"hash", "plain", "plaintext", "text", "value"})
_DEEPEST = 50
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
"""What a JSON number may be that every reader takes for an integer."""


def is_secret_name(name: str) -> bool:
    """Whether values under this name may be secrets: `password`, `clientSecret`, `x-api-key`; but not `key` alone,
    which is the name of a harmless thing in many APIs, nor `api_key_id`, which only points at one."""
    words = [word.lower() for word in _WORD.findall(name)]
    while words and words[-1] in _CARRIERS:
        words.pop()
    match words:
        case [*_, kind, "key" | "keys"]:
            return kind in _KEYS
        case [*_, last]:
            return last in _SECRETS
        case _:
            return False


@dataclass(frozen=True, slots=True)
class Masking:
    """How much of a value is shown."""

    redactor: Redactor
    """Knows secrets by their values."""
    longest_text: int | None = None
    """In characters; what goes on is cut, and the cut marked. None: all of it."""
    longest_list: int | None = None
    """How many elements of a list are shown; None: all."""

    def of(self, value: Json, *, is_secret: bool = False, depth: int = 0) -> Json:
        """`value` as JSON, with `***` in place of every text that is a secret or stands under the name of one.

        Numbers stay: under such names they count something, such as tokens.
        """
        if depth > _DEEPEST:
            return CUT
        match value:
            case str():
                return MASK if is_secret and value else self._text(value)
            case dict():
                return {
                    self._text(str(key)): self.of(
                        item, is_secret=is_secret or is_secret_name(str(key)), depth=depth + 1
                    )
                    for key, item in value.items()
                }
            case list():
                shown = value if self.longest_list is None else value[: self.longest_list]
                return [self.of(item, is_secret=is_secret, depth=depth + 1) for item in shown]
            case None | bool() | float():
                return value
            case int():
                return value if _SMALLEST <= value <= _LARGEST else CUT
            case date():
                return value.isoformat()
            case _:
                return CUT

    def _text(self, text: str) -> str:
        # Half of a surrogate pair is legal in YAML, and cannot be written.
        text = text.encode(errors="replace").decode()
        # The redactor finds also a secret of which a cut left the beginning.
        return self.redactor.clean(text if self.longest_text is None else cut(text, self.longest_text))

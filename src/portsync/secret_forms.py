"""The forms in which others repeat a secret: as it is, escaped for a URL, JSON or HTML, also twice, and in Base64."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache, cached_property
from html.entities import codepoint2name

_RUN = re.compile(r"[A-Za-z0-9]+")
_BACKSLASH = r"(?:\\|%(?:25)*5[cC])"
_UNFINISHED = re.compile(r"(?:[%\\&][\w#%;\\]{0,30})?")
"""What is left of a character that was cut in the middle of its escape."""
SHORTEST = 4
"""Shorter values are no secrets that anybody could keep, and taking them out would make every text unreadable."""
_SHORTEST_INSIDE = 6
"""Characters of a secret that is looked for within Base64 of a longer text: a shorter one is found everywhere."""


@dataclass(frozen=True)
class Form:
    """One form of a secret, to be looked for in a text. Its patterns are made when a text may hold it: to make those
    of all secrets took 3 ms at every start, and most are never needed."""

    text: str
    guard: str
    """Letters and digits that stand in it however it is escaped: a text without them needs no search."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile("".join(map(_spelt, self.text)))

    @cached_property
    def start(self) -> re.Pattern[str]:
        """Its first characters, of which an excerpt may have cut off the rest."""
        return re.compile("".join(map(_spelt, self.text[:SHORTEST])))

    def beginning_at_end_of(self, part: str) -> int | None:
        """Where in `part` the form begins that the end of `part` cuts off; None where it does not."""
        for found in self.start.finditer(part):
            place = found.end()
            for character in self.text[SHORTEST:]:
                step = _one(character).match(part, place)
                if step is None:
                    break
                place = step.end()
            if _UNFINISHED.fullmatch(part, place):
                return found.start()
        return None


def forms_of(secret: str) -> list[Form]:
    """Everything to look for. The letters that Base64 of a longer text has at the ends of the secret depend on what
    stands beside it, and hold less than a character of it."""
    return [_form(text) for text in (secret, *_packed(secret))]


def _packed(secret: str) -> list[str]:
    """The secret in Base64, by itself and at each of the three offsets that it can have in a longer text."""
    data = secret.encode("utf-8", errors="surrogatepass")
    found = [b64encode(data).decode()]
    for offset in range(3 if len(data) >= _SHORTEST_INSIDE else 0):
        letters = b64encode(bytes(offset) + data).decode()
        # A letter holds six bits: those at both ends that also hold bits of something else are left out.
        found.append(letters[-(-8 * offset // 6) : 8 * (offset + len(data)) // 6])
    return found


def _form(text: str) -> Form:
    return Form(text, max(_RUN.findall(text), key=len, default=""))


@cache
def _one(character: str) -> re.Pattern[str]:
    return re.compile(_spelt(character))


@cache
def _spelt(character: str) -> str:
    """A pattern for one character in every way in which it may be written."""
    if _RUN.fullmatch(character):
        return character
    if character.isspace():
        return r"(?:\s|\+|\\+[nrt]|%(?:25)*(?:20|0[9aAdD])|&#(?:10|13|32);)+"
    raw = character.encode("utf-8", errors="surrogatepass")
    percent = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in raw)
    if character == "\\":
        percent = f"(?:{percent})+"  # an escaped one is two of them
    units = character.encode("utf-16-be", errors="surrogatepass")
    escaped = "".join(rf"{_BACKSLASH}+u(?i:{units[i : i + 2].hex()})" for i in range(0, len(units), 2))
    names = [f"0*{ord(character)}", f"[xX]0*(?i:{ord(character):x})"]
    names = [f"(?:#|{_percent('#')})(?:{'|'.join(names)})", codepoint2name.get(ord(character), "")]
    ampersand, end = f"(?:&|{_percent('&')})", f"(?:;|{_percent(';')})"
    entity = f"{ampersand}(?:amp{end})*(?:{'|'.join(filter(None, names))}){end}"
    # Base64 has another alphabet for URLs.
    other = {"+": "-", "/": "_"}.get(character)
    before = "" if character == "\\" else f"{_BACKSLASH}*"
    itself = f"{_BACKSLASH}+" if character == "\\" else re.escape(character)
    # The longest come first: what follows a character is looked for where the first way of writing it ends.
    return f"(?:{escaped}|{before}(?:{'|'.join(filter(None, (percent, entity, itself, other)))}))"


def _percent(character: str) -> str:
    return f"%(?:25)*(?i:{ord(character):02x})"

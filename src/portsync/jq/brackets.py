"""Which brackets and quotes of an expression are open, and which close nothing."""

from __future__ import annotations

from dataclasses import dataclass

from portsync.jq.scan import scan

CLOSERS = {"(": ")", "[": "]", "{": "}", "\\(": ")", '"': '"'}
"""What each opening sign is closed by. `\\(` stands within a text."""


@dataclass(frozen=True, slots=True)
class Bracket:
    """A bracket or quote, and its offset."""

    sign: str
    start: int

    @property
    def closer(self) -> str:
        return CLOSERS[self.sign]


@dataclass(frozen=True, slots=True)
class Brackets:
    """What a scan over an expression found out."""

    open: tuple[Bracket, ...] = ()
    """Those that are never closed, from the outermost; up to where `wrong` stands, if there is one."""
    wrong: Bracket | None = None
    """The first bracket that closes nothing, or something else than what is open."""

    @property
    def are_closed(self) -> bool:
        return not self.open and self.wrong is None


def brackets_of(code: str) -> Brackets:
    """What is open at the end of `code`, whose single quotes were read already."""
    stack: list[Bracket] = []
    for token in scan(code):
        sign = token.text
        if token.kind != "other":
            continue
        if stack and sign == stack[-1].closer:
            stack.pop()
        elif sign in CLOSERS:
            stack.append(Bracket(sign, token.start))
        elif sign in (")", "]", "}"):
            return Brackets(tuple(stack), Bracket(sign, token.start))
    return Brackets(tuple(stack))

"""Structured logs, and the one place where secrets are taken out of what is shown."""

from __future__ import annotations

import json
import logging
import sys
from base64 import b64encode
from collections import Counter, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, quote_plus

import structlog

from portsync.excerpts import CUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping

_SHORTEST_SECRET = 4
"""Shorter values are no secrets that anybody could keep, and taking them out would make every text unreadable."""


class Redactor:
    """Takes known secrets out of texts, by value, in each form in which they can appear."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: Counter[str] = Counter()
        """Each secret, with how many know it."""
        self._forms: list[str] = []
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """One more secret, such as a token that was fetched during the run."""
        if len(secret) < _SHORTEST_SECRET:
            return
        is_new = not self._known[secret]
        self._known[secret] += 1
        if is_new:
            # The longest first: one secret may hold another.
            self._forms = sorted({*self._forms, *_forms_of(secret)}, key=len, reverse=True)

    @contextmanager
    def for_a_while(self, newest: int | None = None) -> Iterator[Redactor]:
        """A redactor that knows what this one knows. What it learns both know until the block ends, and no longer: a
        service fetches tokens for months. Of what it learns only the `newest` count, where that is given."""
        passing = _PassingRedactor(self, newest)
        try:
            yield passing
        finally:
            passing.forget()

    def _forget(self, secret: str) -> None:
        self._known[secret] -= 1
        if not self._known[secret]:
            del self._known[secret]
            # One that stays may have a form in common with one that goes.
            self._forms = sorted({form for known in self._known for form in _forms_of(known)}, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """`text` with `***` in place of every secret, also of one that an excerpt cut off (`cut` marks the end)."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, "***")
        if CUT in text:
            text = CUT.join(map(self._without_beginnings, text.split(CUT)))
        return text

    def _without_beginnings(self, part: str) -> str:
        for form in self._forms:
            # Only where its first characters stand can the beginning of a secret stand.
            at = part.find(form[:_SHORTEST_SECRET], max(0, len(part) - len(form) + 1))
            while at >= 0:
                if form.startswith(part[at:]):
                    return f"{part[:at]}***"
                at = part.find(form[:_SHORTEST_SECRET], at + 1)
        return part

    def clean_json(self, value: Any) -> Any:
        """A JSON value with `***` in place of every secret, but for hints, which are our own words."""
        match value:
            case str():
                return self.clean(value)
            case list():
                return [self.clean_json(item) for item in value]
            case dict():
                return {key: item if key == "hint" else self.clean_json(item) for key, item in value.items()}
            case _:
                return value

    def process(self, _logger: Any, _name: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
        """A structlog processor."""
        return {key: self.clean(value) if isinstance(value, str) else value for key, value in event.items()}


class _PassingRedactor(Redactor):
    """Knows what another one knows, and tells it what it learns, until it forgets that."""

    def __init__(self, lasting: Redactor, newest: int | None) -> None:
        super().__init__()
        self._lasting = lasting
        self._learned: deque[str] = deque()
        self._newest = newest

    def add(self, secret: str) -> None:
        if len(secret) < _SHORTEST_SECRET or secret in self._learned:
            return
        self._lasting.add(secret)
        self._learned.append(secret)
        if self._newest is not None and len(self._learned) > self._newest:
            self._lasting._forget(self._learned.popleft())  # noqa: SLF001 - two halves of one thing

    def clean(self, text: str) -> str:
        return self._lasting.clean(text)

    def forget(self) -> None:
        """Let go of everything that was learned."""
        while self._learned:
            self._lasting._forget(self._learned.pop())  # noqa: SLF001 - as above


def _forms_of(secret: str) -> set[str]:
    """The forms in which a secret can appear."""
    encoded = b64encode(secret.encode()).decode()
    escaped = json.dumps(secret)[1:-1]
    quoted = (quote(secret, safe=""), quote(secret), quote_plus(secret))
    return {secret, *quoted, escaped, json.dumps(escaped)[1:-1], encoded}


def configure_logs(*, form: Literal["text", "json"] | None, level: str, redactor: Redactor) -> None:
    """Send logs to standard error: text on a terminal, JSON elsewhere, unless `form` says otherwise."""
    as_text = form == "text" or (form is None and sys.stderr.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer() if as_text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redactor.process,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )

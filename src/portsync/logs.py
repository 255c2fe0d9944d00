"""Structured logs, and the one place where secrets are taken out of what is shown."""

from __future__ import annotations

import json
import logging
import sys
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, quote_plus

import structlog

from portsync.excerpts import CUT

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

_SHORTEST_SECRET = 4
"""Shorter values are no secrets that anybody could keep, and taking them out would make every text unreadable."""


class Redactor:
    """Takes known secrets out of texts, by value, in each form in which they can appear."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: list[str] = []
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """One more secret, such as a token that was fetched during the run."""
        if len(secret) < _SHORTEST_SECRET:
            return
        encoded = b64encode(secret.encode()).decode()
        escaped = json.dumps(secret)[1:-1]
        quoted = (quote(secret, safe=""), quote(secret), quote_plus(secret))
        forms = {secret, *quoted, escaped, json.dumps(escaped)[1:-1], encoded}
        # The longest first: one secret may hold another.
        self._forms = sorted({*self._forms, *forms}, key=len, reverse=True)

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
            for length in range(len(form) - 1, _SHORTEST_SECRET - 1, -1):
                if part.endswith(form[:length]):
                    return f"{part[:-length]}***"
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

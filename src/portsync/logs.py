"""Structured logs, and the one place where secrets are taken out of what is shown."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections import Counter, deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal

import structlog

from portsync.excerpts import CUT
from portsync.secret_forms import SHORTEST, forms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping

    from portsync.secret_forms import Form

_JQ_CUT = "..."
_ANY_CUT = re.compile(f"({CUT}|{re.escape(_JQ_CUT)})")


class Redactor:
    """Takes known secrets out of texts, by value, in each form in which they can appear."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: Counter[str] = Counter()
        """Each secret, with how many know it."""
        self._forms: list[Form] = []
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """One more secret, such as a token that was fetched during the run."""
        if len(secret) < SHORTEST:
            return
        is_new = not self._known[secret]
        self._known[secret] += 1
        if is_new:
            self._forms = _longest_first([*self._forms, *forms_of(secret)])

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
            self._forms = _longest_first([form for known in self._known for form in forms_of(known)])

    def clean(self, text: str) -> str:
        """`text` with `***` in place of every secret, also of one of which only the beginning is left: `cut` marks the
        end of an excerpt, and JQ that of a value in its messages."""
        for form in self._forms:
            if form.guard in text:
                text = form.pattern.sub("***", text)
        if CUT in text or _JQ_CUT in text:
            parts = _ANY_CUT.split(text)
            text = "".join(
                self._without_beginning(part) if index % 2 == 0 else part for index, part in enumerate(parts)
            )
        return text

    def _without_beginning(self, part: str) -> str:
        for form in self._forms:
            if (place := form.beginning_at_end_of(part)) is not None:
                return f"{part[:place]}***"
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
        return {self.clean(key): self._cleaned(value) for key, value in event.items()}

    def _cleaned(self, value: Any) -> Any:
        """A value as logs have it: whatever is no JSON is shown as its text."""
        match value:
            case None | bool() | int() | float():
                return value
            case list() | tuple() | set() | frozenset():
                return [self._cleaned(item) for item in value]
            case dict():
                return {self.clean(str(key)): self._cleaned(item) for key, item in value.items()}
            case _:
                return self.clean(str(value))


def log_of(**bound: str) -> Any:
    """A log whose events all have these fields: who does something that should be told apart is given one."""
    return structlog.get_logger().bind(**bound)


def own_log(redactor: Redactor, level: str, **bound: str) -> Any:
    """A log of its own, as JSON to standard error, for whoever works in a process that is not ours."""
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=_processors(redactor, structlog.processors.JSONRenderer()),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
    ).bind(**bound)


class _PassingRedactor(Redactor):
    """Knows what another one knows, and tells it what it learns, until it forgets that."""

    def __init__(self, lasting: Redactor, newest: int | None) -> None:
        super().__init__()
        self._lasting = lasting
        self._learned: deque[str] = deque()
        self._newest = newest

    def add(self, secret: str) -> None:
        if len(secret) < SHORTEST or secret in self._learned:
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


def _longest_first(forms: list[Form]) -> list[Form]:
    """The forms in the order in which they are looked for: one secret may hold another."""
    return sorted(forms, key=lambda form: len(form.text), reverse=True)


def configure_logs(*, form: Literal["text", "json"] | None, level: str, redactor: Redactor) -> None:
    """Send logs to standard error: text on a terminal, JSON elsewhere, unless `form` says otherwise. What libraries log
    goes the same way, from warnings on: what they say may repeat a URL or an answer."""
    as_text = form == "text" or (form is None and sys.stderr.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer() if as_text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=_processors(redactor, renderer),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, OfLibraries)]:
        root.removeHandler(handler)
    root.addHandler(OfLibraries(max(logging.WARNING, logging.getLevelNamesMapping()[level])))


def _processors(redactor: Redactor, renderer: Any) -> list[Any]:
    stamped = structlog.processors.TimeStamper(fmt="iso", utc=True)
    return [structlog.processors.add_log_level, stamped, redactor.process, renderer]


class OfLibraries(logging.Handler):
    """Takes what libraries log through Python's `logging`, and logs it as our own, less the secrets."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            message = str(record.msg)  # its arguments do not fit
        # Whoever logs may also say with False that there is no exception, as asyncio does.
        if record.exc_info and record.exc_info[0] is not None:
            message += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        log = structlog.get_logger()
        # Nobody is left to be told where standard error is closed.
        with suppress(OSError, ValueError):
            if record.levelno >= logging.ERROR:
                log.error("library.failed", library=record.name, message=message)
            else:
                log.warning("library.warned", library=record.name, message=message)

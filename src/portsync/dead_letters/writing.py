"""Problems -> lines of a dead-letter file, as the run goes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Self

import msgspec
import orjson

from portsync.dead_letters.letter import NO_ENTITY, Header, Letter
from portsync.dead_letters.replacement import Replacement
from portsync.errors import Problem
from portsync.excerpts import cut

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from portsync.flow import Json
    from portsync.logs import Redactor

_LONGEST_TEXT = 4000
"""Characters: an identifier can be at fault because it is a whole document."""


class DeadLetters:
    """Takes what a run could not bring into Port. The file is made with the first letter, and replaces that of an
    earlier run then; one that cannot be written is a problem of the run and never its end."""

    def __init__(self, path: Path, header: Header, redactor: Redactor) -> None:
        """Nothing is touched yet. `redactor` may learn of secrets later."""
        self._path = path
        self._header = header
        self._redactor = redactor
        self._file: Replacement | None = None
        self._trouble: OSError | None = None
        self._written = 0
        self._lost = 0
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_closed = True
        if self._file is not None:
            try:
                self._file.close()
            except OSError as trouble:
                self._trouble = self._trouble or trouble

    def add(self, problem: Problem, resource: int | None, blueprint: str | None, entity_body: bytes | None) -> None:
        """Write a letter. `resource` is the index of the resource; `entity_body` is there for what Port refused."""
        # A run that was ended may learn afterwards what became of its last batches; the file is that of the next one.
        if self._trouble is not None or self._is_closed:
            self._lost += 1
            return
        line = letter_line(problem, resource, blueprint, entity_body, self._redactor)
        try:
            if self._file is None:
                self._begin(line)
            else:
                self._file.write(line)
        except OSError as trouble:
            self._trouble = trouble
            self._lost += 1
        else:
            self._written += 1

    def _begin(self, line: bytes) -> None:
        """Make the file with its header and the first letter, so that whoever finds it finds both. Raises OSError."""
        file = Replacement(self._path)
        try:
            file.write(header_line(self._header, self._redactor) + line)
            file.take_place()
        except OSError:
            with suppress(OSError):
                file.close()
            raise
        self._file = file

    def settle(self, exit_code: int) -> None:
        """The run came to its end. Where everything arrived, the letters of an earlier run say nothing that still
        holds, and are removed; else they stay until there are newer ones."""
        if exit_code != 0 or self._written or self._lost:
            return
        try:
            if self._path.is_file():
                self._path.unlink()
        except OSError as trouble:
            self._trouble = trouble

    @property
    def path_or_none(self) -> Path | None:
        """Where the letters of this run are; None where it has none."""
        return self._path if self._file is not None else None

    @property
    def problem(self) -> Problem | None:
        """What went wrong with the file itself, or None."""
        if self._trouble is None:
            return None
        reason = self._trouble.strerror or str(self._trouble)
        if self._lost:
            message = f"{self._lost:,} of {self._lost + self._written:,} dead letters could not be written: {reason}"
        elif self._written:
            message = f"the dead letters may not all be on the disk: {reason}"
        else:
            message = f"the dead letters of an earlier run could not be removed: {reason}"
        hint = "make room there, or name a place that can be written with `--dead-letters`"
        return Problem("dead-letters", message, str(self._path), hint)


def letter_line(
    problem: Problem, resource: int | None, blueprint: str | None, entity_body: bytes | None, redactor: Redactor
) -> bytes:
    """The line of a letter, without secrets."""

    def clean(text: str | None) -> str | None:
        return None if text is None else _text(redactor.clean(text))

    entity, is_redacted = _without_secrets(entity_body, redactor)
    is_redacted = is_redacted or (entity_body is not None and clean(blueprint) != blueprint)
    letter = Letter(
        clean(problem.code) or "",
        clean(problem.message) or "",
        None if problem.hint is None else _text(problem.hint),
        clean(problem.place),
        clean(problem.kind),
        resource,
        clean(problem.identifier),
        clean(blueprint),
        entity,
        is_redacted,
    )
    line = msgspec.json.encode(letter)
    try:
        msgspec.json.decode(line, type=Letter)
    except RecursionError:
        # What nests so deeply could not be read again, and a file that cannot be read is worse.
        line = msgspec.json.encode(msgspec.structs.replace(letter, entity=NO_ENTITY))
    return line + b"\n"


def header_line(header: Header, redactor: Redactor) -> bytes:
    """The first line of a file, without secrets."""
    texts = {name: _text(redactor.clean(getattr(header, name))) for name in ("run_id", "mapping", "identifier", "type")}
    return msgspec.json.encode(msgspec.structs.replace(header, **texts)) + b"\n"


def _text(text: str) -> str:
    """`text` as it can be written: cut where it is endless, and what is no character, as in a file name that is not
    UTF-8, as its escape."""
    return cut(text, _LONGEST_TEXT).encode("utf-8", errors="backslashreplace").decode()


def _without_secrets(body: bytes | None, redactor: Redactor) -> tuple[msgspec.Raw, bool]:
    """An entity on one line, and whether a secret was taken out of it."""
    if body is None:
        return NO_ENTITY, False
    # Between the tokens of JSON a line break says as much as a space, and within them there is none.
    text = body.decode().replace("\n", " ").replace("\r", " ")
    if "\\" not in text and redactor.clean(text) == text:
        return msgspec.Raw(text.encode()), False
    try:
        value = orjson.loads(text)
        cleaned = {key: _cleaned(item, redactor) for key, item in value.items()}
    except (ValueError, RecursionError):
        return NO_ENTITY, True
    is_clean = redactor.clean(text) == text
    if cleaned == value:
        # A secret that the text has, and no value: a number in another form, or a word of JSON's own.
        return (msgspec.Raw(text.encode()), False) if is_clean else (NO_ENTITY, True)
    line = orjson.dumps(cleaned).decode()
    return (msgspec.Raw(line.encode()) if redactor.clean(line) == line else NO_ENTITY), True


def _cleaned(value: Json, redactor: Redactor) -> Json:
    """A JSON value without secrets, in its keys neither. A number that is one becomes a text."""
    match value:
        case str():
            return redactor.clean(value)
        case list():
            return [_cleaned(item, redactor) for item in value]
        case dict():
            return {redactor.clean(key): _cleaned(item, redactor) for key, item in value.items()}
        case int() | float() if not isinstance(value, bool):
            text = str(value)
            return value if redactor.clean(text) == text else redactor.clean(text)
        case _:
            return value

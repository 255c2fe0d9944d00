"""A dead-letter file -> its header and its letters, one line at a time."""

from __future__ import annotations

import os
import sqlite3
import stat
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Self

import msgspec

from portsync.dead_letters.letter import VERSION, Header, Letter
from portsync.errors import ConfigError, Problem
from portsync.identifiers import blueprint_fault_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

_LONGEST_LINE = 4 << 20
"""Bytes: an entity of 1 MiB, and what is around it."""
_HINT = "a sync writes such files; name one, or remove the line"


class _Version(msgspec.Struct):
    version: int


class _Named(msgspec.Struct):
    """The one part of an entity that is looked at; without it Port would make up an identifier, each time another."""

    identifier: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file."""

    number: int
    raw: bytes
    """With its line break."""
    letter: Letter


class LetterFile:
    """A dead-letter file that was read through once, so that a wrong line is found before anything is sent. Holds one
    line at a time."""

    def __init__(self, path: Path) -> None:
        """Raises ConfigError where the file cannot be read, or is no dead-letter file; it names the line."""
        self.path = path
        self.letters = 0
        self.entities = 0
        """How many letters have an entity that may be sent."""
        self.warning: Problem | None = None
        """That the last line was cut off, as by a full disk or the end of the process that wrote it."""
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise ConfigError(_unreadable(path, error.strerror or str(error))) from error
        self._lasts = sqlite3.connect("", isolation_level=None)
        try:
            self._examine()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._lasts.close()

    def _examine(self) -> None:
        status = os.fstat(self._file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(_unreadable(self.path, "it is no regular file, which could be replaced by what remains"))
        self._identity = (status.st_dev, status.st_ino, status.st_size)
        self.header_line = self._file.readline(_LONGEST_LINE)
        self.header = self._parsed_header(self.header_line)
        self._begin = self._file.tell()
        self._lasts.execute("PRAGMA journal_mode = OFF")
        self._lasts.execute("PRAGMA synchronous = OFF")
        self._lasts.execute("CREATE TABLE last (key BLOB PRIMARY KEY, number INTEGER) WITHOUT ROWID")
        self._lasts.execute("BEGIN")
        self._lasts.executemany("INSERT OR REPLACE INTO last VALUES (?, ?)", self._keyed())
        self._lasts.execute("COMMIT")

    def _keyed(self) -> Iterator[tuple[bytes, int]]:
        """The key of each entity that may be sent, and the number of its line."""
        for line in self.lines():
            self.letters += 1
            if (body := line.letter.body_to_send) is not None:
                self.entities += 1
                yield _key(line.letter, body), line.number

    def lines(self) -> Iterator[Line]:
        """The letters, from the first one on. Raises ConfigError."""
        self._file.seek(self._begin)
        end = self._identity[2]
        number = 1
        while self._file.tell() < end and (raw := self._file.readline(_LONGEST_LINE)):
            number += 1
            if len(raw) == _LONGEST_LINE:
                raise ConfigError(_wrong(self.path, number, f"a line of {_LONGEST_LINE >> 20} MiB and more"))
            if not raw.strip():
                continue
            try:
                letter = _parsed_letter(raw)
            except ConfigError as error:
                if raw.endswith(b"\n"):
                    raise ConfigError(_wrong(self.path, number, error.problems[0].message)) from error
                self.warning = _cut_off(self.path, number)
                return
            yield Line(number, raw if raw.endswith(b"\n") else raw + b"\n", letter)

    def is_superseded(self, line: Line) -> bool:
        """Whether a later letter has an entity of the same identifier, which is what counts."""
        if (body := line.letter.body_to_send) is None:
            return False
        found = self._lasts.execute("SELECT number FROM last WHERE key = ?", (_key(line.letter, body),)).fetchone()
        return found is not None and found[0] != line.number

    def is_as_it_was(self) -> bool:
        """Whether the file at the path is still the one that was read, and no more was written to it."""
        try:
            status = self.path.stat()
        except OSError:
            return False
        return (status.st_dev, status.st_ino, status.st_size) == self._identity

    def _parsed_header(self, line: bytes) -> Header:
        try:
            version = msgspec.json.decode(line, type=_Version).version
            if version != VERSION:
                message = f"the form of the file is {version}, and this portsync reads {VERSION}"
                raise ConfigError(_wrong(self.path, 1, message))
            header = msgspec.json.decode(line, type=Header)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ConfigError(_wrong(self.path, 1, f"no header: {error}")) from error
        return header


def _parsed_letter(raw: bytes) -> Letter:
    """Raises ConfigError."""
    try:
        raw.decode()
        letter = msgspec.json.decode(raw, type=Letter)
        if (body := letter.body_to_send) is not None:
            msgspec.json.decode(body, type=_Named)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(Problem("not-dead-letters", f"no letter: {error}")) from error
    if body is not None and letter.blueprint is None:
        raise ConfigError(Problem("not-dead-letters", "an entity without a blueprint"))
    if body is not None and (fault := blueprint_fault_of(letter.blueprint or "")) is not None:
        raise ConfigError(Problem("not-dead-letters", f"the blueprint {fault}"))
    return letter


def _key(letter: Letter, body: bytes) -> bytes:
    identifier = msgspec.json.decode(body, type=_Named).identifier
    return blake2b(f"{letter.blueprint}\0".encode() + bytes(identifier), digest_size=16).digest()


def _wrong(path: Path, number: int, why: str) -> Problem:
    return Problem("not-dead-letters", f"not a file of dead letters: {why}", f"{path}:{number}", _HINT)


def _unreadable(path: Path, why: str) -> Problem:
    return Problem("not-dead-letters", f"the dead letters cannot be read: {why}", str(path), "check the path")


def _cut_off(path: Path, number: int) -> Problem:
    message = "the last line is cut off, as by a full disk or a process that was killed; it is left out"
    return Problem("letter-cut-off", message, f"{path}:{number}")

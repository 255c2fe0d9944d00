"""A file that is written beside another one, and takes its place at once."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_OURS_ALONE = 0o600
_FOLDER_OURS_ALONE = 0o700


class Replacement:
    """A new file for no eyes but ours, which can be written on after it has taken the place of the old one.

    A path that is a device, such as /dev/null, is written to as it is. Every method raises OSError where the file
    system says no.
    """

    def __init__(self, path: Path) -> None:
        """Make the new file, and the folder where it is missing."""
        try:
            self.path = path.resolve()
        except RuntimeError as error:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from error
        self._beside: Path | None = None
        if self.path.exists() and not self.path.is_file():
            # Without waiting: nobody may ever read from the other end of a pipe.
            descriptor = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        else:
            self.path.parent.mkdir(mode=_FOLDER_OURS_ALONE, parents=True, exist_ok=True)
            # Of this process alone, so that two runs cannot write into each other's file.
            beside = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
            with suppress(FileNotFoundError):
                beside.unlink()
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OURS_ALONE)
            self._beside = beside
        self._is_file = self._beside is not None
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._size = 0

    def write(self, line: bytes) -> None:
        """Append a whole line, or nothing. It is with the system when this returns: a process that is killed loses
        none."""
        rest = memoryview(line)
        try:
            while rest:
                written = self._file.write(rest)
                if written is None:
                    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
                rest = rest[written:]
        except OSError:
            if self._is_file:
                with suppress(OSError):
                    self._file.truncate(self._size)
            raise
        self._size += len(line)

    def take_place(self) -> None:
        """From now on it is the file at `path`; it stays open."""
        if self._beside is not None:
            self._beside.replace(self.path)
            self._beside = None

    def close(self) -> None:
        """Bring the file to the disk and close it; one that did not take its place is gone."""
        try:
            if self._beside is not None:
                self._beside.unlink(missing_ok=True)
            elif self._is_file and not self._file.closed:
                os.fsync(self._file.fileno())
        finally:
            self._file.close()

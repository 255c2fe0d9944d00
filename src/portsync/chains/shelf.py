"""The values that one resource's records gave for the paths of another, kept on disk until they are wanted."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Self

import orjson

from portsync.chains.values import RecordValues

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType


class Shelf:
    """Written while the one resource is read, read when the other's turn has come."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the shelf
        self.is_whole = False
        """Whether all records of the resource were read."""

    def add(self, records: tuple[RecordValues, ...]) -> None:
        """Keep the values of a page."""
        self._file.writelines(orjson.dumps([record.place, record.values, record.errors]) + b"\n" for record in records)

    def read(self) -> Iterator[RecordValues]:
        """What was kept, in its order. Several may read at once, each from the beginning."""
        position = 0
        while True:
            self._file.seek(position)
            if not (line := self._file.readline()):
                return
            position += len(line)
            yield RecordValues(*orjson.loads(line))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

"""What live events could not bring into Port, as a file in the form of dead letters. It grows from one start of the
service to the next, for nobody reads these events once more."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from portsync.dead_letters.writing import header_line, letter_line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from portsync.dead_letters import Header
    from portsync.logs import Redactor
    from portsync.serve.live_changes import Fault

_LARGEST = 64 << 20
"""Bytes: a larger file takes the place of the one before it, and a new one is begun."""


@dataclass(frozen=True, slots=True)
class LiveLetters:
    """The file."""

    path: Path
    header: Header
    redactor: Redactor
    kinds: tuple[str, ...]
    """Those of the mapping's resources."""

    def add(self, faults: Iterable[Fault]) -> None:
        """Append letters; they are on the disk when this returns. Raises OSError."""
        lines = []
        for fault in faults:
            blueprint, body = (None, None) if fault.entity is None else (fault.entity.blueprint, fault.entity.body)
            kind = None if fault.resource is None else self.kinds[fault.resource]
            line = letter_line(replace(fault.problem, kind=kind), fault.resource, blueprint, body, self.redactor)
            lines.append(line)
        if not lines:
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.path.exists() and self.path.stat().st_size > _LARGEST:
            self.path.replace(self.path.with_name(f"{self.path.name}.before"))
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            if file.tell() == 0:
                file.write(header_line(self.header, self.redactor))
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())

"""The mapping file on disk. It is written when somebody says so, and never over what somebody else wrote meanwhile."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from portsync.errors import ConfigError, Problem
from portsync.mapping.loader import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence

ENDINGS = (".yaml", ".yml")


class ConflictError(ConfigError):
    """This means that a file would be written over which nobody said may be."""


@dataclass
class MappingFileOnDisk:
    """Which file is edited, and what it held when it was last read or written."""

    path: Path | None = None
    _digest: bytes | None = None
    """Of its bytes; None where there was no file."""
    _has_carriage_returns: bool = False

    def read(self) -> str:
        """Its text; empty where there is no file yet. Raises MappingError where it cannot be read."""
        if self.path is None or not self.path.exists():
            self._digest = None
            return ""
        text = read_text(self.path)
        self._digest = _digest_of(self.path)
        self._has_carriage_returns = "\r\n" in text
        return text

    def has_changed(self) -> bool:
        """Whether somebody else changed the file since it was read."""
        return self.path is not None and _digest_of(self.path) != self._digest

    def save(self, text: str, path: Path, *, over: bool) -> None:
        """Write `text` to `path`, which is the file from now on. `over`: also where another text is there by now.
        Raises ConflictError where it is and may not go, and MappingError where it cannot be written."""
        if path.suffix not in ENDINGS:
            message = "the name of a mapping file ends with .yaml"
            raise ConfigError(Problem("unwritable-file", message, str(path), f"call it {path.name}.yaml"))
        is_own = self.path is not None and path.resolve() == self.path.resolve()
        if not over and is_own and self.has_changed():
            hint = "write it over, or open it anew and lose what is in the editor"
            raise ConflictError(Problem("file-changed", "somebody else changed the file meanwhile", str(path), hint))
        if not over and not is_own and path.exists():
            hint = "choose another name, or write it over"
            raise ConflictError(Problem("file-exists", "there is a file of this name already", str(path), hint))
        if self._has_carriage_returns and is_own:
            text = text.replace("\n", "\r\n")
        write([(path, text.encode())])
        if not is_own:
            self._has_carriage_returns = False
        self.path, self._digest = path, sha256(text.encode()).digest()


def _digest_of(path: Path) -> bytes | None:
    try:
        return sha256(path.read_bytes()).digest()
    except OSError:
        return None


def taken(files: Sequence[tuple[Path, bytes]]) -> list[Path]:
    """Those of the files that are there already, with another content."""
    return [path for path, content in files if path.exists() and _digest_of(path) != sha256(content).digest()]


def write(files: Sequence[tuple[Path, bytes]]) -> None:
    """Write each file, whole or not at all, with the folders that it needs. Raises ConfigError."""
    for path, content in files:
        target = path.resolve()
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                Path(name).chmod(mode)
                Path(name).replace(target)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            message = f"cannot be written: {error.strerror}"
            raise ConfigError(Problem("unwritable-file", message, place=str(path))) from error


def _umask() -> int:
    """What new files of this process may not be; there is no way to ask without setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask

"""Refresh tokens that a server gave in place of the configured one, kept from run to run."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from portsync.errors import AuthError, Problem, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

_OURS_ALONE = 0o700
_PLACE = "source.auth"


class TokenStore:
    """One file for each token that a user configured, with the last one that the server gave instead.

    The file's name is a hash of the token endpoint, the client and the configured token: a user who configures a new
    token is believed, and two accounts of one client do not get in each other's way.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Without `folder` nothing outlives the store."""
        self._folder = folder
        self._held: dict[str, str] = {}

    def check(self) -> None:
        """Find out before a token is used up that its successor has nowhere to go. Raises SettingsError."""
        if self._folder is None:
            return
        try:
            self._write("probe", "")
            (self._folder / "probe").unlink(missing_ok=True)
        except OSError as error:
            raise SettingsError(
                Problem(
                    "token-store",
                    f"refresh tokens cannot be kept in {self._folder}: {error.strerror}",
                    _PLACE,
                    "set PORTSYNC_STATE to a place that can be written, or to `none` if the token never changes",
                )
            ) from error

    def current(self, token_url: str, client_id: str, configured: str) -> str:
        """The token that descends from `configured` in the latest generation. Raises AuthError."""
        name = _name(token_url, client_id, configured)
        if name not in self._held:
            self._held[name] = self._read(name) or configured
        return self._held[name]

    def keep(self, token_url: str, client_id: str, configured: str, token: str) -> None:
        """`token` stands for `configured` from now on. Raises AuthError where that cannot be written down; it counts
        for this run all the same."""
        name = _name(token_url, client_id, configured)
        self._held[name] = token
        content = {"token_url": token_url, "client_id": client_id, "refresh_token": token}
        try:
            self._write(f"{name}.json", json.dumps(content, indent=2))
        except OSError as error:
            message = f"{token_url} gave a new refresh token, and it cannot be kept: {error.strerror}"
            hint = "the old one may be used up: make room, and log in for a new one"
            raise AuthError(Problem("token-store", message, _PLACE, hint)) from error

    def _read(self, name: str) -> str | None:
        if self._folder is None:
            return None
        path = self._folder / f"{name}.json"
        try:
            token = json.loads(path.read_text(encoding="utf-8"))["refresh_token"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            message = f"the refresh token of the last run cannot be read from {path}: {reason}"
            hint = "remove the file to begin with the configured token again"
            raise AuthError(Problem("token-store", message, _PLACE, hint)) from error
        return str(token)

    def _write(self, name: str, text: str) -> None:
        """Write a file that is never half written, for no eyes but ours. Raises OSError."""
        if self._folder is None:
            return
        self._folder.mkdir(mode=_OURS_ALONE, parents=True, exist_ok=True)
        self._folder.chmod(_OURS_ALONE)
        # Of this process alone, so that two runs cannot write into each other's file.
        new = self._folder / f"{name}.{os.getpid()}.new"
        with suppress(FileNotFoundError):
            new.unlink()
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._folder / name)
        except OSError:
            new.unlink(missing_ok=True)
            raise
        _sync_folder(self._folder)


def _sync_folder(folder: Path) -> None:
    """The new name of a file is on disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _name(token_url: str, client_id: str, configured: str) -> str:
    return sha256(json.dumps([token_url, client_id, configured]).encode()).hexdigest()

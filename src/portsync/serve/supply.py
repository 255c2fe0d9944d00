"""Where a mapping comes from: a file, or the integration's page in Port, and what tells that there is a new one."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import yaml

from portsync.errors import ConfigError, Problem
from portsync.mapping.loader import read_text
from portsync.wiring import load_all, planned

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from portsync.running import Loaded
    from portsync.settings import Settings

PortConfig = dict[str, Any]
_LOCAL = ("source", "context")
"""What a mapping on Port's page may not say: whoever may edit that page must not be able to send credentials
elsewhere."""
_SECRET_FILE = re.compile(rb"\$\{file:([^}\0]*)\}")
_REFERENCE = re.compile(r"(?<!\$)\$\{([^}:]*)")


class Supply(Protocol):
    """Gives the mapping of a job."""

    @property
    def name(self) -> str:
        """Short, for logs and for `/resync`."""

    @property
    def is_asked_for_each_run(self) -> bool:
        """Whether the mapping is loaded anew before each run, whatever `mark` says."""

    async def load(self) -> Loaded:
        """The mapping as it is now. Raises ConfigError with what is wrong, and PortError where Port has to be asked
        and cannot be."""

    def mark(self) -> object:
        """Something that is another one when there may be a new mapping. Reads files."""


@dataclass(frozen=True, slots=True)
class FileSupply:
    """A mapping file, and the secrets that it has read from files: who replaces one of those wants it to be used."""

    path: Path
    environment: Mapping[str, str]
    settings: Settings
    is_asked_for_each_run: bool = False

    @property
    def name(self) -> str:
        return self.path.stem

    async def load(self) -> Loaded:
        return await asyncio.to_thread(self._load)

    def _load(self) -> Loaded:
        (loaded,) = load_all([self.path], self.environment, self.settings)
        return loaded

    def mark(self) -> object:
        """A hash of what is in them: times and sizes may be the same for another text, and others for the same one."""
        text = _content(self.path)
        if text is None:
            return None
        digest = blake2b(text, digest_size=16)
        for name in _SECRET_FILE.findall(text):
            digest.update(_content(Path(os.fsdecode(name))) or b"")
            digest.update(b"\0")
        return digest.digest()


def _content(path: Path) -> bytes | None:
    """What is in a file; None where it cannot be read. A pipe would never end."""
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError:
        return None


class PortSupply:
    """The mapping on the integration's page in Port, under what the local file says of the source."""

    def __init__(
        self,
        name: str,
        local: Path | None,
        environment: Mapping[str, str],
        settings: Settings,
        fetch: Callable[[], Awaitable[PortConfig | None]],
        default: Path | None,
    ) -> None:
        """`fetch` asks Port for the integration's config. `default` is a mapping file for an integration that Port
        knows no resources of."""
        self.name = name
        self.is_asked_for_each_run = True
        self._local = local
        self._environment = environment
        self._settings = settings
        self._fetch = fetch
        self._default = default
        self._known: PortConfig | None = None
        self._is_asked = False
        """Whether Port has said anything yet."""

    async def load(self) -> Loaded:
        config = await self._fetch()
        if not (config or {}).get("resources"):
            config = None
        self._known, self._is_asked = config, True
        return await asyncio.to_thread(self._load, config)

    def _load(self, config: PortConfig | None) -> Loaded:
        if config is None:
            if self._default is None:
                raise ConfigError(self._no_mapping())
            text, path, is_from_port = _without_connection(read_text(self._default)), self._default, False
        else:
            text = _together(self._local, config, self._settings.port_may_read)
            path, is_from_port = self._local or Path(f"{self.name}.yaml"), True
        return planned(text, path, self._environment, self._settings, self.name, is_from_port=is_from_port)

    def seen(self, config: PortConfig | None) -> bool:
        """Whether Port's config is the one that was loaded last. Before the first load, which takes what is there, none
        is a new one."""
        return not self._is_asked or (config if (config or {}).get("resources") else None) == self._known

    def mark(self) -> object:
        return None if self._local is None else FileSupply(self._local, {}, self._settings).mark()

    def _no_mapping(self) -> Problem:
        return Problem(
            "no-mapping",
            "there is no mapping: no file is there, and the integration has no resources on its page in Port",
            place=None if self._local is None else str(self._local),
            hint="name a file, mount one at /etc/portsync/mapping.yaml, or write the resources on Port's page",
        )


def has_resources(path: Path) -> bool:
    """Whether a local file says what to read, so that Port need not be asked. Raises MappingError where it cannot be
    read; a file that is no YAML is taken for one that does, so that loading it says what is wrong."""
    text = read_text(path)
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return True
    return not isinstance(value, dict) or "resources" in value or not value.keys() <= {*_LOCAL}


def _together(local: Path | None, config: PortConfig, allowed: frozenset[str]) -> str:
    """One text of the local file's source and of Port's resources and switches. Raises ConfigError."""
    problems = [
        Problem(
            "forbidden-key",
            f"the mapping on Port's page has the key `{key}`, which only a local file may have",
            hint="move it into a mapping file beside portsync",
        )
        for key in _LOCAL
        if key in config
    ]
    # Who else may write entities is said beside portsync alone.
    resources = config.get("resources")
    if isinstance(resources, list) and any(isinstance(one, dict) and "live" in one for one in resources):
        message = "a resource of the mapping on Port's page has the key `live`, which only a local file may have"
        hint = "write the resources into a mapping file beside portsync, or take `live` out"
        problems.append(Problem("forbidden-key", message, hint=hint))
    # A file is never one of them: `${file:...}` could name any.
    problems += [
        Problem(
            "forbidden-variable",
            f"the mapping on Port's page may not read `{name}`",
            hint="allow it with PORTSYNC_PORT_MAY_READ, if everybody who may edit that page may see its value",
        )
        for name in sorted(_references(config) - (allowed - {"file"}))
    ]
    if problems:
        raise ConfigError(*problems)
    own: dict[str, Any] = {}
    if local is not None and local.exists():
        value = yaml.safe_load(read_text(local))
        own = {key: value[key] for key in _LOCAL if isinstance(value, dict) and key in value}
    return yaml.safe_dump({**own, **config}, sort_keys=False, allow_unicode=True, width=10_000)


def _references(value: object) -> set[str]:
    """The names of variables, and `file` for a file, that texts anywhere in the value refer to."""
    match value:
        case str():
            return {found.strip() for found in _REFERENCE.findall(value)}
        case dict():
            return set().union(*map(_references, value.values()), *map(_references, value))
        case list():
            return set().union(*map(_references, value))
        case _:
            return set()


def _without_connection(text: str) -> str:
    """A mapping of ours without its address and credentials, which are the environment's then."""
    value = yaml.safe_load(text)
    for key in ("base_url", "auth", "pagination"):
        value["source"].pop(key, None)
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000)

"""What the studio holds while it runs, all of it in memory: nothing of this is in a file, in a log or on the page."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portsync.settings import Settings, read_settings
from portsync.studio.answers import Answers
from portsync.studio.newest import Newest
from portsync.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from portsync.flow import Json
    from portsync.jq.pool import JqPool
    from portsync.logs import Redactor
    from portsync.runtime import Runtime
    from portsync.studio.files import MappingFileOnDisk
    from portsync.surroundings import SourceWire

_SAME_MOMENT_S = 900.0
"""For so long `now` stays what it was, so that a request with a date in it is still the one that was answered."""


@dataclass
class Session:
    """One studio. Its parts are shared by all views of its page."""

    runtime: Runtime
    redactor: Redactor
    pool: JqPool
    file: MappingFileOnDisk
    folder: Path
    """Where new files go."""
    values: dict[str, str] = field(default_factory=dict, repr=False)
    """What somebody typed in for a variable: it lives as long as this process."""
    answers: Answers = field(default_factory=Answers)
    looking: Newest = field(default_factory=Newest)
    asking: Newest = field(default_factory=Newest)
    drafting: Newest = field(default_factory=Newest)
    seen: dict[str, Json] = field(default_factory=dict, repr=False)
    """The values of the last look, whose slices the page asks for."""
    now: float = 0.0
    """What `now` in expressions stands for, in epoch seconds."""
    _passing: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.now = self.runtime.clock()

    @property
    def environment(self) -> Mapping[str, str]:
        """That of the process, with what was typed in."""
        return {**self.runtime.environment, **self.values}

    def settings(self) -> Settings:
        """Raises SettingsError."""
        return read_settings(self.environment)

    def surroundings(self, settings: Settings, wire: SourceWire) -> Surroundings:
        return Surroundings(settings, self.runtime, self.redactor, wire)

    def give(self, name: str, value: str) -> None:
        """Let `name` stand for `value` until the process ends; nobody sees it again. An empty one takes it back."""
        if value:
            self.values[name] = value
            for form in (value, value.strip()):
                self.redactor.add(form)
        else:
            self.values.pop(name, None)

    def know(self, secrets: AbstractSet[str]) -> None:
        """The secrets of the text in the editor, until the next text: one that is being typed in is another one with
        each keystroke."""
        self._passing.close()
        passing = self._passing.enter_context(self.redactor.for_a_while())
        for secret in secrets:
            passing.add(secret)

    @contextmanager
    def knowing(self, secrets: AbstractSet[str]) -> Iterator[Redactor]:
        """A redactor for work that goes on while the text is changed: it knows these until the block ends."""
        with self.redactor.for_a_while() as passing:
            for secret in secrets:
                passing.add(secret)
            yield self.redactor

    def renew_now(self) -> None:
        """Let `now` go on, where it stood still for long."""
        now = self.runtime.clock()
        if now - self.now > _SAME_MOMENT_S:
            self.now = now

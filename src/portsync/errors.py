"""Every exception of portsync. Imports nothing of ours.

    PortSyncError                 carries Problems; knows its exit code
    ├── ConfigError               the user's files, flags or environment; nothing was sent       2
    │   ├── MappingError          holds every problem of the mapping file
    │   ├── SettingsError         an environment variable or flag is missing or wrong
    │   ├── BlueprintError        a blueprint file cannot be used
    │   └── StateError            what was sent before cannot be read, or another run has it
    ├── StateLostError            the state broke in mid-run; what was sent is in Port             1
    ├── SendError                 one request could not be brought to an end (the transport's word)
    ├── DecodeError               an answer is not what its decoder reads
    ├── AuthError                 no credentials could be had for a request
    ├── SourceError               the API that is read                                           3
    ├── PortError                 the API that is written                                        4
    │   ├── PortRefusedError      Port does not accept the credentials
    │   ├── PortUnreachableError  Port does not answer
    │   ├── PortTroubleError      Port cannot do this one thing now
    │   └── OutputError           the file in Port's place takes no more                    1
    ├── StoppedError              Ctrl-C or SIGTERM                                     130, 143
    └── ExpressionError           a JQ program that did not end well                             1

An error is an exception. What befalls one record or entity is a Failure, a value in the report (flow.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do: the terminal, the JSON report and the log render the same fields."""

    code: str
    """Kebab-case; each has its section in docs/reference/errors.md."""
    message: str
    """A lower-case clause that names the thing."""
    place: str | None = None
    """`file:line:column`, or `METHOD url`, or `page 2, record 17`."""
    hint: str | None = None
    """What to do, as an imperative."""
    kind: str | None = None
    """The resource that it belongs to."""
    identifier: str | None = None
    """The entity that it belongs to."""
    excerpt: str | None = None
    """The line of the user's file, and a caret under the place; shown on terminals only."""
    status: int | None = None
    """Of the answer that it is about."""

    def advised(self, hints: Mapping[str, str]) -> Problem:
        """The problem with the hint that the mapping's `source.hints` have for its status or its code."""
        hint = hints.get(str(self.status)) or hints.get(self.code)
        return self if hint is None else replace(self, hint=hint)


class PortSyncError(Exception):
    """The base of all that portsync raises on purpose."""

    exit_code: int = 1

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(p.message for p in problems))
        self.problems = problems

    def __reduce__(self) -> tuple[Any, ...]:
        # Python would make it anew from its text, where another process is told of it.
        return _made_anew, (type(self), self.args, self.__dict__)


def _made_anew(kind: type[PortSyncError], arguments: tuple[Any, ...], parts: dict[str, Any]) -> PortSyncError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(parts)
    return error


class ConfigError(PortSyncError):
    """This means that something which the user wrote has to be changed before anything can be sent."""

    exit_code = 2


class MappingError(ConfigError):
    """This means that the mapping file has problems; it holds all of them."""


class SettingsError(ConfigError):
    """This means that an environment variable or a flag is missing or wrong."""


class BlueprintError(ConfigError):
    """This means that a blueprint file cannot be read or is not a blueprint."""


class CassetteError(ConfigError):
    """This means that saved answers cannot be read or written."""


class CaseError(ConfigError):
    """This means that a file of test cases has problems; it holds all of them."""


class StateError(ConfigError):
    """This means that the state cannot be opened, or that another process has it."""


class StateLostError(PortSyncError):
    """This means that the state could be opened, but no longer be read or written."""


class ClusterError(PortSyncError):
    """This means that the cluster which was to do the work cannot be used, or is lost."""


class SendError(PortSyncError):
    """This means that a request got no answer: no connection, broken connection, no answer in time, or not sent."""

    def __init__(
        self,
        problem: Problem,
        *,
        reason: str,
        requests: int,
        waited_s: float,
        may_pass: bool = True,
        rate_limited: int = 0,
        asked_s: float | None = None,
    ) -> None:
        """`may_pass` says whether another attempt could have done better, and `asked_s` what wait was asked for;
        `rate_limited` counts the attempts that the peer refused as too many."""
        super().__init__(problem)
        self.reason = reason
        self.requests = requests
        self.waited_s = waited_s
        self.may_pass = may_pass
        self.rate_limited = rate_limited
        self.asked_s = asked_s


class DecodeError(PortSyncError):
    """This means that an answer is not what its decoder reads, or unpacks to more than anybody can have meant."""

    def __init__(self, problem: Problem, *, reason: str = "decode") -> None:
        super().__init__(problem)
        self.reason = reason


class AuthError(PortSyncError):
    """This means that a request has no credentials: a token could not be fetched, kept or understood."""

    def __init__(
        self,
        problem: Problem,
        *,
        reason: str = "auth",
        may_pass: bool = False,
        status: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`status` and `headers` are those of the answer that held no token: they may say when to come back."""
        super().__init__(problem)
        self.reason = reason
        self.may_pass = may_pass
        self.status = status
        self.headers = headers or {}


class SourceError(PortSyncError):
    """This means that the source could not be used at all."""

    exit_code = 3


class PortError(PortSyncError):
    """This means that Port could not be used, or not for one thing."""

    exit_code = 4

    @property
    def is_of_all(self) -> bool:
        """Whether it would befall any other request too."""
        return isinstance(self, PortRefusedError | PortUnreachableError)


class PortRefusedError(PortError):
    """This means that Port does not accept the credentials."""


class PortUnreachableError(PortError):
    """This means that Port does not answer, or answers nothing but server errors."""


class PortTroubleError(PortError):
    """This means that Port could not do one thing just now, and may do it a while later."""


class OutputError(PortError):
    """This means that the file or pipe that stands in Port's place takes no more entities."""

    exit_code = 1


class StoppedError(PortSyncError):
    """This means that Ctrl-C or SIGTERM came before there was anything to report."""

    exit_code = 130

    def __init__(self, problem: Problem, exit_code: int) -> None:
        super().__init__(problem)
        self.exit_code = exit_code


class ExpressionError(PortSyncError):
    """This means that a JQ program failed, ran past its deadline or its memory, or died."""

"""What keeps an attempt from an answer, in words, and whether another attempt may do better."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import httpx

from portsync.errors import Problem
from portsync.excerpts import cut
from portsync.transport.connections import TooLargeError, tls_fault
from portsync.transport.exchange import NotKeptError

_CERTIFICATE_HINT = "check the certificate: `source.tls.ca` names an authority, `verify_tls: false` trusts any"
_OWN_CERTIFICATE_HINT = "a server that asks for a certificate of ours gets the one of `source.tls.cert`"
_EXCERPT = 300


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `total` is for one whole answer, so that one which drips in for ever ends too."""

    connect: float = 30.0
    read: float = 30.0
    write: float = 30.0
    pool: float = 30.0
    total: float = 300.0

    def each(self) -> dict[str, float]:
        """Those of the parts, as httpx wants them."""
        return {"connect": self.connect, "read": self.read, "write": self.write, "pool": self.pool}


Trouble = TimeoutError | httpx.RequestError | httpx.InvalidURL | TooLargeError


def trouble_of(error: Trouble, place: str, timeouts: Timeouts, largest_answer: int) -> tuple[Problem, str, bool]:
    """The problem, the reason that a report gives for it, and whether another attempt may do better."""
    match error:
        case TimeoutError():
            return _late(f"no whole answer within {timeouts.total:g} s", place)
        case httpx.ReadTimeout() | httpx.WriteTimeout() | httpx.PoolTimeout():
            return _late(f"no answer within {timeouts.read:g} s", place)
        case httpx.ConnectTimeout():
            message = f"no connection within {timeouts.connect:g} s"
            return Problem("unreachable", message, place, "check host, port and network"), "unreachable", True
        case httpx.ConnectError():
            fault = tls_fault(error)
            hint = _CERTIFICATE_HINT if fault is not None else "check host, port and network"
            problem = Problem("unreachable", f"no connection: {str(error) or 'refused'}", place, hint)
            return problem, "unreachable", not isinstance(fault, ssl.SSLCertVerificationError)
        case NotKeptError():
            hint = "the mapping asks for something else than was kept: keep the answers anew, or add this one"
            return Problem("not-kept", str(error), place, hint), "not-kept", False
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            problem = Problem("unreachable", f"cannot be requested: {error}", place, "check the URL")
            return problem, "unreachable", False
        case httpx.LocalProtocolError():
            # The library's message holds the value, which may be a secret.
            message = "a header has a value that HTTP does not allow"
            hint = "look for line breaks in headers and tokens"
            return Problem("unreachable", message, place, hint), "unreachable", False
        case TooLargeError():
            message = f"the answer has more than {largest_answer // 2**20} MiB"
            return Problem("answer-too-large", message, place, "ask for smaller pages"), "too-large", False
        case _:
            is_tls = tls_fault(error) is not None
            hint = _OWN_CERTIFICATE_HINT if is_tls else "run it again; what was read before is kept"
            message = f"the connection broke: {cut(str(error), _EXCERPT) or type(error).__name__}"
            return Problem("broken-connection", message, place, hint), "connection", True


def _late(message: str, place: str) -> tuple[Problem, str, bool]:
    return Problem("timeout", message, place, "raise `timeout`, or ask for smaller pages"), "timeout", True

"""Whether a webhook is from whom it says: its signature, over the bytes of its body."""

from __future__ import annotations

import hashlib
import hmac
import math
from base64 import b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.mapping.live import Signature


def is_signed(signature: Signature, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether one of the signatures in the header is right, and no older than it may be. `headers` have names in small
    letters, `now` is in epoch seconds. How long it takes says nothing of what would have been right."""
    secret = signature.secret.get_secret_value().encode()
    given = headers.get(signature.header, "")
    if signature.algorithm == "plain":
        is_prefixed = given.startswith(signature.prefix)
        return hmac.compare_digest(given.removeprefix(signature.prefix).encode(), secret) and is_prefixed
    timestamp = ""
    if signature.timestamp_header is not None:
        timestamps = _parts(headers.get(signature.timestamp_header, ""), signature.timestamp_prefix)
        timestamp = timestamps[0] if timestamps else ""
        if not abs(now - _seconds(timestamp)) <= signature.tolerance_s:
            return False
    before, after = (part.replace("{timestamp}", timestamp).encode() for part in signature.template)
    digest = hmac.new(secret, before + body + after, getattr(hashlib, signature.algorithm)).digest()
    wanted = digest.hex().encode() if signature.encoding == "hex" else b64encode(digest)
    found = [_as_written(part, signature.encoding) for part in _parts(given, signature.prefix)]
    return any([hmac.compare_digest(one, wanted) for one in found])  # noqa: C419 - all are compared, whichever is right


def _parts(header: str, prefix: str) -> list[str]:
    """The parts between commas that begin with the prefix, without it."""
    parts = (part.strip() for part in header.split(","))
    return [part.removeprefix(prefix) for part in parts if part.startswith(prefix) and part != prefix]


def _as_written(text: str, encoding: str) -> bytes:
    return (text.lower() if encoding == "hex" else text).encode()


def _seconds(text: str) -> float:
    """Epoch seconds; not a number where it is none, which is near to no moment."""
    return float(text) if text.isascii() and text.isdigit() else math.nan

"""Access tokens: issued for the one pair of credentials, live for a fixed time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

from portsync.emulator.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token and the moment (epoch seconds) it was issued."""

    text: str
    issued_at: float


class TokenIssuer:
    """Issues and checks tokens (Port's API reference, create an access token)."""

    def __init__(self, client_id: str, client_secret: str, *, clock: Callable[[], float], life: int) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._life = life
        self._current: AccessToken | None = None
        self._issued = 0
        self._lock = threading.Lock()

    def issue(self, client_id: str, client_secret: str) -> tuple[str, int]:
        """The token and its remaining life in whole seconds; ApiError 401 for any other pair.

        Within its life the same token is handed out again, so the remaining life may be below the full one.
        """
        known = hmac.compare_digest(client_id.encode(), self._client_id.encode())
        if not (known & hmac.compare_digest(client_secret.encode(), self._client_secret.encode())):
            raise ApiError(HTTPStatus.UNAUTHORIZED, "invalid_credentials", "The credentials are not valid")
        with self._lock:
            now = self._clock()
            if self._current is None or self._left(self._current, now) < 1:
                self._current = AccessToken(self._signed(now), now)
            return self._current.text, self._left(self._current, now)

    def revoke(self) -> None:
        """End the life of the current token before its time."""
        with self._lock:
            self._current = None

    def check(self, authorization: str) -> None:
        """Let a live `Bearer` token pass; ApiError 401 for anything else."""
        scheme, _, text = authorization.partition(" ")
        with self._lock:
            current = self._current
            live = (
                current is not None
                and scheme.lower() == "bearer"
                and hmac.compare_digest(text.strip().encode(), current.text.encode())
                and self._clock() < current.issued_at + self._life
            )
        if not live:
            raise ApiError(HTTPStatus.UNAUTHORIZED, "unauthorized", "The access token is missing, invalid or expired")

    def _left(self, token: AccessToken, now: float) -> int:
        return self._life - math.ceil(now - token.issued_at)

    def _signed(self, now: float) -> str:
        # JWT-shaped, because Port's own framework decodes it.
        head = _segment({"alg": "HS256", "typ": "JWT"})
        # Two tokens of one moment differ by their number.
        self._issued += 1
        claims = {"orgId": "org_local", "isMachine": True, "iat": now, "exp": now + self._life, "jti": self._issued}
        body = _segment(claims)
        signature = hmac.digest(self._client_secret.encode(), f"{head}.{body}".encode(), hashlib.sha256)
        return f"{head}.{body}.{_base64(signature)}"


def _segment(claims: dict[str, object]) -> str:
    return _base64(orjson.dumps(claims))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

"""The naive reader's credentials: a token that it was given, or one that it fetches."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tests.conformance.naive.ending import Gone
from tests.conformance.naive.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from tests.conformance.clock import VirtualClock

_LEEWAY_S = 60
_DEFAULT_LIFE_S = 3600


class SignIn:
    """Gives the `Authorization` header of a source."""

    def __init__(
        self, source: Mapping[str, Any], client: httpx.Client, clock: VirtualClock, faults: frozenset[Fault]
    ) -> None:
        self._auth = source["auth"]
        self._base_url = source["base_url"]
        self._client = client
        self._clock = clock
        self._faults = faults
        self._token: str | None = None
        self._fresh_until = 0.0

    @property
    def is_renewable(self) -> bool:
        return bool(self._auth["type"] == "oauth2")

    def forget(self) -> None:
        self._token = None

    def header(self) -> str | None:
        """What the next request carries. Raises Gone, reason `auth`, where no token can be had."""
        if Fault.NO_AUTH in self._faults:
            return None
        if not self.is_renewable:
            return f"Bearer {self._auth['token']}"
        ended = self._clock.now >= self._fresh_until and Fault.IGNORES_TOKEN_LIFE not in self._faults
        if self._token is None or ended or Fault.SIGNS_IN_FOR_EACH_REQUEST in self._faults:
            self._token = self._fetched()
        return None if self._token is None else f"Bearer {self._token}"

    def _fetched(self) -> str | None:
        auth = self._auth
        pair = base64.b64encode(f"{auth['client_id']}:{auth['client_secret']}".encode()).decode()
        form = {"grant_type": "client_credentials"}
        if Fault.ONE_GRANT not in self._faults:
            form |= auth.get("params", {})
        headers = {"authorization": f"Basic {pair}", "content-type": "application/x-www-form-urlencoded"}
        answer = self._client.post(self._base_url + auth["token_url"], content=urlencode(form), headers=headers)
        if not answer.is_success:
            if Fault.ASKS_WITHOUT_TOKEN in self._faults:
                return None
            raise Gone("auth", "token-refused", answer.text)
        said = answer.json()
        life = said.get("expires_in", _DEFAULT_LIFE_S)
        self._fresh_until = self._clock.now + max(life - _LEEWAY_S, life / 2)
        return str(said["access_token"])

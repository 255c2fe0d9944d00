"""Where Port takes what integrations tell of their resyncs: a URL of its own, which it names in each integration's
answer.

Port's Ocean framework (`clients/port/mixins/integrations.py`) signs these requests with Port's token, which may do
anything in Port. The URL was chosen by somebody else: it is used only where it is Port's own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from portsync.errors import PortError, Problem
from portsync.flow import RequestSpec
from portsync.port.client import message_of, segment
from portsync.urls import fault_of, fault_of_base, is_loopback, origin_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from portsync.flow import Json
    from portsync.transport.client import Client

_OF_PORT = re.compile(r"([a-z0-9-]+\.)*(getport|port)\.io")


def ingest_url(integration: Mapping[str, Any]) -> str | None:
    """Where the metrics of this integration go, without a slash at its end; None where Port does not say."""
    attributes = integration.get("metricAttributes")
    url = attributes.get("ingestUrl") if isinstance(attributes, dict) else None
    return url.rstrip("/") if isinstance(url, str) and url else None


def is_ports_own(url: str, api: str) -> bool:
    """Whether Port's token may go to `url`, where `api` is the URL of Port's API: to the origin that has it anyway, and
    to API's host or one of Port's domains if the way there is encrypted or does not leave this machine."""
    if fault_of(url) is not None or fault_of_base(url) is not None:
        return False
    if origin_of(url) == origin_of(api):
        return True
    host = urlsplit(url).hostname or ""
    is_known = host == urlsplit(api).hostname or _OF_PORT.fullmatch(host) is not None
    return is_known and (url.startswith("https://") or is_loopback(url))


class Ingest:
    """Sends metrics to Port. Each request is tried once, if `http` says so."""

    def __init__(self, http: Client, url: str, token: Callable[[], Awaitable[str]]) -> None:
        """`token` gives one that Port's API accepts."""
        self._http = http
        self._url = url
        self._token = token

    async def put_kind(self, metrics: Mapping[str, Json]) -> None:
        """Say how one kind goes. Raises PortError and SendError."""
        resync, kind = segment(str(metrics["eventId"])), segment(str(metrics["kindIdentifier"]))
        await self._send("PUT", f"/syncMetrics/resync/{resync}/kind/{kind}", {"syncKindMetrics": dict(metrics)})

    async def post_kinds(self, metrics: Sequence[Mapping[str, Json]]) -> None:
        """Say how all kinds went. Raises PortError and SendError."""
        await self._send("POST", "/syncMetrics", {"syncKindsMetrics": [dict(each) for each in metrics]})

    async def _send(self, method: str, path: str, body: Json) -> None:
        signed = (("authorization", f"Bearer {await self._token()}"),)
        request = RequestSpec(method, f"{self._url}{path}", (), signed, body, retried=frozenset())
        answer = await self._http.send(request)
        if not answer.is_success:
            message = f"Port answered {answer.status}: {message_of(answer)}"
            raise PortError(Problem("port-rejected", message, str(request)))

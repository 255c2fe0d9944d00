"""Webhooks that a test sends, signed as GitHub signs."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

HOOK_SECRET = "hook-secret-1f8e"

LIVE = """
    live:
      hook: things
      filter: '.action != "ping"'
      record: .thing
      delete: '.action == "deleted"'
      signature: {header: X-Hub-Signature-256, prefix: "sha256=", secret: "${HOOK_SECRET}"}
      id_header: X-GitHub-Delivery
"""


def with_live(mapping: str, live: str = LIVE) -> str:
    """A mapping whose last resource has hooks."""
    return mapping.rstrip() + live


def signed(body: bytes, secret: str = HOOK_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def event(identifier: str, size: int, action: str = "edited") -> dict[str, Any]:
    return {"action": action, "thing": {"id": identifier, "size": size}}


@dataclass(frozen=True)
class Sender:
    """Who sends webhooks to a service."""

    url: str
    hook: str = "things"

    async def send(
        self, value: Any, *, delivery: str | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a JSON value, or bytes, with the right signature, unless `headers` say otherwise."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        named = {} if delivery is None else {"x-github-delivery": delivery}
        given = {"x-hub-signature-256": signed(body), **named, **(headers or {})}
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=20) as client:
            return await client.post(f"{self.url}/hooks/{self.hook}", content=body, headers=given)

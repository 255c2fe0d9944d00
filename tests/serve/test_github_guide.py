"""The example of the guide to live events, as it is written there, and webhooks as GitHub sends them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.serve.test_hooks import applied, failed, number, ready

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import LocalPort, Source

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "live-events.md"
SECRET = "6f0d0b8f3f6f4b0ea0c8d1f1a2b3c4d5"
REPOSITORY = {
    "identifier": "repository",
    "title": "Repository",
    "schema": {
        "properties": {"url": {"type": "string", "format": "url"}, "language": {"type": "string"}},
        "required": [],
    },
    "relations": {},
}
OWNER = {
    "login": "acme",
    "id": 9919,
    "node_id": "MDEyOk9yZ2FuaXphdGlvbjk5MTk=",
    "avatar_url": "https://avatars.githubusercontent.com/u/9919?v=4",
    "url": "https://api.github.com/users/acme",
    "html_url": "https://github.com/acme",
    "type": "Organization",
    "site_admin": False,
}
SENDER = {**OWNER, "login": "ada", "id": 1, "html_url": "https://github.com/ada", "type": "User"}
ORGANIZATION = {
    "login": "acme",
    "id": 9919,
    "url": "https://api.github.com/orgs/acme",
    "hooks_url": "https://api.github.com/orgs/acme/hooks",
    "description": "Anvils — and more",
}


def repository(name: str, **changed: Any) -> dict[str, Any]:
    """A repository as GitHub writes it: https://docs.github.com/en/webhooks/webhook-events-and-payloads#repository."""
    api, html = f"https://api.github.com/repos/acme/{name}", f"https://github.com/acme/{name}"
    return {
        "id": 186853002,
        "node_id": "MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=",
        "name": name,
        "full_name": f"acme/{name}",
        "private": False,
        "owner": OWNER,
        "html_url": html,
        "description": None,
        "fork": False,
        "url": api,
        "keys_url": f"{api}/keys{{/key_id}}",
        "created_at": "2026-05-15T15:19:25Z",
        "updated_at": "2026-11-22T11:59:58Z",
        "pushed_at": "2026-11-22T11:58:00Z",
        "clone_url": f"{html}.git",
        "homepage": "",
        "size": 4711,
        "stargazers_count": 3,
        "language": "Ruby",
        "has_issues": True,
        "archived": False,
        "disabled": False,
        "license": {"key": "mit", "name": "MIT License", "spdx_id": "MIT"},
        "topics": ["anvils"],
        "visibility": "public",
        "default_branch": "main",
        "custom_properties": {},
        **changed,
    }


def payload(action: str, found: dict[str, Any]) -> dict[str, Any]:
    return {"action": action, "repository": found, "organization": ORGANIZATION, "sender": SENDER}


PING = {
    "zen": "Mind your words, they are important.",
    "hook_id": 109948940,
    "hook": {
        "type": "Organization",
        "id": 109948940,
        "name": "web",
        "active": True,
        "events": ["repository"],
        "config": {
            "content_type": "json",
            "insecure_ssl": "0",
            "secret": "********",
            "url": "https://portsync.x/hooks",
        },
    },
    "organization": ORGANIZATION,
    "sender": SENDER,
}


async def deliver(url: str, kind: str, body: bytes, *, delivery: str, **changed: str) -> httpx.Response:
    """Send a body with the headers of GitHub's."""
    digests = {name: hmac.new(SECRET.encode(), body, name).hexdigest() for name in ("sha1", "sha256")}
    assert hashlib.sha256().digest_size * 2 == len(digests["sha256"])
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/d5a0f1c",
        "X-GitHub-Delivery": delivery,
        "X-GitHub-Event": kind,
        "X-GitHub-Hook-ID": "109948940",
        "X-GitHub-Hook-Installation-Target-ID": "9919",
        "X-GitHub-Hook-Installation-Target-Type": "organization",
        "X-Hub-Signature": f"sha1={digests['sha1']}",
        "X-Hub-Signature-256": f"sha256={digests['sha256']}",
    }
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        return await client.post(f"{url}/hooks/github", content=body, headers={**headers, **changed})


@pytest.fixture
def guided(source: Source, local_port: LocalPort) -> str:
    """The mapping of the guide, which reads from the source of the test; Port has its blueprint."""
    assert local_port.api("POST", "/blueprints", REPOSITORY)["ok"]
    fence = re.search(r"(?ms)^## GitHub$.*?^```yaml\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"))
    assert fence is not None
    address = "base_url: https://api.github.com"
    assert address in fence[1]
    source.answer = lambda _: []
    return fence[1].replace(address, f"base_url: {source.url}")


ENV = {"GITHUB_WEBHOOK_SECRET": SECRET, "GITHUB_TOKEN": "ghp-4711", "PORTSYNC_RUN_AT_START": "false"}


def test_what_github_sends_is_in_port_as_the_guide_says(
    serving_of: Callable[..., Any], guided: str, local_port: LocalPort
) -> None:
    events = [
        payload("created", repository("anvil")),
        payload("created", repository("rocket", language=None)),
        payload("edited", repository("anvil", language="Crystal", description="Es fällt ✓")),
        payload("archived", repository("rocket", archived=True)),
        payload("created", repository("skates")),
        payload("deleted", repository("skates")),
    ]

    async def scenario() -> None:
        async with serving_of(guided, env=ENV) as served:
            await ready(served)
            answers = [await deliver(served.url, "ping", json.dumps(PING).encode(), delivery="d-ping")]
            for index, event in enumerate(events):
                # GitHub writes JSON without spaces, and letters beyond ASCII as they are.
                body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
                answers.append(await deliver(served.url, "repository", body, delivery=f"d-{index}"))
            assert [answer.status_code for answer in answers] == [202] * 7
            await served.until(lambda: applied(served) == 7)
            assert failed(served) == 0

    asyncio.run(scenario())
    (entity,) = local_port.entities("repository").values()
    assert (entity["identifier"], entity["title"]) == ("acme/anvil", "anvil")
    assert entity["properties"] == {"url": "https://github.com/acme/anvil", "language": "Crystal"}


def test_what_is_not_githubs_or_in_its_other_form_is_refused_as_the_guide_says(
    serving_of: Callable[..., Any], guided: str, local_port: LocalPort
) -> None:
    body = json.dumps(payload("created", repository("anvil"))).encode()
    form = urlencode({"payload": body.decode()}).encode()
    other = hmac.new(b"another secret", body, "sha256").hexdigest()
    form_type = {"Content-Type": "application/x-www-form-urlencoded"}

    async def scenario() -> None:
        async with serving_of(guided, env=ENV) as served:
            await ready(served)
            forged = {"X-Hub-Signature-256": f"sha256={other}"}
            # The old signature alone, which is right, does not do.
            answers = [
                await deliver(served.url, "repository", body, delivery="d", **forged),
                await deliver(served.url, "repository", body, delivery="d", **{"X-Hub-Signature-256": ""}),
                await deliver(served.url, "repository", form, delivery="d", **form_type),
            ]
            assert [answer.status_code for answer in answers] == [401, 401, 400]
            assert number(served, "hook_events_total", hook="github", result="accepted") == 0

    asyncio.run(scenario())
    assert local_port.entities("repository") == {}

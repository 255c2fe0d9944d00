"""How long the views of the local Port take over many entities: `./dev bench catalog_page [entities]`.

Prints for each view the milliseconds of its first and of its best answer, and their best one as a share of the
200 ms that a table may take with 100,000 entities.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from portsync.emulator.app import create_app
from portsync.shipped import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

_TABLE = "/blueprints/claude_user_activity"
_VIEWS = (
    "/",
    _TABLE,
    f"{_TABLE}?page=1500",
    f"{_TABLE}?sort=-total_requests",
    f"{_TABLE}?q=ada777",
    f"{_TABLE}?q=nobody",
    f"{_TABLE}?by=total_requests&op=gt&value=9990",
    f"{_TABLE}?by=user_email&op=is&value=ada5@acme.example",
    "/entity?blueprint=claude_user_activity&identifier=user_0000005@2026-11-21",
)
_ALLOWED = 0.2
_TIMES = 5


def _entity(number: int) -> dict[str, Any]:
    models = {name: {"requests": 1, "cost_usd": 1.25} for name in ("claude-opus", "claude-sonnet", "claude-haiku")}
    properties = {
        "record_date": f"2026-11-{number % 28 + 1:02}T00:00:00Z",
        "organization_id": "5f0d5c6a-2b1e-4c55-9a57-0d7c8a3e6b21",
        "user_id": f"u{number}",
        "user_email": f"ada{number}@acme.example",
        "total_requests": number * 7919 % 10_000,
        "input_tokens": number * 104_729 % 10_000_000,
        "cost_usd": number * 31 % 10_000 / 100,
        "model_breakdown": models,
    }
    return {"identifier": f"user_{number:07}@2026-11-21", "title": f"Ada {number}", "properties": properties}


async def _fill(client: httpx.AsyncClient, number: int) -> None:
    token = await client.post("/v1/auth/access_token", json={"clientId": "id", "clientSecret": "secret"})
    client.headers["authorization"] = f"Bearer {token.json()['accessToken']}"
    blueprint = orjson.loads((shipped_folder() / "blueprints" / "claude" / "claude_user_activity.json").read_bytes())
    (await client.post("/v1/blueprints", json=blueprint)).raise_for_status()
    for start in range(0, number, 20):
        batch = {"entities": [_entity(each) for each in range(start, start + 20)]}
        answer = await client.post("/v1/blueprints/claude_user_activity/entities/bulk", content=orjson.dumps(batch))
        if errors := answer.raise_for_status().json()["errors"]:
            raise SystemExit(f"the local Port refused an entity: {errors[0]['message']}")


async def _measure(number: int, views: Sequence[str]) -> None:
    app = create_app(client_id="id", client_secret="secret")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=None) as client:
        started = time.perf_counter()
        await _fill(client, number)
        print(f"{number:,} entities in {time.perf_counter() - started:.1f} s")
        for view in views:
            taken = []
            for _ in range(_TIMES):
                started = time.perf_counter()
                (await client.get(view)).raise_for_status()
                taken.append(time.perf_counter() - started)
            best = min(taken)
            print(f"{taken[0] * 1000:7.0f} ms  best {best * 1000:5.0f} ms  {best / _ALLOWED:5.2f} of allowed  {view}")


if __name__ == "__main__":
    asyncio.run(_measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, _VIEWS))

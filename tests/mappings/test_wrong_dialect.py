"""Who takes the wrong one of the Claude mappings is told which one is right, by `preview` and by the run itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.responses import Response

from portsync.demo.source import create_source
from portsync.loopback import serving
from tests.mappings.test_claude_admin import admin_api

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Asked, Run, Source

ROOT = Path(__file__).parents[2]
MORNING = datetime(2026, 11, 20, 9, 30, tzinfo=UTC).timestamp()


def refusing(status: int) -> Callable[[Asked], Response]:
    return lambda _: Response('{"type": "error", "error": {"type": "x", "message": "no"}}', status)


def buckets(_: Asked) -> object:
    """The Admin API's shape, for whoever asks."""
    return {"data": [{"starting_at": "2026-11-16T00:00:00Z", "results": []}], "has_more": False}


@pytest.mark.parametrize("answer", [admin_api, refusing(404), refusing(405), buckets])
@pytest.mark.parametrize("command", ["sync", "preview", "check --live"])
def test_the_dialect_of_the_document_against_the_admin_api(
    portsync: Callable[..., Run],
    source: Source,
    port_env: dict[str, str],
    command: str,
    answer: Callable[[Asked], object],
) -> None:
    source.answer = answer
    env = {**port_env, "ANTHROPIC_BASE_URL": source.url, "ANTHROPIC_API_KEY": "sk-ant-admin01-invented-key"}
    name, *options = command.split()
    run = portsync(name, (ROOT / "mappings" / "claude.yaml").read_text(), *options, env=env, at=MORNING)
    assert run.exit_code in (1, 3)
    assert "mappings/claude-admin.yaml" in run.out + run.err


@pytest.mark.parametrize("mapping", ["claude-admin.yaml", "claude-analytics.yaml"])
@pytest.mark.parametrize("command", ["sync", "preview", "check --live"])
def test_the_admin_api_s_dialects_against_a_source_that_speaks_the_document_s(
    portsync: Callable[..., Run], port_env: dict[str, str], command: str, mapping: str
) -> None:
    with serving(create_source(token="sk-ant-api03-invented", today=date(2026, 11, 20))) as url:
        env = {**port_env, "ANTHROPIC_BASE_URL": url, "ANTHROPIC_ADMIN_KEY": "sk-ant-api03-invented"}
        name, *options = command.split()
        run = portsync(name, (ROOT / "mappings" / mapping).read_text(), *options, env=env, at=MORNING)
    assert run.exit_code in (1, 3)
    assert "mappings/claude.yaml" in run.out + run.err

"""A service that is killed while webhooks come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.serve.barrage import barrage

if TYPE_CHECKING:
    from pathlib import Path


def test_each_good_webhook_has_its_effect_once_and_in_order_though_the_service_is_killed(tmp_path: Path) -> None:
    outcome = asyncio.run(barrage(tmp_path, 300, 3.0, seed=7))
    outcome.check()
    assert outcome.again > 0
    assert all(life.range[0] for life in outcome.refusals), "a forged webhook was counted in each life"
    assert {life for life, *_ in outcome.took} == {0, 1}

"""What commands take from the process they run in. An argument, so that tests give their own."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portsync.settings import process_environment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager


@dataclass(frozen=True, slots=True)
class Runtime:
    """The environment, the clock, sleep and chance."""

    environment: Mapping[str, str] = field(default_factory=process_environment)
    clock: Callable[[], float] = time.time
    """Epoch seconds."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
    """Between 0 and 1."""
    cluster: Callable[[str], AbstractAsyncContextManager[Any]] | None = None
    """Opens the cluster whose scheduler has this address; None for one of Dask's."""

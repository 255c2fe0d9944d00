"""The database connection behind the local Port."""

from __future__ import annotations

import gc

from sqlalchemy import event

from portsync.emulator.store import Store


def test_the_connection_closes_when_nobody_holds_the_store() -> None:
    store = Store("sqlite://", lambda: 0.0)
    closed: list[object] = []
    event.listen(store._writer, "close", lambda connection, _record: closed.append(connection))
    del store
    gc.collect()
    assert len(closed) == 1

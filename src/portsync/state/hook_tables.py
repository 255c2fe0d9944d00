"""The tables of live events: those that wait, the deliveries that came, and the entities that were touched."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table

HOOK_METADATA = MetaData()

# The id says the order in which they came. It is never given twice, so that an event of which somebody still speaks is
# not taken for another one.
EVENTS = Table(
    "portsync_hook_events",
    HOOK_METADATA,
    Column("id", Integer, primary_key=True),
    Column("mapping", String, nullable=False),
    Column("hook", String, nullable=False),
    # By which the sender knows it.
    Column("delivery", String),
    # Epoch seconds.
    Column("received_at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
Index("portsync_hook_events_of", EVENTS.c.mapping, EVENTS.c.id)

DELIVERIES = Table(
    "portsync_hook_deliveries",
    HOOK_METADATA,
    Column("mapping", String, primary_key=True),
    Column("hook", String, primary_key=True),
    Column("delivery", String, primary_key=True),
    Column("at", Float, nullable=False, index=True),
)

# The entities that live events wrote or deleted since the last run began. Not settled is what may still be on its way
# to Port.
TOUCHED = Table(
    "portsync_touched",
    HOOK_METADATA,
    Column("catalog", String, primary_key=True),
    Column("blueprint", String, primary_key=True),
    Column("identifier", String, primary_key=True),
    Column("is_settled", Boolean, nullable=False),
)

"""The tables of a run that many workers do together, beside those of the state: in PostgreSQL, and empty between runs.

Nothing of them is worth keeping when the database itself crashes: that run fails, and the next one begins anew.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, Text

SLICE_METADATA = MetaData()

# A slice is given to one worker, and to another where that one is lost: `attempt` counts them, and only the last one
# may write. `accepted` says what Port accepted of all attempts so far, as the digests do that are written with it.
SLICES = Table(
    "portsync_slices",
    SLICE_METADATA,
    Column("catalog", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("run", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("accepted", Text, nullable=False),
)

# Whose an entity is: the first slice that came to it. Another slice's is a duplicate of it, or in conflict with it.
CLAIMS = Table(
    "portsync_claims",
    SLICE_METADATA,
    Column("catalog", Integer, primary_key=True, autoincrement=False),
    Column("resource", Integer, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("slice", Integer, nullable=False),
    Column("chain", String, nullable=False),
    Column("page", Integer, nullable=False),
    Column("record", Integer, nullable=False),
    prefixes=["UNLOGGED"],
)

# What a slice gives to the coordinator that is too much for a message: what has to wait for other slices, values for
# the paths of other resources, what did not make it.
SPOOL = Table(
    "portsync_spool",
    SLICE_METADATA,
    Column("catalog", Integer, primary_key=True, autoincrement=False),
    Column("slice", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("about", String, nullable=False),
    Column("content", LargeBinary, nullable=False),
    prefixes=["UNLOGGED"],
)

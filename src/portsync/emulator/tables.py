"""The tables behind the local Port."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text

METADATA = MetaData()

BLUEPRINTS = Table(
    "blueprints",
    METADATA,
    Column("identifier", String, primary_key=True),
    Column("revision", String, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

# `body` holds title, icon, team, relations and the plain properties as JSON, `wide` the other properties: whoever
# sorts or filters reads the rows of a whole blueprint, and SQLite leaves out what stands behind the last column that
# is asked for. Times are ISO text of fixed width in UTC, so their order as text is their order in time.
ENTITIES = Table(
    "entities",
    METADATA,
    Column("blueprint", String, primary_key=True),
    Column("identifier", String, primary_key=True),
    Column("datasource", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("created_by", String, nullable=False),
    Column("updated_at", String, nullable=False),
    Column("updated_by", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("wide", Text),
    # Narrow beside the table, whose rows are as wide as the bodies: for counts, and for what changed last.
    Index("entities_by_update", "blueprint", "updated_at"),
    sqlite_with_rowid=False,
)

# Every relation value once more as a row, to find the dependents of an entity.
EDGES = Table(
    "edges",
    METADATA,
    Column("blueprint", String, primary_key=True),
    Column("identifier", String, primary_key=True),
    Column("relation", String, primary_key=True),
    Column("target_blueprint", String, primary_key=True),
    Column("target", String, primary_key=True),
    Index("edges_by_target", "target_blueprint", "target"),
    sqlite_with_rowid=False,
)

PAGES = Table(
    "pages",
    METADATA,
    Column("identifier", String, primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

INTEGRATIONS = Table(
    "integrations",
    METADATA,
    Column("installation_id", String, primary_key=True),
    Column("body", Text, nullable=False),
    Column("requested_at", String),
    sqlite_with_rowid=False,
)

# What an integration sent as raw records; `number` grows from one to the next.
EXAMPLES = Table(
    "examples",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("installation_id", String, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("body", Text, nullable=False),
)

# What integrations say of themselves: lines of their logs, in the order of `number`, and how each resync goes.
LOGS = Table(
    "integration_logs",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("installation_id", String, nullable=False),
    Column("at", String, nullable=False),
    Column("level", String, nullable=False),
    Column("event", String),
    Column("resync", String),
    Column("body", Text, nullable=False),
    Index("logs_by_time", "installation_id", "at", "number"),
)
RESYNCS = Table(
    "integration_resyncs",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("installation_id", String, nullable=False),
    Column("event", String, nullable=False),
    Column("body", Text, nullable=False),
    Index("resyncs_by_event", "installation_id", "event", unique=True),
)

# How far an integration that reads only what is new has come with a resource of its mapping.
CURSORS = Table(
    "integration_cursors",
    METADATA,
    Column("installation_id", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What an entity was before each of its last changes; null after its deletion. Triggers fill it (history.py).
HISTORY = Table(
    "history",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("blueprint", String, nullable=False),
    Column("identifier", String, nullable=False),
    Column("changed_at", String, nullable=False),
    Column("changed_by", String),
    Column("datasource", String),
    Column("before", Text, nullable=False),
    Column("after", Text),
    Index("history_by_entity", "blueprint", "identifier", "number"),
)

# The reports of syncs, as they were handed in; `number` grows from one to the next.
RUNS = Table(
    "runs",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("received_at", String, nullable=False),
    Column("body", Text, nullable=False),
)

# Changes of many entities, each of which is over.
MIGRATIONS = Table(
    "migrations",
    METADATA,
    Column("identifier", String, primary_key=True),
    Column("blueprint", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("at", String, nullable=False),
    sqlite_with_rowid=False,
)

"""The tables of the state: what this integration gave to Port, and what Port took.

Names are short numbers here (`scope`) because a catalog may have a million entities, and their rows are read at every
run.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA_VERSION = 1
"""Goes up with every change of the tables below."""

METADATA = MetaData()

VERSION = Table("portsync_version", METADATA, Column("version", Integer, primary_key=True))

CATALOGS = Table(
    "portsync_catalogs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    # Counts the runs; a row of ENTITIES says in which of them its entity was given last.
    Column("run", Integer, nullable=False),
    # When all entities were last compared with Port, in epoch seconds.
    Column("compared_at", Float),
    # How they were sent then: with other switches the same content means something else.
    Column("manner", Text, nullable=False),
)

# A resource's part of a blueprint: two resources may give one entity, each with properties of its own.
SCOPES = Table(
    "portsync_scopes",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("catalog", Integer, nullable=False),
    Column("blueprint", String, nullable=False),
    Column("resource", String, nullable=False),
    UniqueConstraint("catalog", "blueprint", "resource"),
)

# `digest` is that of the content which Port accepted last. It is null from before an entity is sent until Port has
# accepted it: whatever happens in between, the next run sends it again, and knows that Port may have it.
ENTITIES = Table(
    "portsync_entities",
    METADATA,
    Column("scope", Integer, primary_key=True, autoincrement=False),
    Column("identifier", String, primary_key=True),
    Column("digest", LargeBinary),
    Column("run", Integer, nullable=False),
    sqlite_with_rowid=False,
)

"""All cases, family by family."""

from __future__ import annotations

from tests.conformance.cases import (
    bodies,
    cursor,
    limits,
    links,
    lookups,
    offset,
    origins,
    page,
    parameters,
    posts,
    requests,
    statuses,
    tokens,
    waiting,
    windows,
)

CASES = (
    *page.CASES,
    *offset.CASES,
    *cursor.CASES,
    *links.CASES,
    *origins.CASES,
    *waiting.CASES,
    *statuses.CASES,
    *bodies.CASES,
    *requests.CASES,
    *parameters.CASES,
    *posts.CASES,
    *windows.CASES,
    *lookups.CASES,
    *limits.CASES,
    *tokens.CASES,
)

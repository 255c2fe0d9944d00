"""Expressions that are JQ, and cannot mean what they say: a `=` that was to compare, a lookup that is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portsync.errors import Problem
from portsync.jq.reads import assignment, members
from portsync.mapping.explain import did_you_mean, dotted
from portsync.mapping.expressions import expressions_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.mapping.expressions import Written
    from portsync.mapping.models import MappingFile
    from portsync.mapping.places import Document


def sense_problems(file: MappingFile, document: Document) -> Iterator[Problem]:
    """What is wrong with the expressions of a file in which all are JQ."""
    for written in expressions_of(file):
        if written.is_condition and "=" in written.text and (at := assignment(written.text)) is not None:
            message = "`=` sets a field in JQ, so this is never true or false"
            yield placed(Problem("jq-assignment", message, hint="write `==` to compare"), written, at, document)
        if "context" in written.text:
            yield from _lookups(written, file, document)


def _lookups(written: Written, file: MappingFile, document: Document) -> Iterator[Problem]:
    for member in members(written.text):
        if member.variable == "context" and member.name not in file.context:
            message = f"there is no lookup `{member.name}` in `context`"
            known = f"there are {', '.join(file.context)}" if file.context else "write it under `context:`"
            hint = did_you_mean(member.name, list(file.context)) or known
            yield placed(Problem("unknown-lookup", message, hint=hint), written, member.offset, document)


def placed(problem: Problem, written: Written, at: int, document: Document) -> Problem:
    """The problem of an expression, with its place, the offset `at` of it."""
    place = document.of(document.nearest(written.path), written.before + at)
    where = dotted(document.existing(written.path))
    return replace(problem, message=f"{where}: {problem.message}", place=str(place), excerpt=document.excerpt(place))

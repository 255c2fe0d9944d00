"""Repair YAML that no parser takes but everybody writes: `title: "Usage - " + .date`.

Three of the five mapping blocks in Port's own page on Claude are of this kind. The repaired line is shown with the
error, and written only by `check --fix`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from portsync.jq.compile import find_fault

_KEY_AND_VALUE = re.compile(r"^(?P<head>\s*(?:-\s+)*[\w.$@/-]+\s*:\s+)(?P<value>\S.*?)\s*$")
_RESOURCES = re.compile(r"\s*resources:\s*(?:#.*)?$")
_LIST_OF_RESOURCES = re.compile(r"\s*-\s+kind:")


@dataclass(frozen=True, slots=True)
class Repair:
    """One line that was wrong, and what it should say. `fixed` is None where the line has to go."""

    line: int
    """Counted from 1."""
    column: int
    original: str
    fixed: str | None


def find_repairs(text: str) -> tuple[Repair, ...]:
    """The lines of `text` that can be repaired without changing what they mean."""
    repairs: list[Repair] = []
    block_indent: int | None = None
    resources_seen = False
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        indent = len(line) - len(line.lstrip())
        if block_indent is not None and (not line.strip() or indent > block_indent):
            continue  # inside a block scalar everything is text
        block_indent = indent if re.search(r":\s+[|>][+-]?\d?\s*(#.*)?$", line) else None
        if _RESOURCES.match(line) and _LIST_OF_RESOURCES.match(next(filter(str.strip, lines[number:]), "")):
            if resources_seen:
                repairs.append(Repair(number, indent + 1, line, None))
            resources_seen = True
        elif (match := _KEY_AND_VALUE.match(line)) and _is_unquoted_expression(match["value"]):
            value = match["value"].replace("'", "''")
            repairs.append(Repair(number, match.start("value") + 1, line, f"{match['head']}'{value}'"))
    return tuple(repairs)


def _is_unquoted_expression(value: str) -> bool:
    """Whether `value` is no YAML by itself, but would be an expression if it were quoted."""
    try:
        yaml.compose(f"key: {value}", Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return find_fault(value) is None
    except RecursionError:
        return False  # brackets without end are no expression that anybody wrote
    return False


def apply_repairs(text: str, repairs: tuple[Repair, ...]) -> str:
    """`text` with each repair made; all other lines stay byte for byte."""
    lines = text.splitlines(keepends=True)
    for repair in repairs:
        original = lines[repair.line - 1]
        ending = original[len(original.rstrip("\r\n")) :]
        lines[repair.line - 1] = "" if repair.fixed is None else repair.fixed + ending
    return "".join(lines)

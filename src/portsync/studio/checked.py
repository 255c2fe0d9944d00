"""What `portsync check` says of the text in the editor, with the places that the editor marks."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portsync.blueprints import fault_of_blueprint
from portsync.errors import ConfigError, Problem
from portsync.mapping.fit import constant, fit_problems
from portsync.mapping.loader import parse
from portsync.plan import origin_problems, plan_source
from portsync.urls import Origins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.logs import Redactor
    from portsync.mapping.loader import LoadedMapping
    from portsync.plan import SourcePlan
    from portsync.settings import Settings

_PLACE = re.compile(r":(\d+):(\d+)$")
_KEY = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\s:#'"{}\[\],]+)(?=\s*:(?:\s|$))""")
_REFERENCE = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)(?::[^}]*)?\}")


@dataclass(frozen=True, slots=True)
class Checked:
    """A text, and what is wrong with it."""

    text: str
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()
    mapping: LoadedMapping | None = None
    """None where the text is no mapping."""
    source: SourcePlan | None = None
    """None where nobody says where it is, too."""

    @property
    def secrets(self) -> frozenset[str]:
        """Values that must not appear on the page."""
        own = frozenset() if self.mapping is None else self.mapping.secrets
        return own if self.source is None else own | set(self.source.auth.secrets())


def checked(
    text: str,
    path: Path,
    environment: Mapping[str, str],
    settings: Settings,
    blueprints: Sequence[dict[str, Any]] | None,
) -> Checked:
    """The check of `text`, offline. `blueprints` are those that it has to fit; None where there are none yet."""
    try:
        mapping = parse(text, path, environment)
    except ConfigError as error:
        return Checked(text, tuple(error.problems))
    try:
        source = plan_source(mapping.file, settings)
        problems = origin_problems(mapping, Origins.around(source.base_url, source.allow_origins))
    except ConfigError as error:
        return Checked(text, tuple(error.problems), mapping.warnings, mapping)
    if blueprints:
        problems += fit_problems(mapping, blueprints)
    return Checked(text, tuple(problems), mapping.warnings, mapping, source)


def read_blueprint(name: str, text: str) -> dict[str, Any] | Problem:
    """The blueprint that somebody wrote for `name`, or why it is none."""
    try:
        value = json.loads(text)
    except ValueError as error:
        place = f"{name}.json:{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else name
        return Problem("bad-blueprint", f"is not JSON: {str(error).split(':')[0]}", place=place)
    except RecursionError:
        return Problem("bad-blueprint", "nests too deeply", place=name)
    return _fault(value, name) or value


def _fault(value: Any, name: str) -> Problem | None:
    fault = fault_of_blueprint(value, Path(f"{name}.json"))
    if fault is None and not isinstance(value["identifier"], str):
        return Problem("bad-blueprint", "the `identifier` is not a text", place=f"{name}.json")
    return fault


def blueprint_names(mapping: LoadedMapping) -> list[str]:
    """The blueprints that the mapping names by constants, each once, in their order."""
    names = (
        constant(entity.blueprint) for resource in mapping.file.resources for entity in resource.port.entity.mappings
    )
    return list(dict.fromkeys(name for name in names if name is not None))


def variables_in(text: str, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """The variables that the text names, and whether each has a value. Never the value."""
    names = dict.fromkeys(match[1] for match in _REFERENCE.finditer(text) if match[1] != "file")
    return [{"name": name, "is_set": name in environment} for name in names]


def shown_problem(problem: Problem, text: str, redactor: Redactor, severity: str) -> dict[str, Any]:
    """A problem as the page gets it: line and columns count from 1, and `to` is behind the last character that is
    meant."""
    shown: dict[str, Any] = {
        "severity": severity,
        "code": problem.code,
        "message": redactor.clean(problem.message),
        "hint": None if problem.hint is None else redactor.clean(problem.hint),
    }
    if (found := _PLACE.search(problem.place or "")) is None:
        return {**shown, "place": None if problem.place is None else redactor.clean(problem.place)}
    number, column = int(found[1]), int(found[2])
    lines = text.split("\n")
    line = lines[number - 1].rstrip("\r") if number <= len(lines) else ""
    return {**shown, "line": number, "column": column, "to": _end(line, column)}


def _end(line: str, column: int) -> int:
    """Behind which column the mark ends: that of a key, or of all that follows."""
    rest = line[column - 1 :]
    key = _KEY.match(rest)
    length = len(key[0]) if key is not None else len(re.sub(r"\s+#.*$", "", rest).rstrip())
    return column + max(length, 1)

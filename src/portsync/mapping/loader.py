"""From a path to a mapping: text -> YAML nodes -> `${NAME}` -> types. All problems of the file at once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from portsync.errors import MappingError, Problem
from portsync.jq.expression import Expressions
from portsync.logs import Redactor
from portsync.mapping.advice import warnings_of
from portsync.mapping.explain import explained
from portsync.mapping.hooks import hook_problems, hook_secrets
from portsync.mapping.interpolation import Interpolation, interpolate
from portsync.mapping.literals import literal_secrets
from portsync.mapping.models import MappingFile
from portsync.mapping.places import Document, Place, excerpt
from portsync.mapping.references import reference_problems
from portsync.mapping.repair import Repair, apply_repairs, find_repairs
from portsync.mapping.sense import sense_problems
from portsync.mapping.yaml_text import compose, structure_problems, values

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class LoadedMapping:
    """A mapping file that has no problems."""

    path: Path
    file: MappingFile
    document: Document
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """Values that must not appear in any output."""
    warnings: tuple[Problem, ...] = ()
    """What is no mistake, but is probably not meant, in the order of the lines."""
    is_from_port: bool = False
    """Whether its resources are those of the integration's page in Port, which is then left as it is."""

    given_name: str | None = None
    """Where it is not that of the file."""

    @property
    def name(self) -> str:
        """The file's name without its ending, where it has no other one."""
        return self.given_name or self.path.stem


def load(path: Path, environment: Mapping[str, str]) -> LoadedMapping:
    """Read the mapping file at `path`. Raises MappingError with all its problems, in the order of the lines."""
    return parse(read_text(path), path, environment)


def read_text(path: Path) -> str:
    """The text of the file. Raises MappingError where it cannot be read."""
    try:
        # As bytes, so that what is written back has the line breaks that it had.
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or str(error)
        problem = Problem("unreadable-file", f"cannot be read: {reason}", place=str(path), hint="check the path")
        raise MappingError(problem) from error
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text: byte {error.start}"
        problem = Problem("unreadable-file", message, str(path), "save it as UTF-8, which editors offer when saving")
        raise MappingError(problem) from error


def parse(text: str, path: Path, environment: Mapping[str, str]) -> LoadedMapping:
    """The mapping that `text` says. Raises MappingError with all problems, in the order of the lines."""
    document, structure = _composed(text, path)
    repairs = find_repairs(text) if structure else ()
    if repairs:
        document, structure = _composed(apply_repairs(text, repairs), path)
    problems = [_repair_problem(repair, text, path) for repair in repairs]
    if document is None or structure:
        raise MappingError(*problems, *structure)
    interpolation = interpolate(document, environment)
    problems += interpolation.problems
    try:
        file = _validated(values(document))
    except ValidationError as error:
        found = (_without_values(problem, interpolation) for problem in explained(error.errors(), document))
        problems += [problem for problem in found if problem.place not in interpolation.unresolved]
        raise MappingError(*_in_order(problems)) from None
    problems += [*reference_problems(file, document), *hook_problems(file, document), *sense_problems(file, document)]
    if problems:
        raise MappingError(*_in_order(problems))
    own = file.source.auth.secrets() if file.source.auth else ()
    secrets = interpolation.secrets | {*own, *hook_secrets(file), *literal_secrets(file)}
    warnings = tuple(_in_order([*warnings_of(file, document)]))
    return LoadedMapping(path, file, document, frozenset(secret for secret in secrets if secret), warnings)


def _validated(value: Any) -> MappingFile:
    """The types that `value` makes. Raises ValidationError with all that is wrong with it."""
    expressions = Expressions()
    file: MappingFile | None = None
    with suppress(ValidationError):
        file = MappingFile.model_validate(value, context=expressions)
    is_usable = expressions.compile()
    # A second time where something is wrong, so that expressions and everything else are told together.
    return file if file is not None and is_usable else MappingFile.model_validate(value, context=expressions)


def needed_repairs(text: str, path: Path) -> tuple[Repair, ...]:
    """The repairs without which `text` is no mapping; none for a text that is fine as it is."""
    _, structure = _composed(text, path)
    return find_repairs(text) if structure else ()


def _composed(text: str, path: Path) -> tuple[Document | None, list[Problem]]:
    """The document that `text` is, and what is wrong with its structure."""
    document = compose(str(path), text)
    return (None, [document]) if isinstance(document, Problem) else (document, structure_problems(document))


def _without_values(problem: Problem, interpolation: Interpolation) -> Problem:
    """The problem without what came from the environment: a key that was put in a wrong place must not be shown."""
    if problem.code.startswith("jq-") and _position(problem)[0] in interpolation.lines:
        # libjq's message repeats pieces of the text, which redaction by value does not know.
        where = problem.message.split(" is not usable JQ")[0]
        return replace(problem, message=f"{where} is not usable JQ once its ${{...}} are put in", hint=None)
    return replace(problem, message=Redactor(interpolation.values).clean(problem.message))


def _repair_problem(repair: Repair, text: str, path: Path) -> Problem:
    place = Place(str(path), repair.line, repair.column)
    if repair.fixed is None:
        problem = Problem(
            "duplicate-key",
            "`resources` stands here for the second time",
            hint="remove this line, so that both lists are one; `portsync check --fix` does it",
        )
    else:
        problem = Problem(
            "yaml-syntax",
            "not YAML: an expression that begins like this has to stand between single quotes",
            hint=f"write  {repair.fixed.strip()}\n        or let `portsync check --fix` do it",
        )
    return replace(problem, place=str(place), excerpt=excerpt(text, place))


def _in_order(problems: list[Problem]) -> list[Problem]:
    """By their lines, and each once: what an anchor shares among resources is wrong in one place."""
    distinct: dict[tuple[str | None, ...], Problem] = {}
    for problem in problems:
        distinct.setdefault((problem.code, problem.place, problem.hint or problem.message), problem)
    return sorted(distinct.values(), key=_position)


def _position(problem: Problem) -> tuple[int, int]:
    parts = (problem.place or "").rsplit(":", 2)
    return (int(parts[1]), int(parts[2])) if len(parts) == 3 else (0, 0)  # noqa: PLR2004

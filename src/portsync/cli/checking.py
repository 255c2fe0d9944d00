"""What `check` finds: the mappings behind its arguments, and what is wrong with each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portsync.blueprints import beside, read_blueprints
from portsync.errors import ConfigError, MappingError, Problem
from portsync.mapping.advice import texts_like_jq
from portsync.mapping.fit import fit_problems
from portsync.mapping.loader import needed_repairs, parse, read_text
from portsync.mapping.markdown import SUFFIXES, blocks_in, imagined, with_block
from portsync.mapping.repair import apply_repairs
from portsync.mapping.wrap import Wrap, apply_wraps, find_wrap
from portsync.plan import origin_problems
from portsync.shipped import or_shipped
from portsync.urls import Origins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_MAPPINGS = frozenset({".yaml", ".yml", ".json"})
_HAS_RESOURCES = re.compile(r"""(?m)^(?:\{\s*)?[ \t]*["']?resources["']?[ \t]*:""")
_UNKNOWN_ON_A_PAGE = ("unreadable-secret", "unset-variable")


@dataclass(frozen=True, slots=True)
class Checked:
    """A file, and what `check` has to say of it."""

    path: Path
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    fixed: tuple[tuple[int, str], ...] = ()
    """The lines, from 1, that `--fix` changed, and what they say now."""


def files_of(arguments: Sequence[Path]) -> list[Path]:
    """The files to look at: those that are named, and of folders all that hold a mapping. Raises MappingError for a
    folder without any."""
    files: list[Path] = []
    for argument in map(or_shipped, arguments):
        if not argument.is_dir():
            files.append(argument)
            continue
        below = [path for path in sorted(argument.rglob("*")) if _is_seen(path, argument) and _holds_mapping(path)]
        if not below:
            hint = "a mapping is a file *.yaml, *.yml or *.json with `resources:`, or a block of YAML in Markdown"
            raise MappingError(Problem("no-mapping", "the folder has no mapping", place=str(argument), hint=hint))
        files += below
    return list(dict.fromkeys(files))


def _is_seen(path: Path, folder: Path) -> bool:
    return path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)


def _holds_mapping(path: Path) -> bool:
    if path.suffix not in _MAPPINGS | SUFFIXES:
        return False
    try:
        text = read_text(path)
    except MappingError:
        return False
    return any(blocks_in(text)) if path.suffix in SUFFIXES else _HAS_RESOURCES.search(text) is not None


def checked(path: Path, blueprints: Path | None, environment: Mapping[str, str], *, fix: bool) -> Checked:
    """What is wrong with the file, after what can be repaired was, if `fix` says so. Raises MappingError where it
    cannot be written."""
    try:
        text = read_text(path)
    except MappingError as error:
        return Checked(path, error.problems)
    fixed: list[tuple[int, str]] = []
    if fix:
        after, fixed = _fixed(path, text, environment)
        if fixed:
            _write(path, after)
        text = after
    if path.suffix not in SUFFIXES:
        return Checked(path, *_found(path, text, blueprints, environment), tuple(fixed))
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for block in blocks_in(text):
        found, doubted = _found(path, block.text, blueprints, imagined(block.text, environment))
        problems += (problem for problem in found if problem.code not in _UNKNOWN_ON_A_PAGE)
        warnings += doubted
    return Checked(path, tuple(problems), tuple(warnings), tuple(fixed))


def _found(
    path: Path, text: str, blueprints: Path | None, environment: Mapping[str, str]
) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """The problems and, where the mapping as such has none, the warnings."""
    try:
        loaded = parse(text, path, environment)
        source = loaded.file.source
        problems = []
        if source.base_url is not None:
            problems = origin_problems(loaded, Origins.around(source.base_url, source.allow_origins))
        folder = blueprints or beside(path)
        fit = [] if folder is None else fit_problems(loaded, read_blueprints(folder))
    except ConfigError as error:
        return error.problems, ()
    return (*problems, *fit), loaded.warnings


def _fixed(path: Path, text: str, environment: Mapping[str, str]) -> tuple[str, list[tuple[int, str]]]:
    """The text after all repairs, and the lines that were changed."""
    if path.suffix not in SUFFIXES:
        return _repaired(path, text, environment)
    done: list[tuple[int, str]] = []
    # From the end, so that the lines of the blocks before do not move.
    for block in reversed([*blocks_in(text)]):
        after, changed = _repaired(path, block.text, imagined(block.text, environment))
        text = with_block(text, block, after)
        done = changed + done
    return text, done


def _repaired(path: Path, text: str, environment: Mapping[str, str]) -> tuple[str, list[tuple[int, str]]]:
    repairs = needed_repairs(text, path)
    fixed = apply_repairs(text, repairs)
    wraps = _wraps(path, fixed, environment)
    done = [(repair.line, "removed" if repair.fixed is None else repair.fixed) for repair in repairs]
    return apply_wraps(fixed, wraps), done + [(wrap.line, wrap.fixed) for wrap in wraps]


def _wraps(path: Path, text: str, environment: Mapping[str, str]) -> list[Wrap]:
    """What makes expressions of the texts that look like some; nothing for a file with problems, which come first."""
    try:
        loaded = parse(text, path, environment)
    except MappingError:
        return []
    # A set, for an alias leads to the same text a second time.
    found = {find_wrap(loaded.document, place) for place in texts_like_jq(loaded.file)}
    return sorted((wrap for wrap in found if wrap is not None), key=lambda wrap: wrap.start)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise MappingError(
            Problem("unwritable-file", f"cannot be written: {error.strerror}", place=str(path))
        ) from error

"""The files that are provisioned: blueprints and pages, told apart by what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portsync.blueprints import fault_of_blueprint, is_page, no_blueprints, read_values
from portsync.errors import BlueprintError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Described:
    """A blueprint or a page, as a file describes it."""

    value: dict[str, Any]
    place: str
    """The file."""

    @property
    def identifier(self) -> str:
        return str(self.value["identifier"])


@dataclass(frozen=True, slots=True)
class CatalogFiles:
    """What files describe, in the order in which they were named."""

    blueprints: tuple[Described, ...] = ()
    pages: tuple[Described, ...] = ()


def read_catalog_files(paths: Sequence[Path]) -> CatalogFiles:
    """The blueprints and pages in `paths`, which are files, and folders whose `*.json` are read, those below included.
    Raises BlueprintError with all that is wrong."""
    problems: list[Problem] = []
    blueprints: dict[str, Described] = {}
    pages: dict[str, Described] = {}
    for path in _files(paths, problems):
        for value in read_values(path, problems):
            word, found, fault = (
                ("page", pages, _fault_of_page(value, path))
                if is_page(value)
                else ("blueprint", blueprints, fault_of_blueprint(value, path))
            )
            if fault is not None:
                problems.append(fault)
            elif (other := found.get(value["identifier"])) is not None:
                code = "bad-page" if word == "page" else "bad-blueprint"
                message = f"the {word} `{value['identifier']}` is in `{other.place}` already"
                problems.append(Problem(code, message, str(path), "remove one"))
            else:
                found[value["identifier"]] = Described(value, str(path))
    if problems:
        raise BlueprintError(*problems)
    return CatalogFiles(tuple(blueprints.values()), tuple(pages.values()))


def _files(paths: Sequence[Path], problems: list[Problem]) -> Iterator[Path]:
    """Each file once, also where one path leads to what another one holds."""
    seen: set[Path] = set()
    for path in paths:
        if path.is_dir():
            found = sorted(path.rglob("*.json"))
            if not found:
                problems.append(no_blueprints(path))
        elif path.is_file():
            found = [path]
        else:
            message = f"`{path}` is neither a folder nor a file"
            problems.append(Problem("no-blueprints", message, str(path), "name folders of *.json, or files"))
            continue
        for file in found:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _fault_of_page(page: dict[str, Any], path: Path) -> Problem | None:
    """What keeps a value from being a page, as far as it can be told without Port."""
    hint = "compare it with Port's documentation on pages"
    if not isinstance(page.get("identifier"), str) or not page["identifier"]:
        return Problem("bad-page", "the key `identifier` is missing", str(path), hint)
    if not isinstance(page["widgets"], list):
        return Problem("bad-page", "`widgets` is not a list", str(path), hint)
    return None

"""What `check` finds, in the forms that machines read: JSON, SARIF 2.1.0, and the workflow commands of GitHub."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from portsync import __version__
from portsync.cli.render import printable
from portsync.report import problem_as_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from portsync.cli.checking import Checked
    from portsync.errors import Problem

_PLACE = re.compile(r"(?P<file>.*?)(?::(?P<line>\d+):(?P<column>\d+))?", re.DOTALL)
_SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ESCAPES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_ESCAPES_OF_PROPERTIES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
"""As GitHub's own toolkit escapes them."""


def as_json(found: Sequence[Checked], *, is_one: bool) -> dict[str, Any]:
    """The object for one mapping; for several, which a folder may have, a list of them under `mappings`."""
    each = [
        {
            "mapping": str(checked.path),
            "problems": [problem_as_json(problem) for problem in checked.problems],
            "warnings": [problem_as_json(problem) for problem in checked.warnings],
        }
        for checked in found
    ]
    return each[0] if is_one else {"mappings": each}


def as_github(found: Sequence[Checked]) -> Iterator[str]:
    """A line for each problem and warning, from which GitHub Actions makes an annotation of the file."""
    for level, problem, path in _all(found):
        place = _place(problem, path)
        properties = {"file": place["file"], "line": place["line"], "col": place["column"], "title": problem.code}
        given = ((name, value) for name, value in properties.items() if value is not None)
        shown = ",".join(f"{name}={printable(value).translate(_ESCAPES_OF_PROPERTIES)}" for name, value in given)
        yield f"::{level} {shown}::{printable(_text(problem)).translate(_ESCAPES)}"


def as_sarif(found: Sequence[Checked]) -> dict[str, Any]:
    """The log of one run, as code scanning reads it. Columns count characters."""
    results = [(level, problem, _place(problem, path)) for level, problem, path in _all(found)]
    codes = sorted({problem.code for _, problem, _ in results})
    driver = {
        "name": "portsync",
        "version": __version__,
        "rules": [{"id": code, "name": _pascal(code), "shortDescription": {"text": _words(code)}} for code in codes],
    }
    return {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [
                    {
                        "ruleId": problem.code,
                        "ruleIndex": codes.index(problem.code),
                        "level": level,
                        "message": {"text": _text(problem)},
                        "locations": [{"physicalLocation": _location(place)}],
                    }
                    for level, problem, place in results
                ],
            }
        ],
    }


def _all(found: Sequence[Checked]) -> Iterator[tuple[str, Problem, Path]]:
    for checked in found:
        yield from (("error", problem, checked.path) for problem in checked.problems)
        yield from (("warning", problem, checked.path) for problem in checked.warnings)


def _place(problem: Problem, path: Path) -> dict[str, str | None]:
    match = _PLACE.fullmatch(problem.place or str(path))
    assert match is not None, "it matches anything"
    return match.groupdict()


def _location(place: dict[str, str | None]) -> dict[str, Any]:
    file = (place["file"] or "").replace("\\", "/")
    if file.startswith("/"):
        location: dict[str, Any] = {"artifactLocation": {"uri": "file://" + quote(file)}}
    else:
        location = {"artifactLocation": {"uri": quote(file.removeprefix("./")), "uriBaseId": "%SRCROOT%"}}
    if place["line"] is not None and place["column"] is not None:
        location["region"] = {"startLine": int(place["line"]), "startColumn": int(place["column"])}
    return location


def _text(problem: Problem) -> str:
    return problem.message if problem.hint is None else f"{problem.message}\nhint: {problem.hint}"


def _words(code: str) -> str:
    return code.replace("-", " ")


def _pascal(code: str) -> str:
    return "".join(part.capitalize() for part in code.split("-"))

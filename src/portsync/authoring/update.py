"""What a case came to, written down as what is expected of it. Everything else in the file stays as it is, comments
too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from portsync.authoring.faults import name_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.authoring.case_run import CaseResult
    from portsync.authoring.cases import Expected, LoadedCases
    from portsync.flow import Json

_WIDTH = 120


class _Dumper(yaml.SafeDumper):
    """Indents lists below their keys, and never points from one place to another."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's signature
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def updated(cases: LoadedCases, results: Mapping[int, CaseResult]) -> str:
    """The text of the file in which the cases with these indexes expect what they came to."""
    lines = cases.text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    for index in sorted(results, reverse=True):
        node = cases.document.nearest(("cases", index))
        assert isinstance(node, yaml.MappingNode)
        expectation = _expectation(cases.file.cases[index].expect, results[index])
        column = node.value[0][0].start_mark.column
        text = _indented({"expect": expectation}, column)
        found = next(((key, value) for key, value in node.value if key.value == "expect"), None)
        if found is None:
            end = _end(lines, node.end_mark.line, node.value[0][0].start_mark.line)
            lines[end:end] = text
        else:
            key, value = found
            first = key.start_mark.line
            lines[first : _end(lines, max(value.end_mark.line, first + 1), first + 1)] = text
    return "".join(lines)


def _end(lines: Sequence[str], end: int, least: int) -> int:
    """The line behind the last one that says something: what PyYAML takes for the end of a block is where the next one
    begins, behind empty lines and comments."""
    if end < len(lines) and lines[end].strip() and end == least - 1:
        return least
    while end > least and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def _indented(value: Json, column: int) -> list[str]:
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return [f"{' ' * column}{line}" if line.strip() else line for line in text.splitlines(keepends=True)]


def _expectation(before: Expected | None, result: CaseResult) -> dict[str, Json]:
    """What a case came to, in as many words as it said before; all of it where it said nothing."""
    wanted = before.model_fields_set if before is not None else {"requests", "verdict", "entities"}
    all_of_it: dict[str, Json] = {
        "requests": [request.as_json() for request in result.requests],
        "verdict": result.verdict,
        "entities": [_entity(entity) for entity in sorted(result.entities, key=_key)],
        "failures": list(result.failures),
        "field_errors": result.field_errors,
    }
    must = {name for name in ("failures", "field_errors") if all_of_it[name]}
    return {name: value for name, value in all_of_it.items() if name in wanted | must}


def _key(entity: Mapping[str, Json]) -> tuple[str, str]:
    return str(entity["blueprint"]), name_of(entity["identifier"])


def _entity(entity: Mapping[str, Json]) -> dict[str, Json]:
    """An entity as a case writes it, less what is empty."""
    said = {"blueprint": entity["blueprint"], "identifier": name_of(entity["identifier"])}
    rest = {name: value for name, value in entity.items() if name not in said and value not in (None, {}, [])}
    for section in ("properties", "relations"):
        if section in rest:
            rest[section] = {name: value for name, value in rest[section].items() if value is not None}
    return {**said, **{name: value for name, value in rest.items() if value != {}}}

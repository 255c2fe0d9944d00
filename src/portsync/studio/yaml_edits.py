"""Put a value into a YAML text: everything else stays as it is, comments and all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from portsync.errors import ConfigError, Problem
from portsync.mapping.yaml_text import compose, structure_problems, values

if TYPE_CHECKING:
    from collections.abc import Sequence

Path = tuple[str | int, ...]
_WIDE = 10_000
_BREAKS = frozenset("\r\x85\u2028\u2029")
"""What YAML takes for the end of a line beside the line break itself: it has to be escaped."""
_ORDER = (
    *("source", "context", "createMissingRelatedEntities", "deleteDependentEntities", "enableMergeEntity"),
    *("entityDeletionThreshold", "resources", "base_url", "auth"),
    *("kind", "selector", "itemsToParse", "port", "live", "entity"),
    *("method", "query_params", "body", "data_path", "pagination"),
    *("identifier", "title", "blueprint", "icon", "team", "properties", "relations"),
)
"""In which order people expect these keys. Of all others a new one comes last."""


class _Dumper(yaml.SafeDumper):
    """Indents lists below their keys, and writes texts of several lines as blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's signature
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text_of(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # What a later YAML takes for something else, `yes` and dates, between quotes too.
    style = '"' if _BREAKS.intersection(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text_of)


def with_value(text: str, path: Sequence[str | int], value: Any) -> str:
    """`text` with `value` at `path`, in place of what is there. Missing parents are made; an index behind the last
    element of a list makes one more. Raises ConfigError where `text` is no YAML, or where `path` leads through
    something else than it says."""
    before: Any = None
    if all(line.lstrip().startswith("#") or not line.strip() for line in text.splitlines()):
        made = text + ("\n" if text and not text.endswith("\n") else "") + _dumped(_nested(path, value))
    else:
        document = compose("mapping.yaml", text)
        if isinstance(document, Problem):
            raise ConfigError(document)
        if problems := structure_problems(document):
            raise ConfigError(*problems)
        before, made = values(document), _made(text, document.root, path, value)
    again = compose("mapping.yaml", made)
    # An alias leads to a place that others share: what is written there would change them too.
    if isinstance(again, Problem) or values(again) != _put(before, path, value):
        where = ".".join(map(str, path))
        message = f"`{where}` cannot be written into the text as it stands"
        raise ConfigError(Problem("unwritable-place", message, hint="write it in the editor"))
    return made


def _made(text: str, root: yaml.Node, path: Sequence[str | int], value: Any) -> str:
    """`text` with `value` at `path` below `root`."""
    node, key = root, None
    for depth, part in enumerate(path):
        step = _step(node, part)
        if step is None:
            return _added(text, node, key, path[depth:], value)
        key, node = step
    return _replaced(text, node, key, path, value)


def _put(value: Any, path: Sequence[str | int], new: Any) -> Any:
    """A copy of `value` with `new` at `path`; whatever it is, where that leads through something else."""
    if not path:
        return new
    part, *rest = path
    match value:
        case dict():
            return {**value, part: _put(value.get(part), rest, new)}
        case list() if isinstance(part, int) and part <= len(value):
            before = value[part] if part < len(value) else None
            return [*value[:part], _put(before, rest, new), *value[part + 1 :]]
        case None:
            return _nested(path, new)
        case _:
            return value


def _step(node: yaml.Node, part: str | int) -> tuple[yaml.Node | None, yaml.Node] | None:
    match node:
        case yaml.MappingNode():
            return next(((key, value) for key, value in node.value if key.value == part), None)
        case yaml.SequenceNode() if isinstance(part, int) and part < len(node.value):
            return None, node.value[part]
        case _:
            return None


def _nested(path: Sequence[str | int], value: Any) -> Any:
    for part in reversed(path):
        value = [value] if isinstance(part, int) else {part: value}
    return value


def _dumped(value: Any) -> str:
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDE, default_flow_style=False)
    return text.removesuffix("...\n")


def _flow(value: Any) -> str:
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDE, default_flow_style=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _indented(text: str, column: int) -> str:
    return "".join(f"{' ' * column}{line}" if line.strip() else line for line in text.splitlines(keepends=True))


def _is_in_flow(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and bool(node.flow_style)


def _replaced(text: str, node: yaml.Node, key: yaml.Node | None, path: Sequence[str | int], value: Any) -> str:
    """`value` in place of `node`."""
    is_scalar = not isinstance(value, dict | list)
    if is_scalar and isinstance(node, yaml.ScalarNode) and node.style not in ("|", ">") and not _has_lines(value):
        space = "" if text[node.start_mark.index - 1 : node.start_mark.index].isspace() else " "
        return text[: node.start_mark.index] + space + _flow(value) + text[node.end_mark.index :]
    if key is None:
        message = f"`{'.'.join(map(str, path))}` cannot be replaced as a whole"
        raise ConfigError(Problem("unwritable-place", message, hint="write it in the editor"))
    if _is_in_flow(node) or (isinstance(node, yaml.ScalarNode) and key.start_mark.line == node.end_mark.line):
        end = node.end_mark.index
    else:
        end = _line_end(text, _last_line(text, node, key.start_mark.line))
    column = key.start_mark.column
    body = _indented(_dumped({key.value: value}), column)[column:].removesuffix("\n")
    return text[: key.start_mark.index] + body + text[end:]


def _has_lines(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value


def _added(text: str, node: yaml.Node, key: yaml.Node | None, rest: Sequence[str | int], value: Any) -> str:
    """`value` at `rest` below `node`, which has no such part yet."""
    inner = _nested(rest, value)
    match node:
        case yaml.ScalarNode() if node.value in ("", "null", "~") and key is not None:
            return _replaced(text, node, key, rest, inner)
        case yaml.MappingNode() if isinstance(rest[0], str):
            if _is_in_flow(node) and not node.value and key is not None:
                return _replaced(text, node, key, rest, inner)
            if _is_in_flow(node):
                comma = ", " if node.value else ""
                end = node.end_mark.index - 1
                return f"{text[:end].rstrip()}{comma}{_flow(inner)[1:-1]}{text[end:]}"
            column = node.value[0][0].start_mark.column
            if (later := _first_after(node, rest[0])) is not None:
                start = later.start_mark.index
                return f"{text[:start]}{_indented(_dumped(inner), column)[column:]}{' ' * column}{text[start:]}"
        case yaml.SequenceNode() if isinstance(rest[0], int) and not _is_in_flow(node):
            column = node.start_mark.column
        case _:
            message = "the place is taken by something else"
            raise ConfigError(Problem("unwritable-place", message, hint="write it in the editor"))
    line = _last_line(text, node, node.start_mark.line)
    end = _line_end(text, line)
    before = text[:end] if text[end - 1 : end] != "\n" else text[: end - 1]
    return f"{before}\n{_indented(_dumped(inner), column).removesuffix(chr(10))}{text[end:]}"


def _first_after(node: yaml.MappingNode, name: str) -> yaml.Node | None:
    """The first key that people expect behind the key `name`."""
    later = _ORDER[_ORDER.index(name) + 1 :] if name in _ORDER else ()
    return next((key for key, _ in node.value if key.value in later), None)


def _last_line(text: str, node: yaml.Node, least: int) -> int:
    """The last line, counted from 0, on which something of `node` stands: PyYAML says where the next thing begins."""
    match node:
        case yaml.MappingNode(value=[*_, (last_key, last)]) if not node.flow_style:
            return _last_line(text, last, last_key.start_mark.line)
        case yaml.SequenceNode(value=[*_, last]) if not node.flow_style:
            return _last_line(text, last, last.start_mark.line)
        case yaml.ScalarNode(style="|" | ">"):
            lines = text.split("\n")
            end = node.end_mark.line if node.end_mark.column else node.end_mark.line - 1
            while end > least and not lines[end].strip():
                end -= 1
            return end
        case _:
            return max(node.end_mark.line, least) if node.end_mark.column or node.value else least


def _line_end(text: str, line: int) -> int:
    """The index behind the last character of a line, its line break left out."""
    start = 0
    for _ in range(line):
        start = text.index("\n", start) + 1
    end = text.find("\n", start)
    return len(text) if end < 0 else end

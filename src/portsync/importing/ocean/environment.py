"""The environment of an Ocean container, from a file: `NAME=value` in each line, or `-e NAME=value` as for docker."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portsync.mapping.places import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portsync.importing.notes import Notes

_LINE = re.compile(r"\s*(?:-\s+)?(?:export\s+)?[\"']?(?P<name>[A-Za-z_]\w*)\s*=(?P<value>.*)", re.DOTALL | re.ASCII)
_PAIR = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>.*)", re.DOTALL | re.ASCII)
_OPTION = re.compile(r"(?:^|\s)(?:-e|--env)(?:[\s=]|$)")
_COMMENT = re.compile(r"\s+#.*\Z")


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of a variable, and where it stands."""

    value: str
    place: Place


def read_environment(text: str, file: str, notes: Notes) -> Mapping[str, Setting]:
    """The variables of a file; of those that stand twice the last counts. Lines that set none are listed."""
    found: dict[str, Setting] = {}
    for number, line in _logical_lines(text):
        place = Place(file, number, 1)
        pairs = [*_pairs(line)]
        if not pairs and not _is_talk(line):
            notes.lost(place, "this line sets no variable", "write NAME=value")
        found |= {name: Setting(value, place) for name, value in pairs if value != ""}
    return found


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line with its number; in a list of options a backslash at the end of a line goes on with the next."""
    for number, line in enumerate(text.splitlines(), 1):
        yield number, re.sub(r"\s*\\\s*\Z", "", line)


def _is_talk(line: str) -> bool:
    """Whether a line is empty, a comment, or the part of a `docker run` that sets nothing."""
    words = line.split()
    return (
        not words
        or words[0].startswith("#")
        or words[0] in ("docker", "podman", "environment:", "env:")
        or (len(words) == 1 and (words[0].startswith("-") or "/" in words[0]) and "=" not in words[0].lstrip("-"))
        or words[0].startswith("--")
    )


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    if _OPTION.search(line):
        yield from _options(line)
    elif not line.lstrip().startswith("#") and (found := _LINE.fullmatch(line)) is not None:
        quote = re.search(r"[\"'](?=[A-Za-z_]\w*\s*=)", line[: found.start("value")])
        value = found["value"].strip()
        yield found["name"], value.removesuffix(quote[0]) if quote else _unquoted(value)


def _options(line: str) -> Iterator[tuple[str, str]]:
    """The variables of `-e NAME=value`, `-e "NAME=value"` and `--env=NAME=value`."""
    try:
        words = shlex.split(line)
    except ValueError:
        # A quote that is never closed: nothing in the line is sure.
        return
    for before, word in zip(["", *words], words, strict=False):
        pair = word.partition("=")[2] if word.startswith(("--env=", "-e=")) else word
        is_value = before in ("-e", "--env") or pair != word
        if is_value and (found := _PAIR.fullmatch(pair)) is not None:
            yield found["name"], found["value"]


def _unquoted(value: str) -> str:
    """The value as a shell would have it, for the usual ways of quoting; JSON keeps its own quotes."""
    for quote in ("'", '"'):
        if value.startswith(quote) and (end := value.rfind(quote)) > 0 and _COMMENT.fullmatch(f" {value[end + 1 :]} #"):
            inner = value[1:end]
            return inner.replace('\\"', '"').replace("\\\\", "\\") if quote == '"' else inner
    return _COMMENT.sub("", value)

"""What PyYAML says of a text that is no YAML, in words that say what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portsync.errors import Problem
from portsync.mapping.places import Place, excerpt

if TYPE_CHECKING:
    import yaml

_QUOTE_HINT = "put the whole text between single quotes; a single quote in it is doubled"
_INDENT_HINT = "give the keys of one section the same indentation, in spaces"
_ESCAPE_HINT = "write two backslashes, or put the text between single quotes, where a backslash is itself"
_KNOWN = (
    ("'\\t' that cannot start", "", "a tab cannot indent", "indent with spaces", False),
    ("that cannot start any token", "", "no text can begin with `{}`", _QUOTE_HINT, False),
    (
        "unexpected end of stream",
        "quoted",
        "the quote that opens here is never closed",
        "close it with the same quote",
        True,
    ),
    ("unknown escape", "", "between double quotes this backslash has no meaning", _ESCAPE_HINT, False),
    ("expected escape sequence", "", "between double quotes this backslash has no meaning", _ESCAPE_HINT, False),
    ("undefined alias", "", "no anchor of this name stands before", "write `&name` before what it repeats", False),
    ("", "found duplicate anchor", "an anchor of this name stands before", "give it another name", False),
    ("alphabetic or numeric", "alias", "a text that begins with `*` is read as an alias", _QUOTE_HINT, True),
    ("alphabetic or numeric", "anchor", "a text that begins with `&` is read as an anchor", _QUOTE_HINT, True),
    ("another document", "", "a second document begins here", "remove the `---`, or make a file of each", False),
    ("for merging", "", "`<<` takes keys with values, or a list of such", "write `<<: *name` with an anchor", False),
    ("expected ':'", "", "this line is no `key: value`", "write `: ` behind the key, or indent the text", False),
)
"""What PyYAML says, and of what; what we say, with the name that it names; what to do; whether the place is the
beginning."""
_GLUED = re.compile(r"\s*(?:- +)*([\w.-]+):[^\s]+\s*$")
"""A key whose value is written right behind the colon."""
_TOKENS = {
    "<block end>": "the end of the section",
    "<block mapping start>": "keys that are indented further",
    "<block sequence start>": "a list that is indented further",
    "<scalar>": "a text",
    "<stream end>": "the end of the file",
    "<document start>": "`---`",
    "<anchor>": "an anchor",
    "<alias>": "an alias",
    "<tag>": "a tag",
}
"""PyYAML's names for what it read."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What is said of a mistake."""

    message: str
    hint: str
    is_at_start: bool = False
    """Whether the place is where the thing begins, instead of where it went wrong."""


def syntax_problem(file: str, text: str, error: yaml.MarkedYAMLError) -> Problem:
    """The problem behind an error of PyYAML, with its place."""
    mark = error.problem_mark or error.context_mark
    said = error.problem or error.context or "syntax error"
    if mark is None:
        return Problem("yaml-syntax", f"not YAML: {said}", place=file)
    line = _line(text, mark.line)
    found = _said(said, error, line, _line(text, mark.line - 1), mark)
    if found.is_at_start and error.context_mark is not None:
        mark = error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1)
    return Problem("yaml-syntax", f"not YAML: {found.message}", str(place), found.hint, excerpt=excerpt(text, place))


def character_problem(file: str, text: str, error: yaml.reader.ReaderError) -> Problem:
    """The problem of a character that YAML does not allow anywhere."""
    at = _index(text, error)
    before = text[:at]
    place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    message = f"not YAML: the character U+{ord(text[at : at + 1] or chr(0)):04X} is not allowed"
    hint = "remove it; a file with many of them is no text file"
    return Problem("yaml-syntax", message, str(place), hint)


def _index(text: str, error: yaml.reader.ReaderError) -> int:
    """Where the character stands; PyYAML's own position counts from the piece that it was reading."""
    character = error.character if isinstance(error.character, str) else chr(error.character)
    return max(0, text.find(character))


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number] if number < len(lines) else ""


def _said(said: str, error: yaml.MarkedYAMLError, line: str, above: str, mark: yaml.Mark) -> _Said:
    context = error.context or ""
    for what, within, message, hint, is_at_start in _KNOWN:
        if what in said and within in context:
            found = re.search(r"'(.+?)'|\"(.+?)\"", said)
            named = (found[1] or found[2]) if found else line[mark.column : mark.column + 1]
            return _Said(message.format(named), hint, is_at_start)
    if "mapping values are not allowed" in said:
        return _colon(line[: mark.column], above)
    if "flow mapping" in context or "flow sequence" in context:
        return _flow(context, error, line, mark)
    if "<block end>" in said or "block mapping" in context or "block collection" in context:
        return _block(said, line[: mark.column])
    for token, words in _TOKENS.items():
        said = said.replace(f"'{token}'", words)
    return _Said(said, _QUOTE_HINT)


def _colon(before: str, above: str) -> _Said:
    """A key that stands after a text; `above` is the line before."""
    if (glued := _GLUED.match(above)) is not None:
        return _Said(f"the line before is a text: a space is missing after `{glued[1]}:`", f"write  {glued[1]}: ...")
    if ":" in before:
        return _Said("`: ` within a text ends a key", _QUOTE_HINT)
    return _Said("a key stands where none can, after a text or deeper than its section", _INDENT_HINT)


def _flow(context: str, error: yaml.MarkedYAMLError, line: str, mark: yaml.Mark) -> _Said:
    """Within `{...}` or `[...]`."""
    opened, closed = ("{", "}") if "mapping" in context else ("[", "]")
    if line[: mark.column].endswith("$"):
        hint = 'put ${...} between double quotes inside of { } and [ ]: "${NAME}"'
        return _Said("the brace of ${...} begins keys here", hint)
    if error.context_mark is not None and error.context_mark.line != mark.line:
        hint = f"close it with `{closed}` before this line"
        return _Said(f"the `{opened}` of line {error.context_mark.line + 1} is not closed", hint)
    hint = f"close it with `{closed}`, or put texts with brackets, commas or quotes between single quotes"
    return _Said(f"within `{opened}...{closed}` a comma or `{closed}` is wanted here", hint)


def _block(said: str, before: str) -> _Said:
    """Within keys with values, or a list, that are told by their indentation."""
    if re.search(r"""['"}\]]\s*$""", before):
        return _Said("text stands behind a closing quote or bracket", _QUOTE_HINT)
    if "'-'" in said:
        return _Said("a list begins here, among keys", "indent it further than the key that it belongs to")
    if "<block mapping start>" in said or "<block sequence start>" in said or not before.strip():
        return _Said("this line is indented differently from the lines before it", _INDENT_HINT)
    return _Said("a text ends here, and something follows it", _QUOTE_HINT)

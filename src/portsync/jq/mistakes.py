"""What is wrong with an expression that libjq does not take, in words that say what to do.

libjq names the token that it stumbled over. What people want to know is which bracket is open, and what JQ has for
`&&`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from portsync.jq.brackets import brackets_of
from portsync.jq.foreign_syntax import call, is_end, jsonpath, operator, said, span, ternary
from portsync.jq.names import undefined
from portsync.jq.scan import scan

if TYPE_CHECKING:
    from portsync.jq.brackets import Bracket
    from portsync.jq.fault import Fault

_WORDS = {
    "is": "compare with `==`, such as  .field == null",
    "in": 'write  .field | IN("a", "b")',
    "like": 'write  .field | test("pattern")',
    "matches": 'write  .field | test("pattern")',
    "contains": 'write  .field | contains("text")',
    "startswith": 'write  .field | startswith("text")',
    "endswith": 'write  .field | endswith("text")',
    "not": "write  (.field | not), or `!=` to compare",
    "eq": "compare with `==`",
    "ne": "compare with `!=`",
    "elsif": "write `elif`",
    "elseif": "write `elif`",
}
"""Words that other languages have between two values."""
_KEYWORDS = frozenset({"then", "elif", "else", "end"})
_BETWEEN = frozenset(
    ["|", ",", "+", "*", "/", "%", "<", ">", "=", ";", ":", "?", "and", "or", "as", "==", "!=", "<=", ">=", "//"]
)
_COLON_HINT = 'for a field with a colon in its name write  .["a:b"]'
_QUOTES = frozenset("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\u2018\u2019\u201a\u201b\u2032\u00b4`")
"""Of other languages, of word processors, and of Markdown."""
_BLANKS = frozenset("\u00a0\u2007\u202f\u200b\u200c\u200d\ufeff\u2060\u3000")
_IF_HINT = "write  if ... then ... else ... end"
_LAST_WORD = re.compile(r"(?:[\w.$@]+|[^\s\w]{1,2})\s*\Z")
_ODD_NAME = re.compile(r"\.(\w*)\Z")
_WORDS_ONLY = re.compile(r"[\w ,.!/-]+")
_ESCAPE = re.compile(r'\\(?!["\\/bfnrt(u])|\\u(?![0-9A-Fa-f]{4})')


def _open(message: str, _: int, code: str) -> Fault | None:
    """Brackets and texts that are open at the end."""
    brackets = brackets_of(code)
    if brackets.wrong is not None or not brackets.open:
        return None
    last = brackets.open[-1]
    if last.sign == '"' and len(brackets.open) > 1 and brackets.open[-2].sign == "\\(":
        last = brackets.open[-2]
        return said("this `\\(` is never closed", "`)` is missing, before the text ends", last.start)
    if last.sign == '"':
        return said(
            "the text that begins here is never closed", 'close it with a quote like the first: "..."', last.start
        )
    if not is_end(message):
        return None
    closers = "".join(bracket.closer for bracket in reversed(brackets.open))
    missing = "`" + closers + "` is missing" if len(closers) == 1 else f"`{closers}` are missing"
    return said(f"`{last.sign}` is never closed", f"{missing}, at the end or before", last.start)


def _closer(_: str, at: int, code: str) -> Fault | None:
    """A bracket that closes nothing, or not what is open."""
    brackets = brackets_of(code)
    wrong = brackets.wrong
    if wrong is None or wrong.start != at:
        return None
    if not brackets.open:
        return said(f"`{wrong.sign}` closes nothing", "remove it, or open it before", at)
    last = brackets.open[-1]
    opened = code[last.start : last.start + 20].partition("\n")[0]
    hint = f"`{opened}{'...' if len(code) > last.start + 20 else ''}` is still open: close it first"
    return said(f"`{wrong.sign}` stands where `{last.closer}` is wanted", hint, at)


def _character(message: str, at: int, code: str) -> Fault | None:
    character = code[at : at + 1]
    if "INVALID_CHARACTER" not in message or not character:
        return None
    if character in _QUOTES:
        shown = "a backtick" if character == "`" else f"`{character}`"
        return said(f"{shown} is no quote of JQ", 'write "', at)
    if character in _BLANKS:
        return said(f"an invisible character stands here, U+{ord(character):04X}", "replace it by a space", at)
    if character.isalpha() and (name := _ODD_NAME.search(code[:at])):
        rest = re.match(r"[\w-]+", code[at:])
        shown = name[1] + (rest[0] if rest else character)
        return said("a field of such a name needs brackets and quotes", f'write  .["{shown}"]', at)
    if character == "'":
        return said("a single quote within a word ends no text", "write texts between double quotes", at)
    if code[at : at + 2] == "@.":
        return said("`@.` is JSONPath, not JQ", "write  .", at)
    return said(f"`{character}` has no meaning in JQ", "put it between double quotes, if it belongs to a text", at)


def _sign(message: str, at: int, code: str) -> Fault | None:
    """A sign or a keyword in a place where none of its kind can stand."""
    found = re.search(r"unexpected (?:'(.)'|(\w+|[=!<>/|+*%-]{2,3})(?=$|,))", message)
    if found is None:
        return None
    sign = found[1] or found[2]
    before = code[:at].rstrip()
    around = brackets_of(code[:at]).open
    if sign in _KEYWORDS:
        return said(f"this `{sign}` belongs to no `if` before it", _IF_HINT, at)
    if sign == "%" and before.endswith("("):
        return said("a format is a text", 'put it between double quotes: "%Y-%m-%d"', at)
    if not before and sign in _BETWEEN:
        return said(f"an expression cannot begin with `{sign}`", "write what stands before it, such as .", at)
    if around and around[-1].sign == "{" and "expecting '}'" in message:
        return said("within `{...}` a `:` stands between key and value", "write  {key: .field}", at)
    if sign == ":":
        return _colon(message, at, around)
    if sign in _BETWEEN - {";"}:
        return said(f"something is missing before `{sign}`", "write it, or remove one of the operators", at)
    if sign == ";":
        return said("a `;` stands only between arguments of a function", "remove it, or pass the value on with `|`", at)
    if sign in "])}" and before.endswith(","):
        return said("nothing stands behind this comma", "remove it", len(before) - 1)
    return None


def _colon(message: str, at: int, around: tuple[Bracket, ...]) -> Fault:
    if around and around[-1].sign == "(":
        return said("`(` is never closed", "`)` is missing, after what belongs to it", around[-1].start)
    hint = "write `then` in its place" if "expecting then" in message else _COLON_HINT
    return said("a `:` stands only between key and value of `{...}`", hint, at)


def _side_by_side(message: str, at: int, code: str) -> Fault | None:
    """Two things without an operator between them."""
    if not re.search(r"unexpected (IDENT|LITERAL|QQSTRING_START|FIELD|BINDING|\.\.)", message) or not code[:at].strip():
        return None
    if (number := re.match(r"\.(\d+)", code[at:])) and code[at - 1 : at].isalnum():
        return said("a number is no name of a field", f"for an element of a list write  [{number[1]}]", at)
    if message.endswith("expecting FORMAT or QQSTRING_START or '['"):
        return said("a variable is no name of a field", "for the field that it names write  .[$name]", at)
    if "unexpected .." in message or code[:at].endswith(".."):
        return said("two dots in a row stand for everything below", "for a field remove one of them", at)
    around = brackets_of(code[:at]).open
    if around and around[-1].sign == "{" and "expecting '}'" in message:
        return said("within `{...}` a `:` stands between key and value", "write  {key: .field}", at)
    word = re.match(r"[A-Za-z_]\w*", code[at:])
    if word and code[at - 1] == "?":
        return said("behind `?` a field begins with a dot", f"write  .{word[0]}", at)
    if word and (hint := _WORDS.get(word[0].lower())) is not None:
        return said(f"`{word[0]}` is no operator of JQ", hint, at)
    before = _LAST_WORD.search(code[:at])
    shown = f" after `{before[0].strip()}`" if before and before[0].strip() not in ('"', "'") else ""
    if word and _WORDS_ONLY.fullmatch(code) and not code.startswith("."):
        quoted = f"""for the text write '"{code}"', with both pairs of quotes"""
        return said(f"an operator is missing{shown}", quoted, at)
    return said(f"an operator is missing{shown}", "join texts with `+`, pass a value on with `|`", at)


def _unfinished(message: str, at: int, code: str) -> Fault | None:
    """An expression that ends too early."""
    if not is_end(message):
        return None
    if all(token.kind == "comment" or token.text.isspace() for token in scan(code)):
        return said("the expression is only a comment", "write `.` for the record itself, or remove the key", at)
    if re.search(r"\bif\b", code) and not re.search(r"\bend\b", code):
        start = [found.start() for found in re.finditer(r"\bif\b", code)][-1]
        return said("the `if` has no `end`", _IF_HINT, start)
    if "expecting FORMAT" in message:
        return said("after the `.` the name of a field is missing", "write it, or remove the dot", at)
    if re.search(r"\bas\s+\$\w+\s*\Z", code):
        return said("what `as` binds is used by nothing", "write `|` and an expression behind it", at)
    if re.match(r"\s*def\b", code):
        return said("the `def` is not followed by an expression", "write  def name: ...; expression", 0)
    last = _LAST_WORD.search(code)
    shown = last[0].strip() if last else code.strip()
    start = last.start() if last else at
    return said(f"something is missing after `{shown}`", "write it, or remove what stands before it", start)


def _escape(at: int, code: str) -> Fault:
    """A backslash in a text that JSON does not know."""
    found = _ESCAPE.search(code, max(0, at - 1))
    if found is None:
        return said("a backslash in a text has no meaning", "write two of them", at)
    sign = code[found.start() : found.start() + 2]
    if sign == "\\u":
        return said("`\\u` is followed by four hexadecimal digits", "write such as \\u00e9", found.start())
    return said(f"`{sign}` has no meaning in a text", f"for a pattern write  \\{sign}", found.start())


_FINDERS = (
    jsonpath, span, _open, _closer, ternary, operator, call, _character, _side_by_side, _unfinished, _sign,
)  # fmt: skip
"""Each gives what is wrong, or None; the first one that knows has the word."""


def fault_of(message: str, at: int, code: str, more: str) -> Fault:
    """The fault behind libjq's `message`, which stands at the offset `at` of `code`; `more` is the rest of what it
    said."""
    if (found := undefined(message, at, code)) is not None:
        return found
    if message.startswith("Invalid"):
        return _escape(at, code)
    for find in _FINDERS:
        if (found := find(message, at, code)) is not None:
            return found
    if "Possibly unterminated 'if'" in more:
        return said("the `if` has no `end`", _IF_HINT, at)
    sign = re.match(r"\w+|\S{1,2}", code[at:])
    hint = "look at what stands before it: an operator, a bracket or a quote may be missing, or one too many"
    return said(f"`{sign[0]}` cannot stand here" if sign else "it is not complete", hint, at)

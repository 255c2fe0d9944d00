"""What of other languages people write in JQ: JSONPath, `&&`, `? :`, `length()`, and the `{{ }}` of our own spans.

Each function is given libjq's message, the offset where it stumbled, and the code, and says what is wrong, or None.
"""

from __future__ import annotations

import re

from portsync.jq.fault import Fault
from portsync.jq.names import arguments_of, no_function

_OPERATORS = {
    "!==": "write `!=`",
    "===": "write `==`",
    "&&": "write `and`",
    "||": "write `or`",
    "??": "write `//`, which takes what is on its right for null and false",
    "<>": "write `!=`",
    "=~": 'write  .field | test("pattern")',
    "~=": 'write  .field | test("pattern")',
    "=>": "write `>=`",
    "=<": "write `<=`",
    "->": "write `|` to pass a value on",
    "**": "write  pow(.base; .exponent)",
    "++": "texts are joined by one `+`",
    "--": "write one `-`",
    "&": "write `and`",
    "^": "write  pow(.base; .exponent)",
    "~": "remove it",
}
"""Operators of other languages, the long ones first, each with what to write."""
_FIELD_CALLED = re.compile(r"(?P<before>[\w.\[\]?]*)\.(?P<name>[A-Za-z_]\w*)\s*\Z")
_NEGATED = re.compile(r"!\s*([.$]?[\w.]+)")
_NAME_BEFORE = re.compile(r"([A-Za-z_]\w*)\s*\Z")


def said(message: str, hint: str | None, at: int) -> Fault:
    """A fault of the syntax."""
    return Fault("jq-syntax", message, hint, at)


def is_end(message: str) -> bool:
    """Whether libjq stumbled over the end of the expression."""
    return "unexpected end of file" in message


def jsonpath(message: str, at: int, code: str) -> Fault | None:
    """`$.data`, `.data[*]` and `.items[?(@.x)]`."""
    if code[at - 1 : at + 1] == "$." and "unexpected FIELD" in message:
        field = re.match(r"\.\w+", code[at:])
        return said("`$.` is JSONPath, not JQ", f"write  {field[0] if field else '.'}", at - 1)
    if "unexpected '*'" in message and code[at - 1 : at] in ("[", "."):
        return said("`*` for all elements is JSONPath, not JQ", "write  .items[]", at)
    if "unexpected '?'" in message and code[at - 1 : at] == "[":
        return said("`[?` is JSONPath, not JQ", "write  .items[] | select(.field)", at)
    if "unexpected '/'" in message and not code[:at].strip():
        return said("a path with slashes is no expression", "write  .data.items", at)
    return None


def span(message: str, at: int, code: str) -> Fault | None:
    if "unexpected '{'" in message and code[at - 1 : at + 1] == "{{":
        inner = code[at + 1 :].partition("}}")[0].strip()
        shown = f"write  {inner}" if inner and "\n" not in inner else "remove them"
        return said("here the whole text is an expression, without {{ }}", shown, at - 1)
    return None


def ternary(_: str, at: int, code: str) -> Fault | None:
    """`.a ? "x" : "y"`; libjq stumbles over what stands behind the question mark."""
    before = code[:at].rstrip()
    if before.endswith("?") and not before.endswith("??") and ":" in code[at:]:
        return said("JQ has no `? :`", "write  if .condition then .this else .that end", len(before) - 1)
    return None


def operator(message: str, at: int, code: str) -> Fault | None:
    """An operator of another language, of which libjq takes the first character or none."""
    if is_end(message):
        return None
    before = code[:at].rstrip()
    if before.endswith("??"):
        return said("`??` is no operator of JQ", _OPERATORS["??"], len(before) - 2)
    if code[at : at + 1] == "!" and code[at + 1 : at + 2] != "=":
        negated = _NEGATED.match(code, at)
        return said("`!` is no operator of JQ", f"write  ({negated[1] if negated else '.field'} | not)", at)
    for sign, hint in _OPERATORS.items():
        for start in range(max(0, at - len(sign) + 1), at + 1):
            if code.startswith(sign, start):
                return said(f"`{sign}` is no operator of JQ", hint, start)
    return None


def call(message: str, at: int, code: str) -> Fault | None:
    """`length()`, and `.a.length()`."""
    before = code[:at].rstrip()
    if "unexpected ')'" in message and before.endswith("("):
        name = _NAME_BEFORE.search(before[:-1])
        called = name[1] if name else ""
        if name and (numbers := arguments_of(called)) and numbers[0] > 0:
            message = f"`{called}` takes {numbers[0]} argument{'' if numbers[0] == 1 else 's'}, and has none here"
            return said(message, f"write  {called}({'; '.join(['...'] * numbers[0])})", name.start(1))
        if called and not arguments_of(called):
            return no_function(called, 0, name.start(1) if name else at, code, is_called=True)
        if called:
            return said(
                f"`{called}()`: a function without arguments has no brackets",
                f"write  {called}",
                name.start(1) if name else at,
            )
        return said("there is nothing between the brackets", "write an expression between them, or remove them", at)
    if "unexpected '('" in message and (field := _FIELD_CALLED.search(before)) is not None:
        name_of = field["name"]
        hint = f"functions stand behind a `|`: {field['before'].strip() or '.'} | {name_of}"
        return said(f"`.{name_of}` is a field, and cannot be called", hint, field.start("name") - 1)
    return None

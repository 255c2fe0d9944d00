"""Names that an expression uses and nobody defined: what was probably meant."""

from __future__ import annotations

import difflib
import re
from functools import cache

import jq

from portsync.jq.fault import Fault
from portsync.jq.fence import REFUSED, VARIABLES

_FUNCTION = re.compile(r"(\S+)/(\d+) is not defined")
_VARIABLE = re.compile(r"\$(\S+) is not defined")
_BOUND = re.compile(r"\bas\b[^|]*?(?=\|)|\bdef\b[^:]*", re.DOTALL)
_NAME_OF_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")
_PATH = re.compile(r"\w+(?:\.\w+)*")
_WORDS = re.compile(r"\w[\w .:/-]*")
_DASHED = re.compile(r"[\w.\"\[\]]*?(?P<field>[A-Za-z_]\w*(?:-[A-Za-z_]\w*)*)-\Z")

_MANUAL = "its functions are listed at https://jqlang.org/manual"
_INSTEAD = {
    "array": "[ ]",
    "average": "add / length",
    "avg": "add / length",
    "capitalize": "(.[0:1] | ascii_upcase) + .[1:]",
    "coalesce": ".first // .second",
    "concat": ".first + .second",
    "count": "length",
    "date_format": 'strftime("%Y-%m-%d")',
    "default": '.field // "default"',
    "exists": 'has("field")',
    "filter": "map(select(.field))",
    "find": "first(.[] | select(.field))",
    "float": "tonumber",
    "format_date": 'strftime("%Y-%m-%d")',
    "ifnull": '.field // "default"',
    "includes": 'contains("text")',
    "indexof": 'index("text")',
    "int": "tonumber | floor",
    "isempty": "length == 0",
    "isnull": ". == null",
    "json_decode": "fromjson",
    "json_encode": "tojson",
    "json_parse": "fromjson",
    "jsonparse": "fromjson",
    "len": "length",
    "lower": "ascii_downcase",
    "lowercase": "ascii_downcase",
    "number": "tonumber",
    "nvl": '.field // "default"',
    "parse_json": "fromjson",
    "parsejson": "fromjson",
    "replace": 'gsub("old"; "new")',
    "size": "length",
    "slice": ".[0:10]",
    "str": "tostring",
    "string": "tostring",
    "strip": "trim",
    "stringify": "tojson",
    "substr": ".[0:10]",
    "substring": ".[0:10]",
    "sum": "add",
    "today": "now | todate",
    "tolower": "ascii_downcase",
    "tolowercase": "ascii_downcase",
    "toupper": "ascii_upcase",
    "touppercase": "ascii_upcase",
    "typeof": "type",
    "upper": "ascii_upcase",
    "uppercase": "ascii_upcase",
    "uniq": "unique",
    "utcnow": "now",
}
"""What JQ has for functions that other languages have, in lower case."""
_CONSTANTS = {"true": "true", "false": "false", "none": "null", "nil": "null", "undefined": "null"}
"""How other languages spell, in whatever case, what JQ has."""


def undefined(message: str, at: int, code: str) -> Fault | None:
    """The fault behind libjq's words that a function or a variable is not defined; None where it says something
    else."""
    if found := _FUNCTION.match(message):
        return no_function(found[1], int(found[2]), at, code)
    if found := _VARIABLE.match(message):
        return _variable(found[1], at, code)
    return None


def no_function(name: str, arguments: int, at: int, code: str, *, is_called: bool = False) -> Fault:
    """The fault of calling `name`, which JQ does not have, or not with so many arguments. `is_called` says that it
    cannot be meant as a text or field."""
    if numbers := arguments_of(name):
        return _other_arguments(name, arguments, numbers, at, code)
    if code[at - 1 : at] == "-" and (dashed := _DASHED.search(code[:at])):
        message = f"`-` subtracts in JQ, and there is no function `{name}`"
        return _fault(message, f'for the field with the dash write .["{dashed["field"]}-{name}"]', at)
    message = f"there is no function `{name}`"
    is_called = is_called or arguments > 0 or code[:at].rstrip().endswith("|")
    instead = _CONSTANTS.get(name.lower()) or (_INSTEAD.get(name.lower()) if is_called else None)
    if instead is not None:
        return _fault(message, f"write  {instead}", at)
    guess = near(name, sorted({other for other, _ in _builtins()} - REFUSED))
    if is_called:
        return _fault(message, f"did you mean `{guess}`?" if guess else f"{_MANUAL}; for the field, .{name}", at)
    meant = f"did you mean `{guess}`? " if guess else ""
    path = _PATH.match(code, at)
    field = path[0] if path else name
    if at == 0 and _WORDS.fullmatch(code):
        quoted = f"""for the text write '"{code}"', with both pairs of quotes"""
        return _fault(message, f"{meant}{quoted}; for the field, .{field}", at)
    return _fault(message, f'{meant}for the text write "{field}" in double quotes; for the field, .{field}', at)


def _other_arguments(name: str, given: int, numbers: list[int], at: int, code: str) -> Fault:
    takes = " or ".join(map(str, numbers))
    message = f"`{name}` takes {takes} argument{'' if numbers[-1] == 1 else 's'}, and has {given or 'none'} here"
    if name == "not":
        negated = re.match(r"not\s*\(\s*([.$\w]+)\s*\)", code[at:])
        return _fault(
            "`not` stands behind what it negates", f"write  ({negated[1] if negated else '.field'} | not)", at
        )
    if given and numbers == [0]:
        return _fault(message, f"what it works on stands before it: .field | {name}", at)
    if given < numbers[0] and given:
        return _fault(message, "arguments are separated by `;`, not by a comma", at)
    most = numbers[-1]
    shown = "; ".join(["..."] * most)
    return _fault(message, f"write  {name}({shown})" if most else f"write  {name}", at)


def _variable(name: str, at: int, code: str) -> Fault:
    own = {found for bound in _BOUND.findall(code[:at]) for found in _NAME_OF_VARIABLE.findall(bound)}
    known = [*VARIABLES, "ENV", *sorted(own)]
    guess = near(name, known)
    listing = f"there are {', '.join(f'${one}' for one in known if one != 'ENV')}, and what `as $name |` binds"
    return _fault(f"the variable `${name}` is not defined", f"did you mean `${guess}`?" if guess else listing, at)


def arguments_of(name: str) -> list[int]:
    """How many arguments JQ's function `name` takes, where there is one: `[1, 2]` for `split`."""
    return sorted(number for other, number in _builtins() if other == name)


def near(given: str, names: list[str]) -> str | None:
    """The one of `names` that `given` was probably meant to be."""
    plain = {name.replace("_", "").lower(): name for name in names}
    found = difflib.get_close_matches(given.replace("_", "").lower(), plain, n=1, cutoff=0.8)
    return plain[found[0]] if found else None


@cache
def _builtins() -> frozenset[tuple[str, int]]:
    """What libjq defines: names and numbers of arguments."""
    listed = jq.compile("builtins").input_value(None).first()
    return frozenset((name, int(number)) for name, _, number in (text.rpartition("/") for text in listed))


def _fault(message: str, hint: str, at: int) -> Fault:
    return Fault("jq-syntax", message, hint, at)

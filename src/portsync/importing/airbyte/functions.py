"""The macros, methods and filters of a manifest's Jinja as JQ (Airbyte's reference of the low-code YAML)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from portsync.importing.airbyte.expression import Term, root_and_path, term_of
from portsync.importing.airbyte.scope import UnsayableError
from portsync.importing.durations import seconds_of
from portsync.importing.names import quoted

if TYPE_CHECKING:
    from portsync.importing.airbyte.scope import Scope

_ISO = "%Y-%m-%dT%H:%M:%SZ"
_METHODS = {"lower": "ascii_downcase", "upper": "ascii_upcase", "strip": "trim", "keys": "keys_unsorted"}
_FILTERS = {
    "string": "tostring",
    "int": "tonumber | trunc",
    "float": "tonumber",
    "length": "length",
    "count": "length",
    "lower": "ascii_downcase",
    "upper": "ascii_upcase",
    "first": "first",
    "last": "last",
    "tojson": "tojson",
    "base64encode": "@base64",
    "base64decode": "@base64d",
    "urlencode": "@uri",
    "list": ".",
    "trim": "trim",
    "abs": "fabs",
    "unique": "unique",
    "sort": "sort",
    "sum": "add",
    "max": "max",
    "min": "min",
}


def call(node: nodes.Call, scope: Scope) -> Term:
    """`now_utc()`, `x.get('y')` and the like. Raises UnsayableError."""
    arguments = [term_of(argument, scope) for argument in node.args]
    named = {pair.key: term_of(pair.value, scope) for pair in node.kwargs}
    match node.node:
        case nodes.Name(name=name):
            return _macro(str(name), arguments, named)
        case nodes.Getattr(attr="get"):
            return _got(node, arguments, scope)
        case nodes.Getattr(attr=method):
            return _method(str(method), term_of(node.node.node, scope), arguments)
        case _:
            raise UnsayableError("a call of this form has no counterpart")


def _macro(name: str, arguments: list[Term], named: dict[str, Term]) -> Term:
    match name, arguments:
        case "now_utc", []:
            return Term("time", "now")
        case "today_utc", []:
            return Term("value", '(now | strftime("%Y-%m-%d"))')
        case "duration", [Term(kind="constant", value=str() as text)]:
            if (seconds := seconds_of(text)) is None:
                raise UnsayableError("a duration of months or years has no fixed length")
            return Term("value", f"{seconds:g}")
        case "day_delta", [days, *others]:
            form = (others[0] if others else None) or named.get("format") or Term.constant(_ISO)
            return _formatted(Term("time", _days_from_now(days)), form)
        case "format_datetime", [Term(kind="time") as time, form]:
            return _formatted(time, form)
        case "timestamp", [Term(kind="time") as time]:
            return Term("value", f"({time.code} | floor)")
        case "max" | "min", [_, _, *_]:
            return Term("value", f"([{', '.join(argument.jq() for argument in arguments)}] | {name})")
        case _:
            raise UnsayableError(f"`{name}(...)` has no counterpart")


def _days_from_now(days: Term) -> str:
    if days.kind == "constant" and isinstance(days.value, int):
        return f"(now {'-' if days.value < 0 else '+'} 86400 * {abs(days.value)})"
    return f"(now + 86400 * ({days.jq()}))"


def _got(node: nodes.Call, arguments: list[Term], scope: Scope) -> Term:
    """`x.get('y')`, and `x.get('y', default)`."""
    target: Any = node.node
    if not 1 <= len(arguments) <= 2:  # noqa: PLR2004 - a key and a default
        raise UnsayableError("`get` takes a key, and a default")
    inner = nodes.Getitem(target.node, node.args[0], "load")
    found = term_of(inner, scope)
    if len(arguments) == 1 or (arguments[1].value is None and arguments[1].kind == "constant"):
        return found
    default = arguments[1]
    if found.kind == "setting" and default.kind == "constant":
        chain = root_and_path(inner, scope)
        assert chain is not None, "a setting is a chain of names"
        return Term("setting", scope.setting(chain[1], str(default.value)))
    return Term("value", f"({found.jq()} // {default.jq()})")


def _method(name: str, target: Term, arguments: list[Term]) -> Term:
    match name, arguments:
        case "strftime", [form]:
            return _formatted(target, form)
        case "timestamp", [] if target.kind == "time":
            return Term("value", target.code)
        case "isoformat", [] if target.kind == "time":
            return _formatted(target, Term.constant("%Y-%m-%dT%H:%M:%S+00:00"))
        case (("split" | "startswith" | "endswith" | "join"), [argument]):
            if name == "join":
                target, argument = argument, target
            return Term("boolean" if "with" in name else "value", f"({target.jq()} | {name}({argument.jq()}))")
        case "replace", [old, new]:
            return Term("value", f"({target.jq()} | split({old.jq()}) | join({new.jq()}))")
        case (("lower" | "upper" | "strip" | "keys"), []):
            return Term("value", f"({target.jq()} | {_METHODS[name]})")
        case _:
            raise UnsayableError(f"the method `{name}` has no counterpart")


def _formatted(time: Term, form: Term) -> Term:
    if time.kind != "time" or form.kind != "constant" or not isinstance(form.value, str):
        raise UnsayableError("only moments that are counted from now can be formatted")
    # JQ has no fractions of a second.
    text = form.value.replace("%f", "000000").replace("%_ms", "000").replace("%z", "+0000")
    if text in ("%s", "%ms"):
        return Term("value", f"({time.code} | floor{' * 1000' if text == '%ms' else ''} | tostring)")
    return Term("value", f"({time.code} | strftime({quoted(text)}))")


def filtered(node: nodes.Filter, scope: Scope) -> Term:
    """`x | length` and the like. Raises UnsayableError."""
    if node.node is None:
        raise UnsayableError("a filter of a block has no counterpart")
    target = term_of(node.node, scope)
    arguments = [term_of(argument, scope) for argument in node.args]
    match node.name, arguments:
        case "default" | "d", [Term(kind="constant") as default, *_] if target.kind == "setting":
            chain = root_and_path(node.node, scope)
            assert chain is not None, "a setting is a chain of names"
            return Term("setting", scope.setting(chain[1], str(default.value)))
        case "default" | "d", [default, *_]:
            return Term("value", f"({target.jq()} // {default.jq()})")
        case "join", [] | [_]:
            separator = arguments[0].jq() if arguments else '""'
            return Term("value", f"({target.jq()} | map(tostring) | join({separator}))")
        case "replace", [old, new]:
            return Term("value", f"({target.jq()} | split({old.jq()}) | join({new.jq()}))")
        case (("string" | "int"), []) if target.kind == "setting":
            return target
        case name, [] if name in _FILTERS:
            return Term("value", f"({target.jq()} | {_FILTERS[name]})")
        case name, _:
            raise UnsayableError(f"the filter `{name}` has no counterpart")

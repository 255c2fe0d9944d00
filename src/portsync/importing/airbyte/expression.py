"""One expression of Jinja as JQ."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from jinja2 import nodes

from portsync.importing.airbyte.scope import UnsayableError
from portsync.importing.names import quoted
from portsync.jq.scan import scan

if TYPE_CHECKING:
    from portsync.importing.airbyte.scope import Scope

Kind = Literal["constant", "setting", "boolean", "time", "value"]
_EMPTY = '[], {}, "", null, false, 0'
_COMPARISONS = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<="}
_OPERATORS: dict[type[nodes.BinExpr], str] = {
    nodes.Add: "+",
    nodes.Sub: "-",
    nodes.Mul: "*",
    nodes.Div: "/",
    nodes.Mod: "%",
}
_SLICES = frozenset({"stream_slice", "stream_partition", "stream_interval"})


@dataclass(frozen=True, slots=True)
class Term:
    """What an expression becomes."""

    kind: Kind
    code: str = ""
    """JQ; of a setting, the reference to its variable."""
    value: Any = None
    """Of a constant."""

    @classmethod
    def constant(cls, value: Any) -> Term:
        return cls("constant", value=value)

    def jq(self) -> str:
        """The JQ that gives its value."""
        match self.kind:
            case "constant":
                return _constant(self.value)
            case "setting":
                return f'"{self.code}"'
            case _:
                return self.code

    def truth(self) -> str:
        """The JQ that tells whether it counts as true in Jinja."""
        if self.kind == "constant":
            return json.dumps(bool(self.value))
        return self.code if self.kind == "boolean" else f"({self.jq()} | IN({_EMPTY}) | not)"

    def falsehood(self) -> str:
        """The JQ that tells whether it counts as false in Jinja."""
        if self.kind == "constant":
            return json.dumps(not self.value)
        return f"({self.code} | not)" if self.kind == "boolean" else f"({self.jq()} | IN({_EMPTY}))"


def _constant(value: Any) -> str:
    match value:
        case str():
            return quoted(value)
        case None | bool() | int() | float():
            return json.dumps(value)
        case list() | tuple():
            return f"[{', '.join(_constant(item) for item in value)}]"
        case dict():
            return f"{{{', '.join(f'{_constant(str(k))}: {_constant(v)}' for k, v in value.items())}}}"
        case _:
            raise UnsayableError(f"a constant of the type {type(value).__name__}")


def term_of(node: nodes.Node, scope: Scope) -> Term:
    """The term for an expression. Raises UnsayableError for what has no counterpart."""
    match node:
        case nodes.Const():
            return Term.constant(node.value)
        case nodes.TemplateData():
            return Term.constant(node.data)
        case nodes.Name() | nodes.Getattr() | nodes.Getitem():
            return _member(node, scope)
        case nodes.Call() | nodes.Filter():
            from portsync.importing.airbyte.functions import call, filtered  # noqa: PLC0415 - the two need each other

            return call(node, scope) if isinstance(node, nodes.Call) else filtered(node, scope)
        case nodes.List() | nodes.Tuple():
            return _list([term_of(item, scope) for item in node.items])
        case nodes.Dict():
            return _mapping(node, scope)
        case nodes.Expr():
            return _calculated(node, scope)
        case _:
            raise UnsayableError(f"`{type(node).__name__}` has no counterpart")


def _calculated(node: nodes.Expr, scope: Scope) -> Term:
    """The term for what has an operator."""
    match node:
        case nodes.Not():
            return Term("boolean", term_of(node.node, scope).falsehood())
        case nodes.Neg(node=nodes.Const(value=int() | float() as number)):
            return Term.constant(-number)
        case nodes.Neg():
            return Term("value", f"(-{term_of(node.node, scope).jq()})")
        case nodes.And() | nodes.Or():
            return _either(node, scope)
        case nodes.Compare():
            return _comparison(node, scope)
        case nodes.CondExpr():
            return _conditional(node, scope)
        case nodes.Test():
            return _test(node, scope)
        case nodes.Concat():
            return Term("value", f"({' + '.join(f'({term_of(n, scope).jq()} | tostring)' for n in node.nodes)})")
        case nodes.BinExpr() if type(node) in _OPERATORS:
            return _arithmetic(node, scope)
        case _:
            raise UnsayableError(f"`{type(node).__name__}` has no counterpart")


def _conditional(node: nodes.CondExpr, scope: Scope) -> Term:
    test, yes = term_of(node.test, scope).truth(), term_of(node.expr1, scope)
    no = Term.constant("") if node.expr2 is None else term_of(node.expr2, scope)
    return Term("value", f"(if {test} then {yes.jq()} else {no.jq()} end)")


def root_and_path(node: nodes.Node, scope: Scope) -> tuple[str, tuple[str | int, ...]] | None:
    """The name and the keys of `config['a'].b`; None where it is no such chain."""
    path: list[str | int] = []
    while True:
        if (inner := _asked_for(node)) is not None:
            node = inner
        if not isinstance(node, nodes.Getattr | nodes.Getitem):
            break
        if isinstance(node, nodes.Getattr):
            path.append(node.attr)
        else:
            key = term_of(node.arg, scope)
            if key.kind != "constant" or isinstance(key.value, bool) or not isinstance(key.value, str | int):
                return None
            path.append(key.value)
        node = node.node
    return (node.name, tuple(reversed(path))) if isinstance(node, nodes.Name) else None


def _asked_for(node: nodes.Node) -> nodes.Getitem | None:
    """`x.get('a')` as `x['a']`, where its default is nothing, or empty: below it there is nothing either way."""
    match node:
        case nodes.Call(node=nodes.Getattr(attr="get") as target, args=[key]):
            return nodes.Getitem(target.node, key, "load")
        case nodes.Call(node=nodes.Getattr(attr="get") as target, args=[key, default]) if _is_empty(default):
            return nodes.Getitem(target.node, key, "load")
        case _:
            return None


def _is_empty(node: nodes.Node) -> bool:
    return (isinstance(node, nodes.Dict | nodes.List) and not node.items) or (
        isinstance(node, nodes.Const) and node.value is None
    )


def _mapping(node: nodes.Dict, scope: Scope) -> Term:
    pairs = [(term_of(pair.key, scope), term_of(pair.value, scope)) for pair in node.items]
    if not all(key.kind == value.kind == "constant" for key, value in pairs):
        raise UnsayableError("a mapping that is calculated has no counterpart")
    return Term.constant({str(key.value): value.value for key, value in pairs})


def _member(node: nodes.Node, scope: Scope) -> Term:
    found = root_and_path(node, scope)
    if found is None:
        return _inside(node, scope)
    root, path = found
    if root == "parameters" and path:
        return Term.constant(scope.parameter(path))
    if root == "config" and path:
        return Term("setting", scope.setting(path))
    if root in _SLICES and path:
        return Term("value", scope.slice_field(path))
    code = scope.member(root, path)
    if code is None:
        raise UnsayableError(f"`{'.'.join(map(str, (root, *path)))}` has no counterpart here")
    return Term("value", code)


def _inside(node: nodes.Node, scope: Scope) -> Term:
    """A key of something that is not a chain of names, such as `(a or b).c` and `x[y]`."""
    if isinstance(node, nodes.Getattr):
        key = json.dumps(node.attr)
    elif isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Slice):
        key = term_of(node.arg, scope).jq()
    else:
        raise UnsayableError("a slice has no counterpart")
    return Term("value", f"({term_of(node.node, scope).jq()} | .[{key}]?)")


def _either(node: nodes.BinExpr, scope: Scope) -> Term:
    """`a or b` and `a and b`, which give one of the two."""
    is_or = isinstance(node, nodes.Or)
    left, right = term_of(node.left, scope), term_of(node.right, scope)
    if is_or and left.kind == "setting" and right.kind == "constant" and isinstance(right.value, str | int):
        chain = root_and_path(node.left, scope)
        return left if chain is None else Term("setting", scope.setting(chain[1], str(right.value)))
    if left.kind == right.kind == "boolean":
        return Term("boolean", f"({left.code} {'or' if is_or else 'and'} {right.code})")
    first, second = (left.jq(), right.jq()) if is_or else (right.jq(), left.jq())
    return Term("value", f"(if {left.truth()} then {first} else {second} end)")


def _comparison(node: nodes.Compare, scope: Scope) -> Term:
    left = term_of(node.expr, scope)
    if len(node.ops) != 1:
        raise UnsayableError("a chain of comparisons has no counterpart")
    right = term_of(node.ops[0].expr, scope)
    operator = node.ops[0].op
    if operator in _COMPARISONS:
        return Term("boolean", f"({left.jq()} {_COMPARISONS[operator]} {right.jq()})")
    holds = (
        f"({left.jq()} as $x | {right.jq()} | "
        'if type == "array" then any(.[]; . == $x) elif type == "object" then has($x) '
        'elif type == "string" then contains($x) else false end)'
    )
    return Term("boolean", holds if operator == "in" else f"({holds} | not)")


def _test(node: nodes.Test, scope: Scope) -> Term:
    code = term_of(node.node, scope).jq()
    match node.name:
        case "defined":
            return Term("boolean", f"({code} != null)")
        case "undefined" | "none":
            return Term("boolean", f"({code} == null)")
        case "string" | "number" | "mapping" | "boolean":
            name = {"mapping": "object"}.get(node.name, node.name)
            return Term("boolean", f"({code} | type == {json.dumps(name)})")
        case other:
            raise UnsayableError(f"the test `is {other}` has no counterpart")


def _arithmetic(node: nodes.BinExpr, scope: Scope) -> Term:
    left, right = term_of(node.left, scope), term_of(node.right, scope)
    code = f"({left.jq()} {_OPERATORS[type(node)]} {right.jq()})"
    return Term("time" if left.kind == "time" and right.kind != "time" else "value", code)


def _list(items: list[Term]) -> Term:
    if all(item.kind == "constant" for item in items):
        return Term.constant([item.value for item in items])
    return Term("value", f"[{', '.join(item.jq() for item in items)}]")


def bare(code: str) -> str:
    """`code` without parentheses around the whole of it."""
    while code.startswith("(") and _closing(code) == len(code) - 1:
        code = code[1:-1]
    return code


def _closing(code: str) -> int:
    """Where the parenthesis that opens `code` is closed."""
    depth = 0
    for token in scan(code):
        if token.kind == "other" and token.text in ("(", ")"):
            depth += 1 if token.text == "(" else -1
            if depth == 0:
                return token.start
    return -1

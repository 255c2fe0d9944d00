"""The Jinja texts of a manifest as texts with `{{ jq }}` spans, or as JQ.

Which names and functions there are says Airbyte's reference of the low-code YAML (interpolation context, macros).
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, TemplateSyntaxError, nodes

from portsync.importing.airbyte.expression import Term, bare, term_of
from portsync.importing.airbyte.scope import UnsayableError
from portsync.importing.names import literal, quoted

if TYPE_CHECKING:
    from portsync.importing.airbyte.scope import Scope


def as_text(text: str, scope: Scope, *, interpolated: bool = True) -> str:
    """`text` for a place where a mapping takes texts with spans. Raises UnsayableError.

    Where nothing is interpolated, as in `kind`, a setting has no place either.
    """
    parts: list[str] = []
    for part in _parts(text):
        if isinstance(part, nodes.TemplateData):
            parts.append(literal(part.data, interpolated=interpolated))
            continue
        term = term_of(part, scope)
        if term.kind == "constant":
            parts.append(literal(_shown(term.value), interpolated=interpolated))
        elif term.kind == "setting":
            if not interpolated:
                raise UnsayableError("a setting of the user has no place here")
            parts.append(term.code)
        else:
            parts.append(_span(term))
    return "".join(parts)


def as_value(value: Any, scope: Scope) -> Any:
    """`value` with all texts in it as texts with spans; a constant keeps its type. Raises UnsayableError."""
    match value:
        case dict():
            return {as_text(key, scope): as_value(item, scope) for key, item in value.items()}
        case list():
            return [as_value(item, scope) for item in value]
        case str():
            parts = _parts(value)
            term = term_of(parts[0], scope) if len(parts) == 1 and not _is_data(parts[0]) else None
            return term.value if term is not None and _is_plain(term) else as_text(value, scope)
        case _:
            return value


def as_jq(text: Any, scope: Scope) -> str:
    """`text` as one JQ expression. Raises UnsayableError."""
    if not isinstance(text, str):
        return json.dumps(text)
    terms = [
        Term.constant(part.data) if isinstance(part, nodes.TemplateData) else term_of(part, scope)
        for part in _parts(text)
    ]
    if not terms:
        return '""'
    if len(terms) == 1:
        return bare(terms[0].jq())
    return " + ".join(quoted(str(t.value)) if t.kind == "constant" else f"({t.jq()} | tostring)" for t in terms)


def as_condition(text: Any, scope: Scope) -> str:
    """`text` as JQ that gives true or false: what Jinja makes of it as a condition. Raises UnsayableError."""
    if not isinstance(text, str):
        return json.dumps(bool(text))
    parts = _parts(text.strip())
    if len(parts) == 1 and not _is_data(parts[0]):
        return bare(term_of(parts[0], scope).truth())
    if len(parts) == 1 and parts[0].data.strip().lower() in ("true", "false"):
        return str(parts[0].data.strip().lower())
    raise UnsayableError("a condition has to be one expression")


def is_only(text: Any, name: str) -> bool:
    """Whether `text` is one expression, and that is a part of `name`."""
    if not isinstance(text, str) or name not in text:
        return False
    try:
        parts = _parts(text.strip())
    except UnsayableError:
        return False
    if len(parts) != 1 or _is_data(parts[0]):
        return False
    node = parts[0]
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        node = node.node
    return isinstance(node, nodes.Name) and node.name == name


def names_in(text: Any) -> set[str]:
    """The names that `text` uses, as far as it can be read."""
    try:
        parts = _parts(text) if isinstance(text, str) else ()
    except UnsayableError:
        return set()
    roots = (node for part in parts for node in [part, *part.find_all(nodes.Name)])
    return {node.name for node in roots if isinstance(node, nodes.Name)}


def _is_data(part: nodes.Node) -> bool:
    return isinstance(part, nodes.TemplateData)


def _is_plain(term: Term) -> bool:
    return term.kind == "constant" and not isinstance(term.value, str)


@lru_cache(maxsize=256)
def _parts(text: str) -> tuple[Any, ...]:
    """The texts and expressions of a template, in their order. Raises UnsayableError."""
    try:
        template = Environment(keep_trailing_newline=True, autoescape=True).parse(text)
    except TemplateSyntaxError as error:
        raise UnsayableError(f"it is no Jinja: {error.message}") from error
    except RecursionError as error:
        raise UnsayableError("it nests too deeply") from error
    parts: list[Any] = []
    for statement in template.body:
        if not isinstance(statement, nodes.Output):
            raise UnsayableError("statements between {% and %} have no counterpart")
        parts += statement.nodes
    return tuple(parts)


def _span(term: Term) -> str:
    code = bare(term.jq())
    if "}}" in code:
        raise UnsayableError("a constant with `}}` in it would end the span")
    return f"{{{{ {code} }}}}"


def _shown(value: Any) -> str:
    """A constant as Jinja writes it."""
    return value if isinstance(value, str) else str(value)

"""What every program over a page begins with: its variables, its records, and its facts for the paginator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import orjson

from portsync.jq.compile import normalised
from portsync.jq.fence import prelude
from portsync.jq.outputs import first_output
from portsync.jq.variables import NO_VARIABLES, Variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NOT_ONE_VALUE = "the body is not exactly one JSON value"
"""What the programs say of a body such as `{} {}`."""


TEXT = 'if type == "string" then . else tojson end | .[0:500]'


def program_head(now: float) -> str:
    """Takes `[variables, body]` apart and binds the variables; a body that is not one JSON value is an error.

    `$context` is not among them: it is the same for all pages, so the worker binds it once.
    """
    bindings = "".join(f".[0].{name} as ${name} | " for name in _PER_PAGE)
    return f'{prelude(now)}if length == 2 then . else error("{NOT_ONE_VALUE}") end | {bindings}.[1] | . as $__page | '


_PER_PAGE = ("params", "window", "__extra", "__from", "__to")


def encoded_variables(values: Variables = NO_VARIABLES, first: int = 0, end: int | None = None) -> bytes:
    """What a program is given beside the page: the variables, and the range of records that it is to map."""
    extra = {f"__{name}": value for name, value in values.params.items()}
    page = (values.params, values.window, extra, first, end)
    return orjson.dumps(dict(zip(_PER_PAGE, page, strict=True)))


_EACH = "range([$__from, 0] | max; [$__to // infinite, ($__records | length)] | min) as $__i | $__records[$__i]"
_ENRICHED = 'if type == "object" then . + $__extra else . end'


def each_record(*, is_enriched: bool) -> str:
    """Each record of the run's range: the whole page, unless a record at fault is being looked for. As Ocean has it, an
    enriched one carries `__<name>` beside its own fields, for each path parameter."""
    return f"{_EACH} | {_ENRICHED}" if is_enriched else _EACH


def fast_facts(data_path: str, facts: Mapping[str, str]) -> str:
    """Finds the records of the page, and gives its facts; fails where any of these expressions does."""
    return f"null as $__error | [{_grouped(data_path)}] as $__outputs | {_facts(facts, first_output)}"


def guarded_facts(data_path: str, facts: Mapping[str, str]) -> str:
    """The same, but what fails is told in the facts."""
    return (
        f"(try [{_grouped(data_path)}] catch {{error: {TEXT}}}) as $__read | "
        f'(if ($__read | type) == "object" then $__read.error else null end) as $__error | '
        f"(if $__error then [] else $__read end) as $__outputs | {_facts(facts, _first_or_null)}"
    )


def _facts(facts: Mapping[str, str], wrap: Callable[[str], str]) -> str:
    values = ", ".join(f"{json.dumps(name)}: ($__page | {wrap(text)})" for name, text in facts.items())
    return (
        "($__outputs == [null]) as $__missing | (if $__missing then [] else $__outputs | "
        # One array is taken as it is; of several outputs, each array gives its elements.
        'if length == 1 and (.[0] | type) == "array" then .[0] else [.[] | if type == "array" then .[] else . end] end '
        "end) as $__records | "
        "({records: ($__records | length), missing: $__missing, error: $__error, "
        "edges: ($__records | [.[0], (if length > 1 then .[-1] else empty end)] | tojson), "
        f"values: {{{values}}}}} | tojson)"
    )


def _grouped(text: str) -> str:
    return f"({normalised(text)}\n\n)"


def tried(text: str) -> str:
    """`[first output]`, or `{error: message}`."""
    return f"(try [{first_output(text)}] catch {{error: ({TEXT})}})"


def _first_or_null(text: str) -> str:
    return f"(try {first_output(text)} catch null)"

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


EACH = "range([$__from, 0] | max; [$__to // infinite, ($__records | length)] | min) as $__i | $__records[$__i]"
"""Each record of the run's range; the whole page, unless a record at fault is being looked for."""


ENRICHED = 'if type == "object" then . + $__extra else . end'
"""As Ocean has it: `__<name>` beside the record's own fields, for each path parameter."""


def facts_code(facts: Mapping[str, str], wrap: Callable[[str], str]) -> str:
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


def grouped(text: str) -> str:
    return f"({normalised(text)}\n\n)"


def tried(text: str) -> str:
    """`[first output]`, or `{error: message}`."""
    return f"(try [{first_output(text)}] catch {{error: ({TEXT})}})"


def first_or_null(text: str) -> str:
    return f"(try {first_output(text)} catch null)"

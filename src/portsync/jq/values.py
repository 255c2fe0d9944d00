"""Build the JQ program that takes single values out of a page's records, for path parameters and lookups.

Its outputs, as texts: the page's facts, then for each record `[index, {name: [text of JSON]}]`, where an expression
that fails has `{"error": message}` in place of the list.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portsync.jq.outputs import first_output
from portsync.jq.records import EACH, ENRICHED, TEXT, facts_code, first_or_null, grouped, program_head, tried

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class ValuesProgram:
    """The expressions whose values are wanted, by name, of the records that both conditions let through."""

    data_path: str
    fields: Mapping[str, str]
    query: str = "true"
    """Only records for which it gives true are looked at. Where it gives neither true nor false, or fails, nobody knows
    whether the record belongs to them, which is the error of every field."""
    filter: str = "true"
    """Of these, only those for which it gives true. Where it fails, that is the error of every field."""
    facts: Mapping[str, str] = field(default_factory=dict)
    is_enriched: bool = False

    def code(self, now: float) -> str:
        """The program. `now` is in epoch seconds."""
        fields = ", ".join(
            f"{json.dumps(name)}: (try [{first_output(text)} | tojson] catch {{error: ({TEXT})}})"
            for name, text in self.fields.items()
        )
        failed = ", ".join(f"{json.dumps(name)}: $__kept" for name in self.fields)
        each = f"{EACH} | {ENRICHED}" if self.is_enriched else EACH
        return (
            f"{program_head(now)}"
            f"(try [{grouped(self.data_path)}] catch {{error: {TEXT}}}) as $__read | "
            f'(if ($__read | type) == "object" then $__read.error else null end) as $__error | '
            f"(if $__error then [] else $__read end) as $__outputs | {facts_code(self.facts, first_or_null)}, "
            f"({each} | {tried(self.query)} as $__wanted | if $__wanted == [false] then empty else "
            f'(if ($__wanted | type) == "object" then $__wanted elif $__wanted != [true] then '
            f'{{error: "`query` gave neither true nor false"}} else {tried(self.filter)} end) as $__kept | '
            f"if $__kept == [true] then [$__i, {{{fields}}}] "
            f'elif ($__kept | type) == "object" then [$__i, {{{failed}}}] else empty end | tojson end)'
        )

    def texts(self) -> Iterator[str]:
        """All its expressions."""
        yield from (self.data_path, self.query, self.filter, *self.fields.values(), *self.facts.values())

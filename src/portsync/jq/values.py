"""Build the JQ program that takes single values out of a page's records, for path parameters and lookups.

Its outputs, as texts: the page's facts, then for each record `[index, {name: [text of JSON]}]`, where an expression
that fails has `{"error": message}` in place of the list.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portsync.jq.outputs import first_output
from portsync.jq.records import TEXT, each_record, guarded_facts, program_head, tried

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
        return (
            f"{program_head(now)}{guarded_facts(self.data_path, self.facts)}, "
            f"({each_record(is_enriched=self.is_enriched)} | "
            f"{tried(self.query)} as $__wanted | if $__wanted == [false] then empty else "
            f'(if ($__wanted | type) == "object" then $__wanted elif $__wanted != [true] then '
            f'{{error: "`query` gave neither true nor false"}} else {tried(self.filter)} end) as $__kept | '
            f"if $__kept == [true] then [$__i, {{{fields}}}] "
            f'elif ($__kept | type) == "object" then [$__i, {{{failed}}}] else empty end | tojson end)'
        )

    def texts(self) -> Iterator[str]:
        """All its expressions."""
        yield from (self.data_path, self.query, self.filter, *self.fields.values(), *self.facts.values())

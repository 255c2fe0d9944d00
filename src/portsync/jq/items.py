"""Ocean's itemsToParse: one record that holds several things becomes one record for each of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from portsync.jq.compile import normalised
from portsync.jq.outputs import first_output

_SIMPLE_PATH = re.compile(r"(?<![\w\])\"])\.[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


@dataclass(frozen=True, slots=True)
class Items:
    """Ocean's itemsToParse: the expression gives an array; each element, under `name`, joins the record."""

    expression: str
    name: str = "item"
    without_array: bool = True
    """Whether the array itself leaves the record that its elements join, as Ocean does by default."""

    def joined(self) -> str:
        """The code that turns a record into one for each item."""
        path = _SIMPLE_PATH.search(normalised(self.expression)) if self.without_array else None
        rest = "." if path is None else f"delpaths([{json.dumps(path.group()[1:].split('.'))}])"
        return (
            f'(if type == "object" then . else error("the record is no object") end) as $__record | '
            f"({first_output(self.expression)} | "
            'if type == "array" then . else error("gave " + type + ", not an array") end) '
            f"as $__items | ($__record | {rest}) as $__rest | $__items[] as $__item | "
            f"$__rest + {{{json.dumps(self.name)}: $__item}}"
        )

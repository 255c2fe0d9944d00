"""The naive reader's lookups: made once, for those who need them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.conformance.naive.ending import Gone
from tests.conformance.naive.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conformance.naive.chain import Chains
    from tests.conformance.naive.tools import Kit


class Lookups:
    """What `$context` is."""

    def __init__(self, kit: Kit, chains: Chains) -> None:
        self._kit = kit
        self._chains = chains
        self._known: dict[str, Any] = {}

    def needed_by(self, section: Mapping[str, Any]) -> dict[str, Any]:
        """The lookups that `section` names. Raises Gone, reason `context`, where one of them failed."""
        named = set(re.findall(r"\$context\.(\w+)", json.dumps(section)))
        if self._kit.errs(Fault.FAILED_LOOKUP_ENDS_ALL):
            named = set(self._kit.mapping["context"])
        for name in named:
            if name not in self._known or self._kit.errs(Fault.LOOKUP_FOR_EACH_RESOURCE):
                self._known[name] = self._made(name, self._kit.mapping["context"][name])
        for name in named:
            if isinstance(self._known[name], Gone):
                raise Gone("context", "context", self._known[name].text)
        return {name: self._known[name] for name in named}

    def _made(self, name: str, lookup: Mapping[str, Any]) -> Any:
        """What a lookup gives, or the Gone that it came to."""
        records: list[Any] = []
        try:
            for page in self._chains.pages(lookup["path"], lookup, f"context.{name}", {"params": {}}):
                records += page
                if self._kit.errs(Fault.LOOKUP_READS_ONE_PAGE):
                    break
        except Gone as gone:
            if not self._kit.errs(Fault.FAILED_LOOKUP_IS_EMPTY):
                return gone
        if "index_by" in lookup and not self._kit.errs(Fault.IGNORES_INDEX):
            return {str(self._kit.expressions.first(lookup["index_by"], record)): record for record in records}
        return records[0] if "data_path" not in lookup and len(records) == 1 else records

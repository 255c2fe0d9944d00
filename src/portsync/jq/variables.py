"""What expressions see beside the record: `$params` and `$window` of a chain, and `$context` of the run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portsync.flow import Json

_CONTEXT = re.compile(r"\$context\b(?:\s*\.\s*\"?([A-Za-z_][\w-]*))?")


@dataclass(frozen=True, slots=True)
class Variables:
    """What is the same for all records of a chain, and differs between chains."""

    params: Mapping[str, Json] = field(default_factory=dict)
    """The values of the path parameters, by name."""
    window: Mapping[str, Json] = field(default_factory=dict)
    """`start` and `end`, as the requests write them."""


NO_VARIABLES = Variables()


@dataclass(frozen=True, slots=True)
class Context:
    """What the lookups of a run gave, by name, each as JSON text, so that numbers keep their digits."""

    values: Mapping[str, bytes] = field(default_factory=dict)

    def of(self, texts: Iterable[str]) -> bytes:
        """The part of it that expressions in `texts` can see, as a JSON object: a worker keeps it for as long as it
        lives, so it should be no larger than it has to be."""
        names = lookups_in(texts)
        kept = self.values if names is None else {name: self.values[name] for name in names & self.values.keys()}
        return b"{" + b",".join(orjson.dumps(name) + b":" + value for name, value in sorted(kept.items())) + b"}"


def lookups_in(texts: Iterable[str]) -> set[str] | None:
    """The lookups that expressions in `texts` name, `$context.<name>`; None where they can be any."""
    names = {found[1] for text in texts for found in _CONTEXT.finditer(text)}
    return None if None in names else names

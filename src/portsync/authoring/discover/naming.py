"""Names of blueprints, properties and files, made of the names that a source has."""

from __future__ import annotations

import re
from itertools import chain, count
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from portsync.authoring.discover.places import words_of

if TYPE_CHECKING:
    from collections.abc import Collection

_LONGEST = 100
"""Port takes no longer names of blueprints and properties."""
_VERSION = re.compile(r"(?i)v?\d+(\.\d+)*(alpha|beta)?\d*|api|rest")
_QUESTIONS = frozenset({"search", "query", "list", "find", "filter", "all"})
_PARAMETER = re.compile(r"\{[^{}]*\}")


def singular(word: str) -> str:
    """The singular of an English noun, as far as its ending tells."""
    if len(word) > len("ies") and word.endswith("ies"):
        return f"{word[:-3]}y"
    if re.search(r"(s|x|z|ch|sh)es$", word):
        return word[:-2]
    return word[:-1] if re.search(r"[^siu]s$", word) else word


def is_version(part: str) -> bool:
    """Whether a part of a path only says which version of an API it is."""
    return _VERSION.fullmatch(part) is not None


def segments(kind: str) -> list[str]:
    """The parts of a path that say something: neither versions nor parameters."""
    parts = _PARAMETER.sub("", kind.partition("?")[0]).split("/")
    said = [part for part in parts if words_of(part) and not is_version(part)]
    return said or [part for part in parts if words_of(part)]


def blueprint_name(kind: str, taken: Collection[str], array: str = "") -> str:
    """An identifier for the blueprint of the records at `kind`: the singular of the path's last name, with names before
    it where that is taken. `array` is what the answer calls the records, which counts where the path only asks."""
    parts = segments(kind) or ["record"]
    if words_of(parts[-1])[-1] in _QUESTIONS and words_of(array):
        parts = [*parts[:-1], array]
    names = []
    for size in range(1, len(parts) + 1):
        words = [word for part in parts[-size:] for word in words_of(part)]
        words[-1] = singular(words[-1])
        names.append("_".join(words)[:_LONGEST])
    return unused(names, taken)


def unused(names: list[str], taken: Collection[str]) -> str:
    """The first of `names` that is not taken, or the last of them with a number."""
    numbered = (f"{names[-1][: _LONGEST - 5]}_{number}" for number in count(2))
    return next(name for name in chain(names, numbered) if name not in taken)


def property_name(name: str, taken: Collection[str]) -> str:
    """An identifier for the property of this name: Port takes ASCII letters, digits and `@ _ = -` (its API reference,
    create a blueprint)."""
    plain = re.sub(r"[^A-Za-z0-9@_=-]+", "_", name)[:_LONGEST].strip("_" if name.strip("_") else "") or "field"
    return unused([plain], taken)


def human(name: str) -> str:
    """A name as a title: `created_at` becomes `Created at`."""
    words = " ".join(words_of(name)) or name
    return (words[:1].upper() + words[1:])[:_LONGEST]


def file_name(base_url: str) -> str:
    """A name for the mapping of this source: that of its host, without what all hosts have."""
    host = urlsplit(base_url).hostname or ""
    if re.fullmatch(r"[0-9.:]+|localhost", host):
        return "source"
    parts = [part for part in host.split(".")[:-1] if part not in ("api", "www", "rest")] or host.split(".")
    return re.sub(r"[^a-z0-9-]+", "-", parts[-1].lower()).strip("-") or "source"

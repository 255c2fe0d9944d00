"""Where in an answer the records are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portsync.authoring.discover.places import jq_path, key_of, members
from portsync.authoring.discover.proposal import Confidence, Path, Proposal

if TYPE_CHECKING:
    from portsync.flow import Json

KEY = "__key"
"""The field of a record that holds the name under which it stood, where records are the members of an object."""
VALUE = "value"
"""The field of a record that is no object."""
_USUAL = frozenset(
    """
    data items results result records values entries list content contents hits rows nodes edges elements objects
    resources value entities collection response payload
    """.split()  # noqa: SIM905 - as a list it would fill a page
)
"""Names under which APIs put their records."""
_ASIDE = frozenset({"errors", "warnings", "messages", "links", "included", "facets", "sort", "columns", "fields"})
"""Names of arrays that stand beside the records."""
_ERRORS = frozenset({"error", "errors", "fault"})
_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Found:
    """The records of an answer."""

    at: Path
    """Where the array stands, or the object whose members they are."""
    records: tuple[Json, ...]
    data_path: Proposal[str]


def find_records(body: Json, hint: str = "") -> Found | None:
    """The records in `body`, or None where there is nothing that looks like some. `hint` is what they are probably
    called: the last name of the path that was asked."""
    if isinstance(body, list):
        return _array((), body, Confidence.SURE, "the answer is an array")
    if not isinstance(body, dict) or not body:
        return None
    arrays = [(path, value) for path, value in members(body) if isinstance(value, list)]
    ranked = sorted(arrays, key=lambda found: _rank(found[0], found[1], key_of(hint)))
    if ranked and (ranked[0][1] or len(ranked) == 1 or _is_named(ranked[0][0], key_of(hint))):
        path, records = ranked[0]
        return _array(path, records, *_why(ranked, key_of(hint)))
    return _keyed(body)


def single_record(body: Json) -> Found | None:
    """The answer as one record; None where it says that something went wrong, or says nothing."""
    if not isinstance(body, dict) or not body or not _ERRORS.isdisjoint(key_of(name) for name in body):
        return None
    if not any(isinstance(value, str | int) for value in body.values()):
        return None
    reason = "the answer has no array of objects: it is taken as one record"
    return Found((), (body,), Proposal(".", Confidence.GUESS, reason))


def _rank(path: Path, records: list[Json], hint: str) -> tuple[bool, bool, bool, bool, int, int]:
    """The smaller, the more it looks like the records."""
    name = key_of(path[-1])
    return (
        not any(isinstance(record, dict) for record in records),
        name in _ASIDE and name != hint,
        name != hint,
        name not in _USUAL,
        len(path),
        -len(records),
    )


def _is_named(path: Path, hint: str) -> bool:
    return key_of(path[-1]) in _USUAL or (hint != "" and key_of(path[-1]) == hint)


def _why(ranked: list[tuple[Path, list[Json]]], hint: str) -> tuple[Confidence, str]:
    path, records = ranked[0]
    named = _is_named(path, hint)
    others = [other for other, found in ranked[1:] if any(isinstance(record, dict) for record in found)]
    if not others:
        said = "the only array of objects in the answer" if records else "the only array in the answer, an empty one"
        sure = named and bool(records)
        return Confidence.SURE if sure else Confidence.LIKELY, said
    listed = ", ".join(f"`{jq_path(other)}`" for other in others[:5])
    if hint != "" and key_of(path[-1]) == hint:
        return Confidence.LIKELY, f"named as the path is; other arrays of objects are {listed}"
    if named:
        return Confidence.LIKELY, f"a usual name for records; other arrays of objects are {listed}"
    return Confidence.GUESS, f"the largest of the nearest arrays of objects; others are {listed}"


def _array(path: Path, records: list[Json], confidence: Confidence, reason: str) -> Found | None:
    place = jq_path(path)
    nodes = _nodes(records)
    if nodes is not None:
        reason = f"{reason}, and each of its elements holds a `node`"
        return Found(path, nodes, Proposal(_after(place, "map(.node)"), confidence, reason))
    objects = sum(isinstance(record, dict) for record in records)
    if objects == len(records):
        of_objects = " of objects" if records and not path else ""
        return Found(path, tuple(records), Proposal(place, confidence, f"{reason}{of_objects}"))
    if objects == 0 and all(isinstance(record, str | int) and not isinstance(record, bool) for record in records):
        reason = f"{reason}, of texts or numbers, each of which becomes `.{VALUE}` of a record"
        found = tuple({VALUE: record} for record in records)
        return Found(path, found, Proposal(_after(place, f"map({{{VALUE}: .}})"), Confidence.GUESS, reason))
    if objects == 0:
        return None
    reason = f"{reason}; {len(records) - objects} of its {len(records)} elements are no objects, and left out"
    found = tuple(record for record in records if isinstance(record, dict))
    return Found(path, found, Proposal(_after(place, "map(objects)"), Confidence.GUESS, reason))


def _nodes(records: list[Json]) -> tuple[Json, ...] | None:
    """The records inside of GraphQL's edges."""
    edges = [record for record in records if isinstance(record, dict)]
    if not records or len(edges) < len(records):
        return None
    is_edge = all(isinstance(edge.get("node"), dict) and edge.keys() <= {"node", "cursor"} for edge in edges)
    return tuple(edge["node"] for edge in edges) if is_edge else None


def _after(place: str, code: str) -> str:
    return code if place == "." else f"{place} | {code}"


def _keyed(body: Json) -> Found | None:
    """Records that are the members of an object, each under its name."""
    for path, value in [((), body), *members(body)]:
        if isinstance(value, dict) and _is_table(value):
            reason = f"an object whose {len(value)} members are objects alike; its names become `.{KEY}` of the records"
            found = tuple({**record, KEY: name} for name, record in value.items())
            code = f"to_entries | map(.value + {{{KEY}: .key}})"
            return Found(path, found, Proposal(_after(jq_path(path), code), Confidence.LIKELY, reason))
    return None


def _is_table(value: dict[str, Json]) -> bool:
    """Whether the members of an object are things of one kind: at least two objects, which share most of their keys."""
    if len(value) < 2 or not all(isinstance(member, dict) and member for member in value.values()):  # noqa: PLR2004
        return False
    shared = set.intersection(*(set(member) for member in value.values()))
    every = set.union(*(set(member) for member in value.values()))
    return len(shared) >= _ALIKE * len(every)

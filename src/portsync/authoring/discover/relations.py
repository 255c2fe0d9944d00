"""Relations between what different endpoints give: the values of a field are the identifiers of another's records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.authoring.discover.naming import property_name, singular, unused
from portsync.authoring.discover.places import at, jq_path, words_of
from portsync.authoring.discover.properties import paths_of
from portsync.authoring.discover.proposal import Confidence, Path, Proposal, Relation
from portsync.masking import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portsync.authoring.discover.proposal import ResourceProposal
    from portsync.flow import Json

_POINTING = frozenset("id ids uid uuid guid key keys name login slug email number ref".split())  # noqa: SIM905
_SOME = 3
_LONG = 6
"""Characters of a text that is no identifier of something else by chance."""


def find_relations(resource: ResourceProposal, all_of_them: Sequence[ResourceProposal]) -> list[Proposal[Relation]]:
    """The relations of a resource to the others, and to itself; those that it has already come first."""
    found: list[Proposal[Relation]] = [*resource.relations]
    taken = {one.value.name for one in resource.properties} | {one.value.name for one in found}
    for path in _pointing(resource.sample.records):
        values = _values(resource.sample.records, path)
        if path in resource.identifier.value.fields and resource.identifier.value.is_plain:
            continue
        pointed = [(target, said) for target in all_of_them if (said := _pointed(path, values, target)) is not None]
        pointed.sort(key=lambda one: list(Confidence).index(one[1][0]))
        if not pointed or (pointed[0][1][0] is Confidence.GUESS and len(pointed) > 1):
            continue  # small numbers are the identifiers of many things
        target, (confidence, reason) = pointed[0]
        if any(one.value.target == target.blueprint for one in resource.relations):
            continue  # the path parameter says the same
        relation = _relation(path, target, resource.sample.records, taken)
        if relation.name not in taken:
            taken.add(relation.name)
            found.append(Proposal(relation, confidence, reason))
    return found


def _pointing(records: Sequence[Json]) -> Iterator[Path]:
    """The fields that may hold identifiers of other things: texts, numbers, lists of them, and those one level down."""
    for path in paths_of(records):
        if is_secret_name(path[-1]):
            continue
        yield path
        inside = [value for record in records if isinstance(value := at(record, path), dict)]
        names = {name: None for value in inside for name in value}
        yield from ((*path, name) for name in names if words_of(name)[-1:] and words_of(name)[-1] in _POINTING)


def _values(records: Sequence[Json], path: Path) -> set[str] | None:
    """The different values at `path` as texts; None where there are others than texts and whole numbers."""
    found: set[str] = set()
    for record in records:
        value = at(record, path)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, bool) or not isinstance(one, str | int | None):
                return None
            found |= set() if one in (None, "") else {str(one)}
    return found


def _pointed(path: Path, values: set[str] | None, target: ResourceProposal) -> tuple[Confidence, str] | None:
    """Whether `values` are identifiers of `target`'s records."""
    identity = target.identifier.value
    if not values or not identity.is_plain or target.parents:
        return None
    held = {str(at(record, identity.fields[0])) for record in target.sample.records}
    known = values & held
    # One that points to nothing would become an entity of which nothing is known.
    if not known or (target.sample.is_whole and known != values):
        return None
    place, there = f"`{jq_path(path)}`", f"identifiers of {target.kind}"
    share = f"{len(known)} of the {len(values)} different values" if known != values else f"all {len(values)} values"
    reason = f"{share} of {place} are {there}"
    if _is_named(path, target):
        is_proved = known == values and len(values) >= _SOME
        return Confidence.SURE if is_proved else Confidence.LIKELY, f"{reason}, and its name says so"
    if known != values or (words_of(path[-1]) or [""])[-1] in ("number", "name"):
        return None
    is_telling = len(values) >= _SOME and all(len(value) >= _LONG and not value.isdigit() for value in values)
    if is_telling:
        return Confidence.LIKELY, f"{reason}, which is no accident"
    # A record's own `id` points to nothing else.
    points = words_of(path[-1])[-1:] in (["id"], ["ids"]) and (len(path) > 1 or len(path[-1]) > len("id"))
    return (Confidence.GUESS, reason) if points else None


def _is_named(path: Path, target: ResourceProposal) -> bool:
    own = words_of(target.blueprint)[-1]
    words = [word for name in path for word in words_of(name)] or list(path)
    rest = words[:-1] if words[-1] in _POINTING and len(words) > 1 else words
    return singular(rest[-1]) == own


def _relation(path: Path, target: ResourceProposal, records: Sequence[Json], taken: set[str]) -> Relation:
    words = [word for name in path for word in words_of(name)] or list(path)
    stem = words[:-1] if words[-1] in _POINTING and len(words) > 1 else words
    values = [value for record in records if (value := at(record, path)) is not None]
    is_many = any(isinstance(value, list) for value in values)
    name = "_".join(stem)
    if is_many and words[-1] in ("ids", "keys"):
        name = f"{name}s"
    name = unused([property_name(name, ()), property_name(f"{name}_relation", ())], taken)
    place = jq_path(path)
    if is_many:
        code = f'[{place} | if type == "array" then .[] else . end | values | tostring]'
    elif all(isinstance(value, str) for value in values):
        code = f'{place} | if . == "" then null else . end' if "" in values else place
    else:
        code = f'{place} | if . == null or . == "" then null else tostring end'
    return Relation(name, code, target.blueprint, is_many)

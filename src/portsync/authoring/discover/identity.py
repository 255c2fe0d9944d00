"""By what records are told apart, and what people call them."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from portsync import identifiers
from portsync.authoring.discover.formats import format_of
from portsync.authoring.discover.naming import segments, singular
from portsync.authoring.discover.places import at, jq_path, key_of, words_of
from portsync.authoring.discover.properties import paths_of
from portsync.authoring.discover.proposal import Confidence, Identity, Path, Proposal
from portsync.authoring.discover.records import KEY
from portsync.masking import is_secret_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portsync.flow import Json

_IDS = ("id", "uid", "uuid", "guid", "identifier", "gid", "sysid", "objectid", "arn", key_of(KEY), "key", "slug")
_NAMES = (
    "fullname", "code", "sha", "number", "login", "username", "handle", "email", "path", "name", "hostname", "sku",
    "value",
)  # fmt: skip
_TITLES = (
    "displayname", "fullname", "title", "name", "label", "subject", "summary", "headline", "username",
    "login", "email", "hostname", "key", "slug", "value",
)  # fmt: skip
_IDENTIFYING = frozenset("id ids key uuid guid uid name email slug code login number".split())  # noqa: SIM905
_TIMES = frozenset({"date", "date-time"})
_MOST_FIELDS = 12
_MOST_PARTS = 3
_MANY = 20
_LONGEST = 200
"""Characters of a value that can still be an identifier."""
_REFUSED_JQ = r"[^\\p{L}0-9@_.+:/=\\\\-]"
"""The characters that Port does not take in identifiers, as a pattern in a text of JQ."""


def find_identity(records: Sequence[Json], kind: str) -> Proposal[Identity] | None:
    """What tells the records at the path `kind` apart, in each of those that were seen; None where nothing does."""
    fields = {path: texts for path in _candidates(records) if (texts := _texts(records, path)) is not None}
    order = {path: rank for path in fields if (rank := _rank(path, kind)) is not None}
    for path in sorted(order, key=lambda path: (order[path], len(path))):
        if (single := _single(path, fields[path], order[path])) is not None:
            return single
    last = len(_IDS) + len(_NAMES)
    of_texts = {path: found for path, found in fields.items() if isinstance(at(records[0], path), str)}
    # A number that has no such name is different in all records by chance.
    others = (
        _single(path, found, last) for path, found in of_texts.items() if path not in order and not _is_time(found)
    )
    times = (_single(path, found, last) for path, found in of_texts.items() if _is_time(found))
    return next(filter(None, others), None) or _joined(records, fields) or next(filter(None, times), None)


def find_title(records: Sequence[Json], identifier: str) -> Proposal[str]:
    """The expression for the title; `identifier` is the expression that stands in where there is none."""
    texts = {path for path in paths_of(records) if len(path) == 1 or path[0] != path[-1]}
    named = [path for path in texts if key_of(path[-1]) in _TITLES and not is_secret_name(path[-1])]
    for path in sorted(named, key=lambda path: (_TITLES.index(key_of(path[-1])), len(path))):
        values = [at(record, path) for record in records]
        known = [value for value in values if isinstance(value, str) and value]
        if len(known) < len([value for value in values if value not in (None, "")]) or not known:
            continue
        place = jq_path(path)
        if len(known) == len(values):
            return Proposal(place, _sure(len(known)), f"a text in all {len(values)} records")
        code = f'{place} | if . == null or . == "" then null else . end'
        reason = f"a text in {len(known)} of {len(values)} records, and without it there is no title"
        return Proposal(code, Confidence.LIKELY, reason)
    return Proposal(identifier, Confidence.GUESS, "no field has the name of a title, so it is the identifier")


def _candidates(records: Sequence[Json]) -> Iterable[Path]:
    """Fields that an identifier can be made of, one level of objects inside the record included."""
    for path in paths_of(records):
        yield path
        inside = [value for record in records if isinstance(value := at(record, path), dict)]
        if len(inside) == len(records):
            names = {name: None for value in inside for name in value}
            yield from ((*path, name) for name in names if words_of(name)[-1:] in (["id"], ["uid"], ["key"], ["name"]))


def _texts(records: Sequence[Json], path: Path) -> list[str] | None:
    """The values at `path` as texts; None where one is missing, or nothing that a text can be made of."""
    if is_secret_name(path[-1]):
        return None
    values = [at(record, path) for record in records]
    if all(_is_usable(value) for value in values):
        return [str(value) for value in values]
    return None


def _is_usable(value: Json) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= _LONGEST
    return isinstance(value, int) and not isinstance(value, bool)


def _rank(path: Path, kind: str) -> int | None:
    """The smaller, the more the name is that of an identifier; None where it is not."""
    name = key_of(path[-1])
    if len(path) > 1 and name not in _IDS[:7]:
        return None
    own = [word for part in segments(kind)[-1:] for word in words_of(part)]
    if own and len(path) == 1 and name in (f"{singular(own[-1])}{ending}" for ending in ("id", "uuid", "key", "uid")):
        return 1
    if name in _IDS:
        return _IDS.index(name)
    return len(_IDS) + _NAMES.index(name) if name in _NAMES else None


def _single(path: Path, texts: Sequence[str], rank: int) -> Proposal[Identity] | None:
    """The field at `path` as identifier, where it tells all records apart."""
    if len(set(texts)) < len(texts):
        return None
    is_id = rank < len(_IDS)
    count = f"all {len(texts)} records" if len(texts) > 1 else "the one record"
    kinds = [Confidence.GUESS, Confidence.LIKELY, Confidence.SURE]
    confidence = kinds[int(is_id and len(texts) > 1) + int(rank <= len(_IDS) + len(_NAMES) - 1 and len(texts) >= _MANY)]
    reason = f"there and different in {count}"
    place = jq_path(path)
    if all(identifiers.fault_of(text) is None for text in texts):
        return Proposal(Identity(place, (path,), is_plain=True), confidence, reason)
    plain = [_plain(text) for text in texts]
    if len(set(plain)) == len(plain) and all(identifiers.fault_of(text) is None for text in plain):
        code = f'{place} | tostring | gsub("{_REFUSED_JQ}"; "_")'
        reason = f"{reason}; characters that Port does not take become `_`"
        return Proposal(Identity(code, (path,)), Confidence.GUESS, reason)
    return None


def _joined(records: Sequence[Json], fields: dict[Path, list[str]]) -> Proposal[Identity] | None:
    """The fewest fields that together tell all records apart."""
    usable = [
        path
        for path, texts in fields.items()
        if (words_of(path[-1])[-1:] or [""])[0] in _IDENTIFYING
        or _is_time(texts)
        or (isinstance(at(records[0], path), str) and len(set(texts)) > 1)
    ]
    order = sorted(usable, key=lambda path: (not _is_identifying(path), not _is_time(fields[path]), len(path)))
    for size in range(2, _MOST_PARTS + 1):
        for parts in combinations(order[:_MOST_FIELDS], size):
            # One that is the same everywhere says whose the records are; it is worth a place beside a time alone.
            if len(set(zip(*(fields[part] for part in parts), strict=True))) == len(records) > 1:
                return _of_parts(records, parts, fields)
    return None


def _of_parts(
    records: Sequence[Json], parts: tuple[Path, ...], fields: dict[Path, list[str]]
) -> Proposal[Identity] | None:
    joined = ["@".join(texts) for texts in zip(*(fields[part] for part in parts), strict=True)]
    code = ' + "@" + '.join(
        jq_path(part)
        if all(isinstance(at(record, part), str) for record in records)
        else f"({jq_path(part)} | tostring)"
        for part in parts
    )
    named = " and ".join(f"`{jq_path(part)}`" for part in parts)
    reason = f"no field alone tells the records apart, but {named} together do, in all {len(records)} records"
    if not all(identifiers.fault_of(text) is None for text in joined):
        joined = [_plain(text) for text in joined]
        if len(set(joined)) < len(joined) or any(identifiers.fault_of(text) for text in joined):
            return None
        code = f'({code}) | gsub("{_REFUSED_JQ}"; "_")'
        reason = f"{reason}; characters that Port does not take become `_`"
    return Proposal(Identity(code, parts), Confidence.GUESS, reason)


def _is_identifying(path: Path) -> bool:
    return (words_of(path[-1])[-1:] or [""])[0] in _IDENTIFYING


def _is_time(texts: Sequence[str]) -> bool:
    return format_of(set(texts)) in _TIMES


def _plain(text: str) -> str:
    """What the pattern of JQ makes of `text`."""
    return "".join(c if identifiers.fault_of(c) is None or c == "." else "_" for c in text)


def _sure(number: int) -> Confidence:
    return Confidence.SURE if number >= _MANY else Confidence.LIKELY

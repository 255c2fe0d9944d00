"""Ways of paging, tried: a second page has to come, and it has to have other records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from portsync.authoring.discover.paging import Candidate, candidates, claims_of
from portsync.authoring.discover.places import jq_path
from portsync.authoring.discover.proposal import Confidence, Paging, Proposal, Sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.authoring.discover.asking import Heard
    from portsync.authoring.discover.reading import Reader
    from portsync.authoring.discover.records import Found
    from portsync.flow import Json

_PAGES = 3
"""So many pages of an endpoint are read in all."""
_USUAL_SIZE = 100
_SIZES_TRIED = 3
_ROUND = 10
_MOST_CANDIDATES = 12
_DEEPEST = 20
_NONE = Paging({"type": "none"})


@dataclass(frozen=True, slots=True)
class _Tried:
    """What became of a candidate."""

    config: Mapping[str, Json]
    extra: Mapping[str, Json]
    """Query parameters beside the paginator's own."""
    confidence: Confidence
    reason: str
    has_size: bool = False
    """Whether the source heeds the size of a page that it is asked for."""


@dataclass(frozen=True, slots=True)
class Paged:
    """The way of paging that is proposed, and what it gave."""

    proposal: Proposal[Paging]
    sample: Sample
    extra: Mapping[str, Json]
    """Query parameters that go with it."""


class Trial:
    """Finds the way of paging of one endpoint, of which the first answer is known."""

    def __init__(self, reader: Reader, heard: Heard, found: Found, identifier: str | None) -> None:
        self._reader = reader
        self._heard = heard
        self._found = found
        self._data_path = found.data_path.value
        self._known = [_key(record) for record in found.records]
        self._identifier = identifier
        self._ignored: list[str] = []
        """What was tried in vain, as the end of a sentence."""

    async def run(self) -> Paged:
        """The first way that gave other records on a second page; else the most likely one."""
        unproved: tuple[Candidate, str] | None = None
        refused = 0
        for number, candidate in enumerate(self._candidates()):
            if number >= _MOST_CANDIDATES or self._is_over() or refused > 1:
                break
            tried = await self._try(candidate)
            if isinstance(tried, _Tried):
                return await self._settled(candidate, tried)
            if candidate.is_said and unproved is None and self._may_be_at_its_end(candidate):
                unproved = (candidate, tried)
            refused += not candidate.is_said and "answered 4" in tried
        if unproved is not None:
            candidate, why = unproved
            reason = f"{candidate.seen}; {why}, so there was no second page to try it on"
            return await self._settled(candidate, _Tried(candidate.paging.config, {}, Confidence.GUESS, reason))
        sample = await self._reader.sample(self._data_path, _NONE.config, 1)
        return Paged(self._nothing(), sample, {})

    def _candidates(self) -> list[Candidate]:
        endpoint = self._reader.endpoint
        found = list(candidates(self._heard, self._found, endpoint, self._identifier))
        if endpoint.method == "GET":
            return found
        return [replace(one, paging=replace(one.paging, config=_in_body(one.paging.config))) for one in found]

    def _is_over(self) -> bool:
        asker = self._reader.asker
        return asker.sent >= asker.most

    def _may_be_at_its_end(self, candidate: Candidate) -> bool:
        """Whether the answer can be the last page by what the candidate looks at: a place that is empty there."""
        if candidate.paging.config["type"] not in ("cursor", "next_link"):
            return False
        return "empty on this page" in candidate.seen

    async def _try(self, candidate: Candidate) -> _Tried | str:
        """What a candidate comes to, or why it is none."""
        if candidate.paging.config["type"] in ("offset", "page"):
            return await self._try_numbers(candidate)
        sample = await self._reader.sample(self._data_path, candidate.paging.config, 2)
        if (others := self._others(sample)) is not None:
            reason = f"{candidate.seen}; the second page has {others}"
            return _Tried(candidate.paging.config, {}, Confidence.SURE, reason)
        if len(sample.pages) == 1 and sample.fault is None:
            return await self._try_smaller(candidate)
        return self._in_vain(candidate, sample)

    async def _try_smaller(self, candidate: Candidate) -> _Tried | str:
        """With smaller pages there may be a second one."""
        size = len(self._known) // 2
        for name in candidate.size_names[:_SIZES_TRIED] if size else ():
            config, extra = _with_size(candidate.paging.config, name, size)
            sample = await self._reader.sample(self._data_path, config, 2, extra)
            if (others := self._others(sample)) is not None:
                reason = f"{candidate.seen}; asked for pages of {size} with `{name}`, the second one has {others}"
                return _Tried(config, extra, Confidence.SURE, reason, has_size=True)
        return "all records are on one page"

    async def _try_numbers(self, candidate: Candidate) -> _Tried | str:
        """Small pages: the second half of the first answer has to be the second page."""
        size = max(1, len(self._known) // 2)
        why = "it was not tried"
        for name in (*candidate.size_names[:_SIZES_TRIED], None):
            config, _ = _with_size(candidate.paging.config, name, size)
            for start in (1, 0) if config["type"] == "page" else (None,):
                begun = config if start is None else {**config, "start_page": start}
                sample = await self._reader.sample(self._data_path, _without_claims(begun), 2)
                tried, why, is_over = self._judged(candidate, begun, name, sample)
                if tried is not None:
                    return tried
                if is_over:
                    return self._in_vain(candidate, sample)
                if not sample.pages:
                    break
        return why

    def _judged(
        self, candidate: Candidate, config: Mapping[str, Json], size_name: str | None, sample: Sample
    ) -> tuple[_Tried | None, str, bool]:
        """What two small pages say: the way they came by, or why not; and whether nothing else has to be tried."""
        if not sample.pages or _key(sample.pages[0].records[0] if sample.pages[0].records else None) != self._known[0]:
            return None, sample.fault or "its first page is not what comes without it", False
        first = len(sample.pages[0].records)
        has_size = size_name is not None and first == config["page_size"] < len(self._known)
        kept = config if has_size else _sizeless(config)
        asked = f"asked with `{config[str(config['type']) + '_param']}`"
        asked += f" and `{size_name}`" if has_size else ""
        if (others := self._others(sample)) is not None:
            reason = f"{candidate.seen}; {asked}, the second page has {others}"
            return _Tried(kept, {}, Confidence.SURE, reason, has_size=has_size), "", False
        if len(sample.pages) == 2 and not sample.pages[1].records and sample.fault is None:  # noqa: PLR2004
            reason = f"{candidate.seen}; {asked}, the second page is empty, so the source heeds it"
            return _Tried(kept, {}, Confidence.LIKELY, reason, has_size=has_size), "", False
        # What came is all of it again: the source does not know the parameter, whatever the size is called.
        is_ignored = first == len(self._known) and "(loop)" in (sample.fault or "")
        return None, sample.fault or "there is no second page", is_ignored

    def _others(self, sample: Sample) -> str | None:
        """How many records of the second page are not on the first, in words; None where it only repeats it."""
        if len(sample.pages) < 2:  # noqa: PLR2004
            return None
        first = {_key(record) for record in sample.pages[0].records}
        second = [_key(record) for record in sample.pages[1].records]
        others = [key for key in second if key not in first]
        # One that was added meanwhile pushes another one over to the next page.
        return f"{len(others)} other records" if 2 * len(others) > len(second) else None

    def _in_vain(self, candidate: Candidate, sample: Sample) -> str:
        why = sample.fault or "it brings no other records"
        config = candidate.paging.config
        name = next((str(config[key]) for key in ("offset_param", "page_param", "cursor_param") if key in config), "")
        self._ignored.append(f"`{name}`" if name else f"the {config['type']}")
        return why

    async def _settled(self, candidate: Candidate, tried: _Tried) -> Paged:
        """The pages in the size that a sync should ask for, and with all that the source says of its end, as far as
        that is true."""
        config = dict(tried.config)
        attempts = [config]
        if tried.has_size:
            attempts = [_resized(config, _USUAL_SIZE), _resized(config, max(1, len(self._known))), config]
        elif config["type"] == "cursor" and (larger := await self._larger(candidate, config)) is not None:
            attempts = [larger, config]
        attempts += [_without_claims(attempt) for attempt in attempts if _without_claims(attempt) != attempt]
        extra = dict.fromkeys(tried.extra, _USUAL_SIZE)
        sample = Sample((), is_whole=False, fault="not read")
        for attempt in attempts:
            sample = await self._reader.sample(self._data_path, attempt, _PAGES, extra)
            if sample.fault is None and sample.records:
                places = {name: at for name, at in candidate.paging.places.items() if _looks_at(attempt, name)}
                return Paged(Proposal(Paging(attempt, places), tried.confidence, tried.reason), sample, extra)
            extra = dict(tried.extra)
        reason = f"{tried.reason}; but reading on ended badly: {sample.fault}"
        proposal = Proposal(Paging(config, candidate.paging.places), Confidence.GUESS, reason)
        return Paged(proposal, sample, dict(tried.extra))

    async def _larger(self, candidate: Candidate, config: Mapping[str, Json]) -> dict[str, Json] | None:
        """The same with larger pages, where the source gives such to who asks for them."""
        for name in candidate.size_names[:1]:
            larger, _ = _with_size(config, name, _USUAL_SIZE)
            sample = await self._reader.sample(self._data_path, larger, 1)
            if sample.pages and len(sample.pages[0].records) > len(self._known):
                return larger
        return None

    def _nothing(self) -> Proposal[Paging]:
        number = len(self._known)
        total = claims_of(self._heard, self._found).total()
        if total is not None and total[1] == number:
            reason = f"`{jq_path(total[0])}` says {number}, and as many came"
            return Proposal(_NONE, Confidence.SURE, reason)
        tried = f"; asked with {', '.join(dict.fromkeys(self._ignored))}, the same came again" if self._ignored else ""
        if total is not None:
            reason = f"`{jq_path(total[0])}` says {total[1]}, {number} came, and no way to the others was found{tried}"
            return Proposal(_NONE, Confidence.GUESS, reason)
        reason = f"nothing in the answer speaks of another page{tried}"
        if self._reader.endpoint.known_params is not None:
            reason = "neither the answer nor the document speaks of another page"
        elif number >= _ROUND and number % _ROUND == 0:
            return Proposal(_NONE, Confidence.GUESS, f"{reason}; but {number} records may be just one page of them")
        return Proposal(_NONE, Confidence.LIKELY, reason)


def _with_size(config: Mapping[str, Json], name: str | None, size: int) -> tuple[dict[str, Json], dict[str, Json]]:
    """The configuration that asks for pages of this size, and the query parameters beside it."""
    match config["type"]:
        case "offset" | "cursor":
            return {**config, "limit_param": name, "page_size": size}, {}
        case "page":
            return {**config, "size_param": name, "page_size": size}, {}
        case _:
            return dict(config), {} if name is None else {name: size}


def _sizeless(config: Mapping[str, Json]) -> dict[str, Json]:
    """Without a size that the source does not heed. Said, because paginators send one by default."""
    kept = {key: value for key, value in config.items() if key != "page_size"}
    return {**kept, "limit_param" if config["type"] == "offset" else "size_param": None}


def _resized(config: Mapping[str, Json], size: int) -> dict[str, Json]:
    return {**config, "page_size": size} if "page_size" in config else dict(config)


def _without_claims(config: Mapping[str, Json]) -> dict[str, Json]:
    """Without what is only there to know the end. A cursor without its flag goes on for ever where it is a record's."""
    if config["type"] not in ("offset", "page"):
        return dict(config)
    return {key: value for key, value in config.items() if not key.endswith("_path")}


def _looks_at(config: Mapping[str, Json], name: str) -> bool:
    return f"{'has_more' if name == 'last_page' else name}_path" in config


def _in_body(config: Mapping[str, Json]) -> dict[str, Json]:
    return dict(config) if config["type"] in ("next_link", "header_link") else {**config, "into": "body"}


def _key(record: Json) -> bytes:
    """What tells a record from others, as deep as anybody looks."""
    return orjson.dumps(_shallow(record, 0), option=orjson.OPT_SORT_KEYS)


def _shallow(value: Json, depth: int) -> Json:
    """`value` without what nests too deeply for those who write JSON."""
    match value:
        case dict() if depth < _DEEPEST:
            return {name: _shallow(item, depth + 1) for name, item in value.items()}
        case list() if depth < _DEEPEST:
            return [_shallow(item, depth + 1) for item in value]
        case dict() | list():
            return len(value)
        case _:
            return value

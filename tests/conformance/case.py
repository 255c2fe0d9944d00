"""What a case is: a source's behaviour, a mapping, and what has to come of the two. All of it is data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from tests.conformance.wire import HOME, Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.conformance.naive.faults import Fault

START = 1_600_000_000.0
"""2020-09-13T12:26:40Z, the instant at which every case begins that does not say otherwise."""
TOKEN = "source-token-7f3a"
USER_HEADER = "x-customer"
"""A header that a mapping sets for every request of every case; another origin has no business with it."""
COMPLETE = "complete"
SKIPPED = "skipped"


def incomplete(reason: str) -> str:
    """How a verdict that has a reason is written in a case."""
    return f"incomplete: {reason}"


@dataclass(frozen=True)
class Ask:
    """One request that a reader has to make. What is None is not looked at."""

    line: str
    """Method and target, `GET /things?page=2`. The path has to be the same byte for byte; of the query, the decoded
    pairs count, in any order."""
    server: str = "home"
    headers: Mapping[str, str | None] = field(default_factory=dict)
    """Names in lower case; None stands for a header that must not be there."""
    json: Any = None
    """The body, parsed."""
    text: str | None = None
    """The body, as it is."""
    form: tuple[tuple[str, str], ...] | None = None
    """The body, read as a form."""

    @property
    def method(self) -> str:
        return self.line.partition(" ")[0]

    @property
    def target(self) -> str:
        return self.line.partition(" ")[2]


Moment = float | tuple[float, float]
"""Seconds since the start of the run, or the earliest and the latest."""


@dataclass(frozen=True)
class Expected:
    """What has to be seen of a run."""

    requests: tuple[Ask, ...]
    """What the source is asked, and nothing else but `may_ask`."""
    records: tuple[str, ...] | None
    """The identifiers that arrive in Port; None where a case has nothing to say of them."""
    verdicts: tuple[str, ...] = (COMPLETE,)
    """One for each resource: `complete`, `skipped`, or what `incomplete(reason)` gives."""
    exit_code: int = 0
    codes: tuple[str, ...] | None = None
    """The codes of all problems, in any order; None where a case has nothing to say of them."""
    says: tuple[str, ...] = ()
    """Each stands in the message, the hint or the place of some problem."""
    may_ask: tuple[Ask, ...] = ()
    """What may be asked or not, as often as it stands here: a reader may be ahead of what it has understood."""
    in_order: bool = True
    """Whether the order of the requests counts. It does not where several may be under way together."""
    records_in_order: bool = True
    properties: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Of some entities, by identifier, some properties."""
    moments: tuple[Moment, ...] | None = None
    """When each request arrives."""
    read: tuple[int, ...] | None = None
    """How many records each resource counts; None: as many as arrive, an empty one: a case has nothing to say of it."""


@dataclass(frozen=True)
class Case:
    """A source, a mapping, and what is expected of whoever reads the one as the other says."""

    family: str
    """`C01` to `C36` are the cases of the public suites; anything else names a family of our own."""
    name: str
    """A sentence without its full stop."""
    script: Callable[[Asked], Any]
    """What the source does."""
    expected: Expected
    twins: tuple[Fault, ...]
    """Faults with each of which a reader must fail this case."""
    pagination: str = "{type: none}"
    kind: str = "/things"
    selector: str = "data_path: .data"
    """YAML, as all parts of the mapping are."""
    source: str = ""
    context: str = ""
    entity: str = ""
    """What the one mapping has beyond, or in place of, `identifier: .id` and `blueprint: '"thing"'`."""
    resources: str = ""
    """A list, in place of `kind`, `selector` and `entity`; what a resource does not say is filled in."""
    start: float = START

    def __str__(self) -> str:
        return f"{self.family} {self.name}"

    def mapping(self) -> dict[str, Any]:
        """The whole mapping file, parsed; its hosts are the names of wire.py."""
        parts = yaml.safe_load(self.resources) or [
            {"kind": self.kind, "selector": self.selector, "entity": self.entity}
        ]
        source = {
            "base_url": HOME,
            "auth": {"type": "bearer", "token": "${SRC_TOKEN}"},
            "headers": {USER_HEADER: "acme"},
            "retry": {"attempts": 3, "max_wait": 300},
            "pagination": yaml.safe_load(self.pagination),
        }
        return {
            "source": source | (yaml.safe_load(self.source) or {}),
            "context": yaml.safe_load(self.context) or {},
            "resources": [_resource(part) for part in parts],
        }


def _resource(part: dict[str, Any]) -> dict[str, Any]:
    selector, entity = (_loaded(part.get(name)) for name in ("selector", "entity"))
    mapping = {"identifier": ".id", "blueprint": '"thing"'} | entity
    return {
        "kind": part["kind"],
        "selector": {"data_path": ".data"} | selector,
        "port": {"entity": {"mappings": [mapping]}},
    }


def _loaded(value: str | dict[str, Any] | None) -> dict[str, Any]:
    loaded = yaml.safe_load(value) if isinstance(value, str) else value
    return dict(_unshared(loaded or {}))


def _unshared(value: Any) -> Any:
    """`value` without parts that stand in two places, which YAML would write as anchors."""
    match value:
        case dict():
            return {key: _unshared(item) for key, item in value.items()}
        case list():
            return [_unshared(item) for item in value]
        case _:
            return value


@dataclass(frozen=True)
class Observed:
    """What was seen of a run, whoever ran."""

    requests: tuple[Asked, ...]
    """In the order of their arrival."""
    batches: tuple[tuple[str, ...], ...]
    """The identifiers of each bulk request, in any order of the requests."""
    properties: Mapping[str, Mapping[str, Any]]
    """Of all entities that are in Port at the end."""
    verdicts: tuple[str, ...]
    read: tuple[int, ...]
    """How many records each resource counts."""
    exit_code: int
    problems: tuple[tuple[str, str], ...] = ()
    """Code, and all that the problem says."""
    faults: tuple[str, ...] = ()
    """What is wrong whatever the case: counts that do not add up, a secret in the output."""

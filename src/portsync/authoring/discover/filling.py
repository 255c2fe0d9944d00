"""What a source wants to be sent along, made of what its document says: examples, defaults, spans of time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from portsync.authoring.discover.openapi_document import types_of
from portsync.authoring.discover.places import key_of
from portsync.authoring.discover.proposal import Confidence, Proposal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.flow import Json

_DAYS = 30
_STARTS = frozenset(
    "start from since begin startdate starttime startingat startat datefrom fromdate after createdafter".split()  # noqa: SIM905
)
_ENDS = frozenset("end to until enddate endtime endingat endat dateto todate before createdbefore".split())  # noqa: SIM905
_FORMS = {"date": "%Y-%m-%d", "date-time": "%Y-%m-%dT%H:%M:%SZ"}


class Value(NamedTuple):
    """What is sent, and why."""

    value: Json
    confidence: Confidence
    reason: str
    is_time: bool = False


@dataclass(frozen=True, slots=True)
class Filling:
    """What is sent along with a request."""

    known: frozenset[str] = frozenset()
    """All names that the document knows."""
    query: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    reasons: tuple[Proposal[str], ...] = ()
    is_window: bool = False

    def with_query(self, name: str, value: Value) -> Filling:
        """With one more query parameter."""
        return replace(self.reasoned(name, value), query={**self.query, name: value.value})

    def with_header(self, name: str, value: Value) -> Filling:
        """With one more header."""
        return replace(self.reasoned(name, value), headers={**self.headers, name: str(value.value)})

    def with_body(self, schema: Mapping[str, Json], example: Json) -> Filling | None:
        """With a body that has all that `schema` requires; None where the document does not say what that is."""
        properties = schema.get("properties")
        known = properties if isinstance(properties, dict) else {}
        wanted = schema.get("required")
        given = example if isinstance(example, dict) else schema.get("example")
        given = given if isinstance(given, dict) else {}
        filling = replace(self, known=self.known | known.keys())
        body: dict[str, Json] = {}
        for name in dict.fromkeys([*(wanted if isinstance(wanted, list) else ()), *given]):
            said = known.get(name)
            value = filled(name, {**(said if isinstance(said, dict) else {}), **_as_example(name, given)})
            if value is None:
                return None
            filling = filling.reasoned(name, value)
            body[name] = value.value
        return replace(filling, body=body)

    def reasoned(self, name: str, value: Value) -> Filling:
        """With one more value that is said to be sent, and why."""
        said = Proposal(name, value.confidence, value.reason)
        return replace(self, reasons=(*self.reasons, said), is_window=self.is_window or value.is_time)


def filled(name: str, schema: Mapping[str, Json]) -> Value | None:
    """A value for the parameter or member `name`; None where the document does not say enough."""
    if (form := _FORMS.get(str(schema.get("format")))) is not None and "string" in types_of(schema):
        if key_of(name) in _STARTS:
            reason = f"`{name}` begins a span of time: the last {_DAYS} days"
            return Value(
                f'{{{{ (now | floor) - {_DAYS * 86400} | strftime("{form}") }}}}', Confidence.GUESS, reason, True
            )
        if key_of(name) in _ENDS:
            reason = f"`{name}` ends a span of time: it is now"
            return Value(f'{{{{ now | floor | strftime("{form}") }}}}', Confidence.GUESS, reason, True)
    if "const" in schema:
        return Value(schema["const"], Confidence.SURE, f"the only value of `{name}` that the document allows")
    if "default" in schema:
        return Value(schema["default"], Confidence.LIKELY, f"the default of `{name}` in the document")
    choices = schema.get("enum")
    if isinstance(choices, list) and len(choices) == 1:
        return Value(choices[0], Confidence.SURE, f"the only value of `{name}` that the document allows")
    examples = schema.get("examples")
    listed = examples if isinstance(examples, list) else []
    for value in ([schema["example"]] if "example" in schema else listed)[:1]:
        return Value(value, Confidence.GUESS, f"the example of `{name}` in the document")
    if isinstance(choices, list) and choices:
        return Value(
            choices[0], Confidence.GUESS, f"the first of the {len(choices)} values of `{name}` in the document"
        )
    return None


def _as_example(name: str, given: Mapping[str, Json]) -> dict[str, Json]:
    return {"example": given[name]} if name in given else {}

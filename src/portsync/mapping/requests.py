"""What the requests of a mapping are made of: resources, lookups and path parameters share these sections."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from portsync.jq.expression import Expression
from portsync.mapping.section import Section
from portsync.mapping.templates import BodyTemplate, ParameterValue, TemplateText
from portsync.mapping.windows import span_fault
from portsync.pagination import AnyPaginator

OnStatus = Literal["skip", "empty", "fail", "retry"]
Status = Annotated[int, Field(ge=300, le=599)]
Decoder = Literal["json", "jsonl", "csv"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
BodyType = Literal["json", "form", "text"]


def _delimiter(text: str) -> str:
    if text in '"\r\n':
        hint = 'write `;`, or a tab as "\\t" between double quotes'
        raise PydanticCustomError("delimiter", "a quote or a line break cannot stand between fields", {"hint": hint})
    return text


class Request(Section):
    """The parts that every request has."""

    method: Method = "GET"
    """The HTTP method."""
    body: BodyTemplate = None
    """A text is one JQ program whose output is the body; a YAML mapping is literal, with `{{ jq }}` spans."""
    body_type: BodyType = "json"
    """How the body is written: as JSON, as a form (`a=1&b=2`), or as the text that it is."""
    query_params: dict[str, ParameterValue] = Field(default_factory=dict)
    """May hold `{{ jq }}` spans; a list repeats the parameter."""
    headers: dict[str, TemplateText] = Field(default_factory=dict)
    """Added to the source's. May hold `{{ jq }}` spans."""
    data_path: Expression = "."
    """JQ from the answer's body to its records: an array, or several outputs."""
    pagination: AnyPaginator | None = None
    """In place of the source's."""
    decode: Decoder = "json"
    """What the answer is made of: `json`, `jsonl` (a JSON value on each line), or `csv` (its first line names the
    fields)."""
    on_status: dict[Status, OnStatus] = Field(default_factory=dict)
    """What an answer with this status means: `skip` (not read, and said so), `empty`, `fail`, or `retry`."""
    csv_delimiter: Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_delimiter)] = ","
    """What stands between the fields of a line."""


class Lookup(Request):
    """A small request that is made once in a run; every expression sees what it gave as `$context.<name>`."""

    path: Annotated[TemplateText, Field(min_length=1)]
    """The endpoint's path, joined to the base URL."""
    index_by: Expression | None = None
    """JQ that gives a key for each record: the lookup is then an object instead of a list."""


class PathParameter(Request):
    """Where the values of a `{name}` in `kind` come from: `endpoint`, `values` or `from`."""

    endpoint: Annotated[TemplateText, Field(min_length=1)] | None = None
    """A path whose records give the values. It may hold other parameters."""
    values: list[str | int] | None = None
    """The values themselves."""
    from_: Annotated[str | None, Field(alias="from", min_length=1)] = None
    """The `kind` of another resource, whose records give the values without being fetched again."""
    field: Expression = "."
    """JQ from a record to its value."""
    filter: Expression = "true"
    """JQ: only records for which it gives true count."""
    with_: Annotated[dict[str, Expression], Field(alias="with")] = Field(default_factory=dict)
    """More values of the record, that requests and entities see as `$params.<name>`."""

    @model_validator(mode="after")
    def one_origin(self) -> PathParameter:
        if [self.endpoint, self.values, self.from_].count(None) != 2:  # noqa: PLR2004 - one of three is given
            hint = "`endpoint` fetches them, `values` lists them, `from` takes them from another resource"
            raise PydanticCustomError("parameter", "give one of `endpoint`, `values` and `from`", {"hint": hint})
        return self


def _span(value: Any) -> str:
    # A bare number is a text here, which lacks its unit.
    text = str(value) if isinstance(value, int | float) else value
    if not isinstance(text, str):
        raise PydanticCustomError("span", "a span of time is wanted", {"hint": "write `1d`, `6h`, `2w` or `1mo`"})
    if (fault := span_fault(text)) is not None:
        raise PydanticCustomError("span", "{fault}", {"fault": fault, "hint": "write `1d`, `6h`, `2w` or `1mo`"})
    return text


Span = Annotated[str, BeforeValidator(_span), WithJsonSchema({"type": "string", "pattern": r"^\d+(s|m|h|d|w|mo|y)$"})]


class Window(Section):
    """A span of time that is asked for piece by piece."""

    start: Expression
    """JQ that gives a date, a time or seconds since 1970."""
    end: Expression = "now"
    """The same; the moment of the run where it is missing."""
    step: Span
    """How long a piece is: `30m`, `6h`, `1d`, `2w`, `1mo`."""
    format: str = "%Y-%m-%dT%H:%M:%SZ"
    """How `$window.start` and `$window.end` are written, as strftime has it, in UTC. `%s` gives seconds since 1970."""
    overlap: Span | None = None
    """By how much each piece but the first begins before the end of the one before."""
    granularity: Span | None = None
    """By how much each piece ends before the next one begins, for APIs whose end date is included."""

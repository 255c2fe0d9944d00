"""What the page asks of the studio, as types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
Index = Annotated[int, Field(ge=0)]


class Asked(BaseModel):
    """A request of the page."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Text(Asked):
    """The text in the editor, and what is in view beside it."""

    text: str
    index: Index = 0
    """The resource that is looked at."""
    blueprints: dict[str, str] = Field(default_factory=dict)
    """The blueprints as they are written, by name."""


class Slice(Asked):
    """A part of a value that is in view."""

    name: str
    keys: list[str | int] = Field(default_factory=list)
    first: Index = 0


class Value(Asked):
    """What a variable stands for."""

    name: Annotated[str, Field(pattern=_NAME, max_length=100)]
    value: Annotated[str, Field(max_length=100_000)]


class Save(Asked):
    """Where the text goes."""

    text: str
    path: str | None = None
    """A new name; the file that was opened where it is None."""
    over: bool = False


class Connect(Asked):
    """A source."""

    text: str
    base_url: Annotated[str, Field(min_length=1, max_length=2000)]
    auth: Literal["none", "bearer", "basic", "api_key"]
    variable: Annotated[str, Field(pattern=_NAME, max_length=100)] = "API_TOKEN"
    """The secret's; a `basic` authentication has a name besides."""
    username: Annotated[str, Field(max_length=1000)] = ""
    header: Annotated[str, Field(max_length=200)] = "X-API-Key"


class Endpoint(Asked):
    """A resource."""

    text: str
    index: Index | None = None
    """None for a new one."""
    kind: Annotated[str, Field(min_length=1, max_length=4000)]
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    query_params: dict[str, str] = Field(default_factory=dict)
    pagination: dict[str, str | int] | None = None
    """In place of the source's; None leaves it as it is."""


class Place(Asked):
    """A click on a value: what it becomes."""

    text: str
    index: Index = 0
    mapping: Index = 0
    """Which of the resource's entity mappings."""
    role: Literal["data_path", "identifier", "title", "property", "relation", "items"]
    keys: list[str | int]
    name: Annotated[str, Field(max_length=200)] | None = None
    """The property's or relation's; one is made of the keys where it is None."""
    each: bool = False
    """Whether it is the list of the values in every element."""


class Proposed(Asked):
    """A proposal that is taken, or a part of it."""

    text: str
    index: Index = 0
    entity: dict[str, Any] | None = None
    pagination: dict[str, Any] | None = None
    data_path: str | None = None
    query_params: dict[str, Any] | None = None


class WriteFiles(Asked):
    """All files that are taken along, into the mapping's folder."""

    of: Text
    over: bool = False

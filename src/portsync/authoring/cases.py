"""Test cases as a user writes them: `NAME.test.yaml`, pages in, requests and entities out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from portsync.authoring.asked import Asked
from portsync.authoring.cassette import read
from portsync.authoring.keeper import Kept
from portsync.errors import CaseError, ConfigError, Problem
from portsync.mapping.explain import explained
from portsync.mapping.loader import read_text
from portsync.mapping.section import Section
from portsync.mapping.yaml_text import compose, structure_problems, values

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from portsync.mapping.places import Document

ENDING = ".test.yaml"
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_BASE_URL = "https://source.test"
_ADDRESSES = ("URL", "URI", "ENDPOINT")
"""What names of variables that hold addresses end with."""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_text(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, bool | int | float) else value


class Given(Section):
    """An answer of the source."""

    request: Asked | None = None
    """Which requests it answers; without it, whichever comes next."""
    status: Annotated[int, Field(ge=100, le=599)] = 200
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = None
    """A value goes out as JSON, a text as it is."""

    def kept(self) -> Kept:
        """The answer, as it is given to requests."""
        headers = dict(self.headers)
        if isinstance(self.body, str):
            content = self.body.encode()
        else:
            content = b"" if self.body is None else json.dumps(self.body, ensure_ascii=False).encode()
            headers.setdefault("content-type", "application/json")
        return Kept(self.request, self.status, tuple(headers.items()), content)


class ExpectedEntity(Section):
    """An entity as it would be sent."""

    blueprint: str
    identifier: Annotated[str, BeforeValidator(_as_text)]
    title: Any = None
    icon: Any = None
    team: Any = None
    properties: dict[str, Any] = Field(default_factory=dict)
    relations: dict[str, Any] = Field(default_factory=dict)


class Expected(Section):
    """What a case shall come to. What is not said may be anything."""

    requests: list[Asked] | None = None
    """All requests, in their order."""
    verdict: str | None = None
    """`complete`, or what it is instead: `incomplete (loop)`."""
    entities: list[ExpectedEntity] | None = None
    """All entities, in any order."""
    failures: list[str] | None = None
    """A part of the message of each record that makes no entity, and of each conflict."""
    field_errors: int | None = None
    """How many properties, relations and titles were left out because their expressions failed."""


class Case(Section):
    """One test case."""

    name: Annotated[str, Field(min_length=1)]
    kind: Annotated[list[str] | None, BeforeValidator(_as_list)] = None
    """Only the resources of this kind, or of these."""
    now: datetime | None = None
    """In place of the file's."""
    cassette: str | None = None
    """A folder of saved answers, beside this file."""
    given: list[Given] | None = None
    """Answers, written here."""
    expect: Expected | None = None

    @model_validator(mode="after")
    def _has_answers(self) -> Case:
        if (self.cassette is None) is (self.given is None):
            hint = "`given:` holds answers, `cassette:` names a folder of saved ones"
            raise PydanticCustomError("answers", "a case has either `given` or `cassette`", {"hint": hint})
        return self


class CaseFile(Section):
    """A file of test cases."""

    mapping: str | None = None
    """The mapping, beside this file; without it, the one that has this file's name without `.test`."""
    now: datetime | None = None
    """The instant that `now` in expressions stands for."""
    environment: dict[str, Annotated[str, BeforeValidator(_as_text)]] = Field(default_factory=dict)
    """Values for `${NAME}`; a name that is not given stands for `test-NAME`."""
    base_url: str = _BASE_URL
    """Where the mapping names none."""
    cases: Annotated[list[Case], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class LoadedCases:
    """A file of test cases that has no problems."""

    path: Path
    file: CaseFile
    document: Document
    text: str

    @property
    def mapping(self) -> Path:
        """The mapping that is tested."""
        if self.file.mapping is not None:
            return self.path.parent / self.file.mapping
        return self.path.with_name(f"{self.path.name.removesuffix(ENDING)}.yaml")

    def answers(self, case: Case) -> tuple[tuple[Kept, ...], datetime, str | None]:
        """The answers of a case, the instant of its `now`, and the base URL where the answers have one of their own.
        Raises CassetteError."""
        if case.cassette is None:
            return tuple(given.kept() for given in case.given or ()), _moment(case.now or self.file.now), None
        cassette = read(self.path.parent / case.cassette)
        return cassette.answers, _moment(case.now or self.file.now or cassette.now), cassette.base_url


def _moment(given: datetime | None) -> datetime:
    moment = given or _NOW
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def load_cases(path: Path) -> LoadedCases:
    """The test cases in the file at `path`. Raises CaseError with all its problems."""
    text = read_text(path)
    document = compose(str(path), text)
    if isinstance(document, Problem):
        raise CaseError(document)
    if structure := structure_problems(document):
        raise CaseError(*structure)
    try:
        file = CaseFile.model_validate(values(document))
    except ValidationError as error:
        raise CaseError(*explained(error.errors(), document, CaseFile.model_json_schema())) from None
    except ConfigError as error:
        raise CaseError(*error.problems) from error
    return LoadedCases(path, file, document, text)


class Environment(dict[str, str]):
    """The environment of a test: a name that nobody gives a value, and that has no default, stands for itself, so that
    a mapping can be tested without its secrets; the name of an address for one that nobody has."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(given)

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a variable, which is never missing."""
        if default is None:
            default = _BASE_URL if name.upper().endswith(_ADDRESSES) else f"test-{name}"
        return super().get(name, default)

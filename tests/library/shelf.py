"""The folders of the library, and the answers of their test cases behind a real server."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portsync.authoring.cases import Environment
from portsync.authoring.keeper import Keeper
from portsync.authoring.suite import Suite, load_suite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request

    from portsync.authoring.cases import Case
    from portsync.authoring.keeper import Kept

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path for path in (ROOT / "mappings").iterdir() if path.is_dir())

_VARIABLE = re.compile(r"\$\{([A-Z_]+)")
_ADDRESS = re.compile(r"(?m)^  base_url: \$\{([A-Z_]+)")
_SECRET = re.compile(r"(?:TOKEN|KEY|SECRET)$")
LOGIN_TOKEN = "test-token-of-the-login"


@dataclass(frozen=True)
class Api:
    """One folder of the library."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def shipped(self) -> str:
        """The mapping as a user names it, wherever portsync is installed."""
        return f"mappings/{self.name}/{self.name}.yaml"

    @property
    def path(self) -> Path:
        return ROOT / self.shipped

    def suite(self) -> Suite:
        return load_suite(self.folder / f"{self.name}.test.yaml")

    def variables(self) -> set[str]:
        return set(_VARIABLE.findall(self.path.read_text(encoding="utf-8")))

    def needed(self) -> set[str]:
        """Variables without a default."""
        text = self.path.read_text(encoding="utf-8")
        return {name for name in self.variables() if f"${{{name}}}" in text}

    def address(self) -> str:
        """The variable that says where the API is."""
        (name,) = _ADDRESS.findall(self.path.read_text(encoding="utf-8"))
        assert isinstance(name, str)
        return name


APIS = [Api(folder) for folder in FOLDERS]


@dataclass
class Replay:
    """A case's answers at an address on loopback, with that in place of the API's own wherever they name it."""

    api: Api
    case: Case
    suite: Suite
    origin: str
    """Of the server that `app` is served by."""
    keeper: Keeper = field(init=False)
    bare: list[str] = field(default_factory=list)
    """Requests without credentials."""

    def __post_init__(self) -> None:
        answers, self.now, _ = self.suite.cases.answers(self.case)
        self.keeper = Keeper([self._moved(answer) for answer in answers], self.base_url)

    @property
    def api_url(self) -> str:
        url = self.suite.mapping.file.source.base_url
        assert url is not None
        return url.rstrip("/")

    @property
    def base_url(self) -> str:
        return f"{self.origin}{urlsplit(self.api_url).path}"

    def moved(self, text: str) -> str:
        """A text with the address on loopback in place of the API's own."""
        return text.replace(self.api_url, self.base_url)

    def environment(self) -> dict[str, str]:
        """All variables of the mapping: as the cases have them, secrets invented, addresses on loopback."""
        given = Environment(self.suite.cases.file.environment)
        needed = {name: given.get(name) for name in self.api.needed() | given.keys()}
        addresses = {name: self.origin for name in self.api.variables() if name.endswith("_LOGIN_URL")}
        return {**needed, **addresses, self.api.address(): self.base_url}

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])

    async def _answer(self, request: Request) -> Response:
        content = await request.body()
        if request.url.path.endswith("/oauth2/v2.0/token"):
            return JSONResponse({"access_token": LOGIN_TOKEN, "token_type": "Bearer", "expires_in": 3599})
        if not self._has_credentials(request.headers, content):
            self.bare.append(str(request.url))
        found = self.keeper.answer_to(request.method, str(request.url), request.headers, content)
        if found is None:
            return Response("no answer is kept for this request", 404)
        status, headers, body = found
        return Response(body, status, dict(headers))

    def _moved(self, answer: Kept) -> Kept:
        headers = tuple((name, self.moved(value)) for name, value in answer.headers)
        return replace(answer, headers=headers, body=self.moved(answer.body.decode()).encode())

    def _has_credentials(self, headers: Mapping[str, str], content: bytes) -> bool:
        secrets = [value for name, value in self.environment().items() if _SECRET.search(name)]
        sent = "\n".join([*_shown(headers), content.decode()])
        return any(secret in sent for secret in (*secrets, LOGIN_TOKEN))


def _shown(headers: Mapping[str, str]) -> Iterator[str]:
    """The values of headers, those of basic authentication decoded."""
    for value in headers.values():
        yield value
        kind, _, rest = value.partition(" ")
        if kind == "Basic":
            try:
                yield base64.b64decode(rest).decode()
            except (binascii.Error, UnicodeDecodeError):
                continue


def users_of(expected: Case) -> list[str]:
    """The users of Port that a case's relations name."""
    assert expected.expect is not None
    found: dict[str, None] = {}
    for entity in expected.expect.entities or []:
        for value in entity.relations.values():
            for name in value if isinstance(value, list) else [value]:
                if isinstance(name, str) and re.fullmatch(r"[^@/\s]+@[^@/\s]+\.[a-z]+", name):
                    found[name] = None
    return [*found]


def is_whole(case: Case) -> bool:
    """Whether a case is read to its end and goes into the catalog without a loss."""
    return case.expect is not None and case.expect.verdict == "complete"


def held(entity: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """What a mapping wrote of an entity of Port: nothing of what Port computes, and nothing that is empty."""
    written = {name: value for name, value in entity["properties"].items() if name in properties}
    sections = {"properties": written, "relations": entity.get("relations", {})}
    given = {
        name: {key: value for key, value in values.items() if value not in (None, [])}
        for name, values in sections.items()
    }
    return {"title": entity.get("title"), **given}

"""A login of the API's own: a request whose answer holds what all other requests carry. Ocean calls it `custom`."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode

import httpx
from pydantic import AliasChoices, BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from portsync.auth.answers import json_of, without
from portsync.auth.base import Auth, AuthSection, AuthTools, Endpoint, JsonList, JsonObject, absolute
from portsync.auth.carried import FORM, Carried, with_query
from portsync.auth.fetched import Credentials, FetchedAuth, fresh_until
from portsync.auth.headers import HeaderName, Headers
from portsync.auth.secret import secrets_in
from portsync.auth.spans import JsonWithSpans, MissingError, TextWithSpans, filled, filled_text, found_at, paths_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portsync.flow import Json

_LEEWAY_S = 60.0
"""Ocean logs in again this long before the interval ends."""
_NO_CREDENTIAL = re.compile(r"(?i)(type|expir\w*|scheme|scopes?)\W*$")
"""How paths end to what stands beside a token: `Bearer` and 3600 must not be taken out of every report."""


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


Text = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number", "boolean"]})]
"""Numbers and booleans are taken as they are written."""
Method = Annotated[
    Literal["GET", "POST", "PUT", "PATCH", "DELETE"],
    BeforeValidator(lambda method: method.upper() if isinstance(method, str) else method),
]
Interval = Annotated[float, Field(ge=1)]


class LoginRequest(AuthSection):
    """The request that logs in."""

    path: Annotated[Endpoint, Field(validation_alias=AliasChoices("path", "endpoint"))]
    """A path that is joined to `base_url`, or a full URL. Ocean's word is `endpoint`."""
    method: Method = "POST"
    """The HTTP method."""
    headers: Headers = Field(default_factory=dict)
    """Its headers."""
    body: JsonObject | JsonList | None = None
    """Sent as JSON."""
    body_form: Annotated[
        dict[str, Text | list[Text]] | None, Field(validation_alias=AliasChoices("body_form", "bodyForm"))
    ] = None
    """Sent as a form, in place of `body`."""
    query_params: Annotated[
        dict[str, Text | list[Text]], Field(validation_alias=AliasChoices("query_params", "queryParams"))
    ] = Field(default_factory=dict)
    """Its query."""
    interval: Annotated[Interval | None, Field(alias="reauthenticateIntervalSeconds")] = None
    """Where Ocean has `reauthenticate_interval`."""

    @model_validator(mode="after")
    def one_body(self) -> LoginRequest:
        if self.body is not None and self.body_form is not None:
            raise PydanticCustomError("login", "give `body` or `body_form`, not both")
        return self


class LoginTemplate(AuthSection):
    """What every other request carries. `{{.path}}` stands for what the login answered there."""

    headers: dict[HeaderName, TextWithSpans] = Field(default_factory=dict)
    """Headers; they replace those of the same name."""
    query_params: Annotated[
        dict[str, TextWithSpans], Field(validation_alias=AliasChoices("query_params", "queryParams"))
    ] = Field(default_factory=dict)
    """Query parameters; they replace those of the same name."""
    body: dict[str, JsonWithSpans] = Field(default_factory=dict)
    """Joined to a body that is a JSON object or a form; stands in place of a text, or of none."""

    @model_validator(mode="after")
    def not_empty(self) -> LoginTemplate:
        if not (self.headers or self.query_params or self.body):
            hint = 'such as headers: {Authorization: "Bearer {{.access_token}}"}'
            raise PydanticCustomError("template", "give `headers`, `query_params` or `body`", {"hint": hint})
        return self


class LoginAuth(Auth):
    """What a login answers goes into every request."""

    type: Literal["login", "custom"]
    """Which way of signing requests this is."""
    request: LoginRequest
    """How to log in."""
    template: LoginTemplate
    """What every other request carries of the answer."""
    reauthenticate_interval: Annotated[
        Interval | None,
        Field(validation_alias=AliasChoices("reauthenticate_interval", "reauthenticateIntervalSeconds")),
    ] = None
    """Seconds that a login is good for; without it, only a 401 asks for a new one."""

    @model_validator(mode="after")
    def one_interval(self) -> LoginAuth:
        if self.reauthenticate_interval is not None and self.request.interval is not None:
            raise PydanticCustomError("login", "give `reauthenticate_interval` once")
        return self

    def build(self, tools: AuthTools) -> httpx.Auth:
        return FetchedAuth(LoginCall(self, tools), tools.clock, tools.elsewhere)

    def secrets(self) -> tuple[str, ...]:
        request = self.request
        sections = (request.headers, request.body, request.body_form, request.query_params, self.template.headers)
        return tuple(secret for section in sections for secret in secrets_in(section) if "{{" not in secret)

    def urls(self, base_url: str) -> tuple[str, ...]:
        return (absolute(self.request.path, base_url),)


class LoginCall:
    """The login's request, and what its answer brings."""

    def __init__(self, config: LoginAuth, tools: AuthTools) -> None:
        self._config = config
        self._tools = tools
        (self._url,) = config.urls(tools.base_url)

    def request(self) -> httpx.Request:
        request = self._config.request
        headers = {"accept": "application/json"}
        content = None
        if request.body_form is not None:
            headers["content-type"] = FORM
            content = urlencode(request.body_form, doseq=True).encode()
        elif request.body is not None:
            headers["content-type"] = "application/json"
            content = json.dumps(request.body).encode()
        headers |= {name.lower(): value for name, value in request.headers.items()}
        url = with_query(httpx.URL(self._url), request.query_params)
        return httpx.Request(request.method, url, headers=headers, content=content)

    def read(self, answer: httpx.Response) -> Credentials:
        config, template = self._config, self._config.template
        value = json_of(answer)
        try:
            carried = Carried(
                {name: filled_text(text, value, f"headers.{name}").strip() for name, text in template.headers.items()},
                {
                    name: filled_text(text, value, f"query_params.{name}")
                    for name, text in template.query_params.items()
                },
                filled(template.body, value, "body"),
            )
        except MissingError as error:
            raise without(answer, str(error), value, "check `template` against the login's answer") from None
        for secret in _credentials(template, value):
            self._tools.learned(secret)
        if (name := carried.unsendable()) is not None:
            what = f"a text for `{name}` that can be sent"
            raise without(answer, what, None, "look for line breaks and invisible characters in it")
        interval = config.reauthenticate_interval or config.request.interval
        until = math.inf if interval is None else fresh_until(self._tools.clock(), interval, _LEEWAY_S)
        return Credentials(carried.put_into, until)


def _credentials(template: LoginTemplate, answer: Json) -> Iterator[str]:
    """What must not get into any output of that which the template takes from an answer."""
    for path in paths_in([template.headers, template.query_params, template.body]):
        if _NO_CREDENTIAL.search(path) is None:
            yield from _leaves(found_at(path, answer, "template"))


def _leaves(value: Json) -> Iterator[str]:
    match value:
        case dict():
            for item in value.values():
                yield from _leaves(item)
        case list():
            for item in value:
                yield from _leaves(item)
        case bool() | None:
            pass
        case _:
            yield str(value)

"""The environment, Ocean's names included. The mapping loader's `${NAME}` is given it from here too."""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_core import PydanticCustomError

from portsync.auth import AnyAuth
from portsync.errors import Problem, SettingsError
from portsync.pagination import AnyPaginator
from portsync.pagination.ocean import cursor_in, link_in, more_in
from portsync.urls import fault_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ErrorDetails

_OCEAN_CONFIG = "OCEAN__INTEGRATION__CONFIG__"
_OCEAN_SECRETS = "OCEAN__INTEGRATION__SECRETS__"
_OCEAN_NAMES = {
    "token": "API_TOKEN",
    "username": "USERNAME",
    "password": "PASSWORD",
    "key": "API_KEY",
    "header": "API_KEY_HEADER",
    "request": "CUSTOM_AUTH_REQUEST",
    "template": "CUSTOM_AUTH_REQUEST_TEMPLATE",
}
"""The variable behind each key of an authentication."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_REGIONS = {"eu": "https://api.getport.io", "us": "https://api.us.getport.io"}


def _names(*names: str) -> AliasChoices:
    return AliasChoices(*names)


class Settings(BaseModel):
    """What the environment says. Where two names are set, portsync's own wins over Ocean's."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    client_id: str | None = Field(None, validation_alias=_names("PORT_CLIENT_ID", "OCEAN__PORT__CLIENT_ID"))
    client_secret: SecretStr | None = Field(
        None, validation_alias=_names("PORT_CLIENT_SECRET", "OCEAN__PORT__CLIENT_SECRET")
    )
    port_base_url: str | None = Field(None, validation_alias=_names("PORT_BASE_URL", "OCEAN__PORT__BASE_URL"))
    port_region: Literal["eu", "us"] = Field("eu", validation_alias="PORT_REGION")
    own_identifier: str | None = Field(None, validation_alias="PORTSYNC_IDENTIFIER")
    ocean_identifier: str | None = Field(None, validation_alias="OCEAN__INTEGRATION__IDENTIFIER")
    """Of an Ocean integration that portsync takes the place of."""
    type: str = Field("custom", validation_alias=_names("PORTSYNC_TYPE", "OCEAN__INTEGRATION__TYPE"))
    source_base_url: str | None = Field(
        None, validation_alias=_names("PORTSYNC_SOURCE_BASE_URL", f"{_OCEAN_CONFIG}BASE_URL")
    )
    source_auth: AnyAuth | None = None
    source_pagination: AnyPaginator | None = None
    initialize_resources: bool = Field(
        True, validation_alias=_names("PORTSYNC_INITIALIZE_RESOURCES", "OCEAN__INITIALIZE_PORT_RESOURCES")
    )
    raw_examples: bool = Field(True, validation_alias=_names("PORTSYNC_RAW_EXAMPLES", "OCEAN__SEND_RAW_DATA_EXAMPLES"))
    mapping: str | None = Field(None, validation_alias="PORTSYNC_MAPPING")
    state: str | None = Field(None, validation_alias="PORTSYNC_STATE")
    state_home: str | None = Field(None, validation_alias="XDG_STATE_HOME")
    home: str | None = Field(None, validation_alias="HOME")
    compare_every: Annotated[float, Field(validation_alias="PORTSYNC_COMPARE_EVERY")] = 86400.0
    """Seconds after which everything is compared with Port again; infinite for never."""
    jq_timeout: Annotated[float, Field(gt=0, validation_alias="PORTSYNC_JQ_TIMEOUT")] = 10.0
    jq_memory: Annotated[int, Field(ge=16, validation_alias="PORTSYNC_JQ_MEMORY")] = 512
    jq_workers: Annotated[int | None, Field(ge=1, le=256, validation_alias="PORTSYNC_JQ_WORKERS")] = None
    log_format: Literal["text", "json"] | None = Field(None, validation_alias="PORTSYNC_LOG_FORMAT")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "WARNING", validation_alias=_names("PORTSYNC_LOG_LEVEL", "OCEAN__LOG_LEVEL")
    )

    @field_validator("port_base_url", "source_base_url")
    @classmethod
    def _url(cls, url: str | None) -> str | None:
        if url is not None and (fault := fault_of(url)) is not None:
            raise PydanticCustomError("url", "the URL {fault}", {"fault": fault})
        return url

    @field_validator("own_identifier", "ocean_identifier", "type")
    @classmethod
    def _part_of_user_agent(cls, text: str | None) -> str | None:
        if text is not None and re.fullmatch(r"[A-Za-z0-9._:@+-]{1,200}", text) is None:
            raise PydanticCustomError("name", "only letters, digits and . _ : @ + - are possible here, 200 at most")
        return text

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("compare_every", mode="before")
    @classmethod
    def _span(cls, value: Any) -> Any:
        """`24h`, `30m`, `7d`; `0` for every run, `never`."""
        if value in ("never", "0"):
            return math.inf if value == "never" else 0.0
        if isinstance(value, str):
            if (found := re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", value.strip())) is None:
                raise PydanticCustomError("span", "a span of time is wanted, such as 24h, 30m, 7d, or `never`")
            return float(found[1]) * _SECONDS[found[2]]
        return value

    @property
    def port_url(self) -> str:
        """Port's API without the version: `https://api.getport.io`."""
        url = self.port_base_url or _REGIONS[self.port_region]
        return url.rstrip("/").removesuffix("/v1")

    @property
    def token_folder(self) -> Path | None:
        """Where refresh tokens that a server gave are kept from run to run; None where nothing is to be kept."""
        if self.state == "none":
            return None
        path = (self.state or "").removeprefix("sqlite:///")
        if path and "://" not in path:
            return Path(f"{path}.tokens")
        return None if self.state_folder is None else self.state_folder / "tokens"

    @property
    def state_folder(self) -> Path | None:
        """Where things are kept from run to run; None where there is no home."""
        if self.state_home is not None:
            return Path(self.state_home, "portsync")
        return None if self.home is None else Path(self.home, ".local", "state", "portsync")

    def secrets(self) -> tuple[str, ...]:
        """The values that must not appear in any output."""
        own = (self.client_secret.get_secret_value(),) if self.client_secret else ()
        return own + (self.source_auth.secrets() if self.source_auth else ())


def process_environment() -> Mapping[str, str]:
    """The environment of this process, less the variables that are set to nothing."""
    given = {name: value for name, value in os.environ.items() if value != ""}
    try:
        # A service may run without HOME; the system knows it all the same.
        return {"HOME": str(Path.home()), **given}
    except RuntimeError:
        return given


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that `environment` makes. Raises SettingsError with everything that is wrong."""
    problems: list[Problem] = []
    given: dict[str, Any] = dict(environment)
    sections: dict[str, Any] = {
        "source_auth": _auth(environment, problems),
        "source_pagination": _pagination(environment, problems),
    }
    given |= {name: section for name, section in sections.items() if section is not None}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems += [_located(details, environment) for details in error.errors()]
        raise SettingsError(*problems) from error
    if problems:
        raise SettingsError(*problems)
    return settings


def _located(details: ErrorDetails, environment: Mapping[str, str]) -> Problem:
    """The problem of a setting, under the name of the variable that it came from."""
    path, message, hint = details["loc"], details["msg"], details.get("ctx", {}).get("hint")
    own = {"source_auth": "PORTSYNC_SOURCE_AUTH", "source_pagination": "PORTSYNC_SOURCE_PAGINATION"}
    variable = own.get(str(path[0]))
    if variable is None:
        return _problem(str(path[0]), message, (), hint)
    if variable in environment:
        return _problem(variable, message, path[1:], hint)
    match path:
        case ("source_auth", str(kind), str(key), *rest) if key in _OCEAN_NAMES:
            variable = f"{_OCEAN_CONFIG}{_OCEAN_NAMES[key]}"
            if details["type"] == "missing" and not rest:
                return Problem("bad-setting", f"AUTH_TYPE {kind} needs {variable}, which is not set", place=variable)
            return _problem(variable, message, rest, hint)
        case _:
            return _problem(f"{_OCEAN_CONFIG}*", message, path[1:], hint)


def _problem(variable: str, message: str, path: Sequence[int | str], hint: str | None = None) -> Problem:
    where = f" {'.'.join(map(str, path))}:" if path else ""
    return Problem("bad-setting", f"the environment variable {variable}:{where} {message}", variable, hint)


def _json(text: str | None, variable: str, problems: list[Problem]) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        problems.append(_problem(variable, "is not JSON", ()))
        return None


def _auth(environment: Mapping[str, str], problems: list[Problem]) -> Any:
    """The authentication that the environment names, in the form of `source.auth`."""
    if "PORTSYNC_SOURCE_AUTH" in environment:
        return _json(environment["PORTSYNC_SOURCE_AUTH"], "PORTSYNC_SOURCE_AUTH", problems)

    def ocean(name: str) -> str | None:
        return environment.get(f"{_OCEAN_CONFIG}{name}") or environment.get(f"{_OCEAN_SECRETS}{name}")

    match ocean("AUTH_TYPE"):
        case None:
            return None
        case "none":
            return {"type": "none"}
        case "bearer" | "bearer_token":
            return _given(type="bearer", token=ocean("API_TOKEN") or ocean("TOKEN"))
        case "basic" | "basic_auth":
            return _given(type="basic", username=ocean("USERNAME"), password=ocean("PASSWORD"))
        case "api_key":
            return _given(type="api_key", key=ocean("API_KEY"), header=ocean("API_KEY_HEADER"))
        case "custom":
            text, variable = ocean("CUSTOM_AUTH_REQUEST"), f"{_OCEAN_CONFIG}CUSTOM_AUTH_REQUEST"
            request = _json(text, variable, problems)
            template = _json(ocean("CUSTOM_AUTH_REQUEST_TEMPLATE"), f"{variable}_TEMPLATE", problems)
            return None if problems else _given(type="custom", request=request, template=template)
        case other:
            problems.append(_unknown_auth(other))
            return None


def _unknown_auth(name: str) -> Problem:
    """Ocean sends no credentials then, without a word."""
    variable = f"{_OCEAN_CONFIG}AUTH_TYPE"
    message = f"`{name}` is none of none, bearer, bearer_token, basic, basic_auth, api_key and custom"
    hint = "every other kind of authentication goes into PORTSYNC_SOURCE_AUTH, as JSON"
    return Problem("bad-setting", f"the environment variable {variable}: {message}", variable, hint)


def _pagination(environment: Mapping[str, str], problems: list[Problem]) -> Any:
    """The paging that the environment names, in the form of `source.pagination`."""
    if "PORTSYNC_SOURCE_PAGINATION" in environment:
        return _json(environment["PORTSYNC_SOURCE_PAGINATION"], "PORTSYNC_SOURCE_PAGINATION", problems)

    def ocean(name: str) -> str | None:
        return environment.get(f"{_OCEAN_CONFIG}{name}")

    size = {"page_size": ocean("PAGE_SIZE")}
    more = ocean("HAS_MORE_PATH")
    match ocean("PAGINATION_TYPE"):
        case None:
            return None
        case "offset":
            names = {"offset_param": ocean("PAGINATION_PARAM"), "limit_param": ocean("SIZE_PARAM")}
            return _given(type="offset", **names, **size, has_more_path=more_in(more))
        case "page":
            names = {"page_param": ocean("PAGINATION_PARAM"), "size_param": ocean("SIZE_PARAM")}
            flag = more_in(more, ocean("LAST_PAGE_PATH"), by_number=True)
            return _given(type="page", **names, **size, start_page=ocean("START_PAGE"), has_more_path=flag)
        case "cursor":
            names = {"cursor_param": ocean("PAGINATION_PARAM"), "limit_param": ocean("SIZE_PARAM") or "limit"}
            cursor = cursor_in(ocean("CURSOR_PATH"))
            return _given(type="cursor", **names, **size, cursor_path=cursor, has_more_path=more_in(more))
        case "next_link":
            return {"type": "next_link", "next_link_path": link_in(ocean("NEXT_LINK_PATH"))}
        case "header_link":
            return _given(type="header_link", rel=ocean("HEADER_LINK_REL"))
        case other:
            return {"type": other}


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}

"""The environment, Ocean's names included. The mapping loader's `${NAME}` is given it from here too."""

from __future__ import annotations

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
from portsync.ocean_environment import (
    OCEAN_CONFIG,
    OCEAN_LISTENER,
    OCEAN_LISTENER_PARTS,
    auth_of,
    bad_setting,
    headers_of,
    listener_of,
    pagination_of,
    secret_headers,
    secrets_in_headers,
)
from portsync.pagination import AnyPaginator
from portsync.schedule import Schedule, read_schedule
from portsync.urls import fault_of, fault_of_base, passwords_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

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
_OWN_NAMES = {
    "listener": "PORTSYNC_LISTENER",
    "poll_every": "PORTSYNC_POLL_EVERY",
    "runs_at_start": "PORTSYNC_RUN_AT_START",
}
"""The variable in place of each part of Ocean's listener."""
_LAST_PORT = 65535
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
        None, validation_alias=_names("PORTSYNC_SOURCE_BASE_URL", f"{OCEAN_CONFIG}BASE_URL")
    )
    source_auth: AnyAuth | None = None
    source_pagination: AnyPaginator | None = None
    source_headers: dict[str, str] = Field(default_factory=dict)
    source_header_secrets: frozenset[str] = frozenset()
    """What was put into these headers from variables that secrets have."""
    source_timeout: Annotated[float | None, Field(gt=0, validation_alias=f"{OCEAN_CONFIG}TIMEOUT")] = None
    source_verify_tls: bool | None = Field(None, validation_alias=f"{OCEAN_CONFIG}VERIFY_SSL")
    source_concurrency: Annotated[
        int | None, Field(ge=1, le=1000, validation_alias=f"{OCEAN_CONFIG}MAX_CONCURRENT_REQUESTS")
    ] = None
    initialize_resources: bool = Field(
        True, validation_alias=_names("PORTSYNC_INITIALIZE_RESOURCES", "OCEAN__INITIALIZE_PORT_RESOURCES")
    )
    raw_examples: bool = Field(True, validation_alias=_names("PORTSYNC_RAW_EXAMPLES", "OCEAN__SEND_RAW_DATA_EXAMPLES"))
    mapping: str | None = Field(None, validation_alias="PORTSYNC_MAPPING")
    mapping_from: Literal["file", "port"] | None = Field(None, validation_alias="PORTSYNC_MAPPING_FROM")
    """Whose resources count where the file and Port's page both have some; None for those of the file."""
    port_may_read: Annotated[frozenset[str], Field(validation_alias="PORTSYNC_PORT_MAY_READ")] = frozenset()
    """The variables that a mapping from Port's page may name."""
    schedule: Annotated[
        Schedule | None, Field(validation_alias=_names("PORTSYNC_INTERVAL", "OCEAN__SCHEDULED_RESYNC_INTERVAL"))
    ] = None
    listener: Annotated[Literal["once", "poll"] | None, Field(validation_alias="PORTSYNC_LISTENER")] = None
    poll_every: Annotated[float, Field(ge=1, validation_alias="PORTSYNC_POLL_EVERY")] = 60.0
    """Seconds between two questions to Port whether somebody asked for a run."""
    runs_at_start: Annotated[bool, Field(validation_alias="PORTSYNC_RUN_AT_START")] = True
    listen: Annotated[str, Field(validation_alias="PORTSYNC_LISTEN")] = "127.0.0.1:8000"
    """Where `serve` answers."""
    http_token: Annotated[SecretStr | None, Field(validation_alias="PORTSYNC_HTTP_TOKEN")] = None
    """Opens `/resync` and `/runs`."""
    hook_queue: Annotated[int, Field(ge=1, validation_alias="PORTSYNC_HOOK_QUEUE")] = 100_000
    """How many live events may wait to be applied."""
    hook_body: Annotated[int, Field(ge=1, le=1 << 30, validation_alias="PORTSYNC_HOOK_BODY")] = 1 << 20
    """Bytes that the body of a live event may have."""
    state: str | None = Field(None, validation_alias="PORTSYNC_STATE")
    state_home: str | None = Field(None, validation_alias="XDG_STATE_HOME")
    home: str | None = Field(None, validation_alias="HOME")
    compare_every: Annotated[float, Field(validation_alias="PORTSYNC_COMPARE_EVERY")] = 86400.0
    """Seconds after which everything is compared with Port again; infinite for never."""
    jq_timeout: Annotated[float, Field(gt=0, validation_alias="PORTSYNC_JQ_TIMEOUT")] = 10.0
    jq_memory: Annotated[int, Field(ge=16, validation_alias="PORTSYNC_JQ_MEMORY")] = 512
    jq_workers: Annotated[int | None, Field(ge=1, le=256, validation_alias="PORTSYNC_JQ_WORKERS")] = None
    executor: Annotated[Literal["local", "dask"], Field(validation_alias="PORTSYNC_EXECUTOR")] = "local"
    """Who does the work of `sync`."""
    scheduler: Annotated[str | None, Field(validation_alias="PORTSYNC_SCHEDULER")] = None
    """The address of the Dask scheduler."""
    log_format: Literal["text", "json"] | None = Field(None, validation_alias="PORTSYNC_LOG_FORMAT")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "WARNING", validation_alias=_names("PORTSYNC_LOG_LEVEL", "OCEAN__LOG_LEVEL")
    )

    @field_validator("port_base_url", "source_base_url")
    @classmethod
    def _url(cls, url: str | None) -> str | None:
        if url is not None and (fault := fault_of(url) or fault_of_base(url)) is not None:
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

    @field_validator("schedule", mode="before")
    @classmethod
    def _schedule(cls, value: Any) -> Any:
        try:
            return read_schedule(value) if isinstance(value, str) else value
        except ValueError as error:
            raise PydanticCustomError("schedule", "{fault}", {"fault": str(error)}) from error

    @field_validator("port_may_read", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        return frozenset(filter(None, re.split(r"[,\s]+", value))) if isinstance(value, str) else value

    @field_validator("listen")
    @classmethod
    def _address(cls, value: str) -> str:
        if (
            re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}", value) is None
            or int(value.rsplit(":", 1)[1]) > _LAST_PORT
        ):
            raise PydanticCustomError("address", "an address with a port is wanted, such as 127.0.0.1:8000")
        return value

    @field_validator("compare_every", "poll_every", mode="before")
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
        own = tuple(secret.get_secret_value() for secret in (self.client_secret, self.http_token) if secret)
        own += (*self.source_header_secrets, *passwords_in(self.state or ""))
        return own + secret_headers(self.source_headers) + (self.source_auth.secrets() if self.source_auth else ())


def process_environment() -> Mapping[str, str]:
    """The environment of this process, less the variables that are set to nothing."""
    given = {name: value for name, value in os.environ.items() if value != ""}
    try:
        # A service may run without HOME; the system knows it all the same.
        return {"HOME": str(Path.home()), **given}
    except RuntimeError:
        return given


def is_setting(name: str) -> bool:
    """Whether a variable of this name is, or may be, one of portsync's settings."""
    return name.startswith(("PORT_", "PORTSYNC_", "OCEAN__"))


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that `environment` makes. Raises SettingsError with everything that is wrong."""
    problems: list[Problem] = []
    given: dict[str, Any] = dict(environment)
    sections: dict[str, Any] = {
        "source_auth": auth_of(environment, problems),
        "source_pagination": pagination_of(environment, problems),
        "source_headers": headers_of(environment, problems),
        "source_header_secrets": secrets_in_headers(environment),
    }
    given |= {name: section for name, section in sections.items() if section is not None}
    ocean = listener_of(environment, problems)
    given |= {_OWN_NAMES[name]: value for name, value in ocean.items() if _OWN_NAMES[name] not in environment}
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
    for name, own_name in _OWN_NAMES.items():
        if path[0] == own_name and own_name not in environment:
            part = OCEAN_LISTENER_PARTS[name]
            return bad_setting(part if part in environment else OCEAN_LISTENER, message, (), hint)
    own = {"source_auth": "PORTSYNC_SOURCE_AUTH", "source_pagination": "PORTSYNC_SOURCE_PAGINATION"}
    variable = own.get(str(path[0]))
    if variable is None:
        return bad_setting(str(path[0]), message, (), hint)
    if variable in environment:
        return bad_setting(variable, message, path[1:], hint)
    match path:
        case ("source_auth", str(kind), str(key), *rest) if key in _OCEAN_NAMES:
            variable = f"{OCEAN_CONFIG}{_OCEAN_NAMES[key]}"
            if details["type"] == "missing" and not rest:
                return Problem("bad-setting", f"AUTH_TYPE {kind} needs {variable}, which is not set", place=variable)
            return bad_setting(variable, message, rest, hint)
        case _:
            return bad_setting(f"{OCEAN_CONFIG}*", message, path[1:], hint)

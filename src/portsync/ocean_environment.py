"""What the environment variables of Port's Ocean framework say, in the form of portsync's own settings."""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from portsync.errors import Problem
from portsync.masking import is_secret_name
from portsync.pagination.ocean import cursor_in, link_in, more_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OCEAN_CONFIG = "OCEAN__INTEGRATION__CONFIG__"
OCEAN_SECRETS = "OCEAN__INTEGRATION__SECRETS__"
OCEAN_LISTENER = "OCEAN__EVENT_LISTENER"
OCEAN_LISTENER_PARTS = MappingProxyType(
    {
        "listener": "OCEAN__EVENT_LISTENER__TYPE",
        "poll_every": "OCEAN__EVENT_LISTENER__INTERVAL",
        "runs_at_start": "OCEAN__EVENT_LISTENER__RESYNC_ON_START",
    }
)
"""The variable of each part of the listener, by the setting behind it."""
_REFERENCE = re.compile(r"\$\{(\w+)\}")


def bad_setting(variable: str, message: str, path: Sequence[int | str] = (), hint: str | None = None) -> Problem:
    """The problem of an environment variable, at a place inside its value where that is JSON."""
    where = f" {'.'.join(map(str, path))}:" if path else ""
    return Problem("bad-setting", f"the environment variable {variable}:{where} {message}", variable, hint)


def read_json(text: str | None, variable: str, problems: list[Problem]) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        problems.append(bad_setting(variable, "is not JSON"))
        return None


def auth_of(environment: Mapping[str, str], problems: list[Problem]) -> Any:
    """The authentication that the environment names, in the form of `source.auth`."""
    if "PORTSYNC_SOURCE_AUTH" in environment:
        return read_json(environment["PORTSYNC_SOURCE_AUTH"], "PORTSYNC_SOURCE_AUTH", problems)

    def ocean(name: str) -> str | None:
        return environment.get(f"{OCEAN_CONFIG}{name}") or environment.get(f"{OCEAN_SECRETS}{name}")

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
            text, variable = ocean("CUSTOM_AUTH_REQUEST"), f"{OCEAN_CONFIG}CUSTOM_AUTH_REQUEST"
            request = read_json(text, variable, problems)
            template = read_json(ocean("CUSTOM_AUTH_REQUEST_TEMPLATE"), f"{variable}_TEMPLATE", problems)
            return None if problems else _given(type="custom", request=request, template=template)
        case other:
            problems.append(_unknown_auth(other))
            return None


def _unknown_auth(name: str) -> Problem:
    """Ocean sends no credentials then, without a word."""
    variable = f"{OCEAN_CONFIG}AUTH_TYPE"
    message = f"`{name}` is none of none, bearer, bearer_token, basic, basic_auth, api_key and custom"
    hint = "every other kind of authentication goes into PORTSYNC_SOURCE_AUTH, as JSON"
    return Problem("bad-setting", f"the environment variable {variable}: {message}", variable, hint)


def pagination_of(environment: Mapping[str, str], problems: list[Problem]) -> Any:
    """The paging that the environment names, in the form of `source.pagination`."""
    if "PORTSYNC_SOURCE_PAGINATION" in environment:
        return read_json(environment["PORTSYNC_SOURCE_PAGINATION"], "PORTSYNC_SOURCE_PAGINATION", problems)

    def ocean(name: str) -> str | None:
        return environment.get(f"{OCEAN_CONFIG}{name}")

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


def headers_of(environment: Mapping[str, str], problems: list[Problem]) -> dict[str, str] | None:
    """The headers of every request to the source, with `${NAME}` from the environment put in, as Ocean does."""
    variable = f"{OCEAN_CONFIG}CUSTOM_HEADERS"
    text = environment.get(variable)
    if text is None:
        return None
    value = read_json(text, variable, problems)
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        if not problems or problems[-1].place != variable:
            problems.append(bad_setting(variable, "is no JSON object of names and texts"))
        return None
    unset = sorted({name for each in value.values() for name in _REFERENCE.findall(each) if name not in environment})
    if unset:
        problems.append(bad_setting(variable, f"it names {' and '.join(unset)}, which {_is(unset)} not set"))
        return None
    return {name: _REFERENCE.sub(lambda found: environment[found[1]], each) for name, each in value.items()}


def secrets_in_headers(environment: Mapping[str, str]) -> frozenset[str]:
    """The values of the variables in Ocean's headers whose names are those of secrets."""
    names = _REFERENCE.findall(environment.get(f"{OCEAN_CONFIG}CUSTOM_HEADERS", ""))
    return frozenset(environment[name] for name in names if name in environment and is_secret_name(name.lower()))


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def secret_headers(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The values of headers that may hold credentials."""
    found = ((name.lower(), value) for name, value in headers.items())
    return tuple(value for name, value in found if is_secret_name(name) or name.endswith("key"))


def listener_of(environment: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """The settings behind Ocean's event listener: `listener`, `poll_every` and `runs_at_start`, as far as it says.

    Those that wait for events from Port's brokers or webhooks become polling, which needs neither.
    """
    text = environment.get(OCEAN_LISTENER)
    parts = {name: environment.get(variable) for name, variable in OCEAN_LISTENER_PARTS.items()}
    said = {} if text is None else _listener(text, problems, has_type=parts["listener"] is not None)
    # As in Ocean, a variable of a part counts more than the one of the whole.
    names = {**said, **_given(**parts)}
    if isinstance(names.get("listener"), str):
        listener = names["listener"].lower()
        names["listener"] = "poll" if listener in ("polling", "kafka", "webhook") else listener
    interval = names.get("poll_every")
    if isinstance(interval, str) and re.fullmatch(r"[0-9]+", interval):
        names["poll_every"] = int(interval)
    return names


def _listener(text: str, problems: list[Problem], *, has_type: bool) -> dict[str, Any]:
    """What one variable says of the whole listener: JSON, or only its type. `has_type` where another one says that."""
    value = read_json(text, OCEAN_LISTENER, problems) if text.lstrip().startswith("{") else {"type": text}
    if not isinstance(value, dict) or not isinstance(value.get("type", "" if has_type else None), str):
        if not problems:
            problems.append(bad_setting(OCEAN_LISTENER, 'has no "type"', hint='such as {"type":"POLLING"}'))
        return {}
    at_start = value.get("resync_on_start", value.get("resyncOnStart"))
    return _given(listener=value.get("type"), poll_every=value.get("interval"), runs_at_start=at_start)

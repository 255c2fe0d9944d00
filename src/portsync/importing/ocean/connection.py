"""The `source:` block that the environment of Ocean's custom integration makes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from portsync.importing.ocean.pagination import pagination
from portsync.importing.ocean.variables import OTHERS, READ_AT_RUN
from portsync.importing.tree import Mark, Tree
from portsync.masking import is_secret_name
from portsync.ocean_environment import OCEAN_CONFIG, OCEAN_SECRETS, auth_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portsync.errors import Problem
    from portsync.importing.notes import Notes
    from portsync.importing.ocean.environment import Setting

_SECRET = ("API_TOKEN", "TOKEN", "PASSWORD", "API_KEY")
_OF_AUTH = ("AUTH_TYPE", *_SECRET, "USERNAME", "API_KEY_HEADER", "CUSTOM_AUTH_REQUEST", "CUSTOM_AUTH_REQUEST_TEMPLATE")
_OF_PAGES = (
    "PAGINATION_TYPE", "PAGINATION_PARAM", "SIZE_PARAM", "PAGE_SIZE", "START_PAGE", "CURSOR_PATH", "HAS_MORE_PATH",
    "LAST_PAGE_PATH", "NEXT_LINK_PATH", "HEADER_LINK_REL",
)  # fmt: skip
_OF_REQUESTS = ("BASE_URL", "CUSTOM_HEADERS", "TIMEOUT", "VERIFY_SSL", "MAX_CONCURRENT_REQUESTS")
_KNOWN_TO_OCEAN = ("none", "bearer_token", "basic", "api_key", "custom")
_TRUE, _FALSE = frozenset({"true", "1", "yes", "on", "y", "t"}), frozenset({"false", "0", "no", "off", "n", "f"})


class Config:
    """The settings of the integration by their short names: `BASE_URL`, `AUTH_TYPE`."""

    def __init__(self, settings: Mapping[str, Setting], notes: Notes) -> None:
        self.settings = settings
        self.notes = notes

    def variable(self, name: str) -> str:
        """The variable that `name` is set by."""
        config, secret = f"{OCEAN_CONFIG}{name}", f"{OCEAN_SECRETS}{name}"
        return secret if config not in self.settings and secret in self.settings else config

    def __getitem__(self, name: str) -> str | None:
        setting = self.settings.get(self.variable(name))
        return None if setting is None else setting.value

    def lost(self, name: str, message: str, hint: str | None = None) -> None:
        self.notes.lost(self._place(name), f"{self.variable(name)}: {message}", hint)

    def said(self, name: str, message: str, hint: str | None = None) -> None:
        self.notes.said(self._place(name), f"{self.variable(name)}: {message}", hint)

    def _place(self, name: str) -> Any:
        setting = self.settings.get(self.variable(name))
        return None if setting is None else setting.place


def connection(settings: Mapping[str, Setting], notes: Notes) -> Tree:
    """The block, in which secrets are references to the variables that hold them now."""
    config = Config(settings, notes)
    found: Tree = {}
    if (url := config["BASE_URL"]) is None:
        message = "the base URL is not in the environment that was given"
        notes.said(None, message, f"add `base_url` to `source`, or set {OCEAN_CONFIG}BASE_URL")
    else:
        found["base_url"] = url.replace("${", "$${")
    found["auth"] = _auth(config)
    found["headers"] = _headers(config)
    found["pagination"] = pagination(config)
    found |= _limits(config)
    _say_the_rest(config)
    places = {key: settings[config.variable(name)].place for key, name in _places(config)}
    return {**{key: value for key, value in found.items() if value is not None}, Mark.PLACES: places}


def _places(config: Config) -> Iterator[tuple[str, str]]:
    names = {
        "base_url": "BASE_URL",
        "auth": "AUTH_TYPE",
        "headers": "CUSTOM_HEADERS",
        "pagination": "PAGINATION_TYPE",
        "timeout": "TIMEOUT",
        "verify_tls": "VERIFY_SSL",
        "concurrency": "MAX_CONCURRENT_REQUESTS",
    }
    return ((key, name) for key, name in names.items() if config[name] is not None)


def _auth(config: Config) -> Any:
    kind = config["AUTH_TYPE"]
    given = {name: setting.value for name, setting in config.settings.items()}
    for name in _SECRET:
        variable = config.variable(name)
        if variable in given:
            given[variable] = f"${{{variable}}}"
            config.said(name, "the secret is not in the mapping, which takes it from this variable", "keep it set")
    if kind is None:
        for name in _OF_AUTH[1:]:
            if config[name] is not None:
                config.said(name, "is without effect, because AUTH_TYPE is not set: no credentials are sent")
        return None
    problems: list[Problem] = []
    auth = auth_of(given, problems)
    for problem in problems:
        config.lost("AUTH_TYPE" if "AUTH_TYPE" in problem.message else "CUSTOM_AUTH_REQUEST", _clause(problem.message))
    if kind not in _KNOWN_TO_OCEAN and not problems:
        config.said("AUTH_TYPE", f"with `{kind}` Ocean sends no credentials; here they are sent")
    if kind == "basic" and config["PASSWORD"] is None:
        config.said("AUTH_TYPE", "with an empty password Ocean sends no credentials; here the user name is sent")
    if isinstance(auth, dict) and auth["type"] == "custom":
        auth["type"] = "login"
    return auth


def _clause(message: str) -> str:
    """What a problem of the environment says, without the name of the variable."""
    return message.partition(":")[2].strip() or message


def _headers(config: Config) -> Any:
    text = config["CUSTOM_HEADERS"]
    if text is None:
        return None
    try:
        headers = json.loads(text)
    except (ValueError, RecursionError):
        config.lost("CUSTOM_HEADERS", "is not JSON")
        return None
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        config.lost("CUSTOM_HEADERS", "is no JSON object of names and texts")
        return None
    config.said("CUSTOM_HEADERS", "Ocean drops these headers; here they are sent")
    return headers


def _limits(config: Config) -> Tree:
    found: Tree = {}
    if (seconds := config["TIMEOUT"]) is not None:
        if re.fullmatch(r"\d{1,6}(\.\d+)?", seconds):
            found["timeout"] = float(seconds) if "." in seconds else int(seconds)
            config.said("TIMEOUT", "counts from now on; Ocean ignores it")
        else:
            config.lost("TIMEOUT", "is no number of seconds")
    if (verify := config["VERIFY_SSL"]) is not None:
        if verify.lower() in _TRUE | _FALSE:
            found["verify_tls"] = verify.lower() in _TRUE
        else:
            config.lost("VERIFY_SSL", "is neither true nor false")
    if (requests := config["MAX_CONCURRENT_REQUESTS"]) is not None:
        if re.fullmatch(r"\d{1,4}", requests):
            found["concurrency"] = int(requests)
            if int(requests) > 10:  # noqa: PLR2004 - Ocean's own limit
                config.said("MAX_CONCURRENT_REQUESTS", "counts as it stands; Ocean never goes beyond 10")
        else:
            config.lost("MAX_CONCURRENT_REQUESTS", "is no number of requests")
    return found


def _say_the_rest(config: Config) -> None:
    """What becomes of the variables that are no part of the connection."""
    known = {
        f"{prefix}{name}" for name in (*_OF_AUTH, *_OF_PAGES, *_OF_REQUESTS) for prefix in (OCEAN_CONFIG, OCEAN_SECRETS)
    }
    for variable, setting in config.settings.items():
        if not variable.startswith("OCEAN__"):
            if is_secret_name(variable.lower()):
                config.notes.said(setting.place, f"{variable} is not in the mapping; expressions cannot read it")
        elif variable in READ_AT_RUN:
            config.notes.said(setting.place, f"{variable} stays in the environment, where portsync reads it")
        elif variable in OTHERS:
            config.notes.said(setting.place, f"{variable} {OTHERS[variable]}")
        elif variable.startswith((OCEAN_CONFIG, OCEAN_SECRETS)):
            if variable not in known:
                config.notes.said(setting.place, f"{variable} is left out: Ocean's custom integration drops it, too")
        else:
            config.notes.lost(setting.place, f"{variable} has no counterpart in portsync")

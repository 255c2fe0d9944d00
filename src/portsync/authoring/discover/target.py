"""What the user named, as the `source` section of a mapping and the endpoints to begin with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from portsync.authoring.discover.naming import is_version
from portsync.authoring.discover.proposal import Confidence, Endpoint, Proposal
from portsync.errors import Problem, SettingsError
from portsync.masking import is_secret_name
from portsync.urls import fault_of, origin_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portsync.flow import Json

_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:\s*(.*)", re.DOTALL)
_AS_HINT = "write bearer, basic, header:NAME or query:NAME"
_BASIC = 2
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked, and as whom."""

    source: Mapping[str, Json]
    """The `source` section, with `${NAME}` in place of every credential."""
    endpoints: tuple[Endpoint, ...] = ()
    is_bare: bool = False
    """Whether the address is only where an API begins."""
    given: Mapping[str, str] = field(default_factory=dict)
    """Values of variables that stood in options or in the URL, where no secret may be written down."""
    notes: tuple[Proposal[str], ...] = ()
    """What was made of such a value."""


def auth_section(variables: Sequence[str], manner: str) -> dict[str, Json] | None:
    """The `auth` section for credentials in these variables; None without any. Raises SettingsError."""
    if not variables:
        return None
    if any(_NAME.fullmatch(name) is None for name in variables):
        raise _wrong("--auth-env takes the name of a variable, not a credential", "--auth-env", "such as API_TOKEN")
    texts = [f"${{{name}}}" for name in variables]
    kind, _, name = manner.partition(":")
    if kind == "basic" and len(texts) <= _BASIC and not name:
        return {"type": "basic", "username": texts[0], **({"password": texts[1]} if len(texts) == _BASIC else {})}
    if len(texts) > 1:
        raise _wrong(f"--auth-as {kind} takes one --auth-env, not {len(texts)}", "--auth-env", None)
    if kind == "bearer" and not name:
        return {"type": "bearer", "token": texts[0]}
    if kind in ("header", "query") and name:
        return {"type": "api_key", "key": texts[0], kind: name}
    raise _wrong(f"--auth-as `{manner}` is no way to carry credentials", "--auth-as", _AS_HINT)


def headers_section(headers: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The `headers` section of `--header "Name: value"`, and the values that variables stand for in it: what is secret
    by its name is not written down. Raises SettingsError."""
    section: dict[str, str] = {}
    given: dict[str, str] = {}
    for text in headers:
        found = _HEADER.fullmatch(text.strip())
        if found is None:
            raise _wrong(
                "--header is not of the form `Name: value`", "--header", "such as --header 'Accept: text/json'"
            )
        name, value = found[1], found[2].strip()
        is_secret = is_secret_name(name) or name.lower().endswith("key")
        if is_secret and "${" not in value:
            variable = _variable(name)
            given[variable] = value
            value = f"${{{variable}}}"
        section[name] = value
    return section, given


def target_of_url(url: str, source: Mapping[str, Json], *, method: str = "GET", body: Json = None) -> Target:
    """The target of an address. `source` has what is known beside the base URL; where it names one, `url` has to be
    below it. Raises SettingsError."""
    address, fragment, _ = url.partition("#")
    if fragment:
        url = address
    if (fault := fault_of(url)) is not None:
        raise _wrong(f"the URL {fault}", "URL", "write it as https://host/path; credentials go into --auth-env")
    parts = urlsplit(url)
    query, secret = _query(parts.query)
    base_url = source.get("base_url")
    is_bare = not query and method == "GET" and _is_bare(parts.path)
    if isinstance(base_url, str):
        if not f"{url.partition('?')[0]}/".startswith(f"{base_url.rstrip('/')}/"):
            message = (
                "the URL is not below the base URL of the mapping or of the environment, whose settings it is to use"
            )
            raise _wrong(message, "URL", "name the path alone, or leave the other settings out")
        base_url = base_url.rstrip("/")
    else:
        base_url = origin_of(url) + (parts.path.rstrip("/") if is_bare else "")
    path = url.partition("?")[0].removeprefix(base_url) or "/"
    kind = f"/{path.lstrip('/')}" + (f"?{query}" if query else "")
    section: dict[str, Json] = {
        "base_url": base_url,
        **{key: value for key, value in source.items() if key != "base_url"},
    }
    given: dict[str, str] = {}
    notes: tuple[Proposal[str], ...] = ()
    if secret is not None and "auth" not in section:
        name, value = secret
        variable = _variable(name)
        given[variable] = value
        section["auth"] = {"type": "api_key", "query": name, "key": f"${{{variable}}}"}
        reason = f"the query parameter `{name}` has the name of a secret; ${variable} stands for it from now on"
        notes = (Proposal("auth", Confidence.LIKELY, reason),)
    endpoint = Endpoint(kind, "named by you", method, body=body)
    return Target(section, (endpoint,), is_bare=is_bare, given=given, notes=notes)


def _query(query: str) -> tuple[str, tuple[str, str] | None]:
    """The query without the parameter whose name is that of a secret, and that one."""
    kept: list[str] = []
    secret: tuple[str, str] | None = None
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        if secret is None and value and (is_secret_name(unquote(name)) or unquote(name).lower() in ("key", "apikey")):
            secret = next(iter(parse_qsl(part)))
        else:
            kept.append(part)
    return "&".join(kept), secret


def _is_bare(path: str) -> bool:
    """Whether a path says nothing but which version of an API it is."""
    parts = [part for part in path.split("/") if part]
    return all(is_version(part) for part in parts)


def _variable(name: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") or "SECRET"


def _wrong(message: str, place: str, hint: str | None) -> SettingsError:
    return SettingsError(Problem("bad-target", message, place, hint))

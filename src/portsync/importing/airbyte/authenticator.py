"""The authenticators of a manifest as `source.auth`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.importing.durations import seconds_of
from portsync.importing.names import path_of

if TYPE_CHECKING:
    from portsync.importing.airbyte.component import Component
    from portsync.importing.tree import Tree

_GRANTS = ("refresh_token", "client_credentials", "password")
_JWT_HEADERS = ("kid", "typ", "cty")
_JWT_CLAIMS = ("iss", "sub", "aud")
_TOKEN_NAMES = {
    "client_id_name": "client_id",
    "client_secret_name": "client_secret",
    "refresh_token_name": "refresh_token",
    "access_token_name": "access_token",
    "expires_in_name": "expires_in",
    "grant_type_name": "grant_type",
}


def auth_of(component: Component) -> Tree | None:
    """The section for an authenticator; None where there is none to say, which was listed."""
    match component.type:
        case "NoAuth":
            found: Tree | None = {"type": "none"}
        case "BearerAuthenticator":
            found = _if_whole({"type": "bearer", "token": component.fixed("api_token")}, "token")
        case "BasicHttpAuthenticator":
            names = {name: component.fixed(name) for name in ("username", "password")}
            found = _if_whole({"type": "basic", **names}, "username")
        case "ApiKeyAuthenticator":
            found = _api_key(component)
        case "OAuthAuthenticator":
            found = _oauth(component)
        case "JwtAuthenticator":
            found = _jwt(component)
        case "SessionTokenAuthenticator":
            found = _session(component)
        case other:
            component.notes.lost(
                component.place,
                f"the authentication `{other}` has no counterpart",
                "write `source.auth` by hand: docs/reference/mapping.md lists the types",
            )
            return None
    component.close()
    return found


def _if_whole(section: Tree, *needed: str) -> Tree | None:
    found = {name: value for name, value in section.items() if value not in (None, "")}
    return found if all(name in found for name in needed) else None


def _api_key(component: Component) -> Tree | None:
    key, header = component.fixed("api_token"), component.fixed("header")
    option = component.component("inject_into", "RequestOption")
    if option is None:
        return _if_whole({"type": "api_key", "header": header, "key": key}, "key")
    place, name = option.text("inject_into"), option.fixed("field_name")
    option.close()
    where = {"header": "header", "request_parameter": "query"}.get(place or "")
    if where is None or name is None:
        component.notes.lost(option.place, "a key can be put into a header or the query, and into nothing else")
        return None
    return _if_whole({"type": "api_key", where: name, "key": key}, "key")


def _oauth(component: Component) -> Tree | None:
    for name, usual in _TOKEN_NAMES.items():
        given = component.text(name)
        if given not in (None, usual):
            component.notes.lost(component.place, f"`{name}: {given}`: a token endpoint is asked with the usual names")
    grant = component.fixed("grant_type") or "refresh_token"
    params = dict(_texts(component.fixed_value("refresh_request_body")))
    found: Tree = {
        "type": "oauth2",
        "token_url": component.fixed("token_refresh_endpoint"),
        "grant": grant if grant in _GRANTS else "client_credentials",
        **{name: component.fixed(name) for name in ("client_id", "client_secret")},
        "scopes": component.fixed_value("scopes"),
        # Airbyte puts id and secret into the form.
        "client_auth": "body",
        "headers": component.fixed_value("refresh_request_headers"),
    }
    refresh_token = component.fixed("refresh_token")
    if found["grant"] == "refresh_token":
        found["refresh_token"] = refresh_token
    if found["grant"] == "password":
        found |= {name: params.pop(name, None) for name in ("username", "password")}
    if grant not in _GRANTS:
        params["grant_type"] = grant
    found["params"] = params or None
    component.skip("token_expiry_date", "token_expiry_date_format", "access_token_value", "refresh_token_updater")
    component.skip("refresh_token_error_status_codes", "refresh_token_error_key", "refresh_token_error_values")
    component.drop("send_refresh_request_as_query_params", "the fields of a token's request go into a form")
    component.drop("use_profile_assertion", "write `grant: jwt_bearer` with an `assertion`")
    component.drop("profile_assertion", "write `grant: jwt_bearer` with an `assertion`")
    needed = {"refresh_token": ("refresh_token",), "password": ("username", "password")}
    wanted = ("token_url", *needed.get(str(found["grant"]), ("client_id", "client_secret")))
    section = _if_whole(found, *wanted)
    if section is None:
        names = " and ".join(f"`{name}`" for name in wanted)
        component.notes.lost(component.place, f"OAuthAuthenticator: {names} are needed for this grant")
    return section


def _texts(value: Any) -> list[tuple[str, str]]:
    """The members of a form whose values are texts or numbers."""
    members = value.items() if isinstance(value, dict) else ()
    return [(name, str(item)) for name, item in members if isinstance(item, str | int | float)]


def _jwt(component: Component) -> Tree | None:
    headers = {
        **_fields(component, "jwt_headers", _JWT_HEADERS),
        **dict(_texts(component.fixed_value("additional_jwt_headers"))),
    }
    claims = {
        **_fields(component, "jwt_payload", _JWT_CLAIMS),
        **(component.fixed_value("additional_jwt_payload") or {}),
    }
    found: Tree = {
        "type": "jwt",
        "algorithm": component.text("algorithm"),
        "key": component.fixed("secret_key"),
        "claims": claims or None,
        "headers": headers or None,
        "lifetime": component.integer("token_duration") or 1200,
        "scheme": component.fixed("header_prefix"),
    }
    component.drop("base64_encode_secret_key", "a key is taken as it is", "encode it before you set the variable")
    component.drop("passphrase", "a key with a passphrase cannot be used", "write it without one")
    option = component.component("request_option", "RequestOption")
    if option is not None:
        name = option.fixed("field_name")
        if option.text("inject_into") == "header":
            found["header"] = name
        else:
            component.notes.lost(option.place, "a signed token can be put into a header, and into nothing else")
        option.close()
    found = {name: value for name, value in found.items() if value is not None}
    return found if "algorithm" in found and "key" in found else None


def _fields(component: Component, name: str, known: tuple[str, ...]) -> Tree:
    inner = component.component(name)
    if inner is None:
        return {}
    found = {key: inner.fixed(key) for key in known}
    inner.close()
    return {key: value for key, value in found.items() if value is not None}


def _session(component: Component) -> Tree | None:
    requester = component.component("login_requester", "HttpRequester")
    path = [piece.plain for piece in component.items("session_token_path")]
    how = component.component("request_authentication")
    life = component.text("expiration_duration")
    component.skip("decoder")
    if requester is None or how is None or not path or not all(isinstance(part, str | int) for part in path):
        component.notes.lost(
            component.place, "a login needs `login_requester`, `session_token_path` and `request_authentication`"
        )
        return None
    request = _login_request(requester)
    span = f"{{{{{path_of(path)}}}}}"
    template: Tree | None = {"headers": {"Authorization": f"Bearer {span}"}}
    if how.type.startswith(("ApiKey", "SessionTokenRequestApiKey")):
        template = _carried(how, span)
    how.close()
    if request is None or template is None:
        return None
    found: Tree = {"type": "login", "request": request, "template": template}
    seconds = None if life is None else seconds_of(life)
    if seconds is not None and seconds >= 1:
        found["reauthenticate_interval"] = int(seconds)
    elif life is not None:
        component.notes.lost(component.place, "`expiration_duration` is no duration such as PT1H")
    return found


def _carried(how: Component, span: str) -> Tree | None:
    option = how.component("inject_into", "RequestOption")
    text = how.text("api_token") or "{{ session_token }}"
    name = None if option is None else option.fixed("field_name")
    place = "" if option is None else option.text("inject_into")
    section = {"header": "headers", "request_parameter": "query_params"}.get(place or "")
    if option is not None:
        option.close()
    if section is None or name is None or "session_token" not in text:
        how.notes.lost(how.place, "the token of a login can be put into a header or the query, and into nothing else")
        return None
    before, _, after = text.partition("{{")
    return {section: {name: f"{before}{span}{after.partition('}}')[2]}"}}


def _login_request(requester: Component) -> Tree | None:
    base = requester.fixed("url_base") or requester.fixed("url")
    path = requester.fixed("path")
    if requester.component("authenticator") is not None:
        requester.drop("authenticator", "a login is made with its own fields alone")
        return None
    headers = requester.fixed_value("request_headers")
    found: Tree = {
        "path": _joined(base, path),
        "method": (requester.text("http_method") or "POST").upper(),
        "headers": headers if isinstance(headers, dict) else None,
        "body": requester.fixed_value("request_body_json"),
        "body_form": requester.fixed_value("request_body_data"),
        "query_params": requester.fixed_value("request_parameters"),
    }
    requester.skip("error_handler", "use_cache")
    requester.close()
    return {name: value for name, value in found.items() if value not in (None, "", {})} if found["path"] else None


def _joined(base: str | None, path: str | None) -> str | None:
    if base is None or path is None:
        return base or path
    return f"{base.rstrip('/')}/{path.lstrip('/')}"

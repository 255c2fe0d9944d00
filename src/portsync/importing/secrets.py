"""Keep secrets out of the mapping: what looks like one becomes `${NAME}`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from portsync.auth.secret import secrets_in
from portsync.importing.names import variable_name
from portsync.importing.tree import Tree, place_in, plain
from portsync.masking import is_secret_name

if TYPE_CHECKING:
    from portsync.importing.notes import Notes
    from portsync.mapping.places import Path

_SCHEMED = re.compile(r"(?i)((?:basic|bearer|token|apikey|key) +)(\S.*)", re.DOTALL)
_TAKES = re.compile(r"(?<!\$)\$\{|\{\{")
"""What a text has that takes its secret from elsewhere."""
_OF_AUTH = frozenset({"token", "password", "key", "client_secret", "refresh_token", "assertion", "tokens"})
_FREE_OF_AUTH = frozenset({"headers", "body", "body_form", "bodyForm", "query_params", "queryParams", "params"})
_REQUESTS = frozenset({"headers", "query_params", "body"})


def without_secrets(document: Tree, notes: Notes) -> Tree:
    """`document` with a variable in place of every literal text that stands where secrets do."""
    hiding = _Hiding(document, notes)
    found = hiding.document(document)
    assert isinstance(found, dict)
    return found


class _Hiding:
    """One walk over a document. A value that comes twice has one name."""

    def __init__(self, document: Tree, notes: Notes) -> None:
        self._document = document
        self._notes = notes
        self._names: dict[str, str] = {}

    def document(self, tree: Tree) -> Tree:
        changed = dict(tree)
        if isinstance(source := tree.get("source"), dict):
            changed["source"] = self._source(source)
        if isinstance(resources := tree.get("resources"), list):
            changed["resources"] = [self._resource(each, index) for index, each in enumerate(resources)]
        return changed

    def _source(self, source: Tree) -> Tree:
        changed = dict(source)
        if isinstance(url := source.get("base_url"), str):
            changed["base_url"] = self._url(url)
        if isinstance(auth := source.get("auth"), dict):
            changed["auth"] = {key: self._of_auth(item, ("source", "auth", key)) for key, item in auth.items()}
        if "headers" in source:
            changed["headers"] = self._named(source["headers"], ("source", "headers"))
        return changed

    def _url(self, url: str) -> str:
        try:
            parts = urlsplit(url)
            has_credentials = parts.username is not None or parts.password is not None
        except ValueError:
            return url
        if not has_credentials:
            return url
        place = place_in(self._document, ("source", "base_url"))
        hint = "write them into `auth`, such as {type: basic, username: ..., password: '${PASSWORD}'}"
        self._notes.lost(place, "the credentials in the base URL are left out", hint)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def _of_auth(self, value: Any, path: Path) -> Any:
        key = path[-1]
        match value:
            case str() if key in _OF_AUTH or (key == "username" and self._is_alone(path)):
                return self._hidden(value, path)
            case dict() if key in _FREE_OF_AUTH:
                return self._free(value, path)
            case dict():
                return {name: self._of_auth(item, (*path, name)) for name, item in value.items()}
            case list() if key in _OF_AUTH:
                return [
                    self._hidden(item, (*path, i)) if isinstance(item, str) else item for i, item in enumerate(value)
                ]
            case _:
                return value

    def _is_alone(self, path: Path) -> bool:
        """Whether the user name is the only credential, as where a key stands in its place."""
        auth = self._document["source"]["auth"]
        return path == ("source", "auth", "username") and not auth.get("password")

    def _free(self, value: Any, path: Path) -> Any:
        """A free part of `auth`, such as a login's body: there is more in it that may be secret than elsewhere."""
        match value:
            case dict():
                return {name: self._free(item, (*path, name)) for name, item in value.items()}
            case list():
                return [self._free(item, (*path, index)) for index, item in enumerate(value)]
            case str() if any(secrets_in(value, str(path[-1]))):
                return self._hidden(value, path)
            case _:
                return value

    def _resource(self, resource: Any, index: int) -> Any:
        if not isinstance(resource, dict):
            return resource
        changed, path = dict(resource), ("resources", index)
        selector = resource.get("selector")
        changed["kind"], query = self._kind(resource.get("kind"), (*path, "kind"))
        if query or isinstance(selector, dict):
            changed["selector"] = self._request(selector or {}, (*path, "selector"), query)
        # The order of an ordinary mapping, where a selector was added.
        last = {key: changed.pop(key) for key in ("port",) if key in changed}
        return {**changed, **last}

    def _kind(self, kind: Any, path: Path) -> tuple[Any, Tree]:
        """A path without the secrets in its query, and these as parameters: nothing is put into a path."""
        if not isinstance(kind, str) or "?" not in kind:
            return kind, {}
        before, _, query = kind.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        secret = {name: self._hidden(text, (*path, name)) for name, text in pairs if is_secret_name(name)}
        secret = {name: text for name, text in secret.items() if "${" in text}
        if not secret:
            return kind, {}
        kept = urlencode([pair for pair in pairs if pair[0] not in secret])
        return (f"{before}?{kept}" if kept else before), secret

    def _request(self, request: Tree, path: Path, query: Tree | None = None) -> Tree:
        changed = dict(request)
        if query:
            changed["query_params"] = {**request.get("query_params", {}), **query}
        for key in _REQUESTS & changed.keys():
            changed[key] = self._named(changed[key], (*path, key))
        if isinstance(parameters := request.get("path_parameters"), dict):
            changed["path_parameters"] = {
                name: self._request(item, (*path, "path_parameters", name)) if isinstance(item, dict) else item
                for name, item in parameters.items()
            }
        return changed

    def _named(self, value: Any, path: Path) -> Any:
        """A part of a request: secrets are known by the names that they stand under."""
        match value:
            case dict():
                return {name: self._named(item, (*path, name)) for name, item in value.items()}
            case list():
                return [self._named(item, path) for item in value]
            case str() if is_secret_name(str(path[-1])):
                return self._hidden(value, path)
            case _:
                return value

    def _hidden(self, text: str, path: Path) -> str:
        if not text or _TAKES.search(text):
            return text
        schemed = _SCHEMED.fullmatch(text)
        scheme, secret = (schemed[1], schemed[2]) if schemed else ("", text)
        if secret not in self._names:
            self._names[secret] = self._name(path)
            place = place_in(self._document, path)
            name = self._names[secret]
            self._notes.said(place, f"the secret here is not in the mapping, which takes it from {name}", f"set {name}")
        return f"{scheme}${{{self._names[secret]}}}"

    def _name(self, path: Path) -> str:
        parts = [part for part in path[-1:] if isinstance(part, str)] or ["secret"]
        name = variable_name(["source", *parts])
        taken, number = set(self._names.values()) | _references(plain(self._document)), 2
        while name in taken:
            name, number = f"{name.rstrip('0123456789').rstrip('_')}_{number}", number + 1
        return name


def _references(document: Any) -> set[str]:
    return set(re.findall(r"\$\{(\w+)", str(document)))

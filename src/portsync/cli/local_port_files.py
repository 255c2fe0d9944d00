"""The files that `portsync emulate` takes: who the users are, and what goes wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from portsync.emulator.errors import ApiError
from portsync.emulator.faults import FaultReader
from portsync.emulator.identifiers import is_entity_identifier
from portsync.emulator.system_blueprints import STATUSES, User
from portsync.errors import Problem, SettingsError
from portsync.mapping.explain import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_USER_KEYS = ("email", "name", "title", "status", "teams")
_LIST = re.compile(r"\A(?:\s|#.*\n|---\s)*[-\[]")
"""What a file begins with that is a list in YAML or JSON, and not one address in each line."""
Fault = tuple[str, str | None]
"""What is wrong, and what to do about it."""


def read_users(path: Path) -> list[User]:
    """The users of a file: one e-mail address in each line, or a YAML or JSON list of addresses and of
    `{email, name or title, status, teams}`. Raises SettingsError with all that is wrong."""
    text = _text(path, "bad-users")
    given = _items(path, text, "bad-users") if _LIST.match(text) else _lines(text)
    users: dict[str, User] = {}
    problems: list[Problem] = []
    for line, value in given:
        fault = _fault_of_user(value, users)
        if fault is None:
            user = User(value) if isinstance(value, str) else _user(value)
            users[user.email] = user
        else:
            problems.append(Problem("bad-users", *fault[:1], f"{path}:{line}", fault[1]))
    if problems:
        raise SettingsError(*problems)
    return list(users.values())


def read_faults(path: Path) -> list[dict[str, Any]]:
    """The rules of a YAML or JSON list, in the form of docs/reference/local-port.md. Raises SettingsError with all that
    is wrong."""
    reader = FaultReader()
    rules: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for line, rule in _items(path, _text(path, "bad-faults"), "bad-faults"):
        try:
            reader.read([rule])
            rules.append(rule)
        except ApiError as error:
            message = error.message.replace('"body.0"', "the rule").replace('"body.0.', '"')
            hint = "the keys of a rule are in docs/reference/local-port.md"
            problems.append(Problem("bad-faults", message, f"{path}:{line}", hint))
    if problems:
        raise SettingsError(*problems)
    return rules


def _text(path: Path, code: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(Problem(code, f"the file cannot be read: {error.strerror}", str(path))) from error
    except UnicodeDecodeError as error:
        raise SettingsError(Problem(code, "the file is not UTF-8", str(path), "save it as UTF-8")) from error


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        word = line.partition("#")[0].strip()
        if word:
            yield number, word


def _items(path: Path, text: str, code: str) -> list[tuple[int, Any]]:
    """The items of a list, each with the line on which it begins."""
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.SequenceNode):
            place = f"{path}:{1 if root is None else root.start_mark.line + 1}"
            raise SettingsError(Problem(code, "the file is not a list", place, "begin each item with `- `"))
        return [(node.start_mark.line + 1, loader.construct_document(node)) for node in root.value]
    except yaml.MarkedYAMLError as error:
        line = 1 if error.problem_mark is None else error.problem_mark.line + 1
        raise SettingsError(Problem(code, f"not YAML: {error.problem}", f"{path}:{line}")) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise SettingsError(Problem(code, "the file cannot be read as YAML", str(path))) from error
    finally:
        loader.dispose()


def _user(value: dict[str, Any]) -> User:
    title = value.get("name", value.get("title"))
    return User(value["email"], title, value.get("status", "Active"), tuple(value.get("teams", ())))


def _fault_of_user(value: Any, others: dict[str, User]) -> Fault | None:
    """What is wrong with one of the list, or None."""
    if isinstance(value, str):
        value = {"email": value}
    if not isinstance(value, dict):
        return "a user is an e-mail address, or keys of which one is `email`", None
    for key in value:
        if key not in _USER_KEYS:
            return f"a user has no key `{key}`", did_you_mean(str(key), _USER_KEYS) or f"known: {', '.join(_USER_KEYS)}"
    return _fault_of_email(value, others) or _fault_of_rest(value)


def _fault_of_email(value: dict[str, Any], others: dict[str, User]) -> Fault | None:
    email = value.get("email")
    if not isinstance(email, str) or "@" not in email or not is_entity_identifier(email):
        return (f"`{email}` is not an e-mail address" if "email" in value else "the key `email` is missing"), None
    return (f"`{email}` is there already", "remove one") if email in others else None


def _fault_of_rest(value: dict[str, Any]) -> Fault | None:
    if value.get("status", "Active") not in STATUSES:
        return f"`{value['status']}` is not a status of a user", f"one of {', '.join(STATUSES)}"
    if "name" in value and "title" in value:
        return "`name` and `title` mean the same", "remove one"
    if not isinstance(value.get("name", value.get("title", "")), str):
        return "the name is not text", None
    teams = value.get("teams", [])
    if not isinstance(teams, list) or not all(isinstance(team, str) and is_entity_identifier(team) for team in teams):
        return "`teams` is not a list of identifiers", "letters, digits and @ _ . + : / = - make an identifier"
    return None

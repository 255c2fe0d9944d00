"""Ocean's paging, which holds for all resources, and what it did wrong without a word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from portsync.ocean_environment import OCEAN_CONFIG, pagination_of
from portsync.pagination.paths import as_jq

if TYPE_CHECKING:
    from portsync.importing.ocean.connection import Config
    from portsync.importing.tree import Tree

_PLAIN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_NUMBERS = ("page_size", "start_page")
_TYPES = ("none", "offset", "page", "cursor", "next_link", "header_link")


def pagination(config: Config) -> Tree | None:
    """`source.pagination`; None where there is none."""
    kind = config["PAGINATION_TYPE"]
    if kind is None:
        return None
    if kind not in _TYPES:
        config.lost("PAGINATION_TYPE", f"`{kind}` is no type of paging; Ocean reads one page then, without a word")
        return None
    names = {f"{OCEAN_CONFIG}{n}": s.value for n, s in _short(config)}
    made: Any = pagination_of(names, [])
    for name in _NUMBERS:
        if name in made:
            made[name] = int(made[name]) if re.fullmatch(r"\d{1,9}", made[name]) else made[name]
    if (path := config["CURSOR_PATH"]) is not None and kind == "cursor":
        made["cursor_path"] = _at(path)
        if config["HAS_MORE_PATH"] == path:
            made.pop("has_more_path", None)
            config.said(
                "HAS_MORE_PATH", "is left out: it repeats the cursor, which Ocean needs to go on and portsync does not"
            )
    elif kind == "cursor":
        made["has_more_path"] = _in_one_line(made["has_more_path"])
    if (path := config["NEXT_LINK_PATH"]) is not None and kind == "next_link":
        made["next_link_path"] = _at(path)
    _say_what_changes(kind, config)
    return {name: _in_one_line(value) if isinstance(value, str) else value for name, value in made.items()}


def _short(config: Config) -> list[tuple[str, Any]]:
    prefix = len(OCEAN_CONFIG)
    return [(name[prefix:], setting) for name, setting in config.settings.items() if name.startswith(OCEAN_CONFIG)]


def _at(path: str) -> str:
    """What stands at `path`; null where it is missing, or the page has another form: these are Ocean's settings for
    all resources at once."""
    if _PLAIN.fullmatch(path):
        return f"(.{path})? // null"
    return f"({as_jq(path)})? // null"


def _in_one_line(expression: str) -> str:
    # A comment would swallow what comes after it.
    return expression if "#" in expression else expression.replace("\n", "")


def _say_what_changes(kind: str, config: Config) -> None:
    has_param, has_size = config["PAGINATION_PARAM"] is not None, config["SIZE_PARAM"] is not None
    if kind in ("offset", "page", "cursor") and not (has_param and has_size):
        missing = " and ".join(
            name for name, has in (("PAGINATION_PARAM", has_param), ("SIZE_PARAM", has_size)) if not has
        )
        message = f"{missing} not set: Ocean asks with a parameter called `None`, and gets the first page each time"
        defaults = {"offset": "`offset` and `limit`", "page": "`page` and `size`", "cursor": "`cursor` and `limit`"}
        config.said(
            "PAGINATION_TYPE", f"{message}; here the parameters are {defaults[kind]}", "compare it with the API"
        )
    if kind == "cursor" and config["HAS_MORE_PATH"] is None:
        message = "without HAS_MORE_PATH Ocean ends after the first page, where the page has no flag of a usual name"
        config.said("PAGINATION_TYPE", f"{message}; here the cursor is followed")
    if kind == "offset":
        message = "Ocean never ends where an answer is an object without a flag; here an empty page ends it"
        config.said("PAGINATION_TYPE", message)
    if kind == "page" and config["HAS_MORE_PATH"] is None and config["LAST_PAGE_PATH"] is None:
        message = (
            "Ocean ends after the first page where an answer is an object without a flag; here an empty page ends it"
        )
        config.said("PAGINATION_TYPE", message)
    if kind == "next_link":
        config.said("PAGINATION_TYPE", "a link to another host is not followed; Ocean sends it your credentials")

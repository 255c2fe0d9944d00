"""What all resources say alike goes into `source`, where it is said once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.importing.tree import Tree, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

_SOURCE = ("base_url", "auth", "headers", "pagination", "rate_limit", "concurrency", "retry", "allow_origins")


def shared(source: Tree, resources: Sequence[Tree]) -> tuple[Tree, list[Tree]]:
    """`source` with the headers and the paging that all resources have, and the resources without them.

    Of path parameters nothing is moved: what is fetched for them has the paging of the source anyway, so the source
    gets one only where these say the same, or none at all.
    """
    selectors = [resource.get("selector", {}) for resource in resources]
    common = _common_headers(selectors)
    paging = _common_paging(selectors)
    found = {**source, **({"headers": common} if common else {}), **({"pagination": paging} if paging else {})}
    lighter = [_without(resource, common, drops_paging=paging is not None) for resource in resources]
    known = {key: found[key] for key in _SOURCE if key in found}
    return {**known, **{key: value for key, value in found.items() if key not in known}}, lighter


def _common_headers(selectors: Sequence[Tree]) -> Tree:
    given = [selector.get("headers") for selector in selectors]
    if len(given) < 2 or not all(isinstance(headers, dict) for headers in given):  # noqa: PLR2004 - of one there is nothing to share
        return {}
    first = plain(given[0])
    return {
        name: value
        for name, value in first.items()
        # What a parameter or a window gives is different for each.
        if "$params" not in str(value)
        and "$window" not in str(value)
        and all(plain(h).get(name) == value for h in given)
    }


def _common_paging(selectors: Sequence[Tree]) -> Tree | None:
    given = [plain(selector.get("pagination")) for selector in selectors]
    fetched = [
        plain(parameter.get("pagination"))
        for selector in selectors
        for parameter in selector.get("path_parameters", {}).values()
        if "endpoint" in parameter
    ]
    is_shared = len(given) > 1 and given[0] is not None and all(each == given[0] for each in [*given, *fetched])
    return given[0] if is_shared else None


def _without(resource: Tree, headers: Tree, *, drops_paging: bool) -> Tree:
    selector = dict(resource.get("selector", {}))
    if headers:
        left = {name: value for name, value in selector["headers"].items() if name not in headers}
        selector = {**selector, "headers": left} if plain(left) else _less(selector, "headers")
    if drops_paging:
        selector = _less(selector, "pagination")
        selector = {
            key: {n: _less(p, "pagination") for n, p in value.items()} if key == "path_parameters" else value
            for key, value in selector.items()
        }
    # Replaced in place, so that the order of the keys stays.
    found = {key: selector if key == "selector" else value for key, value in resource.items()}
    return found if plain(selector) else _less(found, "selector")


def _less(tree: Tree, key: str) -> Tree:
    return {name: value for name, value in tree.items() if name != key}

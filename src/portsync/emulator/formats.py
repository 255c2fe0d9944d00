"""The string formats the local Port checks, as a jsonschema format checker."""

from __future__ import annotations

import ipaddress
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import FormatChecker

from portsync.emulator.identifiers import (
    is_blueprint_identifier,
    is_entity_identifier,
    is_page_identifier,
    is_property_identifier,
)
from portsync.emulator.instants import parse_date_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_IDN_EMAIL = re.compile(r"[^\s@.]+(?:\.[^\s@.]+)*@[^\s@.]+(?:\.[^\s@.]+)*")
# The time that libyaml takes grows with the square of the depth.
_DEEPEST = 500
# Ten times as fast, where PyYAML was built with it.
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#]+[^\s]*")


def _is_date_time(text: str) -> bool:
    return parse_date_time(text) is not None


def _is_url(text: str) -> bool:
    return _URL.fullmatch(text) is not None


def _is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text) is not None


def _is_idn_email(text: str) -> bool:
    return _IDN_EMAIL.fullmatch(text) is not None


def _is_ipv4(text: str) -> bool:
    return _is_address(ipaddress.IPv4Address, text)


def _is_ipv6(text: str) -> bool:
    return _is_address(ipaddress.IPv6Address, text)


def _is_address(kind: Callable[[str], object], text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True


def _is_yaml(text: str) -> bool:
    """Whether it is one document, each alias of which has its anchor. Nothing is built of it: values of no meaning,
    such as the 99th of a month, would raise errors of any kind, and what is nested deep would end the process."""
    anchors: set[str | None] = set()
    documents = depth = 0
    try:
        for event in yaml.parse(text, Loader=_YAML):
            if isinstance(event, yaml.AliasEvent):
                if event.anchor not in anchors:
                    return False
            elif isinstance(event, yaml.NodeEvent):
                anchors.add(event.anchor)
            documents += isinstance(event, yaml.DocumentStartEvent)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                return False
    except yaml.YAMLError:
        return False
    return documents <= 1


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


# Port's guide on properties. markdown, blueprints, team, proto and labeled-url are names of displays; they
# stay unchecked. A user is an e-mail address, a timer an instant.
STRING_FORMATS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "date-time": _is_date_time,
        "timer": _is_date_time,
        "url": _is_url,
        "email": _is_email,
        "user": _is_email,
        "idn-email": _is_idn_email,
        "ipv4": _is_ipv4,
        "ipv6": _is_ipv6,
        "yaml": _is_yaml,
    }
)

# Patterns of request schemas that Python's re cannot express, and one about patterns themselves.
_REQUEST_FORMATS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "entity-identifier": is_entity_identifier,
        "blueprint-identifier": is_blueprint_identifier,
        "page-identifier": is_page_identifier,
        "property-identifier": is_property_identifier,
        "regex": _is_pattern,
    }
)


def format_checker() -> FormatChecker:
    """A checker with exactly these formats; other values than strings pass, for `type` speaks about them."""
    checker = FormatChecker(formats=())
    for name, holds in {**STRING_FORMATS, **_REQUEST_FORMATS}.items():
        checker.checkers[name] = (_for_strings(holds), ())
    return checker


def _for_strings(holds: Callable[[str], bool]) -> Callable[[Any], bool]:
    return lambda value: not isinstance(value, str) or holds(value)

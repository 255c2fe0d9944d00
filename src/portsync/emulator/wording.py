"""Refusals of a request in the words of AJV, for what is checked by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.emulator.errors import ApiError, invalid_request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

ALLOWED_VALUES = "be equal to one of the allowed values"


def must(place: str, rule: str) -> ApiError:
    """The refusal of what is at this place."""
    return invalid_request(f'"{place}" must {rule}')


def required(value: Mapping[str, Any], key: str, place: str) -> None:
    """ApiError 422 where the key is missing."""
    if key not in value:
        raise must(place, f"have required property '{key}'")


def no_others(value: Mapping[str, Any], known: AbstractSet[str], place: str) -> None:
    """ApiError 422 where there are other keys than the known ones."""
    extra = sorted(value.keys() - known)
    if extra:
        raise must(place, f"NOT have additional properties ({', '.join(extra)})")


def text(value: object, place: str) -> str:
    """The value, known to be a text; ApiError 422 otherwise."""
    if not isinstance(value, str):
        raise must(place, "be string")
    return value


def texts(value: object, place: str) -> list[str]:
    """One text, or a list of them, as a list; ApiError 422 for anything else."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise must(place, "be string,array")
    return [text(each, f"{place}.{index}") for index, each in enumerate(value)]


def chosen(value: object, known: AbstractSet[str], place: str) -> str:
    """The value, known to be one of these; ApiError 422 otherwise."""
    if not isinstance(value, str) or value not in known:
        raise must(place, ALLOWED_VALUES)
    return value

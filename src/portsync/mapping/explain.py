"""Say what pydantic found in the words of the mapping file: place, nearest known key, what to do."""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from portsync.errors import Problem
from portsync.mapping.foreign_keys import instead_of
from portsync.mapping.schema import bare_schema, homes_of, known_keys, schema_at
from portsync.mapping.wrong_types import LONGEST_NAME, is_of_type, out_of_bounds, wrong_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic_core import ErrorDetails

    from portsync.mapping.places import Document, Path
    from portsync.mapping.schema import Schema

_MOST_SHOWN = 20
_MOST_HOMES = 2
_LIKE, _SURE = 0.65, 0.85
"""How near a name has to be to be offered, and to be offered before everything else."""


def explained(errors: Sequence[ErrorDetails], document: Document, schema: Schema | None = None) -> list[Problem]:
    """The problems behind pydantic's errors. A missing key is left out where a misspelt one stands in its place. For a
    value that could have several types, the same is said several times. `schema` is that of the file, where it is no
    mapping."""
    if schema is None:
        schema = bare_schema()
        if (stranger := _stranger(document, schema)) is not None:
            return [stranger]
    misspelt = {
        (*error["loc"][:-1], _nearest(str(error["loc"][-1]), known_keys(schema, error["loc"][:-1])))
        for error in errors
        if error["type"] == "extra_forbidden"
    }
    problems: list[Problem] = []
    for error in errors:
        if error["type"] == "missing" and error["loc"] in misspelt:
            continue
        problems += _explained(error, document, schema)
    return problems


def _stranger(document: Document, schema: Schema) -> Problem | None:
    """The one problem of a file that is something else than a mapping: none of its keys is one of ours."""
    known = known_keys(schema, ())
    given = [str(key.value) for key, _ in document.root.value]
    if any(_nearest(key, known) is not None for key in given):
        return None
    place = document.of(document.root)
    said = next((said for key in given if (said := instead_of(key, is_top=True)) is not None), None)
    message = f"the file: the key `resources` is missing; there are {', '.join(given[:_MOST_SHOWN])}"
    hint = said or "a mapping has `resources:`, and mostly `source:`"
    return Problem("missing-key", message, str(place), hint, excerpt=document.excerpt(place))


def _explained(error: ErrorDetails, document: Document, schema: Schema) -> Iterator[Problem]:
    path = error["loc"]
    context = error.get("ctx", {})
    match error["type"]:
        case "expression":
            yield from _faults(path, context, document)
        case "extra_forbidden":
            yield _unknown_key(path, document, schema)
        case "missing" | "union_tag_not_found":
            yield _missing_key(path, document, schema, is_type=error["type"] == "union_tag_not_found")
        case "union_tag_invalid" | "literal_error":
            yield _unknown_choice(error, document)
        case _:
            yield _wrong_value(error, document, schema)


def _faults(path: Path, context: dict[str, Any], document: Document) -> Iterator[Problem]:
    """A problem for each expression in a value that is not usable."""
    for below, offset, fault in context["faults"]:
        whole = (*path, *below)
        place = document.of(document.nearest(whole), offset)
        message = f"{dotted(document.existing(whole))} is not usable JQ: {fault.message}"
        yield Problem(fault.code, message, str(place), fault.hint, excerpt=document.excerpt(place))


def _missing_key(path: Path, document: Document, schema: Schema, *, is_type: bool) -> Problem:
    section = path if is_type else path[:-1]
    parent = dotted(document.existing(section)) or "the file"
    name = "type" if is_type else str(path[-1])
    hint = f"add `{name}:` here"
    if is_type:
        types = list(schema_at(schema, section).get("discriminator", {}).get("mapping", ()))
        hint = f"say which it is: {', '.join(types)}" if types else hint
    place = document.place(section)
    return Problem(
        "missing-key", f"{parent}: the key `{name}` is missing", str(place), hint, excerpt=document.excerpt(place)
    )


def _unknown_choice(error: ErrorDetails, document: Document) -> Problem:
    path, context = error["loc"], error.get("ctx", {})
    expected = str(context.get("expected_tags") or context.get("expected", ""))
    given = str(context.get("tag", _text_at(document, path)))
    names = re.findall(r"'([^']+)'", expected)
    # What is too long for a name may be a key that was pasted into the wrong line.
    shown = f"`{given}`" if len(given) <= LONGEST_NAME else "what stands here"
    where = dotted(document.existing(path))
    if error["type"] == "union_tag_invalid":
        path, where = (*path, "type"), f"{where}.type"
    place = document.place(path)
    message = f"{where}: {shown} is none of {', '.join(names)}"
    hint = did_you_mean(given, names) or "write one of them"
    return Problem("unknown-choice", message, str(place), hint, excerpt=document.excerpt(place))


def _wrong_value(error: ErrorDetails, document: Document, schema: Schema) -> Problem:
    path, context = error["loc"], error.get("ctx", {})
    where, place = document.existing(path), document.place(path)
    hint = context.get("hint")
    if path[-1:] == ("[key]",):
        place = document.place(path[:-1], key=True)
        message = f"`{path[-2]}` cannot be a key here" if len(str(path[-2])) <= LONGEST_NAME else "this cannot be a key"
        hint = "write a whole number of three digits, such as 404" if where[-2:-1] == ("on_status",) else hint
    elif is_of_type(error["type"]):
        node = document.nearest(path)
        message, hint = wrong_type(
            error["type"], node, schema_at(schema, where), known_keys(schema, path)[:_MOST_SHOWN]
        )
    elif error["type"] == "too_short":
        is_list = isinstance(document.nearest(path), yaml.SequenceNode)
        message, hint = ("the list is empty", "give at least one") if is_list else ("the text is empty", "write it")
    else:
        message = out_of_bounds(error["type"], context, document.nearest(path)) or _lowered(error["msg"])
    return Problem("wrong-type", f"{dotted(where)}: {message}", str(place), hint, excerpt=document.excerpt(place))


def _lowered(message: str) -> str:
    """Pydantic's message as a clause of ours."""
    return (message[:1].lower() + message[1:]).removeprefix("input ")


def _unknown_key(path: Path, document: Document, schema: Schema) -> Problem:
    name = str(path[-1])
    known = known_keys(schema, path[:-1])
    section = document.existing(path[:-1])
    place = document.place(path, key=True)
    return Problem(
        "unknown-key",
        f"{dotted(section) or 'the file'}: unknown key `{name}`",
        place=str(place),
        hint=_for_key(name, section, known, schema),
        excerpt=document.excerpt(place),
    )


def _for_key(name: str, section: Path, known: list[str], schema: Schema) -> str:
    """What to write in place of an unknown key: a near one, the section where it belongs, or what has its meaning."""
    listing = f"keys here: {', '.join(known[:_MOST_SHOWN])}"
    here = re.sub(r"\[\d*\]", "[]", dotted(section)).replace("mappings[]", "mappings")
    homes = [home for home in homes_of(schema, name) if home != here and "NAME" not in home]
    is_typed = section[-1:] in (("auth",), ("pagination",))
    if (guess := did_you_mean(name, known, _SURE)) is not None:
        return f"{guess} {listing}"
    if not is_typed and (instead := instead_of(name, is_top=not section, is_lookup=section[:1] == ("context",))):
        return instead
    if near := [home for home in homes if home.startswith(f"{here}.".lstrip(".")) or here.startswith(f"{home}.")]:
        return _belongs(near)
    if (guess := did_you_mean(name, known)) is not None:
        return f"{guess} {listing}"
    return _belongs(homes) if homes and not is_typed else listing


def _belongs(homes: list[str]) -> str:
    named = [f"`{home}`" if home else "the file, beside `resources`" for home in homes[:_MOST_HOMES]]
    return f"it belongs into {' or '.join(named)}"


def did_you_mean(given: str, names: Sequence[str], likeness: float = _LIKE) -> str | None:
    """`did you mean ...?` where one of `names` is near."""
    near = _nearest(given, names, likeness)
    return None if near is None else f"did you mean `{near}`?"


def _nearest(given: str, names: Sequence[str], likeness: float = _LIKE) -> str | None:
    plain = {name.replace("_", "").lower(): name for name in names}
    near = difflib.get_close_matches(given.replace("_", "").lower(), plain, n=1, cutoff=likeness)
    return plain[near[0]] if near else None


def dotted(path: Sequence[str | int]) -> str:
    """A path as users read it: `resources[0].selector.query`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _text_at(document: Document, path: Sequence[str | int]) -> str:
    value = document.nearest(path).value
    return value if isinstance(value, str) else "this value"

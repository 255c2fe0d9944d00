"""The records of a stream: where they are in a page, which count, and what they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portsync.importing.airbyte.jinja import names_in
from portsync.importing.names import path_of, property_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.importing.airbyte.component import Component
    from portsync.importing.tree import Tree

_DECODERS = {"JsonDecoder": "json", "JsonlDecoder": "jsonl", "IterableDecoder": None, "CsvDecoder": "csv"}


def data_path_of(extractor: Component) -> str | None:
    """The JQ from a page to its records; None where it cannot be said, which was listed."""
    if extractor.type != "DpathExtractor":
        extractor.notes.lost(extractor.place, f"`{extractor.type}` is code: the stream is left out")
        return None
    given = extractor.fixed_value("field_path")
    expander = extractor.component("record_expander", "RecordExpander")
    extractor.skip("decoder")
    extractor.close()
    parts = given if isinstance(given, list) else []
    path = _with_stars([str(part) for part in parts])
    if expander is None:
        return path
    inner = expander.fixed_value("expand_records_from_field")
    expander.drop("remain_original_record", "an element joins its record with `itemsToParse`", "write `itemsToParse`")
    expander.drop("on_no_records", "a record without elements gives none")
    expander.close()
    below = _with_stars([str(part) for part in inner] if isinstance(inner, list) else [])
    return f"{path}[] | {below}[]?"


def _with_stars(parts: list[str]) -> str:
    """The path with these keys; `*` stands for each element or member."""
    text = "."
    for part in parts:
        step = "[]" if part == "*" else path_of([part])
        text = (
            text + step.removeprefix(".")
            if step.startswith((".[", "[")) and text != "."
            else text.removesuffix(".") + step
        )
        text = f".{text}" if text.startswith("[") else text
    return text


def decoding_of(retriever: Component) -> Tree | None:
    """The keys of a selector for a decoder; None where it cannot be said, which was listed."""
    decoder = retriever.component("decoder", "JsonDecoder")
    while decoder is not None and decoder.type == "GzipDecoder":
        # Gzip is unpacked in any case.
        inner = decoder.component("decoder", "JsonDecoder")
        decoder.close()
        decoder = inner
    if decoder is None or decoder.type == "JsonDecoder":
        return {}
    name = _DECODERS.get(decoder.type)
    if name is None:
        message = f"answers for `{decoder.type}` cannot be read: the stream is left out"
        decoder.notes.lost(decoder.place, message)
        return None
    found: Tree = {"decode": name}
    if name == "csv":
        delimiter = decoder.fixed("delimiter")
        found |= {} if delimiter in (None, ",") else {"csv_delimiter": delimiter.replace("\\t", "\t")}
        decoder.drop("set_values_to_none", "an empty field is an empty text")
    decoder.skip("encoding")
    decoder.close()
    return found


def key_of(stream: Component) -> tuple[tuple[str, ...], ...]:
    """The paths of the primary key: one field, or a list of fields and paths."""
    piece = stream.piece("primary_key")
    given = None if piece is None else piece.plain
    parts = given if isinstance(given, list) else [given] if given else []
    paths = [part if isinstance(part, list) else [part] for part in parts]
    if not all(isinstance(name, str) and name for path in paths for name in path):
        stream.notes.lost(stream.place, "`primary_key` is no field, and no list of fields")
        return ()
    return tuple(tuple(path) for path in paths if path)


def fields_of(stream: Component) -> Mapping[str, Any] | None:
    """The JSON Schemas of the fields by name; None where they are not in the file."""
    fields: dict[str, Any] = {}
    loaders = stream.components("schema_loader", "JsonFileSchemaLoader")
    for loader in loaders:
        if loader.type == "InlineSchemaLoader":
            schema = loader.piece("schema")
            plain = None if schema is None else schema.plain
            properties = plain.get("properties") if isinstance(plain, dict) else None
            fields |= properties if isinstance(properties, dict) else {}
        elif loader.type == "JsonFileSchemaLoader":
            loader.skip("file_path")
        else:
            loader.notes.said(loader.place, f"`{loader.type}` finds out the fields when it runs")
            continue
        loader.close()
    return fields or None


def transformed(stream: Component, slices: Mapping[str, str]) -> tuple[dict[str, str], frozenset[str]]:
    """The properties that transformations add, with their JQ, and the fields that they take away."""
    added: dict[str, str] = {}
    removed: set[str] = set()
    for step in stream.components("transformations"):
        match step.type:
            case "AddFields":
                added |= _added(step, slices)
                step.drop("condition", "a property has one expression", "write `if ... then ... else ... end`")
                step.close()
            case "RemoveFields":
                removed |= _removed(step)
                step.drop("condition", "a property is there or not")
                step.close()
            case other:
                step.notes.lost(
                    step.place, f"the transformation `{other}` has no counterpart: records stay as they come"
                )
    return added, frozenset(removed)


def _added(step: Component, slices: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in step.components("fields", "AddedFieldDefinition"):
        path = [piece.plain for piece in one.items("path")]
        one.skip("value_type")
        value = one.look("value")
        if len(path) != 1 or not isinstance(path[0], str):
            one.drop("value", "a field within another one cannot be added")
        elif value is not None and "config" in names_in(value.value):
            one.drop("value", "a setting of the user cannot become part of an entity")
        elif (code := one.jq("value", one.scope(slices, record="."))) is not None:
            found[property_name(path[0])] = code
        one.close()
    return found


def _removed(step: Component) -> set[str]:
    found: set[str] = set()
    for pointer in step.items("field_pointers"):
        path: Any = pointer.plain
        if isinstance(path, list) and len(path) == 1 and isinstance(path[0], str):
            found.add(path[0])
        elif isinstance(path, list):
            step.notes.lost(pointer.place, "RemoveFields: a field within another one stays")
    return found

"""A mapping as others may see it, on Port's page of data sources: as it was written, less what can be secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from portsync.errors import Problem
from portsync.mapping.yaml_text import compose, values
from portsync.masking import MASK, Masking, is_secret_name

if TYPE_CHECKING:
    from portsync.flow import Json
    from portsync.logs import Redactor
    from portsync.mapping.loader import LoadedMapping

_HIDDEN = frozenset({"source", "context"})
_OCEAN_SPELLING = {
    "create_missing_related_entities": "createMissingRelatedEntities",
    "delete_dependent_entities": "deleteDependentEntities",
    "enable_merge_entity": "enableMergeEntity",
    "entity_deletion_threshold": "entityDeletionThreshold",
}
_REFERENCE = re.compile(r"\$\{([^}:]*)(?::[^}]*)?\}")
_ONLY_REFERENCE = re.compile(r"([A-Za-z]+ )?\$\{[^}]*\}")
_MEMBER = re.compile(r"""(["']?)([\w-]+)\1(\s*:\s*)(["'])((?:(?!\4)[^\\]|\\.)*)\4""")
"""A name with a literal text, in the JQ of a body."""


def shown_config(mapping: LoadedMapping, redactor: Redactor) -> dict[str, Json]:
    """The resources and switches of the mapping file, without `source` and `context`, and without who may send `live`
    events, which only a local file can say.

    It is read from the file's text once more: what `${NAME}` stands for was never put into it. Literal values under
    names that secrets have are masked in the selectors; what `port` holds becomes catalog data anyway.
    """
    document = compose(mapping.document.file, mapping.document.text)
    assert not isinstance(document, Problem), "the file was loaded"
    masking = Masking(redactor)
    written = {key: value for key, value in values(document).items() if key not in _HIDDEN}
    config = {_OCEAN_SPELLING.get(key, key): masking.of(value) for key, value in written.items()}
    for shown, resource in zip(config["resources"], written["resources"], strict=True):
        # Names are those of catalog properties here, and expressions no secrets.
        shown.pop("live", None)
        shown["port"] = _only_values(resource["port"], masking)
        if isinstance(resource.get("selector"), dict):
            shown["selector"] = _selector(resource["selector"], masking)
    return config


def _only_values(value: Json, masking: Masking) -> Json:
    """`value` less the secrets that are known by their values."""
    match value:
        case dict():
            return {str(key): _only_values(item, masking) for key, item in value.items()}
        case list():
            return [_only_values(item, masking) for item in value]
        case _:
            return masking.of(value)


def _selector(value: Json, masking: Masking, *, is_secret: bool = False, is_header: bool = False) -> Json:
    """`value` without literal secrets; a reference that stands for one is kept, its default is not."""
    match value:
        case dict():
            return {
                str(key): _selector(
                    item,
                    masking,
                    is_secret=is_secret or is_secret_name(str(key)) or (is_header and str(key).lower().endswith("key")),
                    is_header=key == "headers",
                )
                for key, item in value.items()
            }
        case list():
            return [_selector(item, masking, is_secret=is_secret) for item in value]
        case str() if is_secret and not _ONLY_REFERENCE.fullmatch(value):
            return MASK
        case str():
            text = _REFERENCE.sub(lambda found: _reference(found, is_secret=is_secret), value)
            return masking.of(_MEMBER.sub(_member, text))
        case _:
            return masking.of(value)


def _reference(found: re.Match[str], *, is_secret: bool) -> str:
    hides_default = is_secret or is_secret_name(found[1].lower())
    return f"${{{found[1]}}}" if hides_default and found[1] != "file" else found[0]


def _member(found: re.Match[str]) -> str:
    if not is_secret_name(found[2]) or _ONLY_REFERENCE.fullmatch(found[5]):
        return found[0]
    return f"{found[1]}{found[2]}{found[1]}{found[3]}{found[4]}{MASK}{found[4]}"

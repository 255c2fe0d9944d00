"""Names and paths as JQ, as environment variables, and as Port's identifiers have them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = frozenset(
    """
    __loc__ and as break catch def elif else end foreach if import include label limit module or reduce then try
    """.split()  # noqa: SIM905 - as a list it would fill a page
)
_TAKEN = re.compile(
    r"PORT_.*|PORTSYNC_.*|OCEAN__.*|XDG_.*|LC_.*|PYTHON.*|PATH|HOME|USER|USERNAME|LOGNAME|LANG|LANGUAGE|SHELL|PWD|OLDPWD|"
    r"HOSTNAME|HOST|PORT|TZ|TERM|TMPDIR|TEMP|TMP|EDITOR|MAIL|NAME|CI|(?:HTTPS?|NO|ALL)_PROXY"
)
"""Variables that mean something already, to portsync or on most machines."""
_LONGEST_BLUEPRINT = 100

SPECIAL = re.compile(r"\$\{|\{\{")


def path_of(parts: Iterable[str | int]) -> str:
    """The JQ path with these names and indexes: `.a["b c"][0]`; `.` without any."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]" if text else f".[{part}]"
        elif _WORD.fullmatch(part) and part not in _RESERVED:
            text += f".{part}"
        else:
            text += f"[{json.dumps(part)}]" if text else f".[{json.dumps(part)}]"
    return text or "."


def below(root: str, path: str) -> str:
    """`path` from what the JQ term `root` gives: `.item` and `.a` make `.item.a`."""
    if path == ".":
        return root
    if root == ".":
        return path
    return root + (path[1:] if path.startswith(".[") else path)


def parameter_name(text: str) -> str:
    """`text` as the name of a path parameter, which has to be one of a JQ variable's member too."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_") or "value"
    return f"_{name}" if name[0].isdigit() else name


def variable_name(parts: Iterable[str | int]) -> str:
    """The environment variable for a setting: `["credentials", "apiKey"]` is `CREDENTIALS_API_KEY`."""
    words = (re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(part)) for part in parts)
    name = re.sub(r"[^A-Za-z0-9]+", "_", "_".join(words)).strip("_").upper() or "VALUE"
    return f"SOURCE_{name}" if name[0].isdigit() or _TAKEN.fullmatch(name) else name


def blueprint_name(text: str) -> str:
    """`text` as the identifier of a blueprint."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_")[:_LONGEST_BLUEPRINT] or "record"


def property_name(text: str) -> str:
    """`text` as the identifier of a property."""
    return re.sub(r"[^A-Za-z0-9@_=-]+", "_", text)[:_LONGEST_BLUEPRINT] or "_"


def literal(text: str, *, interpolated: bool = True) -> str:
    """`text` such that a mapping sends it as it is: what opens a span or a reference in it is written otherwise.

    References are read in every text of `source` and `selector`, but not in `kind`; then `interpolated` is False.
    """
    text = text.replace("{{", '{{ "{{" }}')
    return text.replace("${", "$${") if interpolated else text


def quoted(text: str) -> str:
    """`text` as a JQ constant in a selector, where `${` would be a reference."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${")

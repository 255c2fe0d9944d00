"""JSONPath, as the library jsonpath-ng reads it, as JQ: plain paths, indexes, slices and stars."""

from __future__ import annotations

import re

from portsync.importing.names import path_of

_STEP = re.compile(
    r"""
    (?:^|\.)(?P<name>[^\W\d][\w@-]*|@[\w@-]+)
    | (?:^|\.)(?P<text>'[^']*'|"[^"]*")
    | \.?\[\s*(?P<key>'[^']*'|"[^"]*")\s*\]
    | \.?\[\s*(?P<index>-?\d{1,9})\s*\]
    | \.?\[\s*(?P<slice>-?\d{0,9}:-?\d{0,9})\s*\]
    | (?P<star>(?:^|\.)\*|\.?\[\s*\*\s*\])
    """,
    re.VERBOSE,
)


def jq_of(path: str) -> str | None:
    """The JQ whose outputs are what `path` finds; None for filters, `..` and whatever else there is."""
    rest = path.strip()
    if rest.startswith("$"):
        rest = rest[1:].removeprefix(".")
    text, position = ".", 0
    while position < len(rest):
        found = _STEP.match(rest, position)
        if found is None or (found[0].startswith(".") and position == 0):
            return None
        text = _after(text, _step(found))
        position = found.end()
    return text


def records_of(path: str) -> str | None:
    """The same for a path to records: the list itself stands for all of its elements, and where it is missing, that
    can be seen."""
    found = jq_of(path)
    return found if found is None or not path.rstrip().endswith("]") else found.removesuffix("[]") or "."


def _step(found: re.Match[str]) -> str:
    if found["star"] is not None:
        return "[]"
    if found["slice"] is not None:
        return f"[{found['slice']}][]" if found["slice"] != ":" else "[]"
    if found["index"] is not None:
        return f"[{int(found['index'])}]"
    quoted = found["text"] or found["key"]
    return path_of([quoted[1:-1] if quoted else found["name"]])


def _after(text: str, step: str) -> str:
    """`text` with one more step; the lone dot is where it all begins."""
    step = step.removeprefix(".") if step.startswith(".[") else step
    if text == ".":
        return f".{step}" if step.startswith("[") else step
    return text + step

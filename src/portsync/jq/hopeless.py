"""Expressions that libjq takes, and that nobody can mean: they fail for every record, or calculate with a date."""

from __future__ import annotations

import re

from portsync.jq.fault import Fault
from portsync.jq.names import near
from portsync.jq.scan import scan

FORMATS = frozenset(
    {"base32", "base32d", "base64", "base64d", "csv", "html", "json", "sh", "text", "tsv", "uri", "urid"}
)
"""What may stand behind `@`."""
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_FIELD = re.compile(r"""\s*\.\s*["A-Za-z_]""")


def hopeless(code: str, before: int) -> Fault | None:
    """Why nobody can mean the expression `code`, or None; `before` characters stand before it in the user's text."""
    if _DATE.fullmatch(code):
        return Fault("jq-syntax", f"`{code}` is a subtraction in JQ", f"""for the date write '"{code}"'""", before)
    if "@" not in code and "not" not in code:
        return None
    signs = ""
    for token in scan(code):
        if token.kind == "name":
            end = token.start + len(token.text)
            if signs.endswith("@") and token.text not in FORMATS:
                guess = near(token.text, sorted(FORMATS))
                listed = f"there are {', '.join(f'@{name}' for name in sorted(FORMATS))}"
                hint = f"did you mean `@{guess}`?" if guess else listed
                return Fault("jq-syntax", f"JQ has no format `@{token.text}`", hint, before + token.start - 1)
            # `not .a` is read as the field `a` of what `not` gives, which is true or false.
            if token.text == "not" and signs[-1:] not in (".", "$", "@") and _FIELD.match(code, end):
                field = re.match(r"\s*([^\s|,;()]+)", code[end:])
                shown = field[1] if field else ".field"
                message = f"`not {shown}` always fails: `not` stands behind what it negates"
                return Fault("jq-syntax", message, f"write  ({shown} | not)", before + token.start)
        signs = token.text if token.kind in ("name", "other") else ""
    return None

"""Compile expressions to find out whether they are any. Nothing is run here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import jq

from portsync.jq.brackets import brackets_of
from portsync.jq.fault import Fault
from portsync.jq.fence import REFUSED, prelude, without_values
from portsync.jq.hopeless import hopeless
from portsync.jq.mistakes import fault_of
from portsync.jq.scan import calls, with_double_quotes

if TYPE_CHECKING:
    from collections.abc import Iterable

_WHERE = re.compile(r" at <top-level>, line (\d+), column (\d+):?")
_REFUSED = re.compile("|".join(sorted(REFUSED)))
"""Found in few texts, so that few have to be taken apart."""
_MOST_TOGETHER = 500


def normalised(text: str) -> str:
    """The JQ text that is run for what the user wrote."""
    return with_double_quotes(text.strip())


def find_fault(text: str) -> Fault | None:
    """The first thing that is wrong with the expression `text`, or None. Takes a millisecond or two: libjq reads its
    whole library for every program."""
    if not text.strip():
        return Fault("jq-syntax", "the expression is empty", hint="write `.` for the record itself, or remove the key")
    if (found := _refused_call(text)) is not None:
        name, offset = found
        return Fault(
            "jq-forbidden",
            f"`{name}` is not available to expressions",
            hint="an expression sees the record, `$context`, `$params` and `$window`, and nothing else",
            offset=offset,
        )
    code = normalised(text)
    before = len(text) - len(text.lstrip())
    # Alone: `.a) | (.b` is no expression, but would be one between parentheses.
    if (fault := _compile_fault(code, before)) is not None:
        return fault
    # Between parentheses, as programs have it: a comment or a definition without an end can differ there.
    if ("#" in code or "def" in code) and (fault := _compile_fault(f"({code}\n\n)", before - 1)) is not None:
        return fault
    return hopeless(code, before)


def find_faults(texts: Iterable[str]) -> dict[str, Fault]:
    """The faults of those of `texts` that are no usable expressions. Many compile together in little more time than
    one."""
    distinct = list(dict.fromkeys(texts))
    together = [text for text in distinct if _may_stand_beside_others(text)]
    alone = set(distinct) - set(together)
    for start in range(0, len(together), _MOST_TOGETHER):
        alone |= _refused(together[start : start + _MOST_TOGETHER])
    faults = {text: find_fault(text) for text in distinct if text in alone}
    return {text: fault for text, fault in faults.items() if fault is not None}


def _may_stand_beside_others(text: str) -> bool:
    """Whether a program that holds `text` between parentheses compiles only if `text` does."""
    code = normalised(text)
    if not code or not brackets_of(code).are_closed or hopeless(code, 0) is not None:
        return False
    return _refused_call(text) is None


def _refused_call(text: str) -> tuple[str, int] | None:
    """The first name in `text` that is called and may not be, with its offset."""
    return next(calls(text, REFUSED), None) if _REFUSED.search(text) else None


def _refused(texts: list[str]) -> set[str]:
    """Those of `texts` that libjq does not take, found by halves."""
    if not texts or _report([f"({normalised(text)}\n\n)" for text in texts]) is None:
        return set()
    if len(texts) == 1:
        return set(texts)
    middle = len(texts) // 2
    return _refused(texts[:middle]) | _refused(texts[middle:])


def _compile_fault(source: str, before: int) -> Fault | None:
    report = _report([source])
    return None if report is None else _read_fault(report, source, before)


def _report(sources: list[str]) -> str | None:
    """What libjq has against a program of `sources`, each an expression; None where it has nothing."""
    try:
        jq.compile(f"{prelude(0.0)}{without_values()}\n{','.join(sources)}")
    except ValueError as error:
        return str(error)
    return None


def _read_fault(report: str, source: str, before: int) -> Fault:
    errors = [line for line in report.splitlines() if line.startswith("jq: error: ")] or report.splitlines()[:1]
    message = errors[0].removeprefix("jq: error: ")
    where = _WHERE.search(message)
    if where is None:
        return Fault("jq-syntax", message.strip())
    fault = fault_of(
        message[: where.start()], _offset(source, int(where[1]), int(where[2])), source, "".join(errors[1:])
    )
    return Fault(fault.code, fault.message, fault.hint, None if fault.offset is None else max(0, before + fault.offset))


def _offset(source: str, line: int, column: int) -> int:
    """How many characters stand before libjq's place, whose columns are bytes. The program's first line is the
    prelude."""
    lines = source.encode().split(b"\n")
    at = min(max(line - 2, 0), len(lines) - 1)
    inside = lines[at][: column - 1].decode(errors="ignore")
    return len(b"\n".join(lines[:at]).decode()) + (1 if at else 0) + len(inside)

"""JQ for the naive reader: numbers keep their digits, and a program that fails is an error that says so."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import jq

from tests.conformance.naive.ending import Gone

_SPAN = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


_BEFORE = ".context as $context | .params as $params | .window as $window | .value"


@cache
def _program(text: str, now: float) -> Any:
    # JQ writes the numbers itself: what the library prints has the digits of a double.
    return jq.compile(f"def now: {now!r}; {_BEFORE} | ({text}) | tojson")


class Expressions:
    """Evaluates expressions of one run."""

    def __init__(self, now: float) -> None:
        self._now = now

    def all(self, text: str, value: Any, **variables: Any) -> list[Any]:
        """Every output of a program. Raises Gone, reason `jq`."""
        known = {"context": {}, "params": {}, "window": {}} | variables
        try:
            output = _program(text, self._now).input_text(json.dumps(known | {"value": value})).text()
        except ValueError as error:
            raise Gone("jq", "jq-failed", str(error)) from error
        return [json.loads(json.loads(line)) for line in output.splitlines()]

    def first(self, text: str, value: Any, **variables: Any) -> Any:
        """The first output, or None."""
        return next(iter(self.all(text, value, **variables)), None)

    def rendered(self, template: Any, place: str, *, missing: Any = Gone, **variables: Any) -> Any:
        """`template` with its spans evaluated. `missing` stands for what a span does not find; Gone raises it."""
        match template:
            case str():
                return self._text(template, place, missing, variables)
            case list():
                return [self.rendered(item, place, missing=missing, **variables) for item in template]
            case dict():
                return {
                    key: self.rendered(item, f"{place}.{key}", missing=missing, **variables)
                    for key, item in template.items()
                }
            case _:
                return template

    def _text(self, text: str, place: str, missing: Any, variables: dict[str, Any]) -> Any:
        def value_of(code: str) -> Any:
            value = self.first(code, None, **variables)
            if value is None and missing is Gone:
                raise Gone("jq", "jq-failed", f"{place}: the expression gave null")
            return missing if value is None else value

        if (whole := _SPAN.fullmatch(text.strip())) is not None and "}}" not in whole[1]:
            return value_of(whole[1])
        return _SPAN.sub(lambda span: _plain(value_of(span[1])), text)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

"""Runs the naive reader on a case, with the faults that it is given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.conformance.clock import VirtualClock
from tests.conformance.naive.fetch import Wire
from tests.conformance.naive.jq_text import Expressions
from tests.conformance.naive.reader import NaiveReader
from tests.conformance.naive.tools import Kit
from tests.conformance.runner import ENVIRONMENT, Place, set_stage

if TYPE_CHECKING:
    from tests.conformance.case import Case, Observed
    from tests.conformance.naive.faults import Fault


def run_naive(case: Case, place: Place, *faults: Fault) -> Observed:
    """What the naive reader does with `case`, in the form in which portsync is observed."""
    clock = VirtualClock(case.start)
    stage = set_stage(case, place, clock)
    mapping = _filled_in(case.mapping(), place)
    known = frozenset(faults)
    wire = Wire(mapping["source"], place.client, clock, known)
    observed = NaiveReader(Kit(mapping, wire, Expressions(case.start), known)).run()
    return replace(observed, requests=tuple(stage.asked))


def _filled_in(value: Any, place: Place) -> Any:
    """`value` with real hosts, and with the values of variables."""
    match value:
        case dict():
            return {key: _filled_in(item, place) for key, item in value.items()}
        case list():
            return [_filled_in(item, place) for item in value]
        case str():
            for name, text in ENVIRONMENT.items():
                value = value.replace(f"${{{name}}}", text)
            return place.addresses.real(value)
        case _:
            return value

"""The calculations of a blueprint, evaluated for some of its entities at once."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import jq
import orjson

from portsync.emulator.calculations.fenced import DEADLINE_S, LARGEST, Fence
from portsync.emulator.calculations.tame import is_tame, properties_read
from portsync.emulator.writable import json_of
from portsync.errors import ExpressionError
from portsync.jq.pool import RUNAWAY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from portsync.emulator.blueprints import Blueprint

_BATCH = 100
_PATIENCE_S = 5.0
"""For all that one reading runs behind the fence. What is not reached then is null this once."""


@dataclass(frozen=True, slots=True)
class Fenced:
    """A calculation that runs behind the fence."""

    program: str


@dataclass(frozen=True, slots=True)
class Tame:
    """A calculation that runs here: the program for a list of entities, or None for one that does not compile."""

    program: jq._Program | None
    reads: frozenset[str] | None
    """The only properties that it reads, and nothing else of an entity; None where that is not known."""

    def text(self, printed: Mapping[str, Any]) -> bytes:
        """What it is to see of an entity: reading JSON is most of its time."""
        if self.reads is None:
            return orjson.dumps(printed)
        properties = printed["properties"]
        return orjson.dumps({"properties": {name: properties[name] for name in self.reads if name in properties}})

    def values(self, entities: Sequence[bytes]) -> list[Any]:
        """The first result for each entity's JSON, or None. Taken from libjq one by one: only together they are
        large."""
        if self.program is None:
            return [None] * len(entities)
        text = b"[" + b",".join(entities) + b"]"
        return [_small(result) for result in self.program.input_text(text.decode())]


class Calculations:
    """The calculations of one revision of a blueprint. A program that fails, or does not even compile, gives null, as
    in Port; so does one that has run away once, from then on."""

    def __init__(self, blueprint: Blueprint, fence: Fence, clock: Callable[[], float]) -> None:
        programs = {name: each["calculation"] for name, each in blueprint.body["calculationProperties"].items()}
        self._tame = {
            name: Tame(_compiled(text), properties_read(text)) for name, text in programs.items() if is_tame(text)
        }
        self._fenced = {name: Fenced(text) for name, text in programs.items() if name not in self._tame}
        self._programs = programs
        self._fence = fence
        self._clock = clock
        self._lock = threading.Lock()
        self._given_up: dict[str, str] = {}

    @property
    def names(self) -> Collection[str]:
        return self._programs.keys()

    @property
    def given_up(self) -> Mapping[str, str]:
        """Why a property is null for all entities, by its name."""
        return self._given_up

    @property
    def may_wait(self) -> bool:
        """Whether an evaluation may take longer than a moment."""
        return any(name not in self._given_up for name in self._fenced)

    def values(
        self, printed: Sequence[Mapping[str, Any]], names: Collection[str] | None = None
    ) -> list[dict[str, Any]]:
        """The calculated values for each entity's JSON, of all calculations or of those named."""
        wanted = [name for name in self._programs if names is None or name in names]
        if not wanted or not printed:
            return [{} for _ in printed]
        fenced = [name for name in wanted if name in self._fenced]
        columns = self._behind_the_fence(fenced, [orjson.dumps(each) for each in printed] if fenced else [])
        for name in wanted:
            if (tame := self._tame.get(name)) is not None:
                columns[name] = self._tamely(name, tame, [tame.text(each) for each in printed])
        return [{name: columns[name][index] for name in wanted} for index in range(len(printed))]

    def _tamely(self, name: str, tame: Tame, texts: Sequence[bytes]) -> list[Any]:
        """The column of a tame program."""
        some = [text if len(text) <= LARGEST else b"null" for text in texts]
        column = [value for batch in _batches(some) for value in tame.values(batch)]
        # What a tame program makes is a multiple of its input, so a large input goes behind the fence too.
        large = [index for index, text in enumerate(texts) if len(text) > LARGEST]
        if large:
            found = self._behind_the_fence([name], [texts[index] for index in large])
            for index, value in zip(large, found[name], strict=True):
                column[index] = value
        return column

    def _behind_the_fence(self, names: Sequence[str], texts: Sequence[bytes]) -> dict[str, list[Any]]:
        """A column of values for each name."""
        if not names:
            return {}
        # One after the other: whoever waits for a program that never ends learns of it and does not try it too.
        with self._lock:
            end = time.monotonic() + _PATIENCE_S
            return {
                name: [value for batch in _batches(texts) for value in self._run(name, batch, end)] for name in names
            }

    def _run(self, name: str, batch: Sequence[bytes], end: float) -> list[Any]:
        left = min(DEADLINE_S, end - time.monotonic())
        if name in self._given_up or left <= 0:
            return [None] * len(batch)
        try:
            lines = self._fence.run(self._programs[name], batch, self._clock(), left)
        except ExpressionError as error:
            (problem,) = error.problems
            if problem.code not in RUNAWAY or left >= DEADLINE_S:
                self._given_up[name] = problem.message
            return [None] * len(batch)
        return [_parsed(line) for line in lines]


class CalculationCache:
    """The calculations of the newest revision of each blueprint: compiling takes longer than running."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._known: dict[str, tuple[str, Calculations]] = {}
        self._fence = Fence()
        self._clock = clock

    def of(self, blueprint: Blueprint) -> Calculations:
        """The blueprint's calculations."""
        known = self._known.get(blueprint.identifier)
        if known is None or known[0] != blueprint.revision:
            known = (blueprint.revision, Calculations(blueprint, self._fence, self._clock))
            self._known[blueprint.identifier] = known
        return known[1]


def _compiled(program: str) -> jq._Program | None:
    """The program for each entity of a list, in one call: libjq takes longer to begin than to run. A tame program has
    one result at most."""
    try:
        jq.compile(program)  # by itself first: `1) | (2` is a program between parentheses only
        return jq.compile(f".[] | [try ({program}\n) catch null] | .[0]")
    except ValueError:
        return None


def _small(result: Any) -> Any:
    """The result, or None for one that cannot be written or is too large."""
    if result is None or (isinstance(result, float) and isfinite(result)):  # as most are
        return result
    written = json_of(result)
    return None if written is None or len(written) > LARGEST else result


def _batches(texts: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(texts), _BATCH):
        yield texts[start : start + _BATCH]


def _parsed(line: bytes) -> Any:
    """The value, or None for one that is too deep to be written again."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if json_of(value) is not None else None

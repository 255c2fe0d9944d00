"""Charts as geometry: where lines, slices, bars, ticks and labels go. The templates draw them as SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portsync.emulator.page.texts import clipped, number, short_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEIGHT = 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 14, 30
_LABEL_WIDTH = 58
_TICKS = 4
_TIP_WIDTH = 212
_BAR_STEP = 34
_FLAT = 1e-9
"""Values that differ by less stand at one height."""
_STEPS = (1, 2, 2.5, 5, 10)
_RADIUS, _HOLE = 100.0, 62.0
_CENTRE = 104.0
_CHARACTER = 7.2
"""The width of a letter at the size of labels, about."""


@dataclass(frozen=True, slots=True)
class Series:
    """A line's values, None where there is none, and its colour; `adds`: whether their sum says anything."""

    title: str
    values: tuple[float | None, ...]
    tone: int
    adds: bool = True

    @property
    def total(self) -> float | None:
        return sum(value for value in self.values if value is not None) if self.adds else None


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A series as a path; `dots` are its points."""

    tone: int
    path: str
    area: str
    dots: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """A place on the time axis, with what there is to read when somebody points at it."""

    left: float
    width: float
    x: float
    title: str
    rows: tuple[tuple[int, str, str], ...]
    tip_x: float
    tip_height: float


@dataclass(frozen=True, slots=True)
class LineChart:
    """Lines over time."""

    width: float
    height: float
    left: float
    right: float
    bottom: float
    top: float
    tip_width: float
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    stops: tuple[Stop, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A slice or bar."""

    title: str
    number: int
    share: float
    tone: str
    path: str = ""
    y: float = 0
    width: float = 0


@dataclass(frozen=True, slots=True)
class Donut:
    """A pie with a hole."""

    parts: tuple[Part, ...]
    size: float = 2 * _CENTRE


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars that lie, so that their names can be read."""

    parts: tuple[Part, ...]
    left: float
    width: float
    height: float


def line_chart(names: Sequence[tuple[str, str]], series: Sequence[Series], width: float) -> LineChart:
    """Lines over the spans of time that have these names, a short and a long one each."""
    right, bottom = width - _RIGHT, _HEIGHT - _BOTTOM
    values = [value for each in series for value in each.values if value is not None]
    ticks = nice_ticks(min([0, *values]), max([0, *values]))
    low, high = ticks[0], ticks[-1]
    step = (right - _LEFT) / max(1, len(names))
    xs = [_LEFT + step * (index + 0.5) for index in range(len(names))]

    def y_of(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - _TOP)

    every = max(1, math.ceil(_LABEL_WIDTH / step))
    tip_width = min(_TIP_WIDTH, width - 24)
    return LineChart(
        width,
        _HEIGHT,
        _LEFT,
        right,
        y_of(max(low, 0)),
        _TOP,
        tip_width,
        tuple(Tick(y_of(value), short_number(value)) for value in ticks),
        tuple(Tick(xs[index], names[index][0]) for index in range(len(names)) if index % every == 0),
        tuple(_line(each, xs, [None if v is None else y_of(v) for v in each.values], bottom) for each in series),
        tuple(_stops(names, series, xs, step, (width, tip_width))),
    )


def _line(series: Series, xs: Sequence[float], ys: Sequence[float | None], bottom: float) -> Line:
    dots = tuple((x, y) for x, y in zip(xs, ys, strict=True) if y is not None)
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in dots)
    area = f"M{dots[0][0]:.1f} {bottom}L{path}L{dots[-1][0]:.1f} {bottom}Z" if dots else ""
    return Line(series.tone, f"M{path}" if dots else "", area, dots)


def _stops(
    names: Sequence[tuple[str, str]],
    series: Sequence[Series],
    xs: Sequence[float],
    step: float,
    widths: tuple[float, float],
) -> Iterator[Stop]:
    width, tip_width = widths
    for index, (_, title) in enumerate(names):
        rows = tuple(
            (each.tone, clipped(each.title, 22), number(value))
            for each in series
            if (value := each.values[index]) is not None
        )
        if rows:
            x = xs[index]
            tip_x = x + 12 if x + 12 + tip_width < width else max(4, x - 12 - tip_width)
            yield Stop(x - step / 2, step, x, title, rows, tip_x, 30 + 20 * len(rows))


def nice_ticks(low: float, high: float) -> list[float]:
    """Some round numbers at equal distances, from one not above `low` to one not below `high`."""
    if high - low < _FLAT:
        high = low + 1
    rough = (high - low) / _TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * each for each in _STEPS if size * each >= rough * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [each * step for each in range(first, last + 1)]


def donut(parts: Sequence[tuple[str, int, str]]) -> Donut:
    """Slices from the top, clockwise."""
    total = sum(part[1] for part in parts)
    drawn: list[Part] = []
    start = 0.0
    for title, size, tone in parts:
        share = size / total
        drawn.append(Part(title, size, share, tone, _slice(start, start + share)))
        start += share
    return Donut(tuple(drawn))


def _slice(start: float, end: float) -> str:
    """The path of a slice between two shares of the whole turn; a whole one is two halves."""
    if end - start > 0.9999:  # noqa: PLR2004 - an arc from a point to itself is nothing
        return _slice(0, 0.5) + _slice(0.5, 0.99999)
    large = int(end - start > 0.5)  # noqa: PLR2004 - half a turn
    (x1, y1), (x2, y2) = _on_circle(start, _RADIUS), _on_circle(end, _RADIUS)
    (x3, y3), (x4, y4) = _on_circle(end, _HOLE), _on_circle(start, _HOLE)
    return (
        f"M{x1:.2f} {y1:.2f}A{_RADIUS} {_RADIUS} 0 {large} 1 {x2:.2f} {y2:.2f}"
        f"L{x3:.2f} {y3:.2f}A{_HOLE} {_HOLE} 0 {large} 0 {x4:.2f} {y4:.2f}Z"
    )


def _on_circle(share: float, radius: float) -> tuple[float, float]:
    angle = 2 * math.pi * share - math.pi / 2
    return _CENTRE + radius * math.cos(angle), _CENTRE + radius * math.sin(angle)


def bars(parts: Sequence[tuple[str, int, str]], width: float) -> Bars:
    """One below the other, as wide as the number says."""
    most = max((size for _, size, _ in parts), default=1)
    total = sum(size for _, size, _ in parts) or 1
    longest = max((len(title) for title, _, _ in parts), default=0)
    left = min(width * 0.4, longest * _CHARACTER + 16)
    room = width - left - 76
    letters = int((left - 12) / _CHARACTER)
    drawn = tuple(
        Part(clipped(title, max(4, letters)), size, size / total, tone, "", index * _BAR_STEP + 4, room * size / most)
        for index, (title, size, tone) in enumerate(parts)
    )
    return Bars(drawn, left, width, len(parts) * _BAR_STEP + 4)

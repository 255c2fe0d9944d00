"""Calculation properties: JQ programs that Port evaluates when an entity is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jq

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.emulator.blueprints import Blueprint


class Calculation:
    """One calculation. A program that fails, or does not even compile, gives null, as in Port."""

    def __init__(self, program: str) -> None:
        try:
            self._program = jq.compile(program)
        except ValueError:
            self._program = None

    def value(self, entity: Mapping[str, Any]) -> Any:
        """The first result for this entity's JSON, or None."""
        if self._program is None:
            return None
        try:
            return next(iter(self._program.input_value(entity)), None)
        except ValueError:
            return None


class CalculationCache:
    """The calculations of the newest revision of each blueprint: compiling takes longer than running."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, dict[str, Calculation]]] = {}

    def of(self, blueprint: Blueprint) -> dict[str, Calculation]:
        """The calculations by the name of their property."""
        revision, calculations = self._known.get(blueprint.identifier, ("", {}))
        if revision != blueprint.revision:
            calculations = {
                name: Calculation(each["calculation"]) for name, each in blueprint.body["calculationProperties"].items()
            }
            self._known[blueprint.identifier] = (blueprint.revision, calculations)
        return calculations

"""What the workers of a run have to know: the mapping, the part of the environment that it and portsync read, and what
the coordinator found out before."""

from __future__ import annotations

import pickle
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portsync import __version__
from portsync.settings import is_setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.mapping.loader import LoadedMapping

_NAMED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Brief:
    """It goes to workers through the cluster's own connections, and holds secrets."""

    run: str
    mapping_text: str = field(repr=False)
    mapping_path: str
    mapping_name: str
    environment: Mapping[str, str] = field(repr=False)
    catalog: str
    """The name of the state's part that is written."""
    catalog_id: int
    manner: str
    number: int
    """The run's, in the state."""
    now: float
    """The run's instant, in epoch seconds."""
    context: Mapping[str, bytes] = field(repr=False)
    """What the lookups gave."""
    is_full: bool
    wanted: tuple[int, ...]
    """The indexes of the resources that are read in the run."""
    version: str = __version__

    def packed(self) -> bytes:
        return pickle.dumps(self)


def unpacked(packed: bytes) -> Brief:
    """The brief that a coordinator of this version packed."""
    brief = pickle.loads(packed)  # noqa: S301 - it comes from our own coordinator, as the code of every task does
    assert isinstance(brief, Brief)
    return brief


def environment_for(mapping: LoadedMapping, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that workers need, and no others."""
    named = set(_NAMED.findall(mapping.document.text))
    return {name: value for name, value in environment.items() if name in named or is_setting(name)}

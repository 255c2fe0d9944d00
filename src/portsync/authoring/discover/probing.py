"""A `source` section that no file holds, made into what requests need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from portsync.mapping.loader import LoadedMapping, parse
from portsync.plan import plan_source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portsync.flow import Json
    from portsync.plan import SourcePlan
    from portsync.settings import Settings

PLACE = Path("the source that is asked")
NO_RESOURCE = {"kind": "/", "port": {"entity": {"mappings": {"identifier": ".id", "blueprint": '"none"'}}}}
"""A mapping has to have one."""


def probe(
    source: Mapping[str, Json], environment: Mapping[str, str], settings: Settings
) -> tuple[LoadedMapping, SourcePlan]:
    """A mapping with this `source` section, and its source. Raises ConfigError with all that is wrong."""
    # JSON is YAML.
    text = json.dumps({"source": source, "resources": [NO_RESOURCE]}, indent=2, ensure_ascii=False)
    mapping = parse(text, PLACE, environment)
    return mapping, plan_source(mapping.file, settings)

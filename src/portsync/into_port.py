"""The sinks that stand one before another on the way into Port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portsync.left_alone import SparingSink
from portsync.port.entities import UpsertSwitches
from portsync.sinks.compared import ComparedSink
from portsync.sinks.port import PortSink

if TYPE_CHECKING:
    from portsync.mapping.models import MappingFile
    from portsync.port.client import PortClient
    from portsync.port.holdings import Holdings
    from portsync.recheck import Recheck
    from portsync.state.touched import LeftAlone


def sink_into(
    port: PortClient, holdings: Holdings, recheck: Recheck, left_alone: LeftAlone, file: MappingFile
) -> ComparedSink:
    """What takes the entities of a mapping to Port: first what Port has already is left out, where that is to be
    looked at, then what live events touched."""
    switches = UpsertSwitches(file.enable_merge_entity, file.create_missing_related_entities)
    to_port = SparingSink(PortSink(port, switches), left_alone)
    return ComparedSink(to_port, holdings, recheck.is_due, is_merge=file.enable_merge_entity)

"""The variables of Ocean that are not about the source, and what becomes of them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

READ_AT_RUN = frozenset(
    {
        "OCEAN__PORT__CLIENT_ID",
        "OCEAN__PORT__CLIENT_SECRET",
        "OCEAN__PORT__BASE_URL",
        "OCEAN__INTEGRATION__IDENTIFIER",
        "OCEAN__INTEGRATION__TYPE",
        "OCEAN__INITIALIZE_PORT_RESOURCES",
        "OCEAN__SEND_RAW_DATA_EXAMPLES",
        "OCEAN__SCHEDULED_RESYNC_INTERVAL",
        "OCEAN__EVENT_LISTENER",
        "OCEAN__LOG_LEVEL",
    }
)
"""Who writes, where to, and when: portsync reads these from the environment of a run."""

_CONFIG = "OCEAN__INTEGRATION__CONFIG__"
_UNKNOWN = "is left out: Ocean does not know it, and sends a parameter called `None`"

OTHERS: Mapping[str, str] = MappingProxyType(
    {
        f"{_CONFIG}OFFSET_PARAM": f"{_UNKNOWN}; PAGINATION_PARAM is the name that counts",
        f"{_CONFIG}PAGE_PARAM": f"{_UNKNOWN}; PAGINATION_PARAM is the name that counts",
        f"{_CONFIG}CURSOR_PARAM": f"{_UNKNOWN}; PAGINATION_PARAM is the name that counts",
        f"{_CONFIG}LIMIT_PARAM": f"{_UNKNOWN}; SIZE_PARAM is the name that counts",
        "OCEAN__CLIENT_TIMEOUT": "is left out; `source.timeout` has the time-outs",
        "OCEAN__ALLOW_ENVIRONMENT_VARIABLES_JQ_ACCESS": "is left out: expressions never see the environment",
        "OCEAN__LAKEHOUSE_ENABLED": "is left out: raw data is not processed in Port",
        "OCEAN__PROCESSING_MODE": "is left out: raw data is not processed in Port",
        "OCEAN__PROCESS_EXECUTION_MODE": "is left out: expressions always run in processes of their own",
        "OCEAN__PROCESS_IN_QUEUE_TIMEOUT": "is left out; PORTSYNC_JQ_TIMEOUT limits expressions",
        "OCEAN__PROCESS_IN_QUEUE_MAX_WORKERS": "is left out; PORTSYNC_JQ_WORKERS says how many processes there are",
        "OCEAN__UPSERT_ENTITIES_BATCH_MAX_LENGTH": "is left out: batches are as large as Port takes them",
        "OCEAN__UPSERT_ENTITIES_BATCH_MAX_SIZE_IN_BYTES": "is left out: batches are as large as Port takes them",
        "OCEAN__YIELD_ITEMS_TO_PARSE_BATCH_SIZE": "is left out: nothing is collected",
        "OCEAN__CACHING_STORAGE_MODE": "is left out: nothing is cached",
        "OCEAN__CREATE_PORT_RESOURCES_ORIGIN": "is left out: `provision` creates blueprints",
        "OCEAN__RESOURCES_PATH": "is left out; blueprints beside the mapping are found there",
        "OCEAN__STREAMING__ENABLED": "is left out: answers are always read piece by piece",
    }
)
"""The end of a sentence about each."""

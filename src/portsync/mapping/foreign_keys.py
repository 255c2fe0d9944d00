"""Keys of other systems, and keys that Ocean takes without effect: what to write here for them."""

from __future__ import annotations

_ANYWHERE = {
    # Ocean
    "enabledelete": "write `delete_stale` in the `selector`; Ocean takes this key and does nothing",
    "exportenvvariables": "remove it: raw data is not processed elsewhere",
    "relation": "write `relations`; Ocean drops this key in silence",
    "property": "write `properties`",
    "sendrawdataexamples": "remove it, and set PORTSYNC_RAW_EXAMPLES=false in the environment",
    "scheduledresyncinterval": "remove it, and set PORTSYNC_INTERVAL in the environment",
    "eventlistener": "remove it, and set PORTSYNC_LISTENER in the environment",
    "initializeportresources": "remove it, and set PORTSYNC_INITIALIZE_RESOURCES in the environment",
    "authtype": "write `source: {auth: {type: ...}}`",
    "apitoken": 'write `source: {auth: {type: bearer, token: "${NAME}"}}`',
    "apiurl": "write `source: {base_url: https://...}`",
    "paginationtype": "write `source: {pagination: {type: ...}}`",
    "verifyssl": "write `source: {verify_tls: false}`",
    "customheaders": "write `source: {headers: ...}`",
    "maxconcurrentrequests": "write `source: {concurrency: ...}`",
    # Airbyte
    "streams": "write `resources`, one for each stream",
    "definitions": "write `resources`; what several share is an anchor, `&name` and `*name`",
    "requester": "write `source: {base_url: ...}`, and in the `selector` method, query_params, headers and body",
    "retriever": "write `selector`, with `data_path` and `pagination`",
    "paginator": "write `pagination: {type: ...}` in `source` or in the `selector`",
    "paginationstrategy": "write `pagination: {type: ...}` in `source` or in the `selector`",
    "authenticator": "write `source: {auth: {type: ...}}`",
    "urlbase": "write `source: {base_url: ...}`",
    "requestparameters": "write `query_params` in the `selector`",
    "requestheaders": "write `headers` in the `selector`",
    "requestbodyjson": "write `body` in the `selector`",
    "httpmethod": "write `method` in the `selector`",
    "recordselector": "write `data_path` in the `selector`: JQ to the records, such as .data.items",
    "recordfilter": "write `query` in the `selector`: JQ that gives true or false",
    "fieldpath": "write `data_path` in the `selector`: JQ, such as .data.items",
    "primarykey": "write `identifier` in the `mappings`: JQ, such as .id",
    "partitionrouter": "write `path_parameters` in the `selector`",
    "incrementalsync": "write `window` in the `selector`",
    "transformations": "write `properties` in the `mappings`: each value is JQ over the record",
    "errorhandler": "write `on_status` in the `selector`, and `retry` in `source`",
    # dlt, Benthos and what people write by heart
    "client": "write `source`",
    "resourcedefaults": "write what all share into `source`",
    "dataselector": "write `data_path` in the `selector`: JQ, such as .data.items",
    "incremental": "write `window` in the `selector`",
    "writedisposition": "remove it; `delete_stale` in the `selector` says what becomes of old entities",
    "params": "write `query_params` in the `selector`",
    "records": "write `data_path` in the `selector`: JQ to the records, such as .data.items",
    "recordpath": "write `data_path` in the `selector`: JQ to the records, such as .data.items",
    "filter": "write `query` in the `selector`: JQ that gives true or false",
    "where": "write `query` in the `selector`: JQ that gives true or false",
    "endpoint": "write `kind` in the resource: the path of the endpoint",
    "url": "write `base_url` in `source`, and the path as the `kind` of the resource",
    "path": "write `kind` in the resource: the path of the endpoint",
    "json": "write `body` in the `selector`",
    "payload": "write `body` in the `selector`",
    "fields": "write `properties` in the `mappings`",
    "id": "write `identifier`: JQ, such as .id",
    "token": 'write `source: {auth: {type: bearer, token: "${NAME}"}}`',
    "apikey": 'write `source: {auth: {type: api_key, key: "${NAME}"}}`',
    "schedule": "remove it: `portsync serve --interval 1h` has the schedule",
    "interval": "remove it: `portsync serve --interval 1h` has the schedule",
    "variables": "write ${NAME} where a value is wanted, and set NAME in the environment",
    "env": "write ${NAME} where a value is wanted, and set NAME in the environment",
}
"""By the key in lower case, without underscores and dashes."""

_AT_THE_TOP = {
    "schema": "this looks like a blueprint, which `portsync provision` takes",
    "widgets": "this looks like a page, which `portsync provision` takes",
    "apiversion": "this looks like a file of Kubernetes, not like a mapping",
    "openapi": "this looks like a description of an API, not like a mapping",
    "swagger": "this looks like a description of an API, not like a mapping",
    "services": "this looks like a compose file, not like a mapping",
    "jobs": "this looks like a pipeline, not like a mapping",
}


def instead_of(key: str, *, is_top: bool, is_lookup: bool = False) -> str | None:
    """What to write for `key`, where another system has it; `is_top` says whether it stands beside `resources`, and
    `is_lookup` whether in `context`."""
    plain = key.lower().replace("_", "").replace("-", "")
    if is_lookup and plain in ("url", "endpoint", "kind"):
        return "write `path`: the path of the endpoint"
    return (_AT_THE_TOP.get(plain) if is_top else None) or _ANYWHERE.get(plain)

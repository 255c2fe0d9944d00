"""From settings and a mapping to the parts of a run."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from portsync import __version__
from portsync.auth import AuthTools, NoAuth, TokenStore
from portsync.errors import ConfigError, PortUnreachableError, Problem, SendError, SettingsError
from portsync.jq.cores import usable_cores
from portsync.jq.pool import JqPool
from portsync.jq.process import Limits
from portsync.mapping.loader import LoadedMapping, load, parse
from portsync.mapping.source import Tls
from portsync.plan import SourcePlan, origin_problems, plan_source
from portsync.port.client import PortClient, unreachable
from portsync.port.ingest import Ingest
from portsync.transport.client import LARGEST_ANSWER, Client
from portsync.transport.limiter import Budget
from portsync.transport.retry import RetryPolicy
from portsync.transport.tls import closed_context, ssl_context
from portsync.transport.trouble import Timeouts
from portsync.urls import is_loopback, origin_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from portsync.port.owner import Owner
    from portsync.runtime import Runtime
    from portsync.settings import Settings
    from portsync.surroundings import Sharing, Surroundings
    from portsync.transport.limiter import AnyGate

_PORT_ATTEMPTS = 7
_PORT_STEADY = 0.5
"""With so many attempts, and so much of each wait certain, a Port that is away for half a minute is waited for."""
_QUIET_S = 3.0
"""After so many seconds of waiting for Port somebody wants to know why."""
_INGEST_S = 3.0
"""So long may an answer take that nobody needs."""
_PORT_MAX_WAIT_S = 310.0
"""Port counts requests in windows of five minutes; who has used one up waits for the next."""


def load_all(
    paths: list[Path], environment: Mapping[str, str], settings: Settings, *, needs_port: bool = True
) -> list[tuple[LoadedMapping, SourcePlan]]:
    """The mappings, and the source of each. Raises ConfigError with the problems of all files and of the
    environment at once."""
    problems: list[Problem] = []
    found: list[tuple[LoadedMapping, SourcePlan]] = []
    for path in paths:
        try:
            found.append(_with_source(load(path, environment), settings))
        except ConfigError as error:
            problems += error.problems
    try:
        if needs_port:
            port_credentials(settings)
    except SettingsError as error:
        problems += error.problems
    if problems:
        raise ConfigError(*problems)
    return found


def planned(
    text: str, path: Path, environment: Mapping[str, str], settings: Settings, name: str, *, is_from_port: bool
) -> tuple[LoadedMapping, SourcePlan]:
    """The mapping that `text` says, and its source. `path` says what lies beside it. Raises ConfigError."""
    return _with_source(replace(parse(text, path, environment), is_from_port=is_from_port, given_name=name), settings)


def _with_source(mapping: LoadedMapping, settings: Settings) -> tuple[LoadedMapping, SourcePlan]:
    """The mapping and its source. Raises ConfigError."""
    source = plan_source(mapping.file, settings)
    problems = [*origin_problems(mapping, source.origins), *_part_problems(mapping, source, settings)]
    if problems:
        raise ConfigError(*problems)
    return mapping, source


def _part_problems(mapping: LoadedMapping, source: SourcePlan, settings: Settings) -> list[Problem]:
    """What would keep the parts of a source from being made: its certificates, the place of its tokens."""
    try:
        if source.tls != Tls():
            _source_tls(mapping, source)
        source.auth.build(AuthTools(source.base_url, clock=lambda: 0.0, store=TokenStore(settings.token_folder)))
    except SettingsError as error:
        return list(error.problems)
    return []


def port_credentials(settings: Settings) -> tuple[str, str]:
    """Client id and secret. Raises SettingsError where one is missing."""
    missing = [
        name
        for name, value in (
            ("PORT_CLIENT_ID", settings.client_id),
            ("PORT_CLIENT_SECRET", settings.client_secret),
        )
        if value is None
    ]
    if missing or settings.client_id is None or settings.client_secret is None:
        raise SettingsError(
            Problem(
                "no-credentials",
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
                place="environment",
                hint="take them from Port (profile menu, Credentials); without Port, try `portsync demo`",
            )
        )
    return settings.client_id, settings.client_secret.get_secret_value()


@asynccontextmanager
async def port_client(settings: Settings, owner: Owner, around: Surroundings) -> AsyncIterator[PortClient]:
    """A client of Port, not yet signed in; what it raises inside the block is a PortError."""
    client_id, client_secret = port_credentials(settings)
    sharing = around.sharing
    async with Client(
        policy=_policy(_PORT_ATTEMPTS, _PORT_MAX_WAIT_S, around.runtime, steady=_PORT_STEADY),
        gate_of=_gates(sharing, f"port {_key(client_id)}", _PORT_MAX_WAIT_S),
        timeouts=Timeouts(read=60.0, total=120.0),
        user_agent=owner.user_agent,
        tls=ssl_context() if settings.port_url.startswith("https:") else closed_context(),
        use_proxies=not is_loopback(settings.port_url),
        origin=origin_of(settings.port_url),
    ) as http:
        port = PortClient(
            http,
            settings.port_url,
            client_id,
            client_secret,
            around.runtime.clock,
            around.redactor.add,
            None if sharing is None else sharing.port_token,
        )
        try:
            yield port
        except SendError as error:
            raise PortUnreachableError(unreachable(error)) from error


async def signed_in(port: PortClient, url: str, log: Any) -> None:
    """Sign in to Port, and say so where that takes a while: its attempts go on for up to a minute."""
    signing_in = asyncio.create_task(port.sign_in())
    try:
        await asyncio.wait({signing_in}, timeout=_QUIET_S)
        if not signing_in.done():
            log.warning("port.waiting", url=url, reason="no answer yet; trying for up to a minute")
        await signing_in
    finally:
        signing_in.cancel()


@asynccontextmanager
async def port_ingest(url: str, port: PortClient, owner: Owner, around: Surroundings) -> AsyncIterator[Ingest]:
    """What tells Port how a run goes, at a URL that is Port's own. Each request is tried once."""
    async with Client(
        policy=_policy(1, 0.0, around.runtime),
        timeouts=Timeouts(_INGEST_S, _INGEST_S, _INGEST_S, _INGEST_S, _INGEST_S),
        user_agent=owner.user_agent,
        tls=ssl_context() if url.startswith("https:") else closed_context(),
        use_proxies=not is_loopback(url),
        origin=origin_of(url),
    ) as http:
        yield Ingest(http, url, port.token)


def catalog_name(settings: Settings, owner: Owner, mapping: str) -> str:
    """By which name the state knows what the mapping of this name gave to this Port. The credentials stand for the
    organisation: the same integration in another one is another catalog."""
    key = _key(settings.client_id or "")
    return f"{settings.port_url} {key} {owner.prefix}*{owner.suffix} {mapping}"


def _key(text: str) -> str:
    """A short name for it, from which it cannot be told."""
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _gates(
    sharing: Sharing | None, name: str, max_wait: float, concurrency: int | None = None, budget: Budget | None = None
) -> Callable[[str], AnyGate] | None:
    """What gives the gate of an origin, where it is shared with others; `name` is that of the credentials."""
    if sharing is None:
        return None
    gate_of = sharing.gate_of
    return lambda origin: gate_of(f"{origin} {name}", max_wait, concurrency, budget)


@dataclass(frozen=True, slots=True)
class FromSource:
    """What reads the source."""

    client: Client
    pool: JqPool
    patience_s: float
    """Longer than anything may take, in seconds."""


@asynccontextmanager
async def source_tools(
    mapping: LoadedMapping,
    source: SourcePlan,
    around: Surroundings,
    store: TokenStore,
    warm: JqPool | None = None,
    *,
    largest_answer: int = LARGEST_ANSWER,
) -> AsyncIterator[FromSource]:
    """What a run of `mapping` needs to read its source. `warm` is a pool that lives longer than the run;
    `largest_answer` is in bytes, after decompression."""
    settings, runtime = around.settings, around.runtime
    timeout, rate = source.timeout, source.rate_limit
    origins = source.origins
    sharing, secrets = around.sharing, {*mapping.secrets, *source.auth.secrets()}
    budget = None if rate is None else Budget(rate.requests, rate.per)
    # Who asks with the same secrets is the same to the server; mappings may still differ in their own limits.
    asks = f"source {mapping.name} {_key(' '.join(sorted(secrets)))}"
    elsewhere = None if sharing is None else sharing.source_token
    client = Client(
        policy=_policy(source.retry.attempts, source.retry.max_wait, runtime),
        timeouts=Timeouts(timeout.connect, timeout.read, timeout.write, timeout.pool, timeout.total),
        # Anthropic asks integrations to say who they are, in this form.
        user_agent=f"portsync/{__version__}",
        auth=source.auth.build(AuthTools(source.base_url, runtime.clock, around.redactor.add, store, elsewhere)),
        tls=None if around.wire.kept is not None else _source_tls(mapping, source),
        transport=around.wire.kept,
        taken=around.wire.taken,
        use_proxies=not is_loopback(source.base_url),
        largest_answer=largest_answer,
        origin=origins.own,
        allow_origins=origins.allowed,
        concurrency=source.concurrency,
        has_one_quota=source.auth.has_one_quota,
        secrets=secrets,
        budget=budget,
        gate_of=_gates(sharing, asks, source.retry.max_wait, source.concurrency, budget),
    )
    limits = Limits(settings.jq_timeout, settings.jq_memory)
    own = JqPool(limits, settings.jq_workers or usable_cores()) if warm is None else nullcontext(warm)
    async with client, own as pool:
        # The user's own budget is waited for, however long that takes.
        turn_s = 0.0 if rate is None else rate.per
        patience_s = timeout.total + source.retry.max_wait + turn_s + 5 * settings.jq_timeout
        yield FromSource(client, pool, patience_s)


def offline(source: SourcePlan) -> SourcePlan:
    """The source as it is read from kept answers: nobody has to sign in, and nobody to wait."""
    return replace(source, auth=NoAuth(), tls=Tls(), rate_limit=None)


def _source_tls(mapping: LoadedMapping, source: SourcePlan) -> ssl.SSLContext:
    urls = (source.base_url, *source.auth.urls(source.base_url), *mapping.file.source.allow_origins)
    if all(urlsplit(url).scheme == "http" for url in urls):
        return closed_context()
    tls = source.tls
    return ssl_context(verify=source.verify_tls, ca=tls.ca, cert=tls.cert, key=tls.key)


def _policy(attempts: int, max_wait: float, runtime: Runtime, *, steady: float = 0.0) -> RetryPolicy:
    return RetryPolicy(attempts, max_wait, runtime.clock, runtime.sleep, runtime.random, steady)

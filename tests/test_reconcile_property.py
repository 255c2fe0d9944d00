"""For any facts: nothing is deleted that the deletion rule forbids, and the report says what happened in Port."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portsync.emulator.app import create_app
from portsync.flow import Entity
from portsync.port.client import PortClient
from portsync.port.deletion import Deletion as PortDeletion
from portsync.port.holdings import Holdings
from portsync.port.owner import Owner
from portsync.reconcile import BlueprintRun, Deletion, DeletionRule, Reconciler, dependents_first
from portsync.state.catalog import Accepted, Catalog
from portsync.state.place import StatePlace
from portsync.state.store import opened_state
from portsync.transport.client import Client
from portsync.transport.retry import RetryPolicy
from portsync.transport.tls import closed_context
from portsync.transport.trouble import Timeouts

if TYPE_CHECKING:
    from tests.conftest import Stage

OURS, THEIRS = Owner("portsync", "custom", "me"), Owner("portsync", "custom", "not-me")
BLUEPRINTS = ("a", "b")
THRESHOLDS = (0.0, 0.3, 0.5, 1.0)


@dataclass(frozen=True)
class One:
    """One entity: what was before the run, and what the run made of it."""

    is_ours: bool
    """Whether we wrote it last."""
    is_known: bool
    """Whether the state knows it."""
    is_given: bool
    """Whether the run gave it, so that it is in Port as well."""
    is_held: bool
    """Whether Port has it."""
    points_to: tuple[str, int] | None
    """Blueprint and number of the entity that it points to."""


@dataclass(frozen=True)
class World:
    """All that the rule may look at."""

    entities: dict[tuple[str, int], One]
    runs: dict[str, tuple[bool, int, bool]]
    """Of each blueprint: whether it was read to its end, its faults, and whether it keeps history."""
    threshold: float
    allows_empty: bool
    is_off: bool
    with_dependents: bool
    is_listed: bool


KEYS = st.tuples(st.sampled_from(BLUEPRINTS), st.integers(0, 4))
WORLDS = st.builds(
    World,
    st.dictionaries(
        KEYS,
        st.builds(
            One,
            is_ours=st.sampled_from([True, True, True, False]),
            is_known=st.sampled_from([True, True, False]),
            is_given=st.booleans(),
            is_held=st.sampled_from([True, True, True, False]),
            points_to=st.none() | KEYS,
        ),
        min_size=1,
    ),
    st.fixed_dictionaries(
        {
            name: st.tuples(st.sampled_from([True, True, True, False]), st.sampled_from([0, 0, 0, 2]),
                st.sampled_from([False, False, True]))
            for name in BLUEPRINTS
        }
    ),
    st.sampled_from(THRESHOLDS),
    st.booleans(),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([False, False, True]),
    st.booleans(),
)  # fmt: skip


def held_of(world: World) -> dict[tuple[str, int], One]:
    """What is in Port before the deletion."""
    return {key: one for key, one in world.entities.items() if one.is_given or one.is_held}


def stale_of(world: World, blueprint: str) -> set[tuple[str, int]]:
    """What of a blueprint is ours, and was not given, as far as somebody looked for it."""
    return {
        key
        for key, one in held_of(world).items()
        if key[0] == blueprint and not one.is_given and one.is_ours and (one.is_known or world.is_listed)
    }


def may_delete(world: World, blueprint: str) -> bool:
    """What contract and docs say of deletion, in one sentence."""
    is_complete, faults, keeps_history = world.runs[blueprint]
    given_count = sum(one.is_given for key, one in world.entities.items() if key[0] == blueprint)
    stale = len(stale_of(world, blueprint))
    share = Fraction(stale, stale + given_count) if stale else Fraction(0)
    return (
        is_complete
        and faults == 0
        and not keeps_history
        and not world.is_off
        and (given_count > 0 or world.allows_empty)
        and share <= Fraction(str(world.threshold))
    )


def expected_left(world: World) -> set[tuple[str, int]]:
    """What is left when everything that may be deleted is taken away one by one, as long as nobody needs it."""
    left = held_of(world)
    going = {key for name in BLUEPRINTS if may_delete(world, name) for key in stale_of(world, name)}
    if world.with_dependents:
        while taken := {k for k, one in left.items() if k in going or (one.points_to in going and k != one.points_to)}:
            left = {k: one for k, one in left.items() if k not in taken}
            going = taken
        return set(left)
    while free := {k for k in going & left.keys() if not any(o.points_to == k for n, o in left.items() if n != k)}:
        left = {k: one for k, one in left.items() if k not in free}
    return set(left)


def identifier(key: tuple[str, int]) -> str:
    return f"{key[0]}{key[1]}"


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=WORLDS)
def test_nothing_is_deleted_that_the_rule_forbids_and_the_numbers_are_true(
    world: World, port_stage: tuple[Stage, str]
) -> None:
    stage, url = port_stage
    stage.app = create_app(client_id="cid", client_secret="secret")
    deletions, left = asyncio.run(reconciled(world, url))

    before = held_of(world)
    assert left == {identifier(key) for key in expected_left(world)}
    by_name = {one.blueprint: one for one in deletions}
    for name in BLUEPRINTS:
        stale = stale_of(world, name)
        gone = {key for key in before if key[0] == name and identifier(key) not in left}
        keeps_history = world.runs[name][2]
        if keeps_history or not stale:
            assert name not in by_name
            continue
        one = by_name[name]
        if not world.with_dependents:
            assert (one.stale, one.deleted) == (len(stale), len(gone))
            assert set(one.kept) == ({identifier(key) for key in stale - gone} if may_delete(world, name) else set())
        assert (one.refused is None) == (may_delete(world, name) and stale <= gone)


async def reconciled(world: World, url: str) -> tuple[list[Deletion], set[str]]:
    """What the reconciler does in this world, and the identifiers that Port has after it."""
    async with _client(OURS) as ours, _client(THEIRS) as theirs:
        port, other = (PortClient(http, url, "cid", "secret", lambda: 0.0) for http in (ours, theirs))
        await _fill(world, port, other)
        holdings = Holdings(port, OURS)
        with opened_state(StatePlace()) as connection:
            _remember(world, Catalog(connection, "me", "merge"), is_before=True)
            catalog = Catalog(connection, "me", "merge")
            _remember(world, catalog, is_before=False)
            relations = {name: await holdings.relations(name) for name in BLUEPRINTS}
            runs = {name: _run_of(world, name, catalog) for name in BLUEPRINTS}
            deletes = PortDeletion(port, with_dependents=world.with_dependents)
            rule = DeletionRule(world.threshold, world.allows_empty, world.is_off)
            reconciler = Reconciler(catalog, holdings, deletes, rule)
            ordered = [runs[name] for name in dependents_first(runs, relations)]
            deletions = await reconciler.reconcile(ordered, lambda _: world.is_listed)
        left = [one async for page in holdings.identifiers("a") for one in page]
        return deletions, {*left, *[one async for page in holdings.identifiers("b") for one in page]}


def _client(owner: Owner) -> Client:
    async def no_sleep(_seconds: float) -> None:
        return

    policy = RetryPolicy(2, 1, lambda: 0.0, no_sleep, lambda: 0.0)
    return Client(
        policy=policy, timeouts=Timeouts(), user_agent=owner.user_agent, tls=closed_context(), use_proxies=False
    )


async def _fill(world: World, port: PortClient, other: PortClient) -> None:
    for name in BLUEPRINTS:
        definition = {"identifier": name, "title": name, "schema": {"properties": {}}}
        assert (await port.send("POST", "/blueprints", body=definition)).is_success
    targets = {f"to_{name}": {"title": name, "target": name} for name in BLUEPRINTS}
    for name in BLUEPRINTS:
        assert (await port.send("PATCH", f"/blueprints/{name}", body={"relations": targets})).is_success
    held = held_of(world)
    for with_relations in (False, True):
        for key, one in held.items():
            body: dict[str, Any] = {"identifier": identifier(key)}
            if with_relations and one.points_to in held:
                assert one.points_to is not None
                body["relations"] = {f"to_{one.points_to[0]}": identifier(one.points_to)}
            writer = port if one.is_ours or one.is_given else other
            params = (("upsert", "true"),)
            assert (await writer.send("POST", f"/blueprints/{key[0]}/entities", params=params, body=body)).is_success


def _remember(world: World, catalog: Catalog, *, is_before: bool) -> None:
    """Give the catalog what an earlier run gave, or this one."""
    for name in BLUEPRINTS:
        some = [
            Entity(name, identifier(key), b"{}", b"digest", 1, 1)
            for key, one in world.entities.items()
            if key[0] == name and (one.is_known if is_before else one.is_given)
        ]
        changed = catalog.changed("r", name, some)
        catalog.accept(Accepted("r", name, one.identifier, one.digest) for one in changed)
    catalog.close()


def _run_of(world: World, name: str, catalog: Catalog) -> BlueprintRun:
    is_complete, faults, keeps_history = world.runs[name]
    return BlueprintRun(name, is_complete, faults, catalog.seen_count(name), created=0, keeps_history=keeps_history)

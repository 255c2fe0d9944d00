"""Changes in requests: none overtakes another of the same entity, and none is lost."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.flow import Entity
from portsync.serve.live_changes import Change, portions_of
from portsync.state.hook_queue import Event

Catalog = dict[tuple[str, str], dict[str, int]]


def change(number: int, blueprint: str, identifier: str, prop: str, is_deletion: bool) -> Change:
    body = f'{{"identifier":"{identifier}","properties":{{"{prop}":{number}}}}}'.encode()
    entity = Entity(blueprint, identifier, body, b"", 1, 1)
    return Change(Event("m", "h", None, 0.0, b"", number), 0, entity, is_deletion)


def applied(catalog: Catalog, one: Change, *, is_merge: bool) -> None:
    key = (one.entity.blueprint, one.entity.identifier)
    if one.is_deletion:
        catalog.pop(key, None)
        return
    properties = json.loads(one.entity.body)["properties"]
    catalog[key] = {**catalog.get(key, {}), **properties} if is_merge else properties


changes = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from("pq"), st.booleans()), max_size=60
).map(lambda some: [change(number, *one) for number, one in enumerate(some, 1)])


@given(changes, st.booleans(), st.booleans())
@settings(deadline=None)
def test_the_requests_have_the_effect_of_the_changes_one_by_one(
    some: list[Change], is_merge: bool, keeps_order: bool
) -> None:
    one_by_one: Catalog = {}
    for one in some:
        applied(one_by_one, one, is_merge=is_merge)
    together: Catalog = {}
    for portion in portions_of(some, is_merge=is_merge, keeps_order=keeps_order):
        names = [one.entity.identifier for one in portion.changes]
        assert len(names) == len(set(names)) <= 20
        assert {(one.entity.blueprint, one.is_deletion) for one in portion.changes} == {
            (portion.blueprint, portion.is_deletion)
        }
        for one in portion.changes:
            applied(together, one, is_merge=is_merge)
    assert together == one_by_one


def test_twenty_entities_of_several_events_go_in_one_request() -> None:
    some = [change(n, blueprint, f"e{n}", "p", is_deletion=False) for n in range(40) for blueprint in "ab"]
    sizes = [len(portion.changes) for portion in portions_of(some, is_merge=True, keeps_order=False)]
    assert sizes == [20, 20, 20, 20]


def test_where_port_makes_no_bare_entities_the_blueprints_keep_their_order() -> None:
    some = [change(n, blueprint, f"e{n}", "p", is_deletion=False) for n in range(2) for blueprint in "ab"]
    order = [portion.blueprint for portion in portions_of(some, is_merge=True, keeps_order=True)]
    assert order == ["a", "b", "a", "b"]

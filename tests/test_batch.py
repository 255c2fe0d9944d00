"""Batches keep Port's limits and lose nothing."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from portsync.batch import LARGEST_ENTITY, MOST_BYTES, Batcher, bulk_body
from portsync.flow import Entity


def entity(number: int, blueprint: str, size: int) -> Entity:
    body = json.dumps({"identifier": str(number), "x": ""}).encode()
    return Entity(blueprint, str(number), body[:-2] + b"x" * size + body[-2:], b"", 1, number)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 200)), max_size=60),
    st.fixed_dictionaries({"a": st.integers(1, 7), "b": st.integers(1, 7)}),
)
def test_no_batch_exceeds_a_limit_and_every_entity_comes_out_once_in_order(
    drawn: list[tuple[str, int]], most_entities: dict[str, int]
) -> None:
    most_bytes = 300
    batcher = Batcher(lambda blueprint: most_entities[blueprint], most_bytes)
    entities = [entity(number, blueprint, size) for number, (blueprint, size) in enumerate(drawn)]

    batches = [batch for one in entities for batch in batcher.add(one)] + list(batcher.flush())

    for batch in batches:
        assert 1 <= len(batch.entities) <= most_entities[batch.blueprint]
        assert len(bulk_body(batch.entities)) <= most_bytes
        assert {one.blueprint for one in batch.entities} == {batch.blueprint}
    for blueprint in "ab":
        out = [one for batch in batches for one in batch.entities if one.blueprint == blueprint]
        assert out == [one for one in entities if one.blueprint == blueprint]
    assert list(batcher.flush()) == []


def test_a_batch_is_given_as_soon_as_it_is_full() -> None:
    batcher = Batcher({"a": 2, "b": 3}.__getitem__)
    given_back = [[batch.blueprint for batch in batcher.add(entity(n, name, 0))] for n, name in enumerate("ababbaa")]

    assert given_back == [[], [], ["a"], [], ["b"], [], ["a"]]


def test_a_batch_is_filled_to_the_last_byte() -> None:
    one = entity(1, "a", 0)
    fits = Batcher(lambda _: 20, len(bulk_body([one, one])))
    does_not = Batcher(lambda _: 20, len(bulk_body([one, one])) - 1)

    assert [len(batch.entities) for batch in [*fits.add(one), *fits.add(one), *fits.flush()]] == [2]
    assert [len(batch.entities) for batch in [*does_not.add(one), *does_not.add(one), *does_not.flush()]] == [1, 1]


def test_the_largest_entity_fits_by_itself() -> None:
    body = b"x" * LARGEST_ENTITY

    assert len(bulk_body([Entity("a", "x", body, b"", 1, 1)])) == MOST_BYTES

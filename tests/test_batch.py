"""Batches keep Port's limits and lose nothing."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from portsync.batch import MOST_BYTES, Batcher, bulk_body
from portsync.flow import Batch, Entity, Failure


def entity(number: int, blueprint: str, size: int) -> Entity:
    body = json.dumps({"identifier": str(number), "x": ""}).encode()
    return Entity(blueprint, str(number), body[:-2] + b"x" * size + body[-2:], b"", 1, number)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 400)), max_size=60), st.integers(1, 7))
def test_no_batch_exceeds_a_limit_and_every_entity_comes_out_once_in_order(
    drawn: list[tuple[str, int]], most_entities: int
) -> None:
    most_bytes = 300
    batcher = Batcher(most_entities, most_bytes)
    entities = [entity(number, blueprint, size) for number, (blueprint, size) in enumerate(drawn)]

    given_back = [item for one in entities for item in batcher.add(one)] + list(batcher.flush())

    batches = [item for item in given_back if isinstance(item, Batch)]
    too_large = {item.identifier for item in given_back if isinstance(item, Failure)}
    for batch in batches:
        assert 1 <= len(batch.entities) <= most_entities
        assert len(bulk_body(batch.entities)) <= most_bytes
        assert {one.blueprint for one in batch.entities} == {batch.blueprint}
    for blueprint in "ab":
        out = [one.identifier for batch in batches for one in batch.entities if one.blueprint == blueprint]
        assert out == [e.identifier for e in entities if e.blueprint == blueprint and e.identifier not in too_large]
    assert too_large == {e.identifier for e in entities if len(bulk_body([e])) > most_bytes}
    assert list(batcher.flush()) == []


def test_a_batch_is_filled_to_the_last_byte() -> None:
    one = entity(1, "a", 0)
    fits = Batcher(20, len(bulk_body([one, one])))
    does_not = Batcher(20, len(bulk_body([one, one])) - 1)

    assert [len(b.entities) for b in [*fits.add(one), *fits.add(one), *fits.flush()] if isinstance(b, Batch)] == [2]
    split = [*does_not.add(one), *does_not.add(one), *does_not.flush()]
    assert [len(b.entities) for b in split if isinstance(b, Batch)] == [1, 1]


def test_an_entity_that_no_request_can_hold_is_a_failure_that_names_it() -> None:
    (failure,) = Batcher().add(entity(7, "a", MOST_BYTES))

    assert isinstance(failure, Failure)
    assert (failure.code, failure.identifier, failure.place) == ("entity-too-large", "7", "page 1, record 7")

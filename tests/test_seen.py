"""Telling what is new from duplicates and conflicts, over any division into pages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from portsync.flow import Entity
from portsync.state.seen import SeenEntities


def entity(identifier: str, content: int, page: int, record: int) -> Entity:
    return Entity("bp", identifier, b"", bytes([content]), page, record)


@given(st.lists(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 2)), max_size=6), max_size=5))
def test_every_record_is_accounted_for_and_the_last_one_wins(pages: list[list[tuple[str, int]]]) -> None:
    sent: dict[str, bytes] = {}
    counted = records = 0
    with SeenEntities("report") as seen:
        for number, page in enumerate(pages, start=1):
            records += len(page)
            found = seen.sort([entity(i, c, number, r) for r, (i, c) in enumerate(page, start=1)])
            counted += found.duplicates + sum(1 + one.absorbed for one in found.to_send)
            assert len({one.identifier for one in found.to_send}) == len(found.to_send)
            assert found.overtakes == any(
                one.identifier in sent and sent[one.identifier] != one.digest for one in found.to_send
            ) or any(one.identifier in sent for one in found.to_send)
            sent |= {one.identifier: one.digest for one in found.to_send}
    assert counted == records
    last = {identifier: bytes([content]) for page in pages for identifier, content in page}
    assert sent == last


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1)), max_size=12), st.integers(1, 5))
def test_with_first_nothing_is_ever_sent_twice(records: list[tuple[str, int]], size: int) -> None:
    sent: list[str] = []
    with SeenEntities("first") as seen:
        for start in range(0, len(records), size):
            page = records[start : start + size]
            found = seen.sort([entity(i, c, start, r) for r, (i, c) in enumerate(page, start=1)])
            assert len(page) == len(found.to_send) + found.duplicates + found.dropped
            assert len(found.conflicts) == found.dropped
            sent += [one.identifier for one in found.to_send]
    assert sorted(sent) == sorted({identifier for identifier, _ in records})


def test_a_conflict_names_both_records() -> None:
    with SeenEntities("report") as seen:
        seen.sort([entity("a", 1, 1, 3)])
        found = seen.sort([entity("b", 1, 2, 1), entity("a", 2, 2, 2)])

    assert [(c.identifier, c.first_place, c.second_place) for c in found.conflicts] == [
        ("a", "page 1, record 3", "page 2, record 2")
    ]
    assert found.overtakes

"""The catalog against a model of it in plain dicts, over any order of runs, crashes and dry runs."""

from __future__ import annotations

from contextlib import ExitStack
from copy import deepcopy
from itertools import count

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from portsync.flow import Entity
from portsync.state.catalog import RELATED, Accepted, Catalog
from portsync.state.place import StatePlace
from portsync.state.store import opened_state

NAMES = "abcd"
IDENTIFIERS = st.lists(st.sampled_from(NAMES), unique=True, min_size=1)
CONTENTS = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 1), min_size=1)
RESOURCES = st.sampled_from(["r1", "r2"])

Rows = dict[tuple[str, str], tuple[int | None, int]]
"""By resource and identifier: the content that Port accepted, or None, and the run that gave it last."""


class CatalogMachine(RuleBasedStateMachine):
    place = StatePlace()
    numbers = count()
    """Each example has a catalog of its own in the one state."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._connection = self._stack.enter_context(opened_state(self.place))
        self._name = f"example {next(self.numbers)}"
        self.rows: Rows = {}
        self.run = 0
        self.pending: list[tuple[str, str, int]] = []
        self.saved: tuple[Rows, int] | None = None
        self._begin(is_dry=False)

    def teardown(self) -> None:
        self._stack.close()

    def _begin(self, *, is_dry: bool) -> None:
        self.saved = (deepcopy(self.rows), self.run) if is_dry else None
        self.catalog = Catalog(self._connection, self._name, "merge", is_dry=is_dry)
        self.run += 1
        self.pending = []

    def _write_down(self) -> None:
        for resource, name, content in self.pending:
            if (resource, name) in self.rows:
                self.rows[resource, name] = (content, self.rows[resource, name][1])
        for resource, name, _ in self.pending:
            for other, (_, run) in list(self.rows.items()):
                if other[0] not in (resource, RELATED) and other[1] == name and run < self.run:
                    self.rows[other] = (None, run)
        self.pending = []

    @rule(is_dry=st.booleans(), crashes=st.booleans())
    def another_run(self, *, is_dry: bool, crashes: bool) -> None:
        if crashes:
            self._connection.rollback()
        else:
            self.catalog.close()
            self._write_down()
        if self.saved is not None:
            self.rows, self.run = self.saved
        self._begin(is_dry=is_dry)

    @rule(resource=RESOURCES, contents=CONTENTS, taken=st.sets(st.sampled_from(NAMES)), all_count=st.booleans())
    def give(self, resource: str, contents: dict[str, int], taken: set[str], *, all_count: bool) -> None:
        entities = [Entity("b", name, b"", bytes([content]), 1, 1) for name, content in contents.items()]
        self._write_down()
        expected = []
        for name, content in contents.items():
            accepted, _ = self.rows.get((resource, name), (None, 0))
            is_changed = all_count or accepted != content
            self.rows[resource, name] = (None if is_changed else accepted, self.run)
            expected += [name] * is_changed
        changed = self.catalog.changed(resource, "b", entities, all_count=all_count)
        assert [one.identifier for one in changed] == expected
        accepted_ones = [one for one in changed if one.identifier in taken]
        self.catalog.accept(Accepted(resource, "b", one.identifier, one.digest) for one in accepted_ones)
        self.pending += [(resource, one.identifier, contents[one.identifier]) for one in accepted_ones]

    @rule(names=IDENTIFIERS)
    def point(self, names: list[str]) -> None:
        self.catalog.related("b", names)
        self.rows |= {(RELATED, name): (None, self.run) for name in names}

    @rule(names=IDENTIFIERS)
    def find(self, names: list[str]) -> None:
        self.catalog.found("b", names)
        known = {name for _, name in self.rows}
        self.rows |= {(RELATED, name): (None, 0) for name in names if name not in known}

    @rule(names=IDENTIFIERS)
    def forget(self, names: list[str]) -> None:
        self.catalog.forget("b", names)
        self.rows = {key: row for key, row in self.rows.items() if key[1] not in names}

    @rule()
    def what_port_has(self) -> None:
        self._write_down()
        known = {name for (_, name), (content, _) in self.rows.items() if content is not None}
        assert self.catalog.known("b", list(NAMES)) == known

    @invariant()
    def what_is_gone_is_known(self) -> None:
        last: dict[str, int] = {}
        for (_, name), (_, run) in self.rows.items():
            last[name] = max(run, last.get(name, 0))
        gone = sorted(name for name, run in last.items() if run < self.run)
        given = {name for (resource, name), (_, run) in self.rows.items() if run == self.run and resource != RELATED}
        assert [one for some in self.catalog.unseen("b") for one in some] == gone
        assert self.catalog.unseen_count("b") == len(gone)
        assert self.catalog.seen_count("b") == len(given)
        assert self.catalog.not_seen("b", list(NAMES)) == [n for n in NAMES if last.get(n, -1) != self.run]


def test_the_catalog_does_what_a_model_of_it_does(place: StatePlace) -> None:
    with opened_state(place):
        pass
    many = settings(
        max_examples=60 if place.url is None else 15,
        deadline=None,
        stateful_step_count=25,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(type("Machine", (CatalogMachine,), {"place": place}), settings=many)

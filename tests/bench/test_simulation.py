"""The simulated sync: nothing is lost in it, more of anything never slows it down, and where only one thing holds it
up, it takes what can be said without it."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
from bench.simulation.clockwork import Clockwork, Limit, Machine, Places, Process, Program, Signal
from bench.simulation.costs import Costs
from bench.simulation.fitting import least_squares
from bench.simulation.forecast import forecast
from bench.simulation.scale import grain_of
from bench.simulation.shapes import BATCH, Cluster, Local, Port, Rate, Shape, Source, Work
from hypothesis import given, settings
from hypothesis import strategies as st

FREE = Costs(**{field.name: 0.0 for field in fields(Costs)})
"""Nothing costs anything, so that only what is waited for is left."""
REAL = Costs.load()
PORT_RATE = Rate(35_000, 300)

works = st.builds(
    Work,
    chains=st.integers(1, 40),
    records=st.integers(0, 300),
    page=st.integers(1, 120),
    changed=st.sampled_from([0.0, 0.01, 0.3, 1.0]),
    is_again=st.booleans(),
    parents=st.sampled_from([0, 1, 7, 100]),
)
sources = st.builds(
    Source,
    latency_s=st.sampled_from([0.0, 0.01, 0.2]),
    concurrency=st.integers(1, 30),
    budget=st.none() | st.builds(Rate, st.integers(1, 50), st.sampled_from([0.5, 1.0, 10.0])),
)
ports = st.builds(
    Port,
    latency_s=st.sampled_from([0.0, 0.1]),
    limit=st.none() | st.builds(Rate, st.integers(1, 200), st.sampled_from([1.0, 60.0])),
)
sites = st.just(Local()) | st.builds(Cluster, workers=st.integers(1, 20))
shapes = st.builds(Shape, works, sources, ports, sites, st.sampled_from(["sqlite", "postgres"]))


@settings(deadline=None, max_examples=150)
@given(shapes)
def test_every_page_is_read_and_every_changed_entity_is_sent(shape: Shape) -> None:
    found = forecast(shape, REAL)
    assert found.requests == shape.work.requests
    assert found.entities == shape.work.entities
    assert shape.work.sent <= found.writes * BATCH
    assert math.isfinite(found.wall_s)
    if isinstance(shape.site, Local):
        assert found.writes == math.ceil(shape.work.sent / BATCH)


@settings(deadline=None, max_examples=100)
@given(shapes)
def test_nothing_is_used_for_more_than_all_of_the_time(shape: Shape) -> None:
    shares = forecast(shape, REAL).shares
    # The last span, or window, is used and not waited for to its end: of few, that is up to twice their share.
    most = {"Port": 2.1, "source (budget)": 2.1}
    assert all(0 <= share <= most.get(name, 1.0001) for name, share in shares.items())


@settings(deadline=None, max_examples=60)
@given(works, sources, st.integers(1, 8), st.integers(2, 5))
def test_more_workers_are_not_slower(work: Work, source: Source, workers: int, times: int) -> None:
    few, many = (forecast(Shape(work, source, Port(), Cluster(n)), REAL) for n in (workers, workers * times))
    # Slices are cut otherwise then, and each ends with a batch that is not full.
    assert many.wall_s <= few.wall_s * 1.1 + 1.0


@settings(deadline=None, max_examples=60)
@given(shapes, st.integers(1, 20))
def test_a_source_that_allows_more_at_once_is_not_slower(shape: Shape, more: int) -> None:
    wider = replace(shape.source, concurrency=shape.source.concurrency + more)
    assert forecast(replace(shape, source=wider), FREE).wall_s <= forecast(shape, FREE).wall_s * 1.1 + 0.5


def test_one_chain_takes_the_latency_of_each_of_its_pages() -> None:
    shape = Shape(Work(1, 5_000, 50, changed=0.0), Source(0.2, 10))
    assert forecast(shape, FREE).wall_s == pytest.approx((1 + 100) * 0.2)


def test_one_chain_is_not_faster_with_a_thousand_workers() -> None:
    shape = Shape(Work(1, 5_000, 50, changed=0.0), Source(0.2, 10), site=Cluster(1_000, grant_s=0.0))
    assert forecast(shape, FREE).wall_s == pytest.approx((1 + 100) * 0.2, rel=1e-3)


@pytest.mark.parametrize("site", [Local(), Cluster(1), Cluster(50)], ids=str)
def test_many_chains_take_the_latency_of_all_pages_over_how_many_are_read_at_once(site: Local | Cluster) -> None:
    shape = Shape(Work(2_000, 10, 10, changed=0.0), Source(0.1, 20), site=site)
    found = forecast(shape, FREE)
    # A slice ends when its last chain does, and the first ones are small.
    assert 10.0 <= found.wall_s <= 10.0 * (1.05 if isinstance(site, Local) else 1.2)
    assert found.held_up_by == "source (concurrency)"


@pytest.mark.parametrize("site", [Local(), Cluster(4)], ids=str)
def test_a_budget_lets_so_many_requests_begin_in_a_second(site: Local | Cluster) -> None:
    shape = Shape(Work(999, 5, 5, changed=0.0), Source(0.01, 10, Rate(20, 1.0)), site=site)
    found = forecast(shape, FREE)
    # The first 20 begin at once, and the last ones at the beginning of the last second.
    assert found.wall_s == pytest.approx(1_000 / 20 - 1, abs=0.1)
    assert found.held_up_by == "source (budget)"


@pytest.mark.parametrize("site", [Local(), Cluster(1), Cluster(100)], ids=str)
def test_port_takes_2333_entities_in_a_second_however_many_send(site: Local | Cluster) -> None:
    work = Work(10_000, 1_000, 100)
    found = forecast(Shape(work, Source(0.01, 1_000), Port(0.05, PORT_RATE), site), FREE, grain=50)
    windows = math.ceil(work.entities / BATCH / PORT_RATE.requests)
    # The last window is not waited for to its end.
    assert (windows - 1) * 300 <= found.wall_s <= windows * 300 + 30
    assert work.entities / found.wall_s == pytest.approx(2_333, rel=0.1)
    assert found.held_up_by == "Port"


def test_port_holds_nobody_up_before_its_first_window_is_used_up() -> None:
    found = forecast(Shape(Work(100, 100, 100), Source(0.1, 10), Port(0.05, PORT_RATE)), FREE)
    assert found.wall_s < 5
    assert found.held_up_by == "source (concurrency)"


def test_what_python_computes_is_done_one_after_the_other() -> None:
    costs = replace(FREE, chain_s=0.01, page_s=0.01, entity_s=0.001)
    shape = Shape(Work(20, 100, 50, changed=0.0), Source(0.0, 10), site=Local(has_servers=False))
    found = forecast(shape, costs)
    assert found.wall_s == pytest.approx(40 * 0.01 + 2_000 * 0.001)
    assert found.held_up_by == "CPU (Python)"


def test_workers_share_what_is_computed() -> None:
    costs = replace(FREE, chain_s=0.01, page_s=0.01, entity_s=0.001)
    shape = Shape(Work(400, 100, 50, changed=0.0), Source(0.0, 100))
    one, ten = (forecast(replace(shape, site=Cluster(n, grant_s=0.0)), costs) for n in (1, 10))
    assert one.wall_s == pytest.approx(800 * 0.01 + 40_000 * 0.001, rel=0.05)
    assert one.wall_s / ten.wall_s == pytest.approx(10, rel=0.2)


def test_the_database_is_what_many_workers_wait_for_in_the_end() -> None:
    costs = replace(FREE, state_write_s=0.01)
    shape = Shape(Work(2_000, 100, 100, changed=0.0), Source(0.0, 1_000), site=Cluster(100, database_cores=2))
    found = forecast(shape, costs)
    assert found.wall_s == pytest.approx(2_000 * 0.01 / 2, rel=0.1)
    assert found.held_up_by == "state"


NARROW, WIDE = Source(0.1, 10, Rate(50, 1)), Source(0.1, 1_000)


@pytest.mark.parametrize(
    ("site", "source", "chains", "changed"),
    [
        *((site, NARROW, 600, changed) for site in (Local(has_servers=False), Cluster(10)) for changed in (1, 0.01, 0)),
        (Cluster(1), NARROW, 600, 0),
        (Cluster(10), WIDE, 1_500, 1),
    ],
)
def test_fewer_chains_that_stand_for_all_take_as_long(
    site: Local | Cluster, source: Source, chains: int, changed: float
) -> None:
    work = Work(chains, 1_000, 100, changed=changed, is_again=changed < 1, parents=100)
    shape = Shape(work, source, Port(0.15, PORT_RATE), site)
    grain = grain_of(shape, REAL)
    fine, coarse = forecast(shape, REAL), forecast(shape, REAL, grain=grain)
    assert grain > 1
    assert (coarse.requests, coarse.entities) == (fine.requests, fine.entities)
    assert coarse.held_up_by == fine.held_up_by
    assert coarse.wall_s == pytest.approx(fine.wall_s, rel=0.05)


# The clockwork


def played(*processes: Process, clock: Clockwork) -> float:
    for process in processes:
        clock.start(process)
    clock.run()
    return clock.now


def test_places_are_given_in_the_order_of_coming() -> None:
    clock = Clockwork()
    places, order = Places(clock, 2), list[int]()

    def guest(number: int) -> Process:
        yield places.use(1.0)
        order.append(number)

    assert played(*map(guest, range(5)), clock=clock) == 3.0
    assert order == [0, 1, 2, 3, 4]
    assert (places.peak, places.busy_s) == (2, 5.0)


def test_programs_share_cores_in_turns() -> None:
    clock = Clockwork()
    machine = Machine(clock, 2)
    programs = [Program(clock, machine) for _ in range(3)]
    ends: list[float] = []

    def computing(program: Program) -> Process:
        yield program.use(1.0)
        ends.append(clock.now)

    played(*map(computing, programs), clock=clock)
    assert ends == pytest.approx([1.5] * 3, abs=0.01)


def test_a_program_that_stands_still_computes_nothing_else() -> None:
    clock = Clockwork()
    program, database = Program(clock, Machine(clock, math.inf)), Places(clock, 1)

    def asking() -> Process:
        yield program.stand_still(database.use(1.0))

    def computing() -> Process:
        yield program.use(0.5)

    assert played(asking(), computing(), clock=clock) == 1.5
    assert program.busy_s == 0.5


@settings(deadline=None)
@given(st.integers(1, 30), st.sampled_from([0.5, 1.0, 7.0]), st.integers(1, 200))
def test_no_span_has_more_than_its_limit(most: int, per: float, count: int) -> None:
    clock = Clockwork()
    limit, begun = Limit(clock, most, per), list[float]()

    def guest() -> Process:
        yield limit.enter()
        begun.append(clock.now)

    played(*(guest() for _ in range(count)), clock=clock)
    assert len(begun) == count
    assert all(later - earlier >= per - 1e-6 for earlier, later in zip(begun, begun[most:], strict=False))


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 100), st.integers(1, 60), st.booleans())
def test_what_comes_in_heaps_comes_no_faster(most: int, weight: int, count: int, in_windows: bool) -> None:
    clock = Clockwork()
    limit, last = Limit(clock, most, 1.0, in_windows=in_windows), [0.0]

    def guest() -> Process:
        yield limit.enter(weight)
        last[0] = clock.now

    played(*(guest() for _ in range(count)), clock=clock)
    # All but the last heap, and what may be spent at once.
    assert last[0] >= (weight * (count - 1) - max(most, weight)) / most - 1e-6
    assert last[0] <= weight * count / most + 1e-6


def test_a_signal_wakes_those_before_it_and_lets_those_after_it_pass() -> None:
    clock = Clockwork()
    signal, passed = Signal(), list[float]()

    def waiting(begin_s: float) -> Process:
        yield begin_s
        yield signal.wait
        passed.append(clock.now)

    def happening() -> Process:
        yield 2.0
        signal.happen()

    played(waiting(0.0), waiting(5.0), happening(), clock=clock)
    assert passed == [2.0, 5.0]


# The costs


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), min_size=3, max_size=3).filter(any))
def test_what_explains_everything_is_found(weights: list[int]) -> None:
    rows = [[1.0, 0.0, 0.0], [1.0, 100.0, 1.0], [1.0, 5.0, 40.0], [1.0, 70.0, 300.0], [1.0, 900.0, 5.0]]
    found = [sum(a * b for a, b in zip(row, weights, strict=True)) for row in rows]
    if all(found):
        assert least_squares(rows, found) == pytest.approx(weights, abs=1e-3)


def test_nothing_costs_less_than_nothing() -> None:
    rows = [[1.0, 10.0], [1.0, 20.0], [1.0, 30.0]]
    constant, slope = least_squares(rows, [3.0, 2.0, 1.0])
    assert slope == 0.0
    assert constant > 0.0

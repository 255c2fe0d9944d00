"""The gate that many processes stand in: the same limits hold for all of them together as for one alone."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.cluster.gate import SharedGate
from portsync.cluster.gates import told
from portsync.cluster.limits import Limits
from portsync.transport.limiter import ClosedError, Gate
from portsync.transport.quotas import Quota
from tests.cluster.together import DirectLine, keeper, now, played

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portsync.cluster.keeper import Keeper
    from portsync.flow import Json

LIMITS = Limits("server", 60.0)


def gates_of(kept: Keeper, limits: Limits, count: int, delay_s: float = 0.0) -> list[SharedGate]:
    """The gate as each of so many participants has it."""
    return [SharedGate(limits, DirectLine(kept, f"w{number}", delay_s)) for number in range(count)]


@dataclass
class Server:
    """What a server sees of all participants."""

    began: list[float] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    async def visited(self, gate: SharedGate, stays: float = 0.0) -> float:
        """One request through the gate; how long it waited."""
        waited = await gate.enter()
        self.began.append(now())
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(stays)
        finally:
            self.under_way -= 1
            gate.leave()
        return waited


quarters = st.integers(0, 40).map(lambda quarter: quarter / 4)


@given(
    visits=st.lists(st.tuples(st.integers(0, 2), quarters, quarters), min_size=1, max_size=30),
    concurrency=st.none() | st.integers(1, 5),
    budget=st.none() | st.tuples(st.integers(1, 6), st.integers(1, 40).map(lambda quarter: quarter / 4)),
    delay_s=st.sampled_from([0.0, 0.01, 0.3]),
)
@settings(max_examples=150)
def test_all_together_keep_to_the_limits_and_everybody_comes_in(
    visits: list[tuple[int, float, float]],
    concurrency: int | None,
    budget: tuple[int, float] | None,
    delay_s: float,
) -> None:
    requests, per = budget or (None, 0.0)
    server = Server()

    async def visit(gate: SharedGate, at: float, stays: float) -> None:
        await asyncio.sleep(at)
        await server.visited(gate, stays)

    async def all_of_them() -> None:
        gates = gates_of(keeper(), Limits("server", 60.0, concurrency, requests, per), 3, delay_s)
        await asyncio.gather(*(visit(gates[who], at, stays) for who, at, stays in visits))

    played(all_of_them())

    assert len(server.began) == len(visits)
    assert server.under_way == 0
    if concurrency is not None:
        assert server.most <= concurrency
    if requests is not None:
        began = sorted(server.began)
        for first, later in zip(began, began[requests:], strict=False):
            assert later - first >= per - 1e-6, "more than the budget in one span"


def test_a_thousand_requests_of_ten_participants_use_all_of_the_budget_and_no_more() -> None:
    server = Server()

    async def go() -> None:
        gates = gates_of(keeper(), LIMITS._replace(requests=100, per=10.0), 10)
        await asyncio.gather(*(server.visited(gates[i % 10]) for i in range(1000)))

    played(go())

    assert [moment // 10 for moment in sorted(server.began)] == [i // 100 for i in range(1000)]
    assert max(server.began) < 91


def test_those_who_come_one_after_the_other_are_let_in_in_that_order() -> None:
    order: list[int] = []

    async def visit(gate: SharedGate, number: int) -> None:
        await asyncio.sleep(number * 0.01)
        await gate.enter()
        order.append(number)
        await asyncio.sleep(1)
        gate.leave()

    async def go() -> None:
        gates = gates_of(keeper(), LIMITS._replace(concurrency=1), 4)
        await asyncio.gather(*(visit(gates[i * 7 % 4], i) for i in range(30)))

    played(go())

    assert order == list(range(30))


def test_of_two_participants_with_much_to_ask_both_get_a_share() -> None:
    began: list[int] = []

    async def visit(gate: SharedGate, who: int) -> None:
        await gate.enter()
        began.append(who)
        await asyncio.sleep(1)
        gate.leave()

    async def go() -> None:
        gates = gates_of(keeper(), LIMITS._replace(concurrency=4), 2)
        await asyncio.gather(*(visit(gates[who], who) for who in (0, 1) for _ in range(40)))

    played(go())

    assert 10 <= sum(began[:40]) <= 30


def test_a_hundred_who_come_at_one_moment_ask_with_two_questions() -> None:
    async def go() -> list[str]:
        line = DirectLine(keeper(), "w")
        gate = SharedGate(LIMITS, line)
        await asyncio.gather(*(gate.enter() for _ in range(100)))
        return line.asked

    assert played(go()) == ["enter", "enter"]


def test_ends_of_requests_are_told_together_when_nobody_waits() -> None:
    async def go() -> list[str]:
        line = DirectLine(keeper(), "w")
        gate = SharedGate(LIMITS, line)
        for _ in range(3):
            await gate.enter()
        for _ in range(3):
            gate.leave()
        await asyncio.sleep(1)
        return line.asked[3:]

    assert played(go()) == ["tell"]


def test_an_end_that_is_told_along_with_a_question_counts_once_though_the_question_is_asked_on() -> None:
    async def go() -> list[bool]:
        (gate,) = gates_of(keeper(), LIMITS._replace(concurrency=2), 1)
        await gate.enter()
        await gate.enter()
        gate.leave()
        waiting = [asyncio.create_task(gate.enter()) for _ in range(2)]
        await asyncio.sleep(1)
        states = [task.done() for task in waiting]
        gate.leave()
        await asyncio.wait(waiting)
        return states

    assert played(go()) == [True, False]


# What the server asks for


def test_one_answer_that_asks_to_wait_holds_up_all_participants() -> None:
    async def go() -> list[float]:
        gates = gates_of(keeper(), LIMITS, 3)
        await gates[0].enter()
        gates[0].close(5.0)
        gates[0].leave()
        await asyncio.sleep(0.1)
        waited = await asyncio.gather(*(gate.enter() for gate in gates))
        return [now(), *waited]

    at, *waited = played(go())

    assert at >= 5.0
    assert waited == pytest.approx([4.9] * 3, abs=0.01)


def test_the_longest_of_several_waits_counts() -> None:
    async def go() -> float:
        gates = gates_of(keeper(), LIMITS, 2)
        gates[0].close(9.0)
        gates[0].close(2.0)
        await asyncio.sleep(0.1)
        gates[1].close(1.0)
        await asyncio.sleep(0.1)
        await gates[1].enter()
        return now()

    assert 9.0 <= played(go()) < 9.1


def test_a_wait_that_is_longer_than_anybody_takes_turns_all_away_and_says_how_long_it_is() -> None:
    async def go() -> list[ClosedError]:
        gates = gates_of(keeper(), LIMITS._replace(concurrency=1), 3)
        await gates[0].enter()
        waiting = [asyncio.create_task(gate.enter()) for gate in gates]
        await asyncio.sleep(7)
        gates[0].close(600.0)
        found = await asyncio.gather(*waiting, return_exceptions=True)
        return [error for error in found if isinstance(error, ClosedError)]

    errors = played(go())

    assert [round(error.wait_s) for error in errors] == [600] * 3
    assert [round(error.waited_s) for error in errors] == [7] * 3


def test_what_an_answer_says_of_the_servers_limit_holds_for_all_and_in_time() -> None:
    server = Server()

    async def first(gate: SharedGate) -> None:
        await gate.enter()
        server.began.append(now())
        gate.heed([Quota("minute", 4, 30.0)])
        gate.leave()

    async def go() -> None:
        gates = gates_of(keeper(), LIMITS, 3)
        await first(gates[0])
        await asyncio.sleep(0.5)
        await asyncio.gather(*(server.visited(gates[i % 3]) for i in range(20)))

    played(go())

    assert len([moment for moment in server.began if moment < 30.0]) == 5
    assert len(server.began) == 21


def test_an_answer_whose_limit_says_nothing_of_what_is_left_changes_nothing() -> None:
    async def go() -> float:
        gates = gates_of(keeper(), LIMITS, 2)
        await gates[0].enter()
        gates[0].heed([Quota("minute", None, 30.0)])
        gates[0].leave()
        await asyncio.sleep(0.1)
        return await gates[1].enter()

    assert played(go()) == 0.0


def test_who_waits_until_the_gate_opens_takes_no_room() -> None:
    async def go() -> tuple[float, float, float]:
        gate, other = gates_of(keeper(), LIMITS._replace(concurrency=1), 2)
        gate.close(5.0)
        waited = await gate.opened()
        at = now()
        await asyncio.wait_for(other.enter(), 1.0)
        return waited, at, now()

    waited, at, later = played(go())

    assert waited == pytest.approx(5.0, abs=0.01)
    assert 5.0 <= at <= later < 5.1


def test_who_just_learned_that_the_server_asks_to_wait_does_so_before_he_signs() -> None:
    async def go() -> tuple[float, float]:
        (gate,) = gates_of(keeper(), LIMITS, 1)
        await gate.enter()
        gate.heed([Quota("minute", 0, 7.0)])
        waited = await gate.opened()
        gate.close(5.0)
        return waited, await gate.opened()

    assert played(go()) == pytest.approx((7.0, 5.0), abs=0.01)


def test_nobody_asks_whether_a_gate_is_open_of_which_nothing_bad_was_heard() -> None:
    async def go() -> list[str]:
        line = DirectLine(keeper(), "w")
        assert await SharedGate(LIMITS, line).opened() == 0.0
        return line.asked

    assert played(go()) == []


def test_an_opening_that_takes_too_long_turns_away_who_waits_for_it() -> None:
    async def go() -> None:
        gate, other = gates_of(keeper(), LIMITS, 2)
        gate.close(600.0)
        await asyncio.sleep(1)
        other.close(1.0)
        with pytest.raises(ClosedError) as caught:
            await other.opened()
        assert round(caught.value.wait_s) == 599

    played(go())


# Those who are gone


def test_what_a_lost_participant_had_under_way_is_not_any_more() -> None:
    async def go() -> None:
        kept = keeper()
        gone, left = gates_of(kept, LIMITS._replace(concurrency=3), 2)
        for _ in range(3):
            await gone.enter()
        waiting = [asyncio.create_task(left.enter()) for _ in range(5)]
        await asyncio.sleep(1)
        assert not any(task.done() for task in waiting)
        kept.lost("w0")
        await asyncio.sleep(1)
        assert [task.done() for task in waiting] == [True] * 3 + [False] * 2
        left.leave()
        left.leave()
        await asyncio.gather(*waiting)

    played(go())


def test_who_is_lost_while_he_waits_takes_no_room_when_it_is_his_turn() -> None:
    async def go() -> None:
        kept = keeper()
        gone, left, last = gates_of(kept, LIMITS._replace(concurrency=1), 3)
        await left.enter()
        waiting = asyncio.create_task(gone.enter())
        await asyncio.sleep(1)
        kept.lost("w0")
        after = asyncio.create_task(last.enter())
        await asyncio.sleep(1)
        left.leave()
        await asyncio.wait_for(after, 1.0)
        with pytest.raises(ClosedError):
            await waiting

    played(go())


def test_who_was_thought_to_be_lost_gives_nothing_back_twice() -> None:
    async def go() -> int:
        kept = keeper()
        zombie, other = gates_of(kept, LIMITS._replace(concurrency=2), 2)
        await zombie.enter()
        await zombie.enter()
        kept.lost("w0")
        zombie.leave()
        zombie.leave()
        await asyncio.sleep(1)
        waiting = [asyncio.create_task(other.enter()) for _ in range(5)]
        await asyncio.sleep(1)
        count = sum(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        return count

    assert played(go()) == 2


def test_who_comes_back_under_the_name_of_one_who_was_lost_is_let_in() -> None:
    """A worker that is started again gets the address of the one before it, where its port is given."""

    async def go() -> float:
        kept = keeper()
        gone, back = SharedGate(LIMITS, DirectLine(kept, "w")), SharedGate(LIMITS, DirectLine(kept, "w"))
        await gone.enter()
        kept.lost("w")
        kept.met("w")
        return await back.enter()

    assert played(go()) == 0.0


def test_a_turn_that_one_waited_for_who_was_lost_is_not_that_of_his_successor() -> None:
    async def go() -> None:
        kept = keeper()
        limits = LIMITS._replace(concurrency=1)
        first, gone, back = (SharedGate(limits, DirectLine(kept, who)) for who in ("a", "w", "w"))
        await first.enter()
        waiting = asyncio.create_task(gone.enter())
        await asyncio.sleep(1)
        kept.lost("w")
        kept.met("w")
        first.leave()
        with pytest.raises(ClosedError):
            await waiting
        await asyncio.wait_for(back.enter(), 1.0)

    played(go())


def test_a_lost_line_turns_all_away_at_once() -> None:
    async def go() -> None:
        line = DirectLine(keeper(), "w")
        gate = SharedGate(LIMITS._replace(concurrency=1), line)
        await gate.enter()
        waiting = [asyncio.create_task(gate.enter()) for _ in range(100)]
        await asyncio.sleep(1)
        line.cut()
        found = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 1.0)
        assert {type(error) for error in found} == {ClosedError}
        gate.leave()
        await asyncio.sleep(1)
        with pytest.raises(ClosedError):
            await asyncio.wait_for(gate.enter(), 1.0)
        gate.close(1.0)
        with pytest.raises(ClosedError):
            await asyncio.wait_for(gate.opened(), 1.0)

    played(go())


# Those who wait no longer


@dataclass(frozen=True)
class Act:
    """One thing that happens: somebody (`who`) enters, leaves or is cancelled, or all of one participant are lost."""

    what: str
    who: int
    pause: float


acts = st.builds(
    Act,
    st.sampled_from(["enter", "enter", "enter", "leave", "cancel", "lose", "close"]),
    st.integers(0, 3),
    st.sampled_from([0.0, 0.0, 0.001, 0.0031, 0.3]),
)


class Crowd:
    """Those who enter, leave, are cancelled and are lost, at four participants."""

    def __init__(self, limits: Limits, delay_s: float) -> None:
        self.kept = keeper()
        self.lines = [DirectLine(self.kept, f"w{number}", delay_s) for number in range(4)]
        self.gates = [SharedGate(limits, line) for line in self.lines]
        self.inside: list[list[asyncio.Task[float]]] = [[] for _ in self.gates]
        """Those of each who were not led out yet."""
        self.all: list[tuple[int, asyncio.Task[float]]] = []
        self.lost: set[int] = set()

    def do(self, act: Act) -> None:
        if act.who not in self.lost:
            getattr(self, act.what)(act.who)

    def enter(self, who: int) -> None:
        task = asyncio.create_task(self.gates[who].enter())
        self.inside[who].append(task)
        self.all.append((who, task))

    def leave(self, who: int) -> None:
        """Lead out the first who came in."""
        for task in self.inside[who]:
            if task.done() and not task.cancelled() and task.exception() is None:
                self.inside[who].remove(task)
                self.gates[who].leave()
                return

    def cancel(self, who: int) -> None:
        for task in self.inside[who][-1:]:
            task.cancel()

    def close(self, who: int) -> None:
        self.gates[who].close(1.0)

    def lose(self, who: int) -> None:
        """The last one may get lost; the others are needed to see what comes of it."""
        if who == len(self.gates) - 1:
            self.lost.add(who)
            self.lines[who].cut()
            self.kept.lost(self.lines[who].who)


@given(
    acts=st.lists(acts, max_size=60),
    concurrency=st.integers(1, 4),
    budget=st.none() | st.tuples(st.integers(1, 4), st.sampled_from([0.5, 3.0])),
    delay_s=st.sampled_from([0.0, 0.001, 0.01]),
)
@settings(max_examples=300)
def test_whatever_happens_nobody_loses_a_turn_that_others_wait_for(
    acts: Sequence[Act], concurrency: int, budget: tuple[int, float] | None, delay_s: float
) -> None:
    limits = Limits("server", 60.0, concurrency, *(budget or (None, 0.0)))

    async def go() -> None:
        crowd = Crowd(limits, delay_s)
        for act in acts:
            crowd.do(act)
            await asyncio.sleep(act.pause)
        for second in range(200 * len(crowd.gates)):
            crowd.leave(second % len(crowd.gates))
            await asyncio.sleep(0.25)
        for who, task in crowd.all:
            assert task.done(), "somebody waits for a turn that never comes"
            assert task.cancelled() or task.exception() is None or who in crowd.lost
        # All room is there again: as many as may, come in, and nobody besides.
        last = SharedGate(limits, DirectLine(crowd.kept, "last"))
        again = [asyncio.create_task(last.enter()) for _ in range(concurrency + 1)]
        await asyncio.sleep(20)
        assert [task.done() for task in again] == [True] * concurrency + [False]
        again[-1].cancel()
        await asyncio.wait(again)

    played(go())


class CancellingLine(DirectLine):
    """Lets somebody be cancelled just after the answer has come that lets him in, before he learns of it."""

    victim: asyncio.Task[float] | None = None

    async def ask(self, what: str, **more: Json) -> Json:
        answer = await super().ask(what, **more)
        if self.victim is not None:
            asyncio.get_running_loop().call_soon(self.victim.cancel)
        return answer


def test_who_is_cancelled_when_it_is_his_turn_already_gives_it_back() -> None:
    async def go() -> None:
        kept = keeper()
        limits = LIMITS._replace(concurrency=1)
        line = CancellingLine(kept, "w0")
        line.victim = asyncio.create_task(SharedGate(limits, line).enter())
        await asyncio.wait({line.victim})
        assert line.victim.cancelled()
        await asyncio.wait_for(SharedGate(limits, DirectLine(kept, "w1")).enter(), 1.0)

    played(go())


class BrokenLine(DirectLine):
    """Fails as nobody expects."""

    async def ask(self, what: str, **more: Json) -> Json:
        await super().ask(what, **more)
        raise KeyError(what)


def test_nobody_hangs_behind_a_question_that_a_bug_befalls() -> None:
    async def go() -> None:
        gate = SharedGate(LIMITS, BrokenLine(keeper(), "w"))
        with pytest.raises(ClosedError):
            await asyncio.wait_for(gate.enter(), 1.0)

    with pytest.raises(AssertionError, match="never retrieved"):
        played(go())


# How many gates there are


def gate_count() -> int:
    return sum(isinstance(one, Gate) for one in gc.get_objects())


@pytest.mark.parametrize("budget", [(None, 0.0), (3, 5.0)], ids=["free", "budget"])
def test_gates_that_nobody_uses_any_more_make_way_for_new_ones(budget: tuple[int | None, float]) -> None:
    async def go() -> list[int]:
        line = DirectLine(keeper(), "w")
        before = gate_count()
        counts = []
        for number in range(30):
            await asyncio.sleep(1)
            for i in range(1000):
                said = {"limits": [f"server {number}-{i}", 60.0, None, *budget], "told": told(0, [Quota("m", 9, 2.0)])}
                await line.keeper.answer("w", "enter", {**said, "wanted": 1})
                await line.keeper.answer("w", "tell", {**said, "told": told(1)})
            counts.append(gate_count() - before)
        return counts

    counts = played(go())

    assert counts[4] > 4500
    assert max(counts) <= 10_000


def test_a_gate_that_somebody_stands_in_or_that_is_closed_is_never_forgotten() -> None:
    async def go() -> None:
        kept = keeper()
        inside, outside = gates_of(kept, LIMITS._replace(concurrency=1), 2)
        await inside.enter()
        closed, also = gates_of(kept, LIMITS._replace(name="closed"), 2)
        closed.close(50.0)
        await asyncio.sleep(0.1)
        for i in range(21_000):
            said = {"limits": [f"server {i}", 60.0, None, None, 0.0], "told": told()}
            await kept.answer("w", "tell", said)
        waiting = asyncio.create_task(outside.enter())
        await also.enter()
        assert now() >= 50.0
        assert not waiting.done()
        inside.leave()
        await asyncio.wait_for(waiting, 1.0)

    played(go())

"""What may not grow in a service that is up for months."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from portsync.errors import Problem
from portsync.excerpts import CUT
from portsync.logs import Redactor
from portsync.report import Report
from portsync.serve.history import Begun, RunHistory
from tests.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Asked, Source

SECRETS = st.lists(st.text(alphabet='ab+/ü"', min_size=4, max_size=8), max_size=6)


def _ended(history: RunHistory, run_id: str, size: int) -> None:
    history.begin(Begun(run_id, "m", ("schedule",), NOW))
    problems = (Problem("stalled", "x" * size + "\ud800"),)
    history.end(run_id, Report(run_id, "m", NOW, NOW + 1, 1, (), problems))


def test_the_history_keeps_so_many_runs() -> None:
    history = RunHistory(Redactor(), most=3)
    for number in range(10):
        _ended(history, str(number), 10)
    assert [run["run_id"] for run in history.runs()] == ["9", "8", "7"]
    assert history.run("6") is None
    report = json.loads(history.run("7") or b"")
    assert (report["reasons"], report["problems"][0]["code"]) == (["schedule"], "stalled")


def test_the_history_keeps_so_many_bytes_but_the_newest_run_always() -> None:
    history = RunHistory(Redactor(), most_bytes=50_000)
    for number in range(20):
        _ended(history, str(number), 10_000)
    kept = [history.run(str(number)) for number in range(20)]
    assert 3 <= sum(report is not None for report in kept) <= 4
    assert sum(len(report or b"") for report in kept) <= 50_000
    _ended(history, "large", 200_000)
    assert [run["run_id"] for run in history.runs()] == ["large"]


@settings(deadline=None)
@given(SECRETS, SECRETS, SECRETS)
def test_what_was_learned_for_a_while_is_forgotten_and_nothing_else(
    lasting: list[str], first: list[str], second: list[str]
) -> None:
    redactor, before = Redactor(lasting), Redactor(lasting)
    text = " ".join([*lasting, *first, *second])
    with redactor.for_a_while() as one:
        for secret in first:
            one.add(secret)
        with redactor.for_a_while() as other:
            for secret in second:
                other.add(secret)
            assert redactor.clean(text) == one.clean(text) == other.clean(text)
            assert redactor.clean(text) == Redactor([*lasting, *first, *second]).clean(text)
        assert redactor.clean(text) == Redactor([*lasting, *first]).clean(text)
    assert redactor.clean(text) == before.clean(text)


def test_of_what_is_learned_for_long_the_newest_count() -> None:
    redactor = Redactor()
    with redactor.for_a_while(newest=2) as passing:
        for secret in ("token-1", "token-2", "token-2", "token-3"):
            passing.add(secret)
        assert redactor.clean("token-1 token-2 token-3") == "token-1 *** ***"


@settings(deadline=None)
@given(st.lists(st.text(alphabet="abc", min_size=4, max_size=12), min_size=1, max_size=4), st.text(alphabet="abc"))
def test_the_beginning_of_a_secret_before_a_cut_is_found(secrets: list[str], before: str) -> None:
    # `in` finds the whole ones; of the others the longest beginning, of four characters and more, of the first secret.
    redactor = Redactor(secrets)
    cleaned = redactor.clean(f"{before}{CUT} after")
    shown = cleaned.partition(CUT)[0]
    for secret in secrets:
        for length in range(4, len(secret)):
            assert not shown.endswith(secret[:length])


def test_runs_leave_no_tokens_behind_in_the_redactor(
    serving_of: Any, mapping: Callable[..., str], source: Source
) -> None:
    def answer(asked: Asked) -> Any:
        is_login = asked.path == "/token"
        return {"access_token": f"token-{len(source.asked)}"} if is_login else {"data": [{"id": "ada"}]}

    source.answer = answer
    login = "{type: oauth2, token_url: /token, client_id: somebody, client_secret: something}"
    text = mapping().replace('{type: bearer, token: "${SRC_TOKEN}"}', login)

    async def scenario() -> None:
        sizes = []
        async with serving_of(text) as served:
            for number in range(4):
                if number:
                    await served.ask("POST", "/resync")
                assert (await served.next_run())["status"] == "ok"
                sizes.append(len(served.redactor._forms))
        assert sizes[1] == sizes[2] == sizes[3]
        assert served.redactor.clean("token-1 something") == "token-1 ***"

    asyncio.run(scenario())

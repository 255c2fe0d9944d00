"""What a keystroke sets off: check, request, records, entities; with secrets covered and endless JQ given up."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import TOKEN
from tests.studio.conftest import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Source
    from tests.studio.conftest import Studio

RECORDS = [
    {"id": f"t{number}", "name": f"Thing {number}", "size": number, "odd key": {"x": 1}} for number in range(1, 6)
]
ENDLESS = "size: 'def f: f; f'"


def answered(source: Source, body: Any = None) -> None:
    source.answer = lambda _: {"data": RECORDS} if body is None else body


def test_nothing_leaves_the_machine_until_somebody_asks(
    studio: Studio, source: Source, things: Callable[..., str]
) -> None:
    view = studio.look(things())["view"]

    assert source.asked == []
    assert view["is_unasked"]
    (request,) = view["requests"]
    assert (request["method"], request["url"]) == ("GET", f"{source.url}/things")


def test_what_was_answered_once_serves_every_keystroke(
    studio: Studio, source: Source, things: Callable[..., str]
) -> None:
    answered(source)
    studio.ask_source(things())

    found = studio.look(things(properties="double: .size * 2"))

    assert len(source.asked) == 1
    assert source.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert found["problems"] == []
    assert [record["entities"][0]["body"]["properties"] for record in found["view"]["records"]] == [
        {"double": 2 * number} for number in range(1, 6)
    ]


def test_another_request_is_shown_and_not_sent(studio: Studio, source: Source, things: Callable[..., str]) -> None:
    answered(source)
    studio.ask_source(things())

    view = studio.look(things(selector="query_params: {page: '2'}"))["view"]

    assert len(source.asked) == 1
    assert view["is_unasked"]
    assert view["requests"][0]["url"].endswith("/things?page=2")
    assert view["records"] == []


def test_problems_have_the_place_that_the_editor_marks(studio: Studio, things: Callable[..., str]) -> None:
    text = things(properties="size: .size |").replace("title:", "titel:")

    problems = {problem["code"]: problem for problem in studio.look(text)["problems"]}

    lines = text.split("\n")
    unknown = problems["unknown-key"]
    assert lines[unknown["line"] - 1][unknown["column"] - 1 : unknown["to"] - 1] == "titel"
    assert "title" in unknown["hint"]
    syntax = problems["jq-syntax"]
    assert lines[syntax["line"] - 1].startswith("            size:")


def test_a_text_without_the_last_step_still_has_its_problems(studio: Studio) -> None:
    assert studio.look("")["problems"] == []
    assert [problem["code"] for problem in studio.look("source: [")["problems"]] == ["yaml-syntax"]
    assert studio.look("source: {base_url: 'https://a.test'}")["resources"] is None


def test_secrets_are_covered_wherever_they_come_from(
    studio: Studio, source: Source, things: Callable[..., str]
) -> None:
    studio.ask("/api/value", name="TYPED", value="typed-in-value-31")
    source.answer = lambda asked: {
        "data": [{"id": "a", "name": f"{TOKEN} and typed-in-value-31", "password": "pw-of-record", "size": 1}],
        "echo": asked.headers["authorization"],
    }
    text = things(
        selector='headers: {x-key: "${TYPED}"}\n      query_params: {q: "${TYPED}"}\n      data_path: .data',
        properties="size: .size\n            secret: .password",
    )
    answers = [studio.post("/api/ask", text=text), studio.post("/api/look", text=text)]
    answers += [studio.post(path, text=text) for path in ("/api/proposals", "/api/drafts", "/api/taken")]
    answers += [studio.post("/api/slice", name="answer-0"), studio.post("/api/slice", name="record-0", keys=["name"])]
    answers += [studio.post("/api/open"), studio.client.get("/")]

    assert source.asked[0].headers["x-key"] == "typed-in-value-31"
    for answer in answers:
        assert answer.status_code == 200, answer.text
        for secret in (TOKEN, "typed-in-value-31", "pw-of-record"):
            assert secret not in answer.text
    assert "***" in answers[1].text


def test_a_value_that_was_pasted_is_covered_whatever_its_name_is(studio: Studio, things: Callable[..., str]) -> None:
    studio.ask("/api/value", name="PLACE", value="pasted-somewhere")

    (request,) = studio.look(things(selector='query_params: {q: "at ${PLACE}"}'))["view"]["requests"]

    assert request["url"].endswith("/things?q=at+***")


def test_the_value_of_a_variable_is_taken_and_never_given(studio: Studio, things: Callable[..., str]) -> None:
    text = things().replace("SRC_TOKEN", "OTHER")
    before = studio.look(text)
    studio.ask("/api/value", name="OTHER", value="a-value-of-mine")
    after = studio.post("/api/look", text=text)
    studio.ask("/api/value", name="OTHER", value="")

    assert [problem["code"] for problem in before["problems"]] == ["unset-variable"]
    assert before["variables"] == [{"name": "OTHER", "is_set": False}]
    assert after.json()["variables"] == [{"name": "OTHER", "is_set": True}]
    assert "a-value-of-mine" not in after.text
    assert studio.look(text)["variables"] == [{"name": "OTHER", "is_set": False}]


def test_an_endless_expression_is_said_and_the_next_keystroke_works(
    studio: Studio, source: Source, things: Callable[..., str]
) -> None:
    answered(source)
    studio.ask_source(things())

    began = time.monotonic()
    problem = studio.look(things(properties=ENDLESS))["view"]["end"]["problem"]
    took_s = time.monotonic() - began

    assert problem["code"] == "jq-timeout"
    assert "properties.size" in problem["message"]
    assert took_s < 30 * PATIENCE_S
    assert studio.look(things())["view"]["records"][0]["entities"][0]["identifier"] == "t1"


def test_a_newer_keystroke_does_not_wait_for_an_older_one(
    studio: Studio, source: Source, things: Callable[..., str]
) -> None:
    answered(source)
    studio.ask_source(things())
    older: list[Any] = []
    thread = threading.Thread(target=lambda: older.append(studio.post("/api/look", text=things(properties=ENDLESS))))
    thread.start()
    while not studio.session.looking.is_busy:
        time.sleep(0.001)

    newer = studio.look(things())
    thread.join()

    assert newer["view"]["records"][0]["entities"]
    assert older[0].json() == {"is_superseded": True}


def test_a_source_that_does_not_answer_can_be_given_up(
    studio: Studio, source: Source, things: Callable[..., str]
) -> None:
    came, goes_on = threading.Event(), threading.Event()

    def slow(_: Any) -> Any:
        came.set()
        goes_on.wait(20)
        return {"data": []}

    source.answer = slow
    asked: list[Any] = []
    thread = threading.Thread(target=lambda: asked.append(studio.post("/api/ask", text=things())))
    thread.start()
    assert came.wait(20)
    studio.ask("/api/stop")
    thread.join(10)
    goes_on.set()

    assert asked[0].json() == {"is_superseded": True}
    assert studio.look(things())["view"]["is_unasked"]


def test_what_the_source_says_wrong_is_shown_with_its_answer(
    studio: Studio, source: Source, things: Callable[..., str]
) -> None:
    answered(source, body={"items": RECORDS})

    view = studio.ask_source(things())["view"]

    assert view["end"]["reason"] == "data_path"
    assert view["answers"][0]["status"] == 200
    assert [key for key, _ in view["answers"][0]["tree"]["children"]] == ["items"]


def test_a_huge_answer_is_shown_a_slice_at_a_time(studio: Studio, source: Source, things: Callable[..., str]) -> None:
    many = [{"id": f"t{number}", "name": "n", "size": number, "text": "x" * 50} for number in range(60_000)]
    answered(source, body={"data": many})
    text = things()
    studio.ask_source(text)

    answer = studio.post("/api/look", text=text)
    view = answer.json()["view"]
    node = studio.ask("/api/slice", name="answer-0", keys=["data"], first=59_950)["node"]

    assert len(answer.content) < 200_000
    assert len(view["records"]) == 20
    assert view["pages"][0]["records"] < 10_000
    assert node["count"] == 60_000
    assert [key for key, _ in node["children"]] == list(range(59_950, 60_000))


@pytest.mark.parametrize("keys", [["data", 99], ["nothing"], ["data", "x"], [0]])
def test_a_slice_of_nothing_is_nothing(
    studio: Studio, source: Source, things: Callable[..., str], keys: list[Any]
) -> None:
    answered(source)
    studio.ask_source(things())

    assert studio.ask("/api/slice", name="answer-0", keys=keys) == {"node": None}
    assert studio.ask("/api/slice", name="no-such", keys=[]) == {"node": None}


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"text": 5}', '{"text": "", "other": 1}', '{"text": "", "index": -1}']
)
def test_what_the_page_cannot_ask_is_refused_in_words(studio: Studio, body: str) -> None:
    answer = studio.client.post("/api/look", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["problems"][0]["message"]

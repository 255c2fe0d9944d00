"""The first records of a page: found at little cost, and shown without secrets."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import orjson
import pytest

from portsync.examples import examples_of, first_records
from portsync.flow import Page, RequestSpec
from portsync.jq.pool import JqPool
from portsync.jq.process import Limits
from portsync.jq.variables import Variables
from portsync.logs import Redactor


def first(body: Any, data_path: str, **options: Any) -> tuple[list[Any], int]:
    """The first records of a page, and how many JQ runs they took."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def run() -> tuple[list[Any], int]:
        async with JqPool(Limits(0.5, 96)) as pool:
            page = Page(RequestSpec("GET", "http://x"), 1, content)
            return await first_records(page, data_path, pool, now=0.0, **options), pool.runs

    return asyncio.run(run())


TEN = [{"id": n} for n in range(10)]


@pytest.mark.parametrize(
    ("body", "data_path", "records"),
    [
        ({"data": TEN}, ".data", TEN[:5]),
        ({"data": TEN}, ".data[]", TEN[:5]),
        ({"a": {"b": TEN[:2]}}, '.a."b"', TEN[:2]),
        (TEN, ".", TEN[:5]),
        ({"data": []}, ".data", []),
    ],
    ids=str,
)
def test_a_plain_path_is_followed_without_jq(body: Any, data_path: str, records: list[Any]) -> None:
    assert first(body, data_path) == (records, 0)


@pytest.mark.parametrize(
    ("body", "data_path", "records"),
    [
        ({"id": 1}, ".", [{"id": 1}]),
        ({"data": {"id": 1}}, ".data", [{"id": 1}]),
        ({"data": TEN}, ".data | map(select(.id > 6))", TEN[7:]),
        ([{"data": TEN[:2]}, {"data": TEN[2:]}], ".[].data", TEN[:5]),
        ({"data": TEN}, ".data | .[] | select(.id > 3)", TEN[4:9]),
        ({"data": TEN, "skip": 3}, ".skip as $n | .data[$n:] # the rest", TEN[3:8]),
    ],
    ids=str,
)
def test_any_other_data_path_is_one_run_of_jq(body: Any, data_path: str, records: list[Any]) -> None:
    assert first(body, data_path) == (records, 1)


def test_a_data_path_sees_its_variables() -> None:
    found, _ = first({"x": TEN[:1]}, ".[$params.name] | map(. + $context)", **variables())

    assert found == [{"id": 0, "org": "o"}]


def variables() -> dict[str, Any]:
    return {"variables": Variables({"name": "x"}), "context": b'{"org": "o"}'}


@pytest.mark.parametrize(
    ("body", "data_path"),
    [
        (b"<html>", ".data"),
        (b"<html>", ".data | .[]"),
        (b'{"data": [1, "\xff"]}', ".data"),
        ({"data": TEN}, '.data | error("no")'),
        ({"data": TEN}, ".data | (def f: f; f)"),
        (b'{"data": [' + b"[" * 2000 + b"]" * 2000 + b"]}", ".data"),
        (b'{"data": [{}], "more": "' + b"x" * 2**23 + b'"}', ".data | .[]?"),
    ],
    ids=["no JSON", "no JSON for JQ", "no UTF-8", "fails", "runs away", "too deep", "too large for JQ"],
)
def test_where_no_records_can_be_found_there_are_none(body: Any, data_path: str) -> None:
    assert first(body, data_path)[0] == []


def test_half_a_character_is_no_hindrance() -> None:
    assert first(b'{"data": [{"id": "a\\ud800"}]}', ".data") == ([{"id": "a\ufffd"}], 0)


def test_five_examples_are_objects_without_secrets() -> None:
    records = ["text", None, {"password": "x", "name": "known-secret"}, *TEN]

    examples = examples_of(records, Redactor(["known-secret"]))

    assert examples == [{"password": "***", "name": "***"}, *TEN[:4]]


def test_examples_are_small_enough_for_one_request() -> None:
    long_text, long_list = {"t": "x" * 10**6}, {"l": list(range(10**5)), "t": "x" * 500}
    wide = {str(n): "x" * 90 for n in range(10**4)}

    examples = examples_of([long_text, long_list, wide], Redactor())

    assert [len(orjson.dumps(example)) < 100_000 for example in examples] == [True, True]
    assert len(examples[0]["t"]) == 1001
    assert examples[1] == {"l": list(range(10)), "t": "x" * 100 + "…"}

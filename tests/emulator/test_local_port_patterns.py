"""Patterns in blueprints and faults that would take for ever: the local Port goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

SLOW = ["(a+)+$", "(a|a)*$", "(a|aa)+$", r"(\w+\s?)+$", "a*a*a*a*a*b"]


def declare(port: httpx.Client, pattern: str) -> None:
    schema = {"properties": {"name": {"type": "string", "pattern": pattern}}}
    body = {"identifier": "thing", "title": "Thing", "schema": schema}
    assert port.post("/blueprints", json=body).status_code == 201


def write(port: httpx.Client, name: str) -> int:
    entity = {"identifier": "e", "properties": {"name": name}}
    return port.post("/blueprints/thing/entities?upsert=true", json=entity).status_code


@pytest.mark.parametrize("pattern", SLOW)
def test_a_pattern_that_takes_for_ever_costs_one_deadline(port: httpx.Client, pattern: str) -> None:
    declare(port, pattern)
    started = time.process_time()
    for _ in range(5):
        write(port, "a" * 5000 + "!")
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("^[a-z0-9]+(?:-[a-z0-9]+)*$", "a-b-c", "a--b"),
        (r"^(\w+\.)+\w+$", "www.acme.example", "www."),
        (r"^\(a\)+$", "(a))", "a"),
        (r"^(a|b)\1$", "aa", "ab"),
        ("^[A-Z]{2}-[0-9]+$", "AB-1", "A-1"),
        (r"^\d+$", "1" * 3000, "1" * 3000 + "x"),
        (r'^("x"|\\)*$', '"x"\\', "x"),
    ],
)
def test_a_pattern_means_the_same_wherever_it_runs(port: httpx.Client, pattern: str, yes: str, no: str) -> None:
    declare(port, pattern)

    assert (write(port, yes), write(port, no)) == (201, 422)


@pytest.mark.parametrize("pattern", SLOW)
def test_a_fault_with_such_a_path_is_refused(port: httpx.Client, pattern: str) -> None:
    answer = port.post("http://127.0.0.1/_faults", json=[{"path": pattern, "status": 500}])

    assert answer.status_code == 422
    assert "body.0.path" in answer.json()["message"]

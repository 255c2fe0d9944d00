"""Errors go from process to process as they are."""

from __future__ import annotations

import importlib
import inspect
import pickle
import pkgutil

import httpx
import pytest

import portsync
from portsync.errors import AuthError, DecodeError, PortSyncError, Problem, SendError, StoppedError

PROBLEMS = (
    Problem("one", "this is wrong", "m.yaml:1:2", "do that", "/things", "t1", "  - a\n    ^", 404),
    Problem("two", "and that"),
)
OF_THEIR_OWN = [
    SendError(PROBLEMS[0], reason="timeout", requests=3, waited_s=1.5, may_pass=False, rate_limited=2, asked_s=60.0),
    DecodeError(PROBLEMS[0], reason="too-large"),
    AuthError(PROBLEMS[0], reason="no", may_pass=True, status=429, headers=httpx.Headers({"Retry-After": "5"})),
    StoppedError(PROBLEMS[0], 143),
]


def kinds_of(kind: type[PortSyncError]) -> set[type[PortSyncError]]:
    return {kind}.union(*map(kinds_of, kind.__subclasses__()))


def every_kind() -> list[type[PortSyncError]]:
    """All there are, wherever they are."""
    for module in pkgutil.walk_packages(portsync.__path__, "portsync."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return sorted((kind for kind in kinds_of(PortSyncError) if kind.__module__.startswith("portsync")), key=str)


def passed_on(error: PortSyncError) -> PortSyncError:
    found = pickle.loads(pickle.dumps(error))
    assert isinstance(found, PortSyncError)
    return found


def takes_problems(kind: type[PortSyncError]) -> bool:
    return "problems" in inspect.signature(kind).parameters


def test_every_error_that_is_made_of_problems_arrives_as_what_it_was() -> None:
    kinds = [kind for kind in every_kind() if takes_problems(kind)]
    assert len(kinds) > 15

    for kind in kinds:
        error = kind(*PROBLEMS)
        found = passed_on(error)
        assert type(found) is kind
        assert found.problems == PROBLEMS
        assert (str(found), found.args, found.exit_code) == (str(error), error.args, error.exit_code)


def test_all_errors_that_say_more_are_looked_at_here() -> None:
    assert {kind for kind in every_kind() if not takes_problems(kind)} == {type(error) for error in OF_THEIR_OWN}


@pytest.mark.parametrize("error", OF_THEIR_OWN, ids=lambda error: type(error).__name__)
def test_an_error_that_says_more_arrives_with_all_of_it(error: PortSyncError) -> None:
    found = passed_on(passed_on(error))

    assert type(found) is type(error)
    assert vars(found) == vars(error)
    assert str(found) == str(error)

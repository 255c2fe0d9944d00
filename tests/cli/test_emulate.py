"""What `portsync emulate` takes, and what it says of what it cannot take."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from portsync.cli.guessing import GUESSES, guesses_of
from portsync.emulator.guesses import DEFAULT_GUESSES
from tests.cli.test_local_catalog import address_in, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Run

USERS = """
# people
- ada@acme.example
- {email: grace@acme.example, name: Grace, status: Staged, teams: [platform, ops]}
"""


@contextmanager
def signed_in(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, trust_env=False, verify=False) as client:
        keys = {"clientId": "cid", "clientSecret": "secret-of-the-test"}
        answer = client.post("/v1/auth/access_token", json=keys).raise_for_status().json()
        client.headers["authorization"] = f"Bearer {answer['accessToken']}"
        client.headers["x-life"] = str(answer["expiresIn"])
        yield client


def test_all_that_can_be_given_is_taken(tmp_path: Path) -> None:
    (tmp_path / "users.yaml").write_text(USERS)
    (tmp_path / "faults.yaml").write_text("- {path: /v1/organization, status: 503, retry_after: 7}\n")
    credentials = ("--client-id", "cid", "--client-secret", "secret-of-the-test")
    files = ("--users", str(tmp_path / "users.yaml"), "--faults", str(tmp_path / "faults.yaml"))
    more = ("--token-life", "900", "--rate", "50/60", "--guess", "reset_as_epoch=true", "--user", "eve@acme.example")
    with (
        running("emulate", "--port", "0", *credentials, *files, *more) as process,
        signed_in(address_in(process, "the local Port is up")) as port,
    ):
        assert 890 < int(port.headers["x-life"]) <= 900
        struck = port.get("/v1/organization")
        assert (struck.status_code, struck.headers["retry-after"]) == (503, "7")
        users = {each["identifier"]: each for each in port.get("/v1/blueprints/_user/entities").json()["entities"]}
        teams = port.get("/v1/blueprints/_team/entities")
    assert set(users) == {"ada@acme.example", "grace@acme.example", "eve@acme.example"}
    grace = users["grace@acme.example"]
    assert (grace["title"], grace["team"], grace["properties"]["status"]) == ("Grace", ["platform", "ops"], "Staged")
    assert {each["identifier"] for each in teams.json()["entities"]} == {"platform", "ops"}
    assert (teams.headers["x-ratelimit-limit"], teams.headers["x-ratelimit-period"]) == ("50", "60")
    assert int(teams.headers["x-ratelimit-reset"]) > 1_000_000_000


def test_credentials_that_are_not_given_are_made_up_and_printed() -> None:
    with running("emulate", "--port", "0") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(3)]
    names = [line.removeprefix("export ").partition("=") for line in lines]
    assert [name for name, _, _ in names] == ["PORT_BASE_URL", "PORT_CLIENT_ID", "PORT_CLIENT_SECRET"]
    assert min(len(value) for _, _, value in names) > 20


def test_ctrl_c_ends_it_well() -> None:
    with running("emulate", "--port", "0") as process:
        address_in(process, "the local Port is up")
    assert process.returncode == 0


def test_an_address_that_others_reach_comes_with_a_warning_and_answers_to_the_names_of_the_machine() -> None:
    with running("emulate", "--port", "0", "--host", "0.0.0.0") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(5)]
        (warning,) = [line for line in lines if line.startswith("warning: ")]
        address = lines[0].strip().removeprefix("export PORT_BASE_URL=")
        assert "0.0.0.0" in warning
        assert httpx.get(address, trust_env=False, verify=False).status_code == 200
        for host, status in (("0.0.0.0", 200), ("evil.example", 421)):
            assert httpx.get(address, headers={"host": host}, trust_env=False, verify=False).status_code == status


def test_a_loopback_address_comes_without_a_warning() -> None:
    with running("emulate", "--port", "0", "--host", "localhost") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
    assert not [line for line in lines if "warning" in line]


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--guess", "rate_limt=3", "there is no guess `rate_limt`; did you mean `rate_limit`?"),
        ("--guess", "zzz=3", "there are all_failed_status, ok_with_failures"),
        ("--guess", "rate_limit", "a value is missing, as in rate_limit=1000000"),
        ("--guess", "rate_limit=0", "not a whole number of 1 or more"),
        ("--guess", "rate_limit=none", "not a whole number of 1 or more"),
        ("--guess", "ok_with_failures=2", "not true or false"),
        ("--guess", "all_failed_status=9", "not a status of HTTP"),
        ("--rate", "100", "not REQUESTS/SECONDS, such as 100/60"),
        ("--rate", "0/60", "not REQUESTS/SECONDS"),
        ("--token-life", "0", "0 is not in the range"),
        ("--host", "nowhere.invalid", "cannot listen on nowhere.invalid:0"),
    ],
)
def test_an_option_that_cannot_be_ends_with_words_and_2(
    option: str, value: str, says: str, portsync: Callable[..., Run]
) -> None:
    ended = portsync("emulate", None, "--port", "0", option, value)
    assert ended.exit_code == 2
    assert says in " ".join(ended.err.split())


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("ada@acme.example\nada\n", 2, "`ada` is not an e-mail address"),
        ("ada@acme.example\n\n# twice\nada@acme.example\n", 4, "is there already"),
        ("- ada@acme.example\n- name: Bob\n", 2, "the key `email` is missing"),
        ("- email: a@b.example\n  teem: [x]\n", 1, "did you mean `teams`?"),
        ("- a@b.example\n- {email: c@d.example, status: Here}\n", 2, "`Here` is not a status of a user"),
        ("- {email: c@d.example, teams: x}\n", 1, "`teams` is not a list of identifiers"),
        ("- {email: c@d.example, teams: ['a b']}\n", 1, "`teams` is not a list of identifiers"),
        ("- {email: c@d.example, name: C, title: C}\n", 1, "`name` and `title` mean the same"),
        ("- {email: c@d.example, name: 1}\n", 1, "the name is not text"),
        ("- 3\n", 1, "a user is an e-mail address"),
        ("- a@b.example\n- [\n", 3, "not YAML"),
        ('[\n "a@b.example",\n {"email": 1}\n]', 3, "`1` is not an e-mail address"),
    ],
)
def test_a_wrong_user_is_told_with_file_and_line(
    text: str, line: int, says: str, portsync: Callable[..., Run], tmp_path: Path
) -> None:
    file = tmp_path / "users"
    file.write_text(text)
    ended = portsync("emulate", None, "--port", "0", "--users", str(file))
    assert ended.exit_code == 2
    assert f"{file}:{line}\n" in ended.err
    assert "error[bad-users]" in ended.err
    assert says in ended.err


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("- {status: 503}\n- {stauts: 503}\n", 2, "must NOT have additional properties (stauts)"),
        ("- status: 503\n  more_than: -1\n", 1, '"more_than" must be >= 0'),
        ("- {path: '('}\n", 1, "path"),
        ("status: 503\n", 1, "the file is not a list"),
        ("", 1, "the file is not a list"),
        ('[{"hang": true, "status": 500}]', 1, "the rule must have one of status"),
    ],
)
def test_a_wrong_fault_is_told_with_file_and_line(
    text: str, line: int, says: str, portsync: Callable[..., Run], tmp_path: Path
) -> None:
    file = tmp_path / "faults"
    file.write_text(text)
    ended = portsync("emulate", None, "--port", "0", "--faults", str(file))
    assert ended.exit_code == 2
    assert f"{file}:{line}\n" in ended.err
    assert "error[bad-faults]" in ended.err
    assert says in ended.err


@pytest.mark.parametrize("option", ["--users", "--faults"])
def test_a_file_that_is_not_there_is_told(option: str, portsync: Callable[..., Run]) -> None:
    ended = portsync("emulate", None, "--port", "0", option, "nowhere.yaml")
    assert ended.exit_code == 2
    assert "the file cannot be read: No such file or directory" in ended.err


def test_a_file_that_is_no_database_ends_with_words_and_2(portsync: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database " * 100)
    ended = portsync("emulate", None, "--port", "0", "--db", str(tmp_path / "notes.txt"))
    assert ended.exit_code == 2
    assert "the file of --db cannot be used: file is not a database" in ended.err


def test_each_guess_can_be_switched() -> None:
    other: dict[str, Any] = {}
    for name in GUESSES:
        default = getattr(DEFAULT_GUESSES, name)
        value = (not default) if isinstance(default, bool) else "other" if isinstance(default, str) else 404
        other[name] = 418 if value == default else value
    found = guesses_of([f"{name}={json.dumps(value).strip(chr(34))}" for name, value in other.items()], None)
    assert {name: getattr(found, name) for name in GUESSES} == other
    assert guesses_of(["unknown_property_status=none"], None).unknown_property_status is None
    assert (guesses_of(["rate_limit=5"], "7/9").rate_limit, guesses_of([], "7/9").rate_period) == (7, 9)

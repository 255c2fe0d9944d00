"""Refresh tokens that the server replaces: the new one counts, in this run and in the next."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from portsync.auth import TokenStore
from portsync.errors import AuthError, SendError, SettingsError
from portsync.flow import RequestSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.auth.conftest import Api, Asked, Session
    from tests.conftest import LocalPort, Run

CONFIG = {
    "type": "oauth2",
    "token_url": "/token",
    "grant": "refresh_token",
    "client_id": "id",
    "client_secret": "s3cret-value",
    "refresh_token": "refresh-0",
}


class Rotating:
    """A token endpoint that takes each refresh token once, and gives the next."""

    def __init__(self, api: Api) -> None:
        self.valid = "refresh-0"
        self.count = 0
        api.token = self.answer

    def answer(self, asked: Asked) -> Any:
        if asked.form["refresh_token"] != self.valid:
            return Response('{"error": "invalid_grant"}', status_code=400)
        self.count += 1
        self.valid = f"refresh-{self.count}"
        return {"access_token": f"access-{self.count}", "refresh_token": self.valid, "expires_in": 3600}


def used(api: Api) -> list[str]:
    return [call.form["refresh_token"] for call in api.token_calls]


def test_the_new_refresh_token_is_used_from_then_on(api: Api, play: Callable[..., Any]) -> None:
    Rotating(api)

    async def act(session: Session) -> list[Any]:
        outcomes: list[Any] = []
        for _ in range(3):
            outcomes.append(await session.send(RequestSpec("GET", f"{api.url}/things")))
            session.clock.now += 3600
        return [outcome.status for outcome in outcomes]

    assert play(CONFIG, act) == [200, 200, 200]
    assert used(api) == ["refresh-0", "refresh-1", "refresh-2"]
    assert api.data_requests[-1].credentials == "Bearer access-3"


def test_an_answer_without_a_new_one_keeps_the_old_one(api: Api, play: Callable[..., Any], tmp_path: Path) -> None:
    async def act(session: Session) -> None:
        for _ in range(2):
            await session.send(RequestSpec("GET", f"{api.url}/things"))
            session.clock.now += 3600

    play(CONFIG, act, store=TokenStore(tmp_path / "tokens"))

    assert used(api) == ["refresh-0", "refresh-0"]
    assert list((tmp_path / "tokens").iterdir()) == []


def test_the_next_run_begins_with_the_last_token(api: Api, send: Callable[..., Any], tmp_path: Path) -> None:
    Rotating(api)

    outcomes = [send(CONFIG, store=TokenStore(tmp_path / "tokens")) for _ in range(3)]

    assert [outcome.status for outcome in outcomes] == [200, 200, 200]
    assert used(api) == ["refresh-0", "refresh-1", "refresh-2"]


def test_a_new_token_in_the_configuration_is_believed(api: Api, send: Callable[..., Any], tmp_path: Path) -> None:
    rotating = Rotating(api)
    send(CONFIG, store=TokenStore(tmp_path))
    rotating.valid = "given-by-hand"

    assert send({**CONFIG, "refresh_token": "given-by-hand"}, store=TokenStore(tmp_path)).status == 200
    assert used(api) == ["refresh-0", "given-by-hand"]


def test_two_accounts_of_one_client_keep_their_tokens_apart(api: Api, send: Callable[..., Any], tmp_path: Path) -> None:
    api.token = lambda asked: {"access_token": "t", "refresh_token": asked.form["refresh_token"] + "+"}

    for token in ("ada", "bob", "ada", "bob"):
        send({**CONFIG, "refresh_token": token}, store=TokenStore(tmp_path))

    assert used(api) == ["ada", "bob", "ada+", "bob+"]


def test_without_a_folder_a_store_lasts_as_long_as_its_process(api: Api, send: Callable[..., Any]) -> None:
    Rotating(api)
    store = TokenStore()

    assert [send(CONFIG, store=store).status for _ in range(2)] == [200, 200]
    assert used(api) == ["refresh-0", "refresh-1"]


# On disk


def test_only_its_owner_can_read_what_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "tokens"
    folder.mkdir(parents=True, mode=0o755)

    TokenStore(folder).keep("https://a", "id", "first", "second")

    (file,) = folder.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600
    assert "first" not in file.read_text()


NAMES = st.tuples(st.sampled_from("ab"), st.sampled_from("ab"), st.sampled_from("ab"))


@given(st.lists(st.tuples(NAMES, st.text(min_size=1)), max_size=8))
def test_what_was_kept_last_is_what_the_next_run_finds(kept: list[tuple[tuple[str, str, str], str]]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for (url, client, configured), token in kept:
            TokenStore(folder).keep(url, client, configured, token)

        for (url, client, configured), token in dict(kept).items():
            assert TokenStore(folder).current(url, client, configured) == token
        assert TokenStore(folder).current("a", "b", "never kept") == "never kept"


def test_a_half_written_file_is_never_read(tmp_path: Path) -> None:
    store = TokenStore(tmp_path)
    store.keep("https://a", "id", "first", "second")
    (file,) = tmp_path.iterdir()
    (tmp_path / f"{file.name}.{os.getpid()}.new").write_text('{"refresh_to')

    TokenStore(tmp_path).keep("https://a", "id", "first", "third")

    assert TokenStore(tmp_path).current("https://a", "id", "first") == "third"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '"x"', b"\xff\xfe"])
def test_a_damaged_file_is_named(content: str | bytes, tmp_path: Path) -> None:
    TokenStore(tmp_path).keep("https://a", "id", "first", "second")
    (file,) = tmp_path.iterdir()
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(AuthError) as caught:
        TokenStore(tmp_path).current("https://a", "id", "first")

    (problem,) = caught.value.problems
    assert problem.code == "token-store"
    assert str(file) in problem.message
    assert "remove the file" in (problem.hint or "")


def test_a_place_that_cannot_be_written_is_found_before_the_token_is_used_up(
    api: Api, send: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SettingsError) as caught:
        send(CONFIG, store=TokenStore(tmp_path / "file" / "tokens"))

    (problem,) = caught.value.problems
    assert problem.code == "token-store"
    assert "PORTSYNC_STATE" in (problem.hint or "")
    assert api.asked == []


def test_a_token_that_cannot_be_kept_is_said_aloud_and_still_used(
    api: Api, play: Callable[..., Any], tmp_path: Path
) -> None:
    rotating = Rotating(api)
    folder = tmp_path / "tokens"

    def filling_the_disk(asked: Asked) -> Any:
        folder.rmdir()
        folder.write_text("")  # as good as a full disk
        return rotating.answer(asked)

    async def act(session: Session) -> list[Any]:
        api.token = filling_the_disk
        first = await session.send(RequestSpec("GET", f"{api.url}/things"))
        folder.unlink()
        api.token = rotating.answer
        return [first, await session.send(RequestSpec("GET", f"{api.url}/things"))]

    failed, later = play(CONFIG, act, store=TokenStore(folder))

    assert isinstance(failed, SendError)
    assert failed.problems[0].code == "token-store"
    assert "it cannot be kept" in failed.problems[0].message
    assert "refresh-1" not in failed.problems[0].message
    assert later.status == 200
    assert used(api) == ["refresh-0", "refresh-1"]


# The whole program


MAPPING = """
source:
  base_url: {url}
  auth:
    type: oauth2
    token_url: /token
    grant: refresh_token
    client_id: id
    client_secret: s3cret-value
    refresh_token: refresh-0
resources:
  - kind: /things
    port: {{entity: {{mappings: {{identifier: .id, blueprint: '"thing"'}}}}}}
"""


def test_a_run_that_is_killed_after_the_rotation_leaves_the_token_to_the_next(
    api: Api, local_port: LocalPort, port_env: dict[str, str], portsync: Callable[..., Run], tmp_path: Path
) -> None:
    Rotating(api)
    asked, killed = threading.Event(), threading.Event()

    def hanging(_asked: Asked) -> Any:
        asked.set()
        killed.wait(20)
        return []

    api.data = hanging
    mapping = MAPPING.format(url=api.url)
    (tmp_path / "first.yaml").write_text(mapping)
    env = {**port_env, "PORTSYNC_STATE": str(tmp_path / "state.db"), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "portsync", "sync", str(tmp_path / "first.yaml")]
    python = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]}
    first = subprocess.Popen(command, env={**python, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert asked.wait(30)
    first.send_signal(signal.SIGKILL)
    assert first.wait(20) == -signal.SIGKILL
    killed.set()
    api.data = lambda _: [{"id": "a"}]

    run = portsync("sync", mapping, env=env)

    assert run.exit_code == 0, run.err
    assert used(api) == ["refresh-0", "refresh-1"]
    assert set(local_port.entities("thing")) == {"a"}
    kept = [json.loads(file.read_text()) for file in (tmp_path / "state.db.tokens").iterdir()]
    assert [file["refresh_token"] for file in kept] == ["refresh-2"]


def test_a_place_that_cannot_be_written_ends_the_run_before_it_begins(
    api: Api, port_env: dict[str, str], portsync: Callable[..., Run], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")

    run = portsync("sync", MAPPING.format(url=api.url), env={**port_env, "PORTSYNC_STATE": str(tmp_path / "file/x")})

    assert run.exit_code == 2
    assert "error[token-store]" in run.err
    assert (api.asked, run.report) == ([], {})

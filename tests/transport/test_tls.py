"""Certificates: authorities beside the usual ones, our own for servers that ask, and files that cannot be used."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import httpx
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from portsync.errors import SendError, SettingsError
from portsync.flow import Answer, RequestSpec
from portsync.transport.client import Client
from portsync.transport.retry import RetryPolicy
from portsync.transport.tls import closed_context, ssl_context
from portsync.transport.trouble import Timeouts
from tests.tls import Files, issued, serving_tls

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import LocalPort, Run


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return issued(tmp_path_factory.mktemp("tls"))


def ask(url: str, tls: ssl.SSLContext | None, transport: httpx.MockTransport | None = None) -> Answer | SendError:
    async def sleep(_seconds: float) -> None:
        return

    async def run() -> Answer | SendError:
        policy = RetryPolicy(2, 1, lambda: 0.0, sleep, lambda: 1.0)
        async with Client(
            policy=policy, timeouts=Timeouts(), user_agent="t", tls=tls, use_proxies=False, transport=transport
        ) as client:
            try:
                return await client.send(RequestSpec("GET", f"{url}/things"))
            except SendError as error:
                return error

    return asyncio.run(run())


def test_an_authority_of_ones_own_is_trusted(files: Files) -> None:
    with serving_tls(files.server) as url:
        answer = ask(url, ssl_context(ca=files.ca))

    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (200, b'[{"id": "a"}]')


@pytest.mark.parametrize("which", ["another", "the usual ones", "none"])
def test_a_server_of_an_unknown_authority_is_not_spoken_to(which: str, files: Files) -> None:
    tls = {"another": ssl_context(ca=files.other_ca), "the usual ones": None, "none": closed_context()}[which]
    with serving_tls(files.server) as url:
        outcome = ask(url, tls)

    assert isinstance(outcome, SendError)
    (problem,) = outcome.problems
    assert (outcome.reason, problem.code) == ("unreachable", "unreachable")
    assert "certificate verify failed" in problem.message
    assert "`source.tls.ca`" in (problem.hint or "")


def test_where_certificates_are_not_checked_any_will_do(files: Files) -> None:
    with serving_tls(files.server) as url:
        assert isinstance(ask(url, ssl_context(verify=False)), Answer)


def test_an_authority_of_ones_own_stands_beside_the_usual_ones(files: Files) -> None:
    usual = {cert["serialNumber"] for cert in ssl_context().get_ca_certs()}
    both = {cert["serialNumber"] for cert in ssl_context(ca=files.ca).get_ca_certs()}

    assert usual < both
    assert len(both) == len(usual) + 1


@pytest.mark.parametrize("one_file", [True, False])
def test_a_server_that_asks_for_a_certificate_gets_ours(one_file: bool, files: Files) -> None:
    cert, key = (files.both, None) if one_file else (files.cert, files.key)
    with serving_tls(files.strict_server) as url:
        answer = ask(url, ssl_context(ca=files.ca, cert=cert, key=key))

    assert isinstance(answer, Answer)
    assert "reader@example.com" in answer.headers["x-peer"]


def test_a_server_that_asks_for_a_certificate_and_gets_none_is_understood(files: Files) -> None:
    with serving_tls(files.strict_server) as url:
        outcome = ask(url, ssl_context(ca=files.ca))

    assert isinstance(outcome, SendError)
    (problem,) = outcome.problems
    assert "`source.tls.cert`" in (problem.hint or "")
    assert "certificate" in problem.message.lower()


def test_an_alert_in_the_middle_of_an_answer_is_a_broken_connection_and_no_bug() -> None:
    def handle(_request: httpx.Request) -> httpx.Response:
        raise ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]")

    outcome = ask("https://api.test", closed_context(), httpx.MockTransport(handle))

    assert isinstance(outcome, SendError)
    assert (outcome.reason, outcome.requests) == ("connection", 2)
    assert "CERTIFICATE_REQUIRED" in outcome.problems[0].message


# Files that cannot be used


@pytest.fixture
def wrong(tmp_path: Path, files: Files) -> Callable[[str], str]:
    """The path of a file that is wrong in some way."""
    (tmp_path / "empty").write_text("")
    (tmp_path / "text").write_text("not a certificate")
    (tmp_path / "folder").mkdir()
    key = load_pem_private_key((tmp_path / files.key).read_bytes(), None)
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass"))
    (tmp_path / "encrypted").write_bytes(encrypted)
    (tmp_path / "foreign").write_bytes(trustme.CA().issue_cert("x@example.com").private_key_pem.bytes())
    return lambda name: getattr(files, name, None) or str(tmp_path / name)


@pytest.mark.parametrize(
    ("given", "place", "says"),
    [
        ({"ca": "missing"}, "ca", "cannot be read: No such file or directory"),
        ({"ca": "folder"}, "ca", "cannot be read: Is a directory"),
        ({"ca": "empty"}, "ca", "holds no certificate"),
        ({"ca": "text"}, "ca", "holds no certificate"),
        ({"ca": "key"}, "ca", "holds no certificate"),
        ({"cert": "missing"}, "cert", "cannot be read"),
        ({"cert": "cert", "key": "missing"}, "key", "cannot be read"),
        ({"cert": "cert"}, "cert", "does not hold a certificate and its key"),
        ({"cert": "text"}, "cert", "does not hold a certificate and its key"),
        ({"cert": "key", "key": "key"}, "cert", "does not hold a certificate"),
        ({"cert": "cert", "key": "cert"}, "key", "does not hold a private key"),
        ({"cert": "cert", "key": "text"}, "key", "does not hold a private key"),
        ({"cert": "cert", "key": "foreign"}, "key", "is not the key of"),
        ({"cert": "cert", "key": "encrypted"}, "key", "is a key with a passphrase"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_is_wrong(
    given: dict[str, str], place: str, says: str, wrong: Callable[[str], str]
) -> None:
    paths = {name: wrong(file) for name, file in given.items()}

    with pytest.raises(SettingsError) as caught:
        ssl_context(ca=paths.get("ca"), cert=paths.get("cert"), key=paths.get("key"))

    (problem,) = caught.value.problems
    assert (problem.code, problem.place) == ("tls-file", f"source.tls.{place}")
    assert f"{wrong(given[place])} {says}" in problem.message
    assert problem.hint


def test_all_files_that_are_missing_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        ssl_context(ca="/no/ca", cert="/no/cert", key="/no/key")

    assert [problem.place for problem in caught.value.problems] == [
        "source.tls.ca",
        "source.tls.cert",
        "source.tls.key",
    ]


# The whole program

MAPPING = """
source:
  base_url: {url}
  tls: {tls}
resources:
  - kind: /things
    port: {{entity: {{mappings: {{identifier: .id, blueprint: '"thing"'}}}}}}
"""


def test_a_sync_with_a_certificate_of_its_own(
    files: Files, local_port: LocalPort, port_env: dict[str, str], portsync: Callable[..., Run]
) -> None:
    tls = f"{{ca: {files.ca}, cert: {files.cert}, key: {files.key}}}"
    with serving_tls(files.strict_server) as url:
        run = portsync("sync", MAPPING.format(url=url, tls=tls), env=port_env)

    assert run.exit_code == 0, run.err
    assert set(local_port.entities("thing")) == {"a"}


def test_a_missing_file_ends_the_run_before_it_begins(port_env: dict[str, str], portsync: Callable[..., Run]) -> None:
    run = portsync("sync", MAPPING.format(url="https://127.0.0.1:1", tls="{ca: /no/ca}"), env=port_env)

    assert run.exit_code == 2
    assert "error[tls-file]" in run.err
    assert run.report == {}

"""Who gets into the studio, and what its answers allow a browser."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from tests.studio.conftest import Studio

PATHS = ["/", "/assets/studio.js", "/assets/studio.css", "/nothing"]
ACTIONS = ["/api/look", "/api/ask", "/api/save", "/api/value", "/api/slice", "/api/try", "/api/write", "/api/archive"]


def bare(studio: Studio) -> httpx.Client:
    """Somebody who has never been in."""
    return httpx.Client(base_url=studio.url, trust_env=False)


def test_the_printed_address_opens_the_studio_once_and_sets_a_strict_cookie(closed: Studio) -> None:
    with bare(closed) as first, bare(closed) as second:
        entered = first.get(closed.entry)
        again = second.get(closed.entry)

        cookie = entered.headers["set-cookie"].lower()
        assert entered.status_code == 200
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert closed.keys.token not in cookie
        assert first.get("/").status_code == 200
        assert again.status_code == 403
        assert "set-cookie" not in again.headers
        assert second.get("/").status_code == 403


def test_who_is_in_may_open_the_address_again(studio: Studio) -> None:
    assert studio.client.get(studio.entry).status_code == 200


def test_a_wrong_token_neither_opens_nor_spends_the_right_one(closed: Studio) -> None:
    with bare(closed) as client:
        for token in ("", "wrong", closed.keys.token[:-1], f"{closed.keys.token}x", "ü"):
            assert client.get("/enter", params={"token": token}).status_code == 403
        assert client.head("/enter", params={"token": closed.keys.token}).status_code == 405
        assert client.get(closed.entry).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_without_the_cookie_there_is_nothing(studio: Studio, path: str) -> None:
    with bare(studio) as client:
        assert client.get(path).status_code == 403
        cookie = f"portsync-studio-{httpx.URL(studio.url).port}=guess"
        assert client.get(path, headers={"cookie": cookie}).status_code == 403


@pytest.mark.parametrize("path", ACTIONS)
def test_without_the_cookie_nothing_is_done(studio: Studio, path: str) -> None:
    with bare(studio) as client:
        answer = client.post(path, json={}, headers={"origin": studio.url})

    assert answer.status_code == 403
    assert "used" in answer.text


@pytest.mark.parametrize("path", ["/", "/enter", "/assets/studio.js", "/api/look"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "127.0.0.1", "localhost:1",
             "[::1]:{port}", "me@127.0.0.1:{port}", "", "["],
)  # fmt: skip
def test_under_another_name_or_port_nothing_answers(studio: Studio, path: str, host: str) -> None:
    named = host.format(port=httpx.URL(studio.url).port)
    method = "POST" if path.startswith("/api") else "GET"

    answer = studio.client.request(
        method, path, headers={"host": named}, json={"text": ""} if method == "POST" else None
    )

    assert answer.status_code == 421


def test_localhost_is_this_machine_too(studio: Studio) -> None:
    host = f"localhost:{httpx.URL(studio.url).port}"

    assert studio.client.get("/", headers={"host": host, "origin": f"http://{host}"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"content-type": "text/plain"}, 403),
        ({"content-type": "application/x-www-form-urlencoded"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/api/look", "/api/save", "/api/value"])
def test_only_the_studios_own_page_may_change_something(
    studio: Studio, path: str, headers: dict[str, str], status: int
) -> None:
    body = {"/api/look": '{"text": ""}', "/api/save": '{"text": "", "path": "new.yaml"}'}
    given = {"content-type": "application/json", "origin": studio.url, **headers}

    answer = studio.client.post(path, content=body.get(path, '{"name": "A", "value": ""}'), headers=given)

    assert answer.status_code == status
    assert (studio.folder / "new.yaml").exists() is (status == 200 and path == "/api/save")


def test_a_write_without_an_origin_is_refused(studio: Studio) -> None:
    del studio.client.headers["origin"]

    assert studio.post("/api/look", text="").status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_read_by_embedding(studio: Studio, site: str) -> None:
    assert studio.client.get("/assets/studio.js", headers={"sec-fetch-site": site}).status_code == 403


@pytest.mark.parametrize("path", ["/", "/assets/studio.js", "/enter", "/nothing"])
def test_every_answer_forbids_frames_guesses_and_foreign_scripts(studio: Studio, path: str) -> None:
    headers = studio.client.get(path).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_the_page_has_no_inline_script_and_nothing_foreign(studio: Studio) -> None:
    page = studio.client.get("/").text

    assert re.findall(r"<script(?![^>]*\bsrc=\"/assets/)", page) == []
    assert re.findall(r"\s(?:on\w+|style)=", page) == []
    assert re.findall(r"(?:src|href)=\"(?!/assets/|data:)", page) == []


def test_the_nonce_of_the_styles_is_another_one_each_time(studio: Studio) -> None:
    nonces = {re.findall(r'name="nonce" content="([^"]+)"', studio.client.get("/").text)[0] for _ in range(3)}

    assert len(nonces) == 3


def test_it_listens_on_loopback_alone(studio: Studio) -> None:
    port = httpx.URL(studio.url).port
    # 127.0.0.2 is loopback as well, and another address.
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.2", port)) != 0


def test_what_is_too_large_is_not_read(studio: Studio) -> None:
    address = httpx.URL(studio.url)
    cookie = "; ".join(f"{name}={value}" for name, value in studio.client.cookies.items())
    head = f"POST /api/look HTTP/1.1\r\nhost: {address.host}:{address.port}\r\norigin: {studio.url}\r\n"
    with socket.create_connection((address.host, address.port or 0), timeout=20) as line:
        line.sendall(
            f"{head}cookie: {cookie}\r\ncontent-type: application/json\r\ncontent-length: {10**9}\r\n\r\n".encode()
        )
        assert line.recv(100).startswith(b"HTTP/1.1 413")

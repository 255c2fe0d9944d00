"""Who may look at the page, and what its answers allow a browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest

from portsync.emulator.app import create_app
from portsync.loopback import serving
from tests.emulator.page.conftest import ORIGIN, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.page.conftest import Element

RUN = {
    "run_id": "r",
    "mapping": "m.yaml",
    "status": "ok",
    "exit_code": 0,
    "resources": [],
    "deletions": [],
    "problems": [],
    "totals": {},
}


@pytest.mark.parametrize("host", ["127.0.0.1:8710", "localhost:8710", "localhost", "[::1]:8710", "127.1.2.3"])
def test_the_page_is_there_under_the_names_of_this_machine(port: httpx.Client, host: str) -> None:
    assert port.get(f"{ORIGIN}/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/blueprints/_user", "/runs", "/_runs", "/_requests", "/assets/catalog.css"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8710", "127.0.0.1.evil.example", "localhost.evil", "", "["]
)
def test_under_any_other_name_there_is_nothing_but_the_api(port: httpx.Client, path: str, host: str) -> None:
    answer = port.get(f"{ORIGIN}{path}", headers={"host": host})

    assert answer.status_code == 421
    assert "Ask for it as localhost" in answer.text


def test_the_api_asks_for_a_token_and_not_for_a_name(port: httpx.Client) -> None:
    answer = port.get("/blueprints", headers={"host": "port.example"})

    assert answer.status_code == 200
    assert "content-security-policy" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"origin": ORIGIN}, 201),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 201),
    ],
)
def test_another_site_may_not_write(port: httpx.Client, headers: dict[str, str], status: int) -> None:
    assert port.post(f"{ORIGIN}/_runs", json=RUN, headers=headers).status_code == status
    assert len(port.get(f"{ORIGIN}/_runs").json()["runs"]) == (1 if status == 201 else 0)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/blueprints/_user", "/entity", "/sources", "/runs", "/dashboards/x"])
def test_the_views_take_no_writes(port: httpx.Client, method: str, path: str) -> None:
    assert port.request(method, f"{ORIGIN}{path}").status_code == 404


def test_an_answer_lets_a_browser_run_nothing_that_is_not_the_pages_own(port: httpx.Client) -> None:
    answer = port.get(f"{ORIGIN}/")

    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def test_every_view_does_without_what_the_policy_forbids(records: httpx.Client, look: Callable[..., Element]) -> None:
    records.post("/blueprints/record/entities", json={"identifier": "a", "properties": {"day": "2026-11-01T00:00:00Z"}})
    for path in ("/", "/blueprints/record", "/entity?blueprint=record&identifier=a", "/sources", "/runs"):
        view = look(records, path)
        for element in view.all(""):
            assert "style" not in element.attributes
            assert not [name for name in element.attributes if name.startswith("on")]
        assert [script.text for script in view.all("script")] == [""]
        assert not view.all("style")


def test_the_assets_are_this_machines_own_and_their_addresses_change_with_them(port: httpx.Client) -> None:
    view = read(port.get(f"{ORIGIN}/").text)
    addresses = [each.attributes["href"] for each in view.all("link")]
    addresses += [each.attributes["src"] for each in view.all("script")]

    assert all(address.startswith("/assets/") for address in addresses)
    assert [port.get(f"{ORIGIN}{address}").status_code for address in addresses] == [200] * len(addresses)
    assert re.fullmatch(r"/assets/catalog\.css\?[0-9a-f]{12}", addresses[1])


@pytest.mark.parametrize("path", ["/assets/../app.py", "/assets/%2e%2e/app.py", "/assets/..%2fapp.py", "/assets/"])
def test_nothing_but_assets_comes_from_the_folder_of_assets(port: httpx.Client, path: str) -> None:
    assert port.get(f"{ORIGIN}{path}").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/blueprints/nope", "/blueprints/", "/entity", "/entity?blueprint=_user&identifier=x", "/dashboards/x", "/runs/1"],
)
def test_what_is_not_there_is_said_in_words(port: httpx.Client, look: Callable[..., Element], path: str) -> None:
    assert "was not found" in look(port, path, status=404).one("main").text


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "/blueprints/_user/", "/runs/"])
def test_no_address_leads_elsewhere(port: httpx.Client, path: str) -> None:
    assert port.get(f"{ORIGIN}{path}", follow_redirects=False).status_code == 404


def test_over_loopback_it_is_the_same() -> None:
    with (
        serving(create_app(client_id="id", client_secret="secret")) as url,
        httpx.Client(trust_env=False, verify=False) as client,
    ):
        assert "Overview" in client.get(url).text
        assert client.get(url, headers={"host": "evil.example"}).status_code == 421
        assert client.post(f"{url}/_runs", json=RUN, headers={"origin": url}).status_code == 201
        assert client.post(f"{url}/_runs", json=RUN, headers={"origin": "http://evil.example"}).status_code == 403
        assert client.head(url).status_code == 200

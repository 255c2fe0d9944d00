"""What leaves the local Port beside what was asked for: nothing that helps another site, and no credential."""

from __future__ import annotations

import http.client
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from portsync.emulator.app import create_app
from portsync.loopback import serving
from tests.emulator.page.conftest import ORIGIN
from tests.emulator.page.test_page_overview import REPORT

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "port-secret-5d21e9"
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
VIEWS = (
    "/", "/blueprints/_user", "/blueprints/_user?q=a&sort=-$title",
    "/entity?blueprint=_user&identifier=ann@example.com",
    "/dashboards/board", "/sources", "/sources/main", "/runs", "/runs/1", "/_runs", "/_faults", "/_requests",
)  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        *(("GET", path, {}, None) for path in VIEWS),
        ("GET", "/assets/catalog.css", {}, 200),
        ("GET", "/assets/catalog.js", {}, 200),
        ("GET", "/assets/nothing.js", {}, 404),
        ("GET", "/nothing", {}, 404),
        ("GET", "/blueprints/none", {}, 404),
        ("GET", "/runs/" + "9" * 5000, {}, 404),
        ("GET", "/runs/x", {}, 404),
        ("GET", "/", {"host": "evil.example"}, 421),
        ("HEAD", "/", {}, 200),
        ("OPTIONS", "/_runs", {"origin": "https://evil.example", "access-control-request-method": "POST"}, None),
        ("POST", "/_runs", {"origin": "https://evil.example"}, 403),
        ("POST", "/_runs", {}, 400),
        ("POST", "/_faults", {}, 400),
        ("DELETE", "/_requests", {"sec-fetch-site": "cross-site"}, 403),
        ("PUT", "/", {}, 404),
    ],
)
def test_no_answer_of_the_page_helps_another_site(
    port: httpx.Client, method: str, path: str, headers: dict[str, str], status: int | None
) -> None:
    answer = port.request(method, f"{ORIGIN}{path}", headers={"cookie": "a=b", **headers}, follow_redirects=False)

    assert status in (None, answer.status_code)
    assert not 300 <= answer.status_code < 400
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert not {"set-cookie", "location", "server"} & answer.headers.keys()


@pytest.fixture
def url() -> Iterator[str]:
    with serving(create_app(client_id="id", client_secret=SECRET, users=["ann@example.com"])) as base:
        yield base


def ask(url: str, target: str, host: str | None = None) -> tuple[int, str | None]:
    """The status and location of the answer to a target that goes over the wire as it stands."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.putrequest("GET", target, skip_host=True)
        connection.putheader("host", host or urlsplit(url).netloc)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.getheader("location")
    finally:
        connection.close()


@pytest.mark.parametrize(
    "name",
    [
        "../routes.py", "..%2froutes.py", "%2e%2e/routes.py", "%2e%2e%2froutes.py", "..%5croutes.py", "....//routes.py",
        "../templates/base.html", "./../routes.py", "catalog.css/../../routes.py", "/etc/passwd", "%2fetc%2fpasswd",
        "%2f%2fetc/passwd", "..", ".", "", "%00", "catalog.css%00", "catalog.css%2f..%2f..%2froutes.py",
        "..;/routes.py", "%252e%252e%252froutes.py", "%c0%ae%c0%ae/routes.py", "~root", "C:\\windows", "a" * 5000,
    ],
)  # fmt: skip
def test_no_other_file_comes_by_way_of_the_assets(url: str, name: str) -> None:
    assert ask(url, f"/assets/{name}") == (404, None)


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example", "//evil.example/%2e%2e", "/\\evil.example", "/%2f%2fevil.example", "/%5cevil.example",
        "/assets", "/runs/", "/blueprints/_user/", "/sources/?next=//evil.example",
        "/entity?blueprint=//evil.example&identifier=a",
        "http://evil.example/", "/.//evil.example", "/;//evil.example", "/?next=https://evil.example",
    ],
)  # fmt: skip
def test_no_target_leads_to_another_site(url: str, target: str) -> None:
    status, location = ask(url, target)

    assert location is None
    assert status < 300 or 400 <= status < 500
    assert ask(url, target, host="evil.example") == (421, None)


def test_credentials_are_in_no_view_and_no_log(
    url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with httpx.Client(base_url=url, trust_env=False, verify=False) as client:

        def post(path: str, body: Any, status: int) -> Any:
            answer = client.post(path, json=body)
            assert answer.status_code == status, answer.text
            return answer.json()

        post("/v1/auth/access_token", {"clientId": "id", "clientSecret": "wrong-secret-77"}, 401)
        post("/v1/auth/access_token", {"clientId": 1, "clientSecret": SECRET}, 422)
        post("/v1/auth/access_token", {"clientId": "id", "clientSecret": SECRET, "more": 1}, 422)
        token = post("/v1/auth/access_token", {"clientId": "id", "clientSecret": SECRET}, 200)["accessToken"]
        assert client.get("/v1/blueprints", headers={"authorization": f"Bearer {token}x"}).status_code == 401
        client.headers["authorization"] = f"Bearer {token}"
        post("/v1/integration", {"installationId": "main"}, 201)
        post("/v1/pages", {"identifier": "board", "title": "Board", "type": "dashboard"}, 201)
        post("/_runs", REPORT, 201)
        post("/v1/blueprints/_user/entities", {"identifier": "eve@example.com"}, 201)
        post("/_faults", [{"status": 503}], 200)
        assert client.get("/v1/blueprints").status_code == 503
        said = [client.get(path) for path in VIEWS]

    assert [answer.status_code for answer in said] == [200] * len(VIEWS)
    everything = (
        "".join(f"{answer.text}{dict(answer.headers)}" for answer in said) + caplog.text + "".join(capfd.readouterr())
    )
    assert "/v1/auth/access_token" in everything
    for secret in (SECRET, "wrong-secret-77", token, token.rpartition(".")[2]):
        assert secret not in everything

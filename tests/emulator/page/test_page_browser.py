"""The page in a real browser: it draws, runs nothing foreign, and fits a phone. Skipped where there is no Chromium."""

from __future__ import annotations

import shutil
import struct
import subprocess
from typing import TYPE_CHECKING

import httpx
import pytest

from portsync.emulator.app import create_app
from portsync.loopback import serving
from tests.emulator.page.conftest import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A local Port with a blueprint and an entity whose title is a script that would change the title of the page."""
    with serving(create_app(client_id="id", client_secret="secret", users=["ann@example.com"])) as base:
        with httpx.Client(base_url=f"{base}/v1", trust_env=False) as client:
            token = client.post("/auth/access_token", json={"clientId": "id", "clientSecret": "secret"}).json()
            client.headers["authorization"] = f"Bearer {token['accessToken']}"
            schema = {"properties": {name: {"type": "string"} for name in ("first", "second", "third", "fourth")}}
            relations = {"owner": {"target": "_user"}}
            blueprint = {"identifier": "thing", "title": "Thing", "schema": schema, "relations": relations}
            client.post("/blueprints", json=blueprint).raise_for_status()
            entity = {
                "identifier": "a",
                "title": "<script>document.title = 'harmed'</script><img src=x onerror=\"document.title='harmed'\">",
                "properties": dict.fromkeys(schema["properties"], "w" * 300),
                "relations": {"owner": "ann@example.com"},
            }
            client.post("/blueprints/thing/entities", json=entity).raise_for_status()
        yield base


def browse(url: str, tmp_path: Path, *flags: str) -> str:
    """What Chromium prints of a page with these flags."""
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000", *flags]
    ended = subprocess.run([*command, url], capture_output=True, text=True, timeout=90, check=True)
    return ended.stdout


@pytest.mark.parametrize("path", ["/", "/blueprints/thing", "/entity?blueprint=thing&identifier=a"])
def test_a_browser_runs_the_pages_own_script_and_no_other(url: str, tmp_path: Path, path: str) -> None:
    dom = browse(f"{url}{path}", tmp_path, "--dump-dom")

    assert "<title>" in dom
    assert "harmed</title>" not in dom
    # The page's own script has shown the switch of the theme, so scripts do run.
    assert 'class="theme" aria-label' in dom
    assert "&lt;script&gt;document.title" in dom or path == "/"


@pytest.mark.parametrize(
    "path", ["/", "/blueprints/thing", "/entity?blueprint=thing&identifier=a", "/runs", "/sources"]
)
def test_no_view_is_wider_than_a_phone(url: str, tmp_path: Path, path: str) -> None:
    # Chromium's own windows are no narrower than 500 pixels, frames are.
    probe = (
        "<iframe id=f width=375 height=800 src='{}'></iframe><script>f.onload=()=>document.title="
        "f.contentDocument.documentElement.scrollWidth</script>"
    )
    page = tmp_path / "probe.html"
    page.write_text(probe.format(f"{url}{path}"), encoding="utf-8")
    widths = browse(f"file://{page}", tmp_path, "--dump-dom", "--disable-web-security")

    assert read_title(widths) in ("", "375"), widths


def read_title(dom: str) -> str:
    return dom.partition("<title>")[2].partition("</title>")[0]


def test_a_screenshot_has_colours_that_follow_the_system(url: str, tmp_path: Path) -> None:
    shots = []
    for name, flags in (("light", ()), ("dark", ("--blink-settings=preferredColorScheme=0",))):
        target = tmp_path / f"{name}.png"
        browse(url, tmp_path, f"--screenshot={target}", "--window-size=1200,800", *flags)
        shots.append(target.read_bytes())

    assert [struct.unpack(">II", shot[16:24]) for shot in shots] == [(1200, 800)] * 2
    assert shots[0] != shots[1]


def test_the_elements_of_the_browser_are_those_of_the_answer(url: str, tmp_path: Path) -> None:
    view = read(httpx.get(f"{url}/blueprints/thing", trust_env=False).text)

    assert browse(f"{url}/blueprints/thing", tmp_path, "--dump-dom").count("<td") == len(view.all("td"))

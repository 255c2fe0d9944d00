"""The studio's script is what its sources and its lock file give; nobody who uses it needs Node.js."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from portsync.studio.app import ASSETS

SOURCES = Path(__file__).parents[2] / "assets" / "studio"
NPM = shutil.which("npm")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the sources make, in a copy, with exactly the packages that the lock file names."""
    if NPM is None:
        pytest.skip(
            "no npm here, so nobody knows whether studio.js is that of assets/studio (Debian: apt-get install npm)"
        )
    copy = tmp_path_factory.mktemp("assets")
    shutil.copytree(SOURCES, copy / "studio", ignore=shutil.ignore_patterns("node_modules"))
    target = copy / "built"
    target.mkdir()
    fetched = subprocess.run(
        [NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
        cwd=copy / "studio", capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    if fetched.returncode and re.search(r"ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENETUNREACH", fetched.stderr):
        pytest.skip("no registry is reached: whether studio.js is that of assets/studio is not known")
    assert fetched.returncode == 0, fetched.stderr
    subprocess.run(
        [NPM, "run", "build", "--", str(target)], cwd=copy / "studio", capture_output=True, timeout=120, check=True
    )
    return target


@pytest.mark.parametrize("name", ["studio.js", "studio.licences.txt"])
def test_the_script_in_the_package_is_the_one_that_its_sources_make(built: Path, name: str) -> None:
    # Not compared as texts: what pytest says of two files of half a megabyte takes it minutes.
    is_same = (ASSETS / name).read_bytes() == (built / name).read_bytes()

    assert is_same, f"{name} is another one: run ./dev assets, and commit what it writes"


def test_the_lock_file_names_no_host_and_every_package_with_its_hash() -> None:
    lock = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))

    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    for name, package in packages.items():
        assert package.get("resolved", "https://registry.npmjs.org/").startswith("https://registry.npmjs.org/"), name
        assert package["integrity"].startswith("sha512-"), name


def test_the_licence_of_every_package_in_the_script_lies_beside_it() -> None:
    said = (ASSETS / "studio.licences.txt").read_text(encoding="utf-8")
    wanted = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))["dependencies"]

    assert [name for name in wanted if f"{name} " not in said] == []
    assert said.count("Permission is hereby granted") >= len(wanted)


def test_the_script_asks_nobody_but_the_studio() -> None:
    script = (ASSETS / "studio.js").read_text(encoding="utf-8")

    assert set(re.findall(r"https?://([\w.-]+)", script)) <= {"www.w3.org", "api.example.com"}
    assert "eval(" not in script
    assert not re.search(
        r"\.(?:innerHTML|outerHTML)\s*\+?=[^=]", (SOURCES / "src" / "dom.js").read_text(encoding="utf-8")
    )


def test_the_sources_make_no_html_of_texts() -> None:
    for source in (SOURCES / "src").rglob("*.js"):
        text = source.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser", text), source.name

"""The commands that leave a local Port running say where it can be looked at."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\S*")


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a process of its own, its talk among its results, ended as by Ctrl-C."""
    process = subprocess.Popen(
        [sys.executable, "-m", "portsync", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def address_in(process: subprocess.Popen[str], line_with: str) -> str:
    """The address in the first line that the process prints with this."""
    assert process.stdout is not None
    for line in process.stdout:
        found = ADDRESS.search(line)
        if line_with in line and found is not None:
            return found.group().rstrip(";")
    raise AssertionError(process.wait())


def test_emulate_says_where_its_page_is() -> None:
    with running("emulate", "--port", "0") as process:
        address = address_in(process, "the local Port is up")

        assert "<h1>Overview</h1>" in httpx.get(address, trust_env=False, verify=False).text


def test_the_demo_leads_to_its_dashboard_and_has_handed_in_its_report() -> None:
    with running("demo", "--serve") as process:
        address = address_in(process, "/dashboards/")
        base = address.partition("/dashboards/")[0]

        assert httpx.get(address, trust_env=False, verify=False).text.count("data-widget=") == 10
        (run,) = httpx.get(f"{base}/_runs", trust_env=False, verify=False).json()["runs"]
        assert (run["status"], len(run["resources"])) == ("ok", 5)
        assert "claude.yaml" in httpx.get(f"{base}/runs/1", trust_env=False, verify=False).text

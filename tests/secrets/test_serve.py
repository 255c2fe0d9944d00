"""No secret in anything that the service says: its log, its answers, and what it tells Port."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.secrets.test_secrets import REPEATED, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.secrets.conftest import Lab


@contextmanager
def served(lab: Lab, mapping: str) -> Iterator[Any]:
    """A service of its own process, up to the end of its first run; gives its URL. Its log is kept as an output."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PORTSYNC_LISTEN": "127.0.0.1:0",
    }
    command = [sys.executable, "-m", "portsync", "serve", mapping]
    with subprocess.Popen(
        command, env={**lab.environment, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines, url = [], ""
        try:
            for line in process.stderr:
                lines.append(line)
                event = json.loads(line) if line.startswith("{") else {}
                url = event.get("url", url) if event.get("event") == "service.up" else url
                if event.get("event") == "run.ended":
                    break
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=30)
            lab.texts |= {"serve: log": "".join(lines) + err, "serve: out": out}


def _runs(client: httpx.Client) -> list[dict[str, Any]]:
    """The runs of the service. The log says that one has ended a moment before it is among them."""
    until = time.monotonic() + 30
    while not (runs := client.get("/runs").json()["runs"]) and time.monotonic() < until:
        pass
    assert isinstance(runs, list)
    return runs


@pytest.mark.parametrize("manner", ["records", "refusal", "foreign"])
def test_a_run_of_the_service(lab: Lab, manner: str) -> None:
    lab.answer(manner)
    lab.refuse("/entities/bulk")
    with served(lab, write(lab, lab.mapping("login", REPEATED))) as url:
        token = {"authorization": f"Bearer {lab.environment['PORTSYNC_HTTP_TOKEN']}"}
        with httpx.Client(base_url=url, trust_env=False, verify=False, headers=token) as client:
            runs = _runs(client)
            paths = ("/runs", "/metrics", "/readyz", "/healthz", *(f"/runs/{run['run_id']}" for run in runs))
            lab.texts |= {f"serve: {path}": client.get(path).text for path in paths}
            # In the order in which somebody may try it out.
            asked = client.post("/resync?mapping=" + token["authorization"])
            lab.texts["serve: /resync"] = asked.text
    assert len(runs) == 1
    assert lab.planted.leaks(lab.outputs()) == []


def test_a_mapping_that_the_service_refuses(lab: Lab) -> None:
    lab.answer("records")
    text = lab.mapping("bearer").replace("data_path", "datapath")
    wrong = text.replace('"retry": {', '"concurrency": "${SRC}", "timeout": "${TRACE}", "retry": {')
    with served(lab, write(lab, wrong)) as url, httpx.Client(base_url=url, trust_env=False, verify=False) as client:
        lab.texts |= {f"serve: {path}": client.get(path).text for path in ("/readyz", "/metrics")}
    assert "mapping.refused" in lab.texts["serve: log"]
    assert lab.planted.leaks(lab.outputs()) == []

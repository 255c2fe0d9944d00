"""Ctrl-C and SIGTERM in the middle: what is under way ends, the report is written, the exit code says so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import LocalPort, Source


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_with_its_report(
    number: signal.Signals,
    exit_code: int,
    source: Source,
    local_port: LocalPort,
    mapping: Callable[..., str],
    port_env: dict[str, str],
    tmp_path: Path,
) -> None:
    third_page_asked, go_on = threading.Event(), threading.Event()

    def answer(asked: Any) -> Any:
        offset = int(dict(asked.query)["offset"])
        if offset == 20:
            # The pages before are still on their way to Port when this one is asked for.
            while len(local_port.entities("thing")) < 20 and not go_on.is_set():
                pass
            third_page_asked.set()
            go_on.wait(30)
        return {"data": [{"id": f"t{i}", "size": i} for i in range(offset, offset + 10)]}

    source.answer = answer
    (tmp_path / "m.yaml").write_text(mapping(pagination="{type: offset, page_size: 10}"), encoding="utf-8")
    command = [sys.executable, "-m", "portsync", "sync", "m.yaml", "--full", "--report", "r.json"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, **port_env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert third_page_asked.wait(30)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    finally:
        go_on.set()
        process.kill()

    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert process.returncode == exit_code, err
    assert (report["exit_code"], report["status"]) == (exit_code, "interrupted")
    assert (report["resources"][0]["verdict"], report["resources"][0]["reason"]) == ("incomplete", "interrupted")
    assert report["resources"][0]["created"] == 20
    assert len(local_port.entities("thing")) == 20
    assert "Traceback" not in err

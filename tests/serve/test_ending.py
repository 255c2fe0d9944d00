"""The process of the service, and the signals that end it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Asked, LocalPort, Source


HEEDING_HANG_UPS = ["env", "--default-signal=HUP"]


class Process:
    """`portsync serve` in a process of its own."""

    def __init__(self, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.popen = popen
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def until(self, holds: Callable[[], object]) -> None:
        end = time.monotonic() + 30
        while not holds():
            assert self.popen.poll() is None, self.log
            assert time.monotonic() < end, f"it did not happen\n{self.log}"
            time.sleep(0.02)

    def ended_by(self, *numbers: signal.Signals) -> tuple[int, float]:
        """The exit code after these signals, and the seconds until then."""
        begun = time.monotonic()
        for number in numbers:
            self.popen.send_signal(number)
            time.sleep(0.2)
        return self.popen.wait(40), time.monotonic() - begun


@pytest.fixture
def process_of(port_env: dict[str, str], tmp_path: Path) -> Callable[..., Any]:
    @contextmanager
    def started(text: str, *before: str, **env: str) -> Iterator[Process]:
        file, log = tmp_path / "m.yaml", tmp_path / "log"
        file.write_text(text, encoding="utf-8")
        environment = {**os.environ, **port_env, "PORTSYNC_LISTEN": "127.0.0.1:0", **env}
        with log.open("wb") as stream:
            # Who runs the tests may ignore hang-ups, as nohup does, and children would too.
            command = [*HEEDING_HANG_UPS, *before, sys.executable, "-m", "portsync", "serve", str(file)]
            popen = subprocess.Popen(command, env=environment, stderr=stream, stdout=stream)
        try:
            yield Process(popen, log)
        finally:
            popen.kill()
            popen.wait()

    return started


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_idle_it_ends_at_once_and_leaves_no_process_behind(
    process_of: Any, mapping: Callable[..., str], local_port: LocalPort
) -> None:
    del local_port
    with process_of(mapping()) as service:
        service.until(lambda: '"run.ended"' in service.log)
        children = Path(f"/proc/{service.popen.pid}/task/{service.popen.pid}/children")
        service.until(lambda: children.read_text() == "")
        code, seconds = service.ended_by(signal.SIGHUP)
        assert (code, '"service.down"' in service.log) == (0, True)
        assert seconds < 5


def test_who_started_it_with_nohup_may_close_the_terminal(
    process_of: Any, mapping: Callable[..., str], local_port: LocalPort
) -> None:
    del local_port
    with process_of(mapping(), "nohup") as service:
        service.until(lambda: '"run.ended"' in service.log)
        service.popen.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert service.popen.poll() is None
        assert service.ended_by(signal.SIGTERM)[0] == 0


def test_a_port_that_never_answers_keeps_it_from_ending_neither_in_a_run_nor_at_its_start(
    process_of: Any, mapping: Callable[..., str], silent: str
) -> None:
    with process_of(mapping(), PORT_BASE_URL=silent) as service:
        service.until(lambda: '"run.began"' in service.log)
        code, seconds = service.ended_by(signal.SIGTERM)
        assert (code, "interrupted" in service.log or seconds < 5) == (0, True)
        assert seconds < 5
    with process_of(mapping(), PORT_BASE_URL=silent, PORTSYNC_MAPPING_FROM="port") as service:
        service.until(lambda: '"service.up"' in service.log)
        assert "mapping.loaded" not in service.log
        code, seconds = service.ended_by(signal.SIGTERM)
        assert code == 0
        assert seconds < 5


def test_a_write_that_port_does_not_answer_is_given_up_after_the_second_signal(
    process_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    source.answer = lambda _: {"data": [{"id": "ada"}]}
    local_port.script({"path": "/v1/blueprints/.*/entities/bulk", "hang": 60, "times": None})
    with process_of(mapping()) as service:
        service.until(lambda: source.asked)
        time.sleep(1)  # the local Port tells of a request when it is answered
        code, seconds = service.ended_by(signal.SIGTERM, signal.SIGTERM)
        assert code == 0
        assert seconds < 8, "the first signal alone gives it ten seconds"
        assert "the run was ended before it had come to its end" in service.log


def test_a_source_that_is_slow_is_not_waited_for(
    process_of: Any, mapping: Callable[..., str], source: Source, local_port: LocalPort
) -> None:
    del local_port
    gate = threading.Event()

    def answer(_: Asked) -> Any:
        gate.wait(20)
        return {"data": []}

    source.answer = answer
    with process_of(mapping()) as service:
        service.until(lambda: source.asked)
        code, seconds = service.ended_by(signal.SIGTERM)
        gate.set()
        assert code == 0
        assert seconds < 5
        assert '"exit_code": 143' in service.log

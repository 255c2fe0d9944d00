"""A way to a PostgreSQL server that can be cut: nothing gets through, and nobody is told."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Way:
    """A loopback proxy before a server on a socket of the file system."""

    def __init__(self, url: str) -> None:
        """`url` is that of a database on such a server."""
        (folder,) = parse_qs(urlsplit(url).query)["host"]
        self._server = str(Path(folder, ".s.PGSQL.5432"))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._cut = threading.Event()
        self._healed = threading.Event()
        self._open: list[socket.socket] = []
        self.url = f"postgresql://state@127.0.0.1:{self._listener.getsockname()[1]}/postgres"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.heal()
        self._listener.close()

    def cut(self) -> None:
        """From now on take connections and bytes, and hand nothing on, not even that somebody has gone."""
        self._cut.set()

    def heal(self) -> None:
        """Be a way again for new connections; those from before are lost."""
        self._healed.set()
        self._cut.clear()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                self._open += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, giver: socket.socket, taker: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not self._cut.is_set():
                given = giver.recv(1 << 16)
                if self._cut.is_set():
                    break
                if not given:
                    taker.shutdown(socket.SHUT_WR)
                    return
                taker.sendall(given)
        self._healed.wait()

"""A TLS server on loopback, and certificates that are issued for the occasion."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Files:
    """The paths of PEM files."""

    ca: str
    other_ca: str
    cert: str
    key: str
    both: str
    server: ssl.SSLContext
    strict_server: ssl.SSLContext
    """Asks for a certificate."""


def issued(folder: Path) -> Files:
    """Certificates of an authority of our own, written into `folder`."""

    def written(name: str, *parts: bytes) -> str:
        path = folder / name
        path.write_bytes(b"".join(parts))
        return str(path)

    ca, other = trustme.CA(), trustme.CA()
    client = ca.issue_cert("reader@example.com")
    chain = [blob.bytes() for blob in client.cert_chain_pems]
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    strict = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    strict.verify_mode = ssl.CERT_REQUIRED
    ca.configure_trust(strict)
    for context in (server, strict):
        ca.issue_cert("127.0.0.1").configure_cert(context)
    return Files(
        written("ca.pem", ca.cert_pem.bytes()),
        written("other.pem", other.cert_pem.bytes()),
        written("cert.pem", *chain),
        written("key.pem", client.private_key_pem.bytes()),
        written("both.pem", client.private_key_pem.bytes(), *chain),
        server,
        strict,
    )


@contextmanager
def serving_tls(context: ssl.SSLContext, body: bytes = b'[{"id": "a"}]') -> Iterator[str]:
    """A server that answers everything with `body`, and with the names of who asks in a header."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers["content-length"] or 0))
            peer: Any = self.request.getpeercert()
            self.send_response(200)
            self.send_header("x-peer", str((peer or {}).get("subjectAltName")))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        def finish_request(self, request: Any, client_address: Any) -> None:
            raw = request.dup()
            try:
                with context.wrap_socket(request, server_side=True) as wrapped:
                    super().finish_request(wrapped, client_address)
            except OSError:
                # A handshake that a test lets fail. What the client still sends is read, or the alert would be lost.
                with suppress(OSError):
                    raw.shutdown(socket.SHUT_WR)
                    while raw.recv(4096):
                        pass
            finally:
                raw.close()

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()

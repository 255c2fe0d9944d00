"""Whom a TLS connection trusts, and by which certificate it says who we are."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx

from portsync.errors import Problem, SettingsError


def ssl_context(
    *, verify: bool = True, ca: str | None = None, cert: str | None = None, key: str | None = None
) -> ssl.SSLContext:
    """The context for a peer's connections. It takes 75 ms to build.

    `ca`, `cert` and `key` are paths of PEM files: authorities beside the usual ones, our certificate, and its key where
    that is not in the same file. Raises SettingsError with everything that is wrong with them.
    """
    context = httpx.create_ssl_context(verify=verify)
    files = {"ca": ca, "cert": cert, "key": key}
    problems = [problem for name, path in files.items() if path is not None and (problem := _unreadable(name, path))]
    if ca is not None and not problems:
        problems += _trust(context, ca)
    if cert is not None and not problems:
        problems += _identify(context, cert, key)
    if problems:
        raise SettingsError(*problems)
    return context


def closed_context() -> ssl.SSLContext:
    """For a peer that is spoken to without TLS: it costs nothing, and trusts nobody."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _unreadable(name: str, path: str) -> Problem | None:
    try:
        with Path(path).open("rb") as file:
            file.read(1)
    except OSError as error:
        return _problem(name, path, f"cannot be read: {error.strerror}", "mount it, or correct the path")
    return None


def _trust(context: ssl.SSLContext, ca: str) -> list[Problem]:
    try:
        context.load_verify_locations(cafile=ca)
    except ssl.SSLError:
        hint = "it takes certificates in PEM form, each from -----BEGIN CERTIFICATE----- on"
        return [_problem("ca", ca, "holds no certificate", hint)]
    return []


def _identify(context: ssl.SSLContext, cert: str, key: str | None) -> list[Problem]:
    asked: list[bool] = []

    def no_passphrase() -> str:
        # Without this, OpenSSL asks whoever sits at the terminal.
        asked.append(True)
        return ""

    try:
        context.load_cert_chain(cert, key, password=no_passphrase)
    except ssl.SSLError as error:
        if asked:
            hint = "decrypt it, for example with `openssl pkey`, and mount it as a secret"
            return [_problem("key", key or cert, "is a key with a passphrase", hint)]
        if error.reason == "KEY_VALUES_MISMATCH":
            return [_problem("key", key or cert, f"is not the key of {cert}", "give the key that the certificate has")]
        name, path = ("cert", cert) if key is None or not _has_certificate(cert) else ("key", key)
        what = "a certificate and its key" if key is None else "a certificate" if name == "cert" else "a private key"
        return [_problem(name, path, f"does not hold {what} in PEM form", "compare it with what the API gave out")]
    return []


def _has_certificate(path: str) -> bool:
    return b"-----BEGIN CERTIFICATE-----" in Path(path).read_bytes()


def _problem(name: str, path: str, message: str, hint: str) -> Problem:
    return Problem("tls-file", f"source.tls.{name}: {path} {message}", f"source.tls.{name}", hint)

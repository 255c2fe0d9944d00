"""The signature of a JSON Web Token. The only place where PyJWT is imported: with `cryptography` that takes 150 ms."""

from __future__ import annotations

import binascii
import warnings
from base64 import b64decode
from importlib.util import find_spec
from typing import TYPE_CHECKING

import jwt
from jwt.warnings import InsecureKeyLengthWarning

from portsync.auth.secret import text_of

if TYPE_CHECKING:
    from portsync.auth.jwt import Assertion, JwtAuth

# AttributeError is what a public key comes to, TypeError one with a passphrase.
_FAULTS: tuple[type[Exception], ...] = (jwt.PyJWTError, ValueError, TypeError, AttributeError, NotImplementedError)
if find_spec("cryptography") is not None:
    from cryptography.exceptions import UnsupportedAlgorithm

    _FAULTS = (*_FAULTS, UnsupportedAlgorithm)


class SigningError(Exception):
    """This means that a key does not fit its algorithm. It says nothing of the key."""


def signed(config: JwtAuth | Assertion, now: float, audience: str | None = None) -> str:
    """The token as of now, in epoch seconds; `audience` is for claims without `aud`. Raises SigningError."""
    claims = {"iat": int(now), "exp": int(now + config.lifetime), "aud": audience, **config.claims}
    # Texts by RFC 7519 (4.1); YAML makes a number of an id.
    claims |= {name: str(claims[name]) for name in ("iss", "sub") if name in claims}
    present = {name: value for name, value in claims.items() if value is not None}
    try:
        with warnings.catch_warnings():
            # How long the key is, is up to the API that gave it out.
            warnings.simplefilter("ignore", InsecureKeyLengthWarning)
            return jwt.encode(present, _key_of(config), algorithm=config.algorithm, headers=dict(config.headers))
    except _FAULTS:
        raise SigningError(config.algorithm) from None


def _key_of(config: JwtAuth | Assertion) -> bytes:
    """Raises ValueError where the key is not written as `key_form` says."""
    key = text_of(config.key)
    match config.key_form:
        case "text":
            return key.encode()
        case "hex":
            return bytes.fromhex(key)
        case "base64":
            try:
                return b64decode(key.replace("-", "+").replace("_", "/") + "=" * (-len(key) % 4), validate=True)
            except binascii.Error as error:
                raise ValueError(str(error)) from error

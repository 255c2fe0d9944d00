"""How the source is told who asks. To add a kind: one file, one line in the union."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from portsync.auth.base import Auth, AuthTools
from portsync.auth.jwt import JwtAuth
from portsync.auth.login import LoginAuth
from portsync.auth.oauth2 import OAuth2Auth
from portsync.auth.static import ApiKeyAuth, BasicAuth, BearerAuth, NoAuth
from portsync.auth.store import TokenStore
from portsync.auth.tokens import TokensAuth

AnyAuth = Annotated[
    NoAuth | BearerAuth | BasicAuth | ApiKeyAuth | OAuth2Auth | LoginAuth | JwtAuth | TokensAuth,
    Field(discriminator="type"),
]

__all__ = [
    "AnyAuth",
    "ApiKeyAuth",
    "Auth",
    "AuthTools",
    "BasicAuth",
    "BearerAuth",
    "JwtAuth",
    "LoginAuth",
    "NoAuth",
    "OAuth2Auth",
    "TokenStore",
    "TokensAuth",
]

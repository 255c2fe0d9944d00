"""How the source is told who asks. To add a kind: one file, one line in the union."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from portsync.auth.base import Auth
from portsync.auth.static import ApiKeyAuth, BasicAuth, BearerAuth, NoAuth

AnyAuth = Annotated[NoAuth | BearerAuth | BasicAuth | ApiKeyAuth, Field(discriminator="type")]

__all__ = ["AnyAuth", "ApiKeyAuth", "Auth", "BasicAuth", "BearerAuth", "NoAuth"]

"""What every kind of authentication is: a configuration model that builds an `httpx.Auth`."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import httpx


class Auth(BaseModel):
    """The base of all authentication models. `httpx.Auth` is the seam: it does no I/O of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @abstractmethod
    def build(self) -> httpx.Auth | None:
        """Give what httpx needs to sign requests; None where nothing is to be added."""

    def secrets(self) -> tuple[str, ...]:
        """The values that must not appear in any output."""
        return ()

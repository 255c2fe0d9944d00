"""How one page leads to the next. To add a way: one file, one line in the union."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from portsync.pagination.base import PaginationError, Paginator
from portsync.pagination.none import NoPagination
from portsync.pagination.offset import OffsetPagination

AnyPaginator = Annotated[NoPagination | OffsetPagination, Field(discriminator="type")]

__all__ = ["AnyPaginator", "NoPagination", "OffsetPagination", "PaginationError", "Paginator"]

"""How one page leads to the next. To add a way: one file, one line in the union."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from portsync.pagination.base import Paginator
from portsync.pagination.cursor import CursorPagination
from portsync.pagination.error import PaginationError
from portsync.pagination.header_link import HeaderLinkPagination
from portsync.pagination.next_link import NextLinkPagination
from portsync.pagination.none import NoPagination
from portsync.pagination.offset import OffsetPagination
from portsync.pagination.page import PagePagination

AnyPaginator = Annotated[
    NoPagination | OffsetPagination | PagePagination | CursorPagination | NextLinkPagination | HeaderLinkPagination,
    Field(discriminator="type"),
]

__all__ = [
    "AnyPaginator",
    "CursorPagination",
    "HeaderLinkPagination",
    "NextLinkPagination",
    "NoPagination",
    "OffsetPagination",
    "PagePagination",
    "PaginationError",
    "Paginator",
]

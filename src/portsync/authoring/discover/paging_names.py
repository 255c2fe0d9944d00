"""What APIs call the parts of their paging, as `key_of` writes names. From the public documentation of many of them."""

from __future__ import annotations

OFFSETS = ("offset", "startat", "skip", "start", "startindex", "from", "firstresult", "startposition")
LIMITS = (
    "limit", "perpage", "pagesize", "maxresults", "size", "take", "top", "count", "rows", "pagelimit", "itemsperpage",
    "resultsperpage", "maxitems", "first", "maxpagesize",
)  # fmt: skip
PAGES = ("page", "currentpage", "pagenumber", "pageno", "pagenum", "pageindex", "number", "p")
TOTALS = (
    "total", "totalcount", "totalresults", "totalitems", "totalelements", "totalrecords", "totalhits", "totalsize",
    "totalentries", "recordcount", "totalnumber", "count",
)  # fmt: skip
TOTAL_PAGES = ("totalpages", "pagecount", "numpages", "pages", "pagetotal", "lastpage")
MORE = (
    "hasmore", "hasnext", "hasnextpage", "hasmoreitems", "hasmorepages", "hasmoreresults", "moreavailable", "more",
    "istruncated", "next",
)  # fmt: skip
LAST = ("islast", "last", "islastpage", "lastpage", "done", "finished")
LINKS = (
    "next", "nexturl", "nextlink", "nextpageurl", "nexthref", "nextpagelink", "odatanextlink", "nextpage",
    "nextpageuri", "nexturi", "nextrecordsurl", "href", "link", "url", "uri",
)  # fmt: skip
CURSORS: dict[str, tuple[str, ...]] = {
    "nextcursor": ("cursor", "next_cursor", "nextCursor", "page_cursor", "after", "start_cursor"),
    "cursor": ("cursor", "next_cursor", "after"),
    "nextpagetoken": ("pageToken", "page_token", "nextPageToken", "next_page_token"),
    "nexttoken": ("nextToken", "next_token", "NextToken", "token", "pageToken"),
    "pagetoken": ("pageToken", "page_token"),
    "continuationtoken": ("continuationToken", "continuation_token", "continuation-token"),
    "nextcontinuationtoken": ("continuationToken", "continuation-token", "continuation_token"),
    "continuation": ("continuation", "cursor"),
    "continue": ("continue",),
    "after": ("after", "cursor"),
    "aftercursor": ("after_cursor", "after", "cursor"),
    "endcursor": ("after", "cursor", "endCursor"),
    "nextpage": ("page", "next_page", "page_token", "cursor"),
    "next": ("cursor", "next", "page", "after", "start"),
    "nextkey": ("next_key", "key", "start_key", "cursor"),
    "nextpageid": ("page_id", "next_page_id", "page"),
    "nextid": ("next_id", "start_id", "since_id", "cursor"),
    "lastid": ("after_id", "starting_after", "last_id", "since_id", "cursor"),
    "offset": ("offset",),
    "nextoffset": ("offset", "next_offset", "start"),
    "marker": ("marker",),
    "nextmarker": ("marker", "next_marker"),
    "scrollid": ("scroll_id", "scrollId", "scroll"),
    "bookmark": ("bookmark",),
    "startingafter": ("starting_after",),
    "lastevaluatedkey": ("lastEvaluatedKey", "ExclusiveStartKey", "start_key"),
    "nextpagecursor": ("cursor", "page_cursor", "pageCursor"),
    "paginationtoken": ("pagination_token", "paginationToken", "next_token"),
    "sync": ("sync",),
}
"""For each name of a cursor in a body, the names of the parameter that takes it, the usual one first."""
AFTER_LAST = ("starting_after", "after_id", "after", "since_id", "last_id", "start_after", "startAfter")
"""Parameters that take the identifier of the last record."""
USUAL_SIZES = ("limit", "per_page", "page_size", "pageSize", "size", "maxResults", "count")
USUAL_PAGES = (("page", "per_page"), ("page", "page_size"), ("page", "limit"), ("page", "size"), ("page", None))
USUAL_OFFSETS = (("offset", "limit"), ("skip", "limit"))

"""Posts and their comments: 25 parents with 50 comments each, five to a page (the sample API of dlt's own tests)."""

from __future__ import annotations

from typing import Any

from tests.conformance.case import Case
from tests.conformance.cases.page import TITLES, posts
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import complete, get
from tests.conformance.wire import Asked, Reply

_COMMENTS = 50


def _api(asked: Asked) -> Any:
    _, kind, *rest = asked.path.split("/")
    number = int(asked.query["page"])
    if kind != "posts" or asked.query["size"] != "5":
        return Reply({"unexpected": asked.target}, 404)
    if not rest:
        return {"data": posts(number), "page": number, "total_pages": 5}
    found = [{"id": n, "body": f"Comment {n} for post {rest[0]}"} for n in range((number - 1) * 5, number * 5)]
    return {"data": found, "page": number, "total_pages": _COMMENTS // 5}


def _comments(concurrency: int, *faults: Fault) -> Case:
    return Case(
        "C29",
        f"posts and their comments, concurrency {concurrency}",
        _api,
        complete(
            [
                *(get(f"/posts?page={n}&size=5") for n in range(1, 6)),
                *(get(f"/posts/{post}/comments?page={n}&size=5") for post in range(25) for n in range(1, 11)),
            ],
            [f"{post}-{n}" for post in range(25) for n in range(_COMMENTS)],
            in_order=False,
            records_in_order=False,
            properties={
                f"{post['id']}-{n}": {
                    "name": post["title"],
                    "parent": str(post["id"]),
                    "size": n,
                    "flag": True,
                }
                for post in TITLES
                for n in range(_COMMENTS)
            },
        ),
        faults,
        pagination="{type: page, page_size: 5, total_pages_path: .total_pages}",
        kind="/posts/{post}/comments",
        selector="""
          data_path: .data
          path_parameters:
            post: {endpoint: /posts, data_path: .data, field: .id, with: {post_title: .title}}
        """,
        entity="""
          identifier: '"\\(.__post)-\\(.id)"'
          properties:
            name: $params.post_title
            parent: $params.post | tostring
            size: .id
            flag: (.body == "Comment \\(.id) for post \\($params.post)")
        """,
        source=f"concurrency: {concurrency}",
    )


CASES = [
    _comments(1, Fault.SHARES_PAGE_STATE, Fault.FORGETS_THE_PARENT, Fault.FIRST_PAGE_ONLY),
    _comments(16, Fault.SHARES_PAGE_STATE, Fault.IGNORES_TOTALS),
]

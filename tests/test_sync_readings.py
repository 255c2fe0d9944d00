"""Ways in which a source could be taken for whole that was not, and credentials that a link could carry away."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Asked, LocalPort, Run, Source

LINES = [json.dumps({"id": f"t{n}", "size": n}).encode() + b"\n" for n in range(200)]
FIRST, SECOND = b"".join(LINES[:100]), b"".join(LINES[100:])


def packed(body: bytes, encoding: str) -> Response:
    return Response(body, headers={"content-encoding": encoding})


@pytest.mark.parametrize(
    ("answer", "records", "reason"),
    [
        (packed(gzip.compress(FIRST) + gzip.compress(SECOND), "gzip"), 200, None),
        (packed(zlib.compress(FIRST + SECOND), "deflate"), 200, None),
        (packed(zlib.compress(FIRST + SECOND, wbits=-15), "deflate"), 200, None),
        (packed(gzip.compress(FIRST)[:-8], "gzip"), 0, "connection"),
        (packed(zlib.compress(FIRST)[:-4], "deflate"), 0, "connection"),
        (packed(gzip.compress(FIRST) + b"and more", "gzip"), 0, "connection"),
        (packed(zlib.compress(FIRST) + b"and more", "deflate"), 0, "connection"),
        (packed(FIRST, "br"), 0, "connection"),
    ],
    ids=["members", "deflate", "bare deflate", "cut gzip", "cut deflate", "surplus", "deflate surplus", "unasked"],
)
def test_a_packed_answer_is_read_to_its_end_or_not_at_all(
    source: Source,
    port_env: dict[str, str],
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
    answer: Response,
    records: int,
    reason: str | None,
) -> None:
    source.answer = lambda _: answer

    text = mapping(selector="decode: jsonl").replace("data_path: .data", "data_path: .")
    run = portsync("sync", text, env=port_env)

    assert (run.resource["records"], run.resource["reason"]) == (records, reason)


def test_partial_content_is_not_the_whole(source: Source, sync: Callable[..., Run]) -> None:
    source.answer = lambda _: Response('{"data": [{"id": "a"}]}', status_code=206)

    run = sync()

    assert (run.exit_code, run.resource["reason"]) == (1, "status")


@pytest.mark.parametrize(
    ("paging", "said", "verdict"),
    [
        ("{type: offset, page_size: 2, total_path: .total}", {"total": 9}, "incomplete"),
        ("{type: offset, page_size: 2, has_more_path: .more}", {"more": True}, "incomplete"),
        ("{type: offset, page_size: 2}", {}, "complete"),
        ("{type: page, page_size: 2, total_pages_path: .pages}", {"pages": 3}, "complete"),
    ],
)
def test_an_empty_status_on_a_later_page_does_not_take_back_what_the_source_claimed(
    source: Source, sync: Callable[..., Run], paging: str, said: dict[str, Any], verdict: str
) -> None:
    def answer(asked: Asked) -> Any:
        query = dict(asked.query)
        start = int(query.get("offset", 2 * (int(query.get("page", 1)) - 1)))
        if start == 2:
            return Response(status_code=404)
        return {"data": [{"id": f"t{n}", "size": n} for n in range(start, min(start + 2, 5))], **said}

    source.answer = answer

    run = sync(pagination=paging, selector="on_status: {404: empty}")

    assert run.resource["verdict"] == verdict
    # Where page numbers go on, the third page is read although the second one was empty.
    assert run.resource["records"] == (3 if "pages" in said else 2)


@pytest.mark.parametrize("kinds", [(), ("--kind", "/children/{id}")], ids=["both", "child alone"])
@pytest.mark.parametrize("query", [".size", '.size | error("x")'])
def test_values_that_a_query_may_have_kept_back_are_missed(
    source: Source,
    port_env: dict[str, str],
    mapping: Callable[..., str],
    portsync: Callable[..., Run],
    kinds: tuple[str, ...],
    query: str,
) -> None:
    source.answer = lambda asked: {"data": [{"id": asked.path.replace("/", "-"), "size": None}]}
    parent = mapping(selector=f"query: '{query} | if . == null then null else true end'")
    child = mapping(kind="/children/{id}", selector="path_parameters: {id: {from: /things, field: .id}}")

    run = portsync("sync", parent + child[child.index("  - kind") :], *kinds, env=port_env)

    assert run.exit_code == 1
    assert (run.report["resources"][-1]["verdict"], run.report["resources"][-1]["reason"]) == (
        "incomplete",
        "parameter",
    )


def linking(link: str) -> Callable[[Asked], Any]:
    return lambda asked: {"data": [{"id": "a"}], "next": link} if asked.path == "/things" else Response(status_code=500)


def test_what_a_link_carries_to_prove_itself_is_not_shown(source: Source, sync: Callable[..., Run]) -> None:
    source.answer = linking("/next?page=2&X-Amz-Signature=SEKRETSIG&access_token=SEKRETQ")

    run = sync(pagination="{type: next_link, next_link_path: .next}")

    assert run.resource["reason"] == "status"
    assert "SEKRET" not in run.out + run.err + json.dumps(run.report)
    assert run.report["problems"][0]["place"].endswith("/next?..., page 2")


def test_a_key_in_the_query_is_set_once_and_never_carried_to_another_origin(
    source: Source, port_env: dict[str, str], mapping: Callable[..., str], portsync: Callable[..., Run]
) -> None:
    paging = "{type: next_link, next_link_path: .next}"
    text = mapping(pagination=paging).replace(
        '{type: bearer, token: "${SRC_TOKEN}"}', '{type: api_key, key: "${SRC_TOKEN}", query: k}'
    )
    token = port_env["SRC_TOKEN"]
    source.answer = linking(f"/next?a=%E3%81%82&k={token}&b=1")

    portsync("sync", text, env=port_env)
    own = source.asked[-1]
    away = source.url.replace("127.0.0.1", "localhost")
    source.asked.clear()
    source.answer = linking(f"{away}/next?k={token}")
    run = portsync("sync", text.replace("source:\n", f"source:\n  allow_origins: ['{away}']\n", 1), env=port_env)

    assert own.query == [("a", "\u3042"), ("b", "1"), ("k", token)]
    assert (run.exit_code, run.resource["reason"]) == (1, "origin")
    assert [asked.path for asked in source.asked] == ["/things"]


def test_what_is_under_way_when_a_source_is_given_up_is_kept(
    source: Source, local_port: LocalPort, sync: Callable[..., Run]
) -> None:
    def answer(asked: Asked) -> Any:
        if asked.path == "/x/0":
            return Response(status_code=429, headers={"retry-after": "600"})
        return {"data": [{"id": asked.path.replace("/", "-")}]}

    source.answer = answer
    selector = f"path_parameters: {{id: {{values: {list(range(60))}}}}}"

    run = sync(kind="/x/{id}", selector=selector)

    assert (run.exit_code, run.resource["reason"]) == (1, "rate_limit")
    # Whatever was answered is in Port; the others were not asked.
    assert len(local_port.entities("thing")) == len(source.asked) - 1
    assert len(source.asked) <= 11


@pytest.mark.parametrize(
    "paging", ["{type: cursor, cursor_path: .next}", "{type: next_link, next_link_path: .next}", "{type: header_link}"]
)
def test_an_answer_without_a_body_leads_nowhere(source: Source, sync: Callable[..., Run], paging: str) -> None:
    def answer(asked: Asked) -> Any:
        if asked.query:
            return Response(status_code=204)
        link = {"link": '</things?page=2>; rel="next"'}
        return Response(json.dumps({"data": [{"id": "a"}], "next": "?page=2"}), headers=link)

    source.answer = answer

    run = sync(pagination=paging)

    assert (run.resource["verdict"], run.resource["records"], len(source.asked)) == ("complete", 1, 2)

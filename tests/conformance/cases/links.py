"""Pages joined by links, in bodies and in headers."""

from __future__ import annotations

from tests.conformance.case import Case
from tests.conformance.cases.page import posts
from tests.conformance.naive.faults import Fault
from tests.conformance.scripts import always, broken, complete, first_then, get, table, things
from tests.conformance.wire import HOME, Asked, Reply

NEXT = "{type: next_link, next_link_path: .next}"
HEADER = "{type: header_link}"
_END = {"data": things(2), "next": None}


def _linked(*lines: str, name: str = "Link") -> Reply:
    return Reply({"data": things(1)}, headers=tuple((name, line) for line in lines))


def _header_case(
    name: str, reply: Reply, *faults: Fault, target: str = "/p?page=2&limit=100", rel: str = "next"
) -> Case:
    """A first page with these Link headers, and the second page that they mean."""
    return Case(
        "C19",
        name,
        table({"GET /p?limit=100": reply, f"GET {target}": {"data": things(2)}}),
        complete([get("/p?limit=100"), get(target)], [1, 2]),
        faults,
        pagination=f"{{type: header_link, rel: {rel}}}",
        kind="/p",
        selector="{data_path: .data, query_params: {limit: 100}}",
    )


def _next_case(name: str, link: str, target: str, *faults: Fault) -> Case:
    """A first page, `/api/things`, whose body holds `link`, and the second page that it means."""
    return Case(
        "C20",
        name,
        table({"GET /api/things?param1=value1": {"data": things(1), "next": link}, f"GET {target}": _END}),
        complete([get("/api/things?param1=value1"), get(target)], [1, 2]),
        faults,
        pagination=NEXT,
        selector="{data_path: .data, query_params: {param1: value1}}",
        source=f"base_url: {HOME}/api",
    )


def _posts_by_link(link: str) -> Case:
    """The 25 posts of dlt's sample API, five at a time."""

    def script(asked: Asked) -> object:
        number = int(asked.query.get("page", 1))
        following = link.format(number + 1) if number < 5 else None
        return {"data": posts(number), "next_page": following}

    return Case(
        "C20",
        f"posts, each page links to the next as {link.replace('{}', 'N')}",
        script,
        complete([get("/posts"), *(get(f"/posts?page={n}") for n in range(2, 6))], range(25)),
        (Fault.FIRST_PAGE_ONLY,),
        pagination="{type: next_link, next_link_path: next_page}",
        kind="/posts",
    )


def _posts_by_header(asked: Asked) -> Reply:
    number = int(asked.query.get("page", 1))
    link = (("Link", f'<{HOME}/posts?page={number + 1}>; rel="next"'),) if number < 5 else ()
    return Reply(posts(number), headers=link)


CASES = [
    _header_case(
        "rel in quotes",
        _linked(f'<{HOME}/p?page=2&limit=100>; rel="next"'),
        Fault.FIRST_PAGE_ONLY,
        Fault.RESENDS_PARAMS,
    ),
    _header_case(
        "rel without quotes and spaces",
        _linked(f"<{HOME}/p?page=2&limit=100>;rel=next,<{HOME}/p?page=0>;rel=back"),
        Fault.WANTS_QUOTED_REL,
    ),
    _header_case(
        "another relation comes first",
        _linked(f'<{HOME}/p?page=0>; rel="back", <{HOME}/p?page=2&limit=100>; rel="next"'),
        Fault.FIRST_LINK_COUNTS,
    ),
    _header_case("rel is a list", _linked(f'<{HOME}/p?page=2&limit=100>; rel="prev next"'), Fault.WANTS_ONE_REL),
    _header_case(
        "other parameters come first",
        _linked(f'<{HOME}/p?page=2&limit=100>; title="a; rel=back, b"; rel="next"'),
        Fault.WANTS_REL_FIRST,
    ),
    _header_case("a relative target", _linked('</p?page=2&limit=100>; rel="next"'), Fault.ABSOLUTE_LINKS_ONLY),
    _header_case(
        "two Link headers",
        _linked(f'<{HOME}/p?page=0>; rel="back"', f'<{HOME}/p?page=2&limit=100>; rel="next"'),
        Fault.FIRST_LINK_LINE_ONLY,
    ),
    _header_case(
        "a comma in the target",
        _linked(f'<{HOME}/p?ids=1,2&page=2>; rel="next"'),
        Fault.SPLITS_LINKS_AT_COMMAS,
        target="/p?ids=1,2&page=2",
    ),
    _header_case(
        "the header's name in capitals",
        _linked(f'<{HOME}/p?page=2&limit=100>; rel="next"', name="LINK"),
        Fault.FIRST_PAGE_ONLY,
    ),
    _header_case(
        "a relation of another name",
        _linked(f'<{HOME}/p?page=9>; rel="next", <{HOME}/p?page=2&limit=100>; rel="nextPage"'),
        Fault.FIRST_LINK_COUNTS,
        rel="nextPage",
    ),
    *(
        Case(
            "C19",
            f"{name} is the end",
            first_then(reply, {"data": things(2)}),
            complete([get("/p")], [1]),
            (fault,),
            pagination=HEADER,
            kind="/p",
        )
        for name, reply, fault in (
            ("only a way back", _linked(f'<{HOME}/p?page=0>; rel="back"'), Fault.FIRST_LINK_COUNTS),
            ("no Link header", _linked(), Fault.KEEPS_COUNTING),
        )
    ),
    Case(
        "C19",
        "posts, each page links to the next in its header",
        _posts_by_header,
        complete([get("/posts"), *(get(f"/posts?page={n}") for n in range(2, 6))], range(25)),
        (Fault.FIRST_PAGE_ONLY,),
        pagination=HEADER,
        kind="/posts",
        selector="data_path: .",
    ),
    _posts_by_link(f"{HOME}/posts?page={{}}"),
    _posts_by_link("/posts?page={}"),
    _posts_by_link("?page={}"),
    _next_case(
        "an absolute link, which holds the parameters",
        f"{HOME}/api/things?param1=value1&page=2",
        "/api/things?param1=value1&page=2",
        Fault.RESENDS_PARAMS,
    ),
    _next_case(
        "an absolute link, which holds none of the parameters",
        f"{HOME}/api/things?page=2",
        "/api/things?page=2",
        Fault.RESENDS_PARAMS,
    ),
    _next_case(
        "a path that begins at the host",
        "/api/resource?page=2",
        "/api/resource?page=2",
        Fault.GLUES_LINKS_TO_THE_BASE,
        Fault.ABSOLUTE_LINKS_ONLY,
    ),
    _next_case("a path relative to the page's own", "more?page=2", "/api/more?page=2", Fault.ABSOLUTE_LINKS_ONLY),
    _next_case(
        "percent-encoded characters stay as they are",
        f"{HOME}/api/things?q=%E3%81%82%2F%26&page=2",
        "/api/things?q=%E3%81%82%2F%26&page=2",
        Fault.DECODES_LINKS,
    ),
    *(
        Case(
            "C20",
            f"the key @odata.nextLink, written {path}",
            table(
                {
                    "GET /things": {"data": things(1), "@odata.nextLink": f"{HOME}/things?page=2"},
                    "GET /things?page=2": {"data": things(2)},
                }
            ),
            complete([get("/things"), get("/things?page=2")], [1, 2]),
            (Fault.FIRST_PAGE_ONLY,),
            pagination=f"{{type: next_link, next_link_path: '{path}'}}",
        )
        for path in ('."@odata.nextLink"', "@odata.nextLink")
    ),
    *(
        Case(
            "C20",
            f"a next link that is {name} is the end",
            always({"data": things(1), **more}),
            complete([get("/things")], [1]),
            (fault,),
            pagination=NEXT,
        )
        for name, more, fault in (
            ("null", {"next": None}, Fault.KEEPS_COUNTING),
            ("missing", {}, Fault.KEEPS_COUNTING),
            ("an empty text", {"next": ""}, Fault.EMPTY_LINK_IS_A_LINK),
        )
    ),
    Case(
        "hostile",
        "a next link that is an object is an error",
        always({"data": things(1), "next": {"href": f"{HOME}/things?page=2"}}),
        broken("pagination", [get("/things")], [1], codes=("pagination",)),
        (Fault.ANYTHING_IS_A_CURSOR,),
        pagination=NEXT,
    ),
    Case(
        "loops",
        "a next link that leads to its own page",
        lambda asked: {"data": things(asked.query.get("page", 1)), "next": f"{HOME}/things?page=2"},
        broken("loop", [get("/things"), get("/things?page=2")], [1, 2], codes=("loop",)),
        (Fault.NO_LOOP_GUARD,),
        pagination=NEXT,
    ),
]

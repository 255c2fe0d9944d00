"""Search rules about relations, timers, kinds of properties and whoever asks (Port's guide on search, sections 5 and
3.8 of its API)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from portsync.emulator.guesses import Guesses
from portsync.emulator.query import MAX_DEPTH, MAX_RULES, MAX_WALKS

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

Rule = dict[str, Any]

# team <- service <- deployment -> cluster, and teams under teams: squad -> tribe -> domain -> group.
# A deployment has to have a service.
BLUEPRINTS: list[dict[str, Any]] = [
    {
        "identifier": "team",
        "title": "Team",
        "schema": {"properties": {"ends": {"type": "string", "format": "timer"}, "size": {"type": "number"}}},
        "relations": {"parent": {"target": "team"}},
    },
    {
        "identifier": "cluster",
        "title": "Cluster",
        "schema": {"properties": {"url": {"type": "string", "format": "url"}}},
    },
    {
        "identifier": "service",
        "title": "Service",
        "schema": {
            "properties": {
                "name": {"type": "string"},
                "home": {"type": "string", "format": "url"},
                "size": {"type": "number"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "mails": {"type": "array", "items": {"type": "string", "format": "email"}},
                "live": {"type": "boolean"},
            }
        },
        "relations": {"owner": {"target": "team"}, "deployedOn": {"target": "cluster", "many": True}},
    },
    {
        "identifier": "deployment",
        "title": "Deployment",
        "schema": {"properties": {}},
        "relations": {"service": {"target": "service", "required": True}, "cluster": {"target": "cluster"}},
    },
]
ENTITIES: dict[str, list[dict[str, Any]]] = {
    "team": [
        {"identifier": "group", "title": "Group", "properties": {"ends": "2025-01-01T12:00:00Z", "size": 5}},
        {"identifier": "domain", "properties": {"ends": "2025-01-01T12:00:01Z"}, "relations": {"parent": "group"}},
        {"identifier": "tribe", "properties": {}, "relations": {"parent": "domain"}},
        {"identifier": "squad", "title": "Squad", "properties": {"size": 3}, "relations": {"parent": "tribe"}},
    ],
    "cluster": [
        {"identifier": "east", "title": "East", "properties": {"url": "https://a.example"}},
        {"identifier": "west", "title": "West"},
    ],
    "service": [
        {
            "identifier": "cart",
            "title": "Cart",
            "properties": {"name": "https://a.example", "size": 3, "tags": ["https://a.example"], "live": True},
            "relations": {"owner": "squad", "deployedOn": ["east", "west"]},
        },
        {
            "identifier": "order",
            "title": "Order",
            "properties": {"name": "order", "home": "https://a.example", "mails": ["x@a.example"]},
            "relations": {"owner": "tribe", "deployedOn": ["east"]},
        },
        {"identifier": "lone", "title": "Lone", "properties": {"name": "lone", "size": 5}},
    ],
    "deployment": [
        {"identifier": "cart-east", "relations": {"service": "cart", "cluster": "east"}},
        {"identifier": "order-west", "relations": {"service": "order", "cluster": "west"}},
    ],
}


def fill(port: httpx.Client) -> httpx.Client:
    for body in BLUEPRINTS:
        port.post("/blueprints", json=body).raise_for_status()
    for blueprint, entities in ENTITIES.items():
        answer = port.post(f"/blueprints/{blueprint}/entities/bulk", json={"entities": entities})
        assert answer.status_code == 200, answer.text
    return port


@pytest.fixture
def filled(port: httpx.Client) -> httpx.Client:
    return fill(port)


def query_of(*rules: Rule, combinator: str = "and") -> Rule:
    return {"combinator": combinator, "rules": list(rules)}


def everywhere(port: httpx.Client, *rules: Rule) -> set[str]:
    answer = port.post("/entities/search", json=query_of(*rules))
    assert answer.status_code == 200, answer.text
    return {each["identifier"] for each in answer.json()["entities"]}


def within(port: httpx.Client, blueprint: str, *rules: Rule) -> set[str]:
    answer = port.post(f"/blueprints/{blueprint}/entities/search", json={"query": query_of(*rules)})
    assert answer.status_code == 200, answer.text
    return {each["identifier"] for each in answer.json()["entities"]}


def related(blueprint: str, value: Any, **more: Any) -> Rule:
    return {"operator": "relatedTo", "blueprint": blueprint, "value": value, **more}


def along(path: list[Any], value: Any, **more: Any) -> Rule:
    return {"operator": "matchAny", "property": {"path": path, **more}, "value": value}


CHAIN = {"squad", "tribe", "domain", "group"}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param(
            related("service", "cart", direction="upstream"), CHAIN | {"east", "west"}, id="upstream-any-depth"
        ),
        pytest.param(related("service", "cart", direction="downstream"), {"cart-east"}, id="downstream"),
        pytest.param(
            related("team", "domain", direction="downstream"),
            {"tribe", "squad", "cart", "order", "cart-east", "order-west"},
            id="downstream-any-depth",
        ),
        pytest.param(related("service", "cart"), CHAIN | {"east", "west", "cart-east"}, id="no-direction-is-both"),
        pytest.param(
            related("service", ["cart", "order"], direction="downstream"),
            {"cart-east", "order-west"},
            id="one-of-several",
        ),
        pytest.param(
            related("team", ["tribe", "domain"], direction="upstream"), {"domain", "group"}, id="named-by-each-other"
        ),
        pytest.param(related("service", "lone"), set(), id="without-relations"),
        pytest.param(related("service", "gone"), set(), id="no-such-entity"),
        pytest.param(related("gone", "cart"), set(), id="no-such-blueprint"),
        pytest.param(related("service", []), set(), id="nothing-named"),
        pytest.param(related("cluster", "east", direction="downstream", required=True), set(), id="required-only"),
        pytest.param(
            related("service", "cart", direction="downstream", required=True), {"cart-east"}, id="required-relation"
        ),
        pytest.param(related("service", "cart", direction="downstream", required=False), set(), id="not-required-only"),
        pytest.param(
            related("cluster", "west", direction="downstream", required=False), {"cart", "order-west"}, id="optional"
        ),
    ],
)
def test_related_to_follows_relations_of_any_depth(filled: httpx.Client, rule: Rule, expected: set[str]) -> None:
    assert everywhere(filled, rule) == expected


def test_related_to_ends_in_a_circle_and_leaves_out_the_named_one(filled: httpx.Client) -> None:
    closing = {"relations": {"parent": "squad"}}
    filled.patch("/blueprints/team/entities/group", json=closing).raise_for_status()

    for direction in ("upstream", "downstream"):
        found = within(filled, "team", related("team", "tribe", direction=direction))
        assert found == CHAIN - {"tribe"}


def test_a_rule_about_relations_is_joined_with_others(filled: httpx.Client) -> None:
    rules = [related("team", "group"), {"property": "$blueprint", "operator": "=", "value": "service"}]

    assert everywhere(filled, *rules) == {"cart", "order"}
    assert within(filled, "service", related("team", "group")) == {"cart", "order"}
    either = query_of(related("service", "order", direction="downstream"), rules[1], combinator="or")
    assert everywhere(filled, either) == {"cart", "order", "lone", "order-west"}


SEVERAL = {"relation": "parent", "maxHops": 3}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param(along(["deployedOn"], "west"), {"cart"}, id="one-hop-upstream"),
        pytest.param(along(["deployedOn"], ["west", "east"]), {"cart", "order"}, id="several-values"),
        pytest.param(along(["service", "deployedOn"], "west"), {"cart-east"}, id="two-hops-upstream"),
        pytest.param(along(["service", "owner", "parent"], "domain"), {"order-west"}, id="three-hops-upstream"),
        pytest.param(along(["deployedOn"], "cart", fromBlueprint="service"), {"east", "west"}, id="downstream"),
        pytest.param(
            along(["service", "owner"], "cart-east", fromBlueprint="deployment"), {"squad"}, id="two-hops-down"
        ),
        pytest.param(along(["parent", "parent"], "squad", fromBlueprint="team"), {"domain"}, id="exactly-two-hops"),
        pytest.param(along([SEVERAL], "squad", fromBlueprint="team"), {"tribe", "domain", "group"}, id="up-to-three"),
        pytest.param(
            along(["parent", "parent", SEVERAL], "squad", fromBlueprint="team"), {"domain", "group"}, id="two-and-more"
        ),
        pytest.param(along([SEVERAL], "group"), {"domain", "tribe", "squad"}, id="up-to-three-upstream"),
        pytest.param(along(["owner", {"relation": "parent", "maxHops": 1}], "domain"), {"order"}, id="then-up-to-one"),
        pytest.param(along([{"relation": "owner"}], "squad"), {"cart"}, id="hop-as-object"),
        pytest.param(along(["gone"], "west"), set(), id="no-such-relation"),
        pytest.param(along(["deployedOn"], "cart", fromBlueprint="gone"), set(), id="no-such-blueprint"),
        pytest.param(along(["parent"] * 15, "group"), set(), id="fifteen-hops"),
        pytest.param(
            {"operator": "matchAny", "property": "$identifier", "value": "east"}, {"east"}, id="one-identifier"
        ),
        pytest.param(
            {"operator": "matchAny", "property": "name", "value": ["lone", "order"]}, {"lone", "order"}, id="a-property"
        ),
    ],
)
def test_match_any_follows_a_path(filled: httpx.Client, rule: Rule, expected: set[str]) -> None:
    assert everywhere(filled, rule) == expected


@pytest.mark.parametrize(
    ("operator", "expected"), [("isExpired", {"group"}), ("isNotExpired", {"domain", "tribe", "squad"})]
)
def test_a_timer_is_expired_from_its_moment_on(filled: httpx.Client, operator: str, expected: set[str]) -> None:
    assert within(filled, "team", {"property": "ends", "operator": operator}) == expected


def test_an_unset_timer_may_count_as_none(local_port: Callable[..., httpx.Client]) -> None:
    port = fill(local_port(guesses=Guesses(no_timer_is_not_expired=False)))

    assert within(port, "team", {"property": "ends", "operator": "isNotExpired"}) == {"domain"}


def of_schema(operator: str, value: Any, **schema: Any) -> Rule:
    return {"propertySchema": schema, "operator": operator, "value": value}


URL = "https://a.example"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param(of_schema("=", URL, type="string"), {"cart", "order"}, id="any-text"),
        pytest.param(of_schema("=", URL, type="string", format="url"), {"order"}, id="with-format"),
        pytest.param(of_schema("contains", "a.ex", type="string"), {"cart", "order"}, id="part-of-a-text"),
        pytest.param(of_schema("contains", URL, type="array"), {"cart"}, id="in-a-list"),
        pytest.param(
            of_schema("contains", "x@a.example", type="array", items={"type": "string", "format": "email"}),
            {"order"},
            id="in-a-list-of-a-kind",
        ),
        pytest.param(of_schema("=", 3, type="number"), {"cart"}, id="number"),
        pytest.param(of_schema("=", True, type="boolean"), {"cart"}, id="boolean"),
        pytest.param(of_schema("!=", URL, type="string"), {"lone"}, id="no-property-is"),
        pytest.param(
            {"propertySchema": {"type": "boolean"}, "operator": "="}, {"order", "lone"}, id="no-value-is-null"
        ),
    ],
)
def test_a_rule_may_be_about_all_properties_of_a_kind(filled: httpx.Client, rule: Rule, expected: set[str]) -> None:
    assert within(filled, "service", rule) == expected


OF_USER = {"context": "user", "property": "$identifier"}
OF_TEAMS = {"context": "userTeams", "property": "$identifier"}


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"property": "$team", "operator": "containsAny", "value": OF_TEAMS}, id="value-of-teams"),
        pytest.param({"property": "name", "operator": "!=", "value": OF_USER}, id="value-of-user"),
        pytest.param({"property": OF_USER, "operator": "=", "value": "ann@example.com"}, id="property-of-user"),
        pytest.param({"property": OF_USER, "operator": "!=", "value": "x"}, id="not-property-of-user"),
        pytest.param({"property": OF_USER, "operator": ">", "value": 1}, id="number-of-user"),
        pytest.param(along(["owner"], OF_USER), id="end-of-a-path"),
        pytest.param({"property": "name", "operator": "matchAny", "value": OF_USER}, id="any-of-user"),
    ],
)
def test_a_rule_about_the_user_finds_nothing_for_a_machine(
    filled: httpx.Client, local_port: Callable[..., httpx.Client], rule: Rule
) -> None:
    assert within(filled, "service", rule) == set()
    port = fill(local_port(guesses=Guesses(rule_about_no_user_holds=True)))
    assert within(port, "service", rule) == {"cart", "order", "lone"}


def relation(operator: str, value: Any = None, **more: Any) -> Rule:
    return {"relation": "owner", "operator": operator, **({} if value is None else {"value": value}), **more}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param(relation("=", "squad"), {"cart"}, id="equals"),
        pytest.param(relation("!=", "squad"), {"order", "lone"}, id="not-equals"),
        pytest.param(relation("in", ["squad", "tribe"]), {"cart", "order"}, id="in"),
        pytest.param(relation("notIn", ["squad"]), {"order", "lone"}, id="not-in"),
        pytest.param(relation("isEmpty"), {"lone"}, id="empty"),
        pytest.param(relation("isNotEmpty"), {"cart", "order"}, id="not-empty"),
        pytest.param(relation("contains", "qua"), {"cart"}, id="contains"),
        pytest.param(relation("beginsWith", "tr"), {"order"}, id="begins"),
        pytest.param(relation("=", "Squad", targetProperty="$title"), {"cart"}, id="title"),
        pytest.param(relation("=", "squad", targetProperty="$title"), set(), id="title-is-not-identifier"),
        pytest.param(relation("=", "squad", targetProperty="$identifier"), {"cart"}, id="identifier"),
        pytest.param(relation("isEmpty", targetProperty="$title"), {"order", "lone"}, id="target-without-title"),
        pytest.param(
            relation("contains", "West", relation="deployedOn", targetProperty="$title"), {"cart"}, id="title-of-many"
        ),
        pytest.param(relation("containsAny", ["west"], relation="deployedOn"), {"cart"}, id="contains-any"),
    ],
)
def test_the_search_of_a_blueprint_takes_rules_about_relations(
    filled: httpx.Client, rule: Rule, expected: set[str]
) -> None:
    assert within(filled, "service", rule) == expected


@pytest.mark.parametrize(
    ("rule", "finds"),
    [
        ({"scorecard": "s", "operator": "=", "value": "Bronze"}, False),
        ({"scorecard": "s", "operator": "!=", "value": "Bronze"}, True),
        ({"scorecard": "s", "scorecardRule": "r", "operator": "=", "value": "Passed"}, False),
        ({"scorecard": "s", "operator": "isEmpty"}, True),
        ({"scorecard": "s", "operator": "isNotEmpty"}, False),
    ],
)
def test_without_scorecards_no_entity_has_a_level(filled: httpx.Client, rule: Rule, finds: bool) -> None:
    assert bool(within(filled, "service", rule)) is finds


WRONG: list[tuple[Any, str]] = [
    ({"operator": "relatedTo", "value": "x"}, "must have required property 'blueprint'"),
    ({"operator": "relatedTo", "blueprint": "x"}, "must have required property 'value'"),
    (related("x", 1), '"query.rules.0.value" must be string,array'),
    (related("x", [1]), '"query.rules.0.value.0" must be string'),
    (related(1, "x"), '"query.rules.0.blueprint" must be string'),  # type: ignore[arg-type]
    (related("x", "y", direction="sideways"), '"query.rules.0.direction" must be equal to one of'),
    (related("x", "y", direction=[]), '"query.rules.0.direction" must be equal to one of'),
    (related("x", "y", required="yes"), '"query.rules.0.required" must be boolean'),
    (related("x", "y", property="z"), "must NOT have additional properties (property)"),
    (along([], "x"), '"query.rules.0.property.path" must NOT have fewer than 1 items'),
    (along(["parent"] * 16, "x"), '"query.rules.0.property.path" must NOT have more than 15 hops'),
    (along(["parent", {"relation": "parent", "maxHops": 15}], "x"), "must NOT have more than 15 hops"),
    (along([SEVERAL, SEVERAL], "x"), "must NOT have more than one maxHops"),
    (along([{"relation": "p", "maxHops": 0}], "x"), '"query.rules.0.property.path.0.maxHops" must be >= 1'),
    (along([{"relation": "p", "maxHops": True}], "x"), '"query.rules.0.property.path.0.maxHops" must be number'),
    (along([{"maxHops": 1}], "x"), "must have required property 'relation'"),
    (along([1], "x"), '"query.rules.0.property.path.0" must be string,object'),
    (along("p", "x"), '"query.rules.0.property.path" must be array'),  # type: ignore[arg-type]
    (along(["p"], 1), '"query.rules.0.value" must be string,array'),
    (along(["p"], "x", fromBlueprint=1), '"query.rules.0.property.fromBlueprint" must be string'),
    ({"operator": "=", "property": {"path": ["p"]}, "value": "x"}, "must have required property 'property'"),
    ({"operator": "matchAny", "property": "p", "value": 1}, '"query.rules.0.value" must be string,array'),
    ({"operator": "isExpired", "property": "ends", "value": 1}, "must NOT have additional properties (value)"),
    ({"operator": "isEmpty", "property": "ends", "value": 1}, "must NOT have additional properties (value)"),
    ({"operator": "isExpired", "property": OF_USER}, '"query.rules.0.property" must be string'),
    ({"operator": "isExpired", "relation": "owner"}, '"query.rules.0.operator" must be equal to one of'),
    ({"operator": ">", "relation": "owner", "value": 1}, '"query.rules.0.operator" must be equal to one of'),
    (relation("=", "x", targetProperty="name"), '"query.rules.0.targetProperty" must be equal to one of'),
    ({"relation": 1, "operator": "=", "value": 1}, '"query.rules.0.relation" must be string'),
    ({"relation": "owner", "operator": "=", "value": OF_USER}, "must have 'from' and 'to', or 'preset'"),
    ({"property": {"context": "me", "property": "x"}, "operator": "=", "value": 1}, "property.context"),
    ({"property": {"context": "user"}, "operator": "=", "value": 1}, "must have required property 'property'"),
    ({"property": "name", "operator": "=", "value": {"context": "user"}}, "must have required property 'property'"),
    (of_schema("beginsWith", "x", type="string"), '"query.rules.0.operator" must be equal to one of'),
    (of_schema("=", [1], type="string"), '"query.rules.0.value" must be string,number,boolean,null'),
    ({"propertySchema": {}, "operator": "="}, "must have required property 'type'"),
    ({"propertySchema": "string", "operator": "="}, '"query.rules.0.propertySchema" must be object'),
    (of_schema("=", 1, type="array", items="x"), '"query.rules.0.propertySchema.items" must be object'),
    (of_schema("=", 1, type=["string"]), '"query.rules.0.propertySchema.type" must be string'),
    (of_schema("=", 1, type="string", enum=[]), "must NOT have additional properties (enum)"),
    ({"property": "name", "operator": ["="], "value": 1}, '"query.rules.0.operator" must be equal to one of'),
    ({"property": "name", "operator": {}, "value": 1}, '"query.rules.0.operator" must be equal to one of'),
    ({"property": "name", "operator": "in", "value": [{}]}, '"query.rules.0.value.0" must be string,number'),
    ({"property": "name", "operator": "containsAny", "value": [[]]}, '"query.rules.0.value.0" must be string'),
    ({"property": "name", "operator": "=", "value": {"preset": []}}, '"query.rules.0.value.preset" must be equal'),
    ({"scorecard": "s", "operator": ">", "value": 1}, '"query.rules.0.operator" must be equal to one of'),
    ({"scorecard": 1, "operator": "=", "value": 1}, '"query.rules.0.scorecard" must be string'),
    (None, '"query.rules.0" must be object'),
    ([], '"query.rules.0" must be object'),
    ({"combinator": "and"}, "must have required property 'rules'"),
    ({"rules": []}, "must have required property 'combinator'"),
    ({"combinator": ["and"], "rules": []}, '"query.rules.0.combinator" must be equal to one of'),
]


@pytest.mark.parametrize(("rule", "message"), WRONG)
def test_a_wrong_rule_is_refused_with_its_place(filled: httpx.Client, rule: Any, message: str) -> None:
    answer = filled.post("/blueprints/service/entities/search", json={"query": query_of(rule)})

    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert message in answer.json()["message"]


@pytest.mark.parametrize("rule", [relation("=", "squad"), {"scorecard": "s", "operator": "=", "value": "Bronze"}])
def test_the_wide_search_takes_no_rules_about_relations_or_scorecards(filled: httpx.Client, rule: Rule) -> None:
    answer = filled.post("/entities/search", json=query_of(rule))

    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")


def nested(depth: int) -> Rule:
    query = query_of({"property": "$identifier", "operator": "contains", "value": "a"})
    for level in range(depth - 1):
        beside = {"property": "name", "operator": "=", "value": "nothing"}
        query = query_of(query, beside, combinator="or") if level % 2 else query_of(query, {**beside, "operator": "!="})
    return query


EQUAL = {"property": "size", "operator": "=", "value": 3}
ANY = {"property": "name", "operator": "containsAny", "value": ["x"] * MAX_RULES}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param(nested(MAX_DEPTH), 200, id="as-deep-as-may-be"),
        pytest.param(nested(MAX_DEPTH + 1), 422, id="too-deep"),
        pytest.param(query_of(*[EQUAL] * MAX_RULES, combinator="or"), 200, id="as-many-as-may-be"),
        pytest.param(query_of(*[EQUAL] * (MAX_RULES + 1), combinator="or"), 422, id="too-many"),
        pytest.param(query_of(ANY), 200, id="as-many-texts-as-may-be"),
        pytest.param(query_of(ANY, EQUAL), 422, id="too-many-texts"),
        pytest.param(query_of(*[related("team", "group")] * MAX_WALKS), 200, id="as-many-walks-as-may-be"),
        pytest.param(query_of(*[related("team", "group")] * (MAX_WALKS + 1)), 422, id="too-many-walks"),
        pytest.param(query_of(*[along(["owner"], "squad")] * (MAX_WALKS + 1)), 422, id="too-many-paths"),
        pytest.param(
            query_of(*[relation("=", "x", targetProperty="$title")] * (MAX_WALKS + 1)), 422, id="too-many-titles"
        ),
        pytest.param(query_of(*[{}] * 100_000), 422, id="a-hundred-thousand-rules"),
        pytest.param(query_of({"property": "name", "operator": "in", "value": ["x"] * 100_000}), 200, id="a-long-list"),
    ],
)
def test_the_size_of_a_query_is_bounded(filled: httpx.Client, query: Rule, status: int) -> None:
    begun = time.monotonic()
    answer = filled.post("/blueprints/service/entities/search", json={"query": query})

    assert answer.status_code == status, answer.text
    assert time.monotonic() - begun < 10


def test_a_body_that_is_nested_ten_thousand_deep_is_refused(filled: httpx.Client) -> None:
    body = '{"combinator":"and","rules":[' * 10_000 + "]}" * 10_000
    answer = filled.post("/entities/search", content=body)

    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert "nested deeper" in answer.json()["message"]

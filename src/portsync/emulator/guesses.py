"""What Port's public material leaves open, gathered so that each guess can be seen and switched."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guesses:
    """The local Port's answers where Port's API reference states none. Each field gives its reason."""

    all_failed_status: int = 207
    """Bulk upsert in which every item fails. The reference knows 207 for "partially created" and prints the
    same answer schema for 200 and 207, so the status that announces per-item errors is the likeliest."""

    ok_with_failures: bool = True
    """`ok` of a 207. Declared as a plain boolean, not as a constant; the request itself was carried out."""

    unknown_property_status: int | None = 422
    """A property the blueprint lacks. The guides say a mapping may write existing properties only; the
    status of every other mismatch is 422. None drops the property silently."""

    duplicate_in_batch_allowed: bool = True
    """The same identifier twice in one batch. Items are described as independent, hence handled in order
    and the last wins. False answers 422 for the later ones."""

    malformed_item_fails_batch: bool = False
    """An item breaking the request schema itself (say, a space in its identifier). The identifier's pattern
    is part of the published request schema, so the live API may refuse the whole request with 422; per-item
    errors are the route's stated manner, so they are the default here."""

    lone_string_for_many: bool = False
    """A single string for a relation with `many: true`. False answers 422 relation_many_violation, as the
    older error tables name that code; True wraps the string in a list."""

    dependents_inside_batch_block: bool = True
    """Bulk delete of an entity together with all that relates to it. The reference says one entity with
    dependents fails the call and makes no exception for dependents named in the same call."""

    unset_relation_shown_as_null: bool = False
    """Whether a read lists the blueprint's unset relations as null. No source states it."""

    empty_mirror_is_null: bool = True
    """A mirror property over a relation to many entities of which none has a value. It is null where the path leads to
    a single one, and nothing says that it differs here. False gives an empty list."""

    sum_of_nothing: float | None = None
    """The sum of a property over no entities, in aggregations. A count of none is 0, and min, max and average of none
    have no value; nothing says with which of them the sum goes."""

    aggregate_result_name: str = "result"
    """The member of the answer that holds what entities were aggregated to. The reference prints the answer of a search
    for this route, which has no place for a number; `result` is what the route beside it (over time) has. Counts by
    value are a list of `{value, count}`, as the answer of the route that groups entities."""

    count_over_time_name: str = "count"
    """The name that the number of entities has beside each `date`. Numbers of properties stand under the property's
    name; of counts nothing is said."""

    missing_target_status: int = 404
    """A blueprint relation whose target blueprint does not exist.

    Both 404 and 422 are listed for the route.
    """

    rule_about_no_user_holds: bool = False
    """A search rule about the user who asks, or their teams, where a machine asks. The guide has such rules give
    results to certain users only, so a request that comes from none of them finds nothing."""

    no_timer_is_not_expired: bool = True
    """`isNotExpired` for an entity whose timer is not set. The other operators that say "not" take in what has no
    value. False lets through only what has a timer that still runs."""

    most_groups: int = 1000
    """How many groups `/v1/entities/group` gives before it says that there are more; no number is published."""

    line_chart_accepted: bool = True
    """The widget `line-chart`. Port's documentation calls it deprecated for the API from July 2026 on; whether a
    page that has one is still taken then is not said. False answers 422."""

    multi_line_chart_accepted: bool = True
    """The widget `multi-line-chart`, which came in March 2026 and is not in the published schema of before. False
    answers 422, as a Port without it would."""

    too_large_error: str = "payload_too_large"
    """The `error` code of a 413; only its status and message text are published."""

    required_relation_status: int = 422
    """A required relation without a value. The older error tables list the code under 422 and under 403."""

    reset_as_epoch: bool = False
    """The x-ratelimit-reset header. One edition of the documentation says UTC epoch seconds, the newest says
    seconds until the reset, as Port's own Terraform provider reads it."""

    rate_limit: int = 1_000_000
    """Requests per window. Current documentation prints no number; this one is out of reach on purpose, a
    smaller one makes the local Port answer 429."""

    rate_period: int = 300
    """Length of the window in seconds, as the five-minute limits of 2025 had it."""


DEFAULT_GUESSES = Guesses()

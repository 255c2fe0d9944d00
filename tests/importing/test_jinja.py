"""The Jinja of a manifest, and what becomes of it."""

from __future__ import annotations

from typing import Any

import jq
import pytest

from portsync.importing.airbyte.jinja import as_condition, as_jq, as_text
from portsync.importing.airbyte.scope import Scope, UnsayableError
from portsync.importing.airbyte.specification import Specification
from portsync.jq.compile import find_fault

SCHEMA = {
    "properties": {
        "region": {"default": "eu"},
        "token": {"default": "never", "airbyte_secret": True},
        "n": {"default": 5},
    }
}
SCOPE = Scope(
    Specification(SCHEMA),
    {"path": "things", "deep": {"a": [1, 2]}},
    {"response": ".", "record": ".", "last_record": "(.data | last)"},
    {"repo": "$params.repo", "start_time": "$window.start", "owner.login": "$params.repo_owner"},
)

TEXTS = [
    ("plain", "plain"),
    ("costs ${5} {{ 1 }}", "costs $${5} 1"),
    ("{{ config['key'] }}", "${KEY}"),
    ("{{ config.credentials.apiKey }}", "${CREDENTIALS_API_KEY}"),
    ("{{ config['path'] }}", "${SOURCE_PATH}"),
    ("{{ config['region'] }}-{{ config.get('x', 'y') }}", "${REGION:eu}-${X:y}"),
    ("{{ config['token'] }}", "${TOKEN}"),
    ("{{ config['start'] or '2026-01-01' }}", "${START:2026-01-01}"),
    ("{{ config['n'] | int }}", "${N:5}"),
    ("{{ config['start'] | default('x') }}", "${START:x}"),
    ("a {{ parameters['path'] }}", "a things"),
    ("{{ parameters.deep.a[1] }}", "2"),
    ("{{ stream_partition.repo }}/{{ stream_slice['start_time'] }}", "{{ $params.repo }}/{{ $window.start }}"),
    ("{{ stream_interval['start_time'] }}", "{{ $window.start }}"),
    ("{{ stream_slice.extra_fields['owner']['login'] }}", "{{ $params.repo_owner }}"),
    ("{{ now_utc().strftime('%Y-%m-%d') }}", '{{ now | strftime("%Y-%m-%d") }}'),
    ("{{ day_delta(-7, '%Y-%m-%d') }}", '{{ (now - 86400 * 7) | strftime("%Y-%m-%d") }}'),
    ("{{ (now_utc() - duration('P1D')).strftime('%s') }}", "{{ (now - 86400) | floor | tostring }}"),
    ("{{ today_utc() }}", '{{ now | strftime("%Y-%m-%d") }}'),
]
EXPRESSIONS: list[tuple[str, Any, Any]] = [
    ("{{ response['meta']['next'] }}", {"meta": {"next": "n"}}, "n"),
    ("{{ response.get('meta', {}).get('next') }}", {}, None),
    ("{{ response['odd key'][0] }}", {"odd key": [3]}, 3),
    ("{{ last_record['id'] }}", {"data": [{"id": 1}, {"id": 2}]}, 2),
    ("{{ response.total + 1 }}", {"total": 4}, 5),
    ("{{ record.name | upper }}", {"name": "a"}, "A"),
    ("{{ record['tags'] | join(',') }}", {"tags": ["a", 1]}, "a,1"),
    ("{{ record.a or record.b }}", {"a": "", "b": "x"}, "x"),
    ("{{ record.a and record.b }}", {"a": "y", "b": "x"}, "x"),
    ("{{ 'yes' if record.ok else 'no' }}", {"ok": 0}, "no"),
    ("{{ record.a ~ '-' ~ record.n }}", {"a": "x", "n": 3}, "x-3"),
    ("{{ record.name.split('/')[1] }}", {"name": "a/b"}, "b"),
    ("{{ record.name.replace('a', 'b') }}", {"name": "aa"}, "bb"),
    ("{{ max(record.a, 3) }}", {"a": 2}, 3),
    ("id-{{ record.id }}", {"id": 7}, "id-7"),
    ("{{ [1, 'a'] }}", None, [1, "a"]),
    ("{{ {'a': 1} }}", None, {"a": 1}),
]
CONDITIONS: list[tuple[str, Any, bool]] = [
    ("{{ not response.more }}", {"more": True}, False),
    ("{{ not response.more }}", {"more": ""}, True),
    ("{{ record.items }}", {"items": []}, False),
    ("{{ record.n > 3 and record.s == 'x' }}", {"n": 4, "s": "x"}, True),
    ("{{ record.status in ['a', 'b'] }}", {"status": "b"}, True),
    ("{{ 'key' in response }}", {"key": None}, True),
    ("{{ 'next' not in response }}", {}, True),
    ("{{ record.x is defined }}", {}, False),
    ("{{ record.x is none or record.y }}", {"y": 1}, True),
    ("{{ record.tags | length == 0 }}", {"tags": []}, True),
    ("true", None, True),
    ("{{ false }}", None, False),
]
UNSAYABLE = [
    "{% if x %}a{% endif %}",
    "{{ record.a | hash }}",
    "{{ format_datetime(config['a'], '%Y') }}",
    "{{ nobody.knows }}",
    "{{ parameters['missing'] }}",
    "{{ stream_partition.other }}",
    "{{ unclosed",
    "{{ record.a.b() }}",
    "{{ record[1:2] }}",
    "{{ x | map(attribute='a') | list }}",
    "{{ 1 < record.n < 3 }}",
    "{{ timestamp(config['a']) }}",
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_a_text_keeps_its_words_and_gets_references_and_spans(text: str, expected: str) -> None:
    assert as_text(text, SCOPE) == expected


@pytest.mark.parametrize(("text", "value", "expected"), EXPRESSIONS)
def test_an_expression_gives_in_jq_what_it_gives_in_jinja(text: str, value: Any, expected: Any) -> None:
    code = as_jq(text, SCOPE)

    assert find_fault(code) is None
    assert jq.compile(code).input_value(value).first() == expected


@pytest.mark.parametrize(("text", "value", "expected"), CONDITIONS)
def test_a_condition_gives_true_or_false(text: str, value: Any, expected: bool) -> None:
    code = as_condition(text, SCOPE)

    assert find_fault(code) is None
    assert jq.compile(code).input_value(value).first() is expected


@pytest.mark.parametrize("text", UNSAYABLE)
def test_what_has_no_counterpart_is_no_guess(text: str) -> None:
    with pytest.raises(UnsayableError):
        as_text(text, SCOPE)


def test_a_setting_has_no_place_where_nothing_is_put_in() -> None:
    with pytest.raises(UnsayableError, match="no place"):
        as_text("/a/{{ config['x'] }}", SCOPE, interpolated=False)


def test_a_text_that_nests_without_end_is_no_traceback() -> None:
    with pytest.raises(UnsayableError):
        as_text("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", SCOPE)

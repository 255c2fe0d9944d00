"""`check --fix` puts `{{ }}` around texts that look like JQ, in any way of writing texts that YAML has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from portsync.mapping.places import Document
from portsync.mapping.wrap import apply_wraps, find_wrap
from portsync.mapping.yaml_text import compose, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Run

WARNED = Path(__file__).parent / "warned"


def wrapped(text: str, *path: str | int) -> str | None:
    document = compose("m.yaml", text)
    assert isinstance(document, Document)
    values(document)  # which unfolds merged mappings, as loading does
    wrap = find_wrap(document, path)
    return None if wrap is None else apply_wraps(text, [wrap])


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("a: now | todate # why\nb: 1\n", "a: '{{ now | todate }}' # why\nb: 1\n"),
        ("a: $x.y + 'z'\n", "a: '{{ $x.y + ''z'' }}'\n"),
        ("a: 'now | f(''x'')'\n", "a: '{{ now | f(''x'') }}'\n"),
        ('a: "now | f(\\"x\\t\\")"\r\n', 'a: "{{ now | f(\\"x\\t\\") }}"\r\n'),
        ("{a: now | todate, b: 'x'}", "{a: '{{ now | todate }}', b: 'x'}"),
        ('{"a":"now | todate"}', '{"a":"{{ now | todate }}"}'),
        ("a: 'now |\n  todate'\n", "a: '{{ now |\n  todate }}'\n"),
        ('a: "now | \\\n  todate"\n', 'a: "{{ now | \\\n  todate }}"\n'),
        ("a: |\n  now\n  | todate\n\nb: 1\n", "a: |\n  {{ now\n  | todate }}\n\nb: 1\n"),
        ("a: |\r\n  now\r\n  | todate\r\nb: 1\r\n", "a: |\r\n  {{ now\r\n  | todate }}\r\nb: 1\r\n"),
        ("a: >- # why\n\n  now\n  | todate\n# then\nb: 1\n", "a: >- # why\n\n  {{ now\n  | todate }}\n# then\nb: 1\n"),
        ("a: |2+\n    now\n   | todate\n\n\n", "a: |2+\n    {{ now\n   | todate }}\n\n\n"),
        ("a: |\n  now | todate", "a: |\n  {{ now | todate }}"),
        ("a: now |\n\n  todate\nb: 1\n", "a: '{{ now |\n\n  todate }}'\nb: 1\n"),
        ("a: '{x: now}'\n", "a: '{{ {x: now} }}'\n"),
        ("a: now | \U0001f600\nb: é # é\n", "a: '{{ now | \U0001f600 }}'\nb: é # é\n"),
    ],
)
def test_nothing_changes_but_the_braces(text: str, fixed: str) -> None:
    assert wrapped(text, "a") == fixed


@pytest.mark.parametrize(
    "text",
    [
        "a: !!str now | todate\n",
        "a: &x now | todate\nb: *x\n",
        "a: &x 'now | todate'\n",
        "a: &x |\n  now | todate\n",
        "b: &x 'now | todate'\na: *x\n",
        "a: 'now | {a: {b: .}} | tojson'\n",
        "a: 'now - ${DAYS}'\n",
        "a: [now]\n",
        "b: &x {a: now | todate}\n<<: *x\n",
        "b: now | todate\n",
    ],
)
def test_what_is_not_sure_is_left_alone(text: str) -> None:
    assert wrapped(text, "a") is None


@given(st.text(st.sampled_from(" ab|'\"\\#:{}\n-é"), min_size=1), st.sampled_from([None, "'", '"', "|", ">"]))
def test_a_wrapped_text_says_what_it_said_within_braces(value: str, style: Any) -> None:
    text = yaml.dump({"x": [{"a": value}], "y": 1}, default_style=style, allow_unicode=True)

    fixed = wrapped(text, "x", 0, "a")

    if fixed is not None:
        before, after = yaml.safe_load(text), yaml.safe_load(fixed)
        inner = after["x"][0]["a"].strip().removeprefix("{{").removesuffix("}}")
        assert (inner.strip(), after["y"]) == (value.strip(), before["y"])
    else:
        assert "}}" in value or not value.strip() or "!" in text


def test_fix_wraps_all_that_is_warned_of_once_and_writes_nothing_the_second_time(
    portsync: Callable[..., Run], tmp_path: Path
) -> None:
    before = (WARNED / "looks-like-jq.yaml").read_text(encoding="utf-8")

    fixed = portsync("check", before, "--fix")
    text = (tmp_path / "m.yaml").read_text(encoding="utf-8")
    again = portsync("check", text, "--fix")

    assert fixed.exit_code == 0
    assert "warning" not in fixed.err + fixed.out
    assert fixed.err.count("{{") == 8
    assert "m.yaml:16: '{{ ((now | floor) - (86400 * 30)) | strftime(\"%Y-%m-%dT00:00:00Z\") }}'\n" in fixed.err
    changed = [(a, b) for a, b in zip(before.splitlines(), text.splitlines(), strict=True) if a != b]
    assert len(changed) == 9
    assert all(b.replace("{{ ", "").replace(" }}", "").replace("'", "") == a.replace("'", "") for a, b in changed)
    assert (again.exit_code, again.err) == (0, "")
    assert (tmp_path / "m.yaml").read_text(encoding="utf-8") == text


def test_fix_wraps_a_text_once_that_two_resources_share(portsync: Callable[..., Run], tmp_path: Path) -> None:
    port = "port: {entity: {mappings: {identifier: .id, blueprint: '\"thing\"'}}}"
    before = (
        "resources:\n"
        f"  - {{kind: /a, selector: {{query_params: &q {{since: now | todate}}}}, {port}}}\n"
        f"  - {{kind: /b, selector: {{query_params: *q}}, {port}}}\n"
    )

    run = portsync("check", before, "--fix")

    assert run.exit_code == 0
    assert (tmp_path / "m.yaml").read_text(encoding="utf-8") == before.replace("now | todate", "'{{ now | todate }}'")


def test_fix_leaves_what_it_is_not_sure_of_and_says_so(portsync: Callable[..., Run], tmp_path: Path) -> None:
    before = (WARNED / "by-hand.yaml").read_text(encoding="utf-8")

    run = portsync("check", before, "--fix")

    assert run.exit_code == 0
    assert run.err.count("hint: put {{ }} around it by hand") == 3
    assert (tmp_path / "m.yaml").read_text(encoding="utf-8") == before


def test_fix_quotes_what_yaml_cannot_read_and_wraps_in_one_go_and_keeps_the_line_breaks(
    portsync: Callable[..., Run], tmp_path: Path
) -> None:
    mapping = (
        "resources:\r\n  - kind: /t\r\n    selector: {query_params: {a: now | todate, b: 'now | todate'}}\r\n"
        "    port:\r\n      entity:\r\n        mappings:\r\n"
        '          identifier: .id\r\n          title: "a" + .b\r\n          blueprint: \'"thing"\'\r\n'
    )
    (tmp_path / "crlf.yaml").write_bytes(mapping.encode())

    run = portsync("check", None, str(tmp_path / "crlf.yaml"), "--fix")

    assert run.exit_code == 0
    assert (tmp_path / "crlf.yaml").read_bytes().decode() == mapping.replace(
        "{a: now | todate, b: 'now | todate'}", "{a: '{{ now | todate }}', b: '{{ now | todate }}'}"
    ).replace('"a" + .b', "'\"a\" + .b'")

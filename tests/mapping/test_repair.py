"""YAML that no parser takes but everybody writes, and what `check --fix` makes of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import yaml

from portsync.mapping.repair import apply_repairs, find_repairs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

USAGE = """\
    resources:
      - kind: /v1/organizations/usage_report/messages
        selector:
          query: 'true'
          method: POST
          body: '{"start_date": ((now | floor) - (86400 * 30)) | strftime("%Y-%m-%d"), "granularity": "day"}'
          data_path: '.data'
        port:
          entity:
            mappings:
              identifier: .organization_id + "@" + .date
              title: "Claude Usage - " + .date
              blueprint: '"claude_usage_record"'
              properties:
                record_date: .date + "T00:00:00Z"
                failed_requests: (.total_requests - .successful_requests)
"""
"""A block of the page on Claude as it is pasted from there, indentation and all."""


def test_a_pasted_block_is_refused_with_the_repaired_line_then_fixed_then_accepted(
    portsync: Callable[..., Run], tmp_path: Path
) -> None:
    refused = portsync("check", USAGE)
    fixed = portsync("check", USAGE, "--fix")
    text = (tmp_path / "m.yaml").read_text(encoding="utf-8")
    accepted = portsync("check", text)

    assert refused.exit_code == 2
    assert "m.yaml:12:22" in refused.err
    assert "title: '\"Claude Usage - \" + .date'" in refused.err
    assert fixed.exit_code == 0
    assert text == USAGE.replace('"Claude Usage - " + .date', "'\"Claude Usage - \" + .date'")
    assert accepted.exit_code == 0


def test_blocks_pasted_below_one_another_become_one_list(portsync: Callable[..., Run], tmp_path: Path) -> None:
    fixed = portsync("check", USAGE + USAGE, "--fix")
    value = yaml.safe_load((tmp_path / "m.yaml").read_text(encoding="utf-8"))

    assert fixed.exit_code == 0
    assert len(value["resources"]) == 2


@pytest.mark.parametrize(
    ("line", "fixed"),
    [
        ('title: "a" + .b', "title: '\"a\" + .b'"),
        ("""title: "it's " + .b""", """title: '"it''s " + .b'"""),
        ('- title: "a" + .b', "- title: '\"a\" + .b'"),
        ('both: [.a, .b] | join("-")', "both: '[.a, .b] | join(\"-\")'"),
        ('name: {a: .b} | .a + ": "', "name: '{a: .b} | .a + \": \"'"),
        ('time: .a + ": " + .b', "time: '.a + \": \" + .b'"),
        ('title: "a" # a comment', None),
        ("title: 'a' + ", None),
        ("plain: .a + .b", None),
        ('quoted: "a"', None),
        ("open: {a: 1,", None),
    ],
)
def test_a_line_is_repaired_only_where_quoting_makes_it_an_expression(line: str, fixed: str | None) -> None:
    repairs = find_repairs(line + "\n")

    assert [repair.fixed for repair in repairs] == ([fixed] if fixed else [])
    if fixed:
        assert apply_repairs(line + "\r\n", repairs) == fixed + "\r\n"


def test_a_key_of_that_name_elsewhere_is_left_alone() -> None:
    text = "resources:\n  - kind: /x\n    selector:\n      body:\n        resources:\n          - all\n"

    assert find_repairs(text) == ()


def test_text_inside_a_block_scalar_is_left_alone() -> None:
    text = 'body: |\n  title: "a" + .b\nnext: "a" + .b\n'

    assert [repair.line for repair in find_repairs(text)] == [3]


def test_a_file_without_mistakes_is_not_touched(portsync: Callable[..., Run], tmp_path: Path) -> None:
    good = USAGE.replace('"Claude Usage - " + .date', "'\"Claude Usage - \" + .date' # why")

    path = tmp_path / "good.yaml"
    path.write_text(good, encoding="utf-8")
    os.utime(path, (1, 1))

    assert portsync("check", None, str(path), "--fix").exit_code == 0
    assert path.read_text(encoding="utf-8") == good
    assert path.stat().st_mtime == 1

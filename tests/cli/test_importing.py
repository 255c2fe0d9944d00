"""`portsync import` as a user meets it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

ENDPOINT = "data_selector: items, paginator: single_page"
DLT = f"""
client: {{base_url: https://a.example, auth: {{type: bearer, token: tok-0000}}}}
resources:
  - {{name: a, primary_key: id, columns: {{id: {{data_type: bigint}}}}, endpoint: {{path: a, {ENDPOINT}}}}}
"""
ODD = f"  - {{name: b, processing_steps: [{{map: f}}], endpoint: {{path: b, {ENDPOINT}}}}}\n"


def test_the_mapping_goes_to_standard_output_and_the_notes_to_standard_error(
    portsync: Callable[..., Run], tmp_path: Path
) -> None:
    (tmp_path / "d.yaml").write_text(DLT)

    run = portsync("import", None, "d.yaml", "--from", "dlt")

    assert run.exit_code == 0
    assert run.out.startswith("# Imported from d.yaml")
    assert run.out.endswith("\n")
    assert "note[import-note]: the secret here is not in the mapping" in run.err
    assert "--> d.yaml:2:" in run.err
    assert run.err.endswith("d.yaml: 1 resource; all of it is in the mapping\n")
    assert "tok-0000" not in run.out + run.err


def test_what_is_lost_is_exit_code_1_and_stands_at_the_top_of_the_file(
    portsync: Callable[..., Run], tmp_path: Path
) -> None:
    (tmp_path / "d.yaml").write_text(DLT + ODD)

    run = portsync("import", None, "d.yaml", "--from", "dlt", "--out", "new/m.yaml")

    assert run.exit_code == 1
    assert run.out == ""
    assert "warning[import-lost]: `b`: `processing_steps` is code" in run.err
    assert "2 resources in new/m.yaml; 1 thing not in the mapping" in run.err
    written = (tmp_path / "new" / "m.yaml").read_text()
    assert "# What this mapping does not say:\n# - d.yaml:5:33: `b`: `processing_steps` is code\n" in written


def test_json_holds_the_mapping_and_all_that_is_said(portsync: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text(DLT + ODD)

    run = portsync("import", None, "d.yaml", "--from", "dlt", "--format", "json")

    result = json.loads(run.out)
    assert run.exit_code == 1
    assert run.err == ""
    assert result["whole"] is False
    assert result["variables"] == {"SOURCE_TOKEN": "source.auth.token"}
    assert result["mapping"].startswith("# Imported")
    assert [resource["kind"] for resource in result["document"]["resources"]] == ["/a", "/b"]
    assert [blueprint["identifier"] for blueprint in result["blueprints"]] == ["a", "b"]
    assert {note["code"] for note in result["notes"]} == {"import-lost", "import-note"}


def test_proposals_for_blueprints_are_written_but_none_is_written_over(
    portsync: Callable[..., Run], tmp_path: Path
) -> None:
    (tmp_path / "d.yaml").write_text(DLT + ODD)
    (tmp_path / "blueprints").mkdir()
    (tmp_path / "blueprints" / "b.json").write_text("{}")

    run = portsync("import", None, "d.yaml", "--from", "dlt", "--out", "m.yaml", "--blueprints", "blueprints")

    assert (
        json.loads((tmp_path / "blueprints" / "a.json").read_text())["schema"]["properties"]["id"]["type"] == "number"
    )
    assert (tmp_path / "blueprints" / "b.json").read_text() == "{}"
    assert "b.json: is there already" in run.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.yaml", "--from", "dlt"], "cannot be read"),
        (["d.yaml"], "--from"),
        (["d.yaml", "--from", "nobody"], "nobody"),
        (["d.yaml", "--from", "airbyte"], "not-importable"),
        (["d.yaml", "--from", "ocean"], "no resource|nothing in it"),
        (["d.yaml", "--from", "dlt", "--env", "d.yaml"], "--env goes with"),
        (["bytes.yaml", "--from", "dlt"], "not UTF-8"),
        (["d.yaml", "--from", "dlt", "--out", "d.yaml/x"], "cannot be written"),
    ],
)
def test_a_file_that_cannot_be_used_is_exit_code_2(
    arguments: list[str], message: str, portsync: Callable[..., Run], tmp_path: Path
) -> None:
    (tmp_path / "d.yaml").write_text(DLT)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")

    run = portsync("import", None, *arguments)

    assert run.exit_code == 2
    assert any(part in run.err for part in message.split("|")), run.err
    assert "Traceback" not in run.err
    assert "tok-0000" not in run.err


def test_a_place_with_a_number_between_colons_is_shown_as_it_is(portsync: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text(DLT.replace("resources:", "\n" * 95 + "resources:") + ODD)

    run = portsync("import", None, "d.yaml", "--from", "dlt")

    assert "--> d.yaml:100:" in run.err

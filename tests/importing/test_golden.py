"""Files of Airbyte and dlt, beside each the mapping that it becomes and what is said about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portsync.importing import imported

if TYPE_CHECKING:
    from collections.abc import Callable

    from portsync.importing import Imported, System

HERE = Path(__file__).parent
SYSTEMS: tuple[System, ...] = ("airbyte", "dlt")
FILES = [
    pytest.param(system, path, id=path.name)
    for system in SYSTEMS
    for path in sorted((HERE / system).iterdir())
    if not path.name.endswith((".mapping.yaml", ".txt"))
]


@pytest.mark.parametrize(("system", "path"), FILES)
def test_a_file_becomes_the_mapping_beside_it_and_check_has_nothing_against_that(
    system: System, path: Path, check: Callable[[Imported], None]
) -> None:
    result = imported(system, (path.name, path.read_text(encoding="utf-8")))

    assert result.text == path.with_suffix(".mapping.yaml").read_text(encoding="utf-8")
    notes = "".join(f"{note.code} {note.place}: {note.message}\n" for note in result.notes)
    assert notes == path.with_suffix(".txt").read_text(encoding="utf-8")
    check(result)


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_system_has_three_files(system: System) -> None:
    assert sum(param.values[0] == system for param in FILES) == 3


def test_no_secret_of_a_file_is_in_its_mapping_or_in_what_is_said() -> None:
    for name in ("tracker.json", "feed.yaml", "shop.yaml"):
        text = (HERE / "dlt" / name).read_text(encoding="utf-8")
        result = imported("dlt", (name, text))
        said = result.text + str(result.notes) + str(result.document)
        secrets = [
            secret for secret in ("trk-0000-1111", "feed-0000", "shop-secret-0000", "shop-key-0000") if secret in text
        ]
        assert secrets
        assert not any(secret in said for secret in secrets)

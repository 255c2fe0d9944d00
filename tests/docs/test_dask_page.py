"""The guide to Dask clusters against portsync and Dask."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.docs.test_docs import REFERENCE, ROOT, environment_of, fences

from portsync.blueprints import read_blueprints
from portsync.cli.running import _RUNS_AT_ONCE
from portsync.cluster import sizing
from portsync.mapping.fit import fit_problems
from portsync.mapping.loader import parse

if TYPE_CHECKING:
    from pathlib import Path

dask: Any = pytest.importorskip("dask", reason="dask is not installed: pip install '.[dask]'")

from distributed.cli.dask_scheduler import main as scheduler  # noqa: E402 - it needs what is above
from distributed.cli.dask_worker import main as worker  # noqa: E402

from portsync.cluster import dask as ours  # noqa: E402

GUIDE = ROOT / "docs" / "guides" / "dask.md"
TEXT = GUIDE.read_text(encoding="utf-8")
LINES = [line for fence in fences(GUIDE) if fence.language == "sh" for line in fence.text.splitlines()]


def test_the_dask_commands_of_the_guide_take_their_options() -> None:
    commands = [line.split() for line in LINES if line.startswith("dask ")]
    assert [words[1] for words in commands] == ["scheduler", "worker"]
    for words in commands:
        command = {"scheduler": scheduler, "worker": worker}[words[1]]
        known = {option for param in command.params for option in param.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_the_settings_of_dask_that_the_guide_names_are_settings_of_dask() -> None:
    names = [match[1] for line in LINES if (match := re.match(r"export (DASK_\w+)=", line))]
    assert len(names) == 5
    for name in names:
        key = name.removeprefix("DASK_").lower().replace("__", ".")
        assert dask.config.get(key, "unknown") != "unknown", name


def test_what_the_walk_through_writes_fits_its_mapping_and_is_as_much_as_its_report_says(tmp_path: Path) -> None:
    (program,) = re.findall(r"(?ms)^python - <<'END'\n(.*?)^END$", TEXT)
    (made,) = (line.split()[2:] for line in LINES if line.startswith("mkdir"))
    for folder in made:
        (tmp_path / folder).mkdir(parents=True)
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60)
    (mapping,) = (fence.text for fence in fences(GUIDE) if fence.language == "yaml")
    loaded = parse(mapping, GUIDE, environment_of(mapping))
    assert fit_problems(loaded, read_blueprints(tmp_path / "try" / "blueprints")) == []
    pages = sorted((tmp_path / "source").rglob("*.json"))
    records = sum(path.read_text(encoding="utf-8").count('"id"') for path in pages)
    assert f"ok: {records:,} records, {records:,} created" in TEXT
    assert f"complete    {len(pages) - 1}   10,000" in TEXT


def test_the_numbers_that_the_pages_name_are_those_of_the_code() -> None:
    errors = (REFERENCE / "errors.md").read_text(encoding="utf-8")
    command = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    assert f"up to {_RUNS_AT_ONCE} at once" in TEXT
    assert f"up to {_RUNS_AT_ONCE} mappings at once" in command
    assert f"within {ours._CONNECT_S:g} seconds, or somebody" in errors
    assert f"no worker for {ours._FIRST_WORKER_S:g} seconds" in errors
    assert (ours._WITHOUT_WORKERS_S, ours._TRIES) == (120, 3)
    assert "no worker for two minutes" in errors
    assert "portsync gives it to Dask three times" in errors
    assert (sizing._SHORTEST_S, sizing._LONGEST_S) == (1.0, 5)
    assert "as many as take one to five seconds" in TEXT

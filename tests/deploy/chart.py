"""The chart, rendered by Helm for some values. The results are kept beside the values, so that tests read what Helm
makes of the chart where there is no Helm. `python -m tests.deploy.chart` writes them anew, and needs Helm.
"""

from __future__ import annotations

import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "portsync"
VALUES = sorted(Path(__file__).with_name("charts").glob("*.values.yaml"))
_FIRST_LINE = "# Rendered by Helm from a chart and values with the digest "


def rendered_file(values: Path) -> Path:
    return values.with_name(values.name.replace(".values.", ".rendered."))


def digest(values: Path) -> str:
    """Another one when the chart or the values are others."""
    files = sorted(path for path in CHART.rglob("*") if path.is_file())
    parts = [str(path.relative_to(CHART)).encode() + b"\0" + path.read_bytes() for path in files]
    return sha256(b"\0".join([*parts, values.read_bytes()])).hexdigest()


def read_rendered(values: Path) -> tuple[str, list[dict[str, Any]]]:
    """The digest of what was rendered, and the objects that came of it."""
    text = rendered_file(values).read_text(encoding="utf-8")
    first, _, rest = text.partition("\n")
    return first.removeprefix(_FIRST_LINE), list(yaml.safe_load_all(rest))


def render(values: Path) -> None:
    """Write what Helm makes of the chart with these values: one order of objects and of keys, no comments."""
    command = ["helm", "template", "claude", str(CHART), "--namespace", "catalog", "--values", str(values)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    objects = [document for document in yaml.safe_load_all(out) if document]
    objects.sort(key=lambda found: (found["kind"], found["metadata"]["name"]))
    text = yaml.safe_dump_all(objects, sort_keys=True, width=120)
    rendered_file(values).write_text(f"{_FIRST_LINE}{digest(values)}\n{text}", encoding="utf-8")


if __name__ == "__main__":
    for one in VALUES:
        render(one)

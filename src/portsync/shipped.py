"""The files that travel with portsync: mappings, blueprints and dashboards, in the wheel as in a checkout."""

from __future__ import annotations

from pathlib import Path


def shipped_folder() -> Path:
    """The folder that holds `mappings/`, `blueprints/` and `dashboards/`: inside the installed package, or the root of
    the checkout."""
    installed = Path(__file__).parent / "shipped"
    return installed if installed.is_dir() else Path(__file__).parents[2]


def or_shipped(path: Path) -> Path:
    """`path`, or, where nothing is there, the shipped file or folder of that name: `mappings/claude.yaml` is at hand
    wherever portsync is installed."""
    shipped = shipped_folder() / path
    return shipped if not path.exists() and path.parts[:1] in _SHIPPED and shipped.exists() else path


_SHIPPED = (("mappings",), ("blueprints",), ("dashboards",))

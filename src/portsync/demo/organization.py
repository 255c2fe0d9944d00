"""The sample organisation: its name, its workspaces and its API keys."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from string import ascii_letters, digits

ORGANIZATION_ID = "5f0d5c6a-2b1e-4c55-9a57-0d7c8a3e6b21"
ORGANIZATION_NAME = "Acme"
DEFAULT_WORKSPACE_ID = "wrkspc_01AcmeDefaultAAAAAAAAAA"
"""The default workspace: reports of the older kind say null in its place, and no list has it."""
KEY_NAMES = (
    "ci pipeline", "nightly batch", "support bot", "code review", "search index", "release notes",
    "translations", "ticket triage", "data cleaning", "on-call helper", "docs assistant", "sales notes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SampleWorkspace:
    """A workspace other than the default one."""

    workspace_id: str
    name: str


WORKSPACES = (
    SampleWorkspace("wrkspc_01AcmeProductionBBBBBB", "Production"),
    SampleWorkspace("wrkspc_01AcmeResearchCCCCCCCC", "Research"),
)


@dataclass(frozen=True, slots=True)
class SampleKey:
    """An API key; without a workspace it is one of the default workspace."""

    key_id: str
    name: str
    workspace: SampleWorkspace | None


def sample_keys(count: int) -> tuple[SampleKey, ...]:
    """Give `count` keys, always the same ones: a smaller count gives the first of a larger one."""
    return tuple(_key_at(index) for index in range(count))


def _key_at(index: int) -> SampleKey:
    rng = Random(f"key/{index}")  # noqa: S311 - invented data, nothing is kept secret with it
    lap, name = divmod(index, len(KEY_NAMES))
    homes = (None, *WORKSPACES)
    return SampleKey(
        "apikey_01" + "".join(rng.choices(ascii_letters + digits, k=22)),
        f"{KEY_NAMES[name]}{f' {lap + 1}' if lap else ''}",
        homes[index % len(homes)],
    )


DEFAULT_KEYS = sample_keys(5)

"""What the parts of a sync cost, in seconds of one core and in megabytes; `bench/costs.json` holds one machine's."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

REFERENCE = Path(__file__).parents[1] / "costs.json"


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of CPU, where nothing else is said."""

    start_s: float
    """Of the command, from its start to its end without any record, in the first run."""
    start_again_s: float
    """The same, when a run before has left a state."""
    idle_s: float
    """In which the command waits meanwhile, though source and Port answer at once."""
    port_turns: float
    """Requests to Port that come one after the other, before and after the writing."""
    chain_s: float
    """For a chain of requests with its first page, in Python: request, answer, entry in the state."""
    page_s: float
    """For each page after it."""
    write_s: float
    """For entities that are written together, in Python: told apart, looked up in the state."""
    entity_s: float
    """For each of them, in Python."""
    batch_s: float
    """For a bulk request, in Python: into the state, sent, its answer, into the state again."""
    batch_field_s: float
    """The same, for each property of its entities."""
    jq_start_s: float
    """For a JQ process to start."""
    jq_page_s: float
    jq_entity_s: float
    jq_field_s: float
    """For a property of an entity."""
    source_s: float
    """For the loopback source to answer."""
    source_field_s: float
    """The same, for each property of the records of a page."""
    port_s: float
    """For the loopback Port to take a batch, beside the next."""
    port_field_s: float
    """For each property of a batch's entities."""
    wire_s: float
    """From request to answer on the loopback, beyond what both ends compute."""
    state_write_s: float
    """For PostgreSQL to look up entities that are written together, and to write down that they were seen."""
    state_entity_s: float
    """The same, for each of them."""
    state_sent_s: float
    """For PostgreSQL to take down that an entity is sent, and that it was accepted."""
    state_python_s: float
    """The same in Python, for all of them together, beyond what SQLite takes."""
    state_python_entity_s: float
    """The same, for each of them."""
    stale_s: float
    """For PostgreSQL to count an entity among those that were seen, or not, at the end of a run."""
    claim_s: float
    """For PostgreSQL to give a slice entities that are written together, and to let no other one have them."""
    claim_entity_s: float
    """The same, for each of them."""
    claim_python_s: float
    """The same in Python, for all of them together."""
    claim_python_entity_s: float
    """The same, for each of them."""
    cluster_start_s: float
    """Of the command over a cluster, beyond `start_s`."""
    cluster_idle_s: float
    """In which the command waits for a cluster that has nothing else to do, from its start to its end."""
    worker_start_s: float
    """For a worker to take part in a run."""
    slice_s: float
    """For a slice, in Python of the worker, beyond what is in it."""
    asking_s: float
    """For a worker, in Python, to ask the scheduler whether a request may begin, or a batch."""
    lag_s: float
    """By which a request of a worker takes longer than what both ends compute, and wait for: the loop of Python that
    has to go on with it is also Dask's."""
    granting_s: float
    """For the scheduler to answer."""
    resting: float
    """Cores that the scheduler takes while nothing happens."""
    resting_worker: float
    """The same of a worker."""
    base_mb: float
    """The command without any record."""
    row_mb: float
    """For an entity in the state, up to what its databases keep in memory."""
    page_mb: float
    """For a megabyte of pages that wait for what comes after them."""
    worker_mb: float
    """A worker without any record."""
    jq_mb: float
    """A JQ process."""
    jq_page_mb: float
    """Of a JQ process, for a megabyte of page."""

    def save(self, path: Path = REFERENCE) -> None:
        """Write them down."""
        rounded = {name: float(f"{value:.4g}") for name, value in asdict(self).items()}
        path.write_text(json.dumps(rounded, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path = REFERENCE) -> Costs:
        """Those that were written down."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

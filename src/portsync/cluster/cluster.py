"""What the coordinator of a run sees of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from portsync.errors import ClusterError, Problem

if TYPE_CHECKING:
    from portsync.cluster.line import Line
    from portsync.cluster.slices import Slice, SliceResult


class Cluster(Protocol):
    """Workers, and a keeper that they all can ask."""

    @property
    def line(self) -> Line:
        """The coordinator's own line to the keeper."""
        ...

    @property
    def width(self) -> int:
        """How many slices can be done at once, as of now; at least one."""
        ...

    async def do(self, slice_: Slice) -> SliceResult:
        """Have a worker do a slice, and another one where the first is lost. Raises SliceLostError, ClusterError where
        the cluster is lost, and what a bug raises."""
        ...


LOST_LINE = "the connection to the Dask scheduler is lost"


def cluster_lost(message: str) -> ClusterError:
    """Why a run over a cluster cannot go on."""
    hint = "nothing is lost by it: run it again"
    return ClusterError(Problem("cluster-lost", message, "--scheduler", hint))

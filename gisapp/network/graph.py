"""The network that a walker of one profile can use, as arrays: costs in whole millimetres."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csr_array

from gisapp.area import Streets

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Network:
    """Walkable edges of one profile, in the order of ``Streets.edges``; sums of whole millimetres are exact.

    ``u``, ``v``: positions in ``Streets.nodes``. ``cost_mm``: length plus what a lift costs at this speed.
    ``lines``: drawn from ``u`` to ``v``. ``row``: position of each edge in ``Streets.edges``.
    """

    u: Ints
    v: Ints
    cost_mm: Ints
    lines: npt.NDArray[np.object_]
    row: Ints
    n_nodes: int
    speed_ms: float

    def matrix(self, extra: tuple[Ints, Ints, Ints] | None = None, n_extra: int = 0) -> csr_array:
        """Return the symmetric cost matrix, with ``extra`` one-way arcs (tail, head, mm) between further nodes.

        Of parallel arcs the cheapest stays, since a sparse matrix would add them up.
        """
        tail, head = np.concatenate([self.u, self.v]), np.concatenate([self.v, self.u])
        cost = np.concatenate([self.cost_mm, self.cost_mm])
        if extra is not None:
            tail, head, cost = (np.concatenate([a, b]) for a, b in zip((tail, head, cost), extra, strict=True))
        order = np.lexsort((cost, head, tail))
        tail, head, cost = tail[order], head[order], cost[order]
        first = np.ones(len(tail), dtype=bool)
        first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
        size = self.n_nodes + n_extra
        tail, head, cost = tail[first], head[first], cost[first]
        starts = np.searchsorted(tail, np.arange(size + 1))
        return csr_array((cost.astype(np.float64), head.astype(np.int32), starts.astype(np.int32)), (size, size))


def build_network(streets: Streets, *, profile: str, speed_ms: float) -> Network:
    """Select what a walker of ``profile`` can use, at ``speed_ms``.

    ``wheelchair`` excludes steps, ``wheelchair=no``, high kerbs and mapped inclines above 8 %; ``evening``
    excludes paths tagged ``lit=no``. What is not tagged stays: unknown is not no.
    """
    edges = streets.edges
    usable = np.ones(len(edges), dtype=bool)
    if profile == "wheelchair":
        usable = ~edges["wheelchair_no"].to_numpy(bool)
    elif profile == "evening":
        usable = ~edges["lit_no"].to_numpy(bool)
    row = np.flatnonzero(usable)
    cost_m = edges["length_m"].to_numpy(float) + edges["wait_s"].to_numpy(float) * speed_ms
    index = streets.nodes.index
    lines = edges.geometry.to_numpy()[row]
    shapely.prepare(lines)
    return Network(
        u=index.get_indexer(edges["u"].to_numpy()[row]).astype(np.int64),
        v=index.get_indexer(edges["v"].to_numpy()[row]).astype(np.int64),
        cost_mm=np.round(cost_m[row] * 1000).astype(np.int64),
        lines=lines,
        row=row,
        n_nodes=len(index),
        speed_ms=speed_ms,
    )

"""The network that a walker of one profile can use, as arrays: costs in whole millimetres."""

from dataclasses import dataclass, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from gisapp.area import Streets

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

STUB_M = 500.0  # total length below which an unconnected part is a mapping gap rather than a neighbourhood


@dataclass(frozen=True)
class Network:
    """Walkable edges of one profile, in the order of ``Streets.edges``; sums of whole millimetres are exact.

    ``u``, ``v``: positions in ``Streets.nodes``. ``cost_mm``: length plus what a lift costs at this speed.
    ``lines``: drawn from ``u`` to ``v``. ``row``: position of each edge in ``Streets.edges``. ``doors``: positions of
    the edges that homes and places are attached to; ``stubs``: those that serve only where no other is near.
    ``oneway``: 1 for an escalator from ``u`` to ``v``, -1 for one back, 0 elsewhere; None: there is none.
    """

    u: Ints
    v: Ints
    cost_mm: Ints
    lines: npt.NDArray[np.object_]
    row: Ints
    doors: Ints
    stubs: Ints
    n_nodes: int
    speed_ms: float
    oneway: Ints | None = None

    @cached_property
    def door_tree(self) -> shapely.STRtree:
        """The lines of ``doors`` in their order, indexed for search by place."""
        return shapely.STRtree(self.lines[self.doors])

    @cached_property
    def stub_tree(self) -> shapely.STRtree:
        """The lines of ``stubs``."""
        return shapely.STRtree(self.lines[self.stubs])

    def leaves(self, edge: Ints, offset_mm: Ints) -> tuple[Bools, Bools]:
        """Tell whether one can walk from a position on each edge to its ``u``, and to its ``v``."""
        if self.oneway is None:
            return np.ones(len(edge), dtype=bool), np.ones(len(edge), dtype=bool)
        way = self.oneway[edge]
        return (way != 1) | (offset_mm == 0), (way != -1) | (offset_mm == self.cost_mm[edge])

    def arrives(self, edge: Ints, offset_mm: Ints) -> tuple[Bools, Bools]:
        """Tell whether one can walk to a position on each edge from its ``u``, and from its ``v``."""
        if self.oneway is None:
            return np.ones(len(edge), dtype=bool), np.ones(len(edge), dtype=bool)
        way = self.oneway[edge]
        return (way != -1) | (offset_mm == 0), (way != 1) | (offset_mm == self.cost_mm[edge])

    def undirected(self) -> "Network":
        """Return the network without its one-way edges' direction: who is near whom does not ask who walks."""
        return self if self.oneway is None else replace(self, oneway=None)

    def matrix(self, extra: tuple[Ints, Ints, Ints] | None = None, n_extra: int = 0) -> csr_array:
        """Return the cost matrix of a search that starts where a walk ends: its arcs are walked from head to tail.

        ``extra``: arcs (tail, head, mm) between further nodes. Of parallel arcs the cheapest stays: a sparse matrix
        would add them up.
        """
        tail, head = np.concatenate([self.u, self.v]), np.concatenate([self.v, self.u])
        cost = np.concatenate([self.cost_mm, self.cost_mm])
        if self.oneway is not None:
            open_ = np.concatenate([self.oneway != 1, self.oneway != -1])
            tail, head, cost = tail[open_], head[open_], cost[open_]
        if extra is not None:
            tail, head, cost = (
                np.concatenate([a, b]) for a, b in zip((tail, head, cost), extra, strict=True)
            )
        order = np.lexsort((cost, head, tail))
        tail, head, cost = tail[order], head[order], cost[order]
        first = np.ones(len(tail), dtype=bool)
        first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
        size = self.n_nodes + n_extra
        tail, head, cost = tail[first], head[first], cost[first]
        starts = np.searchsorted(tail, np.arange(size + 1))
        return csr_array(
            (cost.astype(np.float64), head.astype(np.int32), starts.astype(np.int32)), (size, size)
        )


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
    u = index.get_indexer(edges["u"].to_numpy()[row]).astype(np.int64)
    v = index.get_indexer(edges["v"].to_numpy()[row]).astype(np.int64)
    # Nobody steps out of a tunnel on to the street above it.
    above = ~edges["tunnel"].to_numpy(bool)[row]
    stub = _is_stub(u, v, edges["length_m"].to_numpy(float)[row], len(index))
    return Network(
        u=u,
        v=v,
        cost_mm=np.round(cost_m[row] * 1000).astype(np.int64),
        lines=lines,
        row=row,
        doors=np.flatnonzero(above & ~stub),
        stubs=np.flatnonzero(above & stub),
        n_nodes=len(index),
        speed_ms=speed_ms,
        oneway=_oneway(edges, row),
    )


def _oneway(edges: gpd.GeoDataFrame, row: Ints) -> Ints | None:
    """None where no edge is one-way, and in files that were written before it was kept."""
    if "oneway" not in edges:
        return None
    oneway = edges["oneway"].to_numpy(np.int64)[row]
    return oneway if oneway.any() else None


def _is_stub(u: Ints, v: Ints, length_m: npt.NDArray[np.float64], n_nodes: int) -> npt.NDArray[np.bool_]:
    """Find the edges of unconnected parts shorter than ``STUB_M`` in all.

    A courtyard path that nobody joined to the street would else swallow the homes around it.
    """
    graph = coo_array((np.ones(len(u), dtype=np.int8), (u, v)), shape=(n_nodes, n_nodes))
    _, part = connected_components(graph, directed=False)
    stub: npt.NDArray[np.bool_] = np.bincount(part[u], length_m, minlength=n_nodes)[part[u]] < STUB_M
    return stub

"""The walkable network: built from what is mapped, walked, and handed on to OSMnx."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx as nx

    from gisapp.area import Streets


def to_osmnx(streets: "Streets") -> "nx.MultiDiGraph[Any]":
    """Return a network as an OSMnx graph: see ``gisapp.network.build.to_osmnx``."""
    from gisapp.network import build

    return build.to_osmnx(streets)

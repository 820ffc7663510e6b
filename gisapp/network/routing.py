"""An area's homes and places attached to its network: what every walking time is computed on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from gisapp.area import StudyArea
from gisapp.network import engine
from gisapp.network.entries import Entries, find_entries
from gisapp.network.graph import Network, build_network
from gisapp.network.links import with_links
from gisapp.network.snap import Snaps, snap_points
from gisapp.network.times import Walks, environments, home_pairs, limit_mm, walks
from gisapp.params import Params
from gisapp.quality import Quality

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Routing:
    """A network with homes and entries of places attached; rows as in ``StudyArea.residents`` and ``.places``.

    ``unlinked``: the same without the area's ``links``, where it has any.
    """

    network: Network
    homes: Snaps
    entries: Entries
    points: npt.NDArray[np.object_]
    n_places: int
    unlinked: "Routing | None" = None

    def walks(self, places: Ints, *, limit: int) -> Walks:
        """All walks of at most ``limit`` millimetres to ``places`` (positions); ``Walks.place`` counts within these."""
        return self._search(self.entries.of(places, self.n_places), limit)

    def home_walks(self, origins: Ints, *, limit: int) -> Walks:
        """All walks of at most ``limit`` millimetres between homes; ``Walks.place`` counts within ``origins``."""
        on = np.flatnonzero(self.homes.reached[origins])
        at = origins[on]
        homes = self.homes
        return self.undirected._search(
            Entries(on, homes.edge[at], homes.offset_mm[at], homes.access_mm[at]), limit
        )

    def environments(self, counts: Floats, *, limit: int) -> Floats:
        """Sums of ``counts`` over the homes within ``limit`` millimetres of each home, itself included."""
        fast = engine.compiled()
        if fast is not None:
            return cast(Floats, fast.environments(self.undirected._searchable, counts, limit=limit))
        return environments(self.network, self.homes, self.points, counts, limit=limit)

    def home_pairs(self, *, limit: int) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Home-home pairs in blocks: from, to, minutes."""
        return home_pairs(self.network, self.homes, self.points, limit=limit)

    def with_entries(self, entries: Entries, n_places: int) -> "Routing":
        """Return the same network and homes with other places."""
        other = replace(self, entries=entries, n_places=n_places)
        if "_searchable" in vars(self):
            vars(other)["_searchable"] = self._searchable
        return other

    def limit_mm(self, minutes: float) -> int:
        """The longest walk that takes at most ``minutes`` at this network's speed."""
        return limit_mm(minutes, self.network.speed_ms)

    def _search(self, entries: Entries, limit: int) -> Walks:
        fast = engine.compiled()
        if fast is not None:
            return cast(Walks, fast.walks(self._searchable, entries, limit=limit))
        return walks(self.network, self.homes, entries, limit=limit)

    @cached_property
    def undirected(self) -> "Routing":
        """The same on streets without direction: homes are near each other whoever walks."""
        network = self.network.undirected()
        return self if network is self.network else replace(self, network=network)

    @cached_property
    def _searchable(self) -> Any:
        fast = engine.compiled()
        assert fast is not None
        return fast.searchable(self.network, self.homes)


def route_area(area: StudyArea, params: Params) -> Routing:
    """Attach an area's homes and places to what ``params.profile`` can walk, within ``params.snap_limit_m``."""
    network = build_network(area.streets, profile=params.profile, speed_ms=params.speed_ms)
    points = area.residents.geometry.to_numpy()
    homes = snap_points(network, points, limit_m=params.snap_limit_m)
    entries = entries_of(network, homes, area, area.places, params)
    return linked(Routing(network, homes, entries, points, len(area.places)), area, params)


def linked(routing: Routing, area: StudyArea, params: Params) -> Routing:
    """Add an area's ``links`` to what was attached without them."""
    if not area.links:
        return routing
    joined = with_links(
        routing.network, routing.homes, routing.entries, area.links, limit_m=params.snap_limit_m
    )
    return Routing(*joined, routing.points, routing.n_places, routing)


def entries_of(
    network: Network, homes: Snaps, area: StudyArea, places: gpd.GeoDataFrame, params: Params
) -> Entries:
    """Find the entries of ``places`` of an area: positions count within these rows."""
    feet = None
    if np.isin(shapely.get_type_id(places.geometry.to_numpy()), (3, 6)).any():
        on = homes.reached
        edge = homes.edge[on]
        share = homes.offset_mm[on] / np.maximum(network.cost_mm[edge], 1)
        feet = shapely.line_interpolate_point(network.lines[edge], share, normalized=True)
    return find_entries(
        network, places, area.kinds, limit_m=params.snap_limit_m, gates=area.entrances, homes=feet
    )


def report_unattached(quality: Quality, area: StudyArea, routing: Routing, *, limit_m: float) -> Quality:
    """Add how many homes and places lie too far from any path, with the people concerned."""
    off = ~routing.homes.reached
    people = float(area.residents["total"].to_numpy(float)[off].sum())
    total = float(area.residents["total"].sum())
    if off.any():
        quality = quality.add(
            "homes_unsnapped",
            f"{int(off.sum()):,} of {len(off):,} homes ({people:,.0f} of {total:,.0f} people) lie over {limit_m:g} m "
            "from any walkable street: they reach nothing.",
            "warning", int(off.sum()), len(off),
        )  # fmt: skip
    lost = area.places.index[np.setdiff1d(np.arange(routing.n_places), routing.entries.place)]
    if len(lost):
        quality = quality.add(
            "places_unsnapped",
            f"{len(lost):,} of {routing.n_places:,} places lie over {limit_m:g} m from any walkable street and are "
            f"reached by nobody, such as {', '.join(map(str, lost[:3]))}.",
            "warning", len(lost), routing.n_places,
        )  # fmt: skip
    return quality

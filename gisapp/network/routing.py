"""An area's homes and places attached to its network: what every walking time is computed on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from gisapp.area import StudyArea
from gisapp.network.entries import Entries, find_entries
from gisapp.network.graph import Network, build_network
from gisapp.network.snap import Snaps, snap_points
from gisapp.network.times import Pairs, environments, home_pairs, travel_times
from gisapp.params import Params
from gisapp.quality import Quality

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Routing:
    """A network with homes and entries of places attached; rows as in ``StudyArea.residents`` and ``.places``."""

    network: Network
    homes: Snaps
    entries: Entries
    points: npt.NDArray[np.object_]
    n_places: int

    def travel_times(self, *, horizon_min: float) -> Pairs:
        """All home-place pairs within the horizon."""
        return travel_times(
            self.network, self.homes, self.entries, n_places=self.n_places, horizon_min=horizon_min
        )

    def environments(self, counts: Floats, *, within_min: float) -> Floats:
        """Sums of ``counts`` over the homes within ``within_min`` of each home, itself included."""
        return environments(self.network, self.homes, self.points, counts, within_min=within_min)

    def home_pairs(self, *, within_min: float) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Home-home pairs in blocks: from, to, minutes."""
        return home_pairs(self.network, self.homes, self.points, within_min=within_min)


def route_area(area: StudyArea, params: Params) -> Routing:
    """Attach an area's homes and places to what ``params.profile`` can walk, within ``params.snap_limit_m``."""
    network = build_network(area.streets, profile=params.profile, speed_ms=params.speed_ms)
    points = area.residents.geometry.to_numpy()
    homes = snap_points(network, points, limit_m=params.snap_limit_m)
    on = homes.reached
    edge = homes.edge[on]
    share = homes.offset_mm[on] / np.maximum(network.cost_mm[edge], 1)
    feet = shapely.line_interpolate_point(network.lines[edge], share, normalized=True)
    entries = find_entries(
        network, area.places, area.kinds, limit_m=params.snap_limit_m, gates=area.entrances, homes=feet
    )
    return Routing(network, homes, entries, points, len(area.places))


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

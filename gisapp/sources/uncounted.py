"""Homes of a town whose residents nobody has counted for us: weights, never people."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisapp.area import Streets
from gisapp.quality import Finding
from gisapp.residents import share_out

MISSING_NOTE = (
    "No residents were given: what is called residents here counts homes, each by its floor area (an average home "
    "is 1), and nothing can be said of who meets whom. Add counts with 'trefpunt refresh PROJECT --residents FILE'."
)


def homes_by_floor(buildings: gpd.GeoDataFrame, streets: Streets) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Return homes weighted by floor area, and the warning that they are not people.

    ``buildings``: as ``residential_buildings`` gives. Result: as ``share_out`` gives, with ``total`` as the one count
    column, 1 on average, and no ``zone_id``. Walking access of each home needs no counts; shares of the town are then
    shares of its floor area, and there is no group, so no mixing. Without mapped buildings: points along the streets.
    """
    ground = shapely.convex_hull(
        shapely.union_all(
            [shapely.multipoints(streets.nodes.geometry.to_numpy()), *buildings.geometry.envelope]
        )
    )
    town = gpd.GeoDataFrame(
        {"total": [1.0]}, index=pd.Index(["town"], name="zone_id"), geometry=[ground], crs=streets.nodes.crs
    )
    homes = share_out(town, ["total"], buildings, streets)
    homes["total"] *= len(homes)
    homes["zone_id"] = np.full(len(homes), None, dtype=object)
    sentence = (
        f"Nobody is counted here: {len(homes):,} homes stand for the residents, weighted by floor area."
    )
    return homes, [Finding("residents_missing", sentence, "warning", len(homes))]

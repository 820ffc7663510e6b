"""A study area: everything a score is computed from, as it stands after reading and before scoring."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import geopandas as gpd
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from gisapp.catalogue import LayerSpec
from gisapp.quality import Quality

NOT_FOR_PUBLICATION = "NOT FOR PUBLICATION"
CountsStatus = Literal["published", "protected", "exact", "invented", "missing"]


@dataclass(frozen=True)
class Source:
    """One source of data: what it is, its date and the licence under which it may be shown."""

    title: str
    data_date: str = ""  # ISO date, or a year
    licence: str = ""
    attribution: str = ""
    note: str = ""


@dataclass(frozen=True)
class Provenance:
    """Where an area's data comes from, and what may be said of its residents' counts."""

    sources: tuple[Source, ...] = ()
    counts: CountsStatus = "published"
    counts_note: str = ""  # one sentence: who published, or that the counts are invented
    notes: tuple[str, ...] = ()  # sentences for the town, such as "every home lies near the data's edge"

    @property
    def attribution(self) -> str:
        """The attributions of all sources, each once, as printed on every map and export."""
        return "; ".join(dict.fromkeys(s.attribution for s in self.sources if s.attribution))

    @property
    def mark(self) -> str:
        """What must stand on everything made from exact counts; empty where they are not exact."""
        return NOT_FOR_PUBLICATION if self.counts == "exact" else ""

    @property
    def data_date(self) -> str:
        """The date of the first source, which is the streets' and places'."""
        return self.sources[0].data_date if self.sources else ""

    def to_json(self) -> str:
        """Return the provenance as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Provenance":
        """Read what ``to_json`` wrote."""
        value: dict[str, Any] = json.loads(text)
        sources = tuple(Source(**s) for s in value.pop("sources"))
        notes = tuple(value.pop("notes"))
        return cls(sources=sources, notes=notes, **value)


@dataclass(frozen=True)
class Edits:
    """What a planner changed in a project file's places, by ``place_id`` (of the whole, where it is cut in parts).

    ``removed`` names places of the map that are not to come back.

    >>> Edits.from_json(Edits(added=("own/1",)).to_json())
    Edits(changed=(), added=('own/1',), removed=())
    """

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the edits as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Edits":
        """Read what ``to_json`` wrote."""
        return cls(**{name: tuple(ids) for name, ids in json.loads(text).items()})


@dataclass(frozen=True)
class Streets:
    """The walkable street network, degree-2 nodes contracted, every component kept.

    ``nodes``: index ``node_id``, point. ``edges``: one row an undirected edge, columns ``u``, ``v``, ``key``,
    ``length_m`` (along the street, great circle as OSMnx measures it, multiples of 1 mm), ``wait_s`` (lifts),
    ``highway``, ``name``, ``oneway`` (1: an escalator from ``u`` to ``v``, -1: back, 0: both ways), ``tunnel`` (most
    of it under the ground), ``steps``, ``wheelchair_no``, ``lit_no``, ``wheelchair_known``, ``lit_known`` (bool),
    geometry drawn from ``u`` to ``v``. CRS: the area's.
    """

    nodes: gpd.GeoDataFrame
    edges: gpd.GeoDataFrame


@dataclass(frozen=True)
class StudyArea:
    """Streets, places, residents and what frames them, all in one projected CRS in metres.

    ``residents``: index ``home_id``, point; one count column per group (``dimension:group``), ``total``,
    ``core``, ``zone_id``. ``places``: index ``place_id``, point or polygon; ``kind``, ``name``, ``open_to``,
    ``capacity``, ``also``, ``source``, ``core``, ``tags`` (JSON text). ``entrances``: mapped entrances and
    gates, points. ``neighbourhoods``: ``name`` and polygon, or None. ``boundary``: the core, or None.
    ``background``: layers for the map only (``land``, ``water``, ``green``, ``buildings``). ``buffer_min``: the
    minutes' walk around the boundary that was downloaded with it; None: as far as the files reach. ``edits``: what
    the planner changed in a project file's places. ``links``: straight footpaths of a scenario, not in ``streets``.
    """

    name: str
    streets: Streets
    places: gpd.GeoDataFrame
    residents: gpd.GeoDataFrame
    kinds: tuple[LayerSpec, ...]
    boundary: BaseGeometry | None = None
    neighbourhoods: gpd.GeoDataFrame | None = None
    entrances: gpd.GeoDataFrame | None = None
    background: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    provenance: Provenance = Provenance()
    quality: Quality = Quality()
    buffer_min: float | None = None
    edits: Edits = Edits()
    links: tuple[BaseGeometry, ...] = ()

    @property
    def crs(self) -> CRS:
        """The projected CRS that all layers share."""
        return CRS.from_user_input(self.residents.crs)

    def with_(self, **changes: Any) -> "StudyArea":
        """Return a copy with some parts replaced."""
        return replace(self, **changes)

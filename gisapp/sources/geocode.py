"""The outline of a place by its name, and where addresses lie, from Nominatim by way of OSMnx."""

import re
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from gisapp.errors import InputError
from gisapp.settings import OnlineSettings
from gisapp.sources.addresses import Finder
from gisapp.sources.overpass import Answers, check_reachable, online

_OSM_ID = re.compile(r"(?:relation/|way/|[RW])(\d{1,18})")
_AREAS = ("Polygon", "MultiPolygon")
_ALIKE = 0.1  # two places whose importance (0-1) differs by less are equally likely meant
_OF_A_TOWN = ("boundary", "place", "landuse")


class Found(NamedTuple):
    """A place: its short name, its full one, and its outline in longitude and latitude."""

    name: str
    title: str
    outline: BaseGeometry


def find_place(place: str, settings: OnlineSettings, *, fresh: bool = False) -> Found:
    """Return the area that a name, or an OpenStreetMap id such as ``R59518``, stands for.

    Raises ``InputError`` where there is none, where the name is only a point on the map, or where several
    places have an equal claim to it; ``OfflineError`` where the server does not answer.
    """
    place = " ".join(place.split())
    if not place:
        raise InputError("The place has no name: write one, such as 'Mechelen, Belgium'.")
    osm_id = _OSM_ID.fullmatch(place)
    answers = Answers(["place", settings.nominatim_url, place], settings, fresh=fresh)
    if not answers.complete:
        check_reachable(settings.nominatim_url, settings)
    deadline = time.monotonic() + settings.total_s
    unknown = f"No place called '{place}' is on the map. Check the spelling and add the country: 'Mechelen, Belgium'."
    with online(settings, answers, rate_limit=False, deadline=deadline) as osmnx:
        try:
            query = f"{place[0].upper()}{osm_id[1]}" if osm_id else place
            chosen = osmnx.geocode_to_gdf(query, by_osmid=osm_id is not None).iloc[0]
        except TypeError as fault:
            answers.forget()
            raise InputError(_only_a_point(place)) from fault
        except (ValueError, KeyError) as fault:
            answers.forget()
            raise InputError(unknown) from fault
    results = sorted(
        (r for answer in answers.read() for r in answer),
        key=lambda r: float(r.get("importance", 0)),
        reverse=True,
    )
    answers.finish()
    _check_meant(place, chosen.to_dict(), results)
    outline = _polygons(chosen.geometry)
    if outline.is_empty:
        raise InputError(_only_a_point(place))
    title = str(chosen.get("display_name") or place)
    return Found(str(chosen.get("name") or title.split(",")[0]), title, outline)


def address_finder(
    settings: OnlineSettings,
    *,
    near: tuple[float, float, float, float],
    town: str = "",
    fresh: bool = False,
    progress: Callable[[str], None] = lambda step: None,
) -> Finder:
    """Return what looks up addresses, one a second as servers ask, and keeps the answers.

    An address is asked for with ``town`` behind it, then alone, and one that names its own town the other way round;
    what lies outside ``near`` (west, south, east, north in degrees) is another town's, and not taken. Raises
    ``OfflineError`` where the server does not answer.
    """

    def find(addresses: Sequence[str]) -> list[shapely.Point | None]:
        answers = Answers(["addresses", settings.nominatim_url, town, *addresses], settings, fresh=fresh)
        if not answers.complete:
            check_reachable(settings.nominatim_url, settings)
        deadline = time.monotonic() + settings.total_s
        frame, points = shapely.box(*near), []
        with online(settings, answers, rate_limit=False, deadline=deadline) as osmnx:
            for n, address in enumerate(addresses, start=1):
                progress(f"Looking up address {n} of {len(addresses)}")
                queries = [address, f"{address}, {town}"] if town else [address]
                points.append(_first_inside(osmnx, queries if "," in address else queries[::-1], frame))
        answers.finish()
        return points

    return find


def _first_inside(osmnx: Any, queries: Sequence[str], frame: BaseGeometry) -> shapely.Point | None:
    for query in queries:
        try:
            lat, lon = osmnx.geocode(query)
        except (ValueError, KeyError):  # no such address
            continue
        point = shapely.Point(lon, lat)
        if frame.intersects(point):
            return point
    return None


def _check_meant(place: str, chosen: dict[str, Any], results: list[dict[str, Any]]) -> None:
    """Refuse to guess: a pub of the town's name, or one of several towns."""
    if results and results[0].get("geojson", {}).get("type") not in _AREAS:
        kind = chosen.get("class", chosen.get("category", "boundary"))
        if kind not in _OF_A_TOWN:
            raise InputError(_only_a_point(place))
    here = _polygons(chosen["geometry"])
    rivals = [chosen]
    for result in results:
        alike = float(chosen.get("importance", 0)) - float(result.get("importance", 0)) < _ALIKE
        outline = result.get("geojson", {})
        if alike and outline.get("type") in _AREAS and not here.intersects(_polygons(shape(outline))):
            rivals.append(result)
    if len(rivals) > 1:
        names = "; ".join(f"{r.get('display_name')} ({_id_of(r)})" for r in rivals[:5])
        raise InputError(
            f"'{place}' is the name of {len(rivals)} places: {names}. Add the region, or give the id in brackets."
        )


def _id_of(result: dict[str, Any]) -> str:
    return f"{str(result.get('osm_type', ''))[:1].upper()}{result.get('osm_id', '')}"


def _only_a_point(place: str) -> str:
    return (
        f"'{place}' is a point on the map, not an area. Name the municipality, or give a file with its outline: "
        "'trefpunt score --osm FILE --boundary FILE'."
    )


def _polygons(outline: BaseGeometry) -> BaseGeometry:
    parts = shapely.get_parts(shapely.make_valid(shapely.force_2d(outline)))
    areas: BaseGeometry = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    return areas

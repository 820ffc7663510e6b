"""What a map server is asked for: the tags that layer files and the map's background may want."""

from collections.abc import Mapping, Sequence

from gisapp.catalogue import LayerSpec, Matcher
from gisapp.sources.osm import GREEN, WATER

_MANY_VALUES = 12  # a key with more wanted values than this is asked for as a whole
Tags = Mapping[str, bool | list[str]]


def place_tags(catalogue: Sequence[LayerSpec], matcher: Matcher) -> dict[str, bool | list[str]]:
    """Return what to ask a server for, so that its answer holds all that the layer files may want.

    >>> from gisapp.catalogue import load_catalogue
    >>> tags = place_tags(load_catalogue(), Matcher(load_catalogue()))
    >>> tags["place"], tags["shop"], tags["highway"]
    (['square'], True, ['pedestrian'])
    """
    tables = [t for spec in catalogue for t in (spec.any_of, *spec.all_of, *spec.none_within)]
    tags: dict[str, bool | list[str]] = {}
    for key in sorted(matcher.keys):
        values = sorted({value for table in tables for value in table.get(key, ())})
        tags[key] = True if "*" in values or len(values) > _MANY_VALUES else values
    # Walking areas drawn as one ring come by their area=yes; as a relation, only those for pedestrians: all
    # footways once more would be too much to ask.
    tags["area"] = ["yes"]
    tags["highway"] = ["pedestrian"]
    return tags


def background_tags() -> dict[str, bool | list[str]]:
    """Return what to ask for so that the map has its sea, water and green."""
    tags: dict[str, bool | list[str]] = {"natural": ["coastline"]}
    for table in (GREEN, WATER):
        for key, values in table.items():
            known = tags.get(key, [])
            tags[key] = [*(known if isinstance(known, list) else []), *values]
    return tags

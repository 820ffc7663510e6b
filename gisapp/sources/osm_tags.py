"""What the tags of OpenStreetMap say: what is walkable, what is a way in, what is green or water."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

Tags = dict[str, str]

_NOT_WALKED = (
    "abandoned|bus_guideway|busway|construction|demolished|disused|emergency_bay|escape|motorway|motorway_link|"
    "no|planned|platform|proposed|raceway|razed|rest_area|services|via_ferrata"
)
_SEPARATE = "".join(
    f'["{key}"!~"^separate$"]' for key in ("sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right")
)
# Overpass filters, as OSMnx takes them in `custom_filter`; their union is what counts as walkable.
# A road whose pavements are mapped on their own is left out, as OSMnx does: people walk on the pavement.
WALK_FILTERS: tuple[str, ...] = (
    f'["highway"]["area"!~"^yes$"]["highway"!~"^({_NOT_WALKED}|cycleway)$"]["motorroad"!~"^yes$"]'
    f'["foot"!~"^(no|private|use_sidepath)$"]["access"!~"^(private|no)$"]["service"!~"private"]{_SEPARATE}',
    f'["highway"]["area"!~"^yes$"]["highway"!~"^({_NOT_WALKED})$"]["foot"~"^(yes|designated|permissive)$"]',
)
# Kept of each walkable way.
WAY_TAGS = ("highway", "name", "wheelchair", "lit", "incline", "kerb", "tunnel", "conveying")
_AREA_HIGHWAYS = ("pedestrian", "footway", "path", "steps", "corridor")
GATES = (
    "gate", "kissing_gate", "swing_gate", "entrance", "turnstile", "lift_gate", "stile", "sally_port", "wicket_gate"
)  # fmt: skip
_NO_ENTRANCES = ("no", "emergency", "exit", "fire_exit", "garage")
GREEN: Mapping[str, tuple[str, ...]] = {
    "leisure": ("park", "garden", "nature_reserve", "golf_course", "dog_park", "common", "pitch"),
    "landuse": ("grass", "forest", "meadow", "recreation_ground", "cemetery", "village_green", "allotments",
                "orchard", "vineyard", "greenfield"),
    "natural": ("wood", "scrub", "grassland", "heath", "wetland"),
}  # fmt: skip
WATER: Mapping[str, tuple[str, ...]] = {
    "natural": ("water", "bay"),
    "waterway": ("riverbank", "dock"),
    "landuse": ("reservoir", "basin"),
    "leisure": ("swimming_pool",),
}
NODE_KEYS = ("highway", "entrance", "barrier")  # of the nodes that matter beside the catalogue's


def walkable(tags: Mapping[str, str]) -> bool:
    """Tell whether ``WALK_FILTERS`` lets a way through: the same rule as Overpass applies to the same text.

    >>> walkable({"highway": "footway"}), walkable({"highway": "cycleway"})
    (True, False)
    >>> walkable({"highway": "cycleway", "foot": "designated"})
    True
    """
    return "highway" in tags and _passes_a_filter(tuple(map(tags.get, _WALK_KEYS)))


def is_way_in(tags: Mapping[str, str]) -> bool:
    """Tell whether a node is an entrance or a gate that visitors may use.

    >>> is_way_in({"entrance": "main"}), is_way_in({"barrier": "gate", "access": "private"})
    (True, False)
    """
    if tags.get("access") in ("private", "no") or tags.get("foot") in ("private", "no"):
        return False
    return tags.get("entrance", "no") not in _NO_ENTRANCES or tags.get("barrier") in GATES


def is_walking_area(tags: Mapping[str, str], *, from_way: bool) -> bool:
    """Tell whether people walk over an area: a square; of closed ways only those that say ``area=yes``.

    >>> is_walking_area({"highway": "pedestrian"}, from_way=True)
    False
    """
    if tags.get("highway") not in _AREA_HIGHWAYS or (from_way and tags.get("area") != "yes"):
        return False
    return walkable({key: value for key, value in tags.items() if key != "area"})


def is_green(tags: Mapping[str, str]) -> bool:
    """Tell whether an area is green on the map.

    >>> is_green({"natural": "wood"}), is_green({"natural": "water"})
    (True, False)
    """
    return not _GREEN.isdisjoint(tags.items())


def is_water(tags: Mapping[str, str]) -> bool:
    """Tell whether an area is water on the map.

    >>> is_water({"natural": "wood"}), is_water({"natural": "water"})
    (False, True)
    """
    return not _WATER.isdisjoint(tags.items())


def _pairs(values: Mapping[str, tuple[str, ...]]) -> frozenset[tuple[str, str]]:
    return frozenset((key, value) for key, wanted in values.items() for value in wanted)


_GREEN, _WATER = _pairs(GREEN), _pairs(WATER)


def _compile(overpass_filter: str) -> list[tuple[str, Callable[[str | None], bool]]]:
    found = re.findall(r'\["([^"]+)"(?:(!?~)"([^"]*)")?\]', overpass_filter)
    return [(key, partial(_passes, operator=operator, regex=re.compile(p))) for key, operator, p in found]


def _passes(value: str | None, *, operator: str, regex: re.Pattern[str]) -> bool:
    if operator == "!~":
        return value is None or not regex.search(value)
    return value is not None and bool(regex.search(value))


_WALK_TESTS = [_compile(text) for text in WALK_FILTERS]
_WALK_KEYS = tuple(dict.fromkeys(key for tests in _WALK_TESTS for key, _ in tests))


@lru_cache(maxsize=4096)  # a town's ways have a few hundred combinations of these tags
def _passes_a_filter(values: tuple[str | None, ...]) -> bool:
    tags = dict(zip(_WALK_KEYS, values, strict=True))
    return any(all(test(tags[key]) for key, test in tests) for tests in _WALK_TESTS)

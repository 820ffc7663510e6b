"""Sorting an extract's objects by what the product needs them for; nothing is decided beyond that."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from gisapp.sources.osm_tags import Tags, is_green, is_walking_area, is_water, is_way_in, walkable
from gisapp.sources.osm_text import Extract, Ints, Line, tags_of


class Use:
    """What an object is for: bits of a whole number (an IntFlag would take longer than all the rest)."""

    WALK = 1
    COAST = 2
    ENTRANCE = 4
    PLACE = 8
    BUILDING = 16
    GREEN = 32
    WATER = 64
    SQUARE = 128
    LIFT = 256
    NO_AREA = 512  # of a closed way that says so


SHAPED = Use.PLACE | Use.BUILDING | Use.GREEN | Use.WATER  # needs the polygon
AS_AREA = SHAPED | Use.SQUARE


@dataclass
class Found:
    """The objects of one type that are used, a row each; ``where``: place, node ids or members as in the line."""

    ids: list[int] = field(default_factory=list)
    uses: list[int] = field(default_factory=list)
    tags: list[Tags] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)

    @property
    def use(self) -> Ints:
        """The uses as an array."""
        return np.array(self.uses, dtype=np.int64)

    def add(self, line: Line, use: int, tags: Tags) -> None:
        """Add an object."""
        name, _, _, time, _, where = line
        self.ids.append(int(name[1:]))
        self.uses.append(use)
        self.tags.append(tags)
        self.dates.append(time[1:11])
        self.where.append(where.rstrip())


@dataclass
class Objects:
    """What an extract holds for us. ``total``: objects of the file; ``deleted`` of them."""

    nodes: Found
    ways: Found
    relations: Found
    total: int
    deleted: int
    in_order: bool  # each object once, ids rising, as in an ordinary file


def sort_objects(extract: Extract, *, wanted: Callable[[Tags], bool], keys: Iterable[str]) -> Objects:
    """Sort the objects of ``extract``; ``wanted`` is asked for objects with one of ``keys`` only."""
    place_keys = frozenset(keys)
    found = {kind: Found() for kind in _USE_OF}
    ids: dict[str, list[str]] = {kind: [] for kind in _USE_OF}
    deleted = extract.placeless

    @lru_cache(maxsize=4096)  # a town has thousands of trees, and of buildings of which no more is known
    def judge(kind: str, text: str) -> tuple[int, Tags]:
        tags = tags_of(text)
        is_place = not place_keys.isdisjoint(tags) and wanted(tags)
        return _USE_OF[kind](tags) | Use.PLACE * is_place, tags

    for line in extract.lines():
        name, _, flag, _, text, _ = line
        kind = name[0]
        ids[kind].append(name[1:])
        if flag == "dD":
            deleted += kind != "n"  # deleted nodes have no place and are counted there
        elif text != "T":
            use, tags = judge(kind, text)
            if use:
                found[kind].add(line, use, tags)
    return Objects(
        nodes=found["n"],
        ways=found["w"],
        relations=found["r"],
        total=extract.total + len(ids["w"]) + len(ids["r"]),
        deleted=deleted,
        in_order=not extract.unordered and all(_rising(numbers) for numbers in ids.values()),
    )


def _use_of_node(tags: Tags) -> int:
    return Use.LIFT * (tags.get("highway") == "elevator") | Use.ENTRANCE * is_way_in(tags)


def _use_of_way(tags: Tags) -> int:
    use = Use.COAST * (tags.get("natural") == "coastline") | Use.NO_AREA * (tags.get("area") == "no")
    if "highway" in tags:
        use |= Use.WALK * walkable(tags) | Use.SQUARE * is_walking_area(tags, from_way=True)
    return use | _use_of_area(tags)


def _use_of_relation(tags: Tags) -> int:
    if tags.get("type") not in ("multipolygon", "boundary"):
        return 0
    return Use.SQUARE * is_walking_area(tags, from_way=False) | _use_of_area(tags)


def _use_of_area(tags: Tags) -> int:
    use = Use.BUILDING * (tags.get("building", "no") != "no")
    return use | Use.GREEN * is_green(tags) | Use.WATER * is_water(tags)


_USE_OF: Mapping[str, Callable[[Tags], int]] = {"n": _use_of_node, "w": _use_of_way, "r": _use_of_relation}


def _rising(ids: list[str]) -> bool:
    """Tell whether ids run 0, -1, -2, ... and then 1, 2, ..., each once."""
    number = np.array(ids, dtype=np.int64)
    order = np.where(number > 0, number, np.iinfo(np.int64).min - number)
    return bool((np.diff(order) > 0).all())

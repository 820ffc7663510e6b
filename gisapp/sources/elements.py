"""Answers of an Overpass server as an OpenStreetMap file, so that one reader serves both."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import osmium
from osmium.osm import mutable

from gisapp.errors import OfflineError

_LETTER = {"node": "n", "way": "w", "relation": "r"}
Element = dict[str, Any]


def write_elements(answers: Iterable[Element], path: Path) -> str:
    """Write the nodes, ways and relations of all ``answers`` (Overpass JSON), each once, and return their date.

    The date is the oldest of the answers', as ``2026-04-10``, or empty where none says. Raises ``OfflineError``
    where an element lacks what it must have.
    """
    found: dict[str, dict[int, Element]] = {kind: {} for kind in _LETTER}
    dates = []
    for answer in answers:
        dates.append(str(answer.get("osm3s", {}).get("timestamp_osm_base", ""))[:10])
        for element in answer["elements"]:
            if element.get("type") in found:
                found[element["type"]][element["id"]] = element
    _place_nodes(found)
    try:
        with osmium.SimpleWriter(str(path)) as writer:
            for _, node in sorted(found["node"].items()):
                place = (node["lon"], node["lat"])
                writer.add_node(mutable.Node(id=node["id"], location=place, tags=node.get("tags")))
            for _, way in sorted(found["way"].items()):
                writer.add_way(mutable.Way(id=way["id"], nodes=way["nodes"], tags=way.get("tags")))
            for _, relation in sorted(found["relation"].items()):
                members = [(_LETTER[m["type"]], m["ref"], m["role"]) for m in relation["members"]]
                writer.add_relation(
                    mutable.Relation(id=relation["id"], members=members, tags=relation.get("tags"))
                )
    except (KeyError, TypeError, ValueError) as fault:
        raise OfflineError(
            f"The map server's answer lacks a part of an object ({fault}). Try again, or another server."
        ) from fault
    return min(filter(None, dates), default="")


def _place_nodes(found: dict[str, dict[int, Element]]) -> None:
    """Some answers write a way's positions beside its node ids, and no nodes."""
    for way in found["way"].values():
        for ref, at in zip(way.get("nodes", ()), way.get("geometry", ()), strict=False):
            if at:
                found["node"].setdefault(ref, {"id": ref, "lat": at["lat"], "lon": at["lon"]})

"""An Overpass and a Nominatim server on this machine, for the requests that OSMnx sends, and their bad days."""

import gzip
import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import osmium
import shapely
from osm_files import OsmFile

DATE = "2024-05-06T07:08:09Z"
STATUS = "Connected as: 1\nCurrent time: 2024-05-06T07:08:09Z\nAnnounced endpoint: none\n"
SLOTS = f"{STATUS}Rate limit: 2\n2 slots available now.\nCurrently running queries (pid, ...):\n"
NO_LIMIT = f"{STATUS}Rate limit: 0\nCurrently running queries (pid, space limit, time limit, start time):\n"
BUSY = f"{STATUS}Rate limit: 2\nSlot available after: 2034-05-06T07:08:09Z, in 315360000 seconds.\n"
REMARK = 'runtime error: Query timed out in "query" at line 1 after 181 seconds.'
_STATEMENT = re.compile(r"\b(node|way|relation)((?:\[[^\]]*\])+)\(poly:'([^']*)'\)")
_TEST = re.compile(r"""\[(["'])(.+?)\1(?:(=|!?~)(["'])(.*?)\4)?\]""")


def osm_data(path: Path) -> OsmFile:
    """Read all of an extract into memory."""
    data = OsmFile()
    for thing in osmium.FileProcessor(str(path)):
        tags = dict(thing.tags)
        if thing.is_node():
            data.nodes[thing.id] = (thing.lon, thing.lat, tags)
        elif thing.is_way():
            data.ways[thing.id] = ([n.ref for n in thing.nodes], tags)
        elif thing.is_relation():
            data.relations[thing.id] = ([(m.type, m.ref, m.role) for m in thing.members], tags)
    return data


class Overpass:
    """Answers queries about an ``OsmFile`` as Overpass does, as far as OSMnx's queries go."""

    def __init__(self, data: OsmFile) -> None:
        self.data = data
        self.by_key: dict[str, dict[str, list[int]]] = {
            k: defaultdict(list) for k in ("node", "way", "relation")
        }
        things = {"node": data.nodes, "way": data.ways, "relation": data.relations}
        for kind, table in things.items():
            for number, row in table.items():
                for key in row[-1]:
                    self.by_key[kind][key].append(number)
        self.shapes: dict[int, shapely.Geometry] = {}
        for number, (refs, _) in data.ways.items():
            points = [data.nodes[ref][:2] for ref in refs if ref in data.nodes]
            self.shapes[number] = shapely.LineString(points) if len(points) > 1 else shapely.LineString()

    def answer(self, query: str) -> dict[str, Any]:
        """Return the objects that a query asks for, with all the nodes and ways they are made of."""
        wanted: dict[str, set[int]] = {"node": set(), "way": set(), "relation": set()}
        zones: dict[str, shapely.Polygon] = {}
        for kind, tests, poly in _STATEMENT.findall(query):
            if poly not in zones:
                numbers = np.array(poly.split(), dtype=float).reshape(-1, 2)
                zones[poly] = shapely.Polygon(numbers[:, ::-1])
                shapely.prepare(zones[poly])
            wanted[kind] |= self._found(kind, _TEST.findall(tests), zones[poly])
        for relation in wanted["relation"]:
            wanted["way"] |= {ref for kind, ref, _ in self.data.relations[relation][0] if kind == "w"}
            wanted["node"] |= {ref for kind, ref, _ in self.data.relations[relation][0] if kind == "n"}
        wanted["way"] &= set(self.data.ways)
        for way in wanted["way"]:
            wanted["node"] |= set(self.data.ways[way][0])
        wanted["node"] &= set(self.data.nodes)
        return {
            "version": 0.6,
            "generator": "made up",
            "osm3s": {"timestamp_osm_base": DATE, "copyright": "ODbL"},
            "elements": [*self._elements(wanted)],
        }

    def _found(self, kind: str, tests: list[tuple[str, ...]], zone: shapely.Polygon) -> set[int]:
        first = next(key for _, key, operator, _, _ in tests if operator in ("", "=", "~"))
        numbers = [n for n in self.by_key[kind][first] if _passes(self._tags(kind, n), tests)]
        if kind == "node":
            return {n for n in numbers if zone.intersects(shapely.Point(self.data.nodes[n][:2]))}
        if kind == "way":
            return {n for n in numbers if zone.intersects(self.shapes[n])}
        return {
            n
            for n in numbers
            if any(
                kind == "w" and zone.intersects(self.shapes.get(ref, shapely.LineString()))
                for kind, ref, _ in self.data.relations[n][0]
            )
        }

    def _tags(self, kind: str, number: int) -> Mapping[str, str]:
        table = {"node": self.data.nodes, "way": self.data.ways, "relation": self.data.relations}[kind]
        return table[number][-1]

    def _elements(self, wanted: Mapping[str, Iterable[int]]) -> Iterable[dict[str, Any]]:
        long = {"n": "node", "w": "way", "r": "relation"}
        for number in sorted(wanted["node"]):
            lon, lat, tags = self.data.nodes[number]
            yield {"type": "node", "id": number, "lat": lat, "lon": lon, **({"tags": tags} if tags else {})}
        for number in sorted(wanted["way"]):
            refs, tags = self.data.ways[number]
            here = [ref for ref in refs if ref in self.data.nodes]
            yield {"type": "way", "id": number, "nodes": here, **({"tags": tags} if tags else {})}
        for number in sorted(wanted["relation"]):
            members, tags = self.data.relations[number]
            listed = [{"type": long[kind], "ref": ref, "role": role} for kind, ref, role in members]
            yield {"type": "relation", "id": number, "members": listed, "tags": tags}


def _passes(tags: Mapping[str, str], tests: list[tuple[str, ...]]) -> bool:
    for _, key, operator, _, value in tests:
        have = tags.get(key)
        if operator == "!~":
            if have is not None and re.search(value, have):
                return False
        elif (
            have is None
            or (operator == "=" and have != value)
            or (operator == "~" and not re.search(value, have))
        ):
            return False
    return True


def place(
    name: str, outline: shapely.Geometry, *, osm_id: int = 1, importance: float = 0.6, **more: Any
) -> dict:
    """Return a result as Nominatim gives it."""
    west, south, east, north = outline.bounds
    return {
        "place_id": osm_id, "licence": "ODbL", "osm_type": "relation", "osm_id": osm_id, "class": "boundary",
        "type": "administrative", "name": name.split(",")[0], "display_name": name, "importance": importance,
        "lat": str(outline.centroid.y), "lon": str(outline.centroid.x),
        "boundingbox": [str(south), str(north), str(west), str(east)],
        "geojson": json.loads(shapely.to_geojson(outline)), **more,
    }  # fmt: skip


@dataclass
class FakeServers:
    """Both servers at one address. ``fault`` is how Overpass behaves from request ``fault_from`` on."""

    overpass: Overpass
    places: Mapping[str, list[dict[str, Any]]]
    status: str | None = SLOTS
    fault: str = ""
    fault_from: int = 0
    nominatim_fault: str = ""
    asked: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    end: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "FakeServers":
        servers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802
                servers.get(self)

            def do_POST(self) -> None:  # noqa: N802
                servers.post(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    def count(self, path: str) -> int:
        """Return how often a path was asked for."""
        return sum(asked == path for asked, _, _ in self.asked)

    def get(self, http: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(http.path)
        self.asked.append((parts.path, dict(http.headers), parts.query))
        query = parse_qs(parts.query)
        if parts.path == "/api/status":
            if self.status is None:
                self.send(http, 404, b"no such page")
            elif self.status == "silent":
                self.end.wait(20)
            else:
                self.send(http, 200, self.status.encode(), kind="text/plain")
        elif parts.path == "/search":
            self.bad_or(http, self.nominatim_fault, self.places.get(query["q"][0], []))
        elif parts.path == "/lookup":
            ids = {f"R{r['osm_id']}": [r] for results in self.places.values() for r in results}
            self.bad_or(http, self.nominatim_fault, ids.get(query["osm_ids"][0], []))
        else:
            self.send(http, 404, b"no such page")

    def post(self, http: BaseHTTPRequestHandler) -> None:
        body = http.rfile.read(int(http.headers["Content-Length"])).decode()
        query = parse_qs(body)["data"][0]
        path = urlsplit(http.path).path
        fault = self.fault if self.count(path) >= self.fault_from else ""
        self.asked.append((path, dict(http.headers), query))
        self.bad_or(http, fault, self.overpass.answer(query))

    def bad_or(self, http: BaseHTTPRequestHandler, fault: str, answer: Any) -> None:
        """Send the answer, or what a bad day makes of it."""
        body = json.dumps(answer).encode()
        if fault in ("429", "504", "400"):
            self.send(http, int(fault), b"<html>an error page</html>", kind="text/html")
        elif fault == "truncated":  # what it is, cut off, and said to be whole
            self.send(http, 200, body[: len(body) // 2])
        elif fault == "broken off":  # fewer bytes than announced
            self.send(http, 200, body[: len(body) // 2], length=len(body))
        elif fault == "remark":
            half = answer["elements"][: len(answer["elements"]) // 2]
            self.send(http, 200, json.dumps({**answer, "elements": half, "remark": REMARK}).encode())
        elif fault == "empty":
            self.send(http, 200, json.dumps({**answer, "elements": []}).encode())
        elif fault == "web page":
            self.send(http, 200, b"<html>please log in to this network</html>", kind="text/html")
        elif fault == "other json":
            self.send(http, 200, b'{"hello": "world"}')
        elif fault == "silent":
            self.end.wait(20)
        elif fault == "trickle":
            http.send_response(200)
            http.send_header("Content-Length", str(len(body)))
            http.end_headers()
            for byte in body:
                if self.end.wait(0.1):
                    return
                http.wfile.write(bytes([byte]))
        elif fault == "gzip":
            self.send(http, 200, gzip.compress(body), encoding="gzip")
        else:
            self.send(http, 200, body)

    def send(
        self,
        http: BaseHTTPRequestHandler,
        status: int,
        body: bytes,
        *,
        kind: str = "application/json",
        length: int | None = None,
        encoding: str = "",
    ) -> None:
        http.send_response(status)
        http.send_header("Content-Type", kind)
        http.send_header("Content-Length", str(len(body) if length is None else length))
        if encoding:
            http.send_header("Content-Encoding", encoding)
        http.end_headers()
        http.wfile.write(body)

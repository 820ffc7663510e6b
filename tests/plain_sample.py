"""A bundled town walked and scored once more, by networkx and plain loops from its files: the tests' oracle.

Nothing of the package is used, only the files in data/ and layers/ and the rules of the method page.
"""

import json
import math
import tomllib
from collections import defaultdict
from pathlib import Path

import geopandas as gpd
import shapely
from split_graph import Row, home_mm, split_graph

SPEED, LIMIT_M, HORIZON = 1.25, 100.0, 30.0
NU = 2 ** (-15 / 5)


def decay(minutes: float) -> float:
    """Halved each five minutes, 0 beyond the horizon."""
    return 2 ** (-minutes / 5) if minutes <= HORIZON else 0.0


def diversity(counts: dict[str, float]) -> float:
    """Chance that two people drawn at random differ in group."""
    total = sum(counts.values())
    return 1 - sum((n / total) ** 2 for n in counts.values())


class PlainSample:
    """A town's walks and figures; ``minutes`` by (home id, place id)."""

    def __init__(self, data: Path, layers: Path) -> None:
        def read(name: str) -> gpd.GeoDataFrame:
            return gpd.read_parquet(data / f"{name}.parquet")

        self.nodes, self.edges = read("street_nodes"), read("street_edges")
        self.homes, self.places, self.gates = read("residents"), read("places"), read("entrances")
        specs = [tomllib.loads(path.read_text(encoding="utf-8")) for path in layers.glob("*.toml")]
        self.layers = {spec["key"]: spec for spec in sorted(specs, key=lambda s: s["order"])}
        self._prepare_edges()
        home_rows = [self.attach(point) for point in self.homes.geometry]
        self.feet = [None if row is None else self.foot(row) for row in home_rows]
        self.foot_tree = shapely.STRtree([foot for foot in self.feet if foot is not None])
        entries = {(j, row) for j in range(len(self.places)) for row in self.entries_of(j)}
        graph = split_graph(self.arcs, home_rows, entries, self.edges["oneway"].tolist())
        limit_mm = HORIZON * 60 * SPEED * 1000
        self.mm = {
            (self.homes.index[i], place_id): mm
            for j, place_id in enumerate(self.places.index)
            for i, mm in home_mm(graph, ("place", j), limit_mm).items()
        }
        self.minutes = {key: mm / 1000 / SPEED / 60 for key, mm in self.mm.items()}

    # Walking

    def _prepare_edges(self) -> None:
        edges = self.edges
        self.lines = list(edges.geometry)
        self.arcs = [
            (u, v, round((length + wait * SPEED) * 1000))
            for u, v, length, wait in zip(
                edges["u"], edges["v"], edges["length_m"], edges["wait_s"], strict=True
            )
        ]
        part = {node: node for node in self.nodes.index}

        def root(node: int) -> int:
            while part[node] != node:
                node = part[node]
            return node

        for u, v, _ in self.arcs:
            part[root(u)] = root(v)
        metres: dict[int, float] = defaultdict(float)
        for (u, _, _), length in zip(self.arcs, edges["length_m"], strict=True):
            metres[root(u)] += length
        above = [e for e in range(len(self.arcs)) if not edges["tunnel"].iloc[e]]
        joined = {e for e in above if metres[root(self.arcs[e][0])] >= 500}
        self.tiers = [sorted(joined), sorted(set(above) - joined)]
        self.trees = [shapely.STRtree([self.lines[e] for e in tier]) for tier in self.tiers]

    def near(self, shape: shapely.Geometry, limit_m: float, tier: int) -> list[int]:
        """Edges within the limit of a shape."""
        return [
            self.tiers[tier][n] for n in self.trees[tier].query(shape, predicate="dwithin", distance=limit_m)
        ]

    def attach(self, shape: shapely.Geometry, limit_m: float = LIMIT_M) -> Row | None:
        """The foot on the nearest edge: joined streets first, stubs where there is none."""
        for tier in (0, 1):
            found = sorted((self.lines[e].distance(shape), e) for e in self.near(shape, limit_m, tier))
            if found:
                leg, e = found[0]
                line = self.lines[e]
                at = shapely.Point(shapely.shortest_line(line, shape).coords[0])
                return e, self.offset(e, at), round(leg * 1000)
        return None

    def offset(self, e: int, point: shapely.Point) -> int:
        """Millimetres along an edge."""
        return round(self.lines[e].project(point, normalized=True) * self.arcs[e][2])

    def foot(self, row: Row) -> shapely.Point:
        """The point on the drawn line."""
        e, offset, _ = row
        return self.lines[e].interpolate(offset / max(1, self.arcs[e][2]), normalized=True)

    def entries_of(self, j: int) -> list[Row]:
        """The first of the three rules that gives an entry."""
        shape, kind = self.places.geometry.iloc[j], self.places["kind"].iloc[j]
        if shape.geom_type not in ("Polygon", "MultiPolygon"):
            return [row] if (row := self.attach(shape)) else []
        tags = json.loads(self.places["tags"].iloc[j])
        is_open = self.layers[kind]["reach"]["entry"] == "boundary" and not {"barrier", "building"} & set(
            tags
        )
        outline = shape.boundary
        rows = []
        for gate, is_gate in zip(self.gates.geometry, self.gates["is_gate"], strict=True):
            on, within = outline.distance(gate) <= 0.5, shape.distance(gate) <= 0.5
            if (on or (within and (is_gate or not is_open))) and (row := self.attach(gate)):
                rows.append(row)
        if rows:
            return rows
        if is_open:
            rows = self.open_entries(shape)
            if any(e in set(self.tiers[0]) for e, _, _ in rows):
                return rows
        crossings = [row for e in self.near(outline, 0.0, 0) for row in self.crossings(e, outline)]
        if not crossings:
            nearest = self.attach(outline)
            crossings = [nearest] if nearest else []
        return rows + crossings

    def crossings(self, e: int, outline: shapely.Geometry) -> list[Row]:
        """Where an edge meets an outline."""
        points = shapely.get_coordinates(self.lines[e].intersection(outline))
        return [(e, self.offset(e, shapely.Point(p)), 0) for p in points]

    def open_entries(self, shape: shapely.Geometry) -> list[Row]:
        """Crossings, nodes inside, the outline each 25 m within 20 m of an edge, and homes inside."""
        rows: list[Row] = []
        for e in [*self.near(shape, 0.0, 0), *self.near(shape, 0.0, 1)]:
            rows += self.crossings(e, shape.boundary)
            ends = [shapely.Point(self.lines[e].coords[n]) for n in (0, -1)]
            rows += [(e, self.offset(e, end), 0) for end in ends if shape.intersects(end)]
        rings = shapely.get_parts(shape.boundary)
        for ring in rings:
            for n in range(max(1, int(ring.length // 25))):
                if row := self.attach(ring.interpolate(25 * n), 20):
                    rows.append(row)
        for i in self.foot_tree.query(shape, predicate="intersects"):
            if row := self.attach(self.foot_tree.geometries[i], 0.5):
                rows.append((row[0], row[1], 0))
        return rows

    # Scores

    def access(self) -> dict[str, float]:
        """Overall access per home: the geometric mean over kinds of what the three nearest places are worth."""
        total = dict.fromkeys(self.homes.index, 0.0)
        for kind, spec in self.layers.items():
            nearest: dict[str, dict[str, float]] = defaultdict(dict)
            for place in self.places.index[self.places["kind"] == kind]:
                whole = self.places.at[place, "part_of"] or place
                for h in total:
                    if (h, place) in self.minutes:
                        t = self.minutes[h, place]
                        nearest[h][whole] = min(t, nearest[h].get(whole, t))
            weights = (1.0,) if spec["reach"].get("enough") else (1, 0.2, 0.1)
            for h in total:
                times = sorted(nearest[h].values())[: len(weights)]
                score = sum(w * decay(t) for w, t in zip(weights, times, strict=False))
                total[h] += math.log(1 + min(100.0, 100 * score))
        return {h: math.exp(value / len(self.layers)) - 1 for h, value in total.items()}

    def mixing_kinds(self) -> list[str]:
        """Kinds that anybody may choose."""
        return [
            key for key, spec in self.layers.items()
            if not spec.get("access_only", spec.get("open_to", "all") in ("members", "faith"))
        ]  # fmt: skip

    def choices(self, kind: str) -> dict[tuple[str, str], float]:
        """Probability that a resident of a home chooses a place: the best five, ties sharing the last slots."""
        rows = self.places[(self.places["kind"] == kind) & self.places["open_to"].isin(["all", "customers"])]
        chosen = {}
        for h in self.homes.index:
            worth = {p: decay(self.minutes[h, p]) for p in rows.index if (h, p) in self.minutes}
            best = sorted(worth.values(), reverse=True)
            if len(best) > 5:
                last = best[4]
                tied = [p for p, f in worth.items() if abs(f - last) <= 1e-9 * last]
                above = [p for p, f in worth.items() if f > last and p not in tied]
                share = (5 - len(above)) / len(tied)
                worth = {p: worth[p] * (share if p in tied else 1.0) for p in (*above, *tied)}
            for p, s in worth.items():
                chosen[h, p] = s / (NU + sum(worth.values()))
        return chosen

    def mixing(self, dimension: str) -> tuple[dict[str, tuple[float, float, float]], dict[str, float], float]:
        """Per place M, F and visitors; per kind Q; and the share of people with a mixed place in 10 minutes."""
        groups = [c for c in self.homes if c.startswith(f"{dimension}:")]
        n = {(h, g): float(self.homes.at[h, g]) for h in self.homes.index for g in groups}
        town = {g: sum(n[h, g] for h in self.homes.index) for g in groups}
        people = sum(town.values())
        places, q = {}, {}
        for kind in self.mixing_kinds():
            users = self.layers[kind].get("users", "all")
            if users != "all" and any(user.startswith(f"{dimension}:") for user in users):
                continue
            visitors: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(groups, 0.0))
            for (h, p), share in self.choices(kind).items():
                for g in groups:
                    visitors[p][g] += n[h, g] * share
            met = 0.0
            for p, counts in visitors.items():
                v = sum(counts.values())
                if v:
                    apart = sum(abs(counts[g] / v - town[g] / people) for g in groups)
                    places[p] = (diversity(counts) / diversity(town), 1 - apart / 2, v)
                    met += v * diversity(counts)
            q[kind] = met / (people * diversity(town))
        mixed = {p for p, (m, f, v) in places.items() if m >= 0.8 and f >= 0.7 and v >= 50}
        served = {h for (h, p), t in self.minutes.items() if t <= 10 and p in mixed}
        return places, q, sum(n[h, g] for h in served for g in groups) / people

"""The town's figures once more in plain loops: the second half of the tests' oracle."""
# ruff: noqa: N806, PD008 (the definition's own symbols; single cells are what is read)

import math
from typing import Any

import pandas as pd
from plain_score import NAN, PlainScore, Row, div, mean_of, shannon, simpson


class PlainTown(PlainScore):
    """Assessment.city, exposure, equity and inequality, recomputed in loops."""

    def city_rows(self, made: dict[tuple[str, str], Row], rows: dict[str, Row]) -> dict[tuple[str, str], Row]:
        """Assessment.city by dimension and kind."""
        out = {}
        for d in self.dims:
            W = sum(self.weight[k] for k in self.mixes[d])
            weights = {k: {k: 1.0} for k in self.mixes[d]}
            weights["all"] = {k: self.weight[k] / W for k in self.mixes[d]} if W else {}
            for name, omega in weights.items():
                out[d, name] = self._city_row(d, omega, made, rows) | self._home_row(d)
        return out

    def _home_row(self, d: str) -> Row:
        core = [h for h in self.homes if self.core[h]]
        row: Row = {}
        N, P, G = self.N[d], self.P[d], len(self.present[d])
        if G > 1:
            row["islands_home"] = 1 - sum(
                self.people(h, d) * simpson(self.e[h, d]) for h in core if self.people(h, d)
            ) / (N * self.IP[d])
            row["h_home"] = 1 - sum(
                self.people(h, d) * shannon(self.e[h, d]) for h in core if self.people(h, d)
            ) / (N * shannon(P))
            floor = (
                sum(
                    self.people(h, d) * (1 / sum(self.e[h, d].values()) - 1 / N)
                    for h in core
                    if self.people(h, d)
                )
                / N
            )
            row["islands_home_floor"] = max(0.0, floor)
            row["h_home_floor"] = (G - 1) / (2 * shannon(P)) * max(0.0, floor)
            zones: dict[str, dict[str, float]] = {}
            for h in core:
                z = self.city.residents.at[h, "zone_id"] if "zone_id" in self.city.residents else None
                unit = zones.setdefault(f"home {h}" if pd.isna(z) else z, dict.fromkeys(self.present[d], 0.0))
                for g in unit:
                    unit[g] += self.n[h, d, g]
            units = [u for u in zones.values() if sum(u.values())]
            row["h_units"] = 1 - self.sums(units, shannon) / (N * shannon(P))
            row["h_units_floor"] = (len(units) - 1) * (G - 1) / (2 * N * shannon(P))
        return row

    def _city_row(
        self, d: str, omega: dict[str, float], made: dict[tuple[str, str], Row], rows: dict[str, Row]
    ) -> Row:
        core = [h for h in self.homes if self.core[h]]
        row: Row = {}
        N = self.N[d]
        units: dict[Any, list[dict[str, float]]] = {0: [], 0.5: [], 1: [], "m1": []}
        at_home: dict[Any, dict[str, float]] = {0: dict.fromkeys(core, 0.0), "m1": dict.fromkeys(core, 0.0)}
        minutes, nearest, bridging, unreached = 0.0, 0.0, [], 0.0
        for k, w in omega.items():
            for run in (0, 0.5, 1, "m1"):
                pi = made[d, k]["m1"] if run == "m1" else made[d, k]["runs"][run]
                V = self.visits(pi, k, d, core=True)
                units[run] += [{g: w * x for g, x in v.items()} for v in V.values()]
                if run in at_home:
                    for (h, _p, g), share in pi.items():
                        if self.core[h] and g in self.present[d]:
                            at_home[run][h] += w * self.n[h, d, g] * share
            least = {
                h: min((self.t[h, p] for p in self.mixing_places[k] if (h, p) in self.t), default=None)
                for h in core
            }
            for (h, p, g), share in made[d, k]["runs"][0].items():
                if self.core[h] and g in self.present[d]:
                    minutes += w * self.n[h, d, g] * share * self.t[h, p]
                    nearest += w * self.n[h, d, g] * share * (self.t[h, p] <= least[h] + 1e-9)
            clusters = {p: dict.fromkeys(self.present[d], 0.0) for p in self.mixing_places[k]}
            for h in core:
                if least[h] is None:
                    unreached += w * div(self.people(h, d), N)
                    continue
                ties = [p for p in clusters if self.t.get((h, p), math.inf) <= least[h] + 1e-9]
                for p in ties:
                    for g in clusters[p]:
                        clusters[p][g] += self.n[h, d, g] / len(ties)
            reached = {g: sum(c[g] for c in clusters.values()) for g in self.present[d]}
            if sum(reached.values()) and sum(x > 0 for x in reached.values()) > 1:
                bridging.append(
                    (
                        self.sums(list(clusters.values()), simpson)
                        / sum(reached.values())
                        / simpson(reached),
                        w,
                    )
                )
        if not omega:
            return {}
        star = {g: sum(u[g] for u in units[0]) for g in self.present[d]}
        T = sum(star.values())
        many = sum(x > 0 for x in star.values()) > 1
        row["participation"] = div(T, N)
        row["mean_visit_min"], row["share_nearest"] = div(minutes, T), div(nearest, T)
        row["unreached"] = unreached if N else NAN
        near = {
            h: any(self.t.get((h, p), 99) <= 10 for k in omega for p in self.mixing_places[k]) for h in core
        }
        row["any_place_10min"] = mean_of([(float(near[h]), self.people(h, d)) for h in core])
        if not self.IP[d]:
            return row
        for run, suffix in ((0, ""), (0.5, "_sorted_half"), (1, "_sorted")):
            row[f"q{suffix}"] = self.sums(units[run], simpson) / (N * self.IP[d])
            row[f"islands_places{suffix}"] = (
                1 - self.sums(units[run], simpson) / (T * simpson(star)) if many else NAN
            )
        row["visit_diversity"] = div(simpson(star), self.IP[d]) if T else NAN
        row["h_places"] = 1 - self.sums(units[0], shannon) / (T * shannon(star)) if many else NAN
        home = sum(x * simpson(self.e[h, d]) for h, x in at_home[0].items() if x)
        row["islands_home_visits"] = 1 - home / (T * simpson(star)) if many else NAN
        stay = sum(
            (self.people(h, d) - at_home[0][h]) * simpson(self.e[h, d]) for h in core if self.people(h, d)
        )
        row["islands_day"] = 1 - (self.sums(units[0], simpson) + stay) / (N * self.IP[d])
        star1 = {g: sum(u[g] for u in units["m1"]) for g in self.present[d]}
        if sum(x > 0 for x in star1.values()) > 1:
            possible = sum(star1.values()) * simpson(star1)
            row["islands_places_nearest"] = 1 - self.sums(units["m1"], simpson) / possible
            home1 = sum(x * simpson(self.e[h, d]) for h, x in at_home["m1"].items() if x)
            row["islands_home_visits_nearest"] = 1 - home1 / possible
        row["bridging_index_nearest"] = mean_of(bridging)
        for suffix in ("", "_sorted"):
            flags = {
                h: any(
                    rows[p].get(f"mixed{suffix}:{d}") == 1 and self.t.get((h, p), 99) <= 10
                    for k in omega
                    for p in self.mixing_places[k]
                )
                for h in core
            }
            row[f"mixed_place_10min{suffix}"] = mean_of([(float(flags[h]), self.people(h, d)) for h in core])
        return row

    def exposure_rows(self, made: dict[tuple[str, str], Row]) -> dict[tuple[str, ...], Row]:
        """Assessment.exposure."""
        out = {}
        for d, groups in self.dims.items():
            W = sum(self.weight[k] for k in self.mixes[d])
            weights = {k: {k: 1.0} for k in self.mixes[d]}
            if self.mixes[d]:
                weights["all"] = {k: self.weight[k] / W for k in self.mixes[d]}
            for name, omega in weights.items():
                for g in groups:
                    for x in groups:
                        met = home = total = 0.0
                        for k, w in omega.items():
                            for v in self.visits(made[d, k]["runs"][0], k, d, core=True).values():
                                if g in v and sum(v.values()):
                                    met += w * v[g] * v.get(x, 0.0) / sum(v.values())
                                    total += w * v[g]
                            for (h, _p, y), share in made[d, k]["runs"][0].items():
                                if y == g and self.core[h] and g in self.present[d] and self.n[h, d, g]:
                                    home += (
                                        w
                                        * self.n[h, d, g]
                                        * share
                                        * self.e[h, d].get(x, 0.0)
                                        / sum(self.e[h, d].values())
                                    )
                        ok = self.IP[d] and g in self.present[d]
                        out[d, name, g, x] = {
                            "share": div(met, total) if ok else NAN,
                            "share_at_home": div(home, total) if ok else NAN,
                            "share_if_even": self.P[d].get(x, 0.0) / self.N[d] if ok else NAN,
                        }
        return out

    def equity_rows(
        self, made: dict[tuple[str, str], Row], homes: dict[str, Row]
    ) -> dict[tuple[str, str], Row]:
        """Assessment.equity."""
        out = {}
        core = [h for h in self.homes if self.core[h]]
        for d, groups in self.dims.items():
            W = sum(self.weight[k] for k in self.mixes[d])
            for g in groups:

                def mean(value: Any, d: str = d, g: str = g) -> float:
                    return mean_of([(value(h), self.n[h, d, g]) for h in core])

                row = {"access_mean": mean(lambda h: homes[h]["access"])}
                for k in self.kinds:
                    row[f"share_within_10_min:{k}"] = mean(
                        lambda h, k=k: float(homes[h][f"nearest_min:{k}"] <= 10)
                    )
                    row[f"share_within_norm:{k}"] = mean(lambda h, k=k: homes[h][f"within_norm:{k}"])
                for suffix in ("", "_sorted"):
                    row[f"mixed_place_10min{suffix}"] = mean(
                        lambda h, s=suffix, d=d: homes[h].get(f"mixed_place_10min{s}:{d}", NAN)
                    )
                if self.mixes[d]:
                    row["any_place_10min"] = mean(
                        lambda h, d=d: float(
                            any(
                                self.t.get((h, p), 99) <= 10
                                for k in self.mixes[d]
                                for p in self.mixing_places[k]
                            )
                        )
                    )
                    row["participation"] = div(
                        sum(
                            self.weight[k] / W * self.n[h, d, g] * share
                            for k in self.mixes[d]
                            for (h, _p, x), share in made[d, k]["runs"][0].items()
                            if x == g and self.core[h]
                        ),
                        sum(self.n[h, d, g] for h in core),
                    )
                out[d, g] = row
        return out

    def inequality_row(self, homes: dict[str, Row]) -> Row:
        """The columns of Assessment.inequality over everybody."""
        core = [h for h in self.homes if self.core[h]]
        total = sum(self.P_all[h] for h in core)
        mean = mean_of([(homes[h]["access"], self.P_all[h]) for h in core])
        apart = sum(
            self.P_all[a] * self.P_all[b] * abs(homes[a]["access"] - homes[b]["access"])
            for a in core
            for b in core
        )
        row = {"gini": div(apart, 2 * total**2 * mean) if total and mean else NAN}
        for k in self.kinds:
            row[f"share_beyond_norm:{k}"] = mean_of(
                [(1 - homes[h][f"within_norm:{k}"], self.P_all[h]) for h in core]
            )
        return row

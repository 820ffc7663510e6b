"""The score once more, in plain loops over dictionaries and straight from its definition: the tests' oracle.

Nothing of the package's arithmetic is used here. Slow on purpose.
"""
# ruff: noqa: N806, PD008 (the definition's own symbols; single cells are what is read)

import math
from typing import Any

import pandas as pd

NAN = float("nan")
Row = dict[str, Any]


def div(a: float, b: float) -> float:
    """Divide, NaN where undefined."""
    return a / b if b else NAN


def mean_of(pairs: list[tuple[float, float]]) -> float:
    """Weighted mean of (value, weight)."""
    weight = sum(w for _, w in pairs)
    return div(sum(v * w for v, w in pairs if w), weight)


def simpson(counts: dict[str, float]) -> float:
    """I(p) of counts by group."""
    total = sum(counts.values())
    return 1 - sum((x / total) ** 2 for x in counts.values()) if total else NAN


def shannon(counts: dict[str, float]) -> float:
    """E(p) of counts by group."""
    total = sum(counts.values())
    return -sum(x / total * math.log(x / total) for x in counts.values() if x) if total else NAN


class PlainScore:
    """Every table of an assessment, recomputed in loops from a city's tables."""

    def __init__(self, city: Any) -> None:
        self.city, self.p = city, city.params
        res, pla = city.residents, city.places
        self.homes, self.places = list(res.index), list(pla.index)
        self.kinds = list(self.p.kinds) or sorted(set(pla["kind"]))
        self.core = {h: bool(res.at[h, "core"]) if "core" in res else True for h in self.homes}
        self.dims: dict[str, list[str]] = {}
        for c in res.columns:
            if ":" in c and not c.endswith(":unknown"):
                self.dims.setdefault(c.split(":")[0], []).append(c.split(":")[1])
        self.n = {
            (h, d, g): float(res.at[h, f"{d}:{g}"])
            for h in self.homes
            for d, gs in self.dims.items()
            for g in gs
        }
        self.P_all = {}
        for h in self.homes:
            if "total" in res:
                self.P_all[h] = float(res.at[h, "total"])
            else:
                sums: dict[str, float] = {}
                for c in res.columns:
                    if ":" in c:
                        sums[c.split(":")[0]] = sums.get(c.split(":")[0], 0) + float(res.at[h, c])
                self.P_all[h] = max(sums.values())
        self.present = {
            d: [g for g in gs if sum(self.n[h, d, g] for h in self.homes if self.core[h]) > 0]
            for d, gs in self.dims.items()
        }
        self.N = {
            d: sum(self.n[h, d, g] for h in self.homes if self.core[h] for g in gs)
            for d, gs in self.dims.items()
        }
        self.P = {
            d: {g: sum(self.n[h, d, g] for h in self.homes if self.core[h]) for g in self.present[d]}
            for d in self.dims
        }
        self.IP = {d: simpson(self.P[d]) if len(self.P[d]) > 1 else 0.0 for d in self.dims}
        self.t: dict[tuple[str, str], float] = {}
        for h, p, m in city.travel_times[["home_id", "place_id", "minutes"]].itertuples(index=False):
            if m <= self.p.horizon_min:
                self.t[h, p] = min(m, self.t.get((h, p), math.inf))
        self.kind = {p: pla.at[p, "kind"] for p in self.places}
        self._who_mixes()
        self._environments()

    def f(self, t: float) -> float:
        """The default decay."""
        return 2 ** (-t / self.p.half_time_min) if t <= self.p.horizon_min else 0.0

    def cell(self, p: str, column: str, default: Any) -> Any:
        """A place's value, or the default where blank."""
        table = self.city.places
        if column not in table or pd.isna(table.at[p, column]):
            return default
        return table.at[p, column]

    def _who_mixes(self) -> None:
        of_kind = {k: [p for p in self.places if self.kind[p] == k] for k in self.kinds}
        named = {self.cell(p, "part_of", None) for p in self.places}
        self.mixing_places = {}
        self.chosen = []
        for k in self.kinds:
            open_ = [p for p in of_kind[k] if self.cell(p, "open_to", "all") in ("all", "customers")]
            open_ = [p for p in open_ if self.cell(p, "part_of", None) or p not in named]
            self.mixing_places[k] = open_ if k not in self.p.access_only else []
            if k not in self.p.access_only and (open_ or not of_kind[k]):
                self.chosen.append(k)
        self.of_kind = of_kind
        users = dict(self.p.users)
        self.mixes = {
            d: [k for k in self.chosen if not any(u.split(":")[0] == d for u in users.get(k, ()))]
            for d in self.dims
        }
        self.weight = {k: float(dict(self.p.kind_weights).get(k, 1)) for k in self.kinds}

    def _environments(self) -> None:
        self.near: dict[str, set[str]] = {h: {h} for h in self.homes}
        if self.city.home_times is not None:
            for a, b, m in self.city.home_times[["from_id", "to_id", "minutes"]].itertuples(index=False):
                if m <= self.p.environment_min:
                    self.near[a].add(b)
        self.e = {
            (h, d): {g: sum(self.n[o, d, g] for o in self.near[h]) for g in self.present[d]}
            for h in self.homes
            for d in self.dims
        }

    def alpha(self, p: str, d: str | None = None, g: str | None = None) -> float:
        """Attractiveness, for a group if there is evidence."""
        base = float(self.cell(p, "attractiveness", 1.0))
        return base if d is None else float(self.cell(p, f"attractiveness:{d}:{g}", base))

    def choice(
        self, k: str, m: int | None, d: str | None = None, g: str | None = None
    ) -> dict[tuple[str, str], float]:
        """pi_ij of kind k, for a group if given."""
        nu = 2 ** (-self.p.outside_min / self.p.half_time_min)
        pi = {}
        for h in self.homes:
            values = {
                p: self.alpha(p, d, g) * self.f(self.t[h, p])
                for p in self.mixing_places[k]
                if (h, p) in self.t
            }
            values = {p: v for p, v in values.items() if v > 0}
            s = dict(values)
            if m is not None and len(values) > m:
                last = sorted(values.values(), reverse=True)[m - 1]
                tied = [p for p, v in values.items() if abs(v - last) <= 1e-9 * last]
                above = [p for p, v in values.items() if v > last and p not in tied]
                s = {p: values[p] for p in above} | {
                    p: values[p] * (m - len(above)) / len(tied) for p in tied
                }
            total = nu + sum(s.values())
            for p, v in s.items():
                pi[h, p] = v / total
        return pi

    def group_choice(self, k: str, d: str, m: int | None) -> dict[tuple[str, str, str], float]:
        """pi_ijg of kind k for all groups of a dimension."""
        return {(h, p, g): v for g in self.dims[d] for (h, p), v in self.choice(k, m, d, g).items()}

    def visits(
        self, pi: dict[tuple[str, str, str], float], k: str, d: str, core: bool
    ) -> dict[str, dict[str, float]]:
        """V_jg by place and group present in the core."""
        V = {p: dict.fromkeys(self.present[d], 0.0) for p in self.mixing_places[k]}
        for (h, p, g), v in pi.items():
            if g in V[p] and (self.core[h] or not core):
                V[p][g] += self.n[h, d, g] * v
        return V

    def sort(
        self, pi: dict[tuple[str, str, str], float], k: str, d: str, eta: float
    ) -> dict[tuple[str, str, str], float]:
        """pi_ijg after one step of sorting."""
        V = self.visits(pi, k, d, core=False)
        star = {g: sum(v[g] for v in V.values()) for g in self.present[d]}
        total = sum(star.values())
        w = {}
        for p, v in V.items():
            here = sum(v.values())
            for g in self.dims[d]:
                if not here or not star.get(g):
                    w[p, g] = 1.0
                else:
                    w[p, g] = ((v[g] / here) / (star[g] / total)) ** eta
        out = dict(pi)
        for h in self.homes:
            for g in self.dims[d]:
                mine = {p: v for (o, p, x), v in pi.items() if o == h and x == g}
                pull = sum(v * w[p, g] for p, v in mine.items())
                if pull:
                    for p, v in mine.items():
                        out[h, p, g] = sum(mine.values()) * v * w[p, g] / pull
        return out

    def sums(self, units: list[dict[str, float]], measure: Any) -> float:
        """sum_u T_u measure(p_u)."""
        return sum(sum(u.values()) * measure(u) for u in units if sum(u.values()))

    def people(self, h: str, d: str) -> float:
        """n_i."""
        return sum(self.n[h, d, g] for g in self.present[d])

    def mixing(self) -> dict[tuple[str, str], Row]:
        """Everything by dimension and kind that the tables are made of."""
        out = {}
        for d in self.dims:
            for k in self.mixes[d]:
                pi = self.group_choice(k, d, self.p.choice_set)
                runs = {eta: pi if eta == 0 else self.sort(pi, k, d, eta) for eta in (0, 0.5, 1)}
                out[d, k] = {"runs": runs, "m1": self.group_choice(k, d, 1)}
        return out

    def place_rows(self, made: dict[tuple[str, str], Row]) -> tuple[dict[str, Row], float]:
        """The columns of Assessment.places that are scores, and U_ref."""
        U = {
            p: sum(self.P_all[h] * self.f(self.t[h, p]) for h in self.homes if (h, p) in self.t)
            for p in self.places
        }
        in_core = [
            U[p] for p in self.places if self.kind[p] in self.kinds and bool(self.cell(p, "core", True))
        ]
        ref = 0.0
        for u in sorted(in_core):
            if sum(x <= u for x in in_core) >= 0.9 * len(in_core) - 1e-9:
                ref = u
                break
        rows: dict[str, Row] = {p: {"reach": U[p]} if self.kind[p] in self.kinds else {} for p in self.places}
        for k in self.chosen:
            pi = self.choice(k, self.p.choice_set)
            r = {h: sum(v for (o, _), v in pi.items() if o == h) for h in self.homes}
            users = [u for u in dict(self.p.users).get(k, ()) if u in self.city.residents]
            has_capacity = any(self.cell(p, "capacity", None) is not None for p in self.of_kind[k])
            for p in self.mixing_places[k]:
                V = {h: self.P_all[h] * pi.get((h, p), 0.0) for h in self.homes}
                rows[p]["visitors"] = sum(V.values())
                rows[p]["room_to_sort"] = mean_of(
                    [(1 - pi[h, p] / r[h], V[h]) for h in self.homes if (h, p) in pi]
                )
                cap = self.cell(p, "capacity", None)
                if has_capacity and cap is not None:
                    D = sum(
                        (self.city.residents.at[h, users[0]] if users else self.P_all[h]) * pi.get((h, p), 0)
                        for h in self.homes
                    )
                    rows[p]["crowding"] = div(D, cap)
            for d, groups in self.dims.items():
                if k not in self.mixes[d]:
                    continue
                blind = self.group_choice(k, d, self.p.choice_set)
                for p in self.mixing_places[k]:
                    for g in groups:
                        rows[p][f"visitors:{d}:{g}"] = sum(
                            self.n[h, d, g] * blind.get((h, p, g), 0.0) for h in self.homes
                        )
        for (d, k), made_k in made.items():
            if not self.IP[d]:
                continue
            for eta, suffix in ((0, ""), (0.5, "_sorted_half"), (1, "_sorted")):
                V = self.visits(made_k["runs"][eta], k, d, core=False)
                for p, v in V.items():
                    total = sum(v.values())
                    M = div(simpson(v), self.IP[d]) if total else NAN
                    F = (
                        1 - 0.5 * sum(abs(v[g] / total - self.P[d][g] / self.N[d]) for g in v)
                        if total
                        else NAN
                    )
                    inherited = 0.0
                    for (h, q, g), share in made_k["runs"][eta].items():
                        if q == p and g in v and total and self.n[h, d, g]:
                            inherited += self.n[h, d, g] * share / total * simpson(self.e[h, d]) / self.IP[d]
                    inherited = inherited if total else NAN
                    reach = min(1.0, U[p] / ref) if ref else 1.0
                    limits = self.p.mixed_at
                    mixed = bool(
                        total
                        and limits[0] - 1e-9 <= M
                        and limits[1] - 1e-9 <= F
                        and total >= limits[2] - 1e-9
                    )
                    row = rows[p]
                    row[f"mix{suffix}:{d}"] = M
                    if eta == 0.5:
                        continue
                    if eta == 0:
                        row[f"chance:{d}"] = simpson(v)
                        row[f"inherited:{d}"] = inherited
                    row[f"representativeness{suffix}:{d}"] = F
                    row[f"bridging{suffix}:{d}"] = M - inherited
                    row[f"meeting_score{suffix}:{d}"] = (
                        100 * math.sqrt(reach * min(1, M, F)) if total else 0.0
                    )
                    row[f"mixed{suffix}:{d}"] = float(mixed)
        return rows, ref

    def home_rows(self, made: dict[tuple[str, str], Row], rows: dict[str, Row]) -> dict[str, Row]:
        """Assessment.homes."""
        out: dict[str, Row] = {}
        W = sum(self.weight.values())
        norms, enough = dict(self.p.norm_min), dict(self.p.enough)
        for h in self.homes:
            row: Row = {}
            score = {}
            for k in self.kinds:
                wholes: dict[Any, tuple[float, float]] = {}
                for p in self.of_kind[k]:
                    if (h, p) in self.t:
                        key = self.cell(p, "part_of", None) or p
                        wholes[key] = min(wholes.get(key, (math.inf, 0.0)), (self.t[h, p], -self.alpha(p)))
                row[f"gravity:{k}"] = sum(-minus * self.f(t) for t, minus in wholes.values())
                times = sorted(t for t, _ in wholes.values())
                row[f"nearest_min:{k}"] = times[0] if times else NAN
                row[f"third_nearest_min:{k}"] = times[2] if len(times) > 2 else NAN
                for c in self.p.cutoffs_min:
                    row[f"count:{k}:{c:g}"] = float(sum(t <= c for t in times))
                f = [self.f(t) for t in times] + [0.0] * 3
                score[k] = min(100, 100 * (f[0] if enough.get(k) else f[0] + 0.2 * f[1] + 0.1 * f[2]))
                row[f"access:{k}"] = score[k]
                row[f"within_norm:{k}"] = float(bool(times) and times[0] <= norms.get(k, 10))
            row["access"] = (
                math.exp(sum(self.weight[k] / W * math.log(1 + score[k]) for k in self.kinds)) - 1
                if self.kinds
                else NAN
            )
            zeros = [k for k in self.kinds if score[k] == 0]
            if len(zeros) > 1:
                row["weakest_kind"] = ";".join(zeros)
            elif self.kinds:
                row["weakest_kind"] = min(
                    self.kinds, key=lambda k: (score[k], -self.weight[k], self.kinds.index(k))
                )
            W_chosen = sum(self.weight[k] for k in self.chosen)
            row["participation"] = div(
                sum(
                    self.weight[k]
                    * sum(v for (o, _), v in self.choice(k, self.p.choice_set).items() if o == h)
                    for k in self.chosen
                ),
                W_chosen,
            )
            for d in self.dims:
                row |= self._home_mixing(h, d, made, rows)
            out[h] = row
        for k in self.chosen:
            self._room(k, out)
        return out

    def _room(self, k: str, out: dict[str, Row]) -> None:
        known = [p for p in self.of_kind[k] if self.cell(p, "capacity", None) is not None]
        users = [u for u in dict(self.p.users).get(k, ()) if u in self.city.residents]
        count = {
            h: float(self.city.residents.at[h, users[0]]) if users else self.P_all[h] for h in self.homes
        }
        pi = self.choice(k, self.p.choice_set)
        demand = {p: sum(count[h] * pi.get((h, p), 0.0) for h in self.homes) for p in known}
        for h in self.homes:
            if known:
                out[h][f"room:{k}"] = sum(
                    pi.get((h, p), 0.0) * float(self.cell(p, "capacity", 0)) / demand[p]
                    for p in known
                    if demand[p]
                )

    def _home_mixing(self, h: str, d: str, made: dict[tuple[str, str], Row], rows: dict[str, Row]) -> Row:
        row: Row = {}
        W = sum(self.weight[k] for k in self.mixes[d])
        if not self.IP[d]:
            return row
        env = self.e[h, d]
        row[f"environment_diversity:{d}"] = simpson(env)
        for g in self.present[d]:
            row[f"meets_others_at_home:{d}:{g}"] = 1 - div(env[g], sum(env.values()))
        for suffix in ("", "_sorted"):
            if self.mixes[d]:
                row[f"mixed_place_10min{suffix}:{d}"] = float(
                    any(
                        rows[p].get(f"mixed{suffix}:{d}") == 1 and self.t.get((h, p), 99) <= 10
                        for k in self.mixes[d]
                        for p in self.mixing_places[k]
                    )
                )
        if not self.core[h] or not W:
            return row
        q, meets, base = 0.0, dict.fromkeys(self.present[d], 0.0), dict.fromkeys(self.present[d], 0.0)
        for k in self.mixes[d]:
            V = self.visits(made[d, k]["runs"][0], k, d, core=True)
            for (o, p, g), share in made[d, k]["runs"][0].items():
                total = sum(V[p].values())
                if o != h or g not in self.present[d] or not total:
                    continue
                q += self.weight[k] / W * self.n[h, d, g] * share * simpson(V[p]) / self.IP[d]
                meets[g] += self.weight[k] * share * (1 - V[p][g] / total)
                base[g] += self.weight[k] * share
        row[f"q:{d}"] = div(q, self.people(h, d))
        for g in self.present[d]:
            row[f"meets_others:{d}:{g}"] = div(meets[g], base[g])
        return row

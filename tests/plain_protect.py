"""The protection of counts once more, in plain loops over dictionaries: slow, and easy to check with a pencil."""

import hashlib
import hmac
import math
from collections.abc import Mapping, Sequence

Point = tuple[float, float]


def plain_u(secret: bytes, cell: str, dimension: str, group: str) -> float:
    """The chance of one count."""
    code = hmac.new(secret, "\n".join((cell, dimension, group)).encode(), hashlib.sha256).digest()
    return int.from_bytes(code[:8], "big") / 2**64


def plain_round(n: float, u: float) -> float:
    """A multiple of 5."""
    low = 5 * math.floor(n / 5)
    return low + 5 if n % 5 > 5 * u else low


def plain_cells(
    cell: Mapping[str, str], total: Mapping[str, float], at: Mapping[str, Point]
) -> dict[str, str]:
    """The cell of each home after all cells of fewer than 50 have joined their nearest."""
    cell = dict(cell)
    while True:
        members: dict[str, list[str]] = {}
        for home, name in cell.items():
            members.setdefault(name, []).append(home)
        size = {name: sum(total[h] for h in homes) for name, homes in members.items()}
        small = min(size, key=lambda name: (size[name], name))
        if size[small] >= 50 or len(size) == 1:
            return cell

        def centre(name: str) -> Point:
            homes = members[name]  # noqa: B023
            weight = {h: total[h] if size[name] else 1.0 for h in homes}  # noqa: B023
            x, y = (sum(weight[h] * at[h][axis] for h in homes) / sum(weight.values()) for axis in (0, 1))
            return x, y

        here = centre(small)
        others = sorted(set(size) - {small})
        into = min(others, key=lambda name: (round(math.dist(here, centre(name)), 6), name))
        for home in members[small]:
            cell[home] = into


def plain_protect(
    counts: Mapping[str, Mapping[str, float]],
    total: Mapping[str, float],
    cell: Mapping[str, str],
    at: Mapping[str, Point],
    secret: bytes,
    weights: Mapping[str, float] | None = None,
) -> tuple[dict[str, str], dict[str, dict[str, float]]]:
    """The cell of each home, and the counts of each home by ``dimension:group``."""
    ends = plain_cells(cell, total, at)
    weight = total if weights is None else weights
    spread: dict[str, dict[str, float]] = {home: {} for home in ends}
    nothing = sum(total.values()) < 50
    names: Sequence[str] = list(next(iter(counts.values())))
    for name in set(ends.values()):
        homes = [h for h in ends if ends[h] == name]
        whole = sum(weight[h] for h in homes)
        for column in names:
            n = 0.0 if nothing else sum(counts[h][column] for h in homes)
            rounded = plain_round(n, plain_u(secret, name, *column.split(":")))
            for h in homes:
                spread[h][column] = rounded * (weight[h] / whole if whole else 1 / len(homes))
    return ends, spread

"""An area scored from its map: attach homes and places, walk, and hand the minutes to the scores."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from gisapp.area import StudyArea
from gisapp.assess import CARRIED, KEEP_BEYOND, WIDEST_ENVIRONMENT_MIN, tabulate, times_table
from gisapp.assessment import Assessment, Inputs
from gisapp.catalogue import LayerSpec
from gisapp.encode import encode_homes, encode_places
from gisapp.errors import InputError, ParamsError, raise_faults
from gisapp.network import engine
from gisapp.network.routing import Routing, report_unattached, route_area
from gisapp.network.times import minutes_of
from gisapp.params import Params, check_params, kind_faults
from gisapp.reuse import Kept, known_homes, known_kind, known_routing, known_town
from gisapp.scores.arrays import Ints, Pairs, Places, make_pairs
from gisapp.scores.kind_pairs import KindPairs
from gisapp.scores.mixing import describe_town
from gisapp.scores.run import KindScores, score_kind
from gisapp.scores.settings import reference_of, settle


def assess(
    area: StudyArea,
    params: Params = Params(),  # noqa: B008 (frozen)
    *,
    since: Assessment | None = None,
) -> Assessment:
    """Score a study area: walking times from every home to every place, access, mixing, equity.

    Where ``params`` is silent, ``kinds``, ``users``, ``enough``, ``norm_min`` and ``access_only`` come from the
    area's layer files. The tables are those of ``assess_tables``; ``travel_times`` holds all pairs within the
    horizon, exact to the millimetre of walk. Groups named in ``params.group_profiles`` have access at the speed and on
    the ways of their own profile. Homes and places too far from any street are in ``quality``. ``since``: an earlier
    assessment of which nothing is computed again that still holds; the result is the same to the bit.

    >>> from gisapp.sources.sample import load_sample
    >>> result = assess(load_sample())
    >>> bool(result.homes["access"].between(0, 100).all())
    True
    """
    if not isinstance(area, StudyArea):
        raise InputError(
            f"assess: is given {area!r:.60}, and needs a study area: load_sample('monaco'), read_area(osm=...) or "
            "read_project(...).area."
        )
    check_params(params)
    raise_faults(kind_faults(params, {*(kind.key for kind in area.kinds), *area.places["kind"]}), ParamsError)
    params = with_layers(params, area.kinds)
    before = since.inputs.kept if since is not None and since.inputs is not None else None
    before = before if isinstance(before, Kept) else None
    homes = known_homes(before, area) or encode_homes(area.residents)
    places = encode_places(area.places, homes, params)
    settings = settle(params, homes, places)
    routing = known_routing(before, area, params) or route_area(area, params)
    reference = reference_of(params, homes)
    town = known_town(before, routing, params, reference) or describe_town(
        homes, routing.environments(homes.counts, limit=routing.limit_mm(params.environment_min)), reference
    )
    limit = routing.limit_mm(params.horizon_min)
    kinds: list[KindScores] = []
    for kind in range(len(settings.kinds)):
        known = known_kind(before, kind, routing, town, places, params, settings)
        if known is None:
            split = _split(routing, places, kind, limit=limit)
            known = score_kind(split, homes, places, town, params, settings)
        kinds.append(known)
    others = {profile for _, profile in params.group_profiles} - {params.profile}
    profiles = {
        name: _splits(route_area(area, own), places, len(settings.kinds), horizon_min=params.horizon_min)
        for name in sorted(others)
        for own in [params.with_(profile=name, speed_kmh=None)]
    }
    scored = tabulate(
        kinds,
        homes,
        places,
        town,
        params,
        settings,
        profiles=profiles,
        carried=area.places[[c for c in CARRIED if c in area.places]],
        quality=report_unattached(area.quality, area, routing, limit_m=params.snap_limit_m),
    )
    engine.compile_in_background()  # for the next time; this one is done
    return Assessment(
        **vars(scored),
        times=partial(_times, routing, places, homes.ids, limit=limit),
        provenance=area.provenance,
        area=area,
        inputs=Inputs(
            homes,
            places,
            partial(
                _splits, routing, places, len(settings.kinds), horizon_min=params.horizon_min * KEEP_BEYOND
            ),
            partial(_home_pairs, routing),
            kept=Kept(area, routing, homes, places, town, params, settings, reference, tuple(kinds)),
        ),
    )


def _split(routing: Routing, places: Places, kind: int, *, limit: int) -> KindPairs:
    members = np.flatnonzero(places.kind == kind)
    found = routing.walks(members, limit=limit)
    minutes = minutes_of(found.mm, routing.network.speed_ms)
    return KindPairs(kind, members, Pairs(found.home, found.place, minutes))


def _splits(routing: Routing, places: Places, n_kinds: int, *, horizon_min: float) -> Iterator[KindPairs]:
    for kind in range(n_kinds):
        yield _split(routing, places, kind, limit=routing.limit_mm(horizon_min))


def _times(routing: Routing, places: Places, homes: pd.Index, *, limit: int) -> pd.DataFrame:
    """Find all walks again, by home and nearest first."""
    found = routing.walks(np.arange(len(places.kind)), limit=limit)
    minutes = minutes_of(found.mm, routing.network.speed_ms)
    return times_table(Pairs(found.home, found.place, minutes), homes, places.ids)


def _home_pairs(routing: Routing, homes: Ints) -> Pairs:
    """Find the pairs from these homes to other homes, as wide as a drawn environment can be."""
    found = routing.home_walks(homes, limit=routing.limit_mm(WIDEST_ENVIRONMENT_MIN))
    here, others = homes[found.place], found.home != homes[found.place]
    minutes = minutes_of(found.mm[others], routing.network.speed_ms)
    return make_pairs(here[others], found.home[others], minutes, len(routing.points))


def with_layers(params: Params, kinds: tuple[LayerSpec, ...]) -> Params:
    """Fill in what ``params`` leaves to the layer files; a kind that ``params`` names keeps what it says.

    >>> playground = LayerSpec("playgrounds", {}, {}, users=("age:0_14",), norm_min=6)
    >>> with_layers(Params(norm_min={"parks": 5}), (playground,)).norm_min
    (('parks', 5), ('playgrounds', 6))
    """
    chosen = [k for k in kinds if not params.kinds or k.key in params.kinds]
    named = {name: dict(getattr(params, name)) for name in ("users", "enough", "norm_min")}
    return params.with_(
        kinds=params.kinds or tuple(k.key for k in kinds),
        users={
            **named["users"],
            **{k.key: k.users for k in chosen if k.users and k.key not in named["users"]},
        },
        enough={**named["enough"], **{k.key: 1 for k in chosen if k.enough and k.key not in named["enough"]}},
        norm_min={
            **named["norm_min"],
            **{k.key: k.norm_min for k in chosen if k.key not in named["norm_min"]},
        },
        access_only=tuple(dict.fromkeys((*params.access_only, *(k.key for k in chosen if k.access_only)))),
    )

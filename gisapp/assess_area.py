"""An area scored from its map: attach homes and places, walk, and hand the minutes to the scores."""

from functools import partial

import numpy as np

from gisapp.area import StudyArea
from gisapp.assess import CARRIED, KEEP_BEYOND, WIDEST_ENVIRONMENT_MIN, assess_core, times_table
from gisapp.assessment import Assessment, Inputs
from gisapp.catalogue import LayerSpec
from gisapp.encode import encode_homes, encode_places
from gisapp.errors import InputError, ParamsError, raise_faults
from gisapp.network.routing import Routing, report_unattached, route_area
from gisapp.params import Params, check_params, kind_faults
from gisapp.scores.arrays import Ints, Pairs, make_pairs


def assess(area: StudyArea, params: Params = Params()) -> Assessment:  # noqa: B008 (frozen)
    """Score a study area: walking times from every home to every place, access, mixing, equity.

    Where ``params`` is silent, ``kinds``, ``users``, ``enough``, ``norm_min`` and ``access_only`` come from the
    area's layer files. The tables are those of ``assess_tables``; ``travel_times`` holds all pairs within the
    horizon, exact to the millimetre of walk. Groups named in ``params.group_profiles`` have access at the speed and on
    the ways of their own profile. Homes and places too far from any street are in ``quality``. ``inputs`` finds longer
    walks when ``sensitivity`` asks for them.

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
    known = {*(kind.key for kind in area.kinds), *area.places["kind"]}
    raise_faults(kind_faults(params, known), ParamsError)
    params = with_layers(params, area.kinds)
    homes = encode_homes(area.residents)
    places = encode_places(area.places, homes, params)
    routing = route_area(area, params)
    pairs = _pairs(routing, horizon_min=params.horizon_min)
    others = {profile for _, profile in params.group_profiles} - {params.profile}
    profiles = {
        name: _pairs(route_area(area, own), horizon_min=params.horizon_min)
        for name in sorted(others)
        for own in [params.with_(profile=name, speed_kmh=None)]
    }
    environment = routing.environments(homes.counts, within_min=params.environment_min)
    scored = assess_core(
        homes,
        places,
        pairs,
        environment,
        params,
        profiles=profiles,
        carried=area.places[[c for c in CARRIED if c in area.places]],
        quality=report_unattached(area.quality, area, routing, limit_m=params.snap_limit_m),
    )
    return Assessment(
        **vars(scored),
        travel_times=times_table(pairs, homes.ids, places.ids),
        provenance=area.provenance,
        area=area,
        inputs=Inputs(
            homes,
            places,
            partial(_pairs, routing, horizon_min=params.horizon_min * KEEP_BEYOND),
            partial(_home_pairs, routing),
        ),
    )


def _pairs(routing: Routing, *, horizon_min: float) -> Pairs:
    found = routing.travel_times(horizon_min=horizon_min)
    return Pairs(found.home, found.place, found.minutes)


def _home_pairs(routing: Routing, homes: Ints) -> Pairs:
    """Find the pairs from these homes to other homes, as wide as a drawn environment can be."""
    wanted = np.zeros(len(routing.points), dtype=bool)
    wanted[homes] = True
    blocks = [
        [values[keep] for values in (here, there, minutes)]
        for here, there, minutes in routing.home_pairs(within_min=WIDEST_ENVIRONMENT_MIN)
        for keep in [wanted[here] & (here != there)]
    ]
    here, there, minutes = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return make_pairs(here, there, minutes, len(routing.points))


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

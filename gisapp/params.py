"""Every choice behind a score, in one frozen value that hashes, prints and stores itself."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, Literal, get_args

from gisapp.errors import ParamsError, raise_faults

# Walking speed in m/s. Sources in docs/method: adult below the lab peak of 1.4 (Bohannon & Andrews 2011),
# child Varela-Martínez et al. 2024, older Asher et al. 2012, wheelchair Tolerico et al. 2007.
PROFILES_MS: Mapping[str, float] = {
    "adult": 1.25,
    "child": 0.90,
    "older": 0.85,
    "wheelchair": 0.80,
    "evening": 1.25,
}

Pairs = tuple[tuple[str, Any], ...]

_PAIR_FIELDS = (
    "enough", "kind_weights", "norm_min", "users", "completeness", "group_profiles", "reference",
)  # fmt: skip


_NEARLY = 0.7  # likeness of two names, 0-1, from which one is taken for the other mistyped
_KIND_FIELDS = ("kinds", "access_only", "enough", "kind_weights", "norm_min", "users", "completeness")


def _pairs(name: str, value: Mapping[str, Any] | Pairs) -> Pairs:
    items = value.items() if isinstance(value, Mapping) else value
    if not isinstance(items, Iterable) or not all(isinstance(i, tuple | list) and len(i) == 2 for i in items):
        raise ParamsError(f"{name}={value!r}: give a mapping, such as {name}={{'parks': ...}}.")
    return tuple((str(k), tuple(v) if isinstance(v, list | tuple | set) else v) for k, v in items)


DecayForm = Literal[
    "half_life", "step", "linear", "exponential", "gaussian", "logistic", "cumulative_gaussian"
]  # fmt: skip
_SPREAD_FORMS = ("logistic", "cumulative_gaussian")


@dataclass(frozen=True)
class Decay:
    """How much a place counts by walking time: a form and its one or two constants, in minutes.

    ``minutes`` is the half-time (``half_life``), the cutoff (``step``, ``linear``), 1/beta
    (``exponential``), the standard deviation (``gaussian``), the inflection point (``logistic``) or the time
    up to which a place counts in full (``cumulative_gaussian``). ``spread`` is the standard deviation of the
    last two. The formulas stand in ``gisapp.scores.decay``. Every form counts 0 beyond the horizon.

    >>> Decay("logistic", 10, spread=3)
    Decay(form='logistic', minutes=10, spread=3)
    >>> Decay("step", 0)
    Traceback (most recent call last):
    gisapp.errors.ParamsError: decay: minutes=0: give a number above 0.
    """

    form: DecayForm = "half_life"
    minutes: float = 5.0
    spread: float | None = None

    def __post_init__(self) -> None:
        faults = []
        if self.form not in get_args(DecayForm):
            faults.append(f"decay: form={self.form!r}: choose one of {', '.join(get_args(DecayForm))}.")
        if not (_is_number(self.minutes) and self.minutes > 0):
            faults.append(f"decay: minutes={self.minutes!r}: give a number above 0.")
        if self.form in _SPREAD_FORMS:
            if not (_is_number(self.spread) and self.spread is not None and self.spread > 0):
                faults.append(f"decay: spread={self.spread!r}: form '{self.form}' needs a number above 0.")
        elif self.spread is not None:
            faults.append(f"decay: spread={self.spread!r}: form '{self.form}' takes none.")
        raise_faults(faults, ParamsError)

    def stretched(self, factor: float) -> "Decay":
        """Return the same form with all its times multiplied by ``factor``."""
        spread = None if self.spread is None else self.spread * factor
        return Decay(self.form, self.minutes * factor, spread)


@dataclass(frozen=True, kw_only=True)
class Params:
    """The parameters of an assessment. Times are minutes, lengths metres, shares 0-1.

    ``None`` or an empty tuple means "from the layer files, else the default"; ``Assessment.params`` has
    everything filled in, so assessing again with it freezes kinds, weights, reference and reach.
    Tuples of pairs accept a mapping.

    >>> Params(enough={"libraries": 1}).enough
    (('libraries', 1),)
    >>> Params().speed_ms
    1.25
    >>> Params(half_time_min=0)
    Traceback (most recent call last):
    gisapp.errors.ParamsError: half_time_min=0: give a number above 0.
    """

    speed_kmh: float | None = None  # None = the profile's
    profile: str = "adult"
    half_time_min: float = 5.0
    horizon_min: float = 30.0
    outside_min: float = 15.0
    choice_set: int | None = 5  # None = every place within the horizon
    choice_weights: tuple[float, ...] = (1.0, 0.2, 0.1)
    environment_min: float = 5.0
    cutoffs_min: tuple[float, ...] = (5.0, 10.0, 15.0)
    snap_limit_m: float = 100.0
    mixed_at: tuple[float, float, float] = (0.8, 0.7, 50.0)  # M, F, visitors
    enough: Pairs = ()  # kind, 1 where one place suffices
    kind_weights: Pairs = ()  # kind, weight; a kind not named has 1
    norm_min: Pairs = ()  # kind, minutes; default 10
    users: Pairs = ()  # kind, groups
    completeness: Pairs = ()  # kind, share mapped; default 0.9
    group_profiles: Pairs = ()  # dimension:group, profile
    access_only: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    reach_full: float | None = None  # U_ref
    reference: Pairs = ()  # dimension:group, share of the core
    decay: Decay | None = None  # None = half-life of half_time_min

    def __post_init__(self) -> None:
        for name in _PAIR_FIELDS:
            object.__setattr__(self, name, _pairs(name, getattr(self, name)))
        for name in ("access_only", "kinds"):
            if isinstance(getattr(self, name), str):  # a plain text is one kind, not its letters
                object.__setattr__(self, name, (getattr(self, name),))
        for name in ("choice_weights", "cutoffs_min", "mixed_at", "access_only", "kinds"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if isinstance(self.decay, Mapping):  # as from_json reads it
            object.__setattr__(self, "decay", Decay(**self.decay))
        raise_faults(self._faults(), ParamsError)

    def _faults(self) -> list[str]:
        faults = []
        positive = ("half_time_min", "horizon_min", "outside_min", "snap_limit_m")
        for name in positive:
            value = getattr(self, name)
            if not (_is_number(value) and value > 0):
                faults.append(f"{name}={value!r}: give a number above 0.")
        if not (_is_number(self.environment_min) and self.environment_min >= 0):
            faults.append(f"environment_min={self.environment_min!r}: give a number of 0 or more.")
        if self.speed_kmh is not None and not (_is_number(self.speed_kmh) and self.speed_kmh > 0):
            faults.append(f"speed_kmh={self.speed_kmh!r}: give a number above 0, or None for the profile's.")
        if self.profile not in PROFILES_MS:
            faults.append(f"profile={self.profile!r}: choose one of {', '.join(PROFILES_MS)}.")
        if self.choice_set is not None and (
            isinstance(self.choice_set, bool) or not isinstance(self.choice_set, int) or self.choice_set < 1
        ):
            faults.append(
                f"choice_set={self.choice_set!r}: give a whole number of 1 or more, or None for all."
            )
        if not self.choice_weights or not all(_is_number(w) and w >= 0 for w in self.choice_weights):
            faults.append(f"choice_weights={self.choice_weights!r}: give one or more numbers of 0 or more.")
        if not all(_is_number(c) and c > 0 for c in self.cutoffs_min):
            faults.append(f"cutoffs_min={self.cutoffs_min!r}: give numbers above 0.")
        if len(self.mixed_at) != 3 or not all(_is_number(v) and v >= 0 for v in self.mixed_at):
            faults.append(f"mixed_at={self.mixed_at!r}: give three numbers of 0 or more (M, F, visitors).")
        if self.reach_full is not None and not (_is_number(self.reach_full) and self.reach_full >= 0):
            faults.append(f"reach_full={self.reach_full!r}: give a number of 0 or more, or None.")
        for name, low, high in (
            ("kind_weights", 0.0, math.inf),
            ("norm_min", 0.0, math.inf),
            ("completeness", 0.0, 1.0),
            ("reference", 0.0, 1.0),
        ):
            for key, value in getattr(self, name):
                if not (_is_number(value) and low <= value <= high):
                    faults.append(f"{name}[{key!r}]={value!r}: give a number from {low:g} to {high:g}.")
        for key, profile in self.group_profiles:
            if profile not in PROFILES_MS:
                faults.append(f"group_profiles[{key!r}]={profile!r}: choose one of {', '.join(PROFILES_MS)}.")
        for name in (*_PAIR_FIELDS,):
            keys = [key for key, _ in getattr(self, name)]
            for key in sorted({k for k in keys if keys.count(k) > 1}):
                faults.append(f"{name}: '{key}' is named twice.")
        if not isinstance(self.decay, Decay | None):
            faults.append(f"decay={self.decay!r}: give a Decay, or None for the half-life.")
        if self.kinds and not any(dict(self.kind_weights).get(kind, 1) for kind in self.kinds):
            faults.append("kind_weights: every kind has weight 0; give one kind a weight above 0.")
        for kind in self.kinds:
            if kind == "all" or ":" in kind:
                faults.append(f"kinds: '{kind}' cannot be a kind's name ('all' and ':' are reserved).")
        if len(set(self.kinds)) != len(self.kinds):
            faults.append("kinds: a kind is named twice.")
        return faults

    @property
    def speed_ms(self) -> float:
        """Walking speed in m/s: ``speed_kmh`` if given, else the profile's."""
        return PROFILES_MS[self.profile] if self.speed_kmh is None else self.speed_kmh / 3.6

    @property
    def decay_curve(self) -> Decay:
        """The decay in use: ``decay`` if given, else the half-life of ``half_time_min``."""
        return Decay("half_life", self.half_time_min) if self.decay is None else self.decay

    def with_(self, **changes: Any) -> "Params":
        """Return a copy with some values changed."""
        return replace(self, **changes)

    def to_json(self) -> str:
        """Return the parameters as JSON; ``from_json`` gives the equal value back."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Params":
        """Read what ``to_json`` wrote.

        >>> Params.from_json(Params(kinds=("parks",)).to_json()) == Params(kinds=("parks",))
        True
        """
        known = {f.name for f in fields(cls)}
        values = json.loads(text)
        unknown = sorted(set(values) - known)
        raise_faults(
            [f"Parameter '{name}' is not known to this version of Trefpunt." for name in unknown], ParamsError
        )
        return cls(**values)


def check_params(params: object) -> None:
    """Raise ``ParamsError`` where something else is given for the parameters."""
    if not isinstance(params, Params):
        raise ParamsError(
            f"params: is {params!r:.60}; give Params(...), with what differs from the defaults in it."
        )


def kind_faults(params: Params, known: Iterable[str], *, all_known: bool = True) -> list[str]:
    """Return a sentence for each kind that ``params`` names and nobody knows, with the nearest known one.

    Where not ``all_known`` (tables have no catalogue, and a town may lack a kind), only a name that is nearly a known
    one is a fault.

    >>> kind_faults(Params(norm_min={"park": 5}), ["parks", "cafes"])
    ["params: norm_min names the kind 'park', which is not known here; the nearest is 'parks'."]
    """
    names = sorted(known)
    faults = []
    for field_name in _KIND_FIELDS if all_known else _KIND_FIELDS[1:]:
        value = getattr(params, field_name)
        for key in (pair[0] for pair in value) if field_name in _PAIR_FIELDS else value:
            if key in names:
                continue
            nearest = get_close_matches(key, names, n=1, cutoff=0.0 if all_known else _NEARLY)
            if nearest or all_known:
                advice = f"; the nearest is '{nearest[0]}'" if nearest else ""
                faults.append(
                    f"params: {field_name} names the kind '{key}', which is not known here{advice}."
                )
    return faults


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

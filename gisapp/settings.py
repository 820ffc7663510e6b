"""The user's settings for going online: which servers, through which proxy, and how long to wait.

Read from ``settings.toml`` in the user's settings folder (table ``[online]``), then from environment variables
(``TREFPUNT_OVERPASS_URL`` and so on), then from what a caller gives; the last one that says something wins.
"""

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gisapp import __version__
from gisapp.errors import raise_faults
from gisapp.resources import config_dir

SETTINGS_FILE = "settings.toml"
_TABLE = "online"
_PREFIX = "TREFPUNT_"
_URLS = ("overpass_url", "nominatim_url", "proxy")


@dataclass(frozen=True)
class OnlineSettings:
    """Where and how to download; towns may run servers of their own.

    ``overpass_url``: the base, without ``/interpreter``. ``proxy``: for http and https; empty: the environment's.
    ``ca_bundle``: a PEM file with the certificate authorities to trust; empty: the environment's or the usual ones.
    ``user_agent``: how servers know us, as their usage policies ask. ``answer_s``: longest silence, and longest
    computing time allowed to a server. ``total_s``: longest time for one download as a whole. ``cache_mb``,
    ``cache_days``: how much is kept of earlier answers, and for how long.

    >>> OnlineSettings(overpass_url="http://127.0.0.1:8080/api/interpreter/").overpass_url
    'http://127.0.0.1:8080/api'
    """

    overpass_url: str = "https://overpass-api.de/api"
    nominatim_url: str = "https://nominatim.openstreetmap.org"
    proxy: str = ""
    ca_bundle: str = ""
    user_agent: str = f"Trefpunt/{__version__} (walking access to meeting places)"
    answer_s: float = 180.0
    total_s: float = 1800.0
    cache_mb: float = 500.0
    cache_days: float = 7.0
    max_area_km2: float = 1500.0

    def __post_init__(self) -> None:
        faults = []
        for name in _URLS:
            value = str(getattr(self, name)).strip().rstrip("/")
            if name == "overpass_url":
                value = value.removesuffix("/interpreter").rstrip("/")
            object.__setattr__(self, name, value)
            parts = urlsplit(value)
            if (value or name != "proxy") and not (parts.scheme in ("http", "https") and parts.hostname):
                faults.append(f"setting {name}: '{value}' is no address; write it with http:// or https://.")
        for name in ("answer_s", "total_s", "max_area_km2"):
            if not getattr(self, name) > 0:
                faults.append(f"setting {name}: {getattr(self, name)} is not a number above 0.")
        for name in ("cache_mb", "cache_days"):
            if not getattr(self, name) >= 0:
                faults.append(f"setting {name}: {getattr(self, name)} is not a number of 0 or more.")
        if self.ca_bundle and not Path(self.ca_bundle).exists():
            faults.append(
                f"setting ca_bundle: there is no file '{self.ca_bundle}'. Give the path of a PEM file."
            )
        if not self.user_agent.strip() or not self.user_agent.isprintable():
            faults.append("setting user_agent: is empty or not plain text; map servers ask who is asking.")
        raise_faults(faults)


def read_settings(**given: Any) -> OnlineSettings:
    """Return the settings in force; a value given here that is not None wins over environment and file.

    Raises ``InputError`` with every fault of the file, the variables and the values given.
    """
    known = {field.name: type(field.default) for field in fields(OnlineSettings)}
    faults: list[str] = []
    values: dict[str, Any] = {}
    path = config_dir() / SETTINGS_FILE
    variables = {
        name: os.environ[_PREFIX + name.upper()] for name in known if os.environ.get(_PREFIX + name.upper())
    }
    for where, table in (
        (str(path), _from_file(path, faults)),
        ("environment", variables),
        ("options", {name: value for name, value in given.items() if value is not None}),
    ):
        for name, value in table.items():
            if name not in known:
                nearest = get_close_matches(name, known, n=1, cutoff=0.0)[0]
                faults.append(f"{where}: unknown setting '{name}'; the nearest known one is '{nearest}'.")
                continue
            try:
                values[name] = _as(known[name], value)
            except (TypeError, ValueError):
                kind = "a number" if known[name] is float else "a text"
                faults.append(f"{where}: setting {name} is {value!r}, not {kind}.")
    raise_faults(faults)
    return OnlineSettings(**values)


def _from_file(path: Path, faults: list[str]) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get(_TABLE, {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        faults.append(f"{path}: cannot be read as TOML ({fault}). Mend it, or take it away.")
        return {}
    if not isinstance(table, dict):
        faults.append(f"{path}: '{_TABLE}' is no table; write [{_TABLE}] above the settings.")
        return {}
    return table


def _as(kind: type, value: Any) -> Any:
    if kind is float:
        if isinstance(value, bool) or not math.isfinite(number := float(value)):
            raise ValueError(value)
        return number
    if not isinstance(value, str | Path):
        raise TypeError(value)
    return str(value)

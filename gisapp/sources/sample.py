"""Bundled towns: inputs only, each file checked against the hash it was published with."""

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import geopandas as gpd

from gisapp.area import Provenance, Source, Streets, StudyArea
from gisapp.catalogue import LayerSpec, load_catalogue
from gisapp.completeness import with_completeness
from gisapp.errors import IntegrityError, MissingError
from gisapp.quality import Finding, Quality
from gisapp.resources import bundled_dir

BACKGROUND = ("land", "water", "green", "buildings")


def sample_names() -> list[str]:
    """Return the names of the bundled towns.

    >>> sample_names()
    ['monaco']
    """
    return sorted(p.parent.name for p in bundled_dir("data").glob("*/PROVENANCE.toml"))


def load_sample(name: str = "monaco", *, catalogue: tuple[LayerSpec, ...] | None = None) -> StudyArea:
    """Load a bundled town: real streets and places; residents as its provenance says.

    Raises ``MissingError`` for an unknown name and ``IntegrityError`` where a file is missing or is not the one that
    was published. Nothing in it is a score.

    >>> area = load_sample("monaco")
    >>> int(area.residents["total"].sum()), area.provenance.counts
    (38367, 'invented')
    """
    if name not in sample_names():
        raise MissingError(f"There is no sample '{name}'. Bundled: {', '.join(sample_names())}.")
    folder = bundled_dir("data") / name
    text = (folder / "PROVENANCE.toml").read_text(encoding="utf-8")
    about: dict[str, Any] = tomllib.loads(text)
    frames = {row["name"].removesuffix(".parquet"): _read_checked(folder, row) for row in about["file"]}
    kinds = load_catalogue() if catalogue is None else catalogue
    quality = Quality()
    for finding in about["finding"]:
        quality = quality.add(**vars(Finding(**finding)))
    present = set(frames["places"]["kind"])
    area = StudyArea(
        name=about["title"],
        streets=Streets(frames["street_nodes"], frames["street_edges"]),
        places=frames["places"],
        residents=frames["residents"],
        kinds=kinds,
        boundary=frames["boundary"].geometry.iloc[0],
        neighbourhoods=frames["neighbourhoods"],
        entrances=frames["entrances"],
        background={layer: frames[layer] for layer in BACKGROUND},
        provenance=Provenance(
            sources=tuple(Source(**source) for source in about["source"]),
            counts=about["counts"],
            counts_note=about["counts_note"],
            notes=tuple(about["notes"]),
        ),
        quality=quality.with_missing_kinds(tuple(kind.key for kind in kinds if kind.key not in present)),
    )
    return with_completeness(area)


def _read_checked(folder: Path, row: dict[str, Any]) -> gpd.GeoDataFrame:
    path = folder / row["name"]
    mend = "Install trefpunt again, or rebuild the sample with scripts/build_sample.py."
    if not path.is_file():
        raise IntegrityError(f"{path}: this bundled file is missing. {mend}")
    if hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
        raise IntegrityError(
            f"{path}: this bundled file was changed (its sha256 is not the published one). {mend}"
        )
    frame = gpd.read_parquet(path)
    if len(frame) != row["rows"]:
        raise IntegrityError(f"{path}: holds {len(frame)} rows, not {row['rows']}. {mend}")
    return frame

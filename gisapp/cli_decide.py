"""Commands that decide: what a scenario changes."""

from pathlib import Path
from typing import Annotated

import geopandas as gpd
import pandas as pd
import typer

from gisapp.compare import Comparison, compare
from gisapp.errors import InputError
from gisapp.terminal import Progress


def compare_scenario(
    project: Annotated[Path, typer.Argument(help="A project file.")],
    scenario: Annotated[Path, typer.Argument(help="A scenario file (.toml).")],
    out: Annotated[
        Path | None, typer.Option(help="Project file to write (.gpkg), with layers of the differences.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file at --out.")] = False,
) -> None:
    """Score a project before and after a scenario, and say who gains and who loses."""
    from gisapp.change_summary import change_summary
    from gisapp.project import check_output, read_project, write_project
    from gisapp.scenario_file import read_scenario, to_toml

    if out is not None:
        if out.suffix != ".gpkg":
            raise InputError(f"--out {out}: a project file ends in .gpkg.")
        check_output(out, overwrite=overwrite)
    say = Progress()
    plan = read_scenario(scenario)
    say(f"Reading {project}")
    area, params, _ = read_project(project)
    say("Scoring before and after")
    change = compare(area, plan, params)
    if out is not None:
        say(f"Writing {out}")
        before = change.baseline
        write_project(
            out,
            area,
            before.params,
            before,
            scenario=to_toml(plan),
            extra=layers_of_change(change),
            overwrite=overwrite,
        )
    say.done()
    typer.echo(change_summary(change))


def layers_of_change(change: Comparison) -> dict[str, pd.DataFrame]:
    """Return the differences as layers (homes and places where they are after the scenario, else before) and tables."""
    before, after = change.baseline.area, change.scenario.area
    assert before is not None
    assert after is not None
    layers: dict[str, pd.DataFrame] = {}
    for name in ("homes", "places"):
        table: pd.DataFrame = getattr(change.difference, name)
        then, now = (area.residents if name == "homes" else area.places for area in (before, after))
        shapes = now.geometry.reindex(table.index)
        shapes = shapes.where(shapes.notna(), then.geometry.reindex(table.index))
        frame = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(shapes, crs=before.crs))
        layers[f"difference_{name}"] = frame.reset_index()
    for name in ("city", "exposure", "equity"):
        layers[f"difference_{name}"] = getattr(change.difference, name)
    layers["losers"] = change.losers
    return layers
